#![doc = include_str!("../README.md")]

mod announce;
mod bundle;
mod change;
mod coding;
mod config;
mod contain;
mod deadline;
mod difference;
mod escape;
mod failure;
mod field;
mod gather;
mod host;
mod import;
mod inspect;
pub mod interpreter;
mod manifest;
mod missing;
mod no_dumps;
mod on_change;
mod outcome;
mod owners;
mod plan;
mod position;
mod problem;
mod registry;
mod report;
mod schema;
mod status;
mod sync;
mod template;
#[cfg(test)]
mod test_host;
mod treatment;

pub use atomicdir::{Error as PublishError, Refusal};
pub use change::{FileChange, FileChangeKind, FileVersion};
pub use config::Config;
pub use difference::{Difference, DifferenceState};
pub use escape::{escape, escape_json};
pub use failure::{GatherError, GatherFailure, SyncError, SyncFailure};
pub use field::{Field, FieldError, FieldSyntaxError, JsonFault};
pub use host::{Event, Host};
pub use import::{ImportFault, Spelling};
pub use inspect::{InspectError, inspect};
pub use manifest::Publisher;
pub use missing::MissingSecret;
pub use on_change::OnChangeError;
pub use outcome::{AskedSource, Notification, Outcome, Rehearsal, State};
pub use owners::OwnerError;
pub use plan::{Location, Plan};
pub use problem::{ConfigError, Problem};
pub use registry::{Registry, RegistryError, UnknownProvider};
pub use report::{About, ErrorKind, ErrorReport, WarningReport, count, describe};
pub use schema::{schema, settings_schema, tidy_schema};
pub use status::{
    FileReport, GenerationReport, ListingReport, SecretReport, StatusReport, StatusView, SupersededReport,
};
pub use sync::{diff, fetch, sync};
