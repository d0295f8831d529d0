//! Well-formed requests.

use secretdir_provider::{SecretRequest, SourceErrorKind};

use super::{request, source_of, story};
use crate::fixture::Fixture;

/// `check` accepts the names that a store can have.
pub async fn check_accepts_good_names<F: Fixture>(fixture: F) {
    let source = source_of(&fixture);
    let names = fixture.good_names().into_iter().chain(["a", "first-7"].map(|label| fixture.name(label)));
    for name in names {
        if let Err(error) = source.check(&SecretRequest::new(&*name)) {
            panic!("{name:?} is a valid name, but refused: {}", story(&error));
        }
    }
}

/// `check` refuses names that a store can never have, as invalid requests.
pub async fn check_refuses_bad_names<F: Fixture>(fixture: F) {
    let source = source_of(&fixture);
    for name in fixture.bad_names() {
        match source.check(&SecretRequest::new(&*name)) {
            Ok(()) => panic!("{name:?} is an invalid name, but accepted"),
            Err(error) => assert_eq!(error.kind(), SourceErrorKind::InvalidRequest, "for the name {name:?}"),
        }
    }
}

/// `check` accepts versions that the store can have. If a store has no versions, every version is unsupported. Otherwise the run
/// would silently fetch the current one.
pub async fn a_version_is_accepted_or_unsupported<F: Fixture>(fixture: F) {
    let source = source_of(&fixture);
    let versions = fixture.good_versions();
    for version in &versions {
        let request = request(&fixture, "versioned").with_version(version);
        if let Err(error) = source.check(&request) {
            panic!("{version:?} is a valid version, but refused: {}", story(&error));
        }
    }
    if versions.is_empty() {
        match source.check(&request(&fixture, "versioned").with_version("1")) {
            Ok(()) => panic!("the store has no versions, but one is accepted"),
            Err(error) => assert_eq!(error.kind(), SourceErrorKind::Unsupported, "for a version"),
        }
    }
}
