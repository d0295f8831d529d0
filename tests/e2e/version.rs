//! What a report of a fault should name: the version, the commit and what is compiled in.

use std::process::Command;

use crate::support::Site;

#[test]
fn the_long_version_names_commit_and_features() {
    let git = Command::new("git").args(["rev-parse", "HEAD"]).output().unwrap();
    assert!(git.status.success(), "the tests run in a clone: {git:?}");
    let commit = String::from_utf8(git.stdout).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let expected =
        format!("secretdir {version}\ncommit: {commit}features: aws, env, exec, file, http, vault\n");
    let site = Site::with_secrets(&[]);
    assert_eq!(site.run(&["--version"]).expect_exit(0).stdout, expected);
    assert_eq!(site.run(&["-V"]).expect_exit(0).stdout, format!("secretdir {version}\n"));
}
