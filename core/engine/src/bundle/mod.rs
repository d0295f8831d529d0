//! The bundle: the bytes of every file, complete, in memory. Nothing has been written to disk yet.

mod assembling;
mod bytes;
mod fault;
pub(crate) mod import;
pub(crate) mod missing;

use atomicdir::{FileMap, FileName};

use crate::gather::answers::Answers;
use crate::plan::{Plan, PlannedFile};

use assembling::Assembling;
use bytes::Bytes;
pub(crate) use fault::{BundleFault, MakeError};
use import::FileSet;
use missing::MissingSecret;

/// Every file that is to be published.
pub(crate) struct Bundle<'p> {
    set: FileSet<'p>,
    files: FileMap<Bytes>,
    /// The missing secrets whose files are left out.
    pub(crate) left_out: Vec<MissingSecret>,
    /// The missing secrets that a default replaces, as a whole file or in a template.
    pub(crate) defaulted: Vec<MissingSecret>,
    /// The files that need a secret which was not requested.
    pub(crate) unmade: Vec<String>,
}

/// One file of a bundle.
#[derive(Clone, Copy)]
pub(crate) struct BundledFile<'b> {
    pub(crate) name: &'b FileName,
    bytes: &'b Bytes,
    pub(crate) planned: &'b PlannedFile,
}

impl<'b> BundledFile<'b> {
    pub(crate) fn bytes(self) -> &'b [u8] {
        self.bytes.get()
    }

    /// Returns whether the content is a default. Then it belongs to no version of the secret.
    pub(crate) fn is_default(self) -> bool {
        matches!(self.bytes, Bytes::Default(_))
    }
}

impl<'p> Bundle<'p> {
    /// Makes every file from the answers. Rendering a template may take a while; a signal can end the run meanwhile.
    ///
    /// # Errors
    ///
    /// - every import that fails
    /// - every field that cannot be picked
    /// - every value that a transform rejects
    /// - every template that cannot be rendered
    /// - files that are together larger than `max-bytes`
    pub(crate) async fn assemble(plan: &'p Plan, answers: &Answers) -> Result<Self, Vec<BundleFault>> {
        let (set, faults) = import::complete(plan, answers);
        let mut assembling = Assembling::new(plan, answers, faults);
        let mut made = Vec::with_capacity(set.files.len());
        for (name, file) in set.files.iter() {
            made.push(assembling.file(name.as_str(), &file.content).await);
        }
        let mut made = made.into_iter();
        let files = set.files.map_files(|_, _| made.next().flatten());
        let Assembling { left_out, defaulted, unmade, mut faults, .. } = assembling;
        let size: u64 = files.iter().map(|(_, bytes)| bytes.get().len() as u64).sum();
        if size > plan.gather.max_bytes {
            faults.push(BundleFault::TooLarge(plan.gather.max_bytes));
        }
        if faults.is_empty() { Ok(Self { set, files, left_out, defaulted, unmade }) } else { Err(faults) }
    }

    /// Returns each file with its name, its bytes and its plan.
    pub(crate) fn files(&self) -> impl Iterator<Item = BundledFile<'_>> {
        self.files.iter().filter_map(|(name, bytes)| {
            let planned = self.set.files.get(name.as_str())?;
            Some(BundledFile { name, bytes, planned })
        })
    }

    /// Maps each file to another value, under the same name.
    pub(crate) fn map_files<'b, T>(&'b self, mut make: impl FnMut(BundledFile<'b>) -> T) -> FileMap<T> {
        self.files.map_files(|name, bytes| {
            let planned = self.set.files.get(name.as_str())?;
            Some(make(BundledFile { name, bytes, planned }))
        })
    }

    /// Returns a message for each secret or key that was not imported because a file of `[files]` has its name.
    pub(crate) fn overridden(&self) -> &[String] {
        &self.set.overridden
    }

    /// Returns the number of files.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }
}
