//! A file in dotenv syntax as a whole store: every key that it lists has a value, or the file is refused.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use secretdir_fuzz::{FOLDER, ask};
use secretdir_provider::{Provider, Settings, Table, Value};
use secretdir_provider_file::FileProvider;

fuzz_target!(|bytes: &[u8]| {
    fs::write(FOLDER.path().join("secrets.env"), bytes).expect("it can be written");
    let table = Table::from([("path".to_owned(), Value::from("secrets.env"))]);
    let source = FileProvider.source(Settings::new(table, FOLDER.path())).expect("the settings are right");
    for (name, answer) in ask(&*source, &[]) {
        assert!(!name.is_empty());
        assert!(answer.is_ok(), "a key that is listed has a value");
    }
});
