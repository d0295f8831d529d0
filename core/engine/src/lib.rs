#![doc = include_str!("../README.md")]

mod bundle;
mod catch_panic;
mod config;
mod deadline;
mod escape;
mod failure;
mod field;
mod gather;
mod host;
mod inspect;
mod outcome;
mod pem;
mod plan;
mod problem;
mod publish;
mod registry;
mod report;
mod schema;
mod sync;
#[cfg(test)]
mod test_host;
mod transform;
mod watch;

pub use atomicdir::{Error as PublishError, Refusal};
pub use bundle::import::{ImportFault, Spelling};
pub use bundle::missing::MissingSecret;
pub use config::Config;
pub use escape::{escape, escape_json};
pub use failure::{GatherError, GatherFailure, SyncError, SyncFailure};
pub use field::{Field, FieldError, FieldSyntaxError, JoinError, JsonFault};
pub use host::{Event, Host};
pub use inspect::inspect;
pub use outcome::change::{FileChange, FileChangeKind, FileVersion};
pub use outcome::difference::{Difference, DifferenceState, SecretToIssue};
pub use outcome::status::{
    FileReport, GenerationReport, ListingReport, SecretReport, StatusReport, StatusView, SupersededReport,
    WatchReport,
};
pub use outcome::{AskedSource, DryRun, Outcome, State};
pub use pem::PemError;
pub use plan::{Location, Plan};
pub use problem::{ConfigError, Problem};
pub use publish::hook::{Hook, HookError};
pub use publish::manifest::Publisher;
pub use publish::owners::OwnerError;
pub use publish::publication::Notification;
pub use registry::{Registry, RegistryError, UnknownProvider};
pub use report::{About, ErrorKind, ErrorReport, WarningReport, count, describe};
pub use schema::{schema, settings_schema, tidy_schema};
pub use sync::{diff, fetch, sync};
pub use transform::TransformError;
pub use watch::{
    Config as WatchedConfig, Freshness, News, SourceStanding, Standing, TurnResult, Turns, Wakeup, WatchHost,
    watch,
};
