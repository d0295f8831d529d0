//! A long life of the daemon: twenty turns a second, values that always change, and sources of which one fails in every
//! twentieth round. Readers beside it never see a mixed set, and the daemon does not grow.
//!
//! Two minutes in each test run. `SECRETDIR_SECONDS=3600` is the trial by hand. A busy machine makes fewer turns, which
//! fails nothing: how many there were is only told.

mod measured;
mod readers;

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use secretdir_testkit::{Fault, REGION, Strict};

use self::measured::{Sample, assert_steady};
use self::readers::{READERS, Reader};
use crate::metrics::sample;
use crate::support::{PATIENCE, Site};
use crate::watch::{Watch, eventually};

const SECONDS: u64 = 120;

/// The pace of the rounds, where the machine keeps up with it.
const PACE: Duration = Duration::from_millis(50);

/// In each so many-th round something fails: that is 5 %.
const TROUBLE_EVERY: usize = 20;

/// How many rounds there are at least, however long they take: each trouble comes once in each quarter.
const LEAST_ROUNDS: usize = 4 * TROUBLE_EVERY * TROUBLES.len();

/// What fails.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Denied,
    Throttled,
    FileGone,
    Malformed,
    Reset,
    ProgramFails,
}

const TROUBLES: [Trouble; 6] = [
    Trouble::Denied,
    Trouble::Throttled,
    Trouble::FileGone,
    Trouble::Malformed,
    Trouble::Reset,
    Trouble::ProgramFails,
];

/// Each secret is in two files, which are a pair. Nothing is kept for readers but what they pin.
const CONFIG: &str = r#"
[directory]
path = "out/app"
retain = "0s"
durability = "none"
[gather]
timeout = "5s"
[watch]
interval = "1s"
debounce = "20ms"
[sources.prod]
provider = "aws-secrets-manager"
region = "REGION"
endpoint-url = "ENDPOINT"
[sources.local]
provider = "file"
root = "source"
[sources.tool]
provider = "exec"
command = ["cat", "{secret}"]
[files]
"aws/one" = { source = "prod", secret = "pair" }
"aws/other" = { source = "prod", secret = "pair" }
"file/one" = { source = "local", secret = "pair" }
"file/other" = { source = "local", secret = "pair" }
"exec/one" = { source = "tool", secret = "number" }
"exec/other" = { source = "tool", secret = "number" }
"#;

#[test]
fn the_daemon_stays_as_small_as_it_was_and_no_reader_sees_a_mixed_set() {
    let soak = Soak::start();
    let mut watch = Watch::of(&mut soak.command());
    watch.hear("published 6 files");
    let (is_over, read, seconds) = (AtomicBool::new(false), AtomicU64::new(0), seconds());
    let samples = thread::scope(|scope| {
        let _over = EndAtDrop(&is_over);
        for number in 0..READERS {
            let reader = Reader { site: &soak.site, is_over: &is_over, read: &read };
            scope.spawn(move || reader.read(number));
        }
        soak.live(&watch, seconds, &is_over)
    });
    soak.tell(&samples, &read);
    assert!(read.into_inner() >= READERS as u64);
    assert_steady(&samples);
    ["prod", "local", "tool"].into_iter().for_each(|source| soak.assert_failed(source));
    soak.assert_nothing_is_left(&watch);
    watch.stop();
}

fn seconds() -> Duration {
    Duration::from_secs(std::env::var("SECRETDIR_SECONDS").map_or(SECONDS, |text| text.parse().unwrap()))
}

/// Ends the readers, also when something fails.
struct EndAtDrop<'e>(&'e AtomicBool);

impl Drop for EndAtDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The daemon's world.
struct Soak {
    site: Site,
    server: Strict,
}

impl Soak {
    fn start() -> Self {
        let soak = Self { site: Site::new(), server: Strict::start() };
        let config = CONFIG.replace("REGION", REGION).replace("ENDPOINT", &soak.server.endpoint());
        soak.site.config(&config);
        soak.change(0);
        soak
    }

    fn command(&self) -> std::process::Command {
        let mut command = self.site.command(&["watch", "--metrics", "m.prom"]);
        command
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command
    }

