//! The numbers of the protocol's steps.
//!
//! The README describes each step. The number of a step never changes its meaning, because people search logs for it.

use std::fmt;

/// One step of the publish protocol. Documentation, errors and traces use the same number.
///
/// Steps 0 to 8 change nothing that a reader sees. Step 9 is the flip. Later failures are reported together with the
/// success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Step {
    /// Validate the set in memory.
    Validate = 0,
    /// Open the directory that holds the link.
    Parent = 1,
    /// Take the lock.
    Lock = 2,
    /// Read the link.
    Link = 3,
    /// Remove the leftovers of killed runs, and retire generations that are due.
    Heal = 4,
    /// Compare with the published set.
    Compare = 5,
    /// Fill the staging.
    Stage = 6,
    /// Write the note.
    Note = 7,
    /// Make the set durable.
    Barrier = 8,
    /// Rename the temporary link over the link.
    Flip = 9,
    /// Make the flip durable.
    Settle = 10,
    /// Remove superseded generations.
    Retire = 11,
    /// Read the status or a snapshot.
    Read = 12,
    /// Touch the stamp beside the link, or check that the link is still in place.
    Announce = 13,
}

impl Step {
    /// Returns the step's number, from 0 to 13.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Validate => "validate",
            Self::Parent => "open the parent",
            Self::Lock => "lock",
            Self::Link => "look at the link",
            Self::Heal => "heal",
            Self::Compare => "compare",
            Self::Stage => "stage",
            Self::Note => "note",
            Self::Barrier => "make durable",
            Self::Flip => "flip",
            Self::Settle => "make the flip durable",
            Self::Retire => "retire",
            Self::Read => "read",
            Self::Announce => "announce",
        };
        write!(f, "step {}, {name}", self.number())
    }
}
