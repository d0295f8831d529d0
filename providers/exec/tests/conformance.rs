//! The provider keeps the contract in both of its forms, and holds its own against programs that do not keep to theirs.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "conformance/advice.rs"]
mod advice;
#[path = "conformance/commands.rs"]
mod commands;
#[path = "conformance/given.rs"]
mod given;
#[path = "conformance/plugins.rs"]
mod plugins;
#[path = "conformance/redaction.rs"]
mod redaction;
#[path = "conformance/settings.rs"]
mod settings;
#[path = "conformance/support.rs"]
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use secretdir_conformance::{BadSettings, Fixture, Skip};
use secretdir_provider::{Table, Value};
use secretdir_provider_exec::ExecProvider;
use support::{list, table};
use tempfile::TempDir;

/// A command that prints a file.
struct Printed(TempDir);

impl Fixture for Printed {
    type Provider = ExecProvider;

    async fn start() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        fs::write(self.0.path().join(name), value).unwrap();
    }

    fn provider(&self) -> ExecProvider {
        ExecProvider
    }

    fn settings(&self) -> Table {
        table([
            ("command", list(&["cat", "--", "{secret}"])),
            ("not-found-status", Value::Integer(1)),
            ("allow-empty", Value::Boolean(true)),
        ])
    }

    fn settings_of_no_store(&self) -> Table {
        table([("command", list(&["./no-such-program", "{secret}"]))])
    }

    fn base_dir(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        Some(table([("command", list(&["sh", "-c", "sleep 60", "{secret}"])), ("timeout", "500ms".into())]))
    }

    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        let script = "[ $1 = second ] && sleep 60; printf %s $1";
        Some(table([("command", list(&["sh", "-c", script, "sh", "{secret}"]))]))
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        Some(table([("command", list(&["./program", "{secret}"])), ("not-found-status", Value::Integer(1))]))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        self.put(name, value).await;
        // A link: a script that this process has written may still be open for writing in a child of another thread.
        symlink("/bin/cat", self.0.path().join("program")).unwrap();
    }

    fn settings_with_relative_path(&mut self) -> Option<Table> {
        symlink("/bin/cat", self.0.path().join("program")).unwrap();
        Some(table([("command", list(&["./program", "--", "{secret}"]))]))
    }

    fn settings_of_counting_store(&mut self) -> Option<Table> {
        let script = "touch running.$$; ls running.* | wc -l >> counts; sleep 0.05; rm running.$$";
        Some(table([("command", list(&["sh", "-c", script, "{secret}"]))]))
    }

    fn most_at_once(&self) -> usize {
        let counts = fs::read_to_string(self.0.path().join("counts")).unwrap();
        counts.lines().map(|count| count.trim().parse().unwrap()).max().unwrap()
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        settings::bad()
    }

    fn good_names(&self) -> Vec<String> {
        ["a/b", "-", "with space", "ü", "$(id)", "{secret}"].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "a\0b"].map(str::to_owned).into()
    }

    fn skips() -> Vec<Skip> {
        vec![
            Skip::new("throttling_is_reported_as_such", "a program's exit status does not tell throttling"),
            Skip::new("damaged_data_is_not_shown", "what a program prints is the value"),
        ]
    }
}

/// The sample plug-in, which reads files.
struct Sample(TempDir);

impl Fixture for Sample {
    type Provider = ExecProvider;

    async fn start() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        fs::write(self.0.path().join(name), value).unwrap();
    }

    fn provider(&self) -> ExecProvider {
        ExecProvider
    }

    fn settings(&self) -> Table {
        table([("plugin", list(&[support::SAMPLE, self.0.path().to_str().unwrap()]))])
    }

    fn settings_of_no_store(&self) -> Table {
        let folder = self.0.path().join("no-such-folder");
        table([("plugin", list(&[support::SAMPLE, folder.to_str().unwrap()]))])
    }

    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        let answer = "say(type='error', id=json.loads(line)['id'], kind='throttled', message='too much')";
        Some(support::plugin(&format!("for line in sys.stdin: {answer}")))
    }

    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        let mut settings = support::plugin("time.sleep(60)");
        settings.insert("timeout", "500ms");
        Some(settings)
    }

    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        // The deadline of the run ends it: a busy machine may take long to begin.
        Some(support::plugin("say(type='secret', id=0, text='first')\ntime.sleep(600)"))
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        let folder = self.0.path().join("later");
        Some(table([("plugin", list(&[support::SAMPLE, folder.to_str().unwrap()]))]))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        fs::create_dir(self.0.path().join("later")).unwrap();
        fs::write(self.0.path().join("later").join(name), value).unwrap();
    }

    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        let answer = format!(r#"print('{{"type":"secret","id":0,"text":"{value}', flush=True)"#);
        Some(support::plugin(&answer))
    }

    fn good_versions(&self) -> Vec<String> {
        ["1", "AWSCURRENT"].map(str::to_owned).into()
    }

    fn skips() -> Vec<Skip> {
        vec![
            Skip::new(
                "no_more_requests_are_in_flight_than_allowed",
                "a plug-in is one process, which is told how many requests it may have in flight",
            ),
            Skip::new(
                "many_runs_leave_nothing_behind",
                "a thousand interpreters take minutes: a plug-in of a shell is asked as often instead",
            ),
            Skip::new(
                "a_relative_path_counts_from_the_configuration",
                "the program of a command is found in the same way",
            ),
        ]
    }
}

/// The smallest plug-in: asked in many runs, it starts quickly.
struct Small(Sample);

impl Fixture for Small {
    type Provider = ExecProvider;

    async fn start() -> Self {
        Self(Sample::start().await)
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        self.0.put(name, value).await;
    }

    fn provider(&self) -> ExecProvider {
        ExecProvider
    }

    fn settings(&self) -> Table {
        let script = r#"read hello; echo '{"type":"hello","protocol":1}'; read request
            printf '{"type":"secret","id":0,"text":"%s"}\n' "$(cat kept)""#;
        table([("plugin", list(&["sh", "-c", script]))])
    }

    fn settings_of_no_store(&self) -> Table {
        self.0.settings_of_no_store()
    }

    fn base_dir(&self) -> PathBuf {
        self.0.0.path().to_owned()
    }
}

#[test]
fn many_runs_of_a_plugin_leave_nothing_behind() {
    let check = secretdir_conformance::rules::many_runs_leave_nothing_behind::<Small>;
    let test = concat!(module_path!(), "::many_runs_of_a_plugin_leave_nothing_behind");
    secretdir_conformance::run_alone("many_runs_leave_nothing_behind", test, check);
}

mod printed {
    secretdir_conformance::conformance_tests!(super::Printed);
}

mod sample {
    secretdir_conformance::conformance_tests!(super::Sample);
}
