//! Against a server that keeps to AWS's published models: batches, limits, faults, and the numbers.

mod batches;
mod failover;
mod measured;
mod throttling;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use secretdir_testkit::{Canary, REGION, Strict};

use crate::support::{Ran, Site};

/// A credential that may turn up nowhere.
const KEY: &str = "canary-of-the-secret-key";

/// A site whose source `prod` is a strict server.
struct Cloud {
    server: Strict,
    site: Site,
}

impl Cloud {
    fn start() -> Self {
        Self { server: Strict::start(), site: Site::new() }
    }

    /// Starts with so many secrets, `app/0` and so on, each with its own name as its value, and publishes each as a file.
    fn with_secrets(count: usize) -> Self {
        let cloud = Self::start();
        let mut files = String::new();
        for name in (0..count).map(|number| format!("app/{number}")) {
            cloud.server.put(&name, &name);
            writeln!(files, "{name:?} = {{ source = \"prod\", secret = {name:?} }}").unwrap();
        }
        cloud.config("", &files);
        cloud
    }

    /// Writes a configuration with more settings of the source.
    fn config(&self, settings: &str, files: &str) {
        self.config_within("60s", settings, files);
    }

    fn config_within(&self, timeout: &str, settings: &str, files: &str) {
        let endpoint = self.server.endpoint();
        self.site.config(&format!(
            "[directory]\npath = \"out/app\"\n[gather]\ntimeout = \"{timeout}\"\n[sources.prod]\nprovider = \"aws-secrets-manager\"\n\
             region = \"{REGION}\"\nendpoint-url = \"{endpoint}\"\n{settings}\n[files]\n{files}"
        ));
    }

    /// Gives the same run less time, or other settings.
    fn reconfigure(&self, from: &str, to: &str) {
        let path = self.site.path().join("secretdir.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.command(arguments);
        command
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", KEY)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command
    }

    /// Runs with everything said that can be said, none of which may be a credential.
    fn sync(&self) -> Ran {
        let mut command = self.command(&["sync", "-vv"]);
        let ran = Ran::of(command.env("RUST_LOG", "trace").env("LOG_SENSITIVE_BODIES", "true"));
        let canary = Canary::new("secret key", KEY);
        canary.assert_absent("standard error", &ran.stderr);
        canary.assert_absent("standard output", &ran.stdout);
        ran
    }

    fn assert_published(&self, count: usize) {
        for name in (0..count).map(|number| format!("app/{number}")) {
            assert_eq!(self.site.read(&name), name.as_bytes());
        }
    }
}

/// Returns the lines of errors.
fn errors(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect()
}

fn warnings(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect()
}
