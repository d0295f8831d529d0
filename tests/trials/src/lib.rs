//! What the trials publish, and how they tell a complete set from a torn one.
//!
//! The trials themselves are in `trials/`. What they kill, starve and lie to is `publisher`, an ordinary program that uses
//! atomicdir as any other would: `program/`.

mod publish;
mod set;

pub use publish::{Outcome, publish};
pub use set::{Set, Torn, shown};
