//! A umask that takes the owner's own bits away. It belongs to the whole process, so the test runs itself again in one of
//! its own, as an ordinary user: root gets through a directory without permissions.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use atomicdir::{Options, Refusal};
use secretdir_testkit::is_root;

use crate::support::Place;

const USER: u32 = 65534;

#[test]
fn a_umask_without_the_owners_bits_is_named_and_leaves_nothing() {
    if let Some(folder) = std::env::var_os("ATOMICDIR_TEST_FOLDER") {
        return publish_in(folder.as_ref());
    }
    if !is_root("a_umask_without_the_owners_bits_is_named_and_leaves_nothing") {
        return;
    }
    let place = Place::new();
    fs::copy(std::env::current_exe().unwrap(), place.path().join("test")).unwrap();
    fs::set_permissions(place.path().join("test"), fs::Permissions::from_mode(0o755)).unwrap();
    let folder = place.path().join("out");
    fs::create_dir(&folder).unwrap();
    chown(&folder, Some(USER), Some(USER)).unwrap();

    let test = "umask::a_umask_without_the_owners_bits_is_named_and_leaves_nothing";
    let script = format!("umask 0777; exec {}/test --exact {test}", place.path().display());
    let user = [format!("--reuid={USER}"), format!("--regid={USER}"), "--clear-groups".to_owned()];
    let mut child = Command::new("setpriv");
    child.args(user).args(["sh", "-c", &script]).env("ATOMICDIR_TEST_FOLDER", &folder);
    let ran = child.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert!(String::from_utf8_lossy(&ran.stdout).contains("1 passed"), "{ran:?}");
}

fn publish_in(folder: &std::path::Path) {
    let dir = Options::new().open(folder.join("app")).unwrap();
    for _ in 0..2 {
        let error = dir.try_lock().unwrap_err();
        assert_eq!((error.refusal(), error.step().number()), (Some(&Refusal::Umask), 2));
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "what could not be opened is gone");
    }
    // A run that was killed before it could take that away.
    fs::create_dir(folder.join(".app.state")).unwrap();
    assert_eq!(dir.try_lock().unwrap_err().refusal(), Some(&Refusal::Umask));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}
