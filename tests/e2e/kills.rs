//! SIGKILL before every system call of a run, from the moment it opens the lock: afterwards the link names a complete old
//! or new set, the next run succeeds, and nothing of the killed run is left after it.

mod daemon;

use std::fs;
use std::os::unix::process::ExitStatusExt;

use secretdir_testkit::strace::is_noise;

use crate::support::{Call, HEAD, Site, inject, trace};

const OLD: &[(&str, &[u8])] = &[("a", b"old"), ("d/b", b"old"), ("gone", b"old")];
const NEW: &[(&str, &[u8])] = &[("a", b"new"), ("d/b", b"new"), ("e/c", b"new")];

/// What one sweep is about.
struct Sweep {
    /// Keys under `[directory]`.
    directory: &'static str,
    /// Whether something is published already.
    before: Option<&'static [(&'static str, &'static [u8])]>,
    /// What is beside the link after the next run.
    after: &'static [&'static str],
}

const SETTLED: &[&str] = &[".app.gen", "app", "state/lock", "state/made", "state/note"];

#[test]
fn a_first_publish_survives_a_kill_anywhere() {
    sweep(&Sweep { directory: "", before: None, after: SETTLED });
}

#[test]
fn an_update_that_removes_the_old_survives_a_kill_anywhere() {
    sweep(&Sweep { directory: "retain = \"0s\"", before: Some(OLD), after: SETTLED });
}

#[test]
fn an_update_that_keeps_the_old_survives_a_kill_anywhere() {
    let after = &[
        ".app.gen",
        ".app.gen",
        "app",
        "state/lock",
        "state/made",
        "state/made",
        "state/note",
        "state/note",
    ];
    sweep(&Sweep { directory: "durability = \"per-file\"", before: Some(OLD), after });
}

#[test]
fn a_run_that_finds_nothing_to_change_survives_a_kill_anywhere() {
    sweep(&Sweep { directory: "", before: Some(NEW), after: SETTLED });
}

/// Makes a site in the state before the run that is to be killed.
fn prepare(sweep: &Sweep) -> Site {
    let site = Site::new();
    for secrets in sweep.before.into_iter().chain([NEW]) {
        site.publish_all(secrets);
        let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
        site.config(&config.replace("[sources.local]", &format!("{}\n\n[sources.local]", sweep.directory)));
        if secrets != NEW || sweep.before == Some(NEW) {
            site.sync();
        }
    }
    site
}

fn sweep(sweep: &Sweep) {
    let reference = trace(&prepare(sweep), &["sync"], &[]);
    assert!(reference.ran.status.success(), "{:?}", reference.ran);
    let points: Vec<_> = reference.since(".app.state").iter().filter(|call| !is_noise(call)).collect();
    assert!(points.len() > 20, "{points:#?}");
    for point in points {
        kill_at(sweep, point);
    }
}

fn kill_at(sweep: &Sweep, point: &Call) {
    let site = prepare(sweep);
    kill(&site, point);
    let shown = shown(&site);
    let complete = shown == sweep.before.map(owned) || shown == Some(owned(NEW));
    assert!(complete, "killed at {point:?}: {shown:?}");

    let next = site.run(&["sync"]);
    assert_eq!(next.status.code(), Some(0), "killed at {point:?}: {next:?}");
    assert_eq!(next.stderr, "", "killed at {point:?}");
    assert_eq!(self::shown(&site), Some(owned(NEW)), "killed at {point:?}");
    assert_eq!(site.names(), sweep.after, "killed at {point:?}");
}

/// Runs the command and kills it before this call takes effect. strace ends as the command did.
fn kill(site: &Site, point: &Call) {
    assert_eq!(kill_if_it_comes(site, point), Some(9), "{point:?} did not come");
}

/// Returns the signal that the command ended by.
fn kill_if_it_comes(site: &Site, point: &Call) -> Option<i32> {
    inject(site, &["sync"], &[point.fault("signal=SIGKILL")]).status.signal()
}

type Shown = Vec<(String, Vec<u8>)>;

fn owned(secrets: &[(&str, &[u8])]) -> Shown {
    secrets.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect()
}

/// Returns every file that a reader sees; `None` where there is no link.
fn shown(site: &Site) -> Option<Shown> {
    fs::symlink_metadata(site.link()).ok()?;
    let mut files = Vec::new();
    let mut rest = vec![site.link()];
    while let Some(folder) = rest.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                rest.push(path);
            } else {
                let name = path.strip_prefix(site.link()).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    Some(files)
}

/// The calls that a run makes each time it wakes up while its command runs.
const OF_WAITING: [&str; 7] = ["epoll_wait", "epoll_pwait", "read", "recvfrom", "futex", "wait4", "waitid"];

/// The process may also die between the flip and the end of its command: a change is announced at least once.
#[test]
fn a_change_is_announced_whatever_is_killed_when() {
    let make = || {
        let site = Site::new();
        site.secret("a", "new");
        site.config(&format!(
            "{HEAD}\n[on-change]\ncommand = [\"sh\", \"-c\", \"echo told >> told\"]\n\n\
             [files]\n\"a\" = {{ source = \"local\", secret = \"a\" }}\n"
        ));
        site
    };
    let reference = trace(&make(), &["sync"], &[]);
    assert!(reference.ran.status.success(), "{:?}", reference.ran);
    let points: Vec<_> = reference.since(".app.state").iter().filter(|call| !is_noise(call)).collect();
    for point in points {
        let site = make();
        let killed = kill_if_it_comes(&site, point) == Some(9);
        // How often the run wakes up while its command runs is not the same each time, so a last wait may not come.
        assert!(killed || OF_WAITING.contains(&point.name.as_str()), "{point:?} did not come");
        site.sync();
        let told = fs::read_to_string(site.path().join("told")).unwrap_or_default();
        assert!((1..=2).contains(&told.lines().count()), "killed at {point:?}: {told:?}");
        let status = site.run(&["status", "--json"]).expect_exit(0).json();
        assert_eq!(status["generation"]["on_change"], "succeeded", "killed at {point:?}");
        assert_eq!(site.names(), SETTLED, "killed at {point:?}");
    }
}
