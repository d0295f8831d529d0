//! Makes each file's bytes out of what was fetched.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::bytes::Bytes;
use super::fault::{BundleFault, MakeError};
use super::missing::MissingSecret;
use crate::field::{Field, FieldError, JsonSecret};
use crate::gather::answers::Answers;
use crate::plan::{Content, IfAbsent, Plan, PlannedTemplate, RequestId, SecretUse};
use crate::template::Sandbox;

/// The assembling so far.
pub(super) struct Assembling<'a> {
    plan: &'a Plan,
    answers: &'a Answers,
    /// The secrets of which fields are picked: each is read once, however many.
    read: BTreeMap<RequestId, Result<JsonSecret<'a>, FieldError>>,
    pub(super) left_out: Vec<MissingSecret>,
    pub(super) defaulted: Vec<MissingSecret>,
    pub(super) faults: Vec<BundleFault>,
    /// Where templates are rendered.
    sandbox: Sandbox,
}

/// What came of one use of a secret.
enum Made {
    Bytes(Bytes),
    /// It is not there, and need not be.
    LeftOut,
    /// The failure has been noted.
    Failed,
}

impl<'a> Assembling<'a> {
    /// Starts, with what has failed already.
    pub(super) fn new(plan: &'a Plan, answers: &'a Answers, faults: Vec<BundleFault>) -> Self {
        let (left_out, defaulted) = (Vec::new(), Vec::new());
        Self {
            plan,
            answers,
            read: BTreeMap::new(),
            left_out,
            defaulted,
            faults,
            sandbox: Sandbox::default(),
        }
    }

    /// Makes one file; `None` if it is left out, or cannot be made.
    pub(super) async fn file(&mut self, name: &str, content: &Content) -> Option<Bytes> {
        match content {
            Content::Secret(used) => self.secret(name, content, used),
            Content::Template(template) => self.template(name, content, template).await,
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

    /// Renders a file, if all that goes into it can be made.
    async fn template(&mut self, name: &str, content: &Content, planned: &PlannedTemplate) -> Option<Bytes> {
        let made: Vec<_> = planned.uses.iter().map(|used| self.make(name, content, used)).collect();
        let mut values = Vec::new();
        for (made, used) in made.iter().zip(&planned.uses) {
            match made {
                Made::Bytes(bytes) => values.push(bytes),
                // A template has no part that may be missing.
                Made::LeftOut => {
                    self.fail(name, content, used, MakeError::NotFetched);
                    return None;
                }
                Made::Failed => return None,
            }
        }
        let absent = values.iter().zip(&planned.uses).filter(|(value, _)| matches!(value, Bytes::Default(_)));
        let absent: Vec<_> = absent.filter_map(|(_, used)| self.missing(name, used)).collect();
        self.defaulted.extend(absent);
        let values: Vec<_> = values.into_iter().map(Bytes::get).collect();
        let rendered = planned
            .template
            .render_beside(&values, self.answers.deadline.remaining(), &self.sandbox)
            .await
            .map(Bytes::Made);
        rendered
            .map_err(|error| {
                let (file, place) = (name.to_owned(), planned.at(error.place));
                self.faults.push(BundleFault::Rendering { file, place, error });
            })
            .ok()
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

    /// Says what a file does without.
    fn missing(&self, file: &str, used: &SecretUse) -> Option<MissingSecret> {
        let (source, request) = (self.plan.sources.get(used.id.source)?, self.answers.request(used.id)?);
        let is_there = self.answers.secret(used.id).is_some();
        Some(MissingSecret::new(file, &source.name, request, used, is_there))
    }

    /// Notes that a file cannot be made.
    fn fail(&mut self, file: &str, content: &Content, used: &SecretUse, error: MakeError) -> Made {
        self.faults.push(BundleFault::Making {
            file: file.to_owned(),
            place: content.place_of(|other| other == used),
            source: used.id.source,
            request: self.answers.request(used.id).cloned(),
            error,
        });
        Made::Failed
    }

    /// Makes bytes of a secret. `None` if there is no secret, or no such field of it, and that is no failure.
    fn bytes(&mut self, used: &SecretUse) -> Result<Option<Bytes>, MakeError> {
        let Some(secret) = self.answers.secret(used.id) else { return Ok(None) };
        let picked = match used.field.as_ref().map(|field| self.pick(field, used.id, secret.expose_secret()))
        {
            Some(Err(error)) if error.is_missing() && used.if_absent != IfAbsent::Fail => return Ok(None),
            picked => picked.transpose()?,
        };
        let value = picked.as_ref().map_or(secret.expose_secret(), |picked| picked);
        Ok(Some(match picked {
            _ if !used.treatment.is_none() => Bytes::Made(used.treatment.apply(value)?),
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
