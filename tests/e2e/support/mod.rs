//! A folder with a configuration and its sources, and the command run on it.

pub(crate) mod contract;
mod published;
mod terminal;
mod traced;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub(crate) use published::Fingerprint;
pub(crate) use secretdir_testkit::strace::{Call, Trace, count};
pub(crate) use secretdir_testkit::{OTHER_USER, PATIENCE, Ran, assert_ends, is_root};
pub(crate) use terminal::on_a_terminal;
pub(crate) use traced::{inject, trace};

/// The command, as cargo has just built it.
pub(crate) const COMMAND: &str = env!("CARGO_BIN_EXE_secretdir");

/// A folder of one test: `secretdir.toml`, `source/` for the file provider, and `out/app`, the link.
pub(crate) struct Site {
    folder: TempDir,
}

/// What most tests put before `[files]`.
pub(crate) const HEAD: &str = "\
[directory]
path = \"out/app\"

[sources.local]
provider = \"file\"
root = \"source\"
";

impl Site {
    /// Makes the folder. Others may go through it, so that tests can run the command as another user.
    pub(crate) fn new() -> Self {
        Self::in_folder(&std::env::temp_dir())
    }

    pub(crate) fn in_folder(folder: &Path) -> Self {
        Ran::hold_all_to(contract::hold);
        let folder = TempDir::new_in(folder).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("source")).unwrap();
        Self { folder }
    }

    /// Makes a site whose configuration publishes each of these secrets under its own name.
    pub(crate) fn with_secrets(secrets: &[(&str, &[u8])]) -> Self {
        let site = Self::new();
        site.publish_all(secrets);
        site
    }

    /// Writes the secrets, and a configuration that publishes each under its own name.
    pub(crate) fn publish_all(&self, secrets: &[(&str, &[u8])]) {
        let mut config = format!("{HEAD}\n[files]\n");
        for (name, value) in secrets {
            self.secret(name, value);
            config.push_str(&format!("{name:?} = {{ source = \"local\", secret = {name:?} }}\n"));
        }
        self.config(&config);
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn link(&self) -> PathBuf {
        self.path().join("out/app")
    }

    /// Writes the configuration.
    pub(crate) fn config(&self, text: &str) {
        fs::write(self.path().join("secretdir.toml"), text).unwrap();
    }

    /// Writes a file below the root of the source `local`.
    pub(crate) fn secret(&self, name: &str, value: impl AsRef<[u8]>) {
        let path = self.path().join("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value).unwrap();
    }

    /// Reads a published file.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.link().join(name)).unwrap()
    }

    /// Returns the command with these arguments and the site's configuration, and an environment that holds nothing of
    /// AWS.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(COMMAND);
        self.prepare(command.args(arguments));
        command
    }

    /// Gives a process the site's folder, configuration and environment.
    pub(crate) fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("SECRETDIR_CONFIG", self.path().join("secretdir.toml"))
            .env("AWS_EC2_METADATA_DISABLED", "true");
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Runs `sync`, which must succeed.
    pub(crate) fn sync(&self) -> Ran {
        self.run(&["sync"]).expect_exit(0)
    }

    /// Returns the names beside the link, sorted, with the random part of ours left out.
    pub(crate) fn names(&self) -> Vec<String> {
        secretdir_testkit::names(&self.path().join("out"))
    }

    /// Returns what must not move when nothing is published: of the link, its folder, and all that is in the generation.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.link())
    }
}
