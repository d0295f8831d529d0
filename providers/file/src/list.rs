//! Lists the files below a root, as they were at one moment.
//!
//! A directory may change while it is read. Then a file that is renamed over another one can be missed, though its name was
//! there all the time, and a set that is being removed looks like a smaller one. So the tree is walked until two walks in a
//! row have seen the same: one root behind its path, the same directories with the same times of change in it, and the same
//! names. Each walk looks at a directory before it reads it. What is as the first walk looked at it when the second one does,
//! was so at the moment between the two; all of it was there together.
//!
//! The system notes changes as finely as its clock ticks: before Linux 6.13 that is some milliseconds. Within one tick the names
//! alone tell, and on Linux a directory is read by one call, while which the kernel lets nobody change it.

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
use crate::turn::let_others_run;
use walk::{Seen, Stop, Walk};

/// How many components a name may have that is listed.
pub(crate) const MOST_COMPONENTS: usize = 64;

/// How many files and directories are listed: a root that was set by mistake is noticed rather than read to the end.
pub(crate) const MOST_ENTRIES: usize = 10_000;

/// How often the tree is walked: twice if it rests, and then once more for each of four changes.
const MOST_WALKS: usize = 6;

/// What was listed.
pub(crate) struct Listed {
    /// In their order.
    pub(crate) names: Vec<String>,
    /// The directory that they are below.
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
        // The first root is held until here, or another one could have been given its identity.
        match (before, seen) {
            (Some((first, same)), Some(seen)) if first.is(&top) && same == seen => {
                return complete(root, top, seen, run);
            }
            (_, seen) => before = seen.map(|seen| (top, seen)),
        }
        let_others_run().await;
    }
    Err(error::restless(root))
}

/// Takes what two walks have seen for the whole, unless a link kept them from seeing what it names.
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

/// Names what is left out because it begins with a dot: one of them, and how many there are.
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
