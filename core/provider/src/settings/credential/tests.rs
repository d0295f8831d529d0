//! Credentials out of files, the environment and systemd.

use std::error::Error as _;

use super::*;
use crate::{Table, Value};

#[derive(Debug, serde::Deserialize)]
struct Sample {
    token: CredentialSettings,
}

fn credential(token: impl Into<Value>) -> Result<Credential, SettingsError> {
    let settings = Settings::new(Table::from([("token", token.into())]), "/base");
    let sample: Sample = settings.parse()?;
    settings.credential("token", &sample.token)
}

fn at(path: &Path) -> Credential {
    credential(Table::from([("file", path.to_str().unwrap())])).unwrap()
}

fn cause(credential: &Credential) -> String {
    let error = credential.read().unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unauthenticated);
    assert!(error.hint().is_some());
    error.source().unwrap().to_string()
}

/// A folder of this test's own, below the one for temporary files.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("secretdir-credential-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, bytes: &[u8]) -> Credential {
        let path = self.0.join("token");
        fs::write(&path, bytes).unwrap();
        at(&path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_no_place_is_refused_with_its_path_and_without_the_text() {
    let cases = [
        (Value::from("canary"), format!("token: expected {EXPECTED}, found a string")),
        (Table::new().into(), "token: expected one of `file`, `env` and `credential`".to_owned()),
        (
            Table::from([("file", "a"), ("env", "A")]).into(),
            "token: expected one of `file`, `env` and `credential`".to_owned(),
        ),
        (
            Table::from([("env", "A=canary")]).into(),
            "token.env: is not a valid name for an environment variable".to_owned(),
        ),
        (
            Table::from([("credential", "../canary")]).into(),
            "token.credential: is not a valid name for a credential: it must be a file name".to_owned(),
        ),
        (Table::from([("flie", "a")]).into(), "token.flie: unknown key; did you mean `file`?".to_owned()),
        (
            Table::from([("file", 1_i64)]).into(),
            "token.file: expected a string, found a whole number".to_owned(),
        ),
    ];
    for (token, expected) in cases {
        assert_eq!(credential(token).unwrap_err().to_string(), expected);
    }
    let tilde = credential(Table::from([("file", "~/canary")])).unwrap_err().to_string();
    assert!(tilde.starts_with("token.file: begins with `~`") && !tilde.contains("canary"), "{tilde}");
}

#[test]
fn a_relative_file_counts_from_the_folder_of_the_configuration() {
    let credential = credential(Table::from([("file", "token")])).unwrap();
    assert_eq!(credential.to_string(), "the file \"/base/token\"");
}

#[test]
fn one_line_end_is_no_part_of_a_credential() {
    let folder = Folder::new("line-end");
    for (content, expected) in
        [("t0ken", "t0ken"), ("t0ken\n", "t0ken"), ("t0ken\r\n", "t0ken"), ("a\n\n", "a\n"), (" a ", " a ")]
    {
        let secret = folder.file(content.as_bytes()).read().unwrap();
        assert_eq!(secret.expose_secret(), expected.as_bytes());
    }
}

#[test]
fn what_cannot_be_a_credential_is_named_and_not_shown() {
    let folder = Folder::new("faults");
    assert!(cause(&folder.file(b"\n")).ends_with("it is empty"));
    assert!(cause(&folder.file(&vec![b'x'; MAX_BYTES + 1])).ends_with("it has more than 1 MiB"));
    assert!(folder.file(&vec![b'x'; MAX_BYTES]).read().is_ok());
    assert!(cause(&at(&folder.0)).ends_with("it is not a regular file"));
    assert!(cause(&at(Path::new("/dev/zero"))).ends_with("it is not a regular file"));
    assert!(cause(&at(&folder.0.join("none"))).contains("none"));
    let unset = credential(Table::from([("env", "SECRETDIR_TEST_OF_WHAT_IS_NOT_SET")])).unwrap();
    assert!(cause(&unset).ends_with("it is not set"));
    let systemd = credential(Table::from([("credential", "token")])).unwrap();
    assert!(cause(&systemd).contains("the credential \"token\" of systemd"));
}

#[test]
fn a_variable_that_is_set_is_read() {
    let home = credential(Table::from([("env", "PATH")])).unwrap().read().unwrap();
    assert_eq!(home.expose_secret(), std::env::var("PATH").unwrap().as_bytes());
}
