#![doc = include_str!("../README.md")]

mod bundle;
mod coding;
mod config;
mod contain;
mod field;
mod gather;
mod host;
mod manifest;
mod on_change;
mod outcome;
mod owners;
mod plan;
mod problem;
mod registry;
mod report;
mod schema;
mod status;
mod sync;
mod treatment;

pub use atomicdir::{Error as PublishError, Refusal};
pub use config::Config;
pub use field::{Field, FieldError, FieldSyntaxError, JsonFault};
pub use gather::{GatherError, GatherFailure};
pub use host::{Event, Host};
pub use manifest::Announcement;
pub use on_change::OnChangeError;
pub use outcome::{AskedSource, FileChange, FileChangeKind, LateFailure, Notification, Outcome, State};
pub use owners::OwnerError;
pub use plan::Plan;
pub use problem::{ConfigError, Problem};
pub use registry::{Registry, RegistryError, UnknownProvider};
pub use report::{count, describe};
pub use schema::{schema, settings_schema};
pub use status::{FileReport, GenerationReport, StatusReport, SupersededReport};
pub use sync::{SyncError, fetch, sync};
