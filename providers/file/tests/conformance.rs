//! The provider keeps the contract, for plain files, for a directory that is flipped, and for one file in each format.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "conformance/flat.rs"]
mod flat;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use secretdir_conformance::{BadSettings, Fixture, Skip};
use secretdir_provider::Table;
use secretdir_provider_file::FileProvider;
use tempfile::TempDir;

/// Files in a folder, two levels down.
struct Plain(TempDir);

impl Fixture for Plain {
    type Provider = FileProvider;

    async fn start() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        write(&self.0.path().join("secrets").join(name), value);
    }

    fn provider(&self) -> FileProvider {
        FileProvider
    }

    fn settings(&self) -> Table {
        root("secrets")
    }

    fn settings_of_no_store(&self) -> Table {
        root("no-such-folder")
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        Some(root("later"))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        write(&self.0.path().join("later").join(name), value);
    }

    fn base_dir(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    fn settings_with_relative_path(&mut self) -> Option<Table> {
        Some(self.settings())
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        [Table::new(), root(""), root("a\0b")].map(|table| BadSettings::new(table, "root")).into()
    }

    fn name(&self, label: &str) -> String {
        format!("folder/{label}")
    }

    fn good_names(&self) -> Vec<String> {
        ["plain", "a/b/c", "..data/x", ".hidden", "...", "white space", "naïve", "a\\b", "a\nb"]
            .map(str::to_owned)
            .into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "/", "/etc/hostname", "..", "../x", "a/../b", "a/..", ".", "./a", "a/.", "a//b", "a/", "a\0b"]
            .map(str::to_owned)
            .into()
    }

    fn skips() -> Vec<Skip> {
        what_no_file_does()
    }
}

/// The same, where the root is a link to a generation, as this tool makes it, and each file is a link through another
/// link, as Kubernetes makes it.
struct Flipped(TempDir);

impl Fixture for Flipped {
    type Provider = FileProvider;

    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join(".secrets.gen-1/..2024")).unwrap();
        symlink(".secrets.gen-1", folder.path().join("secrets")).unwrap();
        symlink("..2024", folder.path().join("secrets/..data")).unwrap();
        Self(folder)
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        let root = self.0.path().join("secrets");
        write(&root.join("..data").join(name), value);
        // There already if the value is replaced.
        drop(symlink(Path::new("..data").join(name), root.join(name)));
    }

    fn provider(&self) -> FileProvider {
        FileProvider
    }

    fn settings(&self) -> Table {
        root(self.0.path().join("secrets").to_str().unwrap())
    }

    fn settings_of_no_store(&self) -> Table {
        root("/no-such-folder/at/all")
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        Some(root(self.0.path().join("later").to_str().unwrap()))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        self.put(name, value).await;
        symlink(".secrets.gen-1", self.0.path().join("later")).unwrap();
    }

    fn settings_with_relative_path(&mut self) -> Option<Table> {
        Some(root("secrets"))
    }

    fn base_dir(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    fn skips() -> Vec<Skip> {
        what_no_file_does()
    }
}

fn what_no_file_does() -> Vec<Skip> {
    vec![
        Skip::new("throttling_is_reported_as_such", "a file system does not throttle"),
        Skip::new("a_store_that_hangs_is_a_time_out", "no special file is opened, so no opening waits"),
        Skip::new("what_arrived_before_the_deadline_counts", "a file is read, or it is not"),
        Skip::new("no_more_requests_are_in_flight_than_allowed", "files are read one after another"),
        Skip::new("damaged_data_is_not_shown", "a file is a value, whatever is in it"),
    ]
}

fn root(path: &str) -> Table {
    Table::from([("root", path)])
}

fn write(path: &Path, value: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value).unwrap();
}

mod plain {
    secretdir_conformance::conformance_tests!(super::Plain);
}

mod flipped {
    secretdir_conformance::conformance_tests!(super::Flipped);
}
