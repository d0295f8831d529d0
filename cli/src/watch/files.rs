//! Notices changes of local files, by inotify.
//!
//! All watches are set anew after each change, because any component of a path may have been replaced. Nothing depends
//! on them: network filesystems report no changes, and the number of watches is limited. The regular turns come anyway.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use tokio::net::unix::pipe::Receiver;

use super::descriptor;
use super::own_files::Ours;
use super::unreported::Silent;
use super::watch_folders::{Interest, WatchFolders};

const CHANGES: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// The watches of local files.
#[derive(Debug, Default)]
pub(super) struct Files {
    wanted: RefCell<(Vec<PathBuf>, Ours)>,
    watched: RefCell<Option<Watched>>,
    /// The last logged reason why files cannot be watched.
    told: RefCell<Option<String>>,
    /// The last logged message about filesystems that do not report all changes.
    told_silent: RefCell<Option<String>>,
}

/// The watches that are set.
#[derive(Debug)]
struct Watched {
    inotify: Receiver,
    folders: HashMap<i32, (PathBuf, Interest)>,
}

impl Files {
    /// Sets the files and folders to watch from now on.
    pub(super) fn watch(&self, paths: &[PathBuf], ours: Ours) {
        let paths = paths.iter().map(|path| absolute(path)).collect();
        self.wanted.replace((paths, ours));
        self.watched.replace(None);
    }

    /// Sets the watches before anything is read. The next wait then notices every later change. Problems are logged.
    pub(super) fn arm(&self, tell: &dyn Fn(&str)) {
        if let Err(error) = self.set(tell) {
            self.tell(&error, tell);
        }
    }

    /// Waits for a change.
    pub(super) async fn changed(&self, tell: &dyn Fn(&str)) {
        self.arm(tell);
        let Some(watched) = self.watched.take() else { return std::future::pending().await };
        let back = PutBack { files: self, watched: Some(watched) };
        let Some(watched) = &back.watched else { return };
        let mut buffer = [0; 4096];
        loop {
            match descriptor::read(&watched.inotify, &mut buffer).await {
                Ok(length) => {
                    let mut events = Events(buffer.get(..length).unwrap_or_default());
                    if events.any(|event| self.counts(watched, &event)) {
                        break;
                    }
                }
                Err(error) => {
                    self.tell(&error, tell);
                    break;
                }
            }
        }
        back.forget();
    }

    /// Sets the watches, unless they are already set.
    fn set(&self, tell: &dyn Fn(&str)) -> io::Result<()> {
        let mut set = self.watched.borrow_mut();
        let wanted = self.wanted.borrow();
        let (paths, ours) = &*wanted;
        if set.is_some() || paths.is_empty() {
            return Ok(());
        }
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let (mut folders, mut silent) = (HashMap::new(), Silent::default());
        for (folder, interest) in WatchFolders::of(paths, ours).folders {
            silent.look(&folder);
            match inotify::add_watch(&inotify, &folder, CHANGES) {
                Ok(number) => drop(folders.insert(number, (folder, interest))),
                // The folder was removed meanwhile, or this user may not read it.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.tell_silent(silent.message(), tell);
        *set = Some(Watched { inotify: Receiver::from_owned_fd_unchecked(inotify)?, folders });
        Ok(())
    }

    fn counts(&self, watched: &Watched, event: &Event<'_>) -> bool {
        if event.flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            return true;
        }
        let Some((folder, interest)) = watched.folders.get(&event.watch) else { return false };
        let wanted = self.wanted.borrow();
        interest.has(event.name) && !event.name.is_some_and(|name| wanted.1.has(folder, name))
    }

    fn tell_silent(&self, message: Option<String>, tell: &dyn Fn(&str)) {
        let is_new = self.told_silent.borrow().as_ref() != message.as_ref();
        if is_new && let Some(message) = &message {
            tell(message);
        }
        self.told_silent.replace(message);
    }

    fn tell(&self, error: &io::Error, tell: &dyn Fn(&str)) {
        let message = format!("changes of files are found only by the regular runs: {error}");
        if self.told.replace(Some(message.clone())).as_ref() != Some(&message) {
            tell(&message);
        }
    }
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Puts the watches back when the wait is dropped, so that no change meanwhile is lost.
struct PutBack<'f> {
    files: &'f Files,
    watched: Option<Watched>,
}

impl PutBack<'_> {
    /// Drops the watches. The next wait sets new ones.
    fn forget(mut self) {
        self.watched = None;
    }
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        if let Some(watched) = self.watched.take() {
            self.files.watched.replace(Some(watched));
        }
    }
}

/// One event of inotify.
struct Event<'b> {
    watch: i32,
    flags: ReadFlags,
    /// None if the event is about the folder itself.
    name: Option<&'b OsStr>,
}

/// The bytes of one read. Each event has four numbers of four bytes. The last one is the length of the name that
/// follows, which is padded with NUL (`inotify(7)`).
struct Events<'b>(&'b [u8]);

impl<'b> Iterator for Events<'b> {
    type Item = Event<'b>;

    fn next(&mut self) -> Option<Event<'b>> {
        let (watch, rest) = self.0.split_first_chunk()?;
        let (flags, rest) = rest.split_first_chunk()?;
        let (_cookie, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(usize::try_from(u32::from_ne_bytes(*length)).ok()?)?;
        self.0 = rest;
        let name = name.split(|byte| *byte == 0).next().filter(|name| !name.is_empty());
        Some(Event {
            watch: i32::from_ne_bytes(*watch),
            flags: ReadFlags::from_bits_retain(u32::from_ne_bytes(*flags)),
            name: name.map(OsStr::from_bytes),
        })
    }
}
