//! What counts where a configuration says nothing.

use std::num::NonZeroUsize;
use std::time::Duration;

/// The deadline of the whole gathering, if nothing else is said.
pub(crate) const GATHER_TIMEOUT: Duration = Duration::from_secs(60);

/// The requests in flight for each source, if nothing else is said.
pub(crate) const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// How many bytes all secrets may have together, if nothing else is said: they are held in memory.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// How long the command may run, if nothing else is said.
pub(crate) const ON_CHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the command of `[verify]` may run, if nothing else is said.
pub(crate) const VERIFY_TIMEOUT: Duration = Duration::from_secs(30);

/// How often `watch` asks the sources, if nothing else is said.
pub(crate) const WATCH_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How long `watch` waits after a change of a file for more of them, if nothing else is said.
pub(crate) const DEBOUNCE: Duration = Duration::from_millis(500);
