//! What files are kept on, and whatever else a number should not be quoted without.

use std::fmt;
use std::path::Path;

/// What files are kept on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    Tmpfs,
    Disk,
}

impl Medium {
    pub(crate) const ALL: [Self; 2] = [Self::Tmpfs, Self::Disk];

    pub(crate) fn folder(self) -> &'static Path {
        match self {
            Self::Tmpfs => Path::new("/dev/shm"),
            Self::Disk => Path::new(env!("CARGO_TARGET_TMPDIR")),
        }
    }

    /// Returns the name of its filesystem, or the number of one that is rarely met (statfs(2)).
    fn filesystem(self) -> String {
        match rustix::fs::statfs(self.folder()).unwrap().f_type {
            0x0102_1994 => "tmpfs".to_owned(),
            0xEF53 => "ext4".to_owned(),
            0x5846_5342 => "xfs".to_owned(),
            0x9123_683E => "btrfs".to_owned(),
            0x794C_7630 => "overlayfs".to_owned(),
            other => format!("filesystem {other:#x}"),
        }
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tmpfs => "tmpfs",
            Self::Disk => "disk",
        })
    }
}

/// Returns the conditions of all measurements, as one line.
pub(crate) fn conditions() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let cpus = std::thread::available_parallelism().unwrap();
    let (tmpfs, disk) = (Medium::Tmpfs.filesystem(), Medium::Disk.filesystem());
    format!("Linux {}, {cpus} CPUs; `tmpfs` is {tmpfs}, `disk` is {disk}", kernel.trim())
}
