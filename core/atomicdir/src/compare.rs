//! Step 5: compares the published set with the wanted one, in names, bytes, modes and owners.
//!
//! All bytes are compared. A comparison of sizes and times would be cheaper but wrong: the owner of a generation may
//! write to its files and set their times. A hash would have to be stored, and the hash of a short secret reveals it.
//!
//! A file costs four calls: `openat`, `statx`, `read` and `close`. A file of a different length is not read. All reads
//! use one buffer, which is wiped at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::parent::Parent;
use crate::walk::{Access, Below, Found, Walk};
use crate::{
    Attributes, AttributesChange, Change, ChangeKind, Compared, Comparison, Error, FileMap, FileName, Locked,
    NewFile, Options, Refusal, Result, Staging, Step, options,
};

/// The maximum bytes of one read. Nearly every file fits, so one call reads it.
const CHUNK: usize = 1 << 20;

/// The maximum number of attempts at a link that flips during the comparison.
const ATTEMPTS: u32 = 1000;

impl Options {
    /// Compares the set that is published at a link with the wanted one, as a run with these options would. It takes no
    /// lock and changes nothing.
    ///
    /// The generation is pinned during the comparison, so the whole result is about one generation. By the time that
    /// you read it, another one may be current.
    ///
    /// # Errors
    ///
    /// The same refusals as those of a run. It also fails if the generation cannot be read: every file in it must be
    /// readable.
    pub fn compare(self, link: impl AsRef<Path>, wanted: &FileMap<NewFile<'_>>) -> Result<Compared> {
        let (parent, name) = options::split(link.as_ref())?;
        let nothing = || Ok(Compared::with_nothing(wanted));
        let Some(parent) = Parent::open_as_run(parent, self.parents)? else { return nothing() };
        let dir = self.with(parent, name);
        for _ in 0..ATTEMPTS {
            let Some(id) = dir.read_link()? else { return nothing() };
            let Some(Generation { directory, found }) = Generation::open_if_ours(&dir, Step::Compare, &id)?
            else {
                return Ok(Compared { id: Some(id), ..Compared::with_nothing(wanted) });
            };
            let path = dir.generation_path(&id);
            // The pin keeps it from being removed. If its removal has begun, it is no longer current: try again.
            if let Some(pin) = Flock::shared(directory).at(Step::Compare, "pin", &path)? {
                let mut comparing = Comparing::new(wanted, dir.options.directory);
                comparing.sizes = Some(BTreeMap::new());
                comparing.published(pin.file(), &found, &path)?;
                let sizes = comparing.sizes.take().unwrap_or_default();
                let (note, view) = dir.visible_note(Step::Compare, &id)?;
                return Ok(Compared { id: Some(id), comparison: comparing.finish(), sizes, note, view });
            }
        }
        Err(Error::refuse(Step::Compare, "pin", dir.path(), Refusal::NotPinned(ATTEMPTS)))
    }
}

impl Staging<'_> {
    /// Compares a [complete](Self::complete) staging with the files that were written to it. A program that has
    /// inspected the staging may have changed it.
    ///
    /// # Errors
    ///
    /// The staging cannot be read.
    pub fn compare(&self, wanted: &FileMap<NewFile<'_>>) -> Result<Comparison> {
        let path = self.unfinished.path();
        let found = self.root().metadata().at(Step::Compare, "inspect", &path)?;
        let mut comparing = Comparing::new(wanted, self.locked.dir.options.directory);
        comparing.published(self.root(), &found, &path)?;
        Ok(comparing.finish())
    }
}

impl Locked {
    /// Compares the published set with the wanted one (step 5). It only reads, and changes no modification time.
    ///
    /// An entry that is never published, such as a FIFO or an empty directory, counts as removed, because the next
    /// publish leaves it out. A generation of an untrusted user is not read: all wanted files then count as added.
    ///
    /// # Errors
    ///
    /// The published generation cannot be read.
    pub fn compare(&self, wanted: &FileMap<NewFile<'_>>) -> Result<Comparison> {
        let opened = match &self.current {
            Some(id) => {
                Generation::open_if_ours(&self.dir, Step::Compare, id)?.map(|generation| (id, generation))
            }
            None => None,
        };
        let directory = self.dir.options.directory;
        match opened {
            Some((id, Generation { directory: opened, found })) => {
                let mut comparing = Comparing::new(wanted, directory);
                comparing.published(&opened, &found, &self.dir.generation_path(id))?;
                Ok(comparing.finish())
            }
            None => Ok(Comparison::with_nothing(wanted)),
        }
    }
}

