//! The clients of one source: one for each region, made when it is first asked, and kept.

use std::time::Instant;

use aws_credential_types::provider::SharedCredentialsProvider;
use secretdir_provider::SourceError;
use tokio::sync::OnceCell;

use crate::credential_process::CredentialProcess;
use crate::error;
use crate::places::{Place, Places};
use crate::settings::AwsSettings;

/// The clients, all for the same service.
pub(crate) struct Clients<C> {
    places: Places,
    cells: Vec<OnceCell<Regional<C>>>,
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

impl<C> Clients<C> {
    /// Takes the settings and, where the SDK shall not look for them, the credentials.
    pub(crate) fn new(settings: AwsSettings, credentials: Option<SharedCredentialsProvider>) -> Self {
        let places = Places::new(settings, credentials);
        let cells = (0..places.count()).map(|_| OnceCell::new()).collect();
        Self { places, cells }
    }

    pub(crate) fn settings(&self) -> &AwsSettings {
        self.places.settings()
    }

    /// Returns how many regions can be asked.
    pub(crate) fn count(&self) -> usize {
        self.cells.len()
    }

    /// Returns the client of a region, of which 0 is the first. The first time it is made by `build`.
    ///
    /// If a credential process gives the credentials, they hold when this returns: it is waited for until then.
    pub(crate) async fn get(
        &self,
        number: usize,
        build: fn(&Place) -> C,
        until: Instant,
    ) -> Result<&Regional<C>, SourceError> {
        let cell = self.cells.get(number).ok_or_else(error::no_region)?;
        let regional = cell.get_or_try_init(|| self.make(number, build)).await?;
        if let Some(process) = &regional.process {
            process.refresh(until).await?;
        }
        Ok(regional)
    }

    async fn make(&self, number: usize, build: fn(&Place) -> C) -> Result<Regional<C>, SourceError> {
        let place = self.places.place(number).await?;
        let attempts = place.config.retry_config().map_or(1, |retries| retries.max_attempts());
        let client = build(&place);
        Ok(Regional { client, region: place.region, home: place.home, attempts, process: place.process })
    }
}
