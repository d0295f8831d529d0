//! A store in memory, whose provider has one fault or none.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fault;
mod fixture;
mod making;
mod mood;
mod source;

use std::collections::BTreeMap;
use std::fs::File;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use secretdir_conformance::{BadSettings, Fixture, Skip};
use secretdir_provider::*;

pub(crate) use fault::Fault;

#[derive(Clone, Default)]
pub(crate) struct Memory<const FAULT: u32> {
    shared: Arc<Shared>,
}

type Secrets = BTreeMap<String, Vec<u8>>;

/// What all sources of one provider share: the store.
#[derive(Default)]
struct Shared {
    secrets: Mutex<Secrets>,
    is_open: AtomicBool,
    in_flight: AtomicUsize,
    most: AtomicUsize,
    busy: AtomicBool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MemorySettings {
    mood: Mood,
    /// A path: there are secrets only if there is something.
    only_beside: Option<String>,
}

/// How the store feels.
#[derive(Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mood {
    Present,
    Absent,
    Throttling,
    Hanging,
    Counting,
    /// Answers one request, and never another.
    Stalling,
    /// Is absent until it is opened.
    Later,
    /// Cannot be read.
    Damaged,
}

impl<const FAULT: u32> Provider for Memory<FAULT> {
    fn name(&self) -> &'static str {
        if FAULT == Fault::NAME { "Memory_" } else { "memory-2" }
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        if FAULT == Fault::NOT_OFFLINE {
            drop(tokio::runtime::Handle::current());
        }
        let parsed = settings.parse::<MemorySettings>().or_else(|error| match FAULT {
            Fault::UNKNOWN_ACCEPTED => Ok(MemorySettings { mood: Mood::Present, only_beside: None }),
            Fault::WRONG_PATH => Err(SettingsError::new("elsewhere", "is wrong")),
            Fault::SETTING_QUOTED => Err(SettingsError::new("mood", "not good: Zq7Wx4Kv2Tm8Ph5Rd9Lc")),
            _ => Err(error),
        })?;
        let path = parsed.only_beside.map(|path| match FAULT {
            Fault::PATH_FROM_ELSEWHERE => Ok(Path::new("/").join(path)),
            Fault::PATH_FROM_NOWHERE => Ok(settings.base_dir().join(path)),
            _ => settings.path("only-beside", &path),
        });
        let is_beside = path.transpose()?.is_none_or(|path| path.exists());
        let store = Store {
            mood: if is_beside { parsed.mood } else { Mood::Absent },
            shared: Arc::clone(&self.shared),
            answered: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            is_absent: AtomicBool::new(false),
            kept: Mutex::default(),
            made: AtomicUsize::new(0),
            is_released: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        };
        Ok(Box::new(Source::<FAULT>(store)))
    }
}

struct Store {
    mood: Mood,
    shared: Arc<Shared>,
    answered: AtomicBool,
    busy: AtomicBool,
    /// What a source with a fault remembers.
    is_absent: AtomicBool,
    kept: Mutex<Kept>,
    made: AtomicUsize,
    is_released: AtomicBool,
    is_closed: AtomicBool,
}

/// What a source with a fault keeps.
#[derive(Default)]
struct Kept {
    values: Vec<Vec<u8>>,
    descriptors: Vec<File>,
    cache: Secrets,
}

struct Source<const FAULT: u32>(Store);

impl<const FAULT: u32> Source<FAULT> {
    fn find(&self, context: &RunContext, name: &str) -> Result<Secret, SourceError> {
        let answered = self.0.answered.swap(true, Ordering::Relaxed);
        let present = self.is_present();
        if FAULT == Fault::NO_STORE_IS_EMPTY && !present {
            return Ok(Secret::new(""));
        }
        let known = if present { self.value(name) } else { None };
        let gone = match FAULT {
            Fault::EMPTY_IS_ABSENT | Fault::SKIPPED_EMPTY_IS_ABSENT => {
                known.as_ref().is_some_and(Vec::is_empty)
            }
            Fault::ONCE => answered,
            _ => false,
        };
        if self.0.mood == Mood::Damaged {
            return Err(self.damaged());
        }
        match known.filter(|_| !gone) {
            Some(value) => Ok(Secret::new(spoilt::<FAULT>(&value))),
            None => Err(self.absent(context, name)),
        }
    }

