//! The default values of a configuration.

use std::num::NonZeroUsize;
use std::time::Duration;

/// The deadline for gathering all secrets.
pub(crate) const GATHER_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum number of requests in flight for each source.
pub(crate) const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// The maximum size in bytes of all secrets together, which are held in memory.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// The time limit for the command of `[on-change]`.
pub(crate) const ON_CHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// The time limit for the command of `[verify]`.
pub(crate) const VERIFY_TIMEOUT: Duration = Duration::from_secs(30);

/// The interval at which `watch` polls the sources.
pub(crate) const WATCH_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How long `watch` waits for more changes after a file has changed.
pub(crate) const DEBOUNCE: Duration = Duration::from_millis(500);
