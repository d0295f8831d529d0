//! `units` and `stamp` of `[on-change]`: what systemd is asked to do, and what a `.path` unit watches.

use std::fs;

use crate::support::{HEAD, Ran};
use crate::watch::site;

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
    site.run(&["sync"]).expect_exit(6).expect_error(&[
        "cannot touch",
        "app.changed",
        "it is a symbolic link",
    ]);
    assert!(!site.path().join("out/elsewhere").exists());
    for (name, words) in [
        ("app", "different from the name of the link"),
        (".app.x", "starts with `.app.`"),
        ("a/b", "a plain name, without `/`"),
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
    let systemctl = bin.join("systemctl");
    for program in [&systemctl, &bin.join("reload")] {
        secretdir_testkit::write_program(program, "#!/bin/sh\necho \"$@\" > told\n");
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    Ran::of(site.command(&["sync"]).env("PATH", &path)).expect_exit(0);
    let told = fs::read_to_string(site.path().join("told")).unwrap();
    assert_eq!(told, "--no-block --job-mode=fail try-reload-or-restart -- nginx.service -x.service\n");
    let check = |on_change: &str| {
        site.config(&format!(
            "{HEAD}\n[on-change]\n{on_change}\n[files]\na = {{ source = \"local\", secret = \"a\" }}\n"
        ));
        Ran::of(site.command(&["check"]).env("PATH", &path))
    };
    for command in
        [r#"["systemctl", "reload", "nginx"]"#, &format!(r#"[{systemctl:?}, "try-restart", "a", "b"]"#)]
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
    check("units = []").expect_exit(2).expect_error(&["on-change.units: is empty"]);
    check("units = [\"a b\"]").expect_exit(2).expect_error(&["on-change.units[0]: `a b` is not a unit"]);
    check("units = [\"a\"]\ncommand = [\"true\"]")
        .expect_exit(2)
        .expect_error(&["on-change.units: cannot be combined with"]);
    check("timeout = \"1s\"")
        .expect_exit(2)
        .expect_error(&["on-change.command: missing; this, `units` or `stamp`"]);
}
