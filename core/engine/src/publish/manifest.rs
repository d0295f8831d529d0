//! The note of a generation: the origin of each file, and whether its change has been announced.
//!
//! It never contains a value or a hash of one, because the hash of a short secret reveals it.

use std::collections::BTreeMap;
use std::time::SystemTime;
use std::{fmt, fs};

use schemars::JsonSchema;
use secretdir_provider::{Held, Secret, SecretRequest};
use serde::{Deserialize, Serialize};

use super::life::{self, FileStamp, Life};
use crate::plan::Plan;

/// The content of a note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Manifest {
    /// Whether the command of `[on-change]` has succeeded for this generation. Absent if none was configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_change: Option<Announcement>,
    /// The failures of the command for this generation. Absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<Attempts>,
    /// The configuration that published the generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publisher: Option<Publisher>,
    /// The files of the generation, and the secrets of each.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, Vec<ManifestEntry>>,
}

/// The configuration that published a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Publisher {
    /// The absolute path of the configuration file, as text. Symbolic links in its folder are resolved.
    pub config: String,
    /// The profile, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// The number of failures of the command in a row, and the date of the last one in seconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Attempts {
    pub(crate) failed: usize,
    pub(crate) last: u64,
    /// The fingerprint of the command. Another command has not failed.
    #[serde(default)]
    pub(crate) command: u64,
}

/// Whether a change has been announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Announcement {
    /// The command has not run or not succeeded. A run repeats it.
    Pending,
    /// The command has succeeded.
    Done,
}

/// One secret that a file is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ManifestEntry {
    pub(crate) source: String,
    pub(crate) secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    /// The requested version, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Its validity, if the store tells it or if the secret was issued for this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) life: Option<Life>,
}

impl Publisher {
    /// Returns the publisher of a plan, or none if the configuration is not a file, because all pipes have similar names.
    /// Symbolic links in the folder are resolved. The name of the file is kept, because it may be a link that leads to each
    /// version in turn.
    pub(crate) fn of(plan: &Plan) -> Option<Self> {
        let folder = plan.folder.as_ref()?;
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
        let name = plan.config_file().file_name()?;
        Some(Self { config: folder.join(name).display().to_string(), profile: plan.profile.clone() })
    }
}

impl fmt::Display for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration `{}`", self.config)?;
        match &self.profile {
            Some(profile) => write!(f, " with profile `{profile}`"),
            None => Ok(()),
        }
    }
}

impl Manifest {
    /// Makes the manifest of a new generation. If there is a command, its announcement is pending.
    pub(crate) fn new(
        has_command: bool,
        publisher: Option<Publisher>,
        files: BTreeMap<String, Vec<ManifestEntry>>,
    ) -> Self {
        let on_change = has_command.then_some(Announcement::Pending);
        Self { on_change, attempts: None, publisher, files }
    }

    /// Copies the state of the announcement from another manifest.
    pub(crate) fn with_announcement_of(self, other: &Self) -> Self {
        Self { on_change: other.on_change, attempts: other.attempts, ..self }
    }

    /// Makes a manifest that says only that the announcement is pending.
    pub(crate) fn pending() -> Self {
        Self { on_change: Some(Announcement::Pending), ..Self::default() }
    }

    /// Parses a note. Returns `None` if secretdir did not write it.
    pub(crate) fn parse(note: &[u8]) -> Option<Self> {
        serde_json::from_slice(note).ok()
    }

