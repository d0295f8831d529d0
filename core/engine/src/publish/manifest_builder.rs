//! Makes the entries of a note: the secrets that each file is made of.

use std::collections::BTreeMap;
use std::time::SystemTime;

use secretdir_provider::Held;

use super::life::{FileStamp, Life};
use super::manifest::ManifestEntry;
use crate::bundle::Bundle;
use crate::gather::answers::{self, Answers};
use crate::plan::{Content, Plan, RequestId};

/// The context in which the entries are made.
pub(crate) struct ManifestBuilder<'n> {
    pub(crate) plan: &'n Plan,
    pub(crate) answers: &'n Answers,
    pub(crate) now: SystemTime,
}

/// How a file was made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Of,
    /// It has its default, which belongs to no version of the secret.
    ByDefault,
    LeftOut,
}

impl ManifestBuilder<'_> {
    /// Returns the secrets of each file, each once. A file that was left out is included only if its secret is issued for
    /// this host.
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
        // Collected in a vector first, because a map made from an iterator of unknown length is copied again and again.
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
