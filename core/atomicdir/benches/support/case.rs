//! The cases that are measured, and their names.

use std::fmt;

use atomicdir::Durability;

use crate::support::Medium;

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) work: Work,
    pub(crate) files: usize,
    pub(crate) medium: Medium,
}

/// What is done to so many files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// They supersede as many others, which stay.
    Publish(Durability),
    /// They were superseded, and are removed.
    Retire,
}

impl Case {
    /// Returns every case of a medium. What removes files comes last.
    pub(crate) fn all(medium: Medium) -> impl Iterator<Item = Self> {
        let durabilities = [Durability::None, Durability::PerFile, Durability::Filesystem];
        let publishes = durabilities.into_iter().flat_map(move |durability| {
            [10, 100, 1000].map(|files| Self { work: Work::Publish(durability), files, medium })
        });
        publishes.chain([Self { work: Work::Retire, files: 1000, medium }])
    }
}

/// As criterion and its filters name it.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, files, medium } = self;
        match work {
            Work::Publish(durability) => write!(f, "publish/{medium}/{durability:?}/{files}"),
            Work::Retire => write!(f, "retire/{medium}/{files}"),
        }
    }
}
