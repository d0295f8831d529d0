//! What is noted of each file: the secrets that it is made of.

use std::collections::BTreeMap;
use std::time::SystemTime;

use secretdir_provider::Held;

use super::life::{FileStamp, Life};
use super::manifest::ManifestEntry;
use crate::bundle::Bundle;
use crate::gather::answers::{self, Answers};
use crate::plan::{Content, Plan, RequestId};

/// Notes what a set is made of.
pub(crate) struct Noting<'n> {
    pub(crate) plan: &'n Plan,
    pub(crate) answers: &'n Answers,
    pub(crate) now: SystemTime,
}

/// What a file has been made into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Of,
    /// It has its default: what is there so is of no version of the secret.
    ByDefault,
    LeftOut,
}

impl Noting<'_> {
    /// Says of each file which secrets it is made of, each once. Of those that are left out only what was made for us is noted.
    pub(crate) fn files(&self, bundle: &Bundle<'_>) -> BTreeMap<String, Vec<ManifestEntry>> {
        let made = bundle.files().map(|file| {
            let made = if file.is_default() { Made::ByDefault } else { Made::Of };
            (file.name.as_str().to_owned(), self.entries(&file.planned.content, made))
        });
        let left_out = bundle.left_out.iter().filter_map(|missing| {
            let content = &self.plan.files.get(&missing.file_name)?.content;
            let makes = content.requests().iter().any(|id| self.plan.issues(*id));
            makes.then(|| (missing.file_name.clone(), self.entries(content, Made::LeftOut)))
        });
        // In one piece: a map that is made of an iterator of unknown length copies it again and again.
        let mut noted = Vec::with_capacity(bundle.len() + bundle.left_out.len());
        noted.extend(made.chain(left_out));
        noted.into_iter().collect()
    }

    fn entries(&self, content: &Content, made: Made) -> Vec<ManifestEntry> {
        let mut requests = content.requests();
        let selected = content.selections();
        requests.extend(selected.flat_map(|selection| answers::selected(selection, self.answers)));
        requests.into_iter().filter_map(|id| self.entry(content, id, made)).collect()
    }

    fn entry(&self, content: &Content, id: RequestId, made: Made) -> Option<ManifestEntry> {
        let (source, request) = (self.plan.sources.get(id.source)?, self.answers.request(id)?);
        let lines = self.plan.issues(id).then(|| self.plan.fingerprint(content));
        let file = (made == Made::LeftOut).then_some(FileStamp::LeftOut);
        if let Some(kept) = self.answers.kept.get(&id) {
            let life = Some(Life { file, ..Life::of(&kept.held, lines) });
            return Some(ManifestEntry { life, ..ManifestEntry::kept(&source.name, request, &kept.held) });
        }
        let secret = self.answers.secret(id);
        let shown = secret.filter(|_| made != Made::ByDefault);
        let life = secret.filter(|secret| lines.is_some() || secret.valid_until().is_some());
        let life = life.map(|secret| Life { file, ..Life::of(&Held::of(secret, self.now), lines) });
        Some(ManifestEntry { life, ..ManifestEntry::new(&source.name, request, shown.map(AsRef::as_ref)) })
    }
}
