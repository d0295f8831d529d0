//! Step 6: a new directory being filled, which nobody can see yet.
//!
//! Everything is made with the least that it may need, and given its owner and mode only once it is complete: a directory
//! is 0700 and a file 0600 until then, so that nobody reads half a secret, whatever the umask. Everything is made and opened
//! relative to an open descriptor, through no link.
//!
//! The order on disk is: the temporary link, which marks the ID as unfinished; the directory; its record; its files. So a
//! kill at any moment leaves only what bears a mark, and only a directory on record is ever emptied.
//!
//! Files come in the order of their names: one descriptor for each level is open at a time, and each directory is finished
//! once.

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
    Attributes, Error, FileName, Locked, NewFile, Owner, Refusal, Result, Step, emptying, made, platform,
};

/// Every file is born so: new, never through a link, closed to everyone else until it is complete.
pub(crate) const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A look that needs no permission on the file itself.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The mode that files are made with.
const BORN: Mode = Mode::RUSR.union(Mode::WUSR);

/// A new directory being filled. Dropping it removes it; [`publish`](Self::publish) makes it current.
///
/// Removing can fail, on a disk with errors for example. Then files stay on disk that nobody reads and that only their
/// owner may: [`Locked::take_leftover`] says why, and every later run tries again.
#[derive(Debug)]
#[must_use = "a staging that is dropped is removed"]
pub struct Staging<'l> {
    pub(crate) locked: &'l mut Locked,
    /// Pinned by its own run: should somebody remove the lock and start another, that one's healing keeps off.
    root: Flock,
    inode: u64,
    pub(crate) unfinished: Unfinished,
    /// The directories on the way to the file written last, outermost first.
    below: Vec<OpenDirectory>,
    /// Whom new files belong to before anything is given away: an owner who has a file anyway is not set again.
    born: Owner,
    /// The first file that could not be written: without it the set is not complete.
    failed: Option<PathBuf>,
}

/// A directory on the way to the file written last.
#[derive(Debug)]
struct OpenDirectory {
    name: String,
    directory: File,
}

impl Locked {
    /// Makes a new, empty staging (step 6). One at a time: it borrows the lock until it is published or dropped.
    ///
    /// # Errors
    ///
    /// What kept it from being made; nothing of it is left then.
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

    /// Makes the directory, and puts it on record before anything is written into it: only what is on record is emptied.
    fn make_root(&self, unfinished: &Unfinished) -> Result<(Flock, u64, Owner)> {
        let (name, path) = (unfinished.name(), unfinished.path());
        let parent = &self.dir.parent;
        mkdirat(&parent.directory, &name, Mode::RWXU).at(Step::Stage, "create", &path)?;
        let root = made::open(&parent.directory, Path::new(&name), parent.device, Step::Stage, &path)?;
        let found = root.metadata().at(Step::Stage, "inspect", &path)?;
        self.state.record(&self.dir, Step::Stage, &unfinished.id, found.ino())?;
        let born = born(&root, &found, &path)?;
        let root = Flock::shared(root).at(Step::Stage, "lock", &path)?.ok_or_else(|| self.dir.busy())?;
        Ok((root, found.ino(), born))
    }
}

