//! What a child gets of the run that starts it: three descriptors, the limits that the run was started with, and no more.

use std::fs;
use std::process::Command;

use crate::support::{COMMAND, HEAD, Ran, Site};

/// Writes what a process has into a file: its descriptors, of which the last is the listing's own, and its limit of core dumps.
const REPORT: &str = "ls /proc/self/fd | tr '\\n' ' ' > NAME.fds; grep core /proc/self/limits > NAME.limits";

/// A site with a child of each kind, which is given a report to write.
fn site() -> Site {
    let site = Site::new();
    site.secret("a", "1");
    for name in ["command", "on-change", "exec"] {
        fs::write(site.path().join(name), REPORT.replace("NAME", name) + "; echo value").unwrap();
    }
    // While the run starts another child, it has for a moment the limit that this one gets.
    let runner = "; until grep 'core file size *0 ' /proc/$PPID/limits > runner.limits; do :; done";
    fs::write(site.path().join("command"), REPORT.replace("NAME", "command") + runner + "; echo value")
        .unwrap();
    let plugin = "#!/usr/bin/env python3\n\
        import json, os, sys\n\
        held = sorted(int(name) for name in os.listdir('/proc/self/fd'))\n\
        open('plugin.fds', 'w').write(' '.join(map(str, held)) + ' ')\n\
        open('plugin.limits', 'w').write([line for line in open('/proc/self/limits') if 'core' in line][0])\n\
        for line in sys.stdin:\n    request = json.loads(line)\n    \
        reply = {'type': 'hello', 'protocol': 1} if request['type'] == 'hello' else \\\n        \
        {'type': 'secret', 'id': request['id'], 'text': 'x'}\n    print(json.dumps(reply), flush=True)\n";
    fs::write(site.path().join("plugin.py"), plugin).unwrap();
    site.config(&format!(
        "{HEAD}\n[sources.c]\nprovider = \"exec\"\ncommand = [\"sh\", \"./command\", \"{{secret}}\"]\n\
         [sources.p]\nprovider = \"exec\"\nplugin = [\"python3\", \"plugin.py\"]\n\
         [on-change]\ncommand = [\"sh\", \"./on-change\"]\n\
         [files]\na = {{ source = \"local\", secret = \"a\" }}\nb = {{ source = \"c\", secret = \"b\" }}\n\
         c = {{ source = \"p\", secret = \"c\" }}\n"
    ));
    site
}

/// Runs the command with a limit of its own, and with descriptors that it was not meant to hand on.
fn run(site: &Site, arguments: &str) -> Ran {
    let mut shell = Command::new("bash");
    let script = format!("exec prlimit --core=4096:8192 \"$0\" {arguments} 3< source/a 7> seven 9< source");
    site.prepare(shell.args(["-c", &script, COMMAND]));
    Ran::of(&mut shell).expect_exit(0)
}

fn report(site: &Site, name: &str) -> (String, Vec<String>) {
    let read = |kind: &str| fs::read_to_string(site.path().join(format!("{name}.{kind}"))).unwrap();
    let limits = read("limits").split_whitespace().skip(4).take(2).map(str::to_owned).collect();
    (read("fds"), limits)
}

#[test]
fn children_get_three_descriptors_and_the_limits_of_whoever_started_the_run() {
    let site = site();
    run(&site, "sync");
    for name in ["command", "plugin", "on-change"] {
        let limits = ["4096", "8192"].map(str::to_owned).to_vec();
        assert_eq!(report(&site, name), ("0 1 2 3 ".to_owned(), limits), "{name}");
    }
    // The run itself dumps nothing while it holds secrets.
    let runner = fs::read_to_string(site.path().join("runner.limits")).unwrap();
    assert_eq!(runner.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "8192"]);
}

#[test]
fn a_program_of_exec_gets_the_pin_besides() {
    let site = site();
    site.sync();
    run(&site, "exec -- sh ./exec");
    let (fds, limits) = report(&site, "exec");
    let fds: Vec<_> = fds.split_whitespace().collect();
    assert_eq!(fds.len(), 5, "three, the pin, and the listing's own: {fds:?}");
    assert!(!fds.contains(&"7") && !fds.contains(&"9"), "{fds:?}");
    assert_eq!(limits, ["4096", "8192"]);
}

#[test]
fn sockets_that_systemd_has_opened_for_the_program_stay_open() {
    let site = site();
    site.sync();
    let script = "export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" exec -- sh -c 'read line <&3; echo $line; ls /proc/self/fd | wc -l' 3< source/a 9< source";
    let mut bash = Command::new("bash");
    site.prepare(bash.args(["-c", script, COMMAND]));
    assert_eq!(Ran::of(&mut bash).expect_exit(0).stdout, "1\n6\n");
}
