//! The page "write your own", followed from an empty folder.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use secretdir_testkit::Block;

const PAGE: &str = include_str!("../../../../../providers/README.md");

/// What a newly made crate is given: so that it asks no network, and compiles nothing that is compiled already.
const LOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");

/// Makes a folder with nothing in it but a clone: this checkout. It has the same path in each run, so that what is compiled of it is
/// compiled once.
fn folder_with_clone() -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let mut hasher = DefaultHasher::new();
    checkout.hash(&mut hasher);
    let folder = std::env::temp_dir().join(format!("secretdir-guide-{:x}", hasher.finish()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir(&folder).unwrap();
    symlink(checkout, folder.join("secretdir")).unwrap();
    folder
}

/// Returns the folder of what is compiled: two above the command.
fn target() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_secretdir-with-age")).ancestors().nth(2).unwrap().to_owned()
}

/// Makes `cargo new` copy the lock file into what it has made.
const NEW: &str = r#"
cargo() {
    command cargo "$@"
    if [ "$1" = new ]; then for made; do :; done; cp "$LOCK" "$made/"; fi
}
"#;

/// Runs the steps in one shell, which stops at the first that fails.
fn follow(folder: &Path, steps: &[String]) -> Output {
    let script = format!("set -eux\n{NEW}{}", steps.concat());
    let mut command = Command::new("sh");
    // What cargo tells its tests would be told to theirs.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
        command.env_remove(name);
    }
    command.args(["-c", &script]).current_dir(folder).env("LOCK", LOCK).stdin(Stdio::null());
    // The same profile as here, so that what is compiled already is used.
    command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only").env("CARGO_TARGET_DIR", target());
    command.env("CARGO_NET_OFFLINE", "true").output().unwrap()
}

#[test]
fn the_page_leads_from_an_empty_folder_to_a_published_file() {
    let folder = folder_with_clone();
    let blocks = Block::all_after(PAGE, "## Write your own");
    let steps: Vec<_> = blocks.into_iter().map(Block::step).collect();
    let output = follow(&folder, &steps);
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}\n{said}");
    assert!(shown.contains("test kib_64_survive ... ok"), "the suite has not run:\n{shown}");
    assert!(!said.lines().any(|line| line.starts_with("warning: ")), "{said}");
    assert!(shown.contains("The folder that the secrets are in."), "the setting is not described:\n{shown}");
    assert!(shown.ends_with("not-a-real-password"), "{shown}");
    let published = folder.join("my-secretdir/out/app/db/password");
    assert_eq!(fs::read(published).unwrap(), b"not-a-real-password");
    fs::remove_dir_all(folder).unwrap();
}
