//! The content of each file, and its mode and owner.

use std::sync::Arc;

use atomicdir::Mode;

use super::request::RequestId;
use crate::config::owner::OwnerSpec;
use crate::field::Field;
use secretdir_helpers::Position;
use secretdir_template::Template;

use super::selection::Selection;
use crate::transform::Transform;

/// The mode and owner of a file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedAttributes {
    pub(crate) mode: Mode,
    pub(crate) owner: OwnerSpec,
}

/// A file of the plan.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    pub(crate) content: Content,
    pub(crate) attributes: PlannedAttributes,
}

/// The content of a file.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Secret(SecretUse),
    Template(Arc<PlannedTemplate>),
}

impl Content {
    /// Returns each use of a secret.
    pub(crate) fn uses(&self) -> &[SecretUse] {
        match self {
            Self::Secret(only) => std::slice::from_ref(only),
            Self::Template(template) => &template.uses,
        }
    }

    /// Returns the distinct requests that the content needs.
    pub(crate) fn requests(&self) -> Vec<RequestId> {
        let mut ids = Vec::new();
        for used in self.uses() {
            if !ids.contains(&used.id) {
                ids.push(used.id);
            }
        }
        ids
    }

    /// Returns the name of a secret in the template, or `None` if the file is not a template.
    pub(crate) fn name_of(&self, is_it: impl Fn(&SecretUse) -> bool) -> Option<String> {
        let Self::Template(planned) = self else { return None };
        let position = planned.uses.iter().position(is_it)?;
        let mut names = planned.names.iter();
        let named = names.find(|(_, slot)| matches!(slot, Slot::Use { index, .. } if *index == position));
        named.map(|(name, _)| format!("secrets.{name}"))
    }

    /// Returns the prefixes that a template uses.
    pub(crate) fn selections(&self) -> impl Iterator<Item = &Selection> {
        let names = match self {
            Self::Template(planned) => planned.names.as_slice(),
            Self::Secret(_) => &[],
        };
        names.iter().filter_map(|(_, slot)| match slot {
            Slot::Selection(selection) => Some(&**selection),
            Slot::Use { .. } => None,
        })
    }
}

/// A secret, and the field and transform that make a value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretUse {
    pub(crate) id: RequestId,
    pub(crate) field: Option<Field>,
    pub(crate) transform: Transform,
    pub(crate) if_absent: IfAbsent,
}

/// What happens if the secret, or the field of it, is not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IfAbsent {
    /// The run fails.
    Fail,
    /// The file is left out, or the name in the template stays undefined.
    LeaveOut,
    /// This content is used.
    Default(String),
}

/// A template and the secrets that it uses.
#[derive(Debug)]
pub(crate) struct PlannedTemplate {
    pub(crate) template: Template,
    /// Its name in errors: its path as it is configured. None if its text is in the configuration itself.
    pub(crate) path: Option<String>,
    /// The single secrets that it uses, without those of a prefix.
    pub(crate) uses: Vec<SecretUse>,
    /// Each name that it can use, and the value of the name.
    pub(crate) names: Vec<(String, Slot)>,
}

/// The value of a name in a template.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    /// One of its secrets, by position.
    Use { index: usize, form: Form },
    /// All secrets below a prefix: a map of names and texts.
    Selection(Box<Selection>),
}

/// The form of a secret in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A text, or bytes.
    Text,
    /// A parsed JSON document.
    Document,
}

impl PlannedTemplate {
    /// Returns a position in the template as text: `app.env.tmpl:3:7`, or `template-text:3:7`.
    pub(crate) fn at(&self, place: Position) -> String {
        located(self.path.as_deref(), place)
    }
}

/// Returns a position in a template as text.
pub(super) fn located(path: Option<&str>, place: Position) -> String {
    format!("{}:{place}", path.unwrap_or("template-text"))
}
