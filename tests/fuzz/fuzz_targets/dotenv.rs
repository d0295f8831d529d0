//! A file in dotenv syntax as a whole store: every key that it lists has a value, or the file is refused.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use secretdir_fuzz::ask;
use secretdir_provider::{Provider, Settings, Table, Value};
use secretdir_provider_file::FileProvider;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a folder can be made")
});

fuzz_target!(|bytes: &[u8]| {
    fs::write(FOLDER.path().join("secrets.env"), bytes).expect("it can be written");
    let table = Table::from([("path".to_owned(), Value::from("secrets.env"))]);
    let source = FileProvider.source(Settings::new(table, FOLDER.path())).expect("the settings are right");
    for (name, answer) in ask(&*source, &[]) {
        assert!(!name.is_empty());
        assert!(answer.is_ok(), "a key that is listed has a value");
    }
});
