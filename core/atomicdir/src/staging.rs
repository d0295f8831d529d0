//! Step 6: fills a new directory that readers cannot see yet.
//!
//! Files and directories are made with minimal permissions: a directory with 0700, a file with 0600. They get their
//! owner and mode only when they are complete. So nobody can read half a secret, regardless of the umask. All are made
//! and opened relative to an open descriptor, without following links.
//!
//! The order on disk is the temporary link, which marks the ID as unfinished, the directory, its record, and its files.
//! So a kill at any moment leaves only leftovers with a mark. Only a directory with a record is ever emptied.
//!
//! Files should come sorted by name. Then one descriptor for each level is open at a time, and each directory is
//! finished once.

use std::fs::{File, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fchown, fsync, mkdirat, openat, statat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use crate::error::At;
use crate::flock::Flock;
use crate::parent::DIRECTORY;
use crate::unfinished::Unfinished;
use crate::{
    Attributes, Error, FileName, Locked, NewFile, Owner, Refusal, Result, Step, new_directory, platform,
    remove_contents,
};

/// Every file is new, follows no link, and is closed to others until it is complete.
pub(crate) const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Inspects a file, which needs no permission on the file itself.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The mode of new files.
const BORN: Mode = Mode::RUSR.union(Mode::WUSR);

/// A new directory in progress. Dropping it removes it; [`publish`](Self::publish) makes it current.
///
/// The removal can fail, for example on a disk with errors. Then files stay on disk that no reader uses and only their
/// owner may read. [`Locked::take_leftover`] returns the reason, and every later run tries again.
#[derive(Debug)]
#[must_use = "a staging that is dropped is removed"]
pub struct Staging<'l> {
    pub(crate) locked: &'l mut Locked,
    /// Pinned by its own run. If somebody removes the lock file and starts another run, its healing does not touch
    /// this.
    root: Flock,
    inode: u64,
    pub(crate) unfinished: Unfinished,
    /// The open directories of the file that was written last, outermost first.
    below: Vec<OpenDirectory>,
    /// The owner of new files. A wanted owner that is the same is not set again.
    born: Owner,
    /// The first file that could not be written. Without it, the set is not complete.
    failed: Option<PathBuf>,
}

/// An open directory of the file that was written last.
#[derive(Debug)]
struct OpenDirectory {
    name: String,
    directory: File,
}

impl Locked {
    /// Makes a new, empty staging (step 6). It borrows the lock until it is published or dropped, so there is only one
    /// at a time.
    ///
    /// # Errors
    ///
    /// The staging could not be made. It is removed then; if that fails too, the next run removes it.
    pub fn stage(&mut self) -> Result<Staging<'_>> {
        let mut unfinished = Unfinished::mark(&self.dir)?;
        tracing::debug!(step = Step::Stage.number(), id = %unfinished.id, "staging");
        match self.make_root(&unfinished) {
            Ok((root, inode, born)) => {
                Ok(Staging { locked: self, root, inode, unfinished, below: Vec::new(), born, failed: None })
            }
            Err(error) => {
                unfinished.remove(&self.state);
                Err(error)
            }
        }
    }

    /// Makes the directory, and records it before any file is written: only a directory with a record is ever emptied.
    fn make_root(&self, unfinished: &Unfinished) -> Result<(Flock, u64, Owner)> {
        let (name, path) = (unfinished.name(), unfinished.path());
        let parent = &self.dir.parent;
        mkdirat(&parent.directory, &name, Mode::RWXU).at(Step::Stage, "create", &path)?;
        let root =
            new_directory::open(&parent.directory, Path::new(&name), parent.device, Step::Stage, &path)?;
        let found = root.metadata().at(Step::Stage, "inspect", &path)?;
        self.state.record(&self.dir, Step::Stage, &unfinished.id, found.ino())?;
        let born = born(&root, &found, &path)?;
        let root = Flock::shared(root).at(Step::Stage, "lock", &path)?.ok_or_else(|| self.dir.busy())?;
        Ok((root, found.ino(), born))
    }
}

