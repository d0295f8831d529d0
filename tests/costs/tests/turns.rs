//! Runs the engine a thousand times in one process, as a daemon would: nothing may pile up, and each turn tells only of itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use secretdir_engine::{ErrorKind, Event, Host, Plan, Registry, State};
use secretdir_provider::{Clock, Jitter};
use secretdir_provider_exec::ExecProvider;
use secretdir_provider_file::FileProvider;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what is alive of the heap.
#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TURNS: u64 = 1_000;

/// What is made once is there after so many turns. Whole rounds, as `TURNS` are: the sites look alike at both counts.
const WARM_UP: u64 = 50;

/// How many more bytes may be alive at the end: a leak of 5 bytes a turn is more.
const SLACK: usize = 4 << 10;

/// What happens to a site before a turn. All but a change is undone after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Same,
    Changed,
    /// A secret is not there.
    Missing,
    /// A regular file is where the link was.
    Replaced,
    /// Another run holds the lock.
    Busy,
}

/// Each site has them in this order.
const ROUND: [Turn; 5] = [Turn::Changed, Turn::Same, Turn::Missing, Turn::Replaced, Turn::Busy];

/// Secrets of files, some of them imported, and a source that nothing uses: each run warns of it.
const FILES: &str = r#"
[directory]
path = "out"
durability = "none"
[gather]
timeout = "1h"
[sources.local]
provider = "file"
root = "secrets"
[sources.spare]
provider = "file"
root = "secrets"
[files]
token = { source = "local", secret = "token" }
[[import]]
source = "local"
prefix = "db/"
"#;

/// What starts programs and threads: a command that prints secrets, a command after each change, and a template.
const PROGRAMS: &str = r#"
[directory]
path = "out"
durability = "none"
[on-change]
command = ["true"]
timeout = "1h"
[gather]
timeout = "1h"
[sources.tool]
provider = "exec"
command = ["cat", "secrets/{secret}"]
timeout = "1h"
[files]
token = { source = "tool", secret = "token" }
url = { template-text = "https://{{ token }}@db", secrets.token = { source = "tool", secret = "token" } }
"#;

/// A host whose time passes only as somebody sleeps.
#[derive(Default)]
struct Still {
    milliseconds: Arc<AtomicU64>,
    events: Mutex<Vec<String>>,
}

impl Still {
    fn pass(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap();
        self.milliseconds.fetch_add(time, Ordering::Relaxed);
    }
}

impl Host for Still {
    fn clock(&self) -> Clock {
        let shown = Arc::clone(&self.milliseconds);
        let now = move || Duration::from_millis(shown.load(Ordering::Relaxed));
        let since = now.clone();
        Clock::new(now).with_date(move || UNIX_EPOCH + Duration::from_secs(2_000_000_000) + since())
    }

    fn jitter(&self) -> Jitter {
        Jitter::new(|longest| longest)
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        // So long is only the deadline of a gathering, and no gathering here is late.
        if pause > Duration::from_secs(60) {
            return Box::pin(std::future::pending());
        }
        self.pass(pause);
        Box::pin(std::future::ready(()))
    }

    fn event(&self, event: Event<'_>) {
        // How many secrets arrive together depends on when programs end.
        if !matches!(event, Event::Arrived { .. }) {
            self.events.lock().unwrap().push(event.to_string());
        }
    }
}

/// A folder with a configuration, and what it publishes.
struct Site {
    folder: PathBuf,
    plan: Plan,
    told: Told,
}

/// What the runs of a site tell: neither less nor more.
struct Told {
    /// In each turn.
    warnings: &'static [&'static str],
    /// Of a gathering in which everything is there.
    complete: &'static [&'static str],
    /// Of one in which the token is missing.
    partial: &'static [&'static str],
    /// Besides, of a change.
    change: &'static [&'static str],
    /// What a missing token is.
    missing: ErrorKind,
}

