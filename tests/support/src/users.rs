//! Tests that need to be root, and the ordinary user that root can run a program as.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};

/// The ordinary user, by number: `nobody` on most systems, and nobody in particular on the others.
pub const OTHER_USER: u32 = 65534;

/// Set to `1`, tests that need root are left out where there is none.
const UNPRIVILEGED: &str = "SECRETDIR_TESTS_UNPRIVILEGED";

/// Names the file that lists the tests that were left out: tests/run prints it at the end.
const NOT_RUN: &str = "SECRETDIR_TESTS_NOT_RUN";

/// Says whether a test can be run that needs root.
///
/// # Panics
///
/// When it cannot, unless the environment says that tests may be left out. What is left out says so past the test harness.
#[track_caller]
pub fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    let may_be_left_out = env::var_os(UNPRIVILEGED).is_some_and(|value| value == "1");
    assert!(
        root || may_be_left_out,
        "{test} needs root: run the tests as root, or set {UNPRIVILEGED}=1 to leave out such tests, which are then listed \
         as NOT RUN"
    );
    if !root {
        leave_out(test, "needs root");
    }
    root
}

/// Says that a test is not run because the machine does not let it. Past the test harness, and at the end of tests/run.
pub fn leave_out(test: &str, why: &str) {
    note(&format!("NOT RUN: {test}: {why}\n"));
}

/// Writes a line where people see it, whatever the harness captures.
fn note(line: &str) {
    drop(io::stderr().write_all(line.as_bytes()));
    let list = env::var_os(NOT_RUN).map(|list| OpenOptions::new().append(true).create(true).open(list));
    if let Some(mut list) = list.transpose().ok().flatten() {
        drop(list.write_all(line.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;
    use crate::Ran;

    /// What the test below runs as another user.
    #[test]
    fn something_that_needs_root() {
        is_root("something_that_needs_root");
    }

    #[test]
    fn without_root_a_test_fails_unless_it_may_be_left_out() {
        if !is_root("without_root_a_test_fails_unless_it_may_be_left_out") {
            return;
        }
        let folder = TempDir::new().unwrap();
        let (program, list) = (folder.path().join("tests"), folder.path().join("list"));
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        fs::write(&list, "").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&list, fs::Permissions::from_mode(0o666)).unwrap();
        let as_another = |may_be_left_out| {
            let mut command = Command::new("setpriv");
            let user = OTHER_USER.to_string();
            command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(&program);
            command.args(["--exact", "users::tests::something_that_needs_root"]).current_dir(folder.path());
            Ran::of(command.env(UNPRIVILEGED, may_be_left_out).env(NOT_RUN, &list))
        };
        let failed = as_another("0").expect_exit(101);
        assert!(
            failed.stdout.contains("run the tests as root, or set SECRETDIR_TESTS_UNPRIVILEGED=1"),
            "{failed:?}"
        );
        assert_eq!(fs::read_to_string(&list).unwrap(), "");
        let left_out = as_another("1").expect_exit(0);
        let line = "NOT RUN: something_that_needs_root: needs root\n";
        assert!(left_out.stderr.contains(line), "{left_out:?}");
        assert_eq!(fs::read_to_string(&list).unwrap(), line);
    }
}
