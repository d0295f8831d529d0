//! Makes the bytes of each file from the fetched secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use secretdir_template::Given;
use zeroize::Zeroizing;

use super::bytes::Bytes;
use super::fault::{BundleFault, MakeError};
use super::import;
use super::missing::MissingSecret;
use crate::field::{Field, FieldError, JsonSecret, document};
use crate::gather::answers::Answers;
use crate::plan::{Content, Form, IfAbsent, Plan, PlannedTemplate, RequestId, SecretUse, Selection, Slot};

/// The state of the assembly.
pub(super) struct Assembling<'a> {
    plan: &'a Plan,
    answers: &'a Answers,
    /// The parsed JSON secrets. Each is parsed once, however many of its fields are picked.
    read: BTreeMap<RequestId, Result<JsonSecret<'a>, FieldError>>,
    pub(super) left_out: Vec<MissingSecret>,
    pub(super) defaulted: Vec<MissingSecret>,
    /// The files that need a secret which was not requested.
    pub(super) unmade: Vec<String>,
    pub(super) faults: Vec<BundleFault>,
}

/// The result of one use of a secret.
enum Made {
    Bytes(Bytes),
    /// The optional secret or field is missing.
    LeftOut,
    /// The fault has been added.
    Failed,
}

impl<'a> Assembling<'a> {
    /// Starts with the faults found so far.
    pub(super) fn new(plan: &'a Plan, answers: &'a Answers, faults: Vec<BundleFault>) -> Self {
        let (left_out, defaulted) = (Vec::new(), Vec::new());
        Self { plan, answers, read: BTreeMap::new(), left_out, defaulted, unmade: Vec::new(), faults }
    }

    /// Makes one file. Returns `None` if it is left out or cannot be made.
    pub(super) async fn file(&mut self, name: &str, content: &Content) -> Option<Bytes> {
        let uses = content.uses();
        if uses.iter().any(|used| self.answers.unasked.contains(&used.id)) {
            self.unmade.push(name.to_owned());
            return None;
        }
        if uses.iter().any(|used| self.answers.kept.contains_key(&used.id)) {
            return self.carry(name, content);
        }
        match content {
            Content::Secret(used) => self.secret(name, content, used),
            Content::Template(template) => self.template(name, content, template).await,
        }
    }

    /// Carries a file over as it is published.
    fn carry(&mut self, name: &str, content: &Content) -> Option<Bytes> {
        match self.answers.carried.get(name) {
            Some(Some(bytes)) => Some(Bytes::Whole(Arc::clone(bytes))),
            Some(None) => {
                let missing = content.uses().first().and_then(|used| self.missing(name, used));
                self.left_out.extend(missing);
                None
            }
            None => {
                let uses = content.uses();
                let kept = uses.iter().find(|used| self.answers.kept.contains_key(&used.id));
                kept.iter().for_each(|used| drop(self.fail(name, content, used, MakeError::NotFetched)));
                None
            }
        }
    }

    fn secret(&mut self, name: &str, content: &Content, used: &SecretUse) -> Option<Bytes> {
        match self.make(name, content, used) {
            Made::Bytes(bytes) => {
                if matches!(bytes, Bytes::Default(_)) {
                    self.defaulted.extend(self.missing(name, used));
                }
                Some(bytes)
            }
            Made::LeftOut => {
                self.left_out.extend(self.missing(name, used));
                None
            }
            Made::Failed => None,
        }
    }

    /// Renders a file, if all its values can be made.
    async fn template(&mut self, name: &str, content: &Content, planned: &PlannedTemplate) -> Option<Bytes> {
        let slots = planned.names.iter();
        let values = slots.map(|(key, slot)| Some((key.clone(), self.slot(name, content, planned, slot)?)));
        let values: Vec<_> = values.collect();
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        let time_left = self.answers.deadline.remaining();
        let rendered = planned.template.render_async(values, time_left).await;
        rendered
            .map(Bytes::Made)
            .map_err(|error| {
                let (file, place) = (name.to_owned(), planned.at(error.place));
                self.faults.push(BundleFault::Rendering { file, place, error });
            })
            .ok()
    }

