//! Finds out what of the current generation may stay: see [`Holdings`].

use std::collections::BTreeMap;
use std::sync::Arc;

use atomicdir::{FileName, Snapshot};
use secretdir_provider::Secret;
use zeroize::Zeroizing;

use super::life::{FileStamp, Life};
use super::manifest::{Manifest, ManifestEntry};
use crate::field::Field;
use crate::gather::holdings::{Holding, Holdings, Noted};
use crate::plan::{Content, IfAbsent, Imported, Plan, RequestId, SecretUse};

/// The current generation.
pub(crate) struct Holder<'h> {
    plan: &'h Plan,
    manifest: &'h Manifest,
    snapshot: &'h Snapshot,
}

/// One file that may stay.
struct Carried {
    name: String,
    bytes: Option<Arc<Secret>>,
    life: Life,
    revision: Option<String>,
    origin: Option<String>,
}

impl<'h> Holder<'h> {
    pub(crate) fn new(plan: &'h Plan, manifest: &'h Manifest, snapshot: &'h Snapshot) -> Self {
        Self { plan, manifest, snapshot }
    }

    /// Returns all that is held, with the files that are made of it.
    pub(crate) fn holdings(&self) -> Holdings {
        let mut holdings = Holdings::default();
        for id in self.plan.issuing() {
            let Some(files) = self.files(id) else { continue };
            let Some(first) = files.first() else { continue };
            let held = first.life.held(first.revision.as_deref(), first.origin.as_deref());
            let names = files.iter().map(|file| file.name.clone()).collect();
            holdings.held.insert(id, Holding { held, files: names });
            for file in files {
                holdings.beside.insert(file.name.clone(), self.beside(&file.name));
                holdings.carried.insert(file.name, file.bytes);
            }
        }
        holdings
    }

    /// Returns the files that are made of a secret; `None` if one of them is not what the plan makes, or not what was published.
    fn files(&self, id: RequestId) -> Option<Vec<Carried>> {
        let planned = self.plan.files.iter().filter(|(_, file)| file.content.requests().contains(&id));
        let planned = planned.map(|(name, file)| (name.to_string(), file.content.clone()));
        let contents: BTreeMap<_, _> = planned.chain(self.imported(id)).collect();
        contents.into_iter().map(|(name, content)| self.carried(name, id, &content)).collect()
    }

    /// Returns the noted files that imports make of a secret.
    fn imported(&self, id: RequestId) -> impl Iterator<Item = (String, Content)> {
        let imports = self.plan.imports.iter().map(|import| &import.selection);
        let imports = imports.filter(move |selection| selection.what == Imported::Keys(id));
        imports.flat_map(move |selection| {
            let files = self.manifest.files.keys().filter(|name| self.plan.files.get(name).is_none());
            files.filter_map(move |name| {
                let field = Some(Field::key(&selection.naming.name_of(name)?));
                let (transform, if_absent) = (selection.transform.clone(), IfAbsent::Fail);
                self.entry(name, id)?;
                Some((name.clone(), Content::Secret(SecretUse { id, field, transform, if_absent })))
            })
        })
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

    /// Returns what is noted of a secret that a file was made of.
    fn entry(&self, file: &str, id: RequestId) -> Option<&ManifestEntry> {
        let (source, request) = (self.plan.sources.get(id.source)?, self.plan.request(id)?);
        self.manifest.files.get(file)?.iter().find(|entry| {
            entry.source == source.name
                && entry.secret == request.name()
                && entry.version.as_deref() == request.version()
        })
    }

    /// Reads a file, if it is the one that was published.
    fn read(&self, name: &str, stamp: &FileStamp) -> Option<Secret> {
        let name = FileName::new(name).ok()?;
        let found = self.snapshot.open_file(&name).ok()?.metadata().ok()?;
        if !found.is_file() || found.len() > self.plan.gather.max_bytes || FileStamp::of(&found) != *stamp {
            return None;
        }
        let mut bytes = Zeroizing::new(Vec::new());
        self.snapshot.read_into(&name, &mut bytes).ok()?;
        Some(Secret::new(std::mem::take(&mut *bytes)))
    }

    /// Returns what a file was made of besides secrets that were made for us.
    fn beside(&self, file: &str) -> Vec<Noted> {
        let entries = self.manifest.files.get(file).into_iter().flatten();
        let others = entries.filter(|entry| entry.life.as_ref().is_none_or(|life| life.lines.is_none()));
        let noted = others.map(|entry| Noted {
            source: entry.source.clone(),
            secret: entry.secret.clone(),
            version: entry.version.clone(),
            revision: entry.revision.clone(),
        });
        noted.collect()
    }
}
