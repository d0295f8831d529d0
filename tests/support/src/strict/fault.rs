//! What goes wrong with calls on purpose.

/// What a server does to calls.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Throttles every other call, the first one included.
    ThrottleEveryOther,
    /// Throttles every call.
    Throttle,
    /// Throttles the call that has this number, from 1 on, and says in `Retry-After` to come back after so many seconds.
    ThrottleOne {
        /// The number.
        call: usize,
        /// The seconds.
        seconds: u32,
    },
    /// Refuses these actions to whoever calls them.
    Deny(Vec<&'static str>),
    /// Does not know these actions.
    Unknown(Vec<&'static str>),
    /// Closes connections of calls to this region in the middle of the body.
    Reset(&'static str),
    /// Closes connections in the same way, of calls to this region after the first so many.
    ResetAfter(usize, &'static str),
    /// Never answers calls to this region.
    Hang(&'static str),
    /// Answers with half a JSON document, and status 200.
    Malformed,
    /// Puts one text in the place of another in every answer: so an answer is about something else.
    Replace(&'static str, &'static str),
    /// Splits the answer to a batch, or a listing, into pages of so many entries.
    Pages(usize),
    /// Splits the answer to a batch into pages of so many entries, in an order that depends on a seed. So it orders parameters.
    Shuffle {
        /// The number of entries of a page.
        page: usize,
        /// What the order depends on.
        seed: u64,
    },
}
