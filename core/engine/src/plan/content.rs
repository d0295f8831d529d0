//! What each file is made of, and whose it is.

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

/// How a file is made.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    pub(crate) content: Content,
    pub(crate) attributes: PlannedAttributes,
}

/// What a file is made of.
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

    /// Returns each request that it is made of, once.
    pub(crate) fn requests(&self) -> Vec<RequestId> {
        let mut ids = Vec::new();
        for used in self.uses() {
            if !ids.contains(&used.id) {
                ids.push(used.id);
            }
        }
        ids
    }

    /// Says under which name a template uses a secret; `None` if this is no template.
    pub(crate) fn name_of(&self, is_it: impl Fn(&SecretUse) -> bool) -> Option<String> {
        let Self::Template(planned) = self else { return None };
        let position = planned.uses.iter().position(is_it)?;
        let mut names = planned.names.iter();
        let named = names.find(|(_, slot)| matches!(slot, Slot::Use { index, .. } if *index == position));
        named.map(|(name, _)| format!("secrets.{name}"))
    }

    /// Returns what a template takes of whole sources.
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

/// A secret, and what is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretUse {
    pub(crate) id: RequestId,
    pub(crate) field: Option<Field>,
    pub(crate) transform: Transform,
    pub(crate) if_absent: IfAbsent,
}

/// What becomes of a file whose secret, or whose field of it, is not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IfAbsent {
    /// The run fails.
    Fail,
    /// There is no such file.
    LeaveOut,
    /// It has this content.
    Default(String),
}

/// A template, and the secrets that it is rendered from.
#[derive(Debug)]
pub(crate) struct PlannedTemplate {
    pub(crate) template: Template,
    /// What it is called in an error: its path as it is configured; none if it stands in the configuration itself.
    pub(crate) path: Option<String>,
    /// The single secrets that it uses.
    pub(crate) uses: Vec<SecretUse>,
    /// Each name that it has for something, and for what.
    pub(crate) names: Vec<(String, Slot)>,
}

/// What a template has under one name.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    /// One of its secrets, by its position.
    Use { index: usize, form: Form },
    /// All secrets below a prefix: a map of names and texts.
    Selection(Box<Selection>),
}

/// What becomes of a secret in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A text, or bytes.
    Text,
    /// A JSON document, taken apart.
    Document,
}

impl PlannedTemplate {
    /// Names a place in the template: `app.env.tmpl:3:7`, or `template-text:3:7`.
    pub(crate) fn at(&self, place: Position) -> String {
        located(self.path.as_deref(), place)
    }
}

/// Names a position in a template.
pub(super) fn located(path: Option<&str>, place: Position) -> String {
    format!("{}:{place}", path.unwrap_or("template-text"))
}
