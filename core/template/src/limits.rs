//! How large a template and its result may be, and how long either may take.

use std::time::Duration;

/// The most bytes of a template.
pub const LARGEST_TEMPLATE: usize = 1 << 20;

/// How long reading or rendering may take, or less if the run has less time. On a machine that is not busy it takes less than
/// a second.
pub const LONGEST: Duration = Duration::from_secs(10);

/// The most bytes of a result.
pub(super) const LARGEST_RESULT: usize = 16 << 20;

/// How many steps a template may take. One is an operation, or 64 bytes that are written or made: 64 MB of texts in all, nearly
/// four times what a result may have, or a million turns of a loop that does nothing. Either takes well under a second.
pub(super) const FUEL: u64 = 1_000_000;
