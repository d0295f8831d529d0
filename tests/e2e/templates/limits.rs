//! Templates that do too much.

use std::time::Instant;

use super::{declared, site, write};
use crate::support::{HEAD, PATIENCE};

/// Nearly all the steps that a template may take.
const STEPS: &str = "{% for x in range(90000) %}{% if x %}{{ '' }}{% endif %}{% endfor %}";

#[test]
fn rendering_counts_against_the_deadline_of_the_run_and_heeds_signals() {
    let site = site(&[("a", "1")], &format!("{{{{ a }}}}{STEPS}"));
    // Minutes of work.
    let files: String = (0..1000)
        .map(|file| {
            let secrets = "secrets.a = { source = \"local\", secret = \"a\" }";
            format!("f{file} = {{ template = \"out.tmpl\", {secrets} }}\n")
        })
        .collect();
    let config = format!("{HEAD}\n[files]\n{files}");
    site.config(&format!("[gather]\ntimeout = \"3s\"\n{config}"));
    site.run(&["sync"])
        .expect_exit(3)
        .expect_error(&["(out.tmpl:1:1)", "the deadline of the run passed before the template was rendered"]);
    assert_eq!(site.names(), ["state/lock"]);

    site.config(&config);
    let mut command = site.command(&["sync", "-v"]);
    let mut run = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(run.stderr.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("fetched 1 secret")));
    rustix::process::kill_process(rustix::process::Pid::from_child(&run), rustix::process::Signal::TERM)
        .unwrap();
    let status = run.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status:?}");
}

#[test]
fn what_has_no_end_is_ended_within_limits() {
    let site = site(&[("a", "0123456789abcdef")], "good");
    site.sync();
    let before = site.fingerprint();
    let nested = "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}";
    let ends = "{% endfor %}{% endfor %}{% endfor %}";
    let text = "{{ a }}";
    for (template, words) in [
        (format!("{nested}{ends}"), "the template does too much"),
        // A thousand megabytes, were there no limit.
        (format!("{{% for a in range(64000) %}}{}{{% endfor %}}", text.repeat(1000)), "the "),
        (format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)), "out.tmpl:1:"),
        (format!("{{{{ a * {} }}}}", 100_000_000), "out.tmpl:1:"),
    ] {
        write(&site, &declared("a", "a"), &template);
        let start = Instant::now();
        let ran = site.run(&["sync"]).expect_error(&[words]);
        assert!(matches!(ran.status.code(), Some(2 | 3)), "{ran:?}");
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        assert_eq!(site.fingerprint().without_folder(), before.clone().without_folder());
    }
}
