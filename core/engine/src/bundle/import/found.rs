//! Selects the wanted names among those that were found.

use std::collections::BTreeSet;

use super::fault::ImportFault;
use crate::field::JsonSecret;
use crate::gather::answers::Answers;
use crate::plan::{IfNone, Imported, Selection};

/// Returns the wanted names, each once and in order.
pub(super) fn found(selection: &Selection, answers: &Answers) -> Result<BTreeSet<String>, ImportFault> {
    let (names, nothing) = match &selection.what {
        Imported::Below { source, prefix } => {
            (answers.listing(*source, prefix).to_vec(), ImportFault::NothingBelow)
        }
        // The keys of a secret that was not requested are unknown.
        Imported::Keys(id) if answers.unasked.contains(id) => return Ok(BTreeSet::new()),
        Imported::Keys(id) if answers.kept.contains_key(id) => {
            let keys = answers.kept.get(id).into_iter().flat_map(|kept| &kept.keys);
            let names = keys.filter(|(label, _)| *label == selection.label).map(|(_, key)| key.clone());
            (names.collect(), ImportFault::NothingInside)
        }
        Imported::Keys(id) => {
            let secret = answers.secret(*id).ok_or(ImportFault::NotFetched)?;
            (JsonSecret::read(secret.expose_secret())?.keys()?, ImportFault::NothingInside)
        }
    };
    let found = names.len();
    let wanted: BTreeSet<_> = names.into_iter().filter(|name| selection.naming.wants(name)).collect();
    match found {
        _ if !wanted.is_empty() || selection.if_none == IfNone::Allow => Ok(wanted),
        0 => Err(nothing),
        _ => Err(ImportFault::NothingWanted { found }),
    }
}
