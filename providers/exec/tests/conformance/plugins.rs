//! Plug-ins, good and bad.

use std::fs;
use std::time::{Duration, Instant};

use secretdir_provider::{Retry, SecretRequest, SourceErrorKind, Table};
use secretdir_testkit::{PATIENCE, assert_ends};
use tempfile::TempDir;

use crate::support::{
    SAMPLE, ask, ask_in, block_on, context, list, plugin, python, source, story, table, watched,
};

fn within(mut settings: Table, timeout: &str) -> Table {
    settings.insert("timeout", timeout);
    settings
}

/// Answers everything that it is asked.
const ANSWER: &str = "
for line in sys.stdin:
    request = json.loads(line)
    say(type='secret', id=request['id'], text=request['secret'] + request.get('version', ''), revision='r1', origin='here')
";

#[test]
fn a_thousand_secrets_take_one_process() {
    let folder = TempDir::new().unwrap();
    let names: Vec<_> = (0..1000).map(|number| format!("{number}-{}", "long".repeat(50))).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let program = plugin(&format!("open('started', 'a').write('once')\n{ANSWER}"));
    let answers = ask_in(&context(), program, folder.path(), &names);
    for (name, answer) in names.iter().zip(&answers) {
        assert_eq!(answer.as_ref().unwrap().expose_secret(), name.as_bytes());
    }
    assert_eq!(fs::read_to_string(folder.path().join("started")).unwrap(), "once");
}

#[test]
fn a_plugin_learns_the_version_asked_for_and_tells_what_it_knows() {
    let source = source(plugin(ANSWER), "/".as_ref());
    let secret = block_on(source.fetch(&context(), &SecretRequest::new("a").with_version("7"))).unwrap();
    assert_eq!(secret.expose_secret(), b"a7");
    assert_eq!((secret.revision(), secret.origin()), (Some("r1"), Some("here")));
}

#[test]
fn the_greeting_tells_version_concurrency_and_time() {
    let answers =
        ask(within(plugin("say(type='secret', id=0, text=json.dumps(hello), sort='unknown')"), "9s"), &["a"]);
    let hello: serde_json::Value =
        serde_json::from_slice(answers[0].as_ref().unwrap().expose_secret()).unwrap();
    let expected = serde_json::json!({"type": "hello", "protocol": 1, "concurrency": 4, "timeout-ms": 9000});
    assert_eq!(hello, expected);
}

#[test]
fn errors_come_in_every_kind_and_in_any_order() {
    let kinds = [
        ("not-found", SourceErrorKind::NotFound),
        ("permission-denied", SourceErrorKind::PermissionDenied),
        ("unauthenticated", SourceErrorKind::Unauthenticated),
        ("throttled", SourceErrorKind::Throttled),
        ("unavailable", SourceErrorKind::Unavailable),
        ("timed-out", SourceErrorKind::TimedOut),
        ("invalid-request", SourceErrorKind::InvalidRequest),
        ("invalid-data", SourceErrorKind::InvalidData),
        ("unsupported", SourceErrorKind::Unsupported),
        ("of-a-later-version", SourceErrorKind::Other),
    ];
    let program = "
asked = [json.loads(line) for line in sys.stdin]
for request in reversed(asked):
    say(type='error', id=request['id'], kind=request['secret'], message='because', **{'retry-after-ms': 250})
";
    let answers = ask(plugin(program), &kinds.map(|(word, _)| word));
    for ((word, kind), answer) in kinds.iter().zip(&answers) {
        let error = answer.as_ref().unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (*kind, Retry::After(Duration::from_millis(250))),
            "{word}"
        );
        assert!(story(answer).ends_with(": because"));
    }
}

#[test]
fn a_value_has_exactly_one_form_and_is_bounded() {
    let mut settings = plugin(
        "say(type='secret', id=0, base64='AP9h')\nsay(type='secret', id=1, text='é\\n\\u0000')\nsay(type='secret', id=2, text='12345678')\n",
    );
    settings.insert("max-bytes".to_owned(), secretdir_provider::Value::Integer(7));
    let answers = ask(settings, &["a", "b", "c"]);
    assert_eq!(answers[0].as_ref().unwrap().expose_secret(), b"\0\xffa");
    assert_eq!(answers[1].as_ref().unwrap().expose_secret(), "é\n\0".as_bytes());
    assert_eq!(
        story(&answers[2]),
        "invalid data: the secret has more than 7 bytes (raise `max-bytes` if that is intended)"
    );
}

