//! The clients of one source: one for each region, made when the region is first asked.
//!
//! Each run reads the environment and AWS's files again. It reuses the clients of the last run, with their connections
//! and credentials, if their configuration is the same. It makes new clients after failures that new clients might
//! avoid: a region that was not found, a failed connection, a failed login.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_credential_types::provider::SharedCredentialsProvider;
use secretdir_provider::{Deadline, RunContext, SourceError, SourceErrorKind};
use tokio::sync::OnceCell;

use crate::credential_process::CredentialProcess;
use crate::environment::{AwsEnvironment, Basis};
use crate::error;
use crate::region_clients::{ClientConfig, RegionClient, RegionClients};
use crate::settings::AwsSettings;

/// The clients, all for the same service.
pub(crate) struct Clients<C> {
    wishes: ClientConfig,
    kept: Mutex<Option<Arc<Made<C>>>>,
}

/// The configuration that was found, and the client of each region that has been asked.
struct Made<C> {
    basis: Basis,
    region_clients: RegionClients,
    regions: Vec<OnceCell<Arc<Regional<C>>>>,
}

/// The clients that one run uses, from its first call on.
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
    /// The maximum number of attempts that the SDK makes of a call.
    pub(crate) attempts: u32,
    process: Option<CredentialProcess>,
}

impl<C: Send + Sync + 'static> Clients<C> {
    /// Takes the settings and, if the SDK must not look for credentials, the credentials.
    pub(crate) fn new(settings: AwsSettings, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { wishes: ClientConfig { settings, credentials }, kept: Mutex::default() }
    }

    pub(crate) fn settings(&self) -> &AwsSettings {
        &self.wishes.settings
    }

    /// Returns the number of regions that can be asked.
    pub(crate) fn count(&self) -> usize {
        1 + self.settings().failover_region.len()
    }

    /// Returns the client of a region; 0 is the first region. The first call makes it with `build`.
    ///
    /// If a credential process provides the credentials, they are valid when this returns. It waits for the process up
    /// to `until`.
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

    /// Starts a trial of the clients. Unless [`Trial::end`] keeps them, the next run makes new ones.
    pub(crate) fn trial(&self) -> Trial<'_, C> {
        Trial(Some(self))
    }

    /// Returns the clients of the last run if their configuration is still the same, or makes new ones.
    async fn made(&self, run: &RunContext) -> Result<Arc<Made<C>>, SourceError> {
        let (found, basis) = AwsEnvironment::read(self.settings())?;
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

/// Clients in use. Dropping this discards them, for example if a fetch is cancelled.
pub(crate) struct Trial<'c, C: Send + Sync + 'static>(Option<&'c Clients<C>>);

impl<C: Send + Sync + 'static> Trial<'_, C> {
    /// Keeps the clients for the next run, unless stale clients may be the reason for one of these failures.
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
