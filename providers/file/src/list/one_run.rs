//! Tests that a run lists and fetches from one set, even if the root is flipped meanwhile.

use std::fs;
use std::os::unix::fs::symlink;

use secretdir_provider::{Retry, Secret, SecretRequest, SourceErrorKind};
use tempfile::TempDir;

use super::RunContext;
use super::tests::{context, finish, tree};
use crate::source::FileSource;

/// Makes two sets, and a link to the first. The value of each file is the name of its set.
fn two_sets() -> TempDir {
    let folder = tree(&["one/a", "one/b", "two/a", "two/c"]);
    symlink("one", folder.path().join("app")).unwrap();
    folder
}

fn flip(folder: &TempDir) {
    symlink("two", folder.path().join("new")).unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("app")).unwrap();
}

/// Returns the values, or the kinds of the errors.
fn fetched(source: &FileSource, run: &RunContext, names: &[&str]) -> Vec<Result<String, SourceErrorKind>> {
    let requests: Vec<_> = names.iter().map(|name| SecretRequest::new(*name)).collect();
    let (answers, _) = finish(secretdir_conformance::fetch_all(source, run, &requests));
    let text = |secret: Secret| String::from_utf8_lossy(secret.expose_secret()).into();
    answers.into_iter().map(|answer| answer.map(text).map_err(|error| error.kind())).collect()
}

#[test]
fn what_is_listed_is_fetched_from_the_same_set_and_the_next_run_reads_the_next_one() {
    let folder = two_sets();
    let source = FileSource::new(folder.path().join("app"));
    let run = context();
    assert_eq!(finish(secretdir_conformance::list(&source, &run, "")).0.unwrap(), ["a", "b"]);
    flip(&folder);
    let old = ["one/a", "one/b"].map(|value| Ok(value.to_owned()));
    assert_eq!(fetched(&source, &run, &["a", "b"]), old);
    let run = context();
    assert_eq!(finish(secretdir_conformance::list(&source, &run, "")).0.unwrap(), ["a", "c"]);
    assert_eq!(fetched(&source, &run, &["a"]), [Ok("two/a".to_owned())]);
}

#[test]
fn what_an_earlier_run_has_listed_is_not_what_a_later_one_fetches() {
    let folder = two_sets();
    let source = FileSource::new(folder.path().join("app"));
    assert_eq!(finish(secretdir_conformance::list(&source, &context(), "")).0.unwrap(), ["a", "b"]);
    flip(&folder);
    assert_eq!(fetched(&source, &context(), &["a"]), [Ok("two/a".to_owned())]);
}

#[test]
fn two_listings_of_a_run_are_of_one_set_or_an_error() {
    let folder = two_sets();
    let source = FileSource::new(folder.path().join("app"));
    let run = context();
    assert_eq!(finish(secretdir_conformance::list(&source, &run, "b")).0.unwrap(), ["b"]);
    assert_eq!(finish(secretdir_conformance::list(&source, &run, "a")).0.unwrap(), ["a"]);
    flip(&folder);
    let error = finish(secretdir_conformance::list(&source, &run, "c")).0.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Unavailable, Retry::No));
    assert_eq!(finish(secretdir_conformance::list(&source, &context(), "c")).0.unwrap(), ["c"]);
}

#[test]
fn what_is_missing_from_a_set_that_was_superseded_meanwhile_is_not_taken_for_absent() {
    let folder = two_sets();
    let source = FileSource::new(folder.path().join("app"));
    let run = context();
    assert_eq!(finish(secretdir_conformance::list(&source, &run, "")).0.unwrap(), ["a", "b"]);
    assert_eq!(fetched(&source, &run, &["c"]), [Err(SourceErrorKind::NotFound)]);
    assert_eq!(finish(secretdir_conformance::list(&source, &run, "")).0.unwrap(), ["a", "b"]);
    flip(&folder);
    fs::remove_dir_all(folder.path().join("one")).unwrap();
    assert_eq!(fetched(&source, &run, &["a", "c"]), [const { Err(SourceErrorKind::Unavailable) }; 2]);
}
