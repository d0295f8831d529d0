//! A store that makes something new each time it is asked for a name below `new/`, and a place to publish.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use secretdir_engine::{Config, Difference, DryRun, Host, Outcome, Plan, Registry, SyncFailure};
use secretdir_provider::{
    Clock, Held, Jitter, Provider, Refreshed, Retry, RunContext, Secret, SecretRequest, SecretSource,
    Settings, SettingsError, SourceError, SourceErrorKind, async_trait,
};

/// What each thing lives, in seconds.
const LIFE: Duration = Duration::from_secs(100);

/// The store, and what has happened to it.
#[derive(Clone, Default)]
pub(crate) struct Store(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    made: usize,
    keeps: bool,
    plain: Option<String>,
    calls: Vec<String>,
    released: Vec<String>,
    passed: Duration,
    fails: bool,
    /// How many sources were built and closed.
    sources: (usize, usize),
}

impl Store {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn made(&self) -> usize {
        self.state().made
    }

    /// Says whether whoever asks for what is made gets an error.
    pub(crate) fn fails(&self, fails: bool) {
        self.state().fails = fails;
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.state().passed += time;
    }

    /// Sets clock and date back.
    pub(crate) fn turn_back(&self, time: Duration) {
        self.state().passed -= time;
    }

    /// A clock and a date that go on only when time is let pass.
    pub(crate) fn clock(&self) -> Clock {
        let (now, date) = (self.clone(), self.clone());
        Clock::new(move || now.state().passed).with_date(move || SystemTime::UNIX_EPOCH + date.state().passed)
    }

    /// Says whether what is due stays.
    pub(crate) fn keeps(&self, keeps: bool) {
        self.state().keeps = keeps;
    }

    pub(crate) fn set_plain(&self, value: &str) {
        self.state().plain = Some(value.to_owned());
    }

    /// Returns what was asked about secrets that are made.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    pub(crate) fn released(&self) -> Vec<String> {
        self.state().released.clone()
    }

    /// Returns how many sources were built, and how many closed.
    pub(crate) fn sources(&self) -> (usize, usize) {
        self.state().sources
    }

    fn ensure_up(&self) -> Result<(), SourceError> {
        if self.state().fails { Err(SourceError::new(SourceErrorKind::Unavailable)) } else { Ok(()) }
    }

    fn make(&self) -> Secret {
        let mut state = self.state();
        state.made += 1;
        let number = state.made;
        Secret::new(format!(r#"{{"user":"user-{number}","password":"password-{number}"}}"#))
            .with_valid_for(LIFE)
            .with_lease(format!("lease-{number}"))
    }
}

struct Mint(Store);

impl Provider for Mint {
    fn name(&self) -> &'static str {
        "mint"
    }

    fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        self.0.state().sources.0 += 1;
        Ok(Box::new(MintSource(self.0.clone())))
    }
}

struct MintSource(Store);

#[async_trait]
impl SecretSource for MintSource {
    fn issues(&self, request: &SecretRequest) -> bool {
        request.name().starts_with("new/")
    }

    async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        let name = request.name();
        if self.issues(request) {
            self.0.state().calls.push(format!("fetch {name}"));
            self.0.ensure_up()?;
        }
        let plain = self.0.state().plain.clone().unwrap_or_else(|| "1".to_owned());
        match name {
            "plain" => Ok(Secret::new(plain.clone()).with_revision(plain)),
            "unrevised" => Ok(Secret::new(plain)),
            "ending" => {
                Ok(Secret::new("x").with_revision("1").with_valid_until(SystemTime::UNIX_EPOCH + LIFE))
            }
            "rotating" => {
                let end = SystemTime::UNIX_EPOCH + LIFE;
                Ok(Secret::new("x").with_revision("1").with_valid_until(end).with_renew_at(end))
            }
            "unauthenticated" => Err(SourceError::new(SourceErrorKind::Unauthenticated)),
            "new/none" => Err(SourceError::new(SourceErrorKind::NotFound)),
            "new/throttled" => {
                Err(SourceError::new(SourceErrorKind::Throttled).with_retry(Retry::After(Duration::ZERO)))
            }
            "new/slow" => {
                let made = self.0.make();
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                Ok(made)
            }
            _ if name.starts_with("new/") => Ok(self.0.make()),
            _ => Err(SourceError::new(SourceErrorKind::NotFound)),
        }
    }

    async fn refresh(
        &self,
        run: &RunContext,
        request: &SecretRequest,
        held: &Held,
    ) -> Result<Refreshed, SourceError> {
        self.0.state().calls.push(format!("refresh {}", request.name()));
        self.0.ensure_up()?;
        if self.0.state().keeps {
            let now = run.clock().date();
            let later = held.clone().with_valid_until(now + LIFE).with_renew_at(now + LIFE / 3 * 2);
            return Ok(Refreshed::Keep(later));
        }
        Ok(Refreshed::New(self.0.make()))
    }

    async fn release(&self, _: &RunContext, leases: &[String]) -> Result<(), SourceError> {
        self.0.state().released.extend_from_slice(leases);
        Ok(())
    }

    async fn close(&self, _: &RunContext) {
        self.0.state().sources.1 += 1;
    }
}

/// Its date is that of the store.
struct TestHost(Store);

impl Host for TestHost {
    fn clock(&self) -> Clock {
        self.0.clock()
    }

    fn jitter(&self) -> Jitter {
        Jitter::default()
    }
}

/// A folder with a configuration, which publishes what the store makes. Superseded sets stay for 5 seconds.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
    registry: Registry,
    plan: Plan,
}

impl Site {
    pub(crate) fn new(files: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::default();
        let mut registry = Registry::new();
        registry.register(Box::new(Mint(store.clone()))).unwrap();
        let plan = plan(folder.path(), files, &registry);
        Self { folder, store, registry, plan }
    }

    /// Gives the configuration other files.
    pub(crate) fn configure(&mut self, files: &str) {
        self.plan = plan(self.folder.path(), files, &self.registry);
    }

    /// Takes the source of all tests away.
    pub(crate) fn remove_source(&mut self) {
        let path = self.folder.path().join("secretdir.toml");
        let text = fs::read_to_string(&path).unwrap().replace("[sources.mint]\nprovider = \"mint\"\n", "");
        fs::write(&path, text).unwrap();
        self.plan = self.plan();
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.store.pass(time);
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Makes the plan once more, for a daemon.
    pub(crate) fn plan(&self) -> Plan {
        Config::read(&self.folder.path().join("secretdir.toml")).unwrap().resolve(&self.registry).unwrap()
    }

    pub(crate) async fn sync(&self) -> Result<Outcome, SyncFailure> {
        secretdir_engine::sync(&self.plan, &self.registry, &TestHost(self.store.clone()), None).await
    }

    pub(crate) async fn diff(&self) -> Difference {
        secretdir_engine::diff(&self.plan, &TestHost(self.store.clone())).await.unwrap()
    }

    pub(crate) async fn fetch(&self) -> DryRun {
        secretdir_engine::fetch(&self.plan, &TestHost(self.store.clone())).await.unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("app").join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn plan(folder: &Path, files: &str, registry: &Registry) -> Plan {
    let text = format!(
        "[directory]\npath = \"app\"\nparents = \"trusted\"\ndurability = \"none\"\nretain = \"5s\"\n[watch]\ninterval = \"1d\"\nwake = false\n\
         [sources.mint]\nprovider = \"mint\"\n{files}"
    );
    let path = folder.join("secretdir.toml");
    fs::write(&path, &text).unwrap();
    Config::read(&path).unwrap().resolve(registry).unwrap()
}
