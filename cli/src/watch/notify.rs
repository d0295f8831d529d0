//! What systemd is told of the service: the protocol of `sd_notify(3)`, a few lines of text to a socket.

use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use super::timer::monotonic;

/// The socket of the service manager, if there is one.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// Looks for the socket in the environment.
    pub(super) fn from_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let socket = variable("NOTIFY_SOCKET").and_then(|name| {
            let address = address(&name).ok()?;
            Some((UnixDatagram::unbound().ok()?, address))
        });
        let is_ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let watchdog = variable("WATCHDOG_USEC").filter(|_| is_ours && socket.is_some());
        let watchdog = watchdog.and_then(|microseconds| microseconds.parse().ok()).map(Duration::from_micros);
        Self { socket, watchdog }
    }

    /// Returns how often the watchdog must hear of this process, at the latest: half of what it allows.
    pub(super) fn watchdog_pause(&self) -> Option<Duration> {
        self.watchdog.map(|longest| longest / 2)
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

    pub(super) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// A manager that does not listen is no reason to stop working.
    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::debug!(%error, "the service manager does not listen");
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
