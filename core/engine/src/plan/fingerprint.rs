//! Fingerprints of the lines of a configuration that decide how a file is made.
//!
//! A published file may be carried over to the next generation instead of being made again, if none of these lines have
//! changed. A fingerprint covers only the configuration, and no value. Another version of the command may compute another
//! fingerprint for the same lines. Then the file is made again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use secretdir_provider::{SecretRequest, Table, Value};

use super::content::{Content, SecretUse, Slot};
use super::planned::Plan;
use super::request::RequestId;
use super::selection::{Imported, Selection};

/// Fingerprints the settings of a source.
pub(super) fn of_settings(settings: &Table) -> u64 {
    let mut hasher = DefaultHasher::new();
    add_table(settings, &mut hasher);
    hasher.finish()
}

fn add_table(table: &Table, hasher: &mut DefaultHasher) {
    table.len().hash(hasher);
    for (key, value) in table {
        key.hash(hasher);
        add_value(value, hasher);
    }
}

fn add_value(value: &Value, hasher: &mut DefaultHasher) {
    value.type_name().hash(hasher);
    match value {
        Value::String(text) => text.hash(hasher),
        Value::Integer(number) => number.hash(hasher),
        Value::Float(number) => number.to_bits().hash(hasher),
        Value::Boolean(is_true) => is_true.hash(hasher),
        Value::Array(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| add_value(item, hasher));
        }
        Value::Table(table) => add_table(table, hasher),
        // For a type of a later version, only its name counts.
        _ => {}
    }
}

impl Plan {
    /// Fingerprints everything in the configuration that decides how a file is made. Positions in the plan do not count, so
    /// adding another file changes nothing.
    pub(crate) fn fingerprint(&self, content: &Content) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Content::Template(template) = content {
            template.template.text().hash(&mut hasher);
            for (name, slot) in &template.names {
                name.hash(&mut hasher);
                match slot {
                    Slot::Use { index, form } => format!("{index} {form:?}").hash(&mut hasher),
                    Slot::Selection(selection) => self.add_selection(selection, &mut hasher),
                }
            }
        }
        content.uses().iter().for_each(|used| self.add_use(used, &mut hasher));
        content.requests().into_iter().for_each(|id| self.add_imports(id, &mut hasher));
        hasher.finish()
    }

    fn add_use(&self, used: &SecretUse, hasher: &mut DefaultHasher) {
        let request = self.request(used.id);
        let (field, transform, if_absent) = (&used.field, &used.transform, &used.if_absent);
        let request = request.map(|request| (request.name(), request.version()));
        format!("{request:?} {field:?} {transform:?} {if_absent:?}").hash(hasher);
        self.add_source(used.id.source, hasher);
    }

    /// Adds the imports of the keys of a secret, and the files that win over them. They decide where each part of the
    /// secret goes.
    fn add_imports(&self, id: RequestId, hasher: &mut DefaultHasher) {
        for selection in self.keys_of(id) {
            format!("{:?} {:?}", selection.naming, selection.transform).hash(hasher);
            let wins =
                self.files.iter().filter(|(name, _)| selection.naming.name_of(name.as_str()).is_some());
            wins.for_each(|(name, _)| name.as_str().hash(hasher));
        }
    }

    fn add_selection(&self, selection: &Selection, hasher: &mut DefaultHasher) {
        let source = match &selection.what {
            Imported::Below { source, prefix } => {
                prefix.hash(hasher);
                *source
            }
            Imported::Keys(id) => id.source,
        };
        self.add_source(source, hasher);
        format!("{:?} {:?}", selection.naming, selection.transform).hash(hasher);
    }

    fn add_source(&self, number: usize, hasher: &mut DefaultHasher) {
        let source = self.sources.get(number);
        source.map(|source| (&source.name, source.provider, source.fingerprint)).hash(hasher);
    }

    /// Returns a request of the plan.
    pub(crate) fn request(&self, id: RequestId) -> Option<&SecretRequest> {
        self.sources.get(id.source)?.requests.get(id.request)
    }
}
