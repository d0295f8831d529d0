//! What is fetched from one source: what the plan asks for, and what was listed.

use std::collections::BTreeMap;

use secretdir_provider::{SecretRequest, SourceError};

use crate::catch_panic;
use crate::plan::{Imported, Plan, PlannedSource, Selection};

/// What came of each listing, by its prefix.
pub(super) type Listings = BTreeMap<String, Result<Vec<String>, SourceError>>;

/// What is fetched from one source.
pub(super) struct Wanted {
    /// The requests of the plan, and after them those that were listed: each once.
    pub(super) requests: Vec<SecretRequest>,
    /// The position of each; empty where nothing is listed.
    pub(super) positions: BTreeMap<SecretRequest, usize>,
    /// Of each request, whether all that is made of it can do without the secret.
    pub(super) dispensable: Vec<bool>,
    /// Of each request, whether the store makes something when it is asked.
    pub(super) making: Vec<Making>,
}

/// Whether the store makes something when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    Nothing,
    /// It is asked when all else is there.
    Later,
    /// It was listed: nobody has asked for it by name.
    Refused,
}

impl Wanted {
    pub(super) fn of(plan: &Plan, number: usize, source: &PlannedSource, listings: &Listings) -> Self {
        let requests = source.requests.clone();
        // Only what is listed is looked up.
        let looked_up = if listings.is_empty() { &[] } else { requests.as_slice() };
        let positions = looked_up.iter().cloned().enumerate().map(|(position, request)| (request, position));
        let positions = positions.collect();
        let making =
            |position| if source.issuing.contains(&position) { Making::Later } else { Making::Nothing };
        let making = (0..requests.len()).map(making).collect();
        let mut wanted = Self { requests, positions, dispensable: plan.dispensable(number), making };
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

    /// Adds what was listed. It is there; should it vanish meanwhile, the import is not complete.
    fn add(&mut self, source: &PlannedSource, request: SecretRequest) {
        let position = *self.positions.entry(request.clone()).or_insert(self.requests.len());
        match self.dispensable.get_mut(position) {
            Some(may) => *may = false,
            None => {
                let issues = catch_panic::call(source.provider, || source.source.issues(&request));
                self.making.push(if issues.unwrap_or(false) { Making::Refused } else { Making::Nothing });
                self.requests.push(request);
                self.dispensable.push(false);
            }
        }
    }
}
