//! SIGKILL before every system call of the daemon, from its first look at the state to its end, the calls by which it waits
//! included: the next daemon goes on, and nothing of the killed one is left.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;
use secretdir_testkit::strace::{Trace, is_noise};

use super::{NEW, OLD, owned, shown};
use crate::support::{COMMAND, Call, Site, inject};
use crate::watch::{Watch, eventually};

/// The command ends the daemon, so that what it does has an end, unless there is a file `stay`.
const CONFIG: &str = "
[on-change]
command = [\"sh\", \"-c\", \"echo told >> told; [ -e stay ] || kill -TERM $PPID\"]
stamp = \"app.changed\"
[watch]
interval = \"1h\"
";

/// Without a thread of its own a turn is made by the loop: so all calls are those of one thread, which strace can count.
const NO_THREAD: &str = "clone3:error=EAGAIN:when=1";

const WATCH: [&str; 3] = ["watch", "--metrics", "m.prom"];

#[test]
fn the_next_daemon_goes_on_wherever_this_one_is_killed() {
    let site = prepare();
    let reference = Trace::with_fault(COMMAND, &WATCH, Some(NO_THREAD), |command| site.prepare(command));
    assert!(reference.ran.status.success(), "{:?}", reference.ran);
    let names = site.names();
    let points: Vec<_> = reference
        .since(".app.state")
        .iter()
        .filter(|call| !is_noise(call) && call.name != "clone3")
        .collect();
    assert!(
        points.iter().any(|call| call.name.starts_with("rename") && call.line.contains("\"app\"")),
        "{points:#?}"
    );
    let called: BTreeSet<_> = points.iter().map(|call| call.name.as_str()).collect();
    let waits = called.iter().any(|name| name.starts_with("epoll_") && name.ends_with("wait"));
    assert!(waits && ["read", "write", "close"].iter().all(|name| called.contains(name)), "{called:?}");
    let killed = points.iter().filter(|point| kill_at(point, &names)).count();
    assert!(killed > points.len() / 2, "{killed} of {} calls came", points.len());
}

/// A site whose set is another than what is published, and whose link is gone: so the first turn comes at once.
fn prepare() -> Site {
    let site = Site::new();
    site.publish_all(OLD);
    site.sync();
    site.publish_all(NEW);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let config = config.replace("path = \"out/app\"", "path = \"out/app\"\nretain = \"0s\"");
    site.config(&config.replace("[files]", &format!("{CONFIG}\n[files]")));
    fs::remove_file(site.link()).unwrap();
    site
}

/// Kills a daemon, and lets the next one make a turn. Returns whether the call came.
fn kill_at(point: &Call, names: &[String]) -> bool {
    let site = prepare();
    let ended = inject(&site, &WATCH, &[point.fault("signal=SIGKILL"), NO_THREAD.to_owned()]).status;
    let is_killed = ended.signal() == Some(9);
    // How often the daemon wakes up is not the same in each run, so the last calls of a name may not come.
    assert!(is_killed || ended.success(), "{point:?}: {ended:?}");
    let published = shown(&site);
    assert!(published.is_none() || published == Some(owned(NEW)), "killed at {point:?}: {published:?}");

    let lines = go_on(&site);
    let told = fs::read_to_string(site.path().join("told")).unwrap();
    assert!((1..=2).contains(&told.lines().count()), "killed at {point:?}: {told:?}");
    assert!(!lines.iter().any(|line| line.contains("error") || line.contains("warning")), "{lines:#?}");
    assert_eq!(shown(&site), Some(owned(NEW)), "killed at {point:?}");
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    assert_eq!(status["generation"]["on_change"], "succeeded", "killed at {point:?}");
    assert_eq!(site.names(), names, "killed at {point:?}");
    assert!(!site.path().join(".m.prom.tmp").exists(), "killed at {point:?}");
    is_killed
}

/// Runs a daemon for one turn.
fn go_on(site: &Site) -> Vec<String> {
    fs::write(site.path().join("stay"), "").unwrap();
    let metrics = site.path().join("m.prom");
    let _ = fs::remove_file(&metrics);
    let mut watch = Watch::of(&mut site.command(&WATCH));
    watch.hear("keeping ");
    watch.signal(Signal::USR1);
    let read = || fs::read_to_string(&metrics).unwrap_or_default();
    let runs = |result: &str| read().contains(&format!("result=\"{result}\"}} 1"));
    eventually("a turn", || runs("published") || runs("unchanged"));
    watch.stop()
}