    pub(crate) fn to_note(&self) -> Vec<u8> {
        // A map of strings can always be serialised.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Adds the stamp of each file that may be carried over later.
    pub(crate) fn stamp(&mut self, look: impl Fn(&str) -> Option<FileStamp>) {
        for (name, life) in self.made_lives() {
            if life.file.is_none() {
                life.file = look(name);
            }
        }
    }

    /// Copies the stamps of files from another manifest of the same generation. Also copies the validity of each secret
    /// that is still the same.
    pub(crate) fn with_lives_of(mut self, other: &Self) -> Self {
        // Few secrets have a known validity.
        let has_life = |entries: &[ManifestEntry]| entries.iter().any(|entry| entry.life.is_some());
        for (name, entries) in self.files.iter_mut().filter(|(_, entries)| has_life(entries)) {
            let Some(known) = other.files.get(name) else { continue };
            let stamp = known.iter().find_map(|entry| entry.life.as_ref()?.file.clone());
            for entry in entries {
                let same = known.iter().find(|known| known.is_of_the_same(entry));
                match (&mut entry.life, same.and_then(|same| same.life.as_ref())) {
                    (Some(life), _) if life.lines.is_some() && life.file.is_none() => {
                        life.file.clone_from(&stamp)
                    }
                    (Some(life), Some(known)) if life.is_about(known) => *life = known.clone(),
                    _ => {}
                }
            }
        }
        self
    }

    fn made_lives(&mut self) -> impl Iterator<Item = (&String, &mut Life)> {
        let entries = self.files.iter_mut();
        let lives = entries.flat_map(|(name, entries)| {
            entries.iter_mut().filter_map(move |entry| Some((name, entry.life.as_mut()?)))
        });
        lives.filter(|(_, life)| life.lines.is_some())
    }

    /// Returns whether any secret has a lease.
    pub(crate) fn has_leases(&self) -> bool {
        self.lives().any(|(_, life)| life.lease.is_some())
    }

    /// Returns the validity of each secret, as far as it is known.
    pub(crate) fn lives(&self) -> impl Iterator<Item = (&ManifestEntry, &Life)> {
        self.files.values().flatten().filter_map(|entry| Some((entry, entry.life.as_ref()?)))
    }

    /// Returns the first future date at which a secret must be renewed or expires.
    pub(crate) fn renew_at(&self, now: SystemTime) -> Option<SystemTime> {
        let moments = self.lives().flat_map(|(_, life)| [life.renew_at, life.valid_until]).flatten();
        moments.map(life::date).filter(|moment| *moment > now).min()
    }

    /// Returns that date, or now if the renewal of an issued secret is overdue because no run has happened meanwhile.
    pub(crate) fn overdue_or_renew_at(&self, now: SystemTime) -> Option<SystemTime> {
        let mut made = self.lives().map(|(_, life)| life).filter(|life| life.lines.is_some());
        let is_overdue = made.any(|life| life.is_overdue(now));
        if is_overdue { Some(now) } else { self.renew_at(now) }
    }

    /// Returns the first expiry of a secret.
    pub(crate) fn valid_until(&self) -> Option<SystemTime> {
        self.lives().filter_map(|(_, life)| life.valid_until).min().map(life::date)
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.on_change == Some(Announcement::Pending)
    }
}

impl ManifestEntry {
    /// Makes an entry. `secret` is none if the file has its default content.
    pub(crate) fn new(source: &str, request: &SecretRequest, secret: Option<&Secret>) -> Self {
        Self {
            source: source.to_owned(),
            secret: request.name().to_owned(),
            revision: secret.and_then(Secret::revision).map(str::to_owned),
            origin: secret.and_then(Secret::origin).map(str::to_owned),
            version: request.version().map(str::to_owned),
            life: None,
        }
    }

    /// Makes an entry for a secret that is kept.
    pub(super) fn kept(source: &str, request: &SecretRequest, held: &Held) -> Self {
        Self {
            revision: held.revision().map(str::to_owned),
            origin: held.origin().map(str::to_owned),
            ..Self::new(source, request, None)
        }
    }

    fn is_of_the_same(&self, other: &Self) -> bool {
        let (this, other) = (
            (&self.source, &self.secret, &self.version, &self.revision),
            (&other.source, &other.secret, &other.version, &other.revision),
        );
        this == other
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_manifest_is_read_back_and_a_strange_note_is_none() {
        let entry = ManifestEntry {
            source: "s".into(),
            secret: "n".into(),
            revision: None,
            origin: Some("x".into()),
            version: Some("1".into()),
            life: Some(Life::of(&Held::since(UNIX_EPOCH).with_lease("l"), Some(u64::MAX))),
        };
        let files = BTreeMap::from([("a".to_owned(), vec![entry])]);
        let publisher = Publisher { config: "/etc/x.toml".into(), profile: Some("dev".into()) };
        let manifest = Manifest::new(true, Some(publisher), files);
        let read = Manifest::parse(&manifest.to_note()).unwrap();
        assert!(read.is_pending());
        assert_eq!(read, manifest);
        for strange in ["", "[1]", "note", r#"{"files": 3}"#, r#"{"files":{"a":3}}"#] {
            assert!(Manifest::parse(strange.as_bytes()).is_none(), "{strange}");
        }
    }

    #[test]
    fn fields_of_later_versions_are_passed_over() {
        let note = br#"{"on-change":"pending","later":1,"files":{"a":[{"source":"s","secret":"n","x":1}]}}"#;
        let read = Manifest::parse(note).unwrap();
        assert!(read.is_pending());
        assert_eq!(read.files.len(), 1);
    }
}
