#![doc = include_str!("../README.md")]

mod allowance;
mod answers;
mod buffer;
mod clock;
mod context;
mod error;
mod held;
mod listed;
mod provider;
mod request;
mod secret;
mod settings;
mod source;

pub use async_trait::async_trait;

pub use allowance::Allowance;
pub use answers::{Answer, Answers};
pub use buffer::SecretBuffer;
pub use clock::{Clock, Deadline, Jitter};
pub use context::{RunContext, RunContextBuilder, Warnings};
pub use error::{Retry, SourceError, SourceErrorKind};
pub use held::{Held, Refreshed};
pub use listed::Listed;
pub use provider::{Provider, SettingsSchema};
pub use request::SecretRequest;
pub use secret::Secret;
pub use settings::{
    Credential, CredentialSettings, DurationSetting, IntoIter, Iter, KeyPath, Segment, Settings,
    SettingsError, SettingsProblem, Table, Value,
};
pub use source::SecretSource;
