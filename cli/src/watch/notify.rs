//! Notifies systemd about the service, by the protocol of `sd_notify(3)`: a few lines of text to a socket.

use std::cell::Cell;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use super::timer::monotonic;

/// How long to wait until the service manager accepts a message. It can be busy while it reloads its units.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shortest interval between two messages to a watchdog.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The socket of the service manager, if there is one.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// The longest interval between two messages to the watchdog: half of its time-out.
    pause: Option<Duration>,
    /// The time of the next message to the watchdog.
    next_ping: Cell<Duration>,
    /// When the current turn counts as hanging, because it takes longer than all its time-outs allow. It uses the clock
    /// that stops while the machine sleeps, because most operations of a turn stop then, too.
    stuck_from: Cell<Option<Duration>>,
    /// Whether the manager did not accept the last message. Then the next message does not wait.
    is_unresponsive: Cell<bool>,
}

impl Notify {
    /// Gets the socket from the environment.
    pub(super) fn from_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let socket = variable("NOTIFY_SOCKET").and_then(|name| {
            let address = address(&name).ok()?;
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_write_timeout(Some(PATIENCE)).ok()?;
            Some((socket, address))
        });
        let is_ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let watchdog = variable("WATCHDOG_USEC").filter(|_| is_ours && socket.is_some());
        let longest = watchdog.and_then(|microseconds| microseconds.parse().ok()).map(Duration::from_micros);
        // Zero turns the watchdog off, as for `sd_watchdog_enabled(3)`.
        let pause =
            longest.filter(|longest| !longest.is_zero()).map(|longest| (longest / 2).max(SHORTEST_PAUSE));
        Self { socket, pause, ..Self::default() }
    }

    /// Returns the time of the next message to the watchdog. Other events before it do not delay it. Returns `None`
    /// while a turn hangs, because a new process may do better.
    pub(super) fn next_ping(&self, now: Duration) -> Option<Duration> {
        let pause = self.pause?;
        if self.stuck_from.get().is_some_and(|moment| monotonic() >= moment) {
            return None;
        }
        Some(self.next_ping.get().min(now.saturating_add(pause)))
    }

    /// Notes that a turn begins, and how long it takes at most unless it hangs. `None` if no turn is under way.
    pub(super) fn hangs_after(&self, longest: Option<Duration>) {
        self.stuck_from.set(longest.map(|longest| monotonic().saturating_add(longest)));
    }

    pub(super) fn ready(&self) {
        self.send("READY=1");
    }

    pub(super) fn reloading(&self) {
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic().as_micros()));
    }

    pub(super) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    pub(super) fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace(['\n', '\r'], " ")));
    }

    /// Tells the watchdog that the process works.
    pub(super) fn alive(&self, now: Duration) {
        if let Some(pause) = self.pause {
            self.next_ping.set(now.saturating_add(pause));
            self.send("WATCHDOG=1");
        }
    }

    /// Sends a message. A manager that does not answer must not stop the work. So only one message waits for it, until
    /// it accepts messages again.
    fn send(&self, text: &str) {
        let Some((socket, address)) = &self.socket else { return };
        let sent = socket.send_to_addr(text.as_bytes(), address);
        if let Err(error) = &sent {
            tracing::debug!(%error, "the service manager does not accept messages");
        }
        if self.is_unresponsive.replace(sent.is_err()) != sent.is_err()
            && let Err(error) = socket.set_nonblocking(sent.is_err())
        {
            tracing::debug!(%error, "the socket of the service manager cannot be used");
        }
    }
}

/// Parses the name of a socket. A name that begins with `@` is abstract.
fn address(name: &str) -> std::io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.strip_prefix('@') {
        return <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_hears_nothing_while_a_turn_hangs() {
        let seconds = Duration::from_secs;
        let notify = Notify { pause: Some(seconds(60)), ..Notify::default() };
        notify.alive(seconds(100));
        assert_eq!(notify.next_ping(seconds(110)), Some(seconds(160)));
        notify.hangs_after(Some(seconds(3600)));
        assert_eq!(notify.next_ping(seconds(110)), Some(seconds(160)));
        notify.hangs_after(Some(Duration::ZERO));
        assert_eq!(notify.next_ping(seconds(110)), None);
        notify.hangs_after(None);
        assert_eq!(notify.next_ping(seconds(110)), Some(seconds(160)));
    }
}
