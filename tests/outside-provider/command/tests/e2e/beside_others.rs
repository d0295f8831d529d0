//! The new provider beside those that the command has already.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use secretdir_testkit::{Moto, REGION, Ran};
use tempfile::TempDir;

/// A folder with a configuration, and secrets in three kinds of stores.
struct Site {
    folder: TempDir,
    moto: Moto,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: TempDir::new().unwrap(), moto: Moto::start() };
        for folder in ["plain", "encrypted"] {
            fs::create_dir(site.path().join(folder)).unwrap();
        }
        fs::write(site.path().join("plain/debug"), "true").unwrap();
        site.moto.create_string("app/token", "from the cloud");
        site.run("age-keygen", &["-o", "identities.txt"]);
        fs::write(site.path().join("password"), b"\xff encrypted \n").unwrap();
        site.encrypt("identities.txt");
        site.configure();
        site
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Encrypts the password for whoever has these identities.
    fn encrypt(&self, identities: &str) {
        self.run("age", &["-e", "-i", identities, "-o", "encrypted/password.age", "password"]);
    }

    fn configure(&self) {
        let endpoint = self.moto.endpoint();
        let text = format!(
            r#"
[directory]
path = "out/app"

[sources.encrypted]
provider = "age"
root = "encrypted"
identities = "identities.txt"

[sources.local]
provider = "file"
root = "plain"

[sources.cloud]
provider = "aws-secrets-manager"
region = "{REGION}"
endpoint-url = "{endpoint}"

[files]
"db/password" = {{ source = "encrypted", secret = "password" }}
debug = {{ source = "local", secret = "debug" }}
token = {{ source = "cloud", secret = "app/token" }}
"#
        );
        fs::write(self.path().join("secretdir.toml"), text).unwrap();
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        let run = command.args(arguments).current_dir(self.path()).stderr(Stdio::null()).status();
        let status = run.unwrap_or_else(|error| panic!("{program}: {error}: `tests/run` installs it"));
        assert!(status.success(), "{program} {arguments:?}: {status}");
    }

    fn secretdir(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secretdir-with-age"));
        command.args(arguments).current_dir(self.path()).env_clear().envs(self.moto.environment());
        Ran::of(command.env("SECRETDIR_CONFIG", self.path().join("secretdir.toml")))
    }

    /// Returns the files that are published, and what the link leads to.
    fn published(&self) -> Vec<Vec<u8>> {
        let link = self.path().join("out/app");
        let mut all = vec![fs::read_link(&link).unwrap().into_os_string().into_encoded_bytes()];
        all.extend(["db/password", "debug", "token"].map(|name| fs::read(link.join(name)).unwrap()));
        all
    }
}

#[test]
fn secrets_of_all_three_providers_are_published_together_or_not_at_all() {
    let site = Site::new();
    site.secretdir(&["check"]).expect_exit(0);
    site.secretdir(&["sync"]).expect_exit(0);
    let before = site.published();
    assert_eq!(before[1..], [b"\xff encrypted \n".as_slice(), b"true", b"from the cloud"]);

    // All three have something new, but one of them cannot be decrypted.
    site.moto.put_string("app/token", "from the cloud, later");
    fs::write(site.path().join("plain/debug"), "false").unwrap();
    site.run("age-keygen", &["-o", "others.txt"]);
    site.encrypt("others.txt");
    let ran = site.secretdir(&["sync"]).expect_exit(3);
    assert!(ran.stderr.contains("permission denied") && ran.stderr.contains("password.age"), "{ran:?}");
    assert!(ran.stderr.contains("age-keygen -y"), "the hint is missing: {ran:?}");
    assert_eq!(site.published(), before);

    site.encrypt("identities.txt");
    site.secretdir(&["sync"]).expect_exit(0);
    assert_eq!(site.published()[1..], [b"\xff encrypted \n".as_slice(), b"false", b"from the cloud, later"]);
}

#[test]
fn the_command_has_a_name_and_a_version_of_its_own() {
    let site = Site::new();
    let own = concat!("secretdir-with-age ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(site.secretdir(&["-V"]).expect_exit(0).stdout, own);
    let long = site.secretdir(&["--version"]).expect_exit(0).stdout;
    assert!(long.starts_with(&format!("{own}secretdir: ")) && long.contains("\nfeatures: "), "{long}");
    let help = site.secretdir(&["sync", "--help"]).expect_exit(0).stdout;
    assert!(help.contains("Usage: secretdir-with-age sync"), "{help}");
    let pages = site.path().join("pages");
    site.secretdir(&["man", pages.to_str().unwrap()]).expect_exit(0);
    let page = fs::read_to_string(pages.join("man1/secretdir-with-age-sync.1")).unwrap();
    assert!(page.contains(".TH secretdir-with-age-sync 1"), "{page}");
    let script = site.secretdir(&["completions", "bash"]).expect_exit(0).stdout;
    assert!(
        script.lines().any(|line| line.ends_with("bashdefault -o default secretdir-with-age")),
        "{script}"
    );
}

#[test]
fn the_command_knows_the_new_provider_as_it_knows_the_others() {
    let site = Site::new();
    let listed = site.secretdir(&["providers"]).expect_exit(0).stdout;
    for name in ["age", "aws-secrets-manager", "env", "exec", "file"] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{listed}");
    }
    let described = site.secretdir(&["providers", "age"]).expect_exit(0).stdout;
    assert!(
        described.contains("identities") && described.contains("as `age-keygen` writes it"),
        "{described}"
    );
    let schema = site.secretdir(&["schema"]).expect_exit(0).stdout;
    assert!(schema.contains(r#""const": "age""#) || schema.contains(r#""const":"age""#), "{schema}");

    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    fs::write(site.path().join("secretdir.toml"), config.replace("identities =", "identity =")).unwrap();
    let ran = site.secretdir(&["check"]).expect_exit(2);
    assert!(ran.stderr.contains("sources.encrypted.identity"), "{ran:?}");
}
