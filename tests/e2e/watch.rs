//! `secretdir watch`: a daemon that keeps a set current.

mod silent;
mod threads;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::metrics::sample;
use crate::support::{HEAD, PATIENCE, Site};

/// A site with one file, which is asked for so often.
pub(crate) fn site(interval: &str, more: &str) -> Site {
    let site = Site::new();
    site.secret("a", "1");
    let files = "[files]\na = { source = \"local\", secret = \"a\" }\n";
    site.config(&format!("{HEAD}\n[watch]\ninterval = \"{interval}\"\n{more}\n{files}"));
    site
}

/// A daemon under way, which is ended with the test.
pub(crate) struct Watch {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Watch {
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, heard: Vec::new() }
    }

    pub(crate) fn start(site: &Site) -> Self {
        Self::of(&mut site.command(&["watch"]))
    }

    /// Waits for a line with these words, and returns it.
    pub(crate) fn hear(&mut self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line =
                self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {words:?} in {:#?}", self.heard));
            self.heard.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends the daemon by a signal, and returns all its lines. It must end well, and soon.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal(Signal::TERM);
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status:?} {:#?}", self.heard);
        self.heard.extend(self.lines.iter());
        std::mem::take(&mut self.heard)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn content(site: &Site) -> String {
    fs::read_to_string(site.link().join("a")).unwrap_or_default()
}

#[test]
fn it_publishes_at_once_and_again_when_a_file_changes() {
    let site = site("1h", "");
    let mut watch = Watch::start(&site);
    watch.hear("nothing is published yet");
    watch.hear("published 1 file");
    site.secret("a", "2");
    watch.hear("published 1 file");
    assert_eq!(content(&site), "2");
    // What is published wakes nobody: there is nothing else to hear.
    let lines = watch.stop();
    assert_eq!(lines.iter().filter(|line| line.contains("published 1 file")).count(), 2, "{lines:#?}");
    assert!(lines.last().unwrap().contains("info: stopping"), "{lines:#?}");
}

#[test]
fn it_asks_again_after_the_interval_where_files_do_not_wake_it() {
    let site = site("1s", "wake = false");
    let watch = Watch::start(&site);
    eventually("first", || content(&site) == "1");
    site.secret("a", "2");
    eventually("second", || content(&site) == "2");
    watch.stop();
}

#[test]
fn a_signal_asks_for_a_turn_and_another_for_the_configuration() {
    let site = site("1h", "wake = false");
    let mut watch = Watch::start(&site);
    watch.hear("published 1 file");
    site.secret("a", "2");
    watch.signal(Signal::USR1);
    watch.hear("published 1 file");
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&format!("{config}b = {{ source = \"local\", secret = \"a\" }}\n"));
    watch.signal(Signal::HUP);
    watch.hear("the new configuration is now in use");
    watch.hear("published 2 files");
    site.config(&config.replace("secret = \"a\"", "secert = \"a\""));
    watch.signal(Signal::HUP);
    watch.hear("error: ");
    watch.hear("the old one stays in use");
    // The reload has asked for a turn, too: it must not see half a write.
    let aside = site.path().join("aside");
    fs::write(&aside, "3").unwrap();
    fs::rename(aside, site.path().join("source/a")).unwrap();
    watch.signal(Signal::USR1);
    watch.hear("published 2 files");
    assert_eq!(site.read("b"), b"3");
    site.config(&config);
    watch.signal(Signal::HUP);
    watch.hear("published 1 file");
    watch.stop();
}

#[test]
fn a_failure_is_told_once_changes_nothing_and_ends_with_a_recovery() {
    let site = site("1s", "");
    let mut watch = Watch::start(&site);
    watch.hear("published 1 file");
    let before = site.fingerprint();
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    watch.hear("error: file `a`");
    // Some turns that fail alike.
    eventually("turns", || {
        let status = site.run(&["status", "--json"]).json();
        status["last_success_age_seconds"].as_u64().unwrap() > 3
    });
    assert_eq!(site.fingerprint(), before);
    fs::rename(site.path().join("gone"), site.path().join("source")).unwrap();
    watch.hear("recovered: 1 file current");
    let lines = watch.stop();
    assert_eq!(lines.iter().filter(|line| line.contains("error: ")).count(), 1, "{lines:#?}");
}

#[test]
fn a_second_one_for_the_same_link_ends_with_5_and_sync_goes_on_beside_it() {
    let site = site("1h", "wake = false");
    let mut watch = Watch::start(&site);
    watch.hear("published 1 file");
    site.run(&["watch"]).expect_exit(5).expect_error(&["another process already keeps it current"]);
    site.secret("a", "2");
    assert!(site.sync().stdout.starts_with("published"));
    let text = site.run(&["status"]).expect_exit(0).stdout;
    assert!(text.contains("kept current by `secretdir watch`: the next run is at 20"), "{text}");
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    assert!(status["watch"]["next_turn_at"].as_u64().unwrap() > status["last_success_at"].as_u64().unwrap());
    watch.stop();
    assert!(site.run(&["status", "--json"]).json().get("watch").is_none());
    Watch::start(&site).hear("last success");
}

#[test]
fn what_cannot_begin_says_why() {
    let site = site("1h", "");
    site.run(&["watch", "--json"]).expect_exit(2).expect_error(&["'--log json'"]);
    for (key, words) in [
        ("interval = \"0s\"", "watch.interval: "),
        ("interval = \"500ms\"", "at least one second"),
        ("intervall = \"5s\"", "did you mean `interval`?"),
        ("splay = \"10m\"", "the shortest interval between runs"),
        ("debounce = 5", "watch.debounce: "),
    ] {
        site.config(&format!("{HEAD}\n[watch]\n{key}\n[files]\n"));
        site.run(&["watch"]).expect_exit(2).expect_error(&[words]);
    }
    site.config(&format!("{}refresh = \"x\"\n[files]\n", HEAD));
    site.run(&["check"])
        .expect_exit(2)
        .expect_error(&["sources.local.refresh: expected \"never\" or a duration"]);
}

#[test]
fn stopping_while_the_command_runs_leaves_it_pending_and_ends_soon() {
    let hook =
        "[on-change]\ncommand = [\"sh\", \"-c\", \"echo begun >> told; sleep 600\"]\ntimeout = \"1h\"\n";
    let site = site("1h", hook);
    let watch = Watch::start(&site);
    eventually("the command", || site.path().join("told").exists());
    let lines = watch.stop();
    assert!(lines.last().unwrap().contains("the on-change command stays pending"), "{lines:#?}");
    assert_eq!(site.run(&["status", "--json"]).json()["generation"]["on_change"], "pending");
}

#[test]
fn a_refused_configuration_that_is_put_back_counts_again() {
    let site = site("1h", "wake = false");
    let (config, good) = (site.path().join("secretdir.toml"), site.path().join("good"));
    fs::rename(&config, &good).unwrap();
    fs::write(site.path().join("bad"), "wrong").unwrap();
    let leads_to = |target: &str| {
        let _ = fs::remove_file(&config);
        std::os::unix::fs::symlink(target, &config).unwrap();
    };
    leads_to("good");
    let mut watch = Watch::start(&site);
    watch.hear("published 1 file");
    leads_to("bad");
    watch.signal(Signal::USR1);
    watch.hear("the new configuration has errors");
    leads_to("good");
    watch.signal(Signal::USR1);
    watch.hear("the new configuration is now in use");
    watch.stop();
}

#[test]
fn lines_are_json_or_have_priorities_where_that_is_wanted() {
    let site = site("1h", "");
    let mut watch = Watch::of(&mut site.command(&["watch", "--log", "json"]));
    let line: serde_json::Value = serde_json::from_str(&watch.hear("published 1 file")).unwrap();
    assert_eq!(line["level"], "notice");
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
    fs::remove_file(site.path().join("source/a")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&watch.hear("not-found")).unwrap();
    assert_eq!((&line["kind"], &line["source"]), (&"not-found".into(), &"local".into()));
    watch.stop();
    site.secret("a", "1");
    // Standard error is the journal if its numbers are those that systemd tells.
    let script = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$0\" watch";
    let mut command = Command::new("sh");
    site.prepare(command.args(["-c", script, crate::support::COMMAND]));
    let mut watch = Watch::of(&mut command);
    assert!(watch.hear("keeping ").starts_with("<6>keeping "));
    watch.stop();
}

/// Returns the value of a sample.
#[test]
fn a_status_says_whether_the_set_is_fresh() {
    let site = site("1h", "");
    let ran = site.run(&["status", "--fresh", "15m", "--json"]).expect_exit(12);
    assert_eq!(ran.json()["state"], "nothing-published");
    site.sync();
    site.run(&["status", "--fresh", "15m"]).expect_exit(0);
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(1000);
    let lock = fs::File::options().write(true).open(site.path().join("out/.app.state/lock")).unwrap();
    lock.set_modified(long_ago).unwrap();
    assert_eq!(site.run(&["status", "--fresh", "15m", "--json"]).expect_exit(11).json()["state"], "stale");
    site.run(&["status"]).expect_exit(0);
}

/// A directory of a Kubernetes volume: the kubelet exchanges the link `..data`.
#[test]
fn a_volume_that_is_exchanged_behind_links_wakes_it() {
    let site = site("1h", "");
    let volume = site.path().join("volume");
    let version = |name: &str, value: &str| {
        fs::create_dir_all(volume.join(name)).unwrap();
        fs::write(volume.join(name).join("a"), value).unwrap();
    };
    version("..1", "1");
    std::os::unix::fs::symlink("..1", volume.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/a", volume.join("a")).unwrap();
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("root = \"source\"", "root = \"volume\""));
    let mut watch = Watch::start(&site);
    watch.hear("published 1 file");
    version("..2", "2");
    std::os::unix::fs::symlink("..2", volume.join("..data_tmp")).unwrap();
    fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
    watch.hear("published 1 file");
    assert_eq!(content(&site), "2");
    watch.stop();
}

#[test]
fn an_interval_that_is_too_short_for_a_store_that_many_share_is_warned_of() {
    let site = Site::new();
    let of = |provider: &str, interval: &str, refresh: &str| {
        site.config(&format!(
            "[directory]\npath = \"out/app\"\n[watch]\ninterval = \"{interval}\"\n\
             [sources.prod]\nprovider = \"{provider}\"\nregion = \"eu-west-1\"\n{refresh}\n\
             [files]\na = {{ source = \"prod\", secret = \"a\" }}\n"
        ));
        site.run(&["check"]).expect_exit(0).stderr
    };
    let check = |interval: &str, refresh: &str| of("aws-secrets-manager", interval, refresh);
    assert!(check("10s", "").contains("source `prod` is polled every 10s"), "{}", check("10s", ""));
    assert!(check("5m", "refresh = \"30s\"").contains("source `prod` is polled every 30s"));
    assert!(of("aws-parameter-store", "59s", "").contains("source `prod` is polled every 59s"));
    assert_eq!(check("1m", ""), "");
    assert_eq!(check("10s", "refresh = \"5m\""), "");
}

#[test]
fn a_set_that_is_stale_before_each_turn_is_warned_of() {
    let check = |max_stale: &str| {
        site("5m", &format!("max-stale = \"{max_stale}\"")).run(&["check"]).expect_exit(0).stderr
    };
    assert!(check("4m").contains("stale after 4m, but a run comes only every 5m"), "{}", check("4m"));
    assert_eq!(check("5m"), "");
}

#[test]
fn a_set_becomes_stale_without_a_turn_and_what_is_pending_is_so_from_the_start() {
    let site = site("1h", "max-stale = \"1s\"\nwake = false\n[on-change]\ncommand = [\"false\"]");
    site.run(&["sync"]).expect_exit(6);
    let file = site.path().join("m.prom");
    let read = || fs::read_to_string(&file).unwrap_or_default();
    let mut watch = Watch::of(site.command(&["watch", "--metrics"]).arg(&file));
    watch.hear("keeping ");
    eventually("metrics", || read().contains("secretdir_on_change_pending"));
    assert_eq!(sample(&read(), "secretdir_on_change_pending"), 1.0);
    watch.hear("error: stale: ");
    eventually("gauge", || sample(&read(), "secretdir_stale") == 1.0);
    watch.stop();
    let text = site.run(&["status", "--fresh", "1s"]).expect_exit(11).stdout;
    assert!(text.contains("stale: no run has succeeded within 1s"), "{text}");
}
