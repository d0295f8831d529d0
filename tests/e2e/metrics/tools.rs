//! The programs of Prometheus take the metrics as they are: its check, the node exporter, and the parser of its clients.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use secretdir_testkit::{leave_out, programs, python};

use crate::support::{Ran, Site};
use crate::watch::site;

/// Counts the samples of a file, and compares them with those that a node exporter hands on, if there is one. Metrics of its own are left
/// out, but whether it could read all files.
const COMPARE: &str = r#"
import sys, urllib.request
from prometheus_client.parser import text_string_to_metric_families as parse

def samples(text):
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in parse(text) for sample in family.samples}

written = samples(open(sys.argv[1]).read())
if sys.argv[2:]:
    served = samples(urllib.request.urlopen(f"http://{sys.argv[2]}/metrics").read().decode())
    assert served[("node_textfile_scrape_error", ())] == 0, served
    handed_on = {key: value for key, value in served.items() if key[0].startswith("secretdir_")}
    assert handed_on == written, (handed_on, written)
print(len(written))
"#;

/// Finds a program that tests/run unpacks, or that is installed.
fn program(name: &str, installed: &str) -> Option<PathBuf> {
    let unpacked = programs().join("../../prometheus/usr/bin").join(name);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(installed));
    let is_debian = std::env::split_paths(&folders).any(|folder| folder.join("apt-get").is_file());
    let found = std::iter::once(unpacked).chain(found).find(|path| path.is_file());
    assert!(found.is_some() || !is_debian, "there is no {name}: tests/run unpacks it");
    if found.is_none() {
        leave_out("metrics::tools", &format!("there is no {installed}"));
    }
    found
}

/// A site with metrics of successes, failures, and names that have to be escaped.
fn measured() -> (Site, PathBuf) {
    let site = site("1h", "");
    let config = site.path().join("secretdir.toml");
    let text = fs::read_to_string(&config).unwrap().replace("out/app", "out/with \\\"quotes\\\"");
    site.config(&text);
    fs::create_dir(site.path().join("textfile")).unwrap();
    for exit in [0, 3] {
        site.run(&["sync", "--metrics", "textfile/m.prom"]).expect_exit(exit);
        let _ = fs::remove_dir_all(site.path().join("source"));
    }
    let file = site.path().join("textfile/m.prom");
    (site, file)
}

#[test]
fn the_parser_of_the_clients_finds_each_sample() {
    let (_site, file) = measured();
    let ran = Ran::of(Command::new(python()).args(["-c", COMPARE]).arg(&file)).expect_exit(0);
    let samples: usize = ran.stdout.trim().parse().unwrap();
    let text = fs::read_to_string(file).unwrap();
    assert!(samples > 20, "{samples}");
    assert_eq!(samples, text.lines().filter(|line| !line.starts_with('#')).count());
}

#[test]
fn promtool_finds_nothing_to_complain_of() {
    let Some(promtool) = program("promtool", "promtool") else { return };
    let (_site, file) = measured();
    let mut command = Command::new(promtool);
    let output = command.args(["check", "metrics"]).stdin(fs::File::open(file).unwrap()).output().unwrap();
    let ran = Ran::from(output).expect_exit(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

/// A node exporter, which is ended with the test.
struct Exporter(Child);

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_node_exporter_hands_on_what_is_written() {
    let Some(exporter) = program("prometheus-node-exporter", "node_exporter") else { return };
    let (_site, file) = measured();
    let mut command = Command::new(exporter);
    command.args([
        "--collector.disable-defaults",
        "--collector.textfile",
        "--web.listen-address=127.0.0.1:0",
    ]);
    command.arg(format!("--collector.textfile.directory={}", file.parent().unwrap().display()));
    let mut exporter = Exporter(command.stderr(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(exporter.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut lines = lines.filter(|line| line.contains("Listening on"));
    let line = lines.next().expect("it listens");
    let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let ran = Ran::of(Command::new(python()).args(["-c", COMPARE]).arg(&file).arg(address)).expect_exit(0);
    assert!(ran.stdout.trim().parse::<usize>().unwrap() > 20);
}
