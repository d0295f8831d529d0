#![doc = include_str!("../README.md")]

mod allowance;
mod context;
mod error;
mod json;
mod nearest;
mod provider;
mod request;
mod secret;
mod settings;
mod source;

pub use async_trait::async_trait;

pub use allowance::Allowance;
pub use context::FetchContext;
pub use error::{Retry, SourceError, SourceErrorKind};
pub use json::compact_json;
pub use nearest::nearest;
pub use provider::{Provider, SettingsSchema};
pub use request::SecretRequest;
pub use secret::Secret;
pub use settings::{KeyPath, Segment, Settings, SettingsError, SettingsProblem, Table, Value};
pub use source::SecretSource;
