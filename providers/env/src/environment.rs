//! The source of the variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use zeroize::Zeroize as _;

/// The environment of this process, or variables in its place. `Debug` shows only which of the two.
#[derive(Clone, Default)]
pub(crate) enum Environment {
    /// The current environment of the process.
    #[default]
    OfProcess,
    /// These variables, whatever the process has.
    Given(Arc<BTreeMap<OsString, OsString>>),
}

impl Environment {
    pub(crate) fn given<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::Given(Arc::new(variables.collect()))
    }

    /// Returns a copy of a variable's value.
    pub(crate) fn get(&self, variable: &OsStr) -> Option<OsString> {
        match self {
            Self::OfProcess => std::env::var_os(variable),
            Self::Given(variables) => variables.get(variable).cloned(),
        }
    }

    /// Returns the names of all variables.
    pub(crate) fn names(&self) -> Vec<OsString> {
        match self {
            Self::OfProcess => std::env::vars_os().map(without_value).collect(),
            Self::Given(variables) => variables.keys().cloned().collect(),
        }
    }
}

/// Wipes the value, which the standard library copies together with each name.
fn without_value((name, value): (OsString, OsString)) -> OsString {
    value.into_vec().zeroize();
    name
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OfProcess => "OfProcess",
            Self::Given(_) => "Given",
        })
    }
}
