//! What a store makes when it is asked, such as a database user, and sessions that end. A store that makes nothing must say nothing of
//! the kind.

use std::time::SystemTime;

use secretdir_provider::{Held, Refreshed, RunContext, Secret, SecretRequest, SecretSource};

use super::{assert_value, built, context, put, request, source_of, story};
use crate::fixture::Fixture;

/// A source says which requests make something: none of those for secrets that are stored, and that of the fixture, if it has one.
pub async fn only_what_makes_something_says_so<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "stored", b"value").await;
    let (source, stored) = (source_of(&fixture), request(&fixture, "stored"));
    assert!(!source.issues(&stored), "a request for a secret that is stored is said to make something");
    let answer = source.fetch(&context(1), &stored).await;
    assert_value("a secret that is stored", &answer, b"value");
    let lease = answer.iter().find_map(Secret::lease);
    assert!(lease.is_none(), "a secret that is stored has a lease");
    if let Some((settings, request)) = fixture.making_request() {
        let source = built(&fixture, settings);
        assert!(source.issues(&request), "a request that makes something is not said to");
    }
}

/// What a store has made is good from when it comes until a moment that is yet to come, and to be renewed before that. The same holds for
/// a secret that is stored, if its store says until when it is good.
pub async fn what_is_good_for_a_time_is_good_now<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "stored", b"value").await;
    let (source, stored) = (source_of(&fixture), request(&fixture, "stored"));
    assert_good(&fetched(&*source, &context(1), &stored).await);
    if let Some((settings, request)) = fixture.making_request() {
        let source = built(&fixture, settings);
        assert_good(&fetched(&*source, &context(1), &request).await);
    }
}

/// What is held is kept, and is still what it was, or replaced by something else: never half. And it can be given back twice.
pub async fn what_is_held_is_kept_or_replaced<F: Fixture>(mut fixture: F) {
    let Some((settings, request)) = fixture.making_request() else {
        // Where nothing is made, there is nothing to give back.
        let released = source_of(&fixture).release(&context(1), &[]).await;
        return assert!(
            released.is_ok(),
            "nothing cannot be given back: {}",
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
                "what is kept is another one"
            );
            assert_ends_later("what is kept", kept.valid_until());
            kept.lease().map(str::to_owned)
        }
        Ok(Refreshed::New(new)) => {
            let new = new.arrived_at(SystemTime::now());
            assert_good(&new);
            assert!(new.lease().is_none() || new.lease() != made.lease(), "what is new has the old lease");
            assert!(new.expose_secret() != made.expose_secret(), "what is new is the old value");
            new.lease().map(str::to_owned)
        }
        Ok(_) => panic!("what is held is neither kept nor replaced"),
        Err(error) => panic!("what is held is neither kept nor replaced: {}", story(&error)),
    };
    let leases: Vec<_> = made.lease().map(str::to_owned).into_iter().chain(lease).collect();
    for time in ["first", "second"] {
        if let Err(error) = source.release(&run, &leases).await {
            panic!("a lease cannot be given back the {time} time: {}", story(&error));
        }
    }
}

/// A source that was closed can be asked again, and closed again.
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
    // What is stored may be asked for again right after its end.
    let is_in_time = renewal.zip(end).is_none_or(|(renewal, end)| secret.lease().is_none() || renewal <= end);
    assert!(is_in_time, "a lease is to be renewed when it is over");
}

fn assert_ends_later(what: &str, end: Option<SystemTime>) {
    assert!(end.is_none_or(|end| end > SystemTime::now()), "{what} is over already");
}
