//! What files and imports have in common: a source that is asked for a secret, and a mode and owner of their own.

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
use secretdir_template::Sandbox;

/// What an entry is resolved with.
pub(super) struct Entries<'a, 'c> {
    pub(super) directory: &'a Directory,
    pub(super) sources: &'a mut Sources,
    pub(super) report: &'a mut Report<'c>,
    /// Where templates are read.
    pub(super) sandbox: &'a Sandbox,
}

/// Why a source cannot be asked for a secret.
pub(super) struct AskRefusal {
    /// The key that is to blame; none for the request as a whole.
    key: Option<&'static str>,
    pub(super) message: String,
}

impl Entries<'_, '_> {
    /// Fills in what an entry inherits, and points the reports to where it comes from.
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

    /// Asks a source for a secret, and reports what speaks against it. Returns where in the plan both are.
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

    /// Asks a source for a secret. `None` if there is something wrong with the source itself, which has been reported.
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

    /// Reads a field.
    pub(super) fn field(&mut self, text: &str, at: &KeyPath) -> Option<Field> {
        let at = at.clone().key("field");
        Field::parse(text).map_err(|error| self.report.error(&at, error.to_string())).ok()
    }

    /// Reads what becomes of a secret that is not found.
    pub(super) fn if_absent(
        &mut self,
        optional: Option<bool>,
        default: Option<&str>,
        at: &KeyPath,
    ) -> IfAbsent {
        match (optional, default) {
            (Some(true), Some(_)) => {
                let message = "with `optional` it would be left out: say one or the other";
                self.report.error(&at.clone().key("default"), message);
                IfAbsent::Fail
            }
            (Some(true), None) => IfAbsent::LeaveOut,
            (_, Some(default)) => IfAbsent::Default(default.to_owned()),
            (_, None) => IfAbsent::Fail,
        }
    }

    /// Finds a source.
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
