//! A real PostgreSQL server.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::TempDir;

use crate::http::PATIENCE;
use crate::users::OTHER_USER;

/// How long to wait between two looks at a server that is coming up.
const PAUSE: Duration = Duration::from_millis(50);

/// How often to look for a port that nobody else takes meanwhile.
const TRIES: usize = 3;

/// Runs a server until standard input ends. It then dies with the test process, and its children with it.
const RUNNER: &str = r#""$@" & server=$!; read -r _; kill -QUIT "$server"; wait "$server""#;

/// The user who may do everything.
const SUPERUSER: &str = "tests";

/// The password of that user.
const PASSWORD: &str = "superuser-of-the-tests";

/// A PostgreSQL server of one's own on 127.0.0.1, which asks every user for a password. Ends when dropped.
///
/// PostgreSQL refuses to run as root, so root starts it as [`OTHER_USER`].
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Postgres {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it is not installed, or does not come up.
    pub fn start() -> Self {
        (0..TRIES).find_map(|_| Self::try_start()).unwrap_or_else(|| panic!("no port stays free"))
    }

    fn try_start() -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("secretdir-postgres-").tempdir().unwrap();
        let (data, log) = (folder.path().join("data"), folder.path().join("log"));
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        if rustix::process::geteuid().is_root() {
            for path in [folder.path(), &password] {
                chown(path, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
            }
        }
        let made = unprivileged(folder.path(), "initdb")
            .args(["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=scram-sha-256"])
            .args(["--username", SUPERUSER, "--pwfile"])
            .arg(&password)
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {made:?}");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let output = fs::File::create(&log).unwrap();
        let server = unprivileged(folder.path(), "postgres");
        let child = Command::new("sh")
            .args(["-c", RUNNER, "sh"])
            .arg(server.get_program())
            .args(server.get_args())
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "fsync=off", "-k"])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut started = Self { child, port, _folder: folder };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if started.logged_in(SUPERUSER, PASSWORD, "select 1").status.success() {
                return Some(started);
            }
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.contains("Address already in use") {
                return None;
            }
            assert!(started.child.try_wait().unwrap().is_none(), "the server has ended: {text}");
            thread::sleep(PAUSE);
        }
        panic!("postgres did not come up in {PATIENCE:?}: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Returns the settings with which OpenBao's database engine connects to this server.
    pub fn connection(&self) -> serde_json::Value {
        let url = format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        );
        serde_json::json!({
            "plugin_name": "postgresql-database-plugin",
            "connection_url": url,
            "allowed_roles": "*",
            "username": SUPERUSER,
            "password": PASSWORD,
        })
    }

    /// Makes a query as the superuser, and returns the lines of the result.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    #[track_caller]
    pub fn query(&self, statement: &str) -> Vec<String> {
        let ran = self.logged_in(SUPERUSER, PASSWORD, statement);
        assert!(ran.status.success(), "{statement}: {ran:?}");
        String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Logs in with a password over TCP.
    ///
    /// # Errors
    ///
    /// The words of the server, when it refuses the login.
    pub fn log_in(&self, user: &str, password: &str) -> Result<(), String> {
        let ran = self.logged_in(user, password, "select current_user");
        match ran.status.success() && ran.stdout.trim_ascii() == user.as_bytes() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
        }
    }

    fn logged_in(&self, user: &str, password: &str, statement: &str) -> Output {
        Command::new(program("psql"))
            .args(["-X", "-A", "-t", "-w", "-h", "127.0.0.1", "-d", "postgres"])
            .args(["-p", &self.port.to_string(), "-U", user, "-c", statement])
            .env("PGPASSWORD", password)
            .env("PGCONNECT_TIMEOUT", "30")
            .output()
            .unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Ends the server, and this child only.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Returns a command that runs a program of PostgreSQL as somebody who is not root.
fn unprivileged(folder: &Path, name: &str) -> Command {
    if !rustix::process::geteuid().is_root() {
        let mut command = Command::new(program(name));
        command.current_dir(folder);
        return command;
    }
    let mut command = Command::new("setpriv");
    let user = OTHER_USER.to_string();
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(program(name));
    command.current_dir(folder);
    command
}

/// Finds a program. Debian has those of each version in a folder of its own, which is not in the path.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = versions.map(|version| version.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = versions.chain(env::split_paths(&path));
    let found = folders.find(|folder| folder.join(name).is_file()).map(|folder| folder.join(name));
    found.unwrap_or_else(|| {
        panic!("{name} of PostgreSQL is not there: run tests/run, which installs what the tests need")
    })
}
