//! The bundle: every file's bytes, complete, in memory. Nothing is on disk yet.

use std::sync::Arc;

use atomicdir::FileMap;
use secretdir_provider::Secret;
use zeroize::Zeroizing;

use crate::gather::{Answers, GatherError, GatherFailure};
use crate::manifest::ManifestEntry;
use crate::owners::Owners;
use crate::plan::{Plan, PlannedFile};

/// Every file that is to be published.
pub(crate) struct Bundle {
    files: FileMap<BundledFile>,
}

struct BundledFile {
    content: Content,
    secret: Arc<Secret>,
}

/// Where a file's bytes are. The secret itself is shared, not copied, however many files it makes.
enum Content {
    Whole,
    Picked(Zeroizing<Vec<u8>>),
}

impl Bundle {
    /// Makes every file out of the answers.
    ///
    /// # Errors
    ///
    /// Every field that could not be picked.
    pub(crate) fn assemble(plan: &Plan, answers: &Answers) -> Result<Self, GatherError> {
        let mut failures = Vec::new();
        let files = plan.files.filter_map(|name, file| match content(file, answers) {
            Ok(bundled) => bundled,
            Err(error) => {
                failures.push(GatherFailure::field(plan, file.source, file.request, name.as_str(), error));
                None
            }
        });
        if failures.is_empty() { Ok(Self { files }) } else { Err(GatherError::new(failures)) }
    }

    /// Returns the files as they are to be on disk, with borrowed bytes.
    pub(crate) fn files<'b>(&'b self, plan: &Plan, owners: &Owners) -> FileMap<atomicdir::File<'b>> {
        self.files.filter_map(|name, file| {
            let planned = plan.files.get(name.as_str())?;
            Some(atomicdir::File { bytes: file.bytes(), attributes: owners.attributes(&planned.attributes) })
        })
    }

    /// Returns what the manifest says of each file.
    pub(crate) fn manifest<'b>(
        &'b self,
        plan: &'b Plan,
    ) -> impl Iterator<Item = (String, ManifestEntry)> + 'b {
        self.files.iter().filter_map(|(name, file)| {
            let planned = plan.files.get(name.as_str())?;
            let source = plan.sources.get(planned.source)?;
            let request = source.requests.get(planned.request)?;
            Some((name.to_string(), ManifestEntry::new(&source.name, request, &file.secret)))
        })
    }
}

impl BundledFile {
    fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Whole => self.secret.expose_secret(),
            Content::Picked(bytes) => bytes,
        }
    }
}

fn content(file: &PlannedFile, answers: &Answers) -> Result<Option<BundledFile>, crate::field::FieldError> {
    let secret = answers.secrets.get(file.source).and_then(|secrets| secrets.get(file.request));
    let Some(secret) = secret else { return Ok(None) };
    let content = match &file.field {
        None => Content::Whole,
        Some(field) => Content::Picked(field.pick(secret.expose_secret())?),
    };
    Ok(Some(BundledFile { content, secret: Arc::clone(secret) }))
}