#[test]
fn whoever_breaks_the_protocol_is_believed_in_nothing() {
    let first = "say(type='secret', id=0, text='good')\n";
    let cases = [
        ("print('garbage', flush=True)", "line 3 of its output is not a message of the protocol"),
        (
            "sys.stdout.buffer.write(b'\\xff\\xfe\\n')",
            "line 3 of its output is not a message of the protocol",
        ),
        ("say(type='news')", "line 3 of its output is not a message of the protocol"),
        (
            "say(type='secret', id=0, text='other')",
            "line 3 of its output answers a request for the second time",
        ),
        (
            "say(type='error', id=0, message='no')",
            "line 3 of its output answers a request for the second time",
        ),
        ("say(type='secret', id=2, text='x')", "line 3 of its output answers a request that was not sent"),
        ("say(type='secret', id=-1, text='x')", "line 3 of its output is not a message of the protocol"),
        ("say(type='secret', text='x')", "line 3 of its output is a secret without an id"),
        (
            "say(type='secret', id=1)",
            "line 3 of its output is a secret without exactly one of `text` and `base64`",
        ),
        (
            "say(type='secret', id=1, text='x', base64='eA==')",
            "line 3 of its output is a secret without exactly one of `text` and `base64`",
        ),
        ("say(type='secret', id=1, base64='!')", "line 3 of its output is a secret whose base64 is damaged"),
        ("say(type='error', id=1)", "line 3 of its output is an error without a message"),
        ("say(type='warning')", "line 3 of its output is a warning without a message"),
        ("say(type='hello', protocol=1)", "line 3 of its output greets again"),
        (
            "[say(type='warning', message=str(n)) for n in range(101)]",
            "line 103 of its output is a warning beyond the limit",
        ),
    ];
    for (then, fault) in cases {
        let answers =
            ask(plugin(&format!("{first}{then}\nsys.stdout.flush()\ntime.sleep(600)\n")), &["a", "b"]);
        for answer in &answers {
            let expected = format!("invalid data: `python3` breaks the protocol: {fault}");
            assert!(story(answer).starts_with(&expected), "{then}: {}", story(answer));
        }
    }
}

#[test]
fn a_second_answer_after_the_last_is_noticed() {
    let answers =
        ask(plugin("say(type='secret', id=0, text='a')\nsay(type='secret', id=0, text='b')"), &["a"]);
    assert!(story(&answers[0]).contains("answers a request for the second time"), "{}", story(&answers[0]));
}

#[test]
fn who_does_not_greet_is_no_plugin() {
    let cases = [
        ("print('usage: tool')", "line 1 of its output is not a message of the protocol"),
        ("print('{\"type\": \"hello\"}')", "line 1 of its output is a greeting without a version"),
        (
            "print('{\"type\": \"hello\", \"protocol\": 2}')",
            "line 1 of its output is a greeting with a protocol version other than 1",
        ),
        ("print('{\"type\": \"warning\", \"message\": \"x\"}')", "line 1 of its output is no greeting"),
        ("", "ended without an answer to this"),
        (
            "import sys; sys.exit('no configuration')",
            "failed: exit status: 1; standard error: no configuration",
        ),
        ("import os, sys; os.close(0); sys.exit(3)", "failed: exit status: 3"),
    ];
    for (program, fault) in cases {
        let answers = ask(python(program), &["a"]);
        assert!(story(&answers[0]).contains(fault), "{program}: {}", story(&answers[0]));
    }
}

#[test]
fn who_dies_in_the_middle_has_answered_what_it_has() {
    let answers = ask(
        plugin("say(type='secret', id=1, text='b')\nos.kill(os.getpid(), signal.SIGKILL)\n"),
        &["a", "b", "c"],
    );
    assert_eq!(answers[1].as_ref().unwrap().expose_secret(), b"b");
    for missing in [0, 2] {
        assert_eq!(story(&answers[missing]), "failed: `python3` failed: signal: 9 (SIGKILL)");
    }
}

