//! From what was found to files: the names that each import gives to what its source has.
//!
//! The names come from a store, so each is checked as one from the configuration would be, by itself and beside all others:
//! what is not allowed, and two that come to the same, are errors that name both sides. A file of `[files]` wins over an
//! imported one, whose secret is then not even fetched.

mod fault;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use atomicdir::{FileMap, FileName, NameConflict};

use crate::field::Field;
use crate::gather::{Answers, GatherError, GatherFailure};
use crate::plan::names::{file_name, normalise};
use crate::plan::{Content, IfAbsent, IfNone, Imported, Plan, PlannedFile, PlannedImport, SecretUse};

pub use fault::ImportFault;

/// Every file that is to be made: those of the plan, and those that are imported.
pub(crate) struct FileSet<'p> {
    pub(crate) files: FileMap<Cow<'p, PlannedFile>>,
    /// What was not imported, as there is a file of that name.
    pub(crate) overridden: Vec<String>,
}

/// Returns those of the names that an import found which it wants, each once and in order.
pub(crate) fn wanted(import: &PlannedImport, names: Vec<String>) -> Vec<String> {
    let names: BTreeSet<_> = names.into_iter().filter(|name| import.naming.wants(name)).collect();
    names.into_iter().collect()
}

/// Says whether `[files]` has a file of the name that an import would give to something.
pub(crate) fn is_overridden(plan: &Plan, import: &PlannedImport, name: &str) -> bool {
    import.naming.file(name).is_some_and(|file| plan.files.get(&file).is_some())
}

/// Adds to the files of the plan those that are imported.
pub(crate) fn complete<'p>(plan: &'p Plan, answers: &Answers) -> Result<FileSet<'p>, GatherError> {
    let mut completing = Completing::new(plan, answers);
    for (number, import) in plan.imports.iter().enumerate() {
        completing.import(number, import);
    }
    let Completing { set, failures, .. } = completing;
    if failures.is_empty() { Ok(set) } else { Err(GatherError::new(failures)) }
}

/// The files so far.
struct Completing<'p, 'a> {
    plan: &'p Plan,
    answers: &'a Answers,
    set: FileSet<'p>,
    /// What each file is made of, in words, by what its name comes to.
    origins: BTreeMap<String, String>,
    failures: Vec<GatherFailure>,
}

impl<'p, 'a> Completing<'p, 'a> {
    fn new(plan: &'p Plan, answers: &'a Answers) -> Self {
        let origin = |name: &FileName| (normalise(name.as_str()), format!("`{name}` of [files]"));
        let origins = plan.files.iter().map(|(name, _)| origin(name)).collect();
        let files = plan.files.filter_map(|_, file| Some(Cow::Borrowed(file)));
        let set = FileSet { files, overridden: Vec::new() };
        Self { plan, answers, set, origins, failures: Vec::new() }
    }

    fn import(&mut self, number: usize, import: &PlannedImport) {
        let found = self.found(number, import).unwrap_or_else(|fault| {
            self.fail(import, fault);
            Vec::new()
        });
        for name in found {
            if is_overridden(self.plan, import, &name) {
                let file = import.naming.file(&name).unwrap_or_default();
                let label = &import.label;
                self.set
                    .overridden
                    .push(format!("{label}: `{name}` is not imported: `{file}` of [files] wins"));
            } else if let Err(fault) = self.add(import, &name) {
                self.fail(import, fault);
            }
        }
    }

    /// Returns the names that become files.
    fn found(&self, number: usize, import: &PlannedImport) -> Result<Vec<String>, ImportFault> {
        let names = match &import.what {
            Imported::Below { source, .. } => self.answers.listing(*source, number).to_vec(),
            Imported::Keys(id) => match self.answers.secret(*id) {
                Some(secret) => wanted(import, Field::keys(secret.expose_secret())?),
                None => Vec::new(),
            },
        };
        if names.is_empty() && import.if_none == IfNone::Fail { Err(ImportFault::Nothing) } else { Ok(names) }
    }

    fn add(&mut self, import: &PlannedImport, name: &str) -> Result<(), ImportFault> {
        // Whatever is found has a request of its own, unless a file of [files] wins.
        let Some(content) = self.content(import, name) else { return Ok(()) };
        let file = self.name(import, name)?;
        let this = format!("`{name}` of {}", import.label);
        if let Some(other) = self.origins.get(&normalise(file.as_str())) {
            return Err(ImportFault::Twins { file: file.to_string(), this, other: other.clone() });
        }
        let content = Content::Secret(content);
        let planned = PlannedFile { content, attributes: import.attributes.clone() };
        if let Err(conflict) = self.set.files.insert(file.clone(), Cow::Owned(planned)) {
            return Err(self.conflict(&file, this, conflict));
        }
        self.origins.insert(normalise(file.as_str()), this);
        Ok(())
    }

    /// Checks the name of a file by itself.
    fn name(&self, import: &PlannedImport, name: &str) -> Result<FileName, ImportFault> {
        let Some(file) = import.naming.file(name) else {
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
        let (id, field) = match &import.what {
            Imported::Below { source, .. } => (self.answers.find(*source, name)?, None),
            Imported::Keys(id) => (*id, Some(Field::key(name))),
        };
        Some(SecretUse { id, field, treatment: import.treatment, if_absent: IfAbsent::Fail })
    }

    /// Names both sides of a conflict, and what they are made of.
    fn conflict(&self, new: &FileName, this: String, conflict: NameConflict) -> ImportFault {
        let other = match &conflict {
            NameConflict::FileAndDirectory { file, inside } if file == new => inside,
            NameConflict::FileAndDirectory { file, .. } => file,
            _ => new,
        };
        let other = self.origins.get(&normalise(other.as_str())).cloned().unwrap_or_default();
        ImportFault::Conflict { this, other, conflict }
    }

    fn fail(&mut self, import: &PlannedImport, fault: ImportFault) {
        self.failures.push(GatherFailure::import(self.plan, import, fault));
    }
}

#[cfg(test)]
mod tests;
