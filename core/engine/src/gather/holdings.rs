//! The published secrets that were issued for this host and may be kept. A kept secret is not requested again, and its
//! files are carried over unchanged.
//!
//! A secret may be kept if all of these conditions hold:
//!
//! 1. The note of the current generation says that the secret was issued for this host, and until when it is valid.
//! 2. The note has each file that the plan makes of the secret, with the same lines of the configuration.
//! 3. Each of these files exists, and has not changed since it was published.
//!
//! Otherwise it is issued again, because its value exists only in the published files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secretdir_provider::{Held, Secret};

use crate::plan::RequestId;

/// The held secrets by request, and the files that are carried over with them.
#[derive(Debug, Default)]
pub(crate) struct HeldSecrets {
    pub(crate) held: BTreeMap<RequestId, Holding>,
    /// The files of all held secrets: each with its bytes, or none if it was left out.
    pub(crate) carried: BTreeMap<String, Option<Arc<Secret>>>,
    /// The other secrets that each of these files was made of.
    pub(crate) beside: BTreeMap<String, Vec<Noted>>,
    /// The files that lacked a secret because the store, asked to issue it, had none.
    pub(crate) absent: BTreeSet<(String, RequestId)>,
}

/// One held secret.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) held: Held,
    /// The files that are made of the secret.
    pub(crate) files: Vec<String>,
    /// The keys that imports made files of, each with the label of its import.
    pub(crate) keys: Vec<(String, String)>,
}

/// A secret that an earlier run noted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Noted {
    pub(crate) source: String,
    pub(crate) secret: String,
    pub(crate) version: Option<String>,
    pub(crate) revision: Option<String>,
}

/// A lease that a run has received.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lease {
    /// The position of its source in the plan.
    pub(crate) source: usize,
    pub(crate) handle: String,
}
