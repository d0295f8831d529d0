//! The provider keeps the contract in both of its forms, and holds its own against programs that do not keep to theirs.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "conformance/commands.rs"]
mod commands;
#[path = "conformance/given.rs"]
mod given;
#[path = "conformance/plugins.rs"]
mod plugins;
#[path = "conformance/redaction.rs"]
mod redaction;
#[path = "conformance/settings.rs"]
mod settings;
#[path = "conformance/support.rs"]
mod support;

use std::fs;
use std::path::PathBuf;

use secretdir_conformance::{BadSettings, Fixture};
use secretdir_provider::{Table, Value};
use secretdir_provider_exec::ExecProvider;
use support::{list, table};
use tempfile::TempDir;

/// A command that prints a file.
struct Printed(TempDir);

impl Fixture for Printed {
    type Provider = ExecProvider;

    async fn start() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        fs::write(self.0.path().join(name), value).unwrap();
    }

    fn provider(&self) -> ExecProvider {
        ExecProvider
    }

    fn settings(&self) -> Table {
        table([("command", list(&["cat", "--", "{secret}"])), ("not-found-status", Value::Integer(1))])
    }

    fn settings_of_no_store(&self) -> Table {
        table([("command", list(&["./no-such-program", "{secret}"]))])
    }

    fn base_dir(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        settings::bad()
    }

    fn good_names(&self) -> Vec<String> {
        ["a/b", "-", "with space", "ü", "$(id)", "{secret}"].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "a\0b"].map(str::to_owned).into()
    }
}

/// The sample plug-in, which reads files.
struct Sample(TempDir);

impl Fixture for Sample {
    type Provider = ExecProvider;

    async fn start() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        fs::write(self.0.path().join(name), value).unwrap();
    }

    fn provider(&self) -> ExecProvider {
        ExecProvider
    }

    fn settings(&self) -> Table {
        table([("plugin", list(&[support::SAMPLE, self.0.path().to_str().unwrap()]))])
    }

    fn settings_of_no_store(&self) -> Table {
        table([("plugin", list(&["no-such-plugin"]))])
    }

    fn good_versions(&self) -> Vec<String> {
        ["1", "AWSCURRENT"].map(str::to_owned).into()
    }
}

mod printed {
    secretdir_conformance::conformance_tests!(super::Printed);
}

mod sample {
    secretdir_conformance::conformance_tests!(super::Sample);
}