    /// Lets rounds pass until the time is over, and returns what was measured of the daemon meanwhile.
    fn live(&self, watch: &Watch, time: Duration, is_over: &AtomicBool) -> Vec<Sample> {
        let (began, mut samples, mut round) = (Instant::now(), Vec::new(), 0);
        while (began.elapsed() < time || round < LEAST_ROUNDS) && !is_over.load(Ordering::SeqCst) {
            round += 1;
            let paced = Instant::now() + PACE;
            if round % TROUBLE_EVERY == 0 {
                self.suffer(watch, TROUBLES[round / TROUBLE_EVERY % TROUBLES.len()], round);
            } else {
                self.ask(watch, round);
            }
            samples.push(Sample::of(watch.id(), &self.site));
            thread::sleep(paced.saturating_duration_since(Instant::now()));
        }
        samples
    }

    /// Changes all values, and waits until a turn has ended.
    fn ask(&self, watch: &Watch, round: usize) {
        let before = self.turns();
        self.change(round);
        watch.signal(Signal::USR1);
        eventually("a turn", || self.turns() > before);
    }

    /// Lets something fail until a turn has failed for it. The client of AWS repeats what was throttled or reset, so that a turn
    /// only takes longer.
    fn suffer(&self, watch: &Watch, trouble: Trouble, round: usize) {
        let (failed, calls) = (self.runs("failed"), self.server.all_calls());
        let (number, gone) = (self.site.path().join("number"), self.site.path().join("gone"));
        let source = self.site.path().join("source");
        self.change(round);
        match trouble {
            Trouble::Denied => self.server.set_fault(Fault::Deny(vec!["GetSecretValue"])),
            Trouble::Throttled => self.server.set_fault(Fault::Throttle),
            Trouble::Malformed => self.server.set_fault(Fault::Malformed),
            Trouble::Reset => self.server.set_fault(Fault::Reset(REGION)),
            Trouble::FileGone => fs::rename(&source, &gone).unwrap(),
            Trouble::ProgramFails => fs::rename(&number, &gone).unwrap(),
        }
        watch.signal(Signal::USR1);
        match trouble {
            Trouble::Throttled | Trouble::Reset => eventually("a call", || self.server.all_calls() > calls),
            _ => eventually("a failure", || self.runs("failed") > failed),
        }
        match trouble {
            Trouble::FileGone => fs::rename(&gone, &source).unwrap(),
            Trouble::ProgramFails => fs::rename(&gone, &number).unwrap(),
            _ => self.server.set_fault(Fault::None),
        }
        self.ask(watch, round);
    }

    /// Gives all secrets another value, each at once.
    fn change(&self, round: usize) {
        let (value, aside) = (format!("{round} ").repeat(500), self.site.path().join("aside"));
        self.server.put("pair", &value);
        for path in ["source/pair", "number"] {
            fs::write(&aside, &value).unwrap();
            fs::rename(&aside, self.site.path().join(path)).unwrap();
        }
    }

    fn read(&self) -> String {
        fs::read_to_string(self.site.path().join("m.prom")).unwrap_or_default()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    fn runs(&self, result: &str) -> u64 {
        let link = self.site.link();
        let name = format!("secretdir_runs_total{{link=\"{}\",result=\"{result}\"", link.display());
        sample(&self.read(), &name) as u64
    }

    fn turns(&self) -> u64 {
        ["published", "unchanged", "failed"].map(|result| self.runs(result)).iter().sum()
    }

    fn tell(&self, samples: &[Sample], read: &AtomicU64) {
        let [published, unchanged, failed] =
            ["published", "unchanged", "failed"].map(|result| self.runs(result));
        let turns = format!("{published} turns published, {unchanged} found nothing new, {failed} failed");
        let (first, last) = (samples.get(samples.len() / 4), samples.last());
        let line = format!("soak: {turns}; {read:?} sets read; from {first:?} to {last:?}\n");
        drop(std::io::stderr().write_all(line.as_bytes()));
    }

    fn assert_failed(&self, source: &str) {
        let text = self.read();
        let errors = text.lines().filter(|line| line.starts_with("secretdir_source_errors_total"));
        let mut own = errors.filter(|line| line.contains(&format!("source=\"{source}\"")));
        assert!(own.any(|line| !line.ends_with(" 0")), "`{source}` has not failed: {text}");
    }

    /// With no reader left, one more turn takes away all that was kept for them.
    fn assert_nothing_is_left(&self, watch: &Watch) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.ask(watch, usize::MAX);
            let names = self.site.names();
            if names == [".app.gen", "app", "state/keeper", "state/lock", "state/made", "state/note"] {
                return;
            }
            assert!(Instant::now() < deadline, "{names:?}");
        }
    }
}
