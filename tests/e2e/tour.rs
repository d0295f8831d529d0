//! The tour of the README, followed from an empty folder: a laptop with a profile, then a host with AWS.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use secretdir_testkit::{Block, Moto, programs};
use tempfile::TempDir;

use crate::support::{COMMAND, Ran};

const README: &str = include_str!("../../README.md");

/// Returns a path of programs in which this command and the AWS command line come first.
fn path() -> OsString {
    let mut folders = vec![Path::new(COMMAND).parent().unwrap().to_owned(), programs()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    std::env::join_paths(folders).unwrap()
}

/// Follows the page in one shell, which stops at the first step that fails.
fn follow(folder: &Path, moto: &Moto) -> Ran {
    let steps: String =
        Block::all_after(README, "## A tour in ten minutes").into_iter().map(Block::step).collect();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("set -eu\n{steps}")]).current_dir(folder).env_clear();
    command.env("PATH", path()).env("HOME", folder).env("AWS_PAGER", "");
    // What stands for the cloud, and nothing else: the configuration is the one of the page.
    command.env("AWS_ENDPOINT_URL", moto.endpoint()).envs(moto.environment());
    Ran::of(&mut command).expect_exit(0)
}

#[test]
fn the_tour_leads_from_a_laptop_to_a_host_and_says_what_is_wrong() {
    let (folder, moto) = (TempDir::new().unwrap(), Moto::start());
    let ran = follow(folder.path(), &moto);
    for text in [
        "ok: 3 files and 1 import from 1 source, to be published at run/shop\n",
        "published 6 files at run/shop (generation ",
        "unchanged: 6 files at run/shop (generation ",
        "shop: costs 5$ #1\n",
        "a pair\n",
        "content    db/host  9 bytes -> 8 bytes\n",
        "0400 shop.env  from prod: shop/db; prod: shop/log-level\n",
        "by default: shop.env (secret `shop/log-level` of source `prod` not found)\n",
        "db.internalDB_USER='shop'\nDB_PASSWORD='correct horse'\nLOG_LEVEL='info'\n",
        "nothing would change at run/shop",
    ] {
        assert!(ran.stdout.contains(text), "{text:?} is not in {}\n{}", ran.stdout, ran.stderr);
    }
    let ran = ran.expect_error(&[
        "broken.toml:10:58: files.\"tls/cert.pem\".fields: unknown key; did you mean `field`?",
        "import[0].expnad: unknown key; did you mean `expand`?",
        "secret `shop/lts` of source `prod`: not found",
    ]);
    assert!(!ran.stderr.contains("correct horse"), "{ran:?}");
    assert_eq!(fs::read_to_string(folder.path().join("run/shop/db/password")).unwrap(), "correct horse");
    let published = fs::read_to_string(folder.path().join("run/shop/tls/cert.pem")).unwrap();
    assert_eq!(published, fs::read_to_string(folder.path().join("cert.pem")).unwrap());
}

#[test]
fn the_laptop_asks_nothing_of_the_network_and_nothing_of_aws() {
    let folder = TempDir::new().unwrap();
    let blocks = Block::all_after(README, "## A tour in ten minutes");
    let steps: String = blocks.into_iter().take(3).map(Block::step).collect();
    let mut command = Command::new("sh");
    command.args(["-c", &steps]).current_dir(folder.path()).env_clear().env("PATH", path());
    Ran::of(&mut command).expect_exit(0);

    let trace = folder.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-o"]).arg(&trace).args([COMMAND, "sync", "--profile", "dev"]);
    command.current_dir(folder.path()).env_clear().env("PATH", path()).env("HOME", folder.path());
    Ran::of(&mut command).expect_exit(0);
    let trace = fs::read_to_string(trace).unwrap();
    for never in ["AF_INET", ".aws"] {
        assert!(!trace.contains(never), "{never}");
    }
}
