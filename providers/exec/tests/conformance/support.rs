//! Sources made of small programs.

use std::error::Error as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use secretdir_provider::{
    Answer, Provider as _, RunContext, SecretRequest, SecretSource, Settings, Table, Value, Warnings,
};
use secretdir_provider_exec::ExecProvider;

/// The sample plug-in of the project.
pub(crate) const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config-examples/exec-plugin.py");

pub(crate) fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    Table::from(entries)
}

pub(crate) fn list(words: &[&str]) -> Value {
    Value::Array(words.iter().map(|word| Value::from(*word)).collect())
}

/// Returns the settings of a plug-in that is a Python program.
pub(crate) fn python(program: &str) -> Table {
    table([("plugin", list(&["python3", "-c", program]))])
}

/// Returns the settings of a command that is a shell script, with the secret's name in `$1`.
pub(crate) fn shell(script: &str) -> Table {
    table([("command", list(&["sh", "-c", script, "sh", "x{secret}"]))])
}

pub(crate) fn source(settings: Table, base_dir: &Path) -> Box<dyn SecretSource> {
    ExecProvider.source(Settings::new(settings, base_dir)).unwrap()
}

/// How long a run may take that nothing hangs in.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) fn context() -> RunContext {
    RunContext::builder().timeout(PATIENCE).concurrency(NonZeroUsize::new(4).unwrap()).build()
}

/// Makes the context of a run, and returns where its warnings go.
pub(crate) fn watched() -> (RunContext, Warnings) {
    let warnings = Warnings::default();
    (RunContext::builder().timeout(PATIENCE).warnings(warnings.clone()).build(), warnings)
}

/// Asks a source for secrets of these names.
pub(crate) fn ask(settings: Table, names: &[&str]) -> Vec<Answer> {
    ask_in(&context(), settings, Path::new("."), names)
}

pub(crate) fn ask_in(context: &RunContext, settings: Table, base_dir: &Path, names: &[&str]) -> Vec<Answer> {
    let requests: Vec<_> = names.iter().copied().map(SecretRequest::new).collect();
    let source = source(settings, base_dir);
    block_on(secretdir_conformance::fetch_all(&*source, context, &requests))
}

/// Runs a future on a runtime like that of the command.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Returns what an answer says, if it is an error: its kind, its cause and its hint.
pub(crate) fn story(answer: &Answer) -> String {
    match answer {
        Ok(_) => "a secret".to_owned(),
        Err(error) => {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{error}: {cause}{hint}")
        }
    }
}

/// The greeting of a plug-in, in Python; `requests` are what it is asked then.
pub(crate) const GREET: &str = r#"
import base64, json, os, signal, subprocess, sys, time
def say(**message): print(json.dumps(message), flush=True)
hello = json.loads(sys.stdin.readline())
say(type="hello", protocol=1)
"#;

/// Returns a plug-in that greets, and then does this.
pub(crate) fn plugin(rest: &str) -> Table {
    python(&format!("{GREET}{rest}"))
}