impl Site {
    fn new(folder: PathBuf, config: &str, registry: &Registry, told: Told) -> Self {
        fs::create_dir_all(folder.join("secrets/db")).unwrap();
        for name in ["secrets/token", "secrets/db/user", "secrets/db/password"] {
            fs::write(folder.join(name), "a value").unwrap();
        }
        let path = folder.join("secretdir.toml");
        fs::write(&path, config).unwrap();
        Self { plan: Plan::read(&path, None, registry).unwrap(), folder, told }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Prepares a turn, runs it, looks at what came of it and at all that was told, and undoes what was prepared.
    async fn turn(&self, number: u64, turn: Turn, registry: &Registry, host: &Still) {
        let (out, aside) = (self.path("out"), self.path("aside"));
        let (token, away) = (self.path("secrets/token"), self.path("token"));
        let mut held = None;
        match turn {
            Turn::Same => {}
            Turn::Changed => fs::write(&token, format!("token-{number:04}")).unwrap(),
            Turn::Missing => fs::rename(&token, &away).unwrap(),
            Turn::Replaced => {
                fs::rename(&out, &aside).unwrap();
                fs::write(&out, "not a link").unwrap();
            }
            Turn::Busy => {
                let lock = File::open(self.path(".out.state/lock")).unwrap();
                lock.try_lock().unwrap();
                held = Some(lock);
            }
        }

        let ended = secretdir_engine::sync(&self.plan, registry, host, Some(Duration::from_secs(1))).await;

        let (came, errors, warnings) = match ended {
            Ok(outcome) => (Ok(outcome.state), outcome.errors, outcome.warnings),
            Err(failure) => {
                let reports = failure.reports();
                (Err(reports.first().unwrap().kind), reports.into_iter().skip(1).collect(), failure.warnings)
            }
        };
        let Told { complete, partial, change, .. } = self.told;
        let (expected, events) = match turn {
            Turn::Same => (Ok(State::Unchanged), complete.to_vec()),
            Turn::Changed => (Ok(State::Published), [complete, change].concat()),
            Turn::Missing => (Err(self.told.missing), partial.to_vec()),
            Turn::Replaced => (Err(ErrorKind::NotALink), Vec::new()),
            Turn::Busy => (Err(ErrorKind::Busy), vec!["waiting for another run to end"]),
        };
        assert_eq!(came, expected, "turn {number}, {turn:?}: {errors:?}");
        assert_eq!(errors, [], "turn {number}, {turn:?}");
        let folder = format!("{}/", self.folder.display());
        let warnings: Vec<_> = warnings.iter().map(|warning| warning.message.replace(&folder, "")).collect();
        assert_eq!(warnings, self.told.warnings, "turn {number}, {turn:?}");
        assert_eq!(std::mem::take(&mut *host.events.lock().unwrap()), events, "turn {number}, {turn:?}");

        drop(held);
        match turn {
            Turn::Missing => fs::rename(&away, &token).unwrap(),
            Turn::Replaced => fs::rename(&aside, &out).unwrap(),
            Turn::Same | Turn::Changed | Turn::Busy => {}
        }
        assert_eq!(fs::read(out.join("token")).unwrap(), fs::read(token).unwrap(), "turn {number}, {turn:?}");
    }
}

/// What there is at one moment.
struct There {
    descriptors: usize,
    threads: usize,
    /// Files and directories of all sites, generations included.
    entries: usize,
    /// Bytes of the heap.
    bytes: usize,
}

impl There {
    fn count(sites: &Path) -> Self {
        let heap = HEAP.stats();
        let bytes = heap.bytes_allocated - heap.bytes_deallocated;
        Self { descriptors: count("/proc/self/fd"), threads: threads(), entries: below(sites), bytes }
    }
}

fn threads() -> usize {
    count("/proc/self/task")
}

fn count(folder: &str) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Counts all that is below a folder.
fn below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let counts =
        entries.map(|entry| if entry.file_type().unwrap().is_dir() { 1 + below(&entry.path()) } else { 1 });
    counts.sum()
}

#[test]
fn a_thousand_turns_leave_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut registry = Registry::new();
    registry.register(Box::new(FileProvider)).unwrap();
    registry.register(Box::new(ExecProvider)).unwrap();
    let files = Told {
        warnings: &["secretdir.toml:10:10: sources.spare: no file and no import uses this source"],
        complete: &[
            "fetching 1 secret",
            "fetched 0 secrets from `spare`",
            "listed 2 secrets of `local`",
            "fetched 3 secrets from `local`",
        ],
        partial: &[
            "fetching 1 secret",
            "fetched 0 secrets from `spare`",
            "listed 2 secrets of `local`",
            "fetched 2 secrets from `local`",
        ],
        change: &["publishing 3 files"],
        missing: ErrorKind::NotFound,
    };
    let programs = Told {
        warnings: &[],
        complete: &["fetching 1 secret", "fetched 1 secret from `tool`"],
        partial: &["fetching 1 secret", "fetched 0 secrets from `tool`"],
        change: &["publishing 2 files", "running the on-change command"],
        missing: ErrorKind::SourceFailed,
    };
    let sites = [
        Site::new(temporary.path().join("files"), FILES, &registry, files),
        Site::new(temporary.path().join("programs"), PROGRAMS, &registry, programs),
    ];
    let host = Still::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let turns = sites.iter().cycle().zip(ROUND.iter().flat_map(|turn| [turn; 2]).cycle());
    let mut before = None;
    for (number, (site, turn)) in (0..TURNS).zip(turns) {
        if number == WARM_UP {
            before = Some(There::count(temporary.path()));
        }
        runtime.block_on(site.turn(number, *turn, &registry, &host));
        host.pass(Duration::from_secs(60));
    }

    let (before, after) = (before.unwrap(), There::count(temporary.path()));
    assert_eq!(after.descriptors, before.descriptors, "descriptors");
    assert_eq!(after.entries, before.entries, "files and directories");
    // The kernel lists a thread that has ended for a moment longer, and a busy machine for longer still.
    let mut waits = 0..600;
    while threads() > before.threads && waits.next().is_some() {
        thread::sleep(Duration::from_millis(100));
    }
    assert!(threads() <= before.threads, "{} threads, and {} before", threads(), before.threads);
    let more = after.bytes.saturating_sub(before.bytes);
    assert!(more < SLACK, "{more} bytes more are alive");
}
