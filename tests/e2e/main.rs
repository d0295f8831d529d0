//! The real command against real files, real servers and real faults.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

mod aws;
mod bad_input;
mod boto3;
mod broken_links;
mod children;
mod colours;
mod concurrency;
mod configuration;
mod contract;
mod diff;
mod escaped;
mod exec;
mod exec_sources;
mod from;
mod full_disk;
mod hints;
mod imports;
mod init;
mod kills;
mod laptop;
mod limits;
mod link;
mod memory;
mod metrics;
mod modes;
mod notify;
mod on_change;
mod output;
mod pages;
mod pem;
mod pinned;
mod privileges;
mod profiles;
mod protocol;
mod quickstart;
mod quiet;
mod recipes;
mod registration;
mod schema;
mod secrecy;
mod signals;
mod strict;
mod system_calls;
mod templates;
mod tour;
mod trust;
mod truth;
mod units;
mod values;
mod verify;
mod watch;
mod width;
