//! Turns the secrets or keys that an import found into files.
//!
//! The names come from a store. So each is checked as a name from the configuration is: by itself, and beside all other
//! names. A forbidden name is an error. Two names that become the same are an error that names both.
//! A file of `[files]` wins over an imported one. The imported secret is then not even fetched.

mod fault;
mod found;
mod map;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use atomicdir::{FileMap, FileName, NameConflict};

use super::fault::BundleFault;
use crate::field::Field;
use crate::gather::answers::Answers;
use crate::plan::names::{file_name, normalise};
use crate::plan::{Content, IfAbsent, Imported, Plan, PlannedFile, PlannedImport, SecretUse};

pub use fault::{ImportFault, Spelling};
use found::found;
pub(super) use map::map_of;

/// Every file to be made: the files of the plan, and the imported ones.
pub(crate) struct FileSet<'p> {
    pub(crate) files: FileMap<Cow<'p, PlannedFile>>,
    /// A message for each secret or key that was not imported because a file of `[files]` has its name.
    pub(crate) overridden: Vec<String>,
}

/// Adds the imported files to those of the plan. Also returns a fault for each import that fails.
pub(crate) fn complete<'p>(plan: &'p Plan, answers: &Answers) -> (FileSet<'p>, Vec<BundleFault>) {
    let mut completing = Completing::new(plan, answers);
    plan.imports.iter().for_each(|import| completing.import(import));
    (completing.set, completing.faults)
}

/// The files so far.
struct Completing<'p, 'a> {
    plan: &'p Plan,
    answers: &'a Answers,
    set: FileSet<'p>,
    /// Each file and a description of its origin, by the normalised name of the file.
    origins: BTreeMap<String, (FileName, String)>,
    faults: Vec<BundleFault>,
}

impl<'p, 'a> Completing<'p, 'a> {
    fn new(plan: &'p Plan, answers: &'a Answers) -> Self {
        let origin = |name: &FileName| {
            (normalise(name.as_str()).into_owned(), (name.clone(), format!("`{name}` of [files]")))
        };
        // Only imported files are compared with them.
        let named = plan.files.iter().filter(|_| !plan.imports.is_empty());
        let origins = named.map(|(name, _)| origin(name)).collect();
        let files = plan.files.map_files(|_, file| Some(Cow::Borrowed(file)));
        let set = FileSet { files, overridden: Vec::new() };
        Self { plan, answers, set, origins, faults: Vec::new() }
    }

    fn import(&mut self, import: &PlannedImport) {
        let found = found(&import.selection, self.answers).unwrap_or_else(|fault| {
            self.fail(import, fault);
            BTreeSet::new()
        });
        for name in found {
            if import.is_overridden(&self.plan.files, &name) {
                let selection = &import.selection;
                let (place, file) = (&selection.place, selection.naming.file(&name).unwrap_or_default());
                self.set
                    .overridden
                    .push(format!("{place}: `{name}` is not imported: `{file}` of [files] wins"));
            } else if let Err(fault) = self.add(import, &name) {
                self.fail(import, fault);
            }
        }
    }

    fn add(&mut self, import: &PlannedImport, name: &str) -> Result<(), ImportFault> {
        let file = self.name(import, name)?;
        let this = format!("`{name}` of {}", import.selection.label);
        if let Some((other, origin)) = self.origins.get(normalise(file.as_str()).as_ref()) {
            return Err(ImportFault::twins(&file, this, other, origin));
        }
        let content = Content::Secret(self.content(import, name).ok_or(ImportFault::NotFetched)?);
        let planned = PlannedFile { content, attributes: import.attributes.clone() };
        if let Err(conflict) = self.set.files.insert(file.clone(), Cow::Owned(planned)) {
            return Err(self.conflict(&file, this, conflict));
        }
        let name = normalise(file.as_str()).into_owned();
        self.origins.insert(name, (file, this));
        Ok(())
    }

    /// Checks the name of a file by itself.
    fn name(&self, import: &PlannedImport, name: &str) -> Result<FileName, ImportFault> {
        let Some(file) = import.selection.naming.file(name) else {
            return Err(ImportFault::NotStripped(name.to_owned()));
        };
        file_name(&file, self.plan.link_name.as_ref()).map_err(|error| ImportFault::BadName {
            name: name.to_owned(),
            file,
            error,
        })
    }

    /// Returns the secret, and the key in it, that a file is made of.
    fn content(&self, import: &PlannedImport, name: &str) -> Option<SecretUse> {
        let (id, field) = match &import.selection.what {
            Imported::Below { source, .. } => (self.answers.find(*source, name)?, None),
            Imported::Keys(id) => (*id, Some(Field::key(name))),
        };
        let transform = import.selection.transform.clone();
        Some(SecretUse { id, field, transform, if_absent: IfAbsent::Fail })
    }

    /// Makes an error that names both sides of a conflict and their origins.
    fn conflict(&self, new: &FileName, this: String, conflict: NameConflict) -> ImportFault {
        let other = match &conflict {
            NameConflict::FileAndDirectory { file, inside } if file == new => inside,
            NameConflict::FileAndDirectory { file, .. } => file,
            _ => new,
        };
        let other = self.origins.get(normalise(other.as_str()).as_ref()).map(|(_, origin)| origin.clone());
        ImportFault::Conflict { this, other: other.unwrap_or_default(), conflict }
    }

    fn fail(&mut self, import: &PlannedImport, fault: ImportFault) {
        self.faults.push(BundleFault::Selection { selection: Box::new(import.selection.clone()), fault });
    }
}

#[cfg(test)]
mod tests;
