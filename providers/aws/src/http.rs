//! The HTTP client of a source, for the calls of the services and for the requests that get credentials.
//!
//! The SDK reads the body of an answer into memory before it looks at its length or status. So this module limits each
//! answer, below the SDK, to the largest one that AWS can send:
//!
//! - A value has at most 65,536 bytes. In JSON a byte takes at most six (`\u0001`), and Base64 of binary values takes
//!   less. The fields around it are a name (512 characters), an ARN (2,048) and the labels of versions (20 of 256). The
//!   size of one more bare value is enough for them. A batch has 20 of these.
//! - An entry of ListSecrets has 50 tags of 128 and 256 characters, and a description of 2,048. With at most six bytes
//!   for each character, these take 127,488 bytes. The names, labels and replicas beside them take less than that
//!   again. A page has 100 entries.
//! - Everything else is smaller: one value, ten parameters of 8 KiB, or the credentials of a role.
//!
//! A longer answer is cut off, and the call is not retried.
//!
//! The credentials of a container or an instance come from an address of the machine itself or of its local link. Such
//! a request is not signed, and may carry a token in plain text. So it never goes through a proxy, whatever `NO_PROXY`
//! says.

mod agent;
mod authorities;
mod connectors;
mod retry_after;
mod target;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use self::agent::{Agent, Refusal};
pub(crate) use self::authorities::CaCertificates;
use self::connectors::{Clients, Connectors, Need};
pub(crate) use self::retry_after::{TOO_MANY, retry_after};
pub(crate) use self::target::{Blocked, Route, Way};
use aws_sdk_secretsmanager::config::http::{HttpRequest, HttpResponse};
use aws_sdk_secretsmanager::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// The maximum size of a value, and of its JSON together with the fields around it.
const VALUE: usize = 65_536;
const WRITTEN_VALUE: usize = 6 * VALUE + VALUE;

/// The maximum sizes of answers, as computed above.
const MOST_OF_A_BATCH: usize = 20 * WRITTEN_VALUE;
const MOST_OF_A_LISTING: usize = 100 * 2 * 6 * (50 * (128 + 256) + 2_048);
const MOST_OF_OTHERS: usize = 1 << 20;

/// The error for an answer that is longer than any of AWS.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer has more than {0} bytes, and was cut off")]
pub(crate) struct TooLong(usize);

impl TooLong {
    /// Finds this error among the causes of another one.
    pub(crate) fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
    }
}

/// Returns the HTTP client of a source. It trusts the machine's certificates, and uses the proxy that the environment
/// names. It limits answers, and its errors say where they happened.
///
/// `authorities` replaces the certificates of the machine. `agent` records what an agent of a container answers.
pub(crate) fn client(authorities: Option<CaCertificates>, agent: Agent) -> SharedHttpClient {
    SharedHttpClient::new(Bounded { below: Clients::new(authorities), agent, told: Arc::default() })
}

/// A client, or its connectors, with a limit on every answer.
#[derive(Debug)]
struct Bounded<T> {
    below: T,
    agent: Agent,
    /// The ways that have already been logged.
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl<T> Bounded<T> {
    /// Logs a way when it is first used.
    fn tell(&self, way: &Way) {
        let way = way.to_string();
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(way.clone()) {
            tracing::debug!(endpoint = way, "asking");
        }
    }
}

impl HttpClient for Bounded<Clients> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let below = self.below.connectors(settings, components);
        SharedHttpConnector::new(Bounded { below, agent: self.agent.clone(), told: Arc::clone(&self.told) })
    }
}

impl HttpConnector for Bounded<Connectors> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let most = most_of(request.headers().get("x-amz-target"));
        let is_signed = request.headers().get("authorization").is_some_and(|text| text.starts_with("AWS4-"));
        let is_near = !is_signed && target::is_near(request.uri());
        let way = Way::of(request.uri(), if is_near { Route::Direct } else { Route::Proxied });
        self.tell(&way);
        let connector = self.below.get(Need::of(&way, is_near));
        if !is_near {
            let answer = connector.call(request);
            return HttpConnectorFuture::new(async move {
                answer.await.map(|answer| bounded(answer, most)).map_err(|error| way.blocked(error))
            });
        }
        let agent = self.agent.clone();
        HttpConnectorFuture::new(async move {
            let token = request.headers().get("authorization").map(str::to_owned);
            match connector.call(request).await {
                Ok(answer) => agent.note(bounded(answer, most), &way.to_string(), token.as_deref()).await,
                Err(error) => Err(way.blocked(error)),
            }
        })
    }
}

/// Returns the maximum length of the answer to a call, in bytes.
fn most_of(target: Option<&str>) -> usize {
    match target {
        Some("secretsmanager.BatchGetSecretValue") => MOST_OF_A_BATCH,
        Some("secretsmanager.ListSecrets") => MOST_OF_A_LISTING,
        _ => MOST_OF_OTHERS,
    }
}

fn bounded(answer: HttpResponse, most: usize) -> HttpResponse {
    answer.map(|body| {
        let limited = Limited::new(body, most);
        SdkBody::from_body_1_x(
            limited.map_err(
                move |error| {
                    if error.is::<LengthLimitError>() { TooLong(most).into() } else { error }
                },
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::box_error::BoxError;

    use super::*;

    /// Reads a body of this length with this limit.
    async fn read(length: usize, most: usize) -> Result<usize, BoxError> {
        let answer = HttpResponse::new(400.try_into().unwrap(), SdkBody::from(vec![b'x'; length]));
        Ok(bounded(answer, most).into_body().collect().await?.to_bytes().len())
    }

    #[tokio::test]
    async fn as_much_as_the_bound_is_read_and_no_more() {
        for length in [0, 1, 999, 1000] {
            assert_eq!(read(length, 1000).await.unwrap(), length);
        }
        let error = read(1001, 1000).await.unwrap_err();
        assert_eq!(TooLong::behind(&*error).map(|error| error.0), Some(1000));
        assert_eq!(error.to_string(), "the answer has more than 1000 bytes, and was cut off");
    }

    #[test]
    fn the_bounds_are_as_documented() {
        assert_eq!(most_of(Some("secretsmanager.BatchGetSecretValue")), 9_175_040);
        assert_eq!(most_of(Some("secretsmanager.ListSecrets")), 25_497_600);
        for other in [Some("secretsmanager.GetSecretValue"), Some("AmazonSSM.GetParametersByPath"), None] {
            assert_eq!(most_of(other), 1_048_576);
        }
    }
}
