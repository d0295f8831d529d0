//! An audit of the system calls themselves, under umask 0. Once the folder is open, each call is one of those known here;
//! those that change something name a single component relative to a descriptor, or a descriptor alone; and whatever is
//! created is new, made through no link, closed at exec, and closed to everyone else.

use secretdir_testkit::strace::Call;

use crate::scenarios::{FIRST_PUBLISH, HEAL, NO_OP, Scenario, UPDATE};
use crate::support::OPENS_FOLDER;

/// Calls that change nothing, whatever they are given.
const LOOK: &[&str] = &[
    "close",
    "fstat",
    "getdents64",
    "geteuid",
    "getegid",
    "lseek",
    "newfstatat",
    "read",
    "readlinkat",
    "statx",
];

/// Calls that take no name at all: a descriptor, and what to do to it.
const BY_DESCRIPTOR: &[&str] =
    &["fchmod", "fchown", "flock", "fremovexattr", "fsync", "syncfs", "utimensat", "write"];

/// Calls that change a name.
const BY_NAME: &[&str] = &["linkat", "mkdirat", "renameat", "renameat2", "symlinkat", "unlinkat"];

#[test]
fn every_change_goes_through_a_descriptor() {
    for scenario in [FIRST_PUBLISH, UPDATE, NO_OP, HEAL] {
        for durability in ["none", "per-file", "filesystem"] {
            let mut scenario = scenario;
            scenario.sync.durability = durability;
            audit(&scenario);
        }
    }
}

fn audit(scenario: &Scenario) {
    let place = scenario.prepare();
    let trace = scenario.sync.trace_under_umask_0(&place);
    assert!(matches!(trace.ran.status.code(), Some(0 | 10)), "{:?}", trace.ran);
    let [open, rest @ ..] = &trace.calls[..] else { panic!("{:#?}", trace.calls) };
    assert!(open.line.contains(OPENS_FOLDER), "{open:?}");
    assert!(rest.len() > 30, "{rest:#?}");
    for call in rest {
        assert!(is_sound(call), "{}", call.line);
    }
}

fn is_sound(call: &Call) -> bool {
    let name = call.name.as_str();
    match name {
        "openat" => is_sound_open(call),
        "mkdirat" => is_relative(call) && call.line.contains(", 0700)"),
        "utimensat" => call.line.contains(", NULL, ["),
        "fcntl" => call.line.contains("F_GETFL"),
        _ if BY_NAME.contains(&name) => is_relative(call),
        _ => LOOK.contains(&name) || BY_DESCRIPTOR.contains(&name),
    }
}

fn is_sound_open(call: &Call) -> bool {
    let has = |flag: &str| call.line.contains(flag);
    let creates = has("O_CREAT");
    let changes = creates || has("O_WRONLY") || has("O_RDWR") || has("O_TRUNC") || has("O_TMPFILE");
    let is_new = has("O_EXCL") && has(", 0600)");
    let is_closed = has("O_CLOEXEC") && (has("O_NOFOLLOW") || (!changes && has(", \".\", ")));
    is_relative(call) && is_closed && (!creates || is_new) && !has("O_TRUNC")
}

/// Says whether every name in a call is one component, and every folder an open descriptor.
fn is_relative(call: &Call) -> bool {
    let names: Vec<&str> = call.line.split('"').skip(1).step_by(2).collect();
    let single = |name: &&str| !name.is_empty() && !name.contains('/') && **name != *"..";
    !names.is_empty() && names.iter().all(single) && !call.line.contains("AT_FDCWD")
}

#[test]
fn the_audit_finds_what_it_looks_for() {
    let unsound = [
        r#"openat(AT_FDCWD, "/run/app/a", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 4"#,
        r#"openat(3, "d/a", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 4"#,
        r#"openat(3, "a", O_WRONLY|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600) = 4"#,
        r#"openat(3, "a", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 4"#,
        r#"openat(3, "a", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW, 0600) = 4"#,
        r#"openat(3, "a", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0640) = 4"#,
        r#"openat(3, "a", O_RDWR|O_CLOEXEC) = 4"#,
        r#"mkdirat(3, "d", 0755) = 0"#,
        r#"mkdirat(3, "d/e", 0700) = 0"#,
        r#"unlinkat(AT_FDCWD, "a", 0) = 0"#,
        r#"unlinkat(3, "../a", 0) = 0"#,
        r#"renameat(3, "a", AT_FDCWD, "b") = 0"#,
        r#"symlinkat("/etc", 3, "b") = 0"#,
        r#"utimensat(3, "a", [], 0) = 0"#,
        r#"rename("a", "b") = 0"#,
        r#"fchmodat(3, "a", 0600) = 0"#,
    ];
    for line in unsound {
        let name = line.split('(').next().unwrap().to_owned();
        assert!(!is_sound(&Call { name, nth: 1, line: line.to_owned() }), "{line}");
    }
}
