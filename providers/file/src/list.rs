//! Lists the files below a root, as they were at one moment.
//!
//! A directory may change while it is read. Then a walk can miss a file that is renamed over another one, although its
//! name existed all the time. A set that is being removed looks like a smaller one. So the tree is walked until two
//! walks in a row have seen the same:
//!
//! - one root behind its path
//! - the same directories in it, with the same times of change
//! - the same names
//!
//! Each walk notes the state of a directory before it reads it. If the second walk notes the same state as the first,
//! the directory did not change between these two moments. This holds for all directories at the moment between the two
//! walks. So all names existed together.
//!
//! The times of change are as fine as the system's clock tick: some milliseconds before Linux 6.13. Within one tick,
//! only the names show a change. On Linux, one call reads a directory, and the kernel lets no process change it during
//! the call.

mod directory_state;
mod entries;
mod walk;

#[cfg(test)]
mod links;
#[cfg(test)]
mod one_run;
#[cfg(test)]
mod stress;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use secretdir_provider::{RunContext, SourceError};

use crate::beneath::Root;
use crate::error::{self, FileFault, Location};
use crate::yield_now::yield_now;
use walk::{Seen, Stop, Walk};

/// The most components of a name that is listed.
pub(crate) const MOST_COMPONENTS: usize = 64;

/// The most files and directories that are listed. So a root that was set by mistake is noticed, not read to its end.
pub(crate) const MOST_ENTRIES: usize = 10_000;

/// The most walks through the tree: two if nothing changes, and one more for each of four changes.
const MOST_WALKS: usize = 6;

/// The result of a listing.
pub(crate) struct Listed {
    /// The names, sorted.
    pub(crate) names: Vec<String>,
    /// The directory that contains them.
    pub(crate) root: Root,
}

/// Lists the names below a root that begin with a prefix.
pub(crate) async fn below(root: &Path, run: &RunContext, prefix: &str) -> Result<Listed, SourceError> {
    let mut before: Option<(Root, Seen)> = None;
    for _ in 0..MOST_WALKS {
        let top = Root::open(root).map_err(|errno| error::of_root(root, errno))?;
        let seen = match Walk::new(root, &top).below(prefix).await {
            Ok(seen) => Some(seen),
            Err(Stop::Changed) => None,
            Err(Stop::Failed(error)) => return Err(error),
        };
        // The first root is held until here. Otherwise another directory could have been given its identity.
        match (before, seen) {
            (Some((first, same)), Some(seen)) if first.is(&top) && same == seen => {
                return complete(root, top, seen, run);
            }
            (_, seen) => before = seen.map(|seen| (top, seen)),
        }
        yield_now().await;
    }
    Err(error::restless(root))
}

/// Returns the names that two walks have seen, unless a broken link may hide some.
fn complete(root: &Path, top: Root, seen: Seen, run: &RunContext) -> Result<Listed, SourceError> {
    if let Some((link, refusal)) = seen.broken_links.first_key_value() {
        return Err(error::of_file(Location::of_directory(root, link), FileFault::Open(*refusal)));
    }
    if let Some(hidden) = told_of_hidden(root, &seen.hidden) {
        run.warn(hidden);
    }
    seen.warnings.into_iter().for_each(|warning| run.warn(warning));
    Ok(Listed { names: seen.names.into_iter().collect(), root: top })
}

/// Describes the names that are left out because they begin with a dot: one of them, and their number.
fn told_of_hidden(root: &Path, hidden: &BTreeSet<String>) -> Option<String> {
    let first = hidden.first()?;
    let (more, verb) = match hidden.len() - 1 {
        0 => (String::new(), "it is"),
        more => (format!(" and {more} more"), "they are"),
    };
    Some(format!(
        "{first:?}{more} below {root:?}: {verb} not listed, for a prefix must spell a dot at the beginning of a name"
    ))
}
