//! The daemon renews in time, and is patient with a source that cannot.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use secretdir_engine::{Event, Host, News, Standing, State, Wakeup, WatchHost, watch};
use secretdir_provider::{Clock, Jitter};

use super::PAIR;
use super::mint::{Site, Store};

/// Its time passes only while the daemon waits. It ends the daemon at a moment.
struct Watcher {
    store: Store,
    end: Duration,
    /// Whether it ends the daemon while a store makes something.
    ends_while_issuing: bool,
    is_issuing: Cell<bool>,
    /// How each turn ended, and when.
    turns: RefCell<Vec<(u64, &'static str)>>,
}

impl Host for Watcher {
    fn clock(&self) -> Clock {
        self.store.clock()
    }

    fn jitter(&self) -> Jitter {
        Jitter::new(|longest| longest)
    }

    fn event(&self, event: Event<'_>) {
        self.is_issuing.set(self.is_issuing.get() || event == Event::Issuing);
    }
}

impl WatchHost for Watcher {
    fn machine(&self) -> String {
        "a machine".to_owned()
    }

    fn wait(&self, until: Option<Duration>) -> Pin<Box<dyn Future<Output = Wakeup> + '_>> {
        Box::pin(async move {
            let now = self.store.clock().now();
            match until {
                Some(until) if until <= self.end => {
                    self.store.pass(until.saturating_sub(now));
                    Wakeup::Due
                }
                None if self.ends_while_issuing => {
                    poll_fn(|task| {
                        task.waker().wake_by_ref();
                        if self.is_issuing.get() { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                    Wakeup::Stop
                }
                // While a turn is under way nothing is waited for.
                None if now < self.end => std::future::pending().await,
                _ => Wakeup::Stop,
            }
        })
    }

    fn watch_files(&self, _: &[PathBuf], _: &Path, _: Option<&Path>) {}

    fn news(&self, news: &News<'_>, _: &Standing) {
        if let News::TurnEnded(result) = news {
            let ended = match result {
                Ok(outcome) if outcome.state == State::Published => "published",
                Ok(_) => "unchanged",
                Err(_) => "failed",
            };
            self.turns.borrow_mut().push((self.store.clock().now().as_secs(), ended));
        }
    }
}

impl Watcher {
    fn new(store: Store, end: Duration) -> Self {
        Self {
            store,
            end,
            ends_while_issuing: false,
            is_issuing: Cell::new(false),
            turns: RefCell::default(),
        }
    }
}

/// Lets the daemon run for so many seconds.
async fn watched(site: Site, seconds: u64) -> (Site, Vec<(u64, &'static str)>) {
    let end = site.store.clock().now() + Duration::from_secs(seconds);
    let watcher = Watcher::new(site.store.clone(), end);
    watch(site.plan(), site.registry(), &watcher).await.unwrap();
    (site, watcher.turns.into_inner())
}

#[tokio::test]
async fn a_turn_comes_when_something_is_to_be_renewed() {
    let site = Site::new(PAIR);
    site.store.keeps(true);
    // Each lives 100 seconds, and the interval is a day.
    let (site, turns) = watched(site, 600).await;
    let pauses: Vec<_> = turns.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    // The path of the link decides when the turn of the day comes. It may be one of these, and then parts one pause in two.
    let parted = pauses.iter().filter(|pause| **pause < 60).count();
    assert!((8..=11).contains(&turns.len()) && parted <= 2, "{turns:?}");
    assert!(pauses.iter().all(|pause| *pause <= 70), "{turns:?}");
    assert_eq!((site.store.made(), turns[1].1), (1, "unchanged"));
}

#[tokio::test]
async fn a_source_that_cannot_renew_is_asked_with_growing_pauses() {
    let site = Site::new(PAIR);
    site.store.keeps(true);
    let (site, _) = watched(site, 10).await;
    site.store.fails(true);
    let (site, turns) = watched(site, 3_600).await;
    // It lives for 100 seconds. It is tried as long as it does, each time when a third of the rest is over, and then with pauses that
    // double, to five minutes at the longest.
    let failed: Vec<_> = turns.iter().filter(|(_, ended)| *ended == "failed").map(|turn| turn.0).collect();
    assert!((15..=40).contains(&failed.len()), "{} failures in an hour: {turns:?}", failed.len());
    let longest = failed.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest.is_some_and(|longest| (200..=300).contains(&longest)), "{longest:?}: {failed:?}");
    site.store.fails(false);
    let (site, turns) = watched(site, 200).await;
    assert_eq!(turns.first().map(|turn| turn.1), Some("published"), "{turns:?}");
    assert_eq!(site.store.made(), 2);
}

/// After some turns without a login the sources are built again. Those before are closed, as those at the end are.
#[tokio::test]
async fn sources_that_are_built_again_close_those_before() {
    let site = Site::new("[files]\na = { source = \"mint\", secret = \"unauthenticated\" }\n");
    let (site, turns) = watched(site, 4 * 86_400).await;
    assert!(turns.len() >= 4 && turns.iter().all(|turn| turn.1 == "failed"), "{turns:?}");
    let (built, closed) = site.store.sources();
    // One is that of the site, and one that the daemon began with.
    assert!(built > 2, "{built} were built in {} turns", turns.len());
    assert_eq!(closed, built - 1);
}

#[tokio::test]
async fn a_daemon_that_is_ended_while_a_store_makes_something_gives_it_back() {
    let site = Site::new("[files]\na = { source = \"mint\", secret = \"new/slow\" }\n");
    let watcher = Watcher::new(site.store.clone(), Duration::from_secs(3_600));
    let watcher = Watcher { ends_while_issuing: true, ..watcher };
    watch(site.plan(), site.registry(), &watcher).await.unwrap();
    assert_eq!((site.store.made(), site.store.released()), (1, vec!["lease-1".to_owned()]));
    assert!(!site.path("a").exists());
}
