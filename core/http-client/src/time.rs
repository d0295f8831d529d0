//! How long things may take.

use std::time::Duration;

use secretdir_provider::RunContext;

/// How long a server may take to accept a connection, TLS included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A request ends this long before its run, or a twentieth of what is left if that is shorter: so that an error that names the
/// server comes before the run is over.
const RESERVE: Duration = Duration::from_millis(250);

/// Returns how long a request may take that begins now.
pub(crate) fn time_left(run: &RunContext) -> Duration {
    let remaining = run.remaining();
    remaining.saturating_sub(RESERVE.min(remaining / 20))
}
