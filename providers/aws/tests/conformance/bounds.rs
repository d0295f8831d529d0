//! An answer is read as far as the largest one of AWS goes, and no further.

use std::num::NonZeroUsize;

use secretdir_provider::{Provider as _, RunContext, SecretRequest, SecretSource, Settings, SourceErrorKind};
use secretdir_testkit::{Framing, REGION, Reply, Strict, Stub};

use crate::environment::run;
use crate::parameters;
use crate::support::{LONG, Seen, seen, some_key, source, table};

/// What the kernel's buffers between two processes may hold beside what was read.
const BUFFERS: usize = 64 << 20;

const MOST_OF_A_BATCH: usize = 9_175_040;
const MOST_OF_A_LISTING: usize = 25_497_600;
const MOST_OF_OTHERS: usize = 1_048_576;

/// What a source is asked for.
enum Question<'a> {
    Secrets(&'a [&'a str]),
    Prefix(&'a str),
}

/// Returns what a source makes of an answer.
async fn refusal(source: &dyn SecretSource, question: &Question<'_>) -> Seen {
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::MIN).build();
    match question {
        Question::Secrets(names) => {
            let requests: Vec<_> = names.iter().copied().map(SecretRequest::new).collect();
            seen(secretdir_conformance::fetch_all(source, &context, &requests).await.remove(0))
        }
        Question::Prefix(prefix) => seen(secretdir_conformance::list(source, &context, prefix).await),
    }
}

/// Expects that an answer without end is cut off there, and that nobody asks once more.
async fn expect_cut_off(make: impl Fn(&str) -> Box<dyn SecretSource>, question: Question<'_>, most: usize) {
    for framing in [Framing::Length, Framing::Chunked, Framing::UntilClosed] {
        for status in [200, 400, 500] {
            let stub = Stub::start(Reply::endless(status, framing));
            let error = refusal(&*make(&stub.endpoint()), &question).await;
            assert_eq!(error.kind, SourceErrorKind::InvalidData, "{framing:?}, {status}: {}", error.cause);
            let told = format!("the answer has more than {most} bytes, and was cut off");
            assert!(error.cause.ends_with(&told), "{framing:?}, {status}: {}", error.cause);
            assert!(error.hint.contains("endpoint-url"), "{}", error.hint);
            assert_eq!(stub.requests(), 1, "{framing:?}, {status}");
            assert!(stub.sent() <= most + BUFFERS, "{framing:?}, {status}: {} bytes", stub.sent());
        }
    }
}

fn parameter_store(endpoint: &str) -> Box<dyn SecretSource> {
    let settings = table(&[("region", REGION), ("endpoint-url", endpoint)]);
    parameters::provider(&some_key()).source(Settings::new(settings, "/")).unwrap()
}

fn secrets_manager(endpoint: &str) -> Box<dyn SecretSource> {
    source(endpoint, &some_key())
}

#[tokio::test]
async fn an_answer_about_one_secret_ends() {
    expect_cut_off(secrets_manager, Question::Secrets(&["app/db"]), MOST_OF_OTHERS).await;
}

#[tokio::test]
async fn an_answer_to_a_batch_ends() {
    expect_cut_off(secrets_manager, Question::Secrets(&["app/db", "app/key"]), MOST_OF_A_BATCH).await;
}

#[tokio::test]
async fn an_answer_about_parameters_ends() {
    expect_cut_off(parameter_store, Question::Secrets(&["/app/db", "/app/key"]), MOST_OF_OTHERS).await;
}

#[tokio::test]
async fn a_page_of_a_listing_ends() {
    expect_cut_off(secrets_manager, Question::Prefix("app/"), MOST_OF_A_LISTING).await;
    expect_cut_off(parameter_store, Question::Prefix("/app/"), MOST_OF_OTHERS).await;
}

/// The SDK asks these a few times, each time through the same client.
#[test]
fn what_gives_credentials_ends_too() {
    for framing in [Framing::Length, Framing::Chunked] {
        for status in [200, 400] {
            for variables in [
                &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")][..],
                &[
                    ("AWS_ENDPOINT_URL_STS", ""),
                    ("AWS_WEB_IDENTITY_TOKEN_FILE", "/proc/self/status"),
                    ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"),
                ],
            ] {
                let stub = Stub::start(Reply::endless(status, framing));
                let endpoint = stub.endpoint();
                let environment: Vec<_> = variables
                    .iter()
                    .map(|(name, value)| (*name, if value.is_empty() { endpoint.as_str() } else { *value }))
                    .collect();
                let told = run(&[("region", REGION)], "app/db", &environment).answers.concat();
                assert!(told.contains("the answer has more than 1048576 bytes, and was cut off"), "{told}");
                let requests = stub.requests();
                assert!(requests <= 4, "{requests}");
                assert!(stub.sent() <= requests * (MOST_OF_OTHERS + BUFFERS), "{} bytes", stub.sent());
            }
        }
    }
}

#[tokio::test]
async fn the_largest_batch_of_aws_is_read() {
    let server = Strict::start();
    // JSON has no shorter form of this character than six.
    let value = "\u{1}".repeat(65_536);
    let requests: Vec<_> = (0..20).map(|number| SecretRequest::new(format!("app/{number}"))).collect();
    for request in &requests {
        server.put(request.name(), &value);
    }
    let source = secrets_manager(&server.endpoint());
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::MIN).build();
    for answer in secretdir_conformance::fetch_all(&*source, &context, &requests).await {
        assert!(answer.unwrap().expose_secret() == value.as_bytes());
    }
    assert_eq!((server.calls("BatchGetSecretValue"), server.all_calls()), (1, 1));
    let alone = SecretRequest::new("app/7").with_version("AWSCURRENT");
    assert!(source.fetch(&context, &alone).await.unwrap().expose_secret() == value.as_bytes());
}
