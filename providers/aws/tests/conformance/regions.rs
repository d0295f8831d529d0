//! What a region says that is asked because another one is down, and what one says of what is elsewhere.

use std::num::NonZeroUsize;

use secretdir_provider::{RunContext, SecretRequest, SourceErrorKind};
use secretdir_testkit::{Fault, REGION};

use crate::listing::{OTHER, Service, server};
use crate::support::{LONG, fetch, seen};

const THIRD: &str = "us-east-1";

/// Neither what is optional nor what has a default may be replaced because a region is down.
#[tokio::test]
async fn a_region_after_one_that_is_down_cannot_say_that_there_is_no_such_secret() {
    for service in [Service::Secrets, Service::Parameters] {
        // More than what one call takes: what one region does not have does not keep it from being asked for the others.
        let (server, names) = server(25);
        server.set_fault(Fault::Reset(REGION));
        let names = ["/app/none"].into_iter().chain(names.iter().map(String::as_str));
        let requests: Vec<_> = names.map(SecretRequest::new).collect();
        let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::MIN).build();
        let source = service.source(&server.endpoint(), &[OTHER, THIRD]);
        let mut answers = secretdir_conformance::fetch_all(&*source, &context, &requests).await;
        let absent = seen(answers.remove(0));
        assert_eq!(absent.kind, SourceErrorKind::Unavailable, "{service:?}: {absent:?}");
        assert!(absent.cause.contains("in eu-west-1: "), "{}", absent.cause);
        assert!(absent.cause.ends_with("; a region after it has no such secret, or no replica of it"));
        assert!(answers.iter().all(Result::is_ok), "{service:?}");
        assert_eq!(server.calls_to(THIRD), 1, "{service:?}: for what the second does not have");
    }
}

#[tokio::test]
async fn an_arn_of_another_region_is_a_mistake_and_not_a_secret_that_is_not_there() {
    let (server, names) = server(1);
    let source = Service::Secrets.source(&server.endpoint(), &[]);
    let error = seen(fetch(&*source, SecretRequest::new(server.arn(OTHER, &names[0]))).await);
    assert_eq!(error.kind, SourceErrorKind::InvalidRequest);
    assert_eq!(error.hint, "the ARN is of eu-central-1, but eu-west-1 was asked: set `region`");
}
