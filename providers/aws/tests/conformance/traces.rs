//! Nothing secret in any trace, at the most verbose level.

use std::io;
use std::sync::{Arc, Mutex};

use secretdir_provider::SecretRequest;
use secretdir_testkit::{AccessKey, Canary, REGION, Reply, Stub};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::{SAFE_TRACES, build, fetch, provider_with_token};

const VALUE: &str = "canary-of-the-value";
const KEY: &str = "canary-of-the-secret-key";
const TOKEN: &str = "canary-of-the-session-token";

/// What was traced.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fetches from a server that gives this reply, and returns what was traced under this limit.
async fn traces(reply: Reply, limit: &str) -> Vec<u8> {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let limit: Targets = limit.parse().unwrap();
    let subscriber = tracing_subscriber::registry().with(limit).with(layer).set_default();

    let stub = Stub::start(reply);
    let key = AccessKey { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: KEY.to_owned() };
    let settings = [("region", REGION), ("endpoint-url", &stub.endpoint())];
    let source = build(&provider_with_token(&key, Some(TOKEN)), &settings);
    // Whether it succeeds is the other tests' matter.
    drop(fetch(&*source, SecretRequest::new("app/db")).await);

    drop(subscriber);
    log.0.lock().unwrap().clone()
}

fn replies() -> [Reply; 4] {
    let signature = format!(
        r#"{{"__type":"InvalidSignatureException","message":"The Canonical String for this request should have been {TOKEN}"}}"#
    );
    [
        Reply::json(200, format!(r#"{{"SecretString":"{VALUE}","VersionId":"1"}}"#)),
        Reply::json(200, format!(r#"{{"SecretString":"{VALUE}" {VALUE}"#)),
        Reply::json(400, signature),
        Reply::json(500, VALUE),
    ]
}

#[tokio::test]
async fn what_may_be_shown_of_the_traces_holds_no_secret() {
    for reply in replies() {
        let traced = traces(reply, SAFE_TRACES).await;
        for (name, value) in [("value", VALUE), ("secret key", KEY), ("token", TOKEN)] {
            Canary::new(name, value).assert_absent("the traces", &traced);
        }
        Canary::new("access key id", "AKIAIOSFODNN7EXAMPLE").assert_absent("the traces", &traced);
    }
}

/// Shows that the limit is needed.
#[tokio::test]
async fn the_sdk_traces_a_token_that_aws_repeats() {
    let [_, _, signature, _] = replies();
    let traced = traces(signature, "trace").await;
    assert!(Canary::new("token", TOKEN).find(&traced).is_some());
}
