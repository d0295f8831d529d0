//! Finds the issued secrets of the current generation that may be kept: see [`HeldSecrets`].

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use atomicdir::{FileName, Snapshot};
use secretdir_provider::Secret;
use zeroize::Zeroizing;

use super::life::{FileStamp, Life};
use super::manifest::{Manifest, ManifestEntry};
use crate::field::Field;
use crate::gather::holdings::{HeldSecrets, Holding, Noted};
use crate::plan::{Content, IfAbsent, Plan, RequestId, SecretUse};

/// The current generation, with its note and the plan.
pub(crate) struct HeldSecretFinder<'h> {
    plan: &'h Plan,
    manifest: &'h Manifest,
    snapshot: &'h Snapshot,
}

/// A file that may be carried over.
struct Carried {
    name: String,
    bytes: Option<Arc<Secret>>,
    life: Life,
    revision: Option<String>,
    origin: Option<String>,
}

impl<'h> HeldSecretFinder<'h> {
    pub(crate) fn new(plan: &'h Plan, manifest: &'h Manifest, snapshot: &'h Snapshot) -> Self {
        Self { plan, manifest, snapshot }
    }

    /// Returns all held secrets, with the files that are made of them.
    pub(crate) fn holdings(&self) -> HeldSecrets {
        let mut holdings = HeldSecrets::default();
        for id in self.plan.issuing() {
            let Some(files) = self.files(id) else { continue };
            // A file with its default does not tell the revision.
            let told = files.iter().find(|file| file.revision.is_some());
            let Some(first) = told.or(files.first()) else { continue };
            let held = first.life.held(first.revision.as_deref(), first.origin.as_deref());
            let names = files.iter().map(|file| file.name.clone()).collect();
            let keys = self.keys(id, &files);
            holdings.held.insert(id, Holding { held, files: names, keys });
            for file in files {
                holdings.absent.extend(self.absent(&file.name));
                holdings.beside.insert(file.name.clone(), self.beside(&file.name));
                holdings.carried.insert(file.name, file.bytes);
            }
        }
        holdings
    }

    /// Returns the files that are made of a secret. Returns `None` if one of them differs from the plan, or has changed
    /// since it was published.
    fn files(&self, id: RequestId) -> Option<Vec<Carried>> {
        let planned = self.plan.files.iter().filter(|(_, file)| file.content.requests().contains(&id));
        let planned = planned.map(|(name, file)| (name.to_string(), file.content.clone()));
        let contents: BTreeMap<_, _> = planned.chain(self.imported(id)).collect();
        contents.into_iter().map(|(name, content)| self.carried(name, id, &content)).collect()
    }

    /// Returns the noted files that imports make of a secret. The fingerprint in the note shows which import and key made
    /// each file.
    fn imported(&self, id: RequestId) -> impl Iterator<Item = (String, Content)> {
        let files = self.manifest.files.keys().filter(|name| self.plan.files.get(name).is_none());
        files.filter_map(move |name| {
            let lines = self.entry(name, id)?.life.as_ref().and_then(|life| life.lines);
            let mut candidates = self.candidates(name, id).map(|(_, _, content)| content).peekable();
            // If no candidate matches, the lines for this file have changed.
            let first = candidates.peek().cloned();
            let made_so = candidates.find(|content| Some(self.plan.fingerprint(content)) == lines);
            Some((name.clone(), made_so.or(first)?))
        })
    }

    /// Returns the imports that may have made a file of a secret. Each comes with its label, the key, and the content of
    /// the file.
    fn candidates(&self, file: &str, id: RequestId) -> impl Iterator<Item = (String, String, Content)> {
        self.plan.keys_of(id).filter_map(move |selection| {
            let key = selection.naming.name_of(file)?;
            let (field, transform) = (Some(Field::key(&key)), selection.transform.clone());
            let content = Content::Secret(SecretUse { id, field, transform, if_absent: IfAbsent::Fail });
            Some((selection.label.clone(), key, content))
        })
    }

    /// Returns the keys that imports made files of, each with the label of its import.
    fn keys(&self, id: RequestId, files: &[Carried]) -> Vec<(String, String)> {
        let keys = files.iter().filter(|file| self.plan.files.get(&file.name).is_none()).flat_map(|file| {
            let candidates = self.candidates(&file.name, id);
            let made_so =
                candidates.filter(|(_, _, content)| Some(self.plan.fingerprint(content)) == file.life.lines);
            made_so.map(|(label, key, _)| (label, key))
        });
        keys.collect()
    }

    fn carried(&self, name: String, id: RequestId, content: &Content) -> Option<Carried> {
        let entry = self.entry(&name, id)?;
        let life = entry.life.clone()?;
        if life.lines != Some(self.plan.fingerprint(content)) {
            return None;
        }
        let bytes = match life.file.as_ref()? {
            FileStamp::LeftOut => None,
            stamp => Some(Arc::new(self.read(&name, stamp)?)),
        };
        let (revision, origin) = (entry.revision.clone(), entry.origin.clone());
        Some(Carried { name, bytes, life, revision, origin })
    }

    /// Returns the entry in the note for a secret of a file.
    fn entry(&self, file: &str, id: RequestId) -> Option<&ManifestEntry> {
        self.manifest.files.get(file)?.iter().find(|entry| self.is_of(entry, id))
    }

    fn is_of(&self, entry: &ManifestEntry, id: RequestId) -> bool {
        let (Some(source), Some(request)) = (self.plan.sources.get(id.source), self.plan.request(id)) else {
            return false;
        };
        let noted = (entry.source.as_str(), entry.secret.as_str(), entry.version.as_deref());
        noted == (source.name.as_str(), request.name(), request.version())
    }

    /// Reads a file, if it has not changed since it was published.
    fn read(&self, name: &str, stamp: &FileStamp) -> Option<Secret> {
        let name = FileName::new(name).ok()?;
        // The file is opened only once, because its owner may replace it at any moment.
        let file = self.snapshot.open_file(&name).ok()?;
        let found = file.metadata().ok()?;
        if !found.is_file() || found.len() > self.plan.gather.max_bytes {
            return None;
        }
        let length = usize::try_from(found.len()).ok()?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.checked_add(1)?));
        (&file).take(found.len().checked_add(1)?).read_to_end(&mut bytes).ok()?;
        let is_whole = bytes.len() == length && FileStamp::of(&file.metadata().ok()?) == *stamp;
        is_whole.then(|| Secret::new(std::mem::take(&mut *bytes)))
    }

    /// Returns the secrets for a file that a store was asked to issue and did not have.
    fn absent(&self, file: &str) -> Vec<(String, RequestId)> {
        let entries = self.manifest.files.get(file).into_iter().flatten();
        let absent = entries.filter(|entry| entry.life.is_none());
        let ids = absent.filter_map(|entry| self.plan.issuing().find(|id| self.is_of(entry, *id)));
        ids.map(|id| (file.to_owned(), id)).collect()
    }

    /// Returns whether the secret of an entry is one that the plan lets a store issue.
    fn is_issued(&self, entry: &ManifestEntry) -> bool {
        self.plan.issuing().any(|id| self.is_of(entry, id))
    }

    /// Returns the secrets of a file that are not issued for this host.
    fn beside(&self, file: &str) -> Vec<Noted> {
        let entries = self.manifest.files.get(file).into_iter().flatten();
        let others = entries.filter(|entry| !self.is_issued(entry));
        let noted = others.map(|entry| Noted {
            source: entry.source.clone(),
            secret: entry.secret.clone(),
            version: entry.version.clone(),
            revision: entry.revision.clone(),
        });
        noted.collect()
    }
}
