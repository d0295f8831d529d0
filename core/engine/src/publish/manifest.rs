//! The note beside a generation: where each file came from, and whether its change has been announced.
//!
//! Never a value, and never a hash of one: a hash of a short secret gives it away.

use std::collections::BTreeMap;
use std::time::SystemTime;
use std::{fmt, fs};

use schemars::JsonSchema;
use secretdir_provider::{Held, Secret, SecretRequest};
use serde::{Deserialize, Serialize};

use super::life::{self, FileStamp, Life};
use crate::plan::Plan;

/// What is noted of a generation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Manifest {
    /// Whether the command of `[on-change]` has yet to succeed for this generation. Absent where none was configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_change: Option<Announcement>,
    /// How often the command has failed for this generation. Absent where it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<Attempts>,
    /// Which configuration published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publisher: Option<Publisher>,
    /// The files of the generation, and the secrets that each is made of.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, Vec<ManifestEntry>>,
}

/// The configuration that published a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Publisher {
    /// The path of the configuration file, as text: absolute, and with its folder's real name.
    pub config: String,
    /// The profile that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// How often the command has failed in a row, and when it did so last, in seconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Attempts {
    pub(crate) failed: usize,
    pub(crate) last: u64,
    /// Which command that was: another one has not failed.
    #[serde(default)]
    pub(crate) command: u64,
}

/// Whether a change has been announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Announcement {
    /// The command has not run, or not succeeded: a run repeats it.
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
    /// The version that was asked for, if it was a certain one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// How long it is good, if the store has said so, or if it was made for us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) life: Option<Life>,
}

impl Publisher {
    /// Returns nothing for a configuration that is no file: each pipe has the name of another. The folder has one name, however
    /// it was reached; the file keeps its own, as it may be a link that leads to each version in turn.
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
    /// Makes the manifest of a generation whose change is yet to be announced, if there is a command for that.
    pub(crate) fn new(
        has_command: bool,
        publisher: Option<Publisher>,
        files: BTreeMap<String, Vec<ManifestEntry>>,
    ) -> Self {
        let on_change = has_command.then_some(Announcement::Pending);
        Self { on_change, attempts: None, publisher, files }
    }

    /// Takes over what another manifest says of the command.
    pub(crate) fn with_announcement_of(self, other: &Self) -> Self {
        Self { on_change: other.on_change, attempts: other.attempts, ..self }
    }

    /// Makes a manifest that knows only that the change has not been announced.
    pub(crate) fn pending() -> Self {
        Self { on_change: Some(Announcement::Pending), ..Self::default() }
    }

    /// Reads a note: `None` if it is not one of ours.
    pub(crate) fn parse(note: &[u8]) -> Option<Self> {
        serde_json::from_slice(note).ok()
    }

    pub(crate) fn to_note(&self) -> Vec<u8> {
        // A map of strings always serialises; an empty note would read as a manifest that says nothing.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Notes what each file is that may be carried over one day.
    pub(crate) fn stamp(&mut self, look: impl Fn(&str) -> Option<FileStamp>) {
        for (name, life) in self.made_lives() {
            if life.file.is_none() {
                life.file = look(name);
            }
        }
    }

    /// Takes over what another manifest of the same generation says: what the files were, and when something that is no other one now was
    /// obtained.
    pub(crate) fn with_lives_of(mut self, other: &Self) -> Self {
        // Few secrets have a life.
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

    /// Says whether any secret has a lease.
    pub(crate) fn has_leases(&self) -> bool {
        self.lives().any(|(_, life)| life.lease.is_some())
    }

    /// Returns the life of each secret, as far as one is known.
    pub(crate) fn lives(&self) -> impl Iterator<Item = (&ManifestEntry, &Life)> {
        self.files.values().flatten().filter_map(|entry| Some((entry, entry.life.as_ref()?)))
    }

    /// Returns the first moment to come at which something is to be renewed, or not good any more.
    pub(crate) fn renew_at(&self, now: SystemTime) -> Option<SystemTime> {
        let moments = self.lives().flat_map(|(_, life)| [life.renew_at, life.valid_until]).flatten();
        moments.map(life::date).filter(|moment| *moment > now).min()
    }

    /// Returns the same, or now if what was made for us should have been renewed before: nobody has run meanwhile.
    pub(crate) fn overdue_or_renew_at(&self, now: SystemTime) -> Option<SystemTime> {
        let mut made = self.lives().map(|(_, life)| life).filter(|life| life.lines.is_some());
        let is_overdue = made.any(|life| life.is_overdue(now));
        if is_overdue { Some(now) } else { self.renew_at(now) }
    }

    /// Returns the first moment at which something is not good any more.
    pub(crate) fn valid_until(&self) -> Option<SystemTime> {
        self.lives().filter_map(|(_, life)| life.valid_until).min().map(life::date)
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.on_change == Some(Announcement::Pending)
    }
}

impl ManifestEntry {
    /// Takes no secret for a file that has its default content.
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

    /// Notes a secret that stays as it is.
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
