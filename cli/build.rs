//! Tells the command which commit it is built from.
//!
//! In order: what `SECRETDIR_COMMIT` says; what cargo noted in a package when it was made; what Git says of this checkout. A copy
//! of the sources in a folder of another repository names no commit. Changes that are not committed are not told.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What cargo notes in a package.
const NOTE: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo::rerun-if-env-changed=SECRETDIR_COMMIT");
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let given = std::env::var("SECRETDIR_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| noted(&folder)).or_else(|| checked_out(&folder));
    if let Some(commit) = commit.filter(|commit| is_one_word(commit)) {
        println!("cargo::rustc-env=SECRETDIR_COMMIT={commit}");
    }
    for path in moved_by_commits(&folder) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn is_one_word(commit: &str) -> bool {
    commit.chars().all(|character| character.is_ascii_alphanumeric() || "._-".contains(character))
}

/// Returns the commit that a package was made from.
fn noted(folder: &Path) -> Option<String> {
    let note = std::fs::read_to_string(folder.join(NOTE)).ok()?;
    let (_, after) = note.split_once("\"sha1\"")?;
    after.split('"').nth(1).map(str::to_owned)
}

/// Returns the commit that is checked out, if this folder is where it is in this project.
fn checked_out(folder: &Path) -> Option<String> {
    let told = git(folder, &["HEAD", "--show-prefix"])?;
    let (commit, prefix) = told.split_once('\n')?;
    (prefix.trim() == "cli/").then(|| commit.to_owned())
}

/// Returns the files that a commit or a checkout changes, or one that nothing changes: cargo looks at all files of the crate otherwise.
fn moved_by_commits(folder: &Path) -> Vec<PathBuf> {
    let branch = git(folder, &["--symbolic-full-name", "HEAD"]).unwrap_or_default();
    let moved = ["HEAD", "logs/HEAD", "packed-refs", branch.trim()];
    let told = moved
        .into_iter()
        .filter(|name| !name.is_empty())
        .filter_map(|name| git(folder, &["--git-path", name]));
    let told: Vec<_> = told.collect();
    let paths = told.iter().map(|path| folder.join(path.trim_end())).filter(|path| path.exists());
    paths.chain([folder.join("build.rs")]).collect()
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).arg("rev-parse").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()
}
