//! Templates are part of the configuration. So they are read with it, and checked against the names of their secrets.

mod secrets;

use std::io;
use std::path::Path;

use secretdir_provider::{KeyPath, Table};
use secretdir_template::{Declared, LARGEST_TEMPLATE, LONGEST, Template};

use super::entry::Entries;
use crate::config;
use crate::config::Config;
use crate::config::entry_section::FileSection;
use crate::config::input::{Input, Unread};
use crate::plan::content::{self, PlannedTemplate};

/// The maximum number of bytes to read: one more than a template may have.
const MOST_BYTES: u64 = LARGEST_TEMPLATE as u64 + 1;

/// Resolves the template of a file and the requests for its secrets. Every mistake is reported.
pub(super) fn resolve(
    section: &FileSection,
    table: &Table,
    config: &Config,
    at: &KeyPath,
    entries: &mut Entries<'_, '_>,
) -> Option<PlannedTemplate> {
    let mut resolving = Resolving { config, at, entries };
    for key in FileSection::OF_A_SECRET.iter().filter(|key| table.contains_key(key)) {
        resolving.error(key, "cannot be combined with a template, whose secrets belong under `secrets`");
    }
    match (&section.template, &section.template_text) {
        (Some(_), Some(_)) => {
            resolving.error("template-text", "cannot be combined with `template`; keep one of them");
            None
        }
        (Some(path), None) => {
            let located = config.path("template", path);
            let located = located.map_err(|error| resolving.entries.report.settings(at, &error)).ok()?;
            let (text, input) =
                read(&located).map_err(|message| resolving.error("template", message)).ok()?;
            resolving.entries.report.input(input);
            resolving.template("template", Some(path), &text, table)
        }
        (None, text) => resolving.template("template-text", None, text.as_deref()?, table),
    }
}

struct Resolving<'a, 'e, 'r, 'c> {
    config: &'a Config,
    at: &'a KeyPath,
    entries: &'e mut Entries<'r, 'c>,
}

impl Resolving<'_, '_, '_, '_> {
    fn template(
        &mut self,
        key: &str,
        path: Option<&str>,
        text: &str,
        table: &Table,
    ) -> Option<PlannedTemplate> {
        let (declared, secrets) = self.secrets(table);
        let template = self.parsed(key, path, text, &declared);
        let mut planned = PlannedTemplate {
            template: template?,
            path: path.map(str::to_owned),
            uses: Vec::new(),
            names: Vec::new(),
        };
        for (name, secret) in secrets {
            planned.add(name, secret?);
        }
        Some(planned)
    }

    /// Validates the template. A template without secrets is also rendered, because a failure is then a mistake in the
    /// configuration.
    fn parsed(
        &mut self,
        key: &str,
        path: Option<&str>,
        text: &str,
        declared: &[Declared],
    ) -> Option<Template> {
        let parsed = Template::parse(text, declared).and_then(|template| {
            if declared.is_empty() {
                template.render(Vec::new(), LONGEST).map_err(|error| vec![error])?;
            }
            Ok(template)
        });
        let at = self.at.clone().key(key);
        for error in parsed.as_ref().err().into_iter().flatten() {
            self.entries.report.error(&at, format!("{}: {error}", content::located(path, error.place)));
        }
        for name in parsed.as_ref().map(Template::unused).unwrap_or_default() {
            let at = self.at.clone().key(FileSection::SECRETS).key(name);
            self.entries.report.warn(&at, "is not used by the template, but is fetched all the same");
        }
        parsed.ok()
    }

    fn error(&mut self, key: &str, message: impl Into<String>) {
        self.entries.report.error(&self.at.clone().key(key), message);
    }
}

/// Reads the file of a template.
fn read(path: &Path) -> Result<(String, Input), String> {
    let (bytes, input) = bytes_of(path).map_err(|unread| match unread {
        Unread::NotTrusted(why) => format!("cannot use {path:?}: {}", config::not_trusted(&why)),
        Unread::Io(error) => format!("cannot read {path:?}: {error}"),
    })?;
    if bytes.len() > LARGEST_TEMPLATE {
        return Err(format!("{path:?} is larger than {LARGEST_TEMPLATE} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let lines = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
        format!("{path:?} is not UTF-8, in line {}", lines + 1)
    });
    text.map(|text| (text, input))
}

/// Reads a regular file. If it is too large, only as many bytes as show that.
fn bytes_of(path: &Path) -> Result<(Vec<u8>, Input), Unread> {
    if !std::fs::metadata(path).map_err(Unread::Io)?.is_file() {
        return Err(Unread::Io(io::Error::other("it is not a regular file")));
    }
    Input::read(path, MOST_BYTES)
}
