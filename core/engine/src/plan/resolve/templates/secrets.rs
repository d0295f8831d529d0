//! Resolves the secrets that a template declares. Each has a name, and is one secret or all secrets below a prefix.

use secretdir_provider::{KeyPath, Table, Value};
use secretdir_template::{Declared, Shape, is_name};

use super::Resolving;
use crate::config::entry_section::{FileSection, TemplateSecretSection};
use crate::config::section;
use crate::field::JsonSecret;
use crate::plan::content::{Form, IfAbsent, PlannedTemplate, SecretUse, Slot};
use crate::plan::resolve::selection::Names;
use crate::plan::selection::{IfNone, Selection};

/// One secret, or all secrets below a prefix.
pub(super) enum Secret {
    One(SecretUse, Form),
    Below(Box<Selection>),
}

/// The declared names, including those of invalid secrets, and the secret for each name.
type Secrets = (Vec<Declared>, Vec<(String, Option<Secret>)>);

impl PlannedTemplate {
    pub(super) fn add(&mut self, name: String, secret: Secret) {
        let slot = match secret {
            Secret::One(used, form) => {
                self.uses.push(used);
                Slot::Use { index: self.uses.len() - 1, form }
            }
            Secret::Below(selection) => Slot::Selection(selection),
        };
        self.names.push((name, slot));
    }
}

impl Resolving<'_, '_, '_, '_> {
    pub(super) fn secrets(&mut self, file: &Table) -> Secrets {
        let at = self.at.clone().key(FileSection::SECRETS);
        let table =
            file.get(FileSection::SECRETS).map(|value| section::as_table(value, &at, self.entries.report));
        let mut secrets = Secrets::default();
        for (name, value) in table.flatten().into_iter().flat_map(Table::iter) {
            let at = at.clone().key(name);
            if !is_name(name) {
                let plain = plain(name);
                self.entries.report.error(&at, no_name(plain.as_deref()));
                // The template may use the right name.
                secrets.0.extend(plain.map(|name| Declared { name, shape: Shape::Structured }));
            }
            let (shape, secret) = self.declared(value, &at);
            secrets.0.push(Declared { name: name.to_owned(), shape });
            secrets.1.push((name.to_owned(), secret));
        }
        secrets
    }

    fn declared(&mut self, value: &Value, at: &KeyPath) -> (Shape, Option<Secret>) {
        let Value::Table(table) = value else {
            let found = value.type_name();
            let message =
                format!(r#"expected a table such as {{ source = "NAME", secret = "NAME" }}, found {found}"#);
            self.entries.report.error(at, message);
            return (Shape::Structured, None);
        };
        let section: TemplateSecretSection = section::read(table, at, self.entries.report);
        match (table.contains_key("secret"), table.contains_key("prefix")) {
            (true, false) => {
                let is_text = !table.contains_key("expand");
                (if is_text { Shape::Text } else { Shape::Structured }, self.one(section, table, at))
            }
            (false, true) => (Shape::Structured, self.below(section, table, at)),
            (false, false) => {
                let message = "missing; this, or `prefix` for many secrets";
                (Shape::Structured, self.entries.refuse(at, "secret", message))
            }
            (true, true) => {
                let message = "cannot be combined with `secret`; keep one of them";
                (Shape::Structured, self.entries.refuse(at, "prefix", message))
            }
        }
    }

    fn one(&mut self, section: TemplateSecretSection, table: &Table, at: &KeyPath) -> Option<Secret> {
        self.refuse_all(&TemplateSecretSection::OF_A_PREFIX, table, at, "is only for a `prefix`");
        if table.contains_key("expand") {
            let message = "cannot be combined with `expand`: it makes a text, which is not a JSON document";
            self.refuse_all(&TemplateSecretSection::OF_A_TEXT, table, at, message);
        }
        let field = section.field.as_deref().map(|text| self.entries.field(text, at));
        let transform = self.entries.transform(section.transform(), at);
        let if_absent = self.entries.if_absent(section.optional, section.default.as_deref(), at);
        let form = if section.expand.is_some() { Form::Document } else { Form::Text };
        if let (IfAbsent::Default(default), Form::Document) = (&if_absent, form)
            && let Err(error) = JsonSecret::read(default.as_bytes())
        {
            let message =
                format!("is expanded like the secret: {}", error.to_string().replace("the secret", "it"));
            self.entries.report.error(&at.clone().key("default"), message);
        }
        let id = self.entries.request(&section.source?, &section.secret?, section.version, at)?;
        Some(Secret::One(SecretUse { id, field: field.flatten(), transform, if_absent }, form))
    }

    fn below(&mut self, section: TemplateSecretSection, table: &Table, at: &KeyPath) -> Option<Secret> {
        let message = "cannot be combined with `prefix`, which makes a map of names and texts";
        self.refuse_all(&TemplateSecretSection::OF_A_SECRET, table, at, message);
        let names = Names {
            prefix: section.prefix.as_deref(),
            strip_prefix: section.strip_prefix.as_deref(),
            include: section.include.as_deref(),
            exclude: section.exclude.as_deref(),
        };
        let naming = self.entries.naming(&names, String::new(), at);
        let transform = self.entries.transform(section.transform(), at);
        let if_none = if section.allow_empty == Some(true) { IfNone::Allow } else { IfNone::Fail };
        let what = self.entries.below(&section.source?, section.prefix?, at)?;
        let (label, place) = (at.to_string(), self.config.place_of(at));
        let selection = Selection { label, place, what, naming: naming?, if_none, transform };
        Some(Secret::Below(Box::new(selection)))
    }

    fn refuse_all(&mut self, keys: &[&str], table: &Table, at: &KeyPath, message: &str) {
        for key in keys.iter().filter(|key| table.contains_key(key)) {
            self.entries.report.error(&at.clone().key(*key), message);
        }
    }
}

/// Returns the message for an invalid name. It suggests a similar valid name.
fn no_name(plain: Option<&str>) -> String {
    let instead = plain.map(|plain| format!(": write `{plain}`")).unwrap_or_default();
    format!(
        "cannot be a name in a template: use only ASCII letters, digits and `_`, no digit first, and no reserved word{instead}"
    )
}

/// Returns a similar valid name.
fn plain(name: &str) -> Option<String> {
    let plain = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let plain = if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain };
    is_name(&plain).then_some(plain)
}
