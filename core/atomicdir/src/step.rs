//! The numbers of the protocol's steps.
//!
//! The README has what each does. A step's number never changes its meaning: people search for it in logs.

use std::fmt;

/// One step of the publish protocol, with the number that the documentation, the errors and the traces share.
///
/// Steps 0 to 8 change nothing that a reader sees. Step 9 is the flip. What fails after it is reported beside the success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Step {
    /// Validate what is to be published, in memory.
    Validate = 0,
    /// Open the directory that holds the link.
    Parent = 1,
    /// Take the lock.
    Lock = 2,
    /// Look at the link.
    Link = 3,
    /// Sweep what a killed run left behind, and retire what is due.
    Heal = 4,
    /// Compare with what is published.
    Compare = 5,
    /// Fill the staging.
    Stage = 6,
    /// Write the note.
    Note = 7,
    /// Make all of it durable.
    Barrier = 8,
    /// Rename the temporary link over the link.
    Flip = 9,
    /// Make the flip durable.
    Settle = 10,
    /// Remove superseded generations.
    Retire = 11,
    /// Read through a snapshot.
    Read = 12,
    /// Touch the stamp beside the link.
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
