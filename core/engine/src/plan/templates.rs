//! Templates: read with the plan, since they are a part of the configuration, so that what they ask for is known before anything
//! is fetched.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use secretdir_provider::{KeyPath, Table};

use super::entry::Entries;
use super::{IfAbsent, SecretUse};
use crate::Field;
use crate::config::section::FileSection;
use crate::template::{Place, SecretCall, Template};
use crate::treatment::Treatment;

/// How many bytes of a file are read: more than any template may have.
const MOST_BYTES: u64 = 2 << 20;

/// A template, and the secrets that it is rendered from.
#[derive(Debug)]
pub(crate) struct PlannedTemplate {
    pub(crate) template: Template,
    /// What it is called in an error: its path as it is configured; none if it stands in the configuration itself.
    pub(crate) path: Option<String>,
    /// One for each of its calls, in the same order.
    pub(crate) uses: Vec<SecretUse>,
}

impl PlannedTemplate {
    /// Names a place in the template: `app.env.tmpl:3:7`, or `template-text:3:7`.
    pub(crate) fn at(&self, place: Place) -> String {
        at(self.path.as_deref(), place)
    }
}

fn at(path: Option<&str>, place: Place) -> String {
    format!("{}:{place}", path.unwrap_or("template-text"))
}

/// Reads the template of a file, and asks the sources for its secrets. Reports everything that is wrong with it.
pub(super) fn resolve(
    section: &FileSection,
    table: &Table,
    folder: &Path,
    at: &KeyPath,
    entries: &mut Entries<'_, '_>,
) -> Option<PlannedTemplate> {
    let mut resolving = Resolving { at, entries };
    for key in FileSection::OF_A_SECRET.iter().filter(|key| table.contains_key(**key)) {
        resolving
            .error(key, "is of no use for a file that is rendered: what is asked stands in the template");
    }
    match (&section.template, &section.template_text) {
        (Some(_), Some(_)) => {
            resolving.error("template-text", "is of no use beside `template`: say one or the other");
            None
        }
        (Some(path), None) => {
            let text =
                read(&folder.join(path)).map_err(|message| resolving.error("template", message)).ok()?;
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
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(errors) => {
                for error in errors {
                    self.error(key, format!("{}: {error}", at(path, error.place)));
                }
                return None;
            }
        };
        let uses: Vec<_> = template.calls().iter().map(|call| self.secret(key, path, call)).collect();
        let uses = uses.into_iter().collect::<Option<_>>()?;
        Some(PlannedTemplate { template, path: path.map(str::to_owned), uses })
    }

    /// Asks the source of a call for its secret.
    fn secret(&mut self, key: &str, path: Option<&str>, call: &SecretCall) -> Option<SecretUse> {
        let arguments = &call.arguments;
        let field = match arguments.field.as_deref().map(Field::parse).transpose() {
            Ok(field) => field,
            Err(error) => {
                self.error(key, format!("{}: {error}", at(path, call.place)));
                return None;
            }
        };
        let asked = self.entries.ask(&arguments.source, &arguments.secret, arguments.version.clone());
        let id = match asked {
            Ok(id) => id?,
            Err(refusal) => {
                self.error(key, format!("{}: {}", at(path, call.place), refusal.message));
                return None;
            }
        };
        let if_absent = arguments.default.clone().map_or(IfAbsent::Fail, IfAbsent::Default);
        Some(SecretUse { id, field, treatment: Treatment::default(), if_absent })
    }

    fn error(&mut self, key: &str, message: impl Into<String>) {
        self.entries.report.error(&self.at.join(&KeyPath::of([key])), message);
    }
}

/// Reads a template's file.
fn read(path: &Path) -> Result<String, String> {
    let bytes = bytes_of(path).map_err(|error| format!("cannot read {path:?}: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let lines = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
        format!("{path:?} is not UTF-8, in line {}", lines + 1)
    })
}

/// Reads a regular file, and not for ever.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
