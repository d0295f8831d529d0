//! What is published of the secrets that were made for us, and may stay: the request is not made again then, and its files are
//! carried over as they are.
//!
//! A secret may stay if all of this holds:
//!
//! 1. The note of the current generation says that it was made for us, and until when it is good.
//! 2. Each file that the plan makes of it is noted, by the very lines that the plan has.
//! 3. Each of these files is there, and nobody has changed it since it was published.
//!
//! Otherwise it is made anew: nobody but the published files has its value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secretdir_provider::{Held, Secret};

use crate::plan::RequestId;

/// What is held, by request, and the files that are carried over with it.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    pub(crate) held: BTreeMap<RequestId, Holding>,
    /// The files of all of them: each with its bytes, or none if it was left out.
    pub(crate) carried: BTreeMap<String, Option<Arc<Secret>>>,
    /// What else each of these files was made of.
    pub(crate) beside: BTreeMap<String, Vec<Noted>>,
    /// The files that lacked a secret that a store was to make, as it had none.
    pub(crate) absent: BTreeSet<(String, RequestId)>,
}

/// One secret that is held.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) held: Held,
    /// The files that are made of it.
    pub(crate) files: Vec<String>,
    /// The keys that imports have made files of, each with the label of its import.
    pub(crate) keys: Vec<(String, String)>,
}

/// A secret as an earlier run had it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Noted {
    pub(crate) source: String,
    pub(crate) secret: String,
    pub(crate) version: Option<String>,
    pub(crate) revision: Option<String>,
}

/// A lease that a run has got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lease {
    /// The position of the source that gave it.
    pub(crate) source: usize,
    pub(crate) handle: String,
}
