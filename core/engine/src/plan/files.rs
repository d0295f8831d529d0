//! `[files]`: each file's name, what it is made of, and its mode and owner.

use std::collections::BTreeMap;

use atomicdir::{FileMap, FileName};
use secretdir_provider::{KeyPath, SecretRequest, SourceError, Table, Value};
use unicode_normalization::UnicodeNormalization;

use super::directory::{self, Directory};
use super::owner::{OwnerSpec, PlannedAttributes};
use super::sources::{Found, Sources};
use super::{IfAbsent, PlannedFile, advice};
use crate::Config;
use crate::Field;
use crate::config::report::Report;
use crate::config::section::{self, FileSection};
use crate::describe;
use crate::treatment::Treatment;

/// Reads `[files]`, and notes with the sources what is asked of them. Nothing comes of a file that is wrong.
pub(super) fn resolve(
    config: &Config,
    directory: &Directory,
    sources: &mut Sources,
    report: &mut Report<'_>,
) -> FileMap<PlannedFile> {
    let at = KeyPath::of(["files"]);
    let mut files = Files { directory, sources, report, names: Names::default(), planned: FileMap::new() };
    match config.table.get("files") {
        None => {
            let message =
                "missing; [files] maps file names to secrets (an empty [files] publishes an empty directory)";
            files.report.error(&at, message);
        }
        Some(value) => {
            for (name, value) in section::as_table(value, &at, files.report).into_iter().flatten() {
                files.add(name, value);
            }
        }
    }
    files.planned
}

/// The files so far.
struct Files<'a, 'c> {
    directory: &'a Directory,
    sources: &'a mut Sources,
    report: &'a mut Report<'c>,
    names: Names,
    planned: FileMap<PlannedFile>,
}

/// The names so far, those of files that are otherwise wrong included.
#[derive(Default)]
struct Names {
    good: FileMap<()>,
    /// Each name as it is written, by what it comes to.
    normalised: BTreeMap<String, String>,
}

impl Files<'_, '_> {
    fn add(&mut self, name: &str, value: &Value) {
        let at = KeyPath::of(["files", name]);
        let good_name = self.name(name, &at);
        let planned = self.table(name, value, &at).and_then(|table| self.file(table, &at));
        if let (Some(name), Some(planned)) = (good_name, planned) {
            // Cannot fail: this map has no name that is not among the good ones.
            let _ = self.planned.insert(name, planned);
        }
    }

    /// Checks a name by itself and beside the others.
    fn name(&mut self, text: &str, at: &KeyPath) -> Option<FileName> {
        let twin = self.names.normalised.insert(normalise(text), text.to_owned());
        if let Some(twin) = twin {
            self.report.error(at, format!("`{text}` and `{twin}` are the same name, written differently"));
        }
        let name = FileName::new(text).and_then(|name| match &self.directory.name {
            Some(link) => link.allow(&name).map(|()| name),
            None => Ok(name),
        });
        let name = name.map_err(|error| self.report.error(at, error.to_string())).ok()?;
        let conflict = self.names.good.insert(name.clone(), ());
        conflict.map_err(|conflict| self.report.error(at, conflict.to_string())).ok()?;
        Some(name)
    }

