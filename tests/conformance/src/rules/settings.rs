//! Settings and the construction of a source.

use std::thread;

use secretdir_provider::{Provider as _, Settings, SettingsError, Table, Value};

use super::{Built, assert_value, build, built, context, put, request};
use crate::canary::{CANARY, Canaries};
use crate::fixture::Fixture;

/// The name of the provider is lower-case letters, digits and single hyphens, and starts with a letter.
pub async fn the_name_is_kebab_case<F: Fixture>(fixture: F) {
    let name = fixture.provider().name();
    let word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let starts_with_letter = name.starts_with(|c: char| c.is_ascii_lowercase());
    assert!(starts_with_letter && name.split('-').all(word), "{name:?} is not kebab-case");
}

/// A source can be built, and can check a request and a prefix, without a store and without a runtime.
pub async fn a_source_is_built_offline<F: Fixture>(fixture: F) {
    let (provider, table, folder) = (fixture.provider(), fixture.settings_of_no_store(), fixture.base_dir());
    let request = request(&fixture, "offline");
    // On a new thread, because a task or a timer that is started here would find the runtime of the rule.
    let outside = thread::spawn(move || {
        let source = provider.source(Settings::new(table, folder));
        let source = source.unwrap_or_else(|error| panic!("cannot be built offline: {error}"));
        source.check(&request).unwrap_or_else(|error| panic!("cannot check a good name offline: {error}"));
        // Another rule tests whether it is refused.
        drop(source.check_prefix(request.name()));
    });
    assert!(outside.join().is_ok(), "cannot be built without a store and a runtime: see the panic above");
}

/// A setting that the provider does not know is an error at its dotted path.
pub async fn an_unknown_setting_is_named<F: Fixture>(fixture: F) {
    let key = "no-provider-has-this-setting";
    let mut table = fixture.settings();
    table.insert(key, CANARY);
    assert_named(key, &build(&fixture, table));
}

/// A setting of the wrong type is an error at its dotted path. The message does not quote the value.
pub async fn a_setting_of_the_wrong_type_is_named<F: Fixture>(fixture: F) {
    let good = fixture.settings();
    for (key, value) in &good {
        let mut table = good.clone();
        table.insert(key, other_type(value));
        assert_named(key, &build(&fixture, table));
    }
}

/// The bad settings of the fixture are errors at their dotted paths. Its valid settings are not errors.
pub async fn a_bad_setting_is_named<F: Fixture>(fixture: F) {
    built(&fixture, fixture.settings());
    for bad in fixture.bad_settings() {
        assert_named(&bad.path, &build(&fixture, bad.table));
    }
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::Table(_) => CANARY.into(),
        _ => Table::from([(CANARY, CANARY)]).into(),
    }
}

/// A relative path in the settings starts at the folder of the configuration, not at the current folder. It is an error if the
/// configuration has no folder.
pub async fn a_relative_path_counts_from_the_configuration<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "beside", b"value").await;
    let Some(table) = fixture.settings_with_relative_path() else {
        panic!("the fixture has no settings with a relative path, nor does it skip this rule");
    };
    let request = request(&fixture, "beside");
    let beside = built(&fixture, table.clone()).fetch(&context(1), &request).await;
    assert_value("with a path from the folder of the configuration", &beside, b"value");
    let elsewhere = Settings::new(table.clone(), fixture.base_dir().join("no-such-folder"));
    if let Ok(source) = fixture.provider().source(elsewhere) {
        let answer = source.fetch(&context(1), &request).await;
        assert!(answer.is_err(), "a relative path leads to the same store from another folder");
    }
    let nowhere = fixture.provider().source(Settings::without_base_dir(table));
    assert!(nowhere.is_err(), "a relative path is accepted although the configuration has no folder");
}

fn assert_named(path: &str, built: &Built) {
    let error: &SettingsError = match built {
        Ok(_) => panic!("a mistake in the settings at `{path}` is not noticed"),
        Err(error) => error,
    };
    let paths: Vec<_> = error.problems().iter().map(|problem| problem.path().to_string()).collect();
    assert!(paths.iter().any(|found| found == path), "the mistake is at `{path}`, but reported at {paths:?}");
    for problem in error.problems() {
        assert!(!problem.message().is_empty(), "the mistake at `{path}` has an empty message");
        Canaries::new(Vec::new()).absent_from_text("the error about a setting", problem.message());
    }
}