impl Staging<'_> {
    /// Writes one file, and makes its directories. Its attributes are set exactly, regardless of the umask.
    ///
    /// Sorted names are fastest. A directory is finished when the next file is not in it, and is opened again if one
    /// comes later.
    ///
    /// # Errors
    ///
    /// A name that is reserved or already used, and any error of the system. The staging can then not be published.
    pub fn write(&mut self, name: &FileName, file: NewFile<'_>) -> Result<()> {
        let path = self.unfinished.path().join(name.as_str());
        let written = self.write_file(name, file, &path);
        if written.is_err() {
            self.failed.get_or_insert(path);
        }
        written
    }

    /// Returns the metadata of a file that was written, such as its inode and its ctime, which nobody can set.
    ///
    /// # Errors
    ///
    /// The file was not written, or the system fails.
    pub fn metadata(&self, name: &FileName) -> Result<Metadata> {
        let path = self.unfinished.path().join(name.as_str());
        let opened = openat(self.root(), name.as_str(), LOOK, Mode::empty());
        File::from(opened.at(Step::Stage, "open", &path)?).metadata().at(Step::Stage, "inspect", path)
    }

    /// Gives every directory its owner and mode, and returns the path of the set. Use it to inspect the set before it
    /// is published. The link does not lead to the set yet, and the path is valid as long as this staging exists.
    ///
    /// If you write a file after this, its directories are opened again.
    ///
    /// # Errors
    ///
    /// A file that could not be written, and any error of the system.
    pub fn complete(&mut self) -> Result<PathBuf> {
        self.ensure_complete()?;
        self.leave(0)?;
        let path = self.unfinished.path();
        self.finish(self.root(), self.locked.dir.options.directory, &path)?;
        Ok(path)
    }

    /// Checks that every file was written. A caller that ignores an error must not publish the other files.
    pub(crate) fn ensure_complete(&self) -> Result<()> {
        match &self.failed {
            Some(path) => Err(Error::refuse(Step::Stage, "publish without", path, Refusal::Incomplete)),
            None => Ok(()),
        }
    }

    /// Makes one file without following links, and sets its attributes after its bytes. It is closed with a check for
    /// late errors: NFS reports a full disk only there.
    fn write_file(&mut self, name: &FileName, file: NewFile<'_>, path: &Path) -> Result<()> {
        let reserved = self.locked.dir.link.check_reserved(name);
        reserved.map_err(|why| Error::refuse(Step::Stage, "create", path, why.into()))?;
        let (directories, last) = name.split();
        self.enter(&directories.collect::<Vec<_>>())?;
        let made = openat(self.top(), last, CREATE, BORN);
        let mut made = File::from(made.at(Step::Stage, "create", path)?);
        made.write_all(file.bytes).at(Step::Stage, "write", path)?;
        self.finish(&made, file.attributes, path)?;
        platform::close(made).at(Step::Stage, "close", path)
    }

    /// Finishes the directories that do not contain the next file, and makes those that do. Directories of both files
    /// stay open.
    fn enter(&mut self, directories: &[&str]) -> Result<()> {
        let same =
            self.below.iter().zip(directories).take_while(|(open, wanted)| open.name == **wanted).count();
        self.leave(same)?;
        for name in directories.iter().skip(same) {
            let path = self.here().join(name);
            let directory = self.make_directory(name, &path)?;
            self.below.push(OpenDirectory { name: (*name).to_owned(), directory });
        }
        Ok(())
    }

    /// Finishes the innermost directories until this many below the root are open.
    pub(crate) fn leave(&mut self, keep: usize) -> Result<()> {
        while self.below.len() > keep {
            let path = self.here();
            let Some(OpenDirectory { directory, .. }) = self.below.pop() else { break };
            self.finish(&directory, self.locked.dir.options.directory, &path)?;
        }
        Ok(())
    }

    /// Makes a directory, or opens it again if an earlier file made it.
    fn make_directory(&self, name: &str, path: &Path) -> Result<File> {
        match mkdirat(self.top(), name, Mode::RWXU) {
            // It was finished earlier, perhaps with a mode that does not let its owner write.
            Err(Errno::EXIST) => {
                let opened = openat(self.top(), name, DIRECTORY, Mode::empty());
                let directory = File::from(opened.at(Step::Stage, "open", path)?);
                fchmod(&directory, Mode::RWXU).at(Step::Stage, "set the mode of", path)?;
                Ok(directory)
            }
            made => {
                made.at(Step::Stage, "create", path)?;
                new_directory::open_within(self.top(), Path::new(name), Step::Stage, path)
            }
        }
    }

    /// Sets the owner of a file or directory, then its mode, because a change of owner may clear mode bits.
    pub(crate) fn finish(&self, file: &File, wanted: Attributes, path: &Path) -> Result<()> {
        let owner = wanted.owner.beyond(self.born);
        if !owner.is_unset() {
            let (user, group) = owner.raw();
            match fchown(file, user, group) {
                Err(Errno::INVAL) => {
                    return Err(Error::refuse(Step::Stage, "set the owner of", path, Refusal::NotMapped));
                }
                given => given.at(Step::Stage, "set the owner of", path)?,
            }
        }
        fchmod(file, wanted.mode.raw()).at(Step::Stage, "set the mode of", path)?;
        if self.locked.dir.options.durability.syncs_each() {
            fsync(file).at(Step::Barrier, "sync", path)?;
        }
        Ok(())
    }

    /// Returns the directory of the next file.
    fn top(&self) -> &File {
        self.below.last().map_or(self.root(), |open| &open.directory)
    }

    /// Returns the top directory of the staging.
    pub(crate) fn root(&self) -> &File {
        self.root.file()
    }

    /// Checks that the name of the generation in the parent still leads to this directory.
    pub(crate) fn ensure_in_place(&self, step: Step) -> Result<()> {
        let dir = &self.locked.dir;
        match statat(&dir.parent.directory, self.unfinished.name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if (found.st_dev, found.st_ino) == (dir.parent.device, self.inode) => Ok(()),
            Err(errno) if errno != Errno::NOENT => Err(errno).at(step, "inspect", self.unfinished.path()),
            _ => Err(Error::refuse(step, "use", self.unfinished.path(), Refusal::Swapped)),
        }
    }

    /// Empties the staging by its descriptor, because it may have been renamed. Removes it if it is still in place.
    fn remove(&mut self) -> Result<()> {
        // If it can be emptied, it does not matter whether it was closed to others.
        let closed = self.close_again();
        remove_contents::empty(Step::Stage, self.root.file(), &self.unfinished.path())
            .map_err(|error| closed.err().unwrap_or(error))?;
        self.root.release().at(Step::Stage, "unlock", self.unfinished.path())?;
        match self.ensure_in_place(Step::Stage) {
            Err(error) if error.refusal() == Some(&Refusal::Swapped) => {
                self.unfinished.forget(&self.locked.state)
            }
            _ => self.unfinished.discard(&self.locked.state),
        }
    }

    /// Takes back the owner and mode that may be set already, so that nobody can read files that cannot be removed.
    fn close_again(&self) -> Result<()> {
        let path = self.unfinished.path();
        let user = geteuid();
        if self.root().metadata().at(Step::Stage, "inspect", &path)?.uid() != user.as_raw() {
            fchown(self.root(), Some(user), None).at(Step::Stage, "take back", &path)?;
        }
        fchmod(self.root(), Mode::RWXU).at(Step::Stage, "set the mode of", path)
    }

    /// Returns the path of the innermost open directory, for messages.
    fn here(&self) -> PathBuf {
        let below = self.below.iter().map(|open| open.name.as_str());
        std::iter::once(self.unfinished.path()).chain(below.map(PathBuf::from)).collect()
    }
}

/// Removes a staging that was not published, whatever the error was. Leftovers still have their mark.
impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if self.unfinished.is_kept() {
            return;
        }
        self.below.clear();
        if let Err(error) = self.remove() {
            tracing::warn!(step = error.step().number(), %error, "the staging stays until the next run");
            self.locked.leftover = Some(error);
        }
    }
}

/// Returns the owner and group of new files in a new directory.
///
/// Below a set-group-ID parent, the group would be the parent's, while each directory on the way keeps that bit. But
/// the wanted mode removes the bit. So it is removed at once, and all files start with the process's own group.
fn born(root: &File, found: &Metadata, path: &Path) -> Result<Owner> {
    if found.mode() & 0o2000 == 0 {
        return Ok(Owner::of(found));
    }
    fchmod(root, Mode::RWXU).at(Step::Stage, "set the mode of", path)?;
    Ok(Owner { user: Some(found.uid()), group: Some(getegid().as_raw()) })
}
