//! Step 5: does what is published differ from what is wanted, in names, bytes, modes or owners?
//!
//! Bytes are compared with bytes. A size and a time would be cheaper and wrong: the owner of a generation may write to its
//! files, and set their times. A hash would have to be kept somewhere, and the hash of a short secret gives it away.
//!
//! A file costs four calls: `openat`, `statx`, `read` and `close`. A file of another length is not read. What is read goes
//! through one buffer, which is wiped at the end.

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

/// How much of a published file is read at a time: nearly always all of it, so one call.
const CHUNK: usize = 1 << 20;

/// How often to look again at a link that flips meanwhile.
const ATTEMPTS: u32 = 1000;

impl Options {
    /// Compares what is published at a link with what is wanted, as a run with these options would. Takes no lock, makes
    /// nothing and changes nothing.
    ///
    /// The generation is pinned meanwhile, so all that is told is of the same one. By the time that this returns, another one
    /// may be current.
    ///
    /// # Errors
    ///
    /// What a run would refuse; and the generation cannot be read: every file in it must be readable.
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
            // Pinned, so that it is not removed meanwhile. What is being removed is not current any more.
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
    /// Compares a staging that is [complete](Self::complete) with what was written to it: whoever was shown it may have changed it.
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
    /// Compares what is published with what is wanted (step 5). Reads only; no modification time changes.
    ///
    /// Something in the generation that nobody publishes, such as a FIFO or an empty directory, counts as removed: the next
    /// publish leaves it behind. A generation of somebody whom we do not trust is not read: all is to be added then.
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

/// A comparison under way: what of the wanted set has been seen, and what differs so far.
struct Comparing<'a> {
    wanted: &'a FileMap<NewFile<'a>>,
    directory: Attributes,
    /// Borrowed from `wanted`, so that it takes a pointer a file.
    seen: BTreeSet<&'a FileName>,
    /// How long each published file is, if anybody wants to know.
    sizes: Option<BTreeMap<String, u64>>,
    changes: Vec<Change>,
}

impl<'a> Comparing<'a> {
    /// Begins a comparison with these files, in directories with these attributes.
    fn new(wanted: &'a FileMap<NewFile<'a>>, directory: Attributes) -> Self {
        Self { wanted, directory, seen: BTreeSet::new(), sizes: None, changes: Vec::new() }
    }

    /// Compares a generation that is open: its own attributes first, then all that is in it.
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

    /// Returns how much to read at a time: no more than the longest file that is wanted.
    fn buffer_size(&self) -> usize {
        let longest = self.wanted.iter().map(|(_, file)| file.bytes.len()).max();
        longest.unwrap_or_default().min(CHUNK)
    }

    /// An empty directory would be left over from nothing that we publish.
    fn directory(&mut self, name: &str, found: &std::fs::Metadata) {
        if self.wanted.has_directory(name) {
            self.attributes(name, self.directory, found);
        } else {
            self.note(name, ChangeKind::Removed);
        }
    }

    /// Compares one published file with the one that is wanted under its name, if there is one.
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

    /// Notes that a name differs.
    fn note(&mut self, name: &str, kind: ChangeKind) {
        self.changes.push(Change::new(name, kind));
    }

    /// Adds what is wanted and was not found, and puts all of it in the order of the names.
    fn finish(mut self) -> Comparison {
        let missing = self.wanted.iter().filter(|(name, _)| !self.seen.contains(name));
        let added = missing.map(|(name, _)| Change::new(name.to_string(), ChangeKind::Added));
        let mut changes: Vec<_> = added.collect();
        changes.append(&mut self.changes);
        changes.sort();
        Comparison { changes }
    }
}

/// Says whether a file of the same length holds these bytes. It stops at the first part that differs, or if the file has
/// become shorter meanwhile. A read that a signal interrupts, as on NFS, is made again.
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
