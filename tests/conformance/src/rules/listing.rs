//! Listings, and prefixes.

use secretdir_provider::{SourceError, SourceErrorKind};

use super::{assert_value, context, put, requests, source_of, story};
use crate::canary::chain;
use crate::fixture::Fixture;

/// More than one page of most listings.
const MANY: usize = 25;

/// A listing has every secret below its prefix exactly once, and nothing else. Its names can be fetched. It is empty if there is
/// no such secret. A source that cannot list says so.
pub async fn a_listing_is_complete_or_unsupported<F: Fixture>(mut fixture: F) {
    let labels: Vec<_> = (0..MANY).map(|number| format!("listed-{number}")).collect();
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    for label in labels.iter().chain(&["lister", "unlisted-1"]) {
        put(&mut fixture, label, label.as_bytes()).await;
    }
    let source = source_of(&fixture);
    let requests = requests(&fixture, &labels);
    let mut listed = match crate::list(&*source, &context(2), &fixture.name("listed-")).await {
        Ok(listed) => listed,
        Err(error) => return assert_unsupported(&error),
    };
    listed.sort();
    let mut expected: Vec<_> = requests.iter().map(|request| request.name().to_owned()).collect();
    expected.sort();
    assert_eq!(listed, expected, "of a listing");
    for (label, answer) in labels.iter().zip(crate::fetch_all(&*source, &context(2), &requests).await) {
        assert_value("a secret that was listed", &answer, label.as_bytes());
    }
    match crate::list(&*source, &context(1), &fixture.name("nothing-")).await {
        Ok(listed) => assert_eq!(listed, [""; 0], "below a prefix that no secret has"),
        Err(error) => panic!("below a prefix that no secret has: {}", story(&error)),
    }
}

/// `check_prefix` refuses no prefix that `list` accepts. `list` refuses every prefix that `check_prefix` refuses, with the same
/// kind of error: invalid request or unsupported.
pub async fn check_prefix_refuses_only_what_list_refuses<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "listed-1", b"value").await;
    let source = source_of(&fixture);
    let prefixes = ["listed-", "listed-1", "nothing-"].map(|label| fixture.name(label));
    for prefix in prefixes.into_iter().chain([String::new()]).chain(fixture.bad_names()) {
        let Err(refused) = source.check_prefix(&prefix) else { continue };
        let kinds = [SourceErrorKind::InvalidRequest, SourceErrorKind::Unsupported];
        let story = story(&refused);
        assert!(kinds.contains(&refused.kind()), "the prefix {prefix:?} is refused: {story}");
        match source.list(&context(1), &prefix).await {
            Ok(_) => panic!("the prefix {prefix:?} is refused, but listed: {story}"),
            Err(error) => assert_eq!(error.kind(), refused.kind(), "of the listing below {prefix:?}"),
        }
    }
}

fn assert_unsupported(error: &SourceError) {
    assert_eq!(error.kind(), SourceErrorKind::Unsupported, "of a listing: {}", story(error));
    assert!(chain(error).count() > 1, "the error about a listing gives no cause");
}
