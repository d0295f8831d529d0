//! Time-outs.

use std::time::Duration;

use secretdir_provider::RunContext;

/// The time-out for a connection, TLS included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request ends before its run, so that its error, which names the server, comes first. At most a twentieth
/// of the remaining time is used.
const RESERVE: Duration = Duration::from_millis(250);

/// Returns the time-out of a request that begins now.
pub(crate) fn time_left(run: &RunContext) -> Duration {
    let remaining = run.remaining();
    remaining.saturating_sub(RESERVE.min(remaining / 20))
}

#[cfg(test)]
mod tests {
    use secretdir_provider::Clock;

    use super::*;

    #[test]
    fn a_request_ends_a_little_before_its_run() {
        let left = |seconds| {
            let run = RunContext::builder().clock(Clock::new(|| Duration::ZERO));
            time_left(&run.timeout(Duration::from_secs(seconds)).build())
        };
        assert_eq!(left(60), Duration::from_millis(59_750));
        assert_eq!(left(1), Duration::from_millis(950));
        assert_eq!(left(0), Duration::ZERO);
    }
}
