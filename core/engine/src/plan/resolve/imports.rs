//! `[[import]]`, as it is written.

use glob::Pattern;
use secretdir_provider::{KeyPath, Table, Value};

use super::directory::Directory;
use super::entry::Entries;
use super::sources::Sources;
use crate::config::Config;
use crate::config::owner::OwnerSpec;
use crate::config::report::Report;
use crate::config::section::{self, ImportSection};
use crate::config::words::Expand;
use crate::plan::import::{IfNone, Imported, Naming, PlannedImport};
use crate::plan::names::file_name;
use crate::report::describe;
use crate::template::Sandbox;
use crate::treatment::Treatment;

/// Reads every `[[import]]`, and notes with the sources what is asked of them. Nothing comes of one that is wrong.
pub(super) fn resolve(
    config: &Config,
    directory: &Directory,
    sources: &mut Sources,
    report: &mut Report<'_>,
    sandbox: &Sandbox,
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
        report.error(&at, "has no import in it; leave it out");
    }
    let mut imports = Imports { config, entries: Entries { directory, sources, report, sandbox } };
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
        let treatment = Treatment { trim: section.trim, decode: section.decode, encode: section.encode };
        let if_none = if section.allow_empty == Some(true) { IfNone::Allow } else { IfNone::Fail };
        let naming = self.naming(&section, at);
        let what = self.what(section, table, at)?;
        let (file, position) = (self.config.file().display(), self.config.positions.of(at));
        let (label, place) = (at.to_string(), format!("{file}:{position}: {at}"));
        Some(PlannedImport { label, place, what, naming: naming?, if_none, treatment, attributes })
    }

    /// Finds out what is imported: the keys of a secret, or the secrets below a prefix.
    fn what(&mut self, section: ImportSection, table: &Table, at: &KeyPath) -> Option<Imported> {
        match (table.contains_key("secret"), table.contains_key("prefix")) {
            (true, false) => self.keys(section, table, at),
            (false, true) => self.below(section, at),
            (false, false) => self.refuse(at, "secret", "missing; this, or `prefix` for many secrets"),
            (true, true) => self.refuse(at, "prefix", "is of no use beside `secret`: say one or the other"),
        }
    }

    fn keys(&mut self, section: ImportSection, table: &Table, at: &KeyPath) -> Option<Imported> {
        if !table.contains_key("expand") {
            return self.refuse(at, "expand", "missing; \"json\" makes a file of each key of the secret");
        }
        let Expand::Json = section.expand?;
        let id = self.entries.request(&section.source?, &section.secret?, section.version, at)?;
        Some(Imported::Keys(id))
    }

    fn below(&mut self, section: ImportSection, at: &KeyPath) -> Option<Imported> {
        for (key, is_there) in [("expand", section.expand.is_some()), ("version", section.version.is_some())]
        {
            if is_there {
                return self.refuse(
                    at,
                    key,
                    "is of no use with `prefix`: each secret below it becomes a file",
                );
            }
        }
        let (name, prefix) = (section.source?, section.prefix?);
        let source = self.entries.source(&name, at)?;
        match self.entries.sources.list(source, &prefix) {
            Ok(()) => Some(Imported::Below { source, prefix }),
            Err(error) => {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                let message =
                    format!("source `{name}` cannot list below `{prefix}`: {}{hint}", describe(&error));
                self.refuse(at, "prefix", &message)
            }
        }
    }

    fn naming(&mut self, section: &ImportSection, at: &KeyPath) -> Option<Naming> {
        let strip_prefix = section.strip_prefix.clone().unwrap_or_default();
        let fits = |prefix: &String| prefix.starts_with(&strip_prefix) || strip_prefix.starts_with(prefix);
        if !section.prefix.as_ref().is_none_or(fits) {
            return self.refuse(at, "strip-prefix", "does not fit `prefix`: no name can begin with both");
        }
        let into = match &section.into {
            None => Some(String::new()),
            Some(directory) => self.into(directory, at),
        };
        let include = self.patterns(section.include.as_deref(), "include", at);
        let exclude = self.patterns(section.exclude.as_deref(), "exclude", at);
        Some(Naming { into: into?, strip_prefix, include: include?, exclude: exclude? })
    }

    fn into(&mut self, directory: &str, at: &KeyPath) -> Option<String> {
        match file_name(directory, self.entries.directory.name.as_ref()) {
            Ok(directory) => Some(format!("{directory}/")),
            Err(error) => self.refuse(at, "into", &error.to_string()),
        }
    }

    fn patterns(&mut self, patterns: Option<&[String]>, key: &str, at: &KeyPath) -> Option<Vec<Pattern>> {
        match patterns {
            None => Some(Vec::new()),
            Some([]) => self.refuse(at, key, "has no pattern in it; leave it out"),
            Some(patterns) => {
                let at = at.clone().key(key);
                let read = patterns.iter().enumerate().map(|(number, text)| self.pattern(text, number, &at));
                read.collect::<Vec<_>>().into_iter().collect()
            }
        }
    }

    fn pattern(&mut self, text: &str, number: usize, at: &KeyPath) -> Option<Pattern> {
        let message = match Pattern::new(text) {
            Ok(_) if text.replace("[{]", "").replace("[}]", "").contains(['{', '}']) => {
                "has `{` or `}` in it: give each choice as a pattern of its own; a brace itself is `[{]` or `[}]`"
            }
            Ok(pattern) => return Some(pattern),
            Err(error) => &format!("is no pattern: {}", error.msg),
        };
        let element = at.clone().index(number);
        self.entries.report.error(&element, message);
        None
    }

    fn refuse<T>(&mut self, at: &KeyPath, key: &str, message: &str) -> Option<T> {
        self.entries.report.error(&at.clone().key(key), message);
        None
    }
}
