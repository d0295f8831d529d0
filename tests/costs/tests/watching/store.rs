//! The store of all lives.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use secretdir_provider::{
    Provider, RunContext, Secret, SecretRequest, SecretSource, Settings, SettingsError, SourceError,
    SourceErrorKind, async_trait,
};

/// What the store has, whatever process asks.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) version: AtomicU64,
    pub(crate) is_down: AtomicBool,
}

static STORE: OnceLock<Store> = OnceLock::new();

pub(crate) fn store() -> &'static Store {
    STORE.get_or_init(Store::default)
}

pub(crate) struct Scripted;

#[async_trait]
impl SecretSource for Scripted {
    async fn fetch(&self, _: &RunContext, _: &SecretRequest) -> Result<Secret, SourceError> {
        if store().is_down.load(Ordering::SeqCst) {
            return Err(SourceError::new(SourceErrorKind::Unavailable));
        }
        Ok(Secret::new(store().version.load(Ordering::SeqCst).to_string()))
    }
}

impl Provider for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(Self))
    }
}