    /// Expects a file's table, and tells apart what TOML makes of a name with a dot and no quotes.
    fn table<'v>(&mut self, name: &str, value: &'v Value, at: &KeyPath) -> Option<&'v Table> {
        let Value::Table(table) = value else {
            let found = value.type_name();
            let message =
                format!(r#"expected a table such as {{ source = "NAME", secret = "NAME" }}, found {found}"#);
            self.report.error(at, message);
            return None;
        };
        let nested = table.iter().find(|(_, value)| matches!(value, Value::Table(_)));
        if let Some((key, _)) =
            nested.filter(|_| table.values().all(|value| matches!(value, Value::Table(_))))
        {
            let below = at.join(&KeyPath::of([key.as_str()]));
            self.report.error(&below, format!("a file name with a dot needs quotes: \"{name}.{key}\""));
            return None;
        }
        Some(table)
    }

    fn file(&mut self, table: &Table, at: &KeyPath) -> Option<PlannedFile> {
        let section: FileSection = section::read(table, at, self.report);
        let field = section.field.as_deref().map(|text| self.field(text, at));
        let attributes = self.attributes(&section, at);
        let treatment = Treatment { trim: section.trim, decode: section.decode, encode: section.encode };
        let if_absent = self.if_absent(&section, at);
        let (source, request) = self.request(section, at)?;
        Some(PlannedFile { source, request, field: field.flatten(), treatment, if_absent, attributes })
    }

    fn if_absent(&mut self, section: &FileSection, at: &KeyPath) -> IfAbsent {
        match (section.optional, &section.default) {
            (Some(true), Some(_)) => {
                let message = "with `optional` the file would be left out: say one or the other";
                self.report.error(&at.join(&KeyPath::of(["default"])), message);
                IfAbsent::Fail
            }
            (Some(true), None) => IfAbsent::LeaveOut,
            (_, Some(default)) => IfAbsent::Default(default.clone()),
            (_, None) => IfAbsent::Fail,
        }
    }

    fn field(&mut self, text: &str, at: &KeyPath) -> Option<Field> {
        let field = Field::parse(text);
        field.map_err(|error| self.report.error(&at.join(&KeyPath::of(["field"])), error.to_string())).ok()
    }

    /// Fills in what the file inherits, and points the reports to where it comes from.
    fn attributes(&mut self, section: &FileSection, at: &KeyPath) -> PlannedAttributes {
        let inherited = &self.directory.files;
        let own = OwnerSpec { user: section.owner.clone(), group: section.group.clone() };
        advice::on_owner(&own, at, self.report);
        let mode_at = match section.mode {
            Some(_) => at.join(&KeyPath::of(["mode"])),
            None => KeyPath::of(["directory", "file-mode"]),
        };
        if let Some(mode) = section.mode {
            directory::check_file_mode(mode, &mode_at, self.report);
        }
        let mode = section.mode.unwrap_or(inherited.mode);
        advice::on_mode(mode, self.directory.attributes.mode, &mode_at, self.report);
        let owner = OwnerSpec {
            user: own.user.or_else(|| inherited.owner.user.clone()),
            group: own.group.or_else(|| inherited.owner.group.clone()),
        };
        PlannedAttributes { mode, owner }
    }

    /// Asks the file's source for its secret. Returns where in the plan both are.
    fn request(&mut self, section: FileSection, at: &KeyPath) -> Option<(usize, usize)> {
        let name = section.source?;
        let source = self.source(&name, at)?;
        let secret = section.secret?;
        let request = SecretRequest::new(&secret);
        let request = match section.version {
            Some(version) => request.with_version(version),
            None => request,
        };
        let position = self.sources.request(source, request);
        let position =
            position.map_err(|error| self.report.error(at, refused(&name, &secret, &error))).ok()?;
        Some((source, position))
    }

    fn source(&mut self, name: &str, at: &KeyPath) -> Option<usize> {
        match self.sources.find(name) {
            Ok(Found::Source(source)) => Some(source),
            Ok(Found::Broken) => None,
            Err(message) => {
                self.report.error(&at.join(&KeyPath::of(["source"])), message);
                None
            }
        }
    }
}

fn refused(source: &str, secret: &str, error: &SourceError) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("source `{source}` cannot have a secret `{secret}`: {}{hint}", describe(error))
}

/// Returns what a name comes to for a filesystem and for an eye: no empty or `.` component, composed characters.
fn normalise(name: &str) -> String {
    let components = name.split('/').filter(|component| !matches!(*component, "" | "."));
    components.collect::<Vec<_>>().join("/").nfc().collect()
}
