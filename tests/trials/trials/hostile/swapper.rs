//! Somebody who can write to the folder, and replaces what is in it for as long as he is let.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use secretdir_testkit::OTHER_USER;

use super::plant::Plant;
use super::tree::{AWAY, is_ours};

const PLANTS: [Plant; 6] =
    [Plant::Link, Plant::LinkToFile, Plant::File, Plant::Fifo, Plant::Directory, Plant::Bare];

/// How many things he swaps before he puts everything back, so that there is something to swap again.
const SPREE: u32 = 3;

pub(super) struct Swapper {
    pub(super) parent: PathBuf,
    pub(super) precious: PathBuf,
}

impl Swapper {
    /// Makes this thread the stranger's, and swaps until it is told to end. Returns how often something was swapped.
    ///
    /// On Linux, each thread has its own user.
    pub(super) fn live(&self, ended: &AtomicBool) -> usize {
        become_stranger();
        let mut random = TestRng::from_seed(RngAlgorithm::XorShift, &[7; 16]);
        let mut swaps = 0;
        while !ended.load(Ordering::Relaxed) {
            for _ in 0..SPREE {
                // Whatever he goes for may be gone before he gets there.
                swaps += usize::from(self.swap(&mut random).is_ok());
            }
            self.put_back();
        }
        self.put_back();
        swaps
    }

    fn swap(&self, random: &mut TestRng) -> io::Result<()> {
        let names = self.names();
        let mut pick = |count: usize| random.next_u32() as usize % count.max(1);
        let name = names.get(pick(names.len())).ok_or(io::ErrorKind::NotFound)?;
        let path = self.parent.join(name);
        match pick(8) {
            0 => fs::remove_file(&path),
            1 => fs::rename(&path, self.parent.join(names.get(pick(names.len())).unwrap_or(name))),
            _ => {
                fs::rename(&path, self.away(name))?;
                PLANTS.get(pick(PLANTS.len())).map_or(Ok(()), |plant| plant.put(&path, &self.precious))
            }
        }
    }

    fn away(&self, name: &str) -> PathBuf {
        self.parent.join(format!("{AWAY}{name}"))
    }

    /// Returns our names in the folder, as they are now.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.parent).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| is_ours(name) && !name.starts_with(AWAY)).collect()
    }

    /// Removes what is his, and moves what is not his back to where it was.
    fn put_back(&self) {
        for name in self.names() {
            let path = self.parent.join(&name);
            if fs::symlink_metadata(&path).is_ok_and(|found| found.uid() == OTHER_USER) {
                drop(remove(&path));
            }
        }
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(before) = name.strip_prefix(AWAY) {
                let path = self.parent.join(before);
                if path.symlink_metadata().is_ok() || fs::rename(entry.path(), path).is_err() {
                    drop(remove(&entry.path()));
                }
            }
        }
    }
}

/// Removes something, as far as this user may.
fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Gives this thread, and it alone, to the stranger.
pub(super) fn become_stranger() {
    let (user, group) = (Uid::from_raw(OTHER_USER), Gid::from_raw(OTHER_USER));
    set_thread_groups(&[]).unwrap();
    set_thread_res_gid(group, group, group).unwrap();
    set_thread_res_uid(user, user, user).unwrap();
}
