//! Whatever a plug-in says: each secret has an answer, and what was asked of nobody counts for nothing.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use secretdir_fuzz::{FOLDER, ask};
use secretdir_provider::{Provider, Settings, Table, Value};
use secretdir_provider_exec::ExecProvider;

fuzz_target!(|bytes: &[u8]| {
    // The greeting is right, so that what comes after it is read.
    let lines = [&b"{\"type\":\"hello\",\"protocol\":1}\n"[..], bytes].concat();
    fs::write(FOLDER.path().join("answers"), lines).expect("it can be written");
    let words = ["cat", "answers"].map(Value::from).to_vec();
    let table = Table::from([
        ("plugin".to_owned(), Value::Array(words)),
        ("max-bytes".to_owned(), Value::Integer(4096)),
    ]);
    let source = ExecProvider.source(Settings::new(table, FOLDER.path())).expect("the settings are right");
    for (_, answer) in ask(&*source, &["a", "b"]) {
        if let Ok(secret) = answer {
            assert!(secret.expose_secret().len() <= 4096);
        }
    }
});
