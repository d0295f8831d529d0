//! The bundle: every file's bytes, complete, in memory. Nothing is on disk yet.

use std::sync::Arc;

use atomicdir::FileMap;
use secretdir_provider::Secret;
use zeroize::Zeroizing;

use crate::coding::NotCoded;
use crate::field::FieldError;
use crate::gather::{Answers, GatherError, GatherFailure};
use crate::import::{self, FileSet};
use crate::manifest::ManifestEntry;
use crate::owners::Owners;
use crate::plan::{IfAbsent, Plan, SecretUse};

/// Every file that is to be published.
pub(crate) struct Bundle<'p> {
    plan: &'p Plan,
    set: FileSet<'p>,
    files: FileMap<BundledFile>,
    /// The names of the files that are left out.
    pub(crate) left_out: Vec<String>,
    /// The names of the files that have their default content.
    pub(crate) defaulted: Vec<String>,
}

/// Where a file's bytes are. The secret itself is shared, not copied, however many files it makes.
enum BundledFile {
    Whole(Arc<Secret>),
    Made(Zeroizing<Vec<u8>>, Arc<Secret>),
    Default(String),
}

/// Why a file could not be made of its secret.
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
    /// Every import that cannot be made; otherwise every field that could not be picked, and every value that is not what it
    /// is to be decoded from.
    pub(crate) fn assemble(plan: &'p Plan, answers: &Answers) -> Result<Self, GatherError> {
        let set = import::complete(plan, answers)?;
        let (mut failures, mut left_out, mut defaulted) = (Vec::new(), Vec::new(), Vec::new());
        let files = set.files.filter_map(|name, file| match made(&file.content, answers) {
            Ok(Some(made)) => Some(made),
            Ok(None) => match &file.content.if_absent {
                IfAbsent::Default(content) => {
                    defaulted.push(name.to_string());
                    Some(BundledFile::Default(content.clone()))
                }
                IfAbsent::LeaveOut | IfAbsent::Fail => {
                    left_out.push(name.to_string());
                    None
                }
            },
            Err(error) => {
                failures.push(GatherFailure::making(plan, answers, file.content.id, name.as_str(), error));
                None
            }
        });
        if failures.is_empty() {
            Ok(Self { plan, set, files, left_out, defaulted })
        } else {
            Err(GatherError::new(failures))
        }
    }

    /// Returns the files as they are to be on disk, with borrowed bytes.
    pub(crate) fn files<'b>(&'b self, owners: &Owners) -> FileMap<atomicdir::File<'b>> {
        self.files.filter_map(|name, file| {
            let planned = self.set.files.get(name.as_str())?;
            Some(atomicdir::File { bytes: file.bytes(), attributes: owners.attributes(&planned.attributes) })
        })
    }

    /// Returns what the manifest says of each file.
    pub(crate) fn manifest<'b>(
        &'b self,
        answers: &'b Answers,
    ) -> impl Iterator<Item = (String, Vec<ManifestEntry>)> + 'b {
        self.files.iter().filter_map(|(name, file)| {
            let id = self.set.files.get(name.as_str())?.content.id;
            let source = self.plan.sources.get(id.source)?;
            let request = answers.request(id)?;
            Some((name.to_string(), vec![ManifestEntry::new(&source.name, request, file.secret())]))
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

impl BundledFile {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(secret) => secret.expose_secret(),
            Self::Made(bytes, _) => bytes,
            Self::Default(content) => content.as_bytes(),
        }
    }

    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Whole(secret) | Self::Made(_, secret) => Some(secret),
            Self::Default(_) => None,
        }
    }
}

/// Makes a file of its secret. `None` if there is no secret, or no such field of it, and that is no failure.
fn made(content: &SecretUse, answers: &Answers) -> Result<Option<BundledFile>, MakeError> {
    let Some(secret) = answers.secret(content.id) else { return Ok(None) };
    let picked = match content.field.as_ref().map(|field| field.pick(secret.expose_secret())) {
        Some(Err(FieldError::Missing(_))) if content.if_absent != IfAbsent::Fail => return Ok(None),
        picked => picked.transpose()?,
    };
    let value = picked.as_ref().map_or(secret.expose_secret(), |picked| picked);
    let secret = Arc::clone(secret);
    Ok(Some(match picked {
        _ if !content.treatment.is_none() => BundledFile::Made(content.treatment.apply(value)?, secret),
        Some(picked) => BundledFile::Made(picked, secret),
        None => BundledFile::Whole(secret),
    }))
}
