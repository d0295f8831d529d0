//! The requests to one source: those of the plan, and those for listed secrets.

use std::collections::BTreeMap;

use secretdir_provider::{SecretRequest, SourceError};

use crate::catch_panic;
use crate::plan::{Imported, Plan, PlannedSource, Selection};

/// The result of each listing, by its prefix.
pub(super) type Listings = BTreeMap<String, Result<Vec<String>, SourceError>>;

/// The requests to one source.
pub(super) struct Wanted {
    /// The requests of the plan, and then those for listed secrets, each once.
    pub(super) requests: Vec<SecretRequest>,
    /// The position of each request. It is empty if nothing is listed.
    pub(super) positions: BTreeMap<SecretRequest, usize>,
    /// For each request, whether no file requires its secret.
    pub(super) optional_requests: Vec<bool>,
    /// For each request, whether it makes the store issue something.
    pub(super) making: Vec<Making>,
}

/// Whether a request makes the store issue something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    Nothing,
    /// It does, so it is sent after all others.
    Later,
    /// It does, but it was only listed. The configuration does not name it.
    Refused,
}

impl Wanted {
    pub(super) fn of(plan: &Plan, number: usize, source: &PlannedSource, listings: &Listings) -> Self {
        let requests = source.requests.clone();
        // The positions are used only for listed secrets.
        let looked_up = if listings.is_empty() { &[] } else { requests.as_slice() };
        let positions = looked_up.iter().cloned().enumerate().map(|(position, request)| (request, position));
        let positions = positions.collect();
        let making =
            |position| if source.issuing.contains(&position) { Making::Later } else { Making::Nothing };
        let making = (0..requests.len()).map(making).collect();
        let mut wanted =
            Self { requests, positions, optional_requests: plan.optional_requests(number), making };
        let listed = |selection: &Selection| match &selection.what {
            Imported::Below { source, prefix } if *source == number => listings.get(prefix)?.as_ref().ok(),
            _ => None,
        };
        for import in &plan.imports {
            let names = listed(&import.selection).into_iter().flatten();
            wanted.add_all(source, names.filter(|name| import.makes_file_of(&plan.files, name)));
        }
        for selection in plan.template_selections() {
            let names = listed(selection).into_iter().flatten();
            wanted.add_all(source, names.filter(|name| selection.naming.wants(name)));
        }
        wanted
    }

    fn add_all<'n>(&mut self, source: &PlannedSource, names: impl Iterator<Item = &'n String>) {
        names.for_each(|name| self.add(source, SecretRequest::new(name)));
    }

    /// Adds a request for a listed secret. The secret exists; if it vanishes meanwhile, the import is incomplete.
    fn add(&mut self, source: &PlannedSource, request: SecretRequest) {
        let position = *self.positions.entry(request.clone()).or_insert(self.requests.len());
        match self.optional_requests.get_mut(position) {
            Some(may) => *may = false,
            None => {
                let issues = catch_panic::call(source.provider, || source.source.issues(&request));
                self.making.push(if issues.unwrap_or(false) { Making::Refused } else { Making::Nothing });
                self.requests.push(request);
                self.optional_requests.push(false);
            }
        }
    }
}
