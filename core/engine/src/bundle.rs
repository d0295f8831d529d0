//! The bundle: every file's bytes, complete, in memory. Nothing is on disk yet.

mod assembling;

use std::sync::Arc;

use atomicdir::{FileMap, NewFile};
use secretdir_provider::Secret;
use zeroize::Zeroizing;

use crate::coding::NotCoded;
use crate::failure::{GatherError, GatherFailure};
use crate::field::FieldError;
use crate::gather::answers::Answers;
use crate::import::{self, FileSet};
use crate::manifest::ManifestEntry;
use crate::missing::MissingSecret;
use crate::owners::Owners;
use crate::plan::{Plan, RequestId};

use assembling::Assembling;

/// Every file that is to be published.
pub(crate) struct Bundle<'p> {
    plan: &'p Plan,
    set: FileSet<'p>,
    files: FileMap<Bytes>,
    /// What the files lack that are left out.
    pub(crate) left_out: Vec<MissingSecret>,
    /// What the files lack that have default content, or some in them.
    pub(crate) defaulted: Vec<MissingSecret>,
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
    /// Nothing that is planned leads here: what must be there is fetched, or the gathering has failed.
    #[error("it was not fetched: a mistake in secretdir")]
    NotFetched,
}

impl<'p> Bundle<'p> {
    /// Makes every file out of the answers. A template may take its time, in which a signal that ends the run is heeded.
    ///
    /// # Errors
    ///
    /// Every import that cannot be made, every field that could not be picked, every value that is not what it is to be decoded
    /// from, and every template that cannot be rendered.
    pub(crate) async fn assemble(plan: &'p Plan, answers: &Answers) -> Result<Self, GatherError> {
        let (set, failures) = import::complete(plan, answers);
        let mut assembling = Assembling::new(plan, answers, failures);
        let mut files = FileMap::new();
        for (name, file) in set.files.iter() {
            if let Some(bytes) = assembling.file(name.as_str(), &file.content).await {
                // Cannot fail: these names stand beside each other already.
                let _ = files.insert(name.clone(), bytes);
            }
        }
        let Assembling { left_out, defaulted, mut failures, .. } = assembling;
        let size: u64 = files.iter().map(|(_, bytes)| bytes.get().len() as u64).sum();
        if size > plan.gather.max_bytes {
            failures.push(GatherFailure::too_large(plan.gather.max_bytes));
        }
        if failures.is_empty() {
            Ok(Self { plan, set, files, left_out, defaulted })
        } else {
            Err(GatherError::new(failures))
        }
    }

    /// Returns the files as they are to be on disk, with borrowed bytes.
    pub(crate) fn files<'b>(&'b self, owners: &Owners) -> FileMap<NewFile<'b>> {
        self.files.map_files(|name, bytes| {
            let planned = self.set.files.get(name.as_str())?;
            Some(NewFile::new(bytes.get(), owners.attributes(&planned.attributes)))
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