/// A comparison in progress: the wanted names that were found, and the differences so far.
struct Comparing<'a> {
    wanted: &'a FileMap<NewFile<'a>>,
    directory: Attributes,
    /// Borrowed from `wanted`, so each file takes only a pointer.
    seen: BTreeSet<&'a FileName>,
    /// The size of each published file, if the caller wants them.
    sizes: Option<BTreeMap<String, u64>>,
    changes: Vec<Change>,
}

impl<'a> Comparing<'a> {
    /// Begins a comparison with these files, in directories with these attributes.
    fn new(wanted: &'a FileMap<NewFile<'a>>, directory: Attributes) -> Self {
        Self { wanted, directory, seen: BTreeSet::new(), sizes: None, changes: Vec::new() }
    }

    /// Compares an open generation: first its own attributes, then its contents.
    fn published(&mut self, directory: &std::fs::File, found: &std::fs::Metadata, path: &Path) -> Result<()> {
        self.attributes(".", self.directory, found);
        let mut buffer = Zeroizing::new(vec![0; self.buffer_size()]);
        let walk = Walk { step: Step::Compare, root: path, access: Access::Read };
        walk.visit(directory, &mut |name, found| match found {
            Found::Directory(found) => {
                self.directory(name, found);
                Ok(())
            }
            Found::File(file, found) => {
                self.file(name, file, found, &mut buffer).at(Step::Compare, "read", Below(path, name))
            }
            Found::Inspected(_) | Found::Closed | Found::Other => {
                self.note(name, ChangeKind::Removed);
                Ok(())
            }
        })
    }

    /// Returns the size of the buffer: at most that of the longest wanted file.
    fn buffer_size(&self) -> usize {
        let longest = self.wanted.iter().map(|(_, file)| file.bytes.len()).max();
        longest.unwrap_or_default().min(CHUNK)
    }

    /// Compares one published directory. A directory without wanted files counts as removed.
    fn directory(&mut self, name: &str, found: &std::fs::Metadata) {
        if self.wanted.has_directory(name) {
            self.attributes(name, self.directory, found);
        } else {
            self.note(name, ChangeKind::Removed);
        }
    }

    /// Compares one published file with the wanted file of the same name, if there is one.
    fn file(
        &mut self,
        name: &str,
        file: &std::fs::File,
        found: &std::fs::Metadata,
        buffer: &mut [u8],
    ) -> std::io::Result<()> {
        if let Some(sizes) = &mut self.sizes {
            sizes.insert(name.to_owned(), found.len());
        }
        let Some((own_name, wanted)) = self.wanted.get_entry(name) else {
            self.note(name, ChangeKind::Removed);
            return Ok(());
        };
        self.seen.insert(own_name);
        if found.len() != wanted.bytes.len() as u64 || !holds(file, wanted.bytes, buffer)? {
            self.note(name, ChangeKind::Content);
        }
        self.attributes(name, wanted.attributes, found);
        Ok(())
    }

    /// Compares mode and owner.
    fn attributes(&mut self, name: &str, wanted: Attributes, found: &std::fs::Metadata) {
        let attributes = AttributesChange::find(wanted, found);
        if !attributes.is_none() {
            self.changes.push(Change { attributes, ..Change::new(name, ChangeKind::Attributes) });
        }
    }

    /// Adds a difference.
    fn note(&mut self, name: &str, kind: ChangeKind) {
        self.changes.push(Change::new(name, kind));
    }

    /// Adds the wanted files that were not found, and sorts all differences by name.
    fn finish(mut self) -> Comparison {
        let missing = self.wanted.iter().filter(|(name, _)| !self.seen.contains(name));
        let added = missing.map(|(name, _)| Change::new(name.to_string(), ChangeKind::Added));
        let mut changes: Vec<_> = added.collect();
        changes.append(&mut self.changes);
        changes.sort();
        Comparison { changes }
    }
}

/// Returns whether a file of the same length has these bytes. It stops at the first difference, or if the file has
/// become shorter. A read that a signal interrupts, as on NFS, is retried.
fn holds(mut file: &std::fs::File, bytes: &[u8], buffer: &mut [u8]) -> std::io::Result<bool> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let chunk = buffer.len().min(rest.len());
        let Some(part) = buffer.get_mut(..chunk) else { return Ok(false) };
        let read = match file.read(part) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let (Some(found), Some((wanted, after))) = (part.get(..read), rest.split_at_checked(read)) else {
            return Ok(false);
        };
        if read == 0 || found != wanted {
            return Ok(false);
        }
        rest = after;
    }
    Ok(true)
}
