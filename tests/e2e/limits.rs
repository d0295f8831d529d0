//! With few descriptors, a full disk or no reader, a command ends with a code that README has, and says why.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{COMMAND, HEAD, Ran, Site};

/// A site with a command after each change, in a state where there is something to do.
fn site() -> Site {
    let site = Site::new();
    site.secret("a", "1");
    site.config(&format!(
        "{HEAD}\n[sources.x]\nprovider = \"exec\"\ncommand = [\"cat\", \"--\", \"source/{{secret}}\"]\n\n\
         [on-change]\ncommand = [\"true\"]\n\n[files]\na = {{ source = \"local\", secret = \"a\" }}\n\
         b = {{ source = \"x\", secret = \"a\" }}\n"
    ));
    site.sync();
    site.secret("a", "2");
    site
}

/// Every command, with the codes that it may end with when it has too few descriptors.
const COMMANDS: [(&[&str], &[i32]); 13] = [
    (&["init", "file", "--config", "new.toml"], &[0, 1]),
    (&["sync"], &[0, 1, 2, 3, 4, 6]),
    (&["sync", "--dry-run"], &[10, 1, 2, 3, 4]),
    (&["diff"], &[10, 1, 2, 3, 4]),
    (&["check"], &[0, 2, 4]),
    (&["check", "--fetch"], &[0, 1, 2, 3, 4]),
    (&["check", "--all-profiles"], &[0, 2]),
    (&["status"], &[0, 2, 4]),
    (&["exec", "--", "sh", "-c", ":"], &[0, 125, 126, 127]),
    (&["providers"], &[0]),
    (&["schema"], &[0]),
    (&["completions", "bash"], &[0]),
    (&["man", "pages"], &[0, 1]),
];

#[test]
fn with_few_descriptors_every_command_ends_as_documented() {
    for limit in 3..=20 {
        for (arguments, codes) in COMMANDS {
            let site = site();
            let mut command = Command::new("prlimit");
            site.prepare(command.arg(format!("--nofile={limit}")).arg(COMMAND).args(arguments));
            let ran = Ran::of(&mut command);
            // With that few, the system itself cannot load the program.
            if ran.stderr.contains("error while loading shared libraries") {
                assert!(limit < 5, "{limit}: {ran:?}");
                continue;
            }
            let code = ran.status.code().unwrap();
            assert!(codes.contains(&code), "{limit} {arguments:?}: {ran:?}");
            assert!(!ran.stderr.contains("panic"), "{limit} {arguments:?}: {ran:?}");
            assert!(
                code == 0 || code == 10 || ran.stderr.contains("error: "),
                "{limit} {arguments:?}: {ran:?}"
            );
            assert!(code != 0 || limit < 16 || arguments[0] != "sync" || site.read("a") == b"2");
            // Whatever happened, the set is whole, and the next run has nothing to repair by hand.
            let expected: &[u8] = if arguments == ["sync"] && [0, 6].contains(&code) { b"2" } else { b"1" };
            assert_eq!(site.read("a"), expected, "{limit} {arguments:?}: {ran:?}");
            site.sync();
            assert_eq!(site.read("a"), b"2", "{limit} {arguments:?}");
        }
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_unexpected_error() {
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["init", "file", "--config", "new.toml"][..],
        &["diff"],
        &["check"],
        &["check", "--fetch"],
        &["check", "--all-profiles"],
        &["status"],
        &["providers"],
        &["providers", "file"],
        &["schema"],
        &["completions", "bash"],
        &["man", "pages"],
        &["--help"],
        &["sync", "--help"],
        &["--version"],
    ] {
        for more in [&[][..], &["--json"]] {
            let site = site();
            let arguments = [arguments, more].concat();
            let output = site.command(&arguments).stdout(full()).stderr(Stdio::piped()).output().unwrap();
            let ran = Ran::from(output).expect_exit(1);
            ran.expect_error(&["standard output cannot be written", "No space left"]);
        }
    }
    assert!(!Path::new("/dev/full").is_file());
}
