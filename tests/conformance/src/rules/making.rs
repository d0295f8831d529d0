//! Dynamic secrets, such as database users, and sessions that end.

use std::time::SystemTime;

use secretdir_provider::{Held, Refreshed, RunContext, Secret, SecretRequest, SecretSource};

use super::{assert_value, built, context, put, request, source_of, story};
use crate::fixture::Fixture;

/// `issues` is true for requests that make the store create something, such as that of the fixture. It is false for stored
/// secrets.
pub async fn only_what_makes_something_says_so<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "stored", b"value").await;
    let (source, stored) = (source_of(&fixture), request(&fixture, "stored"));
    assert!(!source.issues(&stored), "`issues` is true for a stored secret");
    let answer = source.fetch(&context(1), &stored).await;
    assert_value("a secret that is stored", &answer, b"value");
    let lease = answer.iter().find_map(Secret::lease);
    assert!(lease.is_none(), "a stored secret has a lease");
    if let Some((settings, request)) = fixture.making_request() {
        let source = built(&fixture, settings);
        assert!(source.issues(&request), "`issues` is false for a request that creates something");
    }
}

/// A secret is valid when it arrives: its end and its renewal, if known, are later. A secret with a lease is renewed at the
/// latest at its end.
pub async fn what_is_good_for_a_time_is_good_now<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "stored", b"value").await;
    let (source, stored) = (source_of(&fixture), request(&fixture, "stored"));
    assert_good(&fetched(&*source, &context(1), &stored).await);
    if let Some((settings, request)) = fixture.making_request() {
        let source = built(&fixture, settings);
        assert_good(&fetched(&*source, &context(1), &request).await);
    }
}

/// `refresh` either keeps the same secret or replaces it by a different one. A lease can be released twice.
pub async fn what_is_held_is_kept_or_replaced<F: Fixture>(mut fixture: F) {
    let Some((settings, request)) = fixture.making_request() else {
        // A store that creates nothing has no leases.
        let released = source_of(&fixture).release(&context(1), &[]).await;
        return assert!(
            released.is_ok(),
            "releasing no leases fails: {}",
            released.err().map_or_else(String::new, |error| story(&error))
        );
    };
    let source = built(&fixture, settings);
    let run = context(1);
    let made = fetched(&*source, &run, &request).await;
    let held = Held::of(&made, SystemTime::now());
    let lease = match source.refresh(&run, &request, &held).await {
        Ok(Refreshed::Keep(kept)) => {
            assert_eq!(
                (kept.revision(), kept.obtained_at()),
                (held.revision(), held.obtained_at()),
                "the kept secret has another lease"
            );
            assert_ends_later("what is kept", kept.valid_until());
            kept.lease().map(str::to_owned)
        }
        Ok(Refreshed::New(new)) => {
            let new = new.arrived_at(SystemTime::now());
            assert_good(&new);
            assert!(new.lease().is_none() || new.lease() != made.lease(), "the new secret has the old lease");
            assert!(new.expose_secret() != made.expose_secret(), "the new secret has the old value");
            new.lease().map(str::to_owned)
        }
        Ok(_) => panic!("the published secret is neither kept nor replaced"),
        Err(error) => panic!("the published secret is neither kept nor replaced: {}", story(&error)),
    };
    let leases: Vec<_> = made.lease().map(str::to_owned).into_iter().chain(lease).collect();
    for time in ["first", "second"] {
        if let Err(error) = source.release(&run, &leases).await {
            panic!("a lease cannot be released the {time} time: {}", story(&error));
        }
    }
}

/// A closed source works again, and can be closed again.
pub async fn a_source_that_was_closed_begins_anew<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "closed", b"value").await;
    let (source, request) = (source_of(&fixture), request(&fixture, "closed"));
    for _ in 0..2 {
        let run = context(1);
        assert_value("after it was closed", &source.fetch(&run, &request).await, b"value");
        source.close(&run).await;
        source.close(&run).await;
    }
}

async fn fetched(source: &dyn SecretSource, run: &RunContext, request: &SecretRequest) -> Secret {
    match source.fetch(run, request).await {
        Ok(secret) => secret.arrived_at(SystemTime::now()),
        Err(error) => panic!("not answered: {}", story(&error)),
    }
}

fn assert_good(secret: &Secret) {
    assert_ends_later("a secret", secret.valid_until());
    let (renewal, end) = (secret.renew_at(), secret.valid_until());
    assert_ends_later("the time before the renewal of a secret", renewal);
    // A stored secret may be fetched again right after its end.
    let is_in_time = renewal.zip(end).is_none_or(|(renewal, end)| secret.lease().is_none() || renewal <= end);
    assert!(is_in_time, "a lease would be renewed after its end");
}

fn assert_ends_later(what: &str, end: Option<SystemTime>) {
    assert!(end.is_none_or(|end| end > SystemTime::now()), "{what} is over already");
}
