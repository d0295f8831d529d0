//! The process of a moto server: found, started, awaited, ended.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{PATIENCE, python};

/// How long a server may take to come up on a busy machine.
const STARTUP: Duration = PATIENCE;

/// How long to wait between two looks at a server that is coming up.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs moto until its standard input ends: it then dies with the test process, however that one ends.
const RUNNER: &str = include_str!("../moto.py");

/// A running moto server.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Process {
    pub(super) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("secretdir-moto-").tempdir().unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut child = Command::new(python())
            .args(["-c", RUNNER])
            .arg(folder.path())
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "0")
            .env("MOTO_ENABLE_RECORDING", "true")
            .env("MOTO_RECORDER_FILEPATH", folder.path().join("recording"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = wait_until_up(&mut child, &folder.path().join("log"));
        Self { child, address, folder }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what moto recorded of its requests.
    pub(super) fn recording(&self) -> String {
        let mut recording = Vec::new();
        if let Ok(mut file) = fs::File::open(self.folder.path().join("recording")) {
            file.read_to_end(&mut recording).unwrap();
        }
        String::from_utf8_lossy(&recording).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ends this child only. It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the server says its port and takes connections there.
fn wait_until_up(child: &mut Child, log: &Path) -> SocketAddr {
    let deadline = Instant::now() + STARTUP;
    loop {
        let text = fs::read_to_string(log).unwrap_or_default();
        if let Some(address) = address_in(&text)
            && TcpStream::connect_timeout(&address, STARTUP).is_ok()
        {
            return address;
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!("moto_server ended with {status}: {text}");
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("moto_server did not come up in {STARTUP:?}: {text}");
        }
        thread::sleep(PAUSE);
    }
}

fn address_in(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("Running on http://127.0.0.1:")?;
    let (port, _) = rest.split_once(|c: char| !c.is_ascii_digit())?;
    Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into())
}
