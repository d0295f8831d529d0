//! A command for each secret.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use secretdir_provider::{RunContext, Table, Value};
use secretdir_testkit::PATIENCE;
use tempfile::TempDir;

use crate::support::{ask, ask_in, context, list, shell, story, table};

fn with<const N: usize>(settings: Table, more: [(&str, Value); N]) -> Table {
    settings.into_iter().chain(table(more)).collect()
}

fn value(settings: Table) -> Vec<u8> {
    ask(settings, &["name"]).remove(0).unwrap().expose_secret().to_owned()
}

fn failure(settings: Table) -> String {
    story(&ask(settings, &["name"])[0])
}

#[test]
fn one_newline_is_trimmed_where_that_is_said() {
    let trim = || ("trim-newline", Value::Boolean(true));
    for (printed, trimmed) in [("a\\n\\n", "a\n"), ("a\\n", "a"), ("a", "a"), ("\\n", ""), ("a\\r\\n", "a\r")]
    {
        let script = format!("printf '{printed}'");
        assert_eq!(value(with(shell(&script), [trim(), empty(true)])), trimmed.as_bytes(), "{printed}");
    }
    assert_eq!(value(shell("printf 'a\\n'")), b"a\n");
}

fn empty(allowed: bool) -> (&'static str, Value) {
    ("allow-empty", Value::Boolean(allowed))
}

#[test]
fn a_command_that_prints_nothing_is_an_error_unless_that_is_allowed() {
    let trim = || ("trim-newline", Value::Boolean(true));
    let told = |program: &str| {
        format!(
            "invalid data: `sh` printed nothing{program} (if the value may be empty, set `allow-empty = true` in the source)"
        )
    };
    for settings in [
        shell(":"),
        with(shell(":"), [empty(false)]),
        shell("echo"),
        with(shell("echo"), [trim()]),
        with(shell("echo"), [trim(), empty(false)]),
    ] {
        assert_eq!(failure(settings), told(""));
    }
    let noisy = failure(shell("echo 'no such entry' >&2"));
    assert_eq!(noisy, told("; standard error: no such entry"));
    assert_eq!(value(with(shell(":"), [empty(true)])), b"");
    assert_eq!(value(with(shell("echo"), [trim(), empty(true)])), b"");
    // What is there is a value.
    assert_eq!(value(with(shell("echo"), [empty(true)])), b"\n");
    assert_eq!(value(shell("echo a")), b"a\n");
    assert_eq!(value(with(shell("printf '\\n\\n'"), [trim()])), b"\n");
    // A command that fails has failed, whatever is allowed.
    assert!(failure(with(shell("exit 1"), [empty(true)])).starts_with("failed: "));
}

#[test]
fn a_name_is_one_argument_and_no_shell_reads_it() {
    let name = "a b'\"$(id);\\ü*";
    let answers = ask(table([("command", list(&["printf", "<%s>", "x{secret}x"]))]), &[name]);
    assert_eq!(answers[0].as_ref().unwrap().expose_secret(), format!("<x{name}x>").as_bytes());
}

#[test]
fn how_it_failed_is_told_with_its_standard_error() {
    assert_eq!(
        failure(shell("echo 'no such\n\tentry' >&2; exit 3")),
        "failed: `sh` failed: exit status: 3; standard error: no such entry"
    );
    assert_eq!(failure(shell("kill -9 $$")), "failed: `sh` failed: signal: 9 (SIGKILL)");
}

#[test]
fn standard_error_can_be_dropped() {
    let drop = || ("stderr", Value::from("drop"));
    let show = with(shell("echo hunter2 >&2; exit 3"), [("stderr", "show".into())]);
    assert_eq!(failure(show), "failed: `sh` failed: exit status: 3; standard error: hunter2");
    assert_eq!(
        failure(with(shell("echo hunter2 >&2; exit 3"), [drop()])),
        "failed: `sh` failed: exit status: 3 (`stderr = \"drop\"` hides its message: run it by hand)"
    );
    let nothing = failure(with(shell("echo hunter2 >&2"), [drop()]));
    assert!(nothing.starts_with("invalid data: `sh` printed nothing (if"), "{nothing}");
    let late = with(shell("echo hunter2 >&2; sleep 600"), [drop(), ("timeout", "300ms".into())]);
    assert!(failure(late).contains("and was killed (raise"));
    // It is read all the same: a program that writes much does not wait for ever.
    assert_eq!(value(with(shell("head -c 1000000 /dev/zero >&2; echo a"), [drop()])), b"a\n");
}

