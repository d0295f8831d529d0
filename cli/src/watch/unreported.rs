//! Recognises filesystems where inotify reports only changes of this machine. The kernel does not know about the
//! changes of other machines.

use std::path::{Path, PathBuf};

/// Each filesystem with its number in `statfs(2)`. The numbers are from `linux/magic.h`, and from the sources of
/// filesystems outside Linux.
const SILENT: [(u32, &str); 15] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0xFF53_4D42, "SMB"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x786F_4256, "vboxsf"),
];

/// The watched folders on such a filesystem, without the folders below them.
#[derive(Debug, Default)]
pub(super) struct Silent(Vec<(PathBuf, &'static str)>);

impl Silent {
    /// Checks the filesystem of a folder. Call it for parents first.
    pub(super) fn look(&mut self, folder: &Path) {
        let is_known = self.0.iter().any(|(known, _)| folder.starts_with(known));
        if let Some(name) = (!is_known).then(|| filesystem(folder)).flatten() {
            self.0.push((folder.to_owned(), name));
        }
    }

    /// Returns the message about these folders.
    pub(super) fn message(&self) -> Option<String> {
        let folders = self.0.iter().map(|(folder, name)| format!("`{}` ({name})", folder.display()));
        let folders: Vec<_> = folders.collect();
        let message = || format!("changes in {} are found only by the regular runs", folders.join(" and "));
        (!folders.is_empty()).then(message)
    }
}

/// Returns the name of a folder's filesystem, if it is one of these.
fn filesystem(folder: &Path) -> Option<&'static str> {
    named(rustix::fs::statfs(folder).ok()?.f_type as u64)
}

/// Compares 32 bits, because on some machines the number has no more and may be negative.
fn named(number: u64) -> Option<&'static str> {
    let found = SILENT.iter().find(|(silent, _)| u64::from(*silent) == number & 0xFFFF_FFFF);
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filesystems_of_the_network_and_of_programs_are_silent_and_local_ones_are_not() {
        for (number, name) in [
            (0x6969, Some("NFS")),
            (0xFF53_4D42, Some("SMB")),
            // As on a machine with 32 bits.
            (0xFFFF_FFFF_FF53_4D42, Some("SMB")),
            (0x6573_5546, Some("FUSE")),
            (0x0102_1997, Some("9p")),
            // tmpfs, whose number is near that of 9p; ext4, xfs, btrfs, overlayfs, ramfs, zfs
            (0x0102_1994, None),
            (0xEF53, None),
            (0x5846_5342, None),
            (0x9123_683E, None),
            (0x794C_7630, None),
            (0x8584_58F6, None),
            (0x2FC1_2FC1, None),
        ] {
            assert_eq!(named(number), name, "{number:#x}");
        }
    }

    #[test]
    fn one_folder_stands_for_all_below_it() {
        let found = |paths: &[(&str, &'static str)]| {
            Silent(paths.iter().map(|(path, name)| (PathBuf::from(path), *name)).collect())
        };
        assert_eq!(Silent::default().message(), None);
        let mut silent = found(&[("/srv/a", "NFS"), ("/srv/b", "FUSE")]);
        let message = "changes in `/srv/a` (NFS) and `/srv/b` (FUSE) are found only by the regular runs";
        assert_eq!(silent.message().as_deref(), Some(message));
        silent.look(Path::new("/srv/a/below"));
        silent.look(&std::env::temp_dir());
        assert_eq!(silent.message().as_deref(), Some(message));
    }
}
