//! `[files]`: the name, content, mode and owner of each file.

use std::collections::BTreeMap;
use std::sync::Arc;

use atomicdir::FileMap;
use secretdir_provider::{KeyPath, Table, Value};

use super::directory::Directory;
use super::entry::Entries;
use super::sources::Sources;
use super::templates;
use crate::config::Config;
use crate::config::entry_section::FileSection;
use crate::config::owner::OwnerSpec;
use crate::config::report::Report;
use crate::config::section;
use crate::plan::content::{Content, PlannedFile, SecretUse};
use crate::plan::names::{file_name, normalise};

/// Resolves `[files]`, and adds the requests to the sources. An invalid file is left out.
pub(super) fn resolve(
    config: &Config,
    directory: &Directory,
    sources: &mut Sources,
    report: &mut Report<'_>,
) -> FileMap<PlannedFile> {
    let at = KeyPath::from("files");
    let entries = Entries { directory, sources, report };
    let mut files = Files { config, entries, names: Names::default(), planned: Vec::new() };
    match config.table.get("files") {
        None if config.table.contains_key("import") => {}
        None => {
            let message = "missing; [files] maps file names to secrets, and [[import]] makes files of many \
                (an empty [files] publishes an empty directory)";
            files.entries.report.error(&at, message);
        }
        Some(value) => {
            if let Some(table) = section::as_table(value, &at, files.entries.report) {
                files.planned.reserve_exact(table.len());
                files.entries.sources.reserve(table.len());
                table.iter().for_each(|(name, value)| files.add(name, value, table));
            }
        }
    }
    let Files { names, mut planned, .. } = files;
    names.good.map_files(|_, place| planned.get_mut(*place).and_then(Option::take))
}

/// The files so far.
struct Files<'a, 'c> {
    config: &'a Config,
    entries: Entries<'a, 'c>,
    names: Names,
    /// The file for each valid name. `None` if the file is otherwise invalid.
    planned: Vec<Option<PlannedFile>>,
}

/// The names so far, including those of files that are otherwise invalid.
#[derive(Default)]
struct Names {
    /// The position of each name among the planned files.
    good: FileMap<usize>,
    /// Each name that is not in normal form, by its normal form.
    normalised: BTreeMap<String, String>,
}

impl Files<'_, '_> {
    fn add(&mut self, name: &str, value: &Value, all: &Table) {
        let at = KeyPath::from(["files", name]);
        self.name(name, &at, all);
        let planned = self.table(name, value, &at).and_then(|table| self.file(table, &at));
        self.planned.push(planned);
    }

    /// Validates a name by itself, and against the others.
    fn name(&mut self, text: &str, at: &KeyPath, all: &Table) {
        if let Some(twin) = self.twin(text, all) {
            let message = format!("`{text}` and `{twin}` are the same name, written differently");
            self.entries.report.error(at, message);
        }
        let report = &mut *self.entries.report;
        match file_name(text, self.entries.directory.name.as_ref()) {
            Err(error) => report.error(at, error.to_string()),
            Ok(name) => {
                let added = self.names.good.insert(name, self.planned.len());
                added.unwrap_or_else(|conflict| report.error(at, conflict.to_string()));
            }
        }
    }

    /// Returns another name with the same normal form.
    fn twin(&mut self, text: &str, all: &Table) -> Option<String> {
        let normalised = normalise(text);
        if normalised == text {
            return None;
        }
        let simple = all.contains_key(normalised.as_ref()).then(|| normalised.clone().into_owned());
        self.names.normalised.insert(normalised.into_owned(), text.to_owned()).or(simple)
    }

    /// Returns the table of a file, or reports an error. It recognises the nested tables that TOML makes of a name with a
    /// dot but without quotes.
    fn table<'v>(&mut self, name: &str, value: &'v Value, at: &KeyPath) -> Option<&'v Table> {
        let Value::Table(table) = value else {
            let found = value.type_name();
            let message =
                format!(r#"expected a table such as {{ source = "NAME", secret = "NAME" }}, found {found}"#);
            self.entries.report.error(at, message);
            return None;
        };
        let nested = table.iter().find(|(_, value)| matches!(value, Value::Table(_)));
        if let Some((key, _)) =
            nested.filter(|_| table.iter().all(|(_, value)| matches!(value, Value::Table(_))))
        {
            let below = at.clone().key(key);
            self.entries
                .report
                .error(&below, format!("a file name with a dot needs quotes: \"{name}.{key}\""));
            return None;
        }
        Some(table)
    }

    fn file(&mut self, table: &Table, at: &KeyPath) -> Option<PlannedFile> {
        let section: FileSection = section::read(table, at, self.entries.report);
        let own = OwnerSpec { user: section.owner.clone(), group: section.group.clone() };
        let attributes = self.entries.attributes(section.mode, own, at);
        let is_rendered = FileSection::OF_A_TEMPLATE.iter().any(|key| table.contains_key(key));
        let content = if is_rendered {
            let template = templates::resolve(&section, table, self.config, at, &mut self.entries);
            template.map(|template| Content::Template(Arc::new(template)))
        } else {
            self.secret(section, table, at).map(Content::Secret)
        };
        Some(PlannedFile { content: content?, attributes })
    }

    fn secret(&mut self, section: FileSection, table: &Table, at: &KeyPath) -> Option<SecretUse> {
        if table.contains_key(FileSection::SECRETS) {
            let message = "needs a template: add `template` or `template-text`";
            self.entries.report.error(&at.clone().key(FileSection::SECRETS), message);
        }
        for key in FileSection::REQUIRED_OF_A_SECRET.iter().filter(|key| !table.contains_key(key)) {
            self.entries.report.error(&at.clone().key(*key), "missing");
        }
        let field = section.field.as_deref().map(|text| self.entries.field(text, at));
        let transform = self.entries.transform(section.transform(), at);
        let if_absent = self.entries.if_absent(section.optional, section.default.as_deref(), at);
        let id = self.entries.request(&section.source?, &section.secret?, section.version, at)?;
        Some(SecretUse { id, field: field.flatten(), transform, if_absent })
    }
}
