//! A store in memory, whose provider has one fault or none.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use secretdir_conformance::{BadSettings, Fixture, Skip};
use secretdir_provider::*;

/// What is wrong with a provider.
pub(crate) struct Fault;

/// Numbers the faults.
macro_rules! faults {
    ($($name:ident = $number:literal)*) => {
        impl Fault {
            $(pub(crate) const $name: u32 = $number;)*
        }
    };
}

faults! {
    NONE = 0
    NAME = 1
    NOT_OFFLINE = 2
    UNKNOWN_ACCEPTED = 3
    WRONG_PATH = 4
    SETTING_QUOTED = 5
    STRICT_NAMES = 6
    ANY_NAME = 7
    ANY_VERSION = 8
    EMPTY_IS_ABSENT = 9
    SKIPPED_EMPTY_IS_ABSENT = 10
    TRIMMED = 11
    ENDS_AT_NUL = 12
    LOSSY = 13
    SHORT = 14
    ABSENT_IS_OTHER = 15
    NO_CAUSE = 16
    NO_STORE_IS_EMPTY = 17
    OUT_OF_ORDER = 18
    ALL_OR_NOTHING = 19
    ONCE = 20
    STUCK_WHEN_DROPPED = 21
    SHOWN_BY_SOURCE = 22
    SHOWN_BY_ERROR = 23
    SHOWN_BY_WARNING = 24
    SKIPS_NO_RULE = 25
}

#[derive(Clone, Default)]
pub(crate) struct Memory<const FAULT: u32>(BTreeMap<String, Vec<u8>>);

impl<const FAULT: u32> Fixture for Memory<FAULT> {
    type Provider = Self;

    async fn start() -> Self {
        Self::default()
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    fn provider(&self) -> Self {
        self.clone()
    }

    fn settings(&self) -> Table {
        Table::from([("present".to_owned(), Value::Boolean(true))])
    }

    fn settings_of_no_store(&self) -> Table {
        Table::from([("present".to_owned(), Value::Boolean(false))])
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        vec![BadSettings::new(Table::from([("presnt".to_owned(), Value::Boolean(true))]), "presnt")]
    }

    fn skips() -> Vec<Skip> {
        match FAULT {
            Fault::SKIPPED_EMPTY_IS_ABSENT => {
                vec![Skip::new("an_empty_value_survives", "this store cannot hold an empty value")]
            }
            Fault::SKIPS_NO_RULE => vec![Skip::new("no_such_rule", "there is none")],
            _ => Vec::new(),
        }
    }
}

#[derive(serde::Deserialize)]
struct MemorySettings {
    #[serde(default)]
    present: bool,
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
            Fault::UNKNOWN_ACCEPTED => Ok(MemorySettings { present: true }),
            Fault::WRONG_PATH => Err(SettingsError::new("elsewhere", "is wrong")),
            Fault::SETTING_QUOTED => Err(SettingsError::new("present", "not good: Zq7Wx4Kv2Tm8Ph5Rd9Lc")),
            _ => Err(error),
        })?;
        let store = Store { secrets: self.0.clone(), present: parsed.present, ..Store::default() };
        Ok(Box::new(Source::<FAULT>(store)))
    }
}

#[derive(Default)]
struct Store {
    secrets: BTreeMap<String, Vec<u8>>,
    present: bool,
    answered: AtomicBool,
    busy: AtomicBool,
}

struct Source<const FAULT: u32>(Store);

impl<const FAULT: u32> fmt::Debug for Source<FAULT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if FAULT == Fault::SHOWN_BY_SOURCE {
            return self.0.secrets.fmt(f);
        }
        f.write_str("Source")
    }
}

impl<const FAULT: u32> Source<FAULT> {
    fn find(&self, context: &FetchContext, name: &str) -> Result<Secret, SourceError> {
        let answered = self.0.answered.swap(true, Ordering::Relaxed);
        if FAULT == Fault::NO_STORE_IS_EMPTY && !self.0.present {
            return Ok(Secret::new(""));
        }
        let known = if self.0.present { self.0.secrets.get(name) } else { None };
        let gone = match FAULT {
            Fault::EMPTY_IS_ABSENT | Fault::SKIPPED_EMPTY_IS_ABSENT => known.is_some_and(Vec::is_empty),
            Fault::ONCE => answered,
            _ => false,
        };
        match known.filter(|_| !gone) {
            Some(value) => Ok(Secret::new(spoilt::<FAULT>(value))),
            None => Err(self.absent(context, name)),
        }
    }

    fn absent(&self, context: &FetchContext, name: &str) -> SourceError {
        let first = self.0.secrets.values().next().map(|value| String::from_utf8_lossy(value));
        let first = first.unwrap_or_default();
        if FAULT == Fault::SHOWN_BY_WARNING {
            context.warn(format!("there is only {first}"));
        }
        match FAULT {
            Fault::ABSENT_IS_OTHER => SourceError::new(SourceErrorKind::Other).with_cause("nothing there"),
            Fault::NO_CAUSE => SourceError::new(SourceErrorKind::NotFound),
            Fault::SHOWN_BY_ERROR => {
                let cause = std::io::Error::other(format!("only {first}"));
                SourceError::new(SourceErrorKind::NotFound).with_cause(cause)
            }
            _ => SourceError::new(SourceErrorKind::NotFound).with_cause(format!("no {name} in memory")),
        }
    }
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

#[async_trait]
impl<const FAULT: u32> SecretSource for Source<FAULT> {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        let strict = FAULT == Fault::STRICT_NAMES && request.name().contains('-');
        if strict || (FAULT != Fault::ANY_NAME && request.name().is_empty()) {
            return Err(SourceError::new(SourceErrorKind::InvalidRequest));
        }
        if FAULT != Fault::ANY_VERSION && request.version().is_some() {
            return Err(SourceError::new(SourceErrorKind::Unsupported));
        }
        Ok(())
    }

    async fn fetch(&self, context: &FetchContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        if FAULT == Fault::STUCK_WHEN_DROPPED && self.0.busy.swap(true, Ordering::Relaxed) {
            return Err(SourceError::new(SourceErrorKind::Other));
        }
        tokio::task::yield_now().await;
        self.0.busy.store(false, Ordering::Relaxed);
        self.find(context, request.name())
    }

    async fn fetch_all(
        &self,
        context: &FetchContext,
        requests: &[SecretRequest],
    ) -> Vec<Result<Secret, SourceError>> {
        let mut answers = Vec::new();
        for request in requests {
            answers.push(self.fetch(context, request).await);
        }
        match FAULT {
            Fault::OUT_OF_ORDER => answers.reverse(),
            Fault::ALL_OR_NOTHING if answers.iter().any(Result::is_err) => answers.truncate(1),
            _ => {}
        }
        answers
    }
}