#[test]
fn a_status_can_mean_that_there_is_no_such_secret() {
    let settings =
        |status| with(shell(&format!("exit {status}")), [("not-found-status", Value::Integer(44))]);
    assert_eq!(failure(settings(44)), "not found: `sh` ended with exit status: 44");
    assert_eq!(failure(settings(1)), "failed: `sh` failed: exit status: 1");
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let missing = failure(table([("command", list(&["no-such-program", "{secret}"]))]));
    assert!(missing.starts_with("unavailable: cannot start `no-such-program`: No such file"), "{missing}");
    assert!(missing.contains("no folder of PATH has it"), "{missing}");
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("plain"), "").unwrap();
    let settings = table([("command", list(&["./plain", "{secret}"]))]);
    let plain = story(&ask_in(&context(), settings, folder.path(), &["name"])[0]);
    assert!(plain.starts_with("permission denied: cannot start `./plain`: Permission denied"), "{plain}");
}

#[test]
fn more_than_the_most_is_refused_and_the_process_is_killed() {
    let most = |most| ("max-bytes", Value::Integer(most));
    assert_eq!(value(with(shell("printf 1234"), [most(4)])), b"1234");
    assert_eq!(
        failure(with(shell("printf 12345"), [most(4)])),
        "invalid data: `sh` wrote more than 4 bytes (raise `max-bytes` if that is intended)"
    );
    let began = Instant::now();
    assert!(failure(shell("exec yes")).contains("more than 1048576 bytes"));
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn one_that_does_not_end_is_killed_and_says_its_last_words() {
    let settings = with(shell("echo stuck >&2; sleep 600"), [("timeout", "300ms".into())]);
    assert_eq!(
        failure(settings),
        "timed out: `sh` did not end within 300ms, and was killed; standard error: stuck \
         (raise `timeout` of the source if the program is only slow)"
    );
}

#[test]
fn the_deadline_of_the_run_counts_too() {
    let context =
        RunContext::builder().timeout(Duration::from_secs(1)).concurrency(NonZeroUsize::MIN).build();
    let answers = ask_in(&context, shell("sleep 600"), Path::new("."), &["name"]);
    assert!(story(&answers[0]).contains("raise `timeout` under [gather]"), "{}", story(&answers[0]));
    assert!(!context.remaining().is_zero());
}

#[test]
fn what_it_leaves_running_neither_holds_up_the_answer_nor_lives_on() {
    let folder = TempDir::new().unwrap();
    let settings = shell("sleep 600 & echo $! > left; printf value");
    let began = Instant::now();
    let answers = ask_in(&context(), settings, folder.path(), &["name"]);
    assert_eq!(answers[0].as_ref().unwrap().expose_secret(), b"value");
    assert!(began.elapsed() < PATIENCE);
    let left = fs::read_to_string(folder.path().join("left")).unwrap();
    secretdir_testkit::assert_ends(left.trim());
}

#[test]
fn as_many_run_at_once_as_may() {
    let folder = TempDir::new().unwrap();
    let script = "mkdir running/$$; ls running | wc -l >> counts; sleep 0.05; rmdir running/$$";
    fs::create_dir(folder.path().join("running")).unwrap();
    let names: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let answers = ask_in(&context(), with(shell(script), [empty(true)]), folder.path(), &names);
    assert!(answers.iter().all(Result::is_ok));
    let counts = fs::read_to_string(folder.path().join("counts")).unwrap();
    let counts: Vec<u32> = counts.lines().map(|line| line.trim().parse().unwrap()).collect();
    let most = counts.iter().max().unwrap();
    assert!(counts.len() == 40 && (2..=4).contains(most), "{counts:?}");
}
