//! A run that is ended by a signal while a store makes something for it.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use secretdir_testkit::{Reply, Stub};

use crate::support::{PATIENCE, Site};
use crate::watch::eventually;

#[test]
fn a_run_that_is_ended_while_it_waits_for_a_store_gives_back_what_it_has_got() {
    let made = r#"{"lease_id":"pki/issue/one/x","lease_duration":3600,"data":{"certificate":"c"}}"#;
    let stub = Stub::by_text(vec![
        ("issue/one", Reply::Kept(made.into())),
        ("issue/two", Reply::Silence),
        ("lookup-self", Reply::Kept(r#"{"data":{"ttl":3600}}"#.into())),
        ("leases/revoke", Reply::Kept("{}".into())),
    ]);
    let site = Site::new();
    fs::write(site.path().join("token"), "a-token").unwrap();
    site.config(&format!(
        "[directory]\npath = \"out/app\"\n[sources.vault]\nprovider = \"vault\"\naddress = \"{}\"\n\
         auth = {{ method = \"token\", token = {{ file = \"token\" }} }}\n\
         issue.one.path = \"pki/issue/one\"\nissue.two.path = \"pki/issue/two\"\n\
         [files]\na = {{ source = \"vault\", secret = \"one\" }}\nb = {{ source = \"vault\", secret = \"two\" }}\n",
        stub.endpoint()
    ));
    let mut run = site.command(&["sync"]).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let seen = |text: &str| stub.seen().iter().any(|(line, _)| line.contains(text));
    eventually("the second request", || seen("issue/two"));
    let begun = Instant::now();
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let status = run.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
    assert!(begun.elapsed() < PATIENCE && seen("leases/revoke"), "{:?}", stub.seen());
    assert!(!site.link().exists());
}
