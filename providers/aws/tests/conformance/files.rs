//! `~/.aws/config` and `~/.aws/credentials`: where they are, and what is wrong in them.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use secretdir_testkit::{REGION, is_root};
use tempfile::TempDir;

use crate::environment::{Files, answer, run_by};
use crate::surroundings::{KEYS, VALUE, server, with, with_files};

#[test]
fn a_key_of_a_profile_that_cannot_be_used_is_named_with_file_and_line() {
    let server = server();
    let config = format!("[default]\n{KEYS}\nmax_attempts = many\n");
    let told = with_files(&server, &[("region", REGION)], &config, "");
    assert!(told.starts_with("invalid request: `max_attempts` of the profile `default` (/"), "{told}");
    assert!(told.contains("/config, line 5) is not a number"), "{told}");
}

#[test]
fn files_are_read_as_boto3_reads_them() {
    let server = server();
    let indented = format!("[default]\n  region = {REGION}\n  {}", KEYS.replace('\n', "\n  "));
    assert_eq!(with_files(&server, &[], &indented, ""), VALUE);
    let colons = format!("# by hand\n[default]\nREGION: {REGION}\n; here\n{}", KEYS.replace('=', ":"));
    assert_eq!(with_files(&server, &[], &colons, ""), VALUE);
}

#[test]
fn a_file_that_cannot_be_parsed_is_named_with_its_line() {
    let server = server();
    for (config, line) in [("[default]\nregion\n", 2), ("region = x\n", 1), ("[default]\n\n[default]\n", 3)] {
        let told = with_files(&server, &[], config, "");
        assert!(told.contains(&format!("/config, line {line}, ")), "{told}");
        assert!(!told.contains("no region is configured"), "{told}");
    }
}

/// What follows a value in its line is a part of it, as boto3 has it.
#[test]
fn a_comment_behind_a_value_is_a_part_of_it() {
    let server = server();
    let told = with_files(&server, &[], &format!("[default]\n{KEYS}region = {REGION} # here\n"), "");
    assert!(told.starts_with("invalid request: `region` of the profile `default` (/"), "{told}");
    assert!(told.contains("config, line 4) is not the name of a region"), "{told}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = TempDir::new().unwrap();
    // Round in a circle: root cannot read it either.
    let circle = folder.path().join("config");
    symlink("config", &circle).unwrap();
    let told = with(&server(), &[("AWS_CONFIG_FILE", circle.to_str().unwrap())]);
    let expected = format!("unauthenticated: no credentials: {} cannot be read: ", circle.display());
    assert!(told.starts_with(&expected), "{told}");
}

/// What has no end must not hang a run, wherever it is named.
#[test]
fn what_is_no_regular_file_is_not_read() {
    let server = server();
    let folder = TempDir::new().unwrap();
    let fifo = folder.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for path in [fifo.to_str().unwrap(), "/dev/zero"] {
        for variable in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "SSL_CERT_FILE"] {
            assert_eq!(with(&server, &[(variable, path)]), VALUE, "{variable} {path}");
        }
        let told = with(&server, &[("AWS_CA_BUNDLE", path)]);
        assert!(
            told.contains(&format!("AWS_CA_BUNDLE: {path} cannot be read: it is not a regular file")),
            "{told}"
        );
        for (variable, other) in [
            ("AWS_WEB_IDENTITY_TOKEN_FILE", ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")),
            (
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"),
            ),
        ] {
            let told = answer(&[("region", REGION)], &[(variable, path), other]);
            let expected =
                format!("the token file {path} ({variable}) cannot be read: it is not a regular file");
            assert!(told.contains(&expected), "{told}");
        }
    }
}

#[test]
fn a_path_may_have_variables_and_the_folder_of_the_user() {
    let server = server();
    let files = Files::new("", &format!("[default]\n{KEYS}region = {REGION}\n"));
    let folder = files.environment()[1].1.replace("/credentials", "");
    let endpoint = server.endpoint();
    for path in ["$FOLDER/credentials", "${FOLDER}/credentials", "~/credentials"] {
        let environment = [("FOLDER", &*folder), ("HOME", &folder), ("AWS_SHARED_CREDENTIALS_FILE", path)];
        assert_eq!(answer(&[("endpoint-url", &endpoint)], &environment), VALUE, "{path}");
    }
}

/// As in a unit of systemd: the user database knows where the files are.
#[test]
fn without_home_the_user_database_names_the_folder() {
    if !is_root("without_home_the_user_database_names_the_folder") {
        return;
    }
    let server = server();
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join(".aws")).unwrap();
    fs::write(folder.path().join(".aws/config"), format!("[default]\n{KEYS}region = {REGION}\n")).unwrap();
    let users = folder.path().join("passwd");
    fs::write(&users, format!("root:x:0:0::{}:/bin/sh\n", folder.path().display())).unwrap();
    let mut unshare = Command::new("unshare");
    let script = format!("mount --bind {} /etc/passwd && exec \"$@\"", users.display());
    unshare.args(["--mount", "sh", "-c", &script, "sh"]);
    let environment = [("AWS_CONFIG_FILE", ""), ("AWS_SHARED_CREDENTIALS_FILE", "")];
    let output = run_by(unshare, &[("endpoint-url", &server.endpoint())], "app/db", &environment);
    assert_eq!(output.answers, [VALUE], "{}", String::from_utf8_lossy(&output.traces));
}

#[test]
fn profiles_with_unusual_names_are_found() {
    let server = server();
    for (name, quoted) in
        [("two words", "\"two words\""), ("it's", "\"it's\""), ("büro", "büro"), ("a%b!", "a%b!")]
    {
        let config = format!("[profile {quoted}]\nregion = {REGION}\n");
        let credentials = format!("[{name}]\n{KEYS}");
        assert_eq!(with_files(&server, &[("profile", name)], &config, &credentials), VALUE, "{name}");
    }
}

#[test]
fn an_unknown_profile_of_the_environment_is_named() {
    let server = server();
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let told = with(&server, &[(variable, "pord")]);
        assert!(
            told.starts_with("unauthenticated: no credentials: profile `pord` was not defined"),
            "{told}"
        );
        assert!(told.contains(&format!("It is named by {variable}")), "{told}");
    }
}
