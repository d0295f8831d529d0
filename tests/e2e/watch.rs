//! `secretdir watch`: a daemon that keeps a set current.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use secretdir_testkit::programs;

use crate::support::{HEAD, PATIENCE, Ran, Site};

/// A site with one file, which is asked for so often.
fn site(interval: &str, more: &str) -> Site {
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

    fn start(site: &Site) -> Self {
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
    watch.hear("the configuration was read again");
    watch.hear("published 2 files");
    site.config(&config.replace("secret = \"a\"", "secert = \"a\""));
    watch.signal(Signal::HUP);
    watch.hear("error: ");
    watch.hear("the one before it goes on");
    site.secret("a", "3");
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
    site.run(&["watch"]).expect_exit(5).expect_error(&["another process keeps it current"]);
    site.secret("a", "2");
    assert!(site.sync().stdout.starts_with("published"));
    let text = site.run(&["status"]).expect_exit(0).stdout;
    assert!(text.contains("kept current by `secretdir watch`: the next turn comes at 20"), "{text}");
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
        ("splay = \"10m\"", "is longer than the interval"),
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
    watch.stop();
    assert_eq!(site.run(&["status", "--json"]).json()["generation"]["on_change"], "pending");
}

/// Reads what a service manager would.
fn manager(site: &Site) -> UnixDatagram {
    let socket = UnixDatagram::bind(site.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn told(manager: &UnixDatagram, words: &str) -> String {
    let mut heard = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let length = manager.recv(&mut buffer).unwrap_or_else(|_| panic!("no {words:?} in {heard:#?}"));
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.contains(words) {
            return text;
        }
        heard.push(text);
    }
}

#[test]
fn the_service_manager_is_told_of_readiness_reloads_and_the_end() {
    let site = site("1h", "wake = false");
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    let manager = manager(&site);
    let mut command = site.command(&["watch"]);
    command.env("NOTIFY_SOCKET", site.path().join("notify")).env("WATCHDOG_USEC", "200000");
    let watch = Watch::of(&mut command);
    assert!(told(&manager, "STATUS=").contains("nothing is published yet"));
    told(&manager, "WATCHDOG=1");
    fs::rename(site.path().join("gone"), site.path().join("source")).unwrap();
    watch.signal(Signal::USR1);
    told(&manager, "READY=1");
    told(&manager, "STATUS=generation ");
    watch.signal(Signal::HUP);
    assert!(told(&manager, "RELOADING=1").contains("MONOTONIC_USEC="));
    told(&manager, "READY=1");
    watch.stop();
    told(&manager, "STOPPING=1");

    // With a set of before, it is ready though the store is down.
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    let mut command = site.command(&["watch"]);
    command.env("NOTIFY_SOCKET", site.path().join("notify"));
    let watch = Watch::of(&mut command);
    told(&manager, "READY=1");
    watch.signal(Signal::USR1);
    told(&manager, "STATUS=generation ");
    watch.stop();
}

#[test]
fn it_is_ready_and_alive_while_the_command_runs_and_whatever_wakes_it() {
    let site = site("1h", "[on-change]\ncommand = [\"sleep\", \"600\"]\ntimeout = \"20m\"");
    let manager = manager(&site);
    let mut command = site.command(&["watch"]);
    command.env("NOTIFY_SOCKET", site.path().join("notify")).env("WATCHDOG_USEC", "1000000");
    let watch = Watch::of(&mut command);
    told(&manager, "READY=1");
    manager.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut pings = 0;
    while pings < 3 {
        assert!(Instant::now() < deadline, "{pings} pings");
        watch.signal(Signal::USR1);
        let mut buffer = [0; 4096];
        let is_ping = manager.recv(&mut buffer).is_ok() && buffer.starts_with(b"WATCHDOG=1");
        pings += usize::from(is_ping);
    }
    watch.stop();
}

#[test]
fn a_manager_that_does_not_listen_stops_nothing() {
    let site = site("1s", "wake = false");
    let _manager = manager(&site);
    let mut command = site.command(&["watch"]);
    // Half of zero is no pause: zero turns the watchdog off.
    command.env("NOTIFY_SOCKET", site.path().join("notify")).env("WATCHDOG_USEC", "0");
    let mut watch = Watch::of(&mut command);
    watch.hear("published 1 file");
    let room = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    for turn in 0..room.trim().parse::<usize>().unwrap() + 5 {
        site.secret("a", turn.to_string());
        watch.signal(Signal::USR1);
        watch.hear("published 1 file");
    }
    watch.stop();
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
    watch.hear("the configuration is wrong");
    leads_to("good");
    watch.signal(Signal::USR1);
    watch.hear("the configuration was read again");
    watch.stop();
}

#[test]
fn metrics_lead_nowhere_wait_for_nobody_and_replace_only_files() {
    let site = site("1h", "wake = false");
    let at = |name: &str| site.path().join(name);
    fs::write(at("victim"), "kept").unwrap();
    std::os::unix::fs::symlink(at("victim"), at(".m.prom.tmp")).unwrap();
    site.run(&["sync", "--metrics", "m.prom"]).expect_exit(0);
    assert!(fs::symlink_metadata(at("m.prom")).unwrap().is_file());
    std::os::unix::fs::symlink(at("victim"), at("link.prom")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo.prom"), rustix::fs::Mode::RWXU).unwrap();
    for name in ["link.prom", "fifo.prom"] {
        let ran = site.run(&["sync", "--metrics", name]).expect_exit(0);
        let words =
            format!("warning: cannot write the metrics to \"{name}\": what is there is not a regular file");
        assert!(ran.stderr.contains(&words), "{ran:?}");
        assert!(!fs::symlink_metadata(at(name)).unwrap().is_file());
    }
    assert_eq!(fs::read_to_string(at("victim")).unwrap(), "kept");
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
fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name) && line.contains("} "));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn metrics_are_there_from_the_start_and_count() {
    let site = site("1h", "wake = false");
    let file = site.path().join("m.prom");
    let read = || fs::read_to_string(&file).unwrap_or_default();
    let mut command = site.command(&["watch", "--metrics"]);
    let mut watch = Watch::of(command.arg(&file));
    watch.hear("published 1 file");
    eventually("metrics", || read().contains("result=\"published\"} 1"));
    let text = read();
    assert_eq!(sample(&text, "secretdir_consecutive_failures"), 0.0);
    assert!(sample(&text, "secretdir_last_success_timestamp_seconds") > 1e9);
    assert!(text.contains("secretdir_source_errors_total{link=") && text.contains("kind=\"throttled\"} 0\n"));
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    watch.signal(Signal::USR1);
    eventually("failure", || read().contains("kind=\"unavailable\"} 1"));
    assert_eq!(sample(&read(), "secretdir_consecutive_failures"), 1.0);
    watch.stop();
    fs::rename(site.path().join("gone"), site.path().join("source")).unwrap();
    site.run(&["sync", "--metrics", "m.prom"]).expect_exit(0);
    assert!(read().contains("result=\"unchanged\"} 1"), "{}", read());
    fs::remove_file(site.path().join("source/a")).unwrap();
    site.run(&["sync", "--metrics", "m.prom"]).expect_exit(3);
    assert!(read().contains("kind=\"not-found\"} 1"), "{}", read());
    site.secret("a", "1");
    let ran = site.run(&["sync", "--metrics", "none/m.prom"]).expect_exit(0);
    assert!(ran.stderr.contains("warning: cannot write the metrics to \"none/m.prom\""), "{ran:?}");
}

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

#[test]
fn a_set_is_looked_at_before_it_is_published() {
    let verify =
        |script: &str| format!("[verify]\ncommand = [\"sh\", \"-c\", '''{script}''']\ntimeout = \"2s\"\n");
    let site = site(
        "1h",
        &verify(
            "cat \"$SECRETDIR_PATH/a\" > seen; test ! -e out/app && stat -c %a \"$SECRETDIR_PATH\" > mode",
        ),
    );
    site.sync();
    let seen = |name: &str| fs::read_to_string(site.path().join(name)).unwrap();
    assert_eq!((seen("seen"), seen("mode")), ("1".to_owned(), "700\n".to_owned()));
    let before = site.fingerprint();
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let at = |script: &str| {
        config.replace(
            &config[config.find("[verify]").unwrap()..config.find("\n\n[files]").unwrap()],
            &verify(script),
        )
    };
    site.secret("a", "2");
    for (script, words) in [
        ("exit 3", "the verify command `sh` failed: exit status: 3"),
        ("sleep 600", "did not end within 2s"),
        ("echo 3 > $SECRETDIR_PATH/a", "the verify command `sh` changed the set: `a` differs"),
        ("chmod 644 $SECRETDIR_PATH/a", "changed the set: `a` differs"),
        ("rm $SECRETDIR_PATH/a", "changed the set: `a` differs"),
        ("ln -s /dev/null $SECRETDIR_PATH/b", "changed the set: `b` differs"),
        ("mkdir -p $SECRETDIR_PATH/b/c", "changed the set: `b"),
    ] {
        site.config(&at(script));
        let ran = site.run(&["sync", "--json"]).expect_exit(7);
        assert_eq!(ran.json()["errors"][0]["kind"], "verify-failed");
        ran.expect_error(&[words, "nothing is published; the set that is current stays"]);
        assert_eq!(site.fingerprint().without_folder(), before.clone().without_folder());
        assert!(!site.names().iter().any(|name| name.contains("tmp")), "{:?}", site.names());
    }
    // What is unchanged is not looked at.
    site.secret("a", "1");
    site.sync();
}

#[test]
fn a_stamp_is_touched_once_for_each_change() {
    let site = site("1h", "[on-change]\nstamp = \"app.changed\"\n");
    let stamp = site.path().join("out/app.changed");
    let touched = || fs::metadata(&stamp).unwrap().modified().unwrap();
    site.sync();
    let first = touched();
    site.sync();
    assert_eq!(touched(), first);
    site.secret("a", "2");
    site.sync();
    assert!(touched() > first);
    fs::remove_file(&stamp).unwrap();
    std::os::unix::fs::symlink("elsewhere", &stamp).unwrap();
    site.secret("a", "3");
    site.run(&["sync"]).expect_exit(6).expect_error(&["cannot open", "app.changed"]);
    assert!(!site.path().join("out/elsewhere").exists());
    for (name, words) in [
        ("app", "the link's own"),
        (".app.x", "starts with `.app.`"),
        ("a/b", "has a `/` in it"),
        ("..", "`..`"),
    ] {
        site.config(&format!("{HEAD}\n[on-change]\nstamp = \"{name}\"\n[files]\n"));
        site.run(&["check"]).expect_exit(2).expect_error(&["on-change.stamp: ", words]);
    }
}

#[test]
fn units_are_reloaded_without_waiting_and_other_commands_are_warned_of() {
    let site = site("1h", "[on-change]\nunits = [\"nginx.service\", \"-x.service\"]\n");
    let bin = site.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("systemctl"), "#!/bin/sh\necho \"$@\" > told\n").unwrap();
    Ran::of(Command::new("chmod").args(["755"]).arg(bin.join("systemctl"))).expect_exit(0);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    Ran::of(site.command(&["sync"]).env("PATH", path)).expect_exit(0);
    let told = fs::read_to_string(site.path().join("told")).unwrap();
    assert_eq!(told, "--no-block try-reload-or-restart -- nginx.service -x.service\n");
    let check = |on_change: &str| {
        site.config(&format!(
            "{HEAD}\n[on-change]\n{on_change}\n[files]\na = {{ source = \"local\", secret = \"a\" }}\n"
        ));
        site.run(&["check"])
    };
    for command in
        [r#"["systemctl", "reload", "nginx"]"#, r#"["/usr/bin/systemctl", "try-restart", "a", "b"]"#]
    {
        let ran = check(&format!("command = {command}")).expect_exit(0);
        assert!(ran.stderr.contains("warning: ") && ran.stderr.contains("--no-block"), "{ran:?}");
    }
    for command in [
        r#"["systemctl", "--no-block", "reload", "nginx"]"#,
        r#"["systemctl", "is-active", "a"]"#,
        r#"["reload"]"#,
    ] {
        assert_eq!(check(&format!("command = {command}")).expect_exit(0).stderr, "", "{command}");
    }
    check("units = []").expect_exit(2).expect_error(&["on-change.units: names no unit"]);
    check("units = [\"a b\"]").expect_exit(2).expect_error(&["on-change.units[0]: `a b` is no unit"]);
    check("units = [\"a\"]\ncommand = [\"true\"]")
        .expect_exit(2)
        .expect_error(&["on-change.units: is of no use beside"]);
    check("timeout = \"1s\"")
        .expect_exit(2)
        .expect_error(&["on-change.command: missing; this, `units` or `stamp`"]);
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
fn between_two_turns_nothing_is_called() {
    let site = site("1h", "");
    let log = site.path().join("calls");
    let mut command = Command::new("strace");
    command.args(["-f", "-o"]).arg(&log).arg(crate::support::COMMAND).arg("watch");
    site.prepare(&mut command);
    let mut watch = Watch::of(&mut command);
    watch.hear("published 1 file");
    let calls = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    // It has come to rest when its last call is the wait.
    eventually("rest", || {
        fs::read_to_string(&log).unwrap_or_default().trim_end().ends_with("epoll_wait(3,") || {
            let before = calls();
            std::thread::sleep(Duration::from_millis(500));
            calls() == before
        }
    });
    let before = calls();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(calls(), before, "{}", fs::read_to_string(&log).unwrap());
    let child = fs::read_to_string(&log).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(child).unwrap(), Signal::TERM).unwrap();
    watch.child.wait().unwrap();
}

/// Each sample is as the tools of Prometheus want it.
#[test]
fn the_tools_of_prometheus_take_the_metrics() {
    let site = site("1h", "");
    site.run(&["sync", "--metrics", "m.prom"]).expect_exit(0);
    let script = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as parse\n\
        families = list(parse(open(sys.argv[1]).read()))\nassert len(families) > 10\n\
        print(sum(len(family.samples) for family in families))";
    let ran =
        Ran::of(Command::new(programs().join("python")).args(["-c", script]).arg(site.path().join("m.prom")));
    let samples: usize = ran.expect_exit(0).stdout.trim().parse().unwrap();
    let lines = fs::read_to_string(site.path().join("m.prom")).unwrap();
    assert_eq!(samples, lines.lines().filter(|line| !line.starts_with('#')).count());
}

#[test]
fn an_interval_that_is_too_short_for_a_store_that_many_share_is_warned_of() {
    let site = Site::new();
    let check = |interval: &str, refresh: &str| {
        site.config(&format!(
            "[directory]\npath = \"out/app\"\n[watch]\ninterval = \"{interval}\"\n\
             [sources.prod]\nprovider = \"aws-secrets-manager\"\nregion = \"eu-west-1\"\n{refresh}\n\
             [files]\na = {{ source = \"prod\", secret = \"a\" }}\n"
        ));
        site.run(&["check"]).expect_exit(0).stderr
    };
    assert!(check("10s", "").contains("source `prod` is asked every 10s"), "{}", check("10s", ""));
    assert!(check("5m", "refresh = \"30s\"").contains("source `prod` is asked every 30s"));
    assert_eq!(check("1m", ""), "");
    assert_eq!(check("10s", "refresh = \"5m\""), "");
}

#[test]
fn a_set_that_is_stale_before_each_turn_is_warned_of() {
    let check = |max_stale: &str| {
        site("5m", &format!("max-stale = \"{max_stale}\"")).run(&["check"]).expect_exit(0).stderr
    };
    assert!(check("4m").contains("stale after 4m, but a turn comes only every 5m"), "{}", check("4m"));
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
