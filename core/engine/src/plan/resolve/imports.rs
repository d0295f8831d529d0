//! Resolves `[[import]]`.

use secretdir_provider::{KeyPath, Table, Value};

use super::directory::Directory;
use super::entry::Entries;
use super::selection::Names;
use super::sources::Sources;
use crate::config::Config;
use crate::config::entry_section::ImportSection;
use crate::config::owner::OwnerSpec;
use crate::config::report::Report;
use crate::config::section;
use crate::config::values::Expand;
use crate::plan::import::PlannedImport;
use crate::plan::names::file_name;
use crate::plan::selection::{IfNone, Imported, Naming, Selection};

/// Resolves every `[[import]]`, and adds the requests to the sources. An invalid import is left out.
pub(super) fn resolve(
    config: &Config,
    directory: &Directory,
    sources: &mut Sources,
    report: &mut Report<'_>,
) -> Vec<PlannedImport> {
    let at = KeyPath::from("import");
    let entries = match config.table.get("import") {
        None => return Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(other) => {
            let found = other.type_name();
            report.error(
                &at,
                format!("expected an array of tables, each written as [[import]], found {found}"),
            );
            return Vec::new();
        }
    };
    if entries.is_empty() {
        report.error(&at, "is empty; omit it");
    }
    let mut imports = Imports { config, entries: Entries { directory, sources, report } };
    let number = |number| at.clone().index(number);
    entries.iter().enumerate().filter_map(|(n, value)| imports.import(value, &number(n))).collect()
}

struct Imports<'a, 'c> {
    config: &'a Config,
    entries: Entries<'a, 'c>,
}

impl Imports<'_, '_> {
    fn import(&mut self, value: &Value, at: &KeyPath) -> Option<PlannedImport> {
        let table = section::as_table(value, at, self.entries.report)?;
        let section: ImportSection = section::read(table, at, self.entries.report);
        let owner = OwnerSpec { user: section.owner.clone(), group: section.group.clone() };
        let attributes = self.entries.attributes(section.mode, owner, at);
        let transform = self.entries.transform(section.transform(), at);
        let if_none = if section.allow_empty == Some(true) { IfNone::Allow } else { IfNone::Fail };
        let naming = self.naming(&section, at);
        let what = self.what(section, table, at)?;
        let (label, place) = (at.to_string(), self.config.place_of(at));
        let selection = Selection { label, place, what, naming: naming?, if_none, transform };
        Some(PlannedImport { selection, attributes })
    }

    /// Resolves what to import: the keys of a secret, or the secrets below a prefix.
    fn what(&mut self, section: ImportSection, table: &Table, at: &KeyPath) -> Option<Imported> {
        match (table.contains_key("secret"), table.contains_key("prefix")) {
            (true, false) => self.keys(section, table, at),
            (false, true) => self.below(section, at),
            (false, false) => {
                self.entries.refuse(at, "secret", "missing; this, or `prefix` for many secrets")
            }
            (true, true) => {
                self.entries.refuse(at, "prefix", "cannot be combined with `secret`; keep one of them")
            }
        }
    }

    fn keys(&mut self, section: ImportSection, table: &Table, at: &KeyPath) -> Option<Imported> {
        if !table.contains_key("expand") {
            return self.entries.refuse(
                at,
                "expand",
                "missing; \"json\" makes a file of each key of the secret",
            );
        }
        let Expand::Json = section.expand?;
        let id = self.entries.request(&section.source?, &section.secret?, section.version, at)?;
        Some(Imported::Keys(id))
    }

    fn below(&mut self, section: ImportSection, at: &KeyPath) -> Option<Imported> {
        for (key, is_there) in [("expand", section.expand.is_some()), ("version", section.version.is_some())]
        {
            if is_there {
                return self.entries.refuse(
                    at,
                    key,
                    "cannot be combined with `prefix`, which makes a file of each secret",
                );
            }
        }
        self.entries.below(&section.source?, section.prefix?, at)
    }

    fn naming(&mut self, section: &ImportSection, at: &KeyPath) -> Option<Naming> {
        let into = match &section.into {
            None => Some(String::new()),
            Some(directory) => self.into(directory, at),
        };
        let names = Names {
            prefix: section.prefix.as_deref(),
            strip_prefix: section.strip_prefix.as_deref(),
            include: section.include.as_deref(),
            exclude: section.exclude.as_deref(),
        };
        let naming = self.entries.naming(&names, into.clone().unwrap_or_default(), at);
        naming.filter(|_| into.is_some())
    }

    fn into(&mut self, directory: &str, at: &KeyPath) -> Option<String> {
        match file_name(directory, self.entries.directory.name.as_ref()) {
            Ok(directory) => Some(format!("{directory}/")),
            Err(error) => self.entries.refuse(at, "into", &error.to_string()),
        }
    }
}
