//! No secret value, in any form, in any output, argument or environment, however much is said and whatever fails.

use std::fs;
use std::process::Command;

use secretdir_testkit::Canary;

use crate::support::{COMMAND, Ran, Site};

const VALUES: [&str; 4] =
    ["canary-file+/ 1 \u{fc}%", "canary-json-field/+2", "canary-environment=3&", "canary-not-json\" {4"];

fn canaries() -> Vec<Canary> {
    VALUES.iter().enumerate().map(|(number, value)| Canary::new(format!("number {number}"), value)).collect()
}

/// Runs with everything said that can be said, and looks for canaries in all of it.
fn look(site: &Site, arguments: &[&str]) -> Ran {
    let ran = Ran::of(&mut with_environment(site.command(arguments)));
    for canary in canaries() {
        canary.assert_absent("standard output", &ran.stdout);
        canary.assert_absent("standard error", &ran.stderr);
    }
    ran
}

fn with_environment(mut command: Command) -> Command {
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("APP_TOKEN", VALUES[2]);
    command
}

/// Every kind of value, from every source that needs no cloud; more entries come from the caller.
fn site(entries: &str) -> Site {
    let site = Site::new();
    site.secret("plain", VALUES[0]);
    site.secret("json", format!("{{\"field\": {:?}, \"n\": null}}", VALUES[1]));
    site.secret("not-json", VALUES[3]);
    site.config(&format!(
        "[directory]\npath = \"out/app\"\n\n[on-change]\ncommand = [\"sh\", \"hook\"]\n\n\
         [sources.local]\nprovider = \"file\"\nroot = \"source\"\n\n\
         [sources.shell]\nprovider = \"env\"\nprefix = \"APP_\"\n\n[files]\n\
         \"plain\" = {{ source = \"local\", secret = \"plain\" }}\n\
         \"field\" = {{ source = \"local\", secret = \"json\", field = \"field\" }}\n\
         \"token\" = {{ source = \"shell\", secret = \"TOKEN\" }}\n{entries}"
    ));
    fs::write(
        site.path().join("hook"),
        "env > environment; tr '\\0' '\\n' < /proc/$$/cmdline > arguments; env",
    )
    .unwrap();
    site
}

#[test]
fn a_good_run_shows_nothing() {
    let site = site("");
    for arguments in
        [&["sync", "-vv"][..], &["sync", "-vv", "--json"], &["status", "-vv"], &["status", "--json"]]
    {
        look(&site, arguments).expect_exit(0);
    }
    look(&site, &["check", "--fetch", "-vv"]).expect_exit(0);
    assert_eq!(site.read("plain"), VALUES[0].as_bytes());
    assert_eq!(site.read("token"), VALUES[2].as_bytes());
    let id = fs::read_link(site.link()).unwrap().to_str().unwrap().replace(".app.gen-", "");
    for canary in canaries() {
        for file in ["environment", "arguments"] {
            canary.assert_absent(file, fs::read(site.path().join(file)).unwrap());
        }
        canary.assert_absent(
            "the note",
            fs::read(site.path().join(format!("out/.app.state/note-{id}"))).unwrap(),
        );
    }
    let environment = fs::read_to_string(site.path().join("environment")).unwrap();
    assert!(environment.contains("PATH=") && !environment.contains("APP_TOKEN"), "{environment}");
}

#[test]
fn no_failure_shows_anything() {
    let local = |name: &str, rest: &str| format!("{name:?} = {{ source = \"local\", {rest} }}\n");
    for (entries, exit) in [
        (local("x", "secret = \"not-json\", field = \"a\""), 3),
        (local("x", "secret = \"json\", field = \"missing\""), 3),
        (local("x", "secret = \"json\", field = \"n\""), 3),
        (local("x", "secret = \"json\", field = \"/field/deeper\""), 3),
        (local("x", "secret = \"missing\""), 3),
        (local("x", "secret = \"plain\", version = \"1\""), 2),
        (local("plain/x", "secret = \"plain\""), 2),
    ] {
        let site = site(&entries);
        look(&site, &["sync", "-vv"]).expect_exit(exit);
        look(&site, &["check", "--fetch", "-vv", "--json"]).expect_exit(exit);
    }
    let site = site("");
    fs::create_dir(site.path().join("out")).unwrap();
    fs::write(site.link(), "in the way").unwrap();
    look(&site, &["sync", "-vv"]).expect_exit(4);
}

#[test]
fn nothing_that_the_kernel_is_told_holds_a_value_but_the_files() {
    let site = site("");
    let output = site.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-s", "65536", "-e", "trace=!read,pread64,execve,write", "-o"]).arg(&output);
    command.arg("--").args([COMMAND, "sync", "-vv"]);
    site.prepare(&mut command);
    Ran::of(&mut with_environment(command)).expect_exit(0);
    let trace = fs::read(output).unwrap();
    assert!(trace.len() > 1000);
    for canary in canaries() {
        canary.assert_absent("the trace of system calls", &trace);
    }
}