impl Staging<'_> {
    /// Writes one file, with the directories on its way. Its attributes are what is asked for, whatever the umask.
    ///
    /// Costs least when files come in the order of their names: a directory is finished when the next file is not in
    /// it, and opened again if one comes later.
    ///
    /// # Errors
    ///
    /// A name that is reserved or taken, and whatever the system says. The staging cannot be published then.
    pub fn write(&mut self, name: &FileName, file: NewFile<'_>) -> Result<()> {
        let path = self.unfinished.path().join(name.as_str());
        let written = self.write_file(name, file, &path);
        if written.is_err() {
            self.failed.get_or_insert(path);
        }
        written
    }

    /// Says what a file is that has been written: its inode, and the time of its last change, which nobody can set.
    ///
    /// # Errors
    ///
    /// It has not been written, or whatever the system says.
    pub fn metadata(&self, name: &FileName) -> Result<Metadata> {
        let path = self.unfinished.path().join(name.as_str());
        let opened = openat(self.root(), name.as_str(), LOOK, Mode::empty());
        File::from(opened.at(Step::Stage, "open", &path)?).metadata().at(Step::Stage, "inspect", path)
    }

    /// Gives every directory its owner and mode, for a look at the set before it is published, and returns the path of the set. Nothing
    /// can see it by the link yet, and it stays in place for as long as this staging does.
    ///
    /// A file that is written after this opens its directories again.
    ///
    /// # Errors
    ///
    /// A file that could not be written, and whatever the system says.
    pub fn complete(&mut self) -> Result<PathBuf> {
        self.ensure_complete()?;
        self.leave(0)?;
        let path = self.unfinished.path();
        self.finish(self.root(), self.locked.dir.options.directory, &path)?;
        Ok(path)
    }

    /// Ensures that every file could be written: whoever goes on after an error must not publish the rest.
    pub(crate) fn ensure_complete(&self) -> Result<()> {
        match &self.failed {
            Some(path) => Err(Error::refuse(Step::Stage, "publish without", path, Refusal::Incomplete)),
            None => Ok(()),
        }
    }

    /// Makes one file: new, through no link, with its attributes after its bytes, and closed with a look at what the
    /// filesystem has to say last. NFS reports a full disk only there.
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

    /// Finishes the directories that the next file is not in, and makes those that it is in. What both files are in stays
    /// open.
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

    /// Makes a directory, or opens the one that an earlier file of the same staging is in.
    fn make_directory(&self, name: &str, path: &Path) -> Result<File> {
        match mkdirat(self.top(), name, Mode::RWXU) {
            // Finished earlier, perhaps with a mode that keeps its own owner from writing.
            Err(Errno::EXIST) => {
                let opened = openat(self.top(), name, DIRECTORY, Mode::empty());
                let directory = File::from(opened.at(Step::Stage, "open", path)?);
                fchmod(&directory, Mode::RWXU).at(Step::Stage, "set the mode of", path)?;
                Ok(directory)
            }
            made => {
                made.at(Step::Stage, "create", path)?;
                made::open_within(self.top(), Path::new(name), Step::Stage, path)
            }
        }
    }

    /// Gives a file or directory its owner, then its mode, since a change of owner may take bits away.
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

    /// Returns the directory that the next file is made in.
    fn top(&self) -> &File {
        self.below.last().map_or(self.root(), |open| &open.directory)
    }

    /// Returns the directory of the whole staging.
    pub(crate) fn root(&self) -> &File {
        self.root.file()
    }

    /// Ensures that the parent has this directory, and no other, under the name of the generation.
    pub(crate) fn ensure_in_place(&self, step: Step) -> Result<()> {
        let dir = &self.locked.dir;
        match statat(&dir.parent.directory, self.unfinished.name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if (found.st_dev, found.st_ino) == (dir.parent.device, self.inode) => Ok(()),
            Err(errno) if errno != Errno::NOENT => Err(errno).at(step, "inspect", self.unfinished.path()),
            _ => Err(Error::refuse(step, "use", self.unfinished.path(), Refusal::Swapped)),
        }
    }

    /// Empties what was staged by its descriptor, as it may have been renamed, and removes it if it is still in place.
    fn remove(&mut self) -> Result<()> {
        // What can be emptied need not be closed.
        let closed = self.close_again();
        emptying::empty(Step::Stage, self.root.file(), &self.unfinished.path())
            .map_err(|error| closed.err().unwrap_or(error))?;
        self.root.release().at(Step::Stage, "unlock", self.unfinished.path())?;
        match self.ensure_in_place(Step::Stage) {
            Err(error) if error.refusal() == Some(&Refusal::Swapped) => {
                self.unfinished.forget(&self.locked.state)
            }
            _ => self.unfinished.discard(&self.locked.state),
        }
    }

    /// Takes back what the last steps may have given away already, so that nobody else can read what cannot be removed.
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

/// Nothing of a staging that is not published stays, whatever went wrong. What cannot be removed bears its mark still.
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

/// Returns whom whatever is made in a new directory belongs to.
///
/// Below a set-group-ID parent that would be the parent's group, but only for as long as each directory on the way keeps
/// that bit, which its own mode takes away: so it goes at once, and everything begins with the runner's own group.
fn born(root: &File, found: &Metadata, path: &Path) -> Result<Owner> {
    if found.mode() & 0o2000 == 0 {
        return Ok(Owner::of(found));
    }
    fchmod(root, Mode::RWXU).at(Step::Stage, "set the mode of", path)?;
    Ok(Owner { user: Some(found.uid()), group: Some(getegid().as_raw()) })
}
