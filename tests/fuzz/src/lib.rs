//! What the targets share: a way to ask a source, and one that always has the same secrets.
//!
//! Everything is reached as anyone can reach it: through a configuration, a plan, or a provider. So a target finds what an
//! operator, a store or a plug-in could bring about, and nothing has to be public for its sake.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use secretdir_engine::{Host, Registry};
use secretdir_provider::{
    Answers, Clock, Jitter, Listed, Provider, RunContext, Secret, SecretRequest, SecretSource, Settings,
    SettingsError, SourceError, async_trait,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// How long any one run may take. What takes longer is found by libFuzzer's own limit.
const LONG: Duration = Duration::from_secs(300);

/// A folder for what a target has to give as a file: in memory, where the machine has such a place.
pub static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a folder can be made")
});

/// Returns a runtime with one thread, as the command has.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}

/// Returns the providers that need no network, and one that always has the same secrets.
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    let providers: [Box<dyn Provider>; 4] = [
        Box::new(secretdir_provider_env::EnvProvider::new()),
        Box::new(secretdir_provider_exec::ExecProvider),
        Box::new(secretdir_provider_file::FileProvider),
        Box::new(Same),
    ];
    for provider in providers {
        registry.register(provider).expect("each has a name of its own");
    }
    registry
}

/// Returns a text as TOML, or JSON, writes it.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Lists a source, and fetches these and all that it lists.
pub fn ask(source: &dyn SecretSource, names: &[&str]) -> Vec<(String, Result<Secret, SourceError>)> {
    let context =
        RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::new(4).expect("not zero")).build();
    runtime().block_on(async {
        // A program whose main function is Rust's ignores it: a plug-in need not read what it is sent.
        let _pipe = signal(SignalKind::pipe()).expect("it can be caught");
        let listed = source.list(&context, "").await.unwrap_or_default();
        let names: Vec<String> = listed
            .into_iter()
            .map(Listed::into_name)
            .chain(names.iter().map(|name| (*name).to_owned()))
            .collect();
        let requests: Vec<_> = names.iter().map(SecretRequest::new).collect();
        let answers = Answers::new(requests.len());
        source.fetch_all(&context, &requests, &answers).await;
        assert!(!answers.is_mixed_up());
        let answers = answers.into_vec().into_iter().map(|answer| answer.expect("every request is answered"));
        names.into_iter().zip(answers).collect()
    })
}

/// Somebody who runs the engine, and waits for nothing.
#[derive(Debug)]
pub struct Calm;

impl Host for Calm {
    fn clock(&self) -> Clock {
        Clock::default().with_date(|| SystemTime::UNIX_EPOCH)
    }

    fn jitter(&self) -> Jitter {
        Jitter::new(|_| Duration::ZERO)
    }
}

/// A provider whose sources have two secrets: `text`, and `json`.
#[derive(Debug)]
struct Same;

impl Provider for Same {
    fn name(&self) -> &'static str {
        "same"
    }

    fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(Same))
    }
}

#[async_trait]
impl SecretSource for Same {
    fn check(&self, _: &SecretRequest) -> Result<(), SourceError> {
        Ok(())
    }

    async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        Ok(Secret::new(match request.name() {
            "json" => {
                br#"{"user": "app", "port": 5432, "on": false, "list": [1, "two", {"three": null}]}"#.to_vec()
            }
            _ => b"it's `a` \\ \"value\"\n$x".to_vec(),
        }))
    }
}
