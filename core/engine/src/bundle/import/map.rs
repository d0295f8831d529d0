//! The map that a template gets of all secrets below a prefix. The rules are those of imports.

use secretdir_template::Given;

use super::fault::ImportFault;
use super::found::found;
use crate::gather::answers::Answers;
use crate::plan::names::file_name;
use crate::plan::{Imported, Selection};

/// Makes the map of names and values, sorted by name.
///
/// # Errors
///
/// An empty map that is not allowed, or each name and value that cannot be used.
pub(crate) fn map_of(selection: &Selection, answers: &Answers) -> Result<Given, Vec<ImportFault>> {
    let names = found(selection, answers).map_err(|fault| vec![fault])?;
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    for name in names {
        match entry(selection, answers, &name) {
            Ok(entry) => entries.push(entry),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Given::names(entries))
}

fn entry(selection: &Selection, answers: &Answers, name: &str) -> Result<(String, Given), ImportFault> {
    let Some(key) = selection.naming.file(name) else {
        return Err(ImportFault::NotStripped(name.to_owned()));
    };
    file_name(&key, None).map_err(|error| ImportFault::BadKey { name: name.to_owned(), error })?;
    let Imported::Below { source, .. } = &selection.what else { return Err(ImportFault::NotFetched) };
    let secret = answers.find(*source, name).and_then(|id| answers.secret(id));
    let secret = secret.ok_or(ImportFault::NotFetched)?;
    let value = selection.transform.apply(secret.expose_secret());
    let value = value.map_err(|error| ImportFault::NotTransformed { name: name.to_owned(), error })?;
    Ok((key, Given::bytes(&value)))
}
