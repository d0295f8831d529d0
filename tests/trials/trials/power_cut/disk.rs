//! A filesystem in an image, mounted, and what is on its disk at a moment.
//!
//! The image is what a power cut leaves: whatever the kernel has not written to it yet is missing from a copy. The disk
//! itself loses nothing that was written to it, so a drive that lies about its cache is not part of this.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{SeekFrom, seek};
use secretdir_testkit::Ran;

/// A filesystem with a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filesystem {
    Ext4,
    Xfs,
    Btrfs,
}

impl Filesystem {
    pub(crate) const ALL: [Self; 3] = [Self::Ext4, Self::Xfs, Self::Btrfs];

    fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }

    /// Returns about the least that its mkfs takes.
    fn size(self) -> u64 {
        match self {
            Self::Ext4 => 16 << 20,
            Self::Xfs => 300 << 20,
            Self::Btrfs => 112 << 20,
        }
    }

    /// Keeps the filesystem's timer from committing where a history says that it does not. That of XFS cannot be set for
    /// one mount: it is 30 seconds, which is longer than a run takes.
    fn mount_options(self) -> &'static str {
        match self {
            Self::Ext4 | Self::Btrfs => "loop,commit=300",
            Self::Xfs => "loop",
        }
    }
}

/// What has been done to a disk: writes and discards, and of how many sectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written([u64; 4]);

/// One filesystem, in images of which only one is mounted at a time: btrfs takes copies of one filesystem for the same.
pub(crate) struct Disk {
    pub(crate) filesystem: Filesystem,
    folder: PathBuf,
}

impl Disk {
    /// Makes an empty filesystem.
    pub(crate) fn format(filesystem: Filesystem, folder: &Path) -> Self {
        let disk = Self { filesystem, folder: folder.join(filesystem.name()) };
        fs::create_dir_all(disk.root()).unwrap();
        let image = disk.image("formatting");
        File::create(&image).unwrap().set_len(filesystem.size()).unwrap();
        run(Command::new(format!("mkfs.{}", filesystem.name())).arg("-q").arg(&image));
        // Without the zeros that mkfs.xfs has written.
        copy_data(&image, &disk.image("formatted"));
        fs::remove_file(image).unwrap();
        disk
    }

    /// Returns the path of an image.
    pub(crate) fn image(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the directory that images are mounted at.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("mounted")
    }

    /// Makes an image of the empty filesystem, and mounts it.
    pub(crate) fn mount_new(&self) -> PathBuf {
        let live = self.image("live");
        copy_data(&self.image("formatted"), &live);
        self.mount(&live);
        live
    }

    /// Unmounts the image that is mounted, so that all of it is on disk, and mounts it again.
    pub(crate) fn remount(&self, image: &Path) {
        self.unmount();
        self.mount(image);
    }

    /// Mounts an image, which replays its journal.
    #[track_caller]
    pub(crate) fn mount(&self, image: &Path) {
        let mut command = Command::new("mount");
        command.args(["-t", self.filesystem.name(), "-o", self.filesystem.mount_options()]);
        run(command.arg(image).arg(self.root()));
    }

    #[track_caller]
    pub(crate) fn unmount(&self) {
        run(Command::new("umount").arg(self.root()));
    }

    /// Does at once what the filesystem's timer does sooner or later: commits whatever metadata has changed, and no data.
    ///
    /// On ext4 and XFS syncing any changed file commits the whole journal. btrfs has a log for what is synced, and
    /// commits as a whole for a new label.
    pub(crate) fn commit(&self) {
        match self.filesystem {
            Filesystem::Ext4 | Filesystem::Xfs => {
                let file = File::create(self.root().join("unrelated")).unwrap();
                file.write_all_at(b"x", 0).unwrap();
                file.sync_all().unwrap();
            }
            Filesystem::Btrfs => {
                run(Command::new("btrfs").args(["filesystem", "label"]).arg(self.root()).arg("unrelated"));
            }
        }
    }

    /// Copies what is on the disk at this moment. A copy during which anything was written shows no moment at all, and
    /// is made again.
    pub(crate) fn copy(&self, live: &Path, copy: &Path) -> Written {
        for _ in 0..1000 {
            let before = self.written();
            copy_data(live, copy);
            if self.written() == before {
                return before;
            }
        }
        panic!("{:?} never stops writing", self.filesystem)
    }

    /// Says what has been written to the disk since it was mounted.
    pub(crate) fn written(&self) -> Written {
        let device = self.device();
        let numbers = fs::read_to_string(format!("/sys/block/{device}/stat")).unwrap();
        let number = |index| numbers.split_whitespace().nth(index).unwrap().parse().unwrap();
        // As the kernel's documentation of this file counts them.
        Written([4, 6, 11, 13].map(number))
    }

    /// Returns the name of the loop device that is mounted.
    fn device(&self) -> String {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let root = self.root();
        let device = mounts.lines().find_map(|mount| match mount.split(' ').collect::<Vec<_>>()[..] {
            [device, at, ..] if Path::new(at) == root => device.strip_prefix("/dev/"),
            _ => None,
        });
        device.unwrap_or_else(|| panic!("not mounted: {mounts}")).to_owned()
    }
}

#[track_caller]
fn run(command: &mut Command) {
    Ran::of(command).expect_exit(0);
}

/// Copies a file without its holes, and without zeros.
fn copy_data(from: &Path, to: &Path) {
    const BLOCK: usize = 4096;
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    let (source, copy) = (File::open(from).unwrap(), File::create(to).unwrap());
    copy.set_len(source.metadata().unwrap().len()).unwrap();
    let mut block = ZEROS;
    let mut end = 0;
    while let Ok(start) = seek(&source, SeekFrom::Data(end)) {
        end = seek(&source, SeekFrom::Hole(start)).unwrap();
        for at in (start..end).step_by(BLOCK) {
            let length = source.read_at(&mut block, at).unwrap();
            let data = block.get(..length).unwrap();
            if !ZEROS.starts_with(data) {
                copy.write_all_at(data, at).unwrap();
            }
        }
    }
}
