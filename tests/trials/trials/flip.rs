//! Step 9, when the rename does not do what it says, or does not say what it did.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use atomicdir_trials::{Outcome, Set, shown};
use secretdir_testkit::PATIENCE;

use crate::support::{Place, SETTLED, Sync};

const UPDATE: Sync = Sync { set: Set(2), retain: 0, durability: "none" };

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_rename_that_fails_keeps_the_old_set_and_its_time() {
    let place = Place::new();
    place.publish(Set(1), Outcome::Published);
    let before = modified(&place.link());
    let ran = UPDATE.inject(&place, "renameat:error=EIO:when=1").ran;
    assert_eq!(ran.status.code(), Some(Outcome::Failed as i32));
    assert!(ran.stderr.contains("(step 9, flip)"), "{ran:?}");
    assert_eq!((shown(&place.link()).unwrap(), modified(&place.link())), (Some(Set(1)), before));
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn a_link_that_cannot_be_looked_at_again_is_an_error_of_its_own() {
    let place = Place::new();
    place.publish(Set(1), Outcome::Published);
    let ran = UPDATE.inject(&place, "readlinkat:error=EIO:when=2").ran;
    assert_eq!(ran.status.code(), Some(Outcome::Failed as i32));
    assert!(ran.stderr.contains("cannot read ") && ran.stderr.contains("Input/output"), "{ran:?}");
    assert_eq!(
        (shown(&place.link()).unwrap(), place.names()),
        (Some(Set(1)), SETTLED.map(str::to_owned).to_vec())
    );
}

/// A server that has renamed may lose its reply. Here the trial is the server: it renames as soon as the run has marked the
/// old generation as superseded, and the run's own rename, a second later, fails.
#[test]
fn a_rename_that_is_reported_as_failed_but_was_done_is_a_flip() {
    let place = Place::new();
    place.publish(Set(1), Outcome::Published);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| rename_when_superseded(&place));
        let fault = "renameat:error=EIO:delay_enter=1000000:when=1";
        let ran = UPDATE.inject(&place, fault).ran;
        server.join().unwrap();
        assert_eq!(ran.status.code(), Some(Outcome::Published as i32), "{ran:?}");
    });
    assert_eq!(shown(&place.link()).unwrap(), Some(Set(2)));
    place.publish(Set(2), Outcome::Unchanged);
    assert_eq!(place.names(), SETTLED);
}

fn rename_when_superseded(place: &Place) {
    let old = fs::canonicalize(place.link()).unwrap();
    let published = modified(&old);
    let deadline = Instant::now() + PATIENCE;
    while modified(&old) == published {
        assert!(Instant::now() < deadline, "nothing was superseded");
        std::thread::sleep(Duration::from_millis(1));
    }
    fs::rename(mark(place), place.link()).unwrap();
}

fn mark(place: &Place) -> PathBuf {
    let entries = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut marks = entries.filter(|path| path.to_str().unwrap().contains("/.app.tmp-"));
    marks.next().unwrap()
}

#[test]
fn where_a_rename_cannot_refuse_to_replace_a_second_name_does() {
    for fault in ["renameat2:error=EINVAL:when=1", "renameat2:error=ENOSYS:when=1"] {
        let place = Place::new();
        let ran = UPDATE.inject(&place, fault).ran;
        assert_eq!(ran.status.code(), Some(Outcome::Published as i32), "{ran:?}");
        assert_eq!(
            (shown(&place.link()).unwrap(), place.names()),
            (Some(Set(2)), SETTLED.map(str::to_owned).to_vec())
        );
    }
}
