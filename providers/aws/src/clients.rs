//! The clients of one source: one for each region, made when it is first asked.
//!
//! Each run reads the environment and AWS's files again. The clients of the run before serve on, with their connections and
//! credentials, if they were made of the same and nothing failed that new ones could do better: a region that could not be found, a
//! connection, a login.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_credential_types::provider::SharedCredentialsProvider;
use secretdir_provider::{Deadline, RunContext, SourceError, SourceErrorKind};
use tokio::sync::OnceCell;

use crate::credential_process::CredentialProcess;
use crate::error;
use crate::region_clients::{RegionClient, RegionClients, Wishes};
use crate::settings::AwsSettings;
use crate::surroundings::{Basis, Surroundings};

/// The clients, all for the same service.
pub(crate) struct Clients<C> {
    wishes: Wishes,
    kept: Mutex<Option<Arc<Made<C>>>>,
}

/// What was made out of what was found, and a client of each region once it is asked.
struct Made<C> {
    basis: Basis,
    region_clients: RegionClients,
    regions: Vec<OnceCell<Arc<Regional<C>>>>,
}

/// The clients that one run uses, from its first question on.
struct OfRun<C>(OnceCell<Arc<Made<C>>>);

impl<C> Default for OfRun<C> {
    fn default() -> Self {
        Self(OnceCell::new())
    }
}

/// The client of one region.
pub(crate) struct Regional<C> {
    pub(crate) client: C,
    pub(crate) region: String,
    /// The first region of the source.
    pub(crate) home: String,
    /// How often the SDK makes a call, at the most.
    pub(crate) attempts: u32,
    process: Option<CredentialProcess>,
}

impl<C: Send + Sync + 'static> Clients<C> {
    /// Takes the settings and, where the SDK shall not look for them, the credentials.
    pub(crate) fn new(settings: AwsSettings, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { wishes: Wishes { settings, credentials }, kept: Mutex::default() }
    }

    pub(crate) fn settings(&self) -> &AwsSettings {
        &self.wishes.settings
    }

    /// Returns how many regions can be asked.
    pub(crate) fn count(&self) -> usize {
        1 + self.settings().failover_region.len()
    }

    /// Returns the client of a region, of which 0 is the first. The first time it is made by `build`.
    ///
    /// If a credential process gives the credentials, they hold when this returns: it is waited for until then.
    pub(crate) async fn get(
        &self,
        run: &RunContext,
        number: usize,
        build: fn(&RegionClient) -> C,
        until: &Deadline,
    ) -> Result<Arc<Regional<C>>, SourceError> {
        let state = run.state::<OfRun<C>>();
        let made = state.0.get_or_try_init(|| self.made(run)).await?;
        let region = made.regions.get(number).ok_or_else(error::no_region)?;
        let make = async || Arc::new(Regional::of(made.region_clients.of(number), build));
        let regional = region.get_or_init(make).await;
        if let Some(process) = &regional.process {
            process.refresh(until).await?;
        }
        Ok(Arc::clone(regional))
    }

    /// Puts the clients on trial: unless they are [acquitted](Trial::end), the next run makes new ones.
    pub(crate) fn trial(&self) -> Trial<'_, C> {
        Trial(Some(self))
    }

    /// Returns what the run before has made, if it would be made the same now, or makes it.
    async fn made(&self, run: &RunContext) -> Result<Arc<Made<C>>, SourceError> {
        let (found, basis) = Surroundings::read(self.settings())?;
        if let Some(kept) = self.kept().as_ref().filter(|kept| kept.basis == basis) {
            return Ok(Arc::clone(kept));
        }
        let region_clients = self.wishes.region_clients(found, run.clock()).await?;
        let regions = (0..self.count()).map(|_| OnceCell::new()).collect();
        let made = Arc::new(Made { basis, region_clients, regions });
        *self.kept() = Some(Arc::clone(&made));
        Ok(made)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Arc<Made<C>>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clients that are in use. They are given up where this is dropped, as a fetch is that was cut off.
pub(crate) struct Trial<'c, C: Send + Sync + 'static>(Option<&'c Clients<C>>);

impl<C: Send + Sync + 'static> Trial<'_, C> {
    /// Keeps the clients for the next run, unless one of these failures may be because of them.
    pub(crate) fn end(mut self, failures: impl IntoIterator<Item = SourceErrorKind>) {
        use SourceErrorKind as Kind;
        let may_be_stale =
            |kind| matches!(kind, Kind::Unavailable | Kind::TimedOut | Kind::Unauthenticated | Kind::Other);
        if !failures.into_iter().any(may_be_stale) {
            self.0 = None;
        }
    }
}

impl<C: Send + Sync + 'static> Drop for Trial<'_, C> {
    fn drop(&mut self) {
        if let Some(clients) = self.0 {
            *clients.kept() = None;
        }
    }
}

impl<C> Regional<C> {
    fn of(place: RegionClient, build: fn(&RegionClient) -> C) -> Self {
        let attempts = place.config.retry_config().map_or(1, |retries| retries.max_attempts());
        let client = build(&place);
        Self { client, region: place.region, home: place.home, attempts, process: place.process }
    }
}
