//! What a run leaves on the disk, call by call.

use std::path::PathBuf;

use super::disk::{Disk, Written};

/// When the filesystem commits its metadata of its own accord, as it may at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commits {
    Never,
    /// The worst that it may do: the flip is on disk at once, and data that nobody has synced is not.
    AfterTheFlip,
    AfterEveryCall,
}

impl Commits {
    pub(crate) const ALL: [Self; 3] = [Self::Never, Self::AfterTheFlip, Self::AfterEveryCall];

    fn follow(self, call: &str) -> bool {
        match self {
            Self::Never => false,
            Self::AfterTheFlip => call.starts_with("rename"),
            Self::AfterEveryCall => !only_looks(call),
        }
    }
}

/// A disk as a power cut would leave it.
#[derive(Debug)]
pub(crate) struct Cut {
    /// The calls after which it is like this.
    pub(crate) after: Vec<String>,
    pub(crate) image: PathBuf,
    /// The last of those calls, as an index.
    last: usize,
    written: Written,
}

/// The calls of a run that is going on, and a cut after each.
pub(crate) struct History<'d> {
    disk: &'d Disk,
    live: PathBuf,
    commits: Commits,
    calls: Vec<String>,
    cuts: Vec<Cut>,
}

impl<'d> History<'d> {
    /// Begins a run on the disk whose mounted image this is.
    pub(crate) fn begin(disk: &'d Disk, live: PathBuf, commits: Commits) -> Self {
        Self { disk, live, commits, calls: Vec::new(), cuts: Vec::new() }
    }

    /// Cuts the power after a call.
    pub(crate) fn record(&mut self, call: &str) {
        self.calls.push(call.to_owned());
        self.cut(call.to_owned());
        if self.commits.follow(call) {
            self.disk.commit();
            self.cut(format!("{call}, and a commit"));
        }
    }

    fn cut(&mut self, after: String) {
        let last = self.calls.len() - 1;
        match self.cuts.last_mut() {
            // A disk that nothing has been written to is the same disk.
            Some(cut) if cut.written == self.disk.written() => {
                cut.after.push(after);
                cut.last = last;
            }
            _ => {
                let image = self.disk.image(&format!("cut-{}", self.cuts.len()));
                let written = self.disk.copy(&self.live, &image);
                self.cuts.push(Cut { after: vec![after], image, last, written });
            }
        }
    }

    /// Ends the run, and unmounts its disk.
    pub(crate) fn end(self) -> Recorded {
        self.disk.unmount();
        Recorded { calls: self.calls, cuts: self.cuts }
    }
}

/// Says that a call leaves nothing to commit. The power is cut after it all the same.
fn only_looks(call: &str) -> bool {
    const LOOKS: &[&str] =
        &["close", "fcntl", "fstat", "getdents64", "getegid", "geteuid", "newfstatat", "readlinkat", "statx"];
    match call.split_once('(') {
        Some(("openat", arguments)) => !arguments.contains("O_CREAT"),
        Some((name, _)) => LOOKS.contains(&name),
        None => false,
    }
}

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) calls: Vec<String>,
    pub(crate) cuts: Vec<Cut>,
}

impl Recorded {
    /// Says whether the last sync of the run (step 10) came before a cut: then the new set must be there.
    pub(crate) fn is_settled_at(&self, cut: &Cut) -> bool {
        let settled = self.calls.iter().rposition(|call| call.starts_with("fsync"));
        settled.is_some_and(|settled| cut.last >= settled)
    }

    /// Says whether the temporary link, which cannot be synced by itself, was there when the set was first synced, and
    /// the set was synced before the flip.
    pub(crate) fn syncs_the_link(&self) -> bool {
        let flip = self.calls.iter().position(|call| call.starts_with("rename"));
        let before = self.calls.get(..flip.unwrap_or_default()).unwrap_or_default();
        let made = before.iter().rposition(|call| call.starts_with("symlinkat"));
        let written = before.iter().position(|call| call.starts_with("write"));
        let is_sync = |call: &String| call.starts_with("syncfs") || call.starts_with("fsync");
        let synced = before.iter().enumerate().position(|(at, call)| Some(at) > written && is_sync(call));
        made.is_some() && written.is_some() && made < synced
    }
}