    /// Makes the value of one name in a template. Returns `None` if it cannot be made.
    fn slot(
        &mut self,
        file: &str,
        content: &Content,
        planned: &PlannedTemplate,
        slot: &Slot,
    ) -> Option<Given> {
        let (used, form) = match slot {
            Slot::Use { index, form } => (planned.uses.get(*index)?, *form),
            Slot::Selection(selection) => return self.selected(selection),
        };
        let bytes = match self.make(file, content, used) {
            Made::Failed => return None,
            Made::LeftOut => {
                self.defaulted.extend(self.missing(file, used));
                return Some(Given::undefined());
            }
            Made::Bytes(bytes) => bytes,
        };
        if matches!(bytes, Bytes::Default(_)) {
            self.defaulted.extend(self.missing(file, used));
        }
        match form {
            Form::Text => Some(Given::bytes(bytes.get())),
            Form::Document => {
                document(bytes.get()).map_err(|error| self.fail(file, content, used, error.into())).ok()
            }
        }
    }

    /// Makes a map of all secrets below a prefix.
    fn selected(&mut self, selection: &Selection) -> Option<Given> {
        let entries = import::map_of(selection, self.answers);
        let fail = |fault| BundleFault::Selection { selection: Box::new(selection.clone()), fault };
        entries.map_err(|faults| self.faults.extend(faults.into_iter().map(fail))).ok()
    }

    fn make(&mut self, name: &str, content: &Content, used: &SecretUse) -> Made {
        match (self.bytes(used), &used.if_absent) {
            (Ok(Some(bytes)), _) => Made::Bytes(bytes),
            (Ok(None), IfAbsent::Default(default)) => Made::Bytes(Bytes::Default(default.clone())),
            (Ok(None), IfAbsent::LeaveOut) => Made::LeftOut,
            (Ok(None), IfAbsent::Fail) => self.fail(name, content, used, MakeError::NotFetched),
            (Err(error), _) => self.fail(name, content, used, error),
        }
    }

    /// Describes the secret or field that a file lacks.
    fn missing(&self, file: &str, used: &SecretUse) -> Option<MissingSecret> {
        let (source, request) = (self.plan.sources.get(used.id.source)?, self.answers.request(used.id)?);
        // A kept secret exists, so it must be the field that is missing.
        let is_there = self.answers.secret(used.id).is_some() || self.answers.kept.contains_key(&used.id);
        Some(MissingSecret::new(file, &source.name, request, used, is_there))
    }

    /// Adds a fault for a file that cannot be made.
    fn fail(&mut self, file: &str, content: &Content, used: &SecretUse, error: MakeError) -> Made {
        self.faults.push(BundleFault::Making {
            file: file.to_owned(),
            place: content.name_of(|other| other == used),
            source: used.id.source,
            request: self.answers.request(used.id).cloned(),
            error,
        });
        Made::Failed
    }

    /// Makes the bytes for one use of a secret. Returns `None` if the secret or its field is missing and that is no
    /// failure.
    fn bytes(&mut self, used: &SecretUse) -> Result<Option<Bytes>, MakeError> {
        let Some(secret) = self.answers.secret(used.id) else { return Ok(None) };
        let picked = match used.field.as_ref().map(|field| self.pick(field, used.id, secret.expose_secret()))
        {
            Some(Err(error)) if error.is_missing() && used.if_absent != IfAbsent::Fail => return Ok(None),
            picked => picked.transpose()?,
        };
        let value = picked.as_ref().map_or(secret.expose_secret(), |picked| picked);
        Ok(Some(match picked {
            _ if !used.transform.is_none() => Bytes::Made(used.transform.apply(value)?),
            Some(picked) => Bytes::Made(picked),
            None => Bytes::Whole(Arc::clone(secret)),
        }))
    }

    fn pick(
        &mut self,
        field: &Field,
        id: RequestId,
        secret: &'a [u8],
    ) -> Result<Zeroizing<Vec<u8>>, FieldError> {
        match self.read.entry(id).or_insert_with(|| JsonSecret::read(secret)) {
            Ok(secret) => field.pick_from(secret),
            Err(error) => Err(error.clone()),
        }
    }
}
