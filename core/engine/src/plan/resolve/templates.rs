//! Templates: read with the plan, since they are a part of the configuration, so that what they ask for is known before anything
//! is fetched.

use std::io;
use std::path::Path;

use secretdir_provider::{KeyPath, Table};

use super::entry::Entries;
use crate::config;
use crate::config::input::{Input, Unread};
use crate::config::section::FileSection;
use crate::plan::content::{self, IfAbsent, PlannedTemplate, SecretUse};
use crate::template::{LARGEST_TEMPLATE, LONGEST, Sandbox, SecretCall, Template, TemplateError};
use crate::treatment::Treatment;
use crate::{Config, Field};

/// How many bytes of a file are read: one more than any template may have.
const MOST_BYTES: u64 = LARGEST_TEMPLATE as u64 + 1;

/// Reads the template of a file, and asks the sources for its secrets. Reports everything that is wrong with it.
pub(super) fn resolve(
    section: &FileSection,
    table: &Table,
    config: &Config,
    at: &KeyPath,
    entries: &mut Entries<'_, '_>,
) -> Option<PlannedTemplate> {
    let mut resolving = Resolving { at, entries };
    for key in FileSection::OF_A_SECRET.iter().filter(|key| table.contains_key(key)) {
        resolving
            .error(key, "is of no use for a file that is rendered: what is asked stands in the template");
    }
    match (&section.template, &section.template_text) {
        (Some(_), Some(_)) => {
            resolving.error("template-text", "is of no use beside `template`: say one or the other");
            None
        }
        (Some(path), None) => {
            let located = config.path("template", path);
            let located = located.map_err(|error| resolving.entries.report.settings(at, &error)).ok()?;
            let (text, input) =
                read(&located).map_err(|message| resolving.error("template", message)).ok()?;
            resolving.entries.report.input(input);
            resolving.template("template", Some(path), &text)
        }
        (None, text) => resolving.template("template-text", None, text.as_deref()?),
    }
}

struct Resolving<'a, 'e, 'r, 'c> {
    at: &'a KeyPath,
    entries: &'e mut Entries<'r, 'c>,
}

impl Resolving<'_, '_, '_, '_> {
    fn template(&mut self, key: &str, path: Option<&str>, text: &str) -> Option<PlannedTemplate> {
        let sandbox = self.entries.sandbox;
        let parsed = Template::parse(text, sandbox);
        let (calls, errors) = match &parsed {
            Ok(template) => {
                (template.calls(), rendered_without_secrets(template, sandbox).err().into_iter().collect())
            }
            Err(unreadable) => (&*unreadable.calls, unreadable.errors.clone()),
        };
        let mut faults: Vec<_> = errors.iter().map(|error| (error.place, error.to_string())).collect();
        let mut uses = Vec::new();
        for call in calls {
            match self.secret(call) {
                Ok(used) => uses.push(used),
                Err(message) => faults.push((call.place, message)),
            }
        }
        faults.sort_by_key(|(place, _)| *place);
        for (place, message) in faults {
            self.error(key, format!("{}: {message}", content::located(path, place)));
        }
        let uses = uses.into_iter().collect::<Option<_>>()?;
        Some(PlannedTemplate { template: parsed.ok()?, path: path.map(str::to_owned), uses })
    }

    /// Asks the source of a call for its secret. `None` if there is something wrong with the source itself, which has been
    /// reported.
    fn secret(&mut self, call: &SecretCall) -> Result<Option<SecretUse>, String> {
        let arguments = &call.arguments;
        let field = arguments.field.as_deref().map(Field::parse).transpose();
        let field = field.map_err(|error| error.to_string())?;
        let asked = self.entries.ask(&arguments.source, &arguments.secret, arguments.version.clone());
        let Some(id) = asked.map_err(|refusal| refusal.message)? else { return Ok(None) };
        let if_absent = arguments.default.clone().map_or(IfAbsent::Fail, IfAbsent::Default);
        Ok(Some(SecretUse { id, field, treatment: Treatment::default(), if_absent }))
    }

    fn error(&mut self, key: &str, message: impl Into<String>) {
        self.entries.report.error(&self.at.clone().key(key), message);
    }
}

/// Renders a template that asks for nothing: what keeps it from being rendered is known without any source.
fn rendered_without_secrets(template: &Template, sandbox: &Sandbox) -> Result<(), TemplateError> {
    if template.calls().is_empty() { template.render(&[], LONGEST, sandbox).map(drop) } else { Ok(()) }
}

/// Reads a template's file.
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

/// Reads a regular file, or as much of it as shows that it is too large.
fn bytes_of(path: &Path) -> Result<(Vec<u8>, Input), Unread> {
    if !std::fs::metadata(path).map_err(Unread::Io)?.is_file() {
        return Err(Unread::Io(io::Error::other("it is not a regular file")));
    }
    Input::read(path, MOST_BYTES)
}
