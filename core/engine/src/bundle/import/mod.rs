//! From what was found to files: the names that each import gives to what its source has.
//!
//! The names come from a store, so each is checked as one from the configuration would be, by itself and beside all others:
//! what is not allowed, and two that come to the same, are errors that name both sides. A file of `[files]` wins over an
//! imported one, whose secret is then not even fetched.

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

/// Every file that is to be made: those of the plan, and those that are imported.
pub(crate) struct FileSet<'p> {
    pub(crate) files: FileMap<Cow<'p, PlannedFile>>,
    /// What was not imported, as there is a file of that name.
    pub(crate) overridden: Vec<String>,
}

/// Adds to the files of the plan those that are imported. Returns also what cannot be.
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
    /// By what its name comes to: each file, and in words what it is made of.
    origins: BTreeMap<String, (FileName, String)>,
    faults: Vec<BundleFault>,
}

impl<'p, 'a> Completing<'p, 'a> {
    fn new(plan: &'p Plan, answers: &'a Answers) -> Self {
        let origin = |name: &FileName| {
            (normalise(name.as_str()).into_owned(), (name.clone(), format!("`{name}` of [files]")))
        };
        // Only what is imported is compared with them.
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

    /// Says what a file is made of.
    fn content(&self, import: &PlannedImport, name: &str) -> Option<SecretUse> {
        let (id, field) = match &import.selection.what {
            Imported::Below { source, .. } => (self.answers.find(*source, name)?, None),
            Imported::Keys(id) => (*id, Some(Field::key(name))),
        };
        let transform = import.selection.transform.clone();
        Some(SecretUse { id, field, transform, if_absent: IfAbsent::Fail })
    }

    /// Names both sides of a conflict, and what they are made of.
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
