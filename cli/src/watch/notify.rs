//! What systemd is told of the service: the protocol of `sd_notify(3)`, a few lines of text to a socket.

use std::cell::Cell;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use super::timer::monotonic;

/// How long a manager may take to make room for a message. It can be busy while it reads its units again.
const PATIENCE: Duration = Duration::from_secs(1);

/// No watchdog is told more often than this.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The socket of the service manager, if there is one.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// How often the watchdog must hear of this process, at the latest: half of what it allows.
    pause: Option<Duration>,
    /// When it is to hear of it next.
    next_ping: Cell<Duration>,
    /// From when on the turn under way hangs: it takes longer than any that does not. By the clock that stops while the machine sleeps,
    /// as most of what a turn waits for does.
    stuck_from: Cell<Option<Duration>>,
    /// Whether the manager did not take the last message: none is waited for then.
    is_deaf: Cell<bool>,
}

impl Notify {
    /// Looks for the socket in the environment.
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

    /// Returns when the watchdog is to hear of this process next. Whatever happens before does not put it off. `None` while a turn
    /// hangs: a new process may do better.
    pub(super) fn next_ping(&self, now: Duration) -> Option<Duration> {
        let pause = self.pause?;
        if self.stuck_from.get().is_some_and(|moment| monotonic() >= moment) {
            return None;
        }
        Some(self.next_ping.get().min(now.saturating_add(pause)))
    }

    /// A turn begins that takes no longer than this, unless it hangs; or none is under way.
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

    /// Says that all is well, at this moment.
    pub(super) fn alive(&self, now: Duration) {
        if let Some(pause) = self.pause {
            self.next_ping.set(now.saturating_add(pause));
            self.send("WATCHDOG=1");
        }
    }

    /// A manager that does not listen is no reason to stop working: it is waited for once, and then not until it takes a message.
    fn send(&self, text: &str) {
        let Some((socket, address)) = &self.socket else { return };
        let sent = socket.send_to_addr(text.as_bytes(), address);
        if let Err(error) = &sent {
            tracing::debug!(%error, "the service manager does not answer");
        }
        if self.is_deaf.replace(sent.is_err()) != sent.is_err()
            && let Err(error) = socket.set_nonblocking(sent.is_err())
        {
            tracing::debug!(%error, "the socket of the service manager cannot be used");
        }
    }
}

/// A name that begins with `@` is an abstract one.
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
