//! The floor: the system calls that the protocol's table names, in its order, and nothing else. All names are made
//! beforehand, and nothing is allocated but the number of the inode that goes on record.
//!
//! Left out is what atomicdir looks at besides: each component of the path, whether a generation that is there lies on its
//! parent's device and is no mount point, whether it is pinned, due or on record, whether what was just made is empty, and
//! whether the last flip was made durable.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use atomicdir::Durability;
use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, RawDir, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fchmod,
    flock, fremovexattr, fstat, fsync, futimens, mkdirat, openat, readlinkat_raw, renameat, statat,
    symlinkat, syncfs, unlinkat, utimensat,
};
use rustix::io::{Result, write};

use crate::support::place::{Files, NOTE, Place};

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const LOCK: OFlags = OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

const FILE: Mode = Mode::RUSR;
const NEW_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

const NOW: Timestamps = Timestamps {
    last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
    last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
};

/// How much of a directory is listed at a time, in bytes.
const LISTED: usize = 8192;

/// What is named in a place.
pub(crate) struct Bare {
    parent: CString,
    link: CString,
    state: CString,
    /// The generation that the link names.
    current: Names,
    /// The generation that the link is to name.
    next: Names,
}

/// The names of one generation.
struct Names {
    generation: CString,
    mark: CString,
    /// In the state directory.
    note: CString,
    record: CString,
}

impl Names {
    fn new(id: &str) -> Self {
        let name = |kind: &str| CString::new(format!("{kind}-{id}")).unwrap();
        Self {
            generation: name(".app.gen"),
            mark: name(".app.tmp"),
            note: name("note"),
            record: name("made"),
        }
    }
}

impl Bare {
    pub(crate) fn new(place: &Place<'_>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = format!("{:016}", NEXT.fetch_add(1, Ordering::Relaxed));
        Self {
            parent: CString::new(place.folder().as_os_str().as_bytes()).unwrap(),
            link: c"app".into(),
            state: c".app.state".into(),
            current: Names::new(&place.current()),
            next: Names::new(&next),
        }
    }

    /// Publishes the files, each call as the table has it.
    pub(crate) fn publish(&self, files: &Files, durability: Durability) -> Result<()> {
        let parent = openat(CWD, &self.parent, DIRECTORY, Mode::empty())?;
        fstat(&parent)?;
        let state = openat(&parent, &self.state, DIRECTORY, Mode::empty())?;
        fstat(&state)?;
        let lock = lock(&state)?;
        self.look_at_link(&parent)?;
        for directory in [&parent, &state] {
            list(&openat(directory, c".", DIRECTORY, Mode::empty())?, |_| Ok(()))?;
        }
        self.stage(&parent, &state, files, durability)?;
        create(&state, &self.next.note, NOTE, NEW_FILE, durability)?;
        match durability {
            Durability::None => {}
            Durability::PerFile => {
                fsync(&state)?;
                fsync(&parent)?;
            }
            _ => syncfs(&parent)?,
        }
        self.flip(&parent, &lock)?;
        if durability != Durability::None {
            fsync(&parent)?;
        }
        futimens(&lock, &NOW)
    }

    fn look_at_link(&self, parent: &OwnedFd) -> Result<()> {
        let mut target = [MaybeUninit::<u8>::uninit(); 256];
        readlinkat_raw(parent, &self.link, &mut target)?;
        statat(parent, &self.link, AtFlags::SYMLINK_NOFOLLOW).map(drop)
    }

    fn stage(&self, parent: &OwnedFd, state: &OwnedFd, files: &Files, durability: Durability) -> Result<()> {
        symlinkat(&self.next.generation, parent, &self.next.mark)?;
        mkdirat(parent, &self.next.generation, Mode::RWXU)?;
        let generation = openat(parent, &self.next.generation, DIRECTORY, Mode::empty())?;
        let record = decimal(fstat(&generation)?.st_ino);
        for list in [c"system.posix_acl_default", c"system.posix_acl_access"] {
            // Where there is none, as here, that is an error.
            let _ = fremovexattr(&generation, list);
        }
        symlinkat(record.as_c_str(), state, &self.next.record)?;
        sync_each(state, durability)?;
        for name in &files.raw_names {
            create(&generation, name, &files.bytes, FILE, durability)?;
        }
        futimens(&generation, &NOW)?;
        fchmod(&generation, Mode::RWXU)?;
        sync_each(&generation, durability)
    }

    fn flip(&self, parent: &OwnedFd, lock: &OwnedFd) -> Result<()> {
        fstat(lock)?;
        self.look_at_place(parent)?;
        self.look_at_link(parent)?;
        utimensat(parent, &self.current.generation, &NOW, AtFlags::SYMLINK_NOFOLLOW)?;
        renameat(parent, &self.next.mark, parent, &self.link)?;
        self.look_at_place(parent)
    }

    fn look_at_place(&self, parent: &OwnedFd) -> Result<()> {
        statat(CWD, &self.parent, AtFlags::empty())?;
        statat(parent, &self.next.generation, AtFlags::SYMLINK_NOFOLLOW).map(drop)
    }
}

fn lock(state: &OwnedFd) -> Result<OwnedFd> {
    let lock = openat(state, c"lock", LOCK, Mode::empty())?;
    fstat(&lock)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(lock)
}

/// Writes a number: the one allocation.
fn decimal(number: u64) -> CString {
    CString::new(number.to_string()).unwrap()
}

fn create(above: &OwnedFd, name: &CStr, bytes: &[u8], mode: Mode, durability: Durability) -> Result<()> {
    let file = openat(above, name, CREATE, NEW_FILE)?;
    assert_eq!(write(&file, bytes)?, bytes.len(), "one call writes all of a small file");
    fchmod(&file, mode)?;
    sync_each(&file, durability)
}

fn sync_each(file: &OwnedFd, durability: Durability) -> Result<()> {
    if durability == Durability::PerFile { fsync(file) } else { Ok(()) }
}

/// Lists a directory to its end.
fn list(directory: &OwnedFd, mut each: impl FnMut(&CStr) -> Result<()>) -> Result<()> {
    let mut buffer = [MaybeUninit::uninit(); LISTED];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            each(name)?;
        }
    }
    Ok(())
}

/// Removes one generation of a folder, all of whose files are in its root, with its note and its record.
pub(crate) fn remove(folder: &Path, id: &str) -> impl FnOnce() -> Result<()> {
    let parent = CString::new(folder.as_os_str().as_bytes()).unwrap();
    let Names { generation, note, record, .. } = Names::new(id);
    move || {
        let parent = openat(CWD, &parent, DIRECTORY, Mode::empty())?;
        let state = openat(&parent, c".app.state", DIRECTORY, Mode::empty())?;
        let directory = openat(&parent, &generation, DIRECTORY, Mode::empty())?;
        list(&directory, |name| unlinkat(&directory, name, AtFlags::empty()))?;
        unlinkat(&parent, &generation, AtFlags::REMOVEDIR)?;
        unlinkat(&state, &note, AtFlags::empty())?;
        unlinkat(&state, &record, AtFlags::empty())
    }
}
