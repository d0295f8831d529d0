//! The common part of files and imports: a request to a source, and a mode and owner.

use atomicdir::Mode;
use secretdir_provider::{KeyPath, SecretRequest, SourceError};

use super::advice;
use super::directory::{self, Directory};
use super::sources::{Found, Sources};
use crate::config::owner::OwnerSpec;
use crate::config::report::Report;
use crate::field::Field;
use crate::plan::content::{IfAbsent, PlannedAttributes};
use crate::plan::request::RequestId;
use crate::report::describe;

/// The context in which entries are resolved.
pub(super) struct Entries<'a, 'c> {
    pub(super) directory: &'a Directory,
    pub(super) sources: &'a mut Sources,
    pub(super) report: &'a mut Report<'c>,
}

/// The reason why a request is refused.
pub(super) struct AskRefusal {
    /// The key with the mistake. None if the request as a whole is wrong.
    key: Option<&'static str>,
    pub(super) message: String,
}

impl Entries<'_, '_> {
    /// Adds the inherited attributes of an entry. Reports point to the key that an attribute comes from.
    pub(super) fn attributes(
        &mut self,
        mode: Option<Mode>,
        own: OwnerSpec,
        at: &KeyPath,
    ) -> PlannedAttributes {
        let inherited = &self.directory.files;
        advice::note_owner(&own, at, self.report);
        let own_mode = mode;
        let mode_at = || match own_mode {
            Some(_) => at.clone().key("mode"),
            None => KeyPath::from(["directory", "file-mode"]),
        };
        if let Some(mode) = mode {
            directory::check_file_mode(mode, &mode_at(), self.report);
        }
        let mode = mode.unwrap_or(inherited.mode);
        advice::on_mode(mode, self.directory.attributes.mode, mode_at, self.report);
        let owner = OwnerSpec {
            user: own.user.or_else(|| inherited.owner.user.clone()),
            group: own.group.or_else(|| inherited.owner.group.clone()),
        };
        PlannedAttributes { mode, owner }
    }

    /// Adds a request for a secret, or reports why it is refused. Returns the position of the request in the plan.
    pub(super) fn request(
        &mut self,
        source: &str,
        secret: &str,
        version: Option<String>,
        at: &KeyPath,
    ) -> Option<RequestId> {
        self.ask(source, secret, version).unwrap_or_else(|refusal| {
            let at = refusal.key.map_or(at.clone(), |key| at.clone().key(key));
            self.report.error(&at, refusal.message);
            None
        })
    }

    /// Adds a request for a secret. Returns `None` if the source itself is invalid, which has been reported.
    pub(super) fn ask(
        &mut self,
        source: &str,
        secret: &str,
        version: Option<String>,
    ) -> Result<Option<RequestId>, AskRefusal> {
        let found = self.sources.find(source);
        let Found::Source(position) = found.map_err(|message| AskRefusal { key: Some("source"), message })?
        else {
            return Ok(None);
        };
        let request = SecretRequest::new(secret);
        let request = match version {
            Some(version) => request.with_version(version),
            None => request,
        };
        let asked = self.sources.request(position, request);
        let refused = |error| AskRefusal { key: None, message: refused(source, secret, &error) };
        Ok(Some(RequestId { source: position, request: asked.map_err(refused)? }))
    }

    /// Parses a field, or reports its error.
    pub(super) fn field(&mut self, text: &str, at: &KeyPath) -> Option<Field> {
        let at = at.clone().key("field");
        Field::parse(text).map_err(|error| self.report.error(&at, error.to_string())).ok()
    }

    /// Resolves what happens if a secret is not found.
    pub(super) fn if_absent(
        &mut self,
        optional: Option<bool>,
        default: Option<&str>,
        at: &KeyPath,
    ) -> IfAbsent {
        match (optional, default) {
            (Some(true), Some(_)) => {
                let message = "cannot be combined with `optional`; keep one of them";
                self.report.error(&at.clone().key("default"), message);
                IfAbsent::Fail
            }
            (Some(true), None) => IfAbsent::LeaveOut,
            (_, Some(default)) => IfAbsent::Default(default.to_owned()),
            (_, None) => IfAbsent::Fail,
        }
    }

    /// Finds a source, or reports that it is unknown.
    pub(super) fn source(&mut self, name: &str, at: &KeyPath) -> Option<usize> {
        match self.sources.find(name) {
            Ok(Found::Source(source)) => Some(source),
            Ok(Found::Broken) => None,
            Err(message) => {
                self.report.error(&at.clone().key("source"), message);
                None
            }
        }
    }
}

fn refused(source: &str, secret: &str, error: &SourceError) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("source `{source}` cannot have a secret `{secret}`: {}{hint}", describe(error))
}