#[test]
fn who_closes_its_output_and_stays_is_killed() {
    let began = Instant::now();
    let answers = ask(plugin("os.close(1)\ntime.sleep(600)\n"), &["a"]);
    assert_eq!(story(&answers[0]), "invalid data: `python3` ended without an answer to this request");
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn what_is_odd_after_the_last_answer_is_a_warning() {
    for (then, warning) in [
        (
            "sys.exit('at the end')",
            "`python3` answered everything, and then failed: exit status: 1: at the end",
        ),
        ("time.sleep(600)", "`python3` answered everything, but did not end within 1s, and was killed"),
    ] {
        let (context, warnings) = watched();
        let program = plugin(&format!("say(type='secret', id=0, text='value-1')\n{then}\n"));
        let answers = ask_in(&context, program, "/".as_ref(), &["a"]);
        assert!(answers[0].is_ok());
        assert_eq!(warnings.to_vec(), [warning]);
    }
}

#[test]
fn standard_error_of_a_plugin_can_be_dropped() {
    let dropped = |rest: &str| {
        let mut settings = plugin(&format!("{rest}print('hunter2', file=sys.stderr)\nsys.exit(1)\n"));
        settings.insert("stderr", "drop");
        settings
    };
    let (context, warnings) = watched();
    let answered = dropped("say(type='secret', id=0, text='a')\n");
    assert!(ask_in(&context, answered, "/".as_ref(), &["a"])[0].is_ok());
    assert_eq!(warnings.to_vec(), ["`python3` answered everything, and then failed: exit status: 1"]);
    let unanswered = story(&ask(dropped(""), &["a"])[0]);
    assert!(unanswered.starts_with("failed: `python3` failed: exit status: 1 (`stderr"), "{unanswered}");
}

#[test]
fn a_flood_is_stopped() {
    for flood in [
        "while True: sys.stdout.write('x' * 65536)",
        "while True: say(type='warning', message='x')",
        "while True: say(type='secret', id=0, text='x')",
    ] {
        let answers = ask(plugin(flood), &["a"]);
        let story = story(&answers[0]);
        assert!(story.contains("more than") || story.contains("protocol"), "{flood}: {story}");
    }
    let loud = "sys.stderr.write('x' * 10000000)\nsay(type='secret', id=0, text='a')\n";
    assert!(ask(plugin(loud), &["a"])[0].is_ok());
}

#[test]
fn a_time_out_kills_it_with_all_that_it_started_whatever_signals_it_ignores() {
    let folder = TempDir::new().unwrap();
    let program = "
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen(['sleep', '600'])
open('ids', 'w').write(f'{os.getpid()} {child.pid}')
say(type='secret', id=0, text='value-1')
print('waiting', file=sys.stderr, flush=True)
time.sleep(600)
";
    let answers = ask_in(&context(), within(plugin(program), "1500ms"), folder.path(), &["a", "b"]);
    assert!(answers[0].is_ok());
    assert_eq!(
        story(&answers[1]),
        "timed out: `python3` did not end within 1s 500ms, and was killed; standard error: waiting \
         (raise `timeout` of the source if the program is only slow)"
    );
    let ids = fs::read_to_string(folder.path().join("ids")).unwrap();
    ids.split(' ').for_each(assert_ends);
}

#[test]
fn a_fetch_that_is_dropped_leaves_no_process() {
    let folder = TempDir::new().unwrap();
    let program = "
child = subprocess.Popen(['sleep', '600'])
open('ids.tmp', 'w').write(f'{os.getpid()} {child.pid}')
os.rename('ids.tmp', 'ids')
time.sleep(600)
";
    let ids = folder.path().join("ids");
    block_on(async {
        let source = source(plugin(program), folder.path());
        let (context, requests) = (context(), [SecretRequest::new("a")]);
        let fetch = secretdir_conformance::fetch_all(&*source, &context, &requests);
        let started = async {
            while !ids.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = fetch => panic!("it ended"),
            () = started => {}
        }
    });
    fs::read_to_string(ids).unwrap().split(' ').for_each(assert_ends);
}

#[test]
fn the_sample_tells_a_link_that_leads_nowhere_from_a_secret_that_is_not_there() {
    let folder = TempDir::new().unwrap();
    for (link, target) in [("dangling", "none"), ("folder", "none")] {
        std::os::unix::fs::symlink(target, folder.path().join(link)).unwrap();
    }
    let plugin = list(&[SAMPLE, folder.path().to_str().unwrap()]);
    let answers = ask(table([("plugin", plugin)]), &["dangling", "folder/a", "a"]);
    let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap_err().kind()).collect();
    assert_eq!(
        kinds,
        [SourceErrorKind::Unavailable, SourceErrorKind::Unavailable, SourceErrorKind::NotFound]
    );
}
