//! The bundle: every file's bytes, complete, in memory. Nothing is on disk yet.

use std::sync::Arc;

use atomicdir::FileMap;
use secretdir_provider::Secret;
use zeroize::Zeroizing;

use crate::coding::NotCoded;
use crate::field::FieldError;
use crate::gather::{Answers, GatherError, GatherFailure, Unmade};
use crate::import::{self, FileSet};
use crate::manifest::ManifestEntry;
use crate::owners::Owners;
use crate::plan::{Content, IfAbsent, Plan, PlannedTemplate, RequestId, SecretUse};

/// Every file that is to be published.
pub(crate) struct Bundle<'p> {
    plan: &'p Plan,
    set: FileSet<'p>,
    files: FileMap<Bytes>,
    /// The names of the files that are left out.
    pub(crate) left_out: Vec<String>,
    /// The names of the files that have default content, or some in them.
    pub(crate) defaulted: Vec<String>,
}

/// Where bytes are. The secret itself is shared, not copied, however many files it makes.
enum Bytes {
    Whole(Arc<Secret>),
    Made(Zeroizing<Vec<u8>>),
    Default(String),
}

/// Why bytes could not be made of a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    NotCoded(#[from] NotCoded),
}

impl<'p> Bundle<'p> {
    /// Makes every file out of the answers.
    ///
    /// # Errors
    ///
    /// Every import that cannot be made; otherwise every field that could not be picked, every value that is not what it is to
    /// be decoded from, and every template that cannot be rendered.
    pub(crate) fn assemble(plan: &'p Plan, answers: &Answers) -> Result<Self, GatherError> {
        let set = import::complete(plan, answers)?;
        let mut assembling =
            Assembling { plan, answers, left_out: Vec::new(), defaulted: Vec::new(), failures: Vec::new() };
        let files = set.files.filter_map(|name, file| assembling.file(name.as_str(), &file.content));
        let Assembling { left_out, defaulted, failures, .. } = assembling;
        if failures.is_empty() {
            Ok(Self { plan, set, files, left_out, defaulted })
        } else {
            Err(GatherError::new(failures))
        }
    }

    /// Returns the files as they are to be on disk, with borrowed bytes.
    pub(crate) fn files<'b>(&'b self, owners: &Owners) -> FileMap<atomicdir::File<'b>> {
        self.files.filter_map(|name, bytes| {
            let planned = self.set.files.get(name.as_str())?;
            Some(atomicdir::File { bytes: bytes.get(), attributes: owners.attributes(&planned.attributes) })
        })
    }

    /// Returns what the manifest says of each file: the secrets that it is made of, each once.
    pub(crate) fn manifest<'b>(
        &'b self,
        answers: &'b Answers,
    ) -> impl Iterator<Item = (String, Vec<ManifestEntry>)> + 'b {
        self.files.iter().filter_map(|(name, bytes)| {
            let planned = self.set.files.get(name.as_str())?;
            let entry = |id: RequestId| {
                let source = self.plan.sources.get(id.source)?;
                // What is there by default is of no version of the secret.
                let secret = answers.secret(id).filter(|_| !matches!(bytes, Bytes::Default(_)));
                Some(ManifestEntry::new(&source.name, answers.request(id)?, secret.map(AsRef::as_ref)))
            };
            Some((name.to_string(), planned.content.requests().into_iter().filter_map(entry).collect()))
        })
    }

    /// Returns what was not imported, as there is a file of that name.
    pub(crate) fn overridden(&self) -> &[String] {
        &self.set.overridden
    }

    /// Returns how many files there are.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match self {
            Self::Whole(secret) => secret.expose_secret(),
            Self::Made(bytes) => bytes,
            Self::Default(content) => content.as_bytes(),
        }
    }
}

/// The assembling so far.
struct Assembling<'p, 'a> {
    plan: &'p Plan,
    answers: &'a Answers,
    left_out: Vec<String>,
    defaulted: Vec<String>,
    failures: Vec<GatherFailure>,
}

impl Assembling<'_, '_> {
    /// Makes one file; `None` if it is left out, or cannot be made.
    fn file(&mut self, name: &str, content: &Content) -> Option<Bytes> {
        match content {
            Content::Secret(used) => self.secret(name, content, used),
            Content::Template(template) => self.template(name, content, template),
        }
    }

    fn secret(&mut self, name: &str, content: &Content, used: &SecretUse) -> Option<Bytes> {
        match self.made(name, content, used) {
            Made::Bytes(bytes) => {
                if matches!(bytes, Bytes::Default(_)) {
                    self.defaulted.push(name.to_owned());
                }
                Some(bytes)
            }
            Made::Absent => {
                self.left_out.push(name.to_owned());
                None
            }
            Made::Failed => None,
        }
    }

    /// Renders a file, if all that goes into it can be made.
    fn template(&mut self, name: &str, content: &Content, planned: &PlannedTemplate) -> Option<Bytes> {
        let made: Vec<_> = planned.uses.iter().map(|used| self.made(name, content, used)).collect();
        let values: Vec<_> = made.iter().map(Made::bytes).collect::<Option<_>>()?;
        if values.iter().any(|value| matches!(value, Bytes::Default(_))) {
            self.defaulted.push(name.to_owned());
        }
        let values: Vec<_> = values.into_iter().map(Bytes::get).collect();
        let rendered = planned.template.render(&values);
        rendered
            .map(Bytes::Made)
            .map_err(|error| self.failures.push(GatherFailure::rendering(name, planned, error)))
            .ok()
    }

    fn made(&mut self, file: &str, content: &Content, used: &SecretUse) -> Made {
        match (made(used, self.answers), &used.if_absent) {
            (Ok(Some(bytes)), _) => Made::Bytes(bytes),
            (Ok(None), IfAbsent::Default(default)) => Made::Bytes(Bytes::Default(default.clone())),
            (Ok(None), IfAbsent::LeaveOut | IfAbsent::Fail) => Made::Absent,
            (Err(error), _) => {
                let unmade = Unmade { file, content, id: used.id, error };
                self.failures.push(GatherFailure::making(self.plan, self.answers, unmade));
                Made::Failed
            }
        }
    }
}

/// What came of one use of a secret.
enum Made {
    Bytes(Bytes),
    Absent,
    /// The failure has been noted.
    Failed,
}

impl Made {
    fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Absent | Self::Failed => None,
        }
    }
}

/// Makes bytes of a secret. `None` if there is no secret, or no such field of it, and that is no failure.
fn made(used: &SecretUse, answers: &Answers) -> Result<Option<Bytes>, MakeError> {
    let Some(secret) = answers.secret(used.id) else { return Ok(None) };
    let picked = match used.field.as_ref().map(|field| field.pick(secret.expose_secret())) {
        Some(Err(FieldError::Missing(_))) if used.if_absent != IfAbsent::Fail => return Ok(None),
        picked => picked.transpose()?,
    };
    let value = picked.as_ref().map_or(secret.expose_secret(), |picked| picked);
    Ok(Some(match picked {
        _ if !used.treatment.is_none() => Bytes::Made(used.treatment.apply(value)?),
        Some(picked) => Bytes::Made(picked),
        None => Bytes::Whole(Arc::clone(secret)),
    }))
}