    fn is_present(&self) -> bool {
        match self.0.mood {
            Mood::Present | Mood::Stalling => true,
            Mood::Later if FAULT == Fault::REMEMBERS_ABSENCE && self.0.is_absent.load(Ordering::Relaxed) => {
                false
            }
            Mood::Later => {
                let is_open = self.0.shared.is_open.load(Ordering::Relaxed);
                self.0.is_absent.fetch_or(!is_open, Ordering::Relaxed);
                is_open
            }
            _ => false,
        }
    }

    /// Returns a value, and keeps what is not to be kept.
    fn value(&self, name: &str) -> Option<Vec<u8>> {
        let mut kept = self.0.kept.lock().unwrap();
        let known = self.0.shared.secrets.lock().unwrap().get(name).cloned();
        match FAULT {
            Fault::KEEPS_VALUES => kept.values.extend(known.clone()),
            Fault::KEEPS_DESCRIPTORS => kept.descriptors.push(File::open("/dev/null").unwrap()),
            Fault::CACHES => return Some(kept.cache.entry(name.to_owned()).or_insert(known?).clone()),
            _ => {}
        }
        known
    }

    fn damaged(&self) -> SourceError {
        let secrets = self.0.shared.secrets.lock().unwrap();
        let first = secrets.values().next().map(|value| String::from_utf8_lossy(value)).unwrap_or_default();
        match FAULT {
            Fault::SHOWN_IF_DAMAGED => {
                SourceError::new(SourceErrorKind::InvalidData).with_cause(format!("invalid data: {first}"))
            }
            Fault::DAMAGED_IS_ABSENT => {
                SourceError::new(SourceErrorKind::NotFound).with_cause("no such secret")
            }
            _ => SourceError::new(SourceErrorKind::InvalidData).with_cause("the data is damaged"),
        }
    }

    fn absent(&self, context: &RunContext, name: &str) -> SourceError {
        let secrets = self.0.shared.secrets.lock().unwrap();
        let first = secrets.values().next().map(|value| String::from_utf8_lossy(value)).unwrap_or_default();
        if FAULT == Fault::SHOWN_BY_WARNING {
            context.warn(format!("there is only {first}"));
        }
        self.trace(&first);
        match FAULT {
            Fault::ABSENT_IS_OTHER => SourceError::new(SourceErrorKind::Other).with_cause("nothing there"),
            Fault::NO_CAUSE => SourceError::new(SourceErrorKind::NotFound),
            Fault::SHOWN_BY_ERROR => {
                let cause = std::io::Error::other(format!("only {first}"));
                SourceError::new(SourceErrorKind::NotFound).with_cause(cause)
            }
            Fault::NO_STORE_IS_NOT_FOUND => {
                SourceError::new(SourceErrorKind::NotFound).with_cause("no memory")
            }
            _ if matches!(self.0.mood, Mood::Absent | Mood::Later) => {
                SourceError::new(SourceErrorKind::Unavailable).with_cause("no memory")
            }
            _ => SourceError::new(SourceErrorKind::NotFound).with_cause(format!("no {name} in memory")),
        }
    }
}

async fn yields(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// Waits for a moment. With a fault, fails if it finds the mark of somebody who waits, or did not end to wait.
async fn busy_while(fault: bool, busy: &AtomicBool) -> Result<(), SourceError> {
    if fault && busy.swap(true, Ordering::Relaxed) {
        return Err(SourceError::new(SourceErrorKind::Other));
    }
    yields(2).await;
    busy.store(false, Ordering::Relaxed);
    Ok(())
}

/// Returns the value as a provider with this fault hands it out.
fn spoilt<const FAULT: u32>(value: &[u8]) -> Vec<u8> {
    match FAULT {
        Fault::TRIMMED => value.trim_ascii().to_vec(),
        Fault::ENDS_AT_NUL => value.split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
        Fault::LOSSY => String::from_utf8_lossy(value).into_owned().into_bytes(),
        Fault::SHORT => value.get(..value.len().saturating_sub(1)).unwrap_or_default().to_vec(),
        _ => value.to_vec(),
    }
}
