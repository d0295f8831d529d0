//! The provider `exec`: commands and plug-ins as sources, good and bad.

use std::fs;
use std::time::Instant;

use crate::support::{HEAD, PATIENCE, Site, assert_ends};

/// The sample plug-in of the project.
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config-examples/exec-plugin.py");

/// How a plug-in in Python begins: it notes its own number and that of a child, and greets.
const GREET: &str = "#!/usr/bin/env python3
import json, os, signal, subprocess, sys, time
def say(**message): print(json.dumps(message), flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
open('ids', 'a').write(f'{os.getpid()} {child.pid} ')
json.loads(sys.stdin.readline())
say(type='hello', protocol=1)
first = json.loads(sys.stdin.readline())['id']
";

/// Makes a site that has published something, and whose configuration asks a plug-in for two secrets now.
fn site_with_plugin(rest: &str, timeout: &str) -> Site {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let program = site.path().join("plugin");
    secretdir_testkit::write_program(&program, &format!("{GREET}{rest}\n"));
    site.config(&format!(
        "{HEAD}[sources.plugin]\nprovider = \"exec\"\nplugin = [\"./plugin\"]\nmax-bytes = 1000\ntimeout = \"{timeout}\"\n[files]\n\
         b = {{ source = \"plugin\", secret = \"b\" }}\nc = {{ source = \"plugin\", secret = \"c\" }}\n"
    ));
    site
}

/// How long a plug-in has that is to be cut off: long enough to start, on a busy machine, too.
const SHORT: &str = "5s";

/// How long one has that is to end by itself.
const LONG: &str = "60s";

/// Asserts that a run with this plug-in fails in time and says why, changes nothing, and leaves no process.
fn assert_contained(rest: &str, timeout: &str, texts: &[&str]) {
    let site = site_with_plugin(rest, timeout);
    let before = site.fingerprint();
    let began = Instant::now();
    let ran = site.run(&["sync"]).expect_exit(3).expect_error(texts);
    assert!(began.elapsed() < PATIENCE, "{rest}: {ran:?}");
    assert_eq!(site.fingerprint(), before, "{rest}");
    let ids = fs::read_to_string(site.path().join("ids")).unwrap();
    ids.split_terminator(' ').for_each(assert_ends);
}

#[test]
fn a_plugin_that_hangs_or_ignores_signals_is_ended() {
    assert_contained(
        "print('still here', file=sys.stderr, flush=True)\ntime.sleep(600)",
        SHORT,
        &[
            "error: files `b` and `c`: secrets `b` and `c` of source `plugin`: timed out: `./plugin` did not end within 5s, and was killed",
            "; standard error: still here",
            "hint: raise `timeout` of the source",
        ],
    );
}

#[test]
fn a_plugin_that_floods_is_ended() {
    assert_contained(
        "while True: sys.stdout.write('x' * 65536)",
        LONG,
        &["invalid data: `./plugin` wrote more than"],
    );
    assert_contained("while True: sys.stderr.write('x' * 65536)", SHORT, &["timed out: `./plugin`"]);
}

#[test]
fn a_plugin_that_dies_in_mid_answer_fails_the_run() {
    assert_contained(
        "say(type='secret', id=first, text='value-of-b')\nsys.stdout.write('{\"type\": \"sec')\nsys.exit('out of memory')",
        LONG,
        &["invalid data: `./plugin` breaks the protocol: line 3", "standard error: out of memory"],
    );
    assert_contained(
        "say(type='secret', id=first, text='value-of-b')\nsys.exit('no value-of-b')",
        LONG,
        &[
            "secret `c` of source `plugin`: failed: `./plugin` failed: exit status: 1; standard error: no [redacted]",
        ],
    );
}

#[test]
fn a_plugin_that_answers_twice_or_with_garbage_fails_the_run() {
    let twice = "[say(type='secret', id=n, text='x') for n in (0, 1, 0)]";
    assert_contained(twice, LONG, &["line 4 of its output answers a request for the second time"]);
    assert_contained(
        "print('garbage', flush=True)\ntime.sleep(600)",
        LONG,
        &["line 2 of its output is not a message of the protocol"],
    );
}

#[test]
fn an_interrupted_run_leaves_no_plugin() {
    let site = site_with_plugin("open('ready', 'w').close()\ntime.sleep(600)", LONG);
    let before = site.fingerprint();
    let mut run = site.command(&["sync"]).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !site.path().join("ready").exists() {
        assert!(Instant::now() < deadline, "the plug-in does not start");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&run.wait().unwrap()), Some(15));
    assert_eq!(site.fingerprint(), before);
    let ids = fs::read_to_string(site.path().join("ids")).unwrap();
    ids.split_terminator(' ').for_each(assert_ends);
}

#[test]
fn commands_and_the_sample_plugin_publish_exact_bytes() {
    let site = Site::new();
    site.secret("line", "one\n");
    site.secret("bytes", b"\0\xff\n");
    site.config(&format!(
        "[directory]\npath = \"out/app\"\n\
         [sources.tool]\nprovider = \"exec\"\ncommand = [\"cat\", \"--\", \"source/{{secret}}\"]\ntrim-newline = true\n\
         [sources.plugin]\nprovider = \"exec\"\nplugin = [\"{SAMPLE}\", \"source\"]\n\
         [files]\na = {{ source = \"tool\", secret = \"line\" }}\nb = {{ source = \"plugin\", secret = \"bytes\" }}\n"
    ));
    site.sync();
    assert_eq!((site.read("a"), site.read("b")), (b"one".to_vec(), b"\0\xff\n".to_vec()));
    fs::remove_file(site.path().join("source/bytes")).unwrap();
    site.run(&["sync"]).expect_exit(3).expect_error(&[
        "secret `bytes` of source `plugin`: not found: there is no file of this name in source",
    ]);
    assert_eq!(site.read("b"), b"\0\xff\n");
}

#[test]
fn a_thousand_secrets_of_one_plugin_start_one_process() {
    let site = Site::new();
    let start = format!("echo started >> starts; exec {SAMPLE} source");
    let mut config = format!(
        "[directory]\npath = \"out/app\"\n[sources.plugin]\nprovider = \"exec\"\nplugin = [\"sh\", \"-c\", {start:?}]\n[files]\n"
    );
    for number in 0..1000 {
        site.secret(&number.to_string(), format!("value {number}"));
        config.push_str(&format!("f{number} = {{ source = \"plugin\", secret = \"{number}\" }}\n"));
    }
    site.config(&config);
    site.sync();
    assert_eq!(site.read("f999"), b"value 999");
    assert_eq!(fs::read_to_string(site.path().join("starts")).unwrap(), "started\n");
}
