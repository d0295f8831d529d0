//! What is listed, what is not, and where it ends.

use std::error::Error as _;
use std::ffi::OsStr;
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use secretdir_provider::{Retry, SecretSource as _, SourceErrorKind, Warnings};
use tempfile::TempDir;

use super::*;
use crate::source::FileSource;

/// Returns the context of a run of its own: no other one has its deadline.
pub(super) fn context() -> RunContext {
    RunContext::builder().timeout(Duration::from_secs(60)).concurrency(NonZeroUsize::MIN).build()
}

/// Polls to the end a future that never has to wait. Returns how many turns it took, too.
pub(super) fn finish<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut turns = 1;
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => return (done, turns),
            Poll::Pending => turns += 1,
        }
    }
}

/// Lists what is below a prefix. Returns the warnings too.
pub(super) fn list(root: &Path, prefix: &str) -> (Result<Vec<String>, SourceError>, Vec<String>) {
    let (warnings, source) = (Warnings::default(), FileSource::new(root.to_owned()));
    let context = RunContext::builder().warnings(warnings.clone()).build();
    let (listed, _) = finish(secretdir_conformance::list(&source, &context, prefix));
    (listed, warnings.to_vec())
}

pub(super) fn names(root: &Path, prefix: &str) -> Vec<String> {
    let (listed, warnings) = list(root, prefix);
    assert_eq!(warnings, [""; 0]);
    listed.unwrap()
}

pub(super) fn failure(root: &Path, prefix: &str) -> (SourceErrorKind, String) {
    let error = list(root, prefix).0.unwrap_err();
    (error.kind(), error.source().unwrap().to_string())
}

/// Makes a root with these files, each with its name for its value.
pub(super) fn tree(files: &[&str]) -> TempDir {
    let root = TempDir::new().unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    root
}

/// Makes a folder in memory, where there is such a file system: there changes are quickest.
pub(super) fn in_memory() -> TempDir {
    let memory = Some(Path::new("/dev/shm")).filter(|shared| shared.is_dir());
    memory.map_or_else(TempDir::new, TempDir::new_in).unwrap()
}

/// Runs a test of this file as a user whom the modes of files bind.
fn as_an_ordinary_user(test: &str) {
    const NOBODY: u32 = 65534;
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("tests");
    // By a process of its own: a program that is still open for writing, if only in a child that another test is just
    // starting, cannot be run.
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status().unwrap();
    assert!(copied.success());
    let test = format!("list::tests::{test}");
    let mut command = Command::new(copy);
    let output = command.args(["--exact", &test]).current_dir("/").uid(NOBODY).gid(NOBODY).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("1 passed"), "{report}");
}

#[test]
fn a_prefix_is_compared_as_text() {
    let root = tree(&["a", "app-x", "app/db-1", "app/db-2/user", "app/other", "b/c/d", "white space\n"]);
    for (prefix, expected) in [
        ("", &["a", "app-x", "app/db-1", "app/db-2/user", "app/other", "b/c/d", "white space\n"][..]),
        ("a", &["a", "app-x", "app/db-1", "app/db-2/user", "app/other"]),
        ("app/", &["app/db-1", "app/db-2/user", "app/other"]),
        ("app/db-", &["app/db-1", "app/db-2/user"]),
        ("app/db-2", &["app/db-2/user"]),
        ("app/db-2/", &["app/db-2/user"]),
        ("b/c/d", &["b/c/d"]),
        ("b/c/d/", &[]),
        ("app-x/", &[]),
        ("none/", &[]),
        ("none/at/all", &[]),
        ("A", &[]),
    ] {
        assert_eq!(names(root.path(), prefix), expected, "{prefix:?}");
    }
}

#[test]
fn what_begins_with_a_dot_is_listed_only_if_the_prefix_spells_the_dot() {
    let root = tree(&[".git/config", ".hidden", "..data/key", "a/.swp", "a/.x/y", "a/.x/.z", "a/b"]);
    for (prefix, expected, hidden) in [
        ("", &["a/b"][..], "\".git\" and 3 more "),
        (".", &["..data/key", ".git/config", ".hidden"], ""),
        ("..", &["..data/key"], ""),
        (".git/", &[".git/config"], ""),
        ("a/", &["a/b"], "\"a/.swp\" and 1 more "),
        ("a/.", &["a/.swp", "a/.x/y"], "\"a/.x/.z\" below "),
        ("a/.x/", &["a/.x/y"], "\"a/.x/.z\" below "),
    ] {
        let (listed, warnings) = list(root.path(), prefix);
        assert_eq!(listed.unwrap(), expected, "{prefix:?}");
        assert_eq!(warnings.len(), usize::from(!hidden.is_empty()), "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.starts_with(hidden)), "{warnings:?}");
    }
}

// There is no `mknodat` on Apple's systems.
#[cfg(not(target_vendor = "apple"))]
#[test]
fn what_is_no_regular_file_is_not_listed() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let root = tree(&["file"]);
    for (name, file_type) in [("fifo", FileType::Fifo), ("socket", FileType::Socket)] {
        mknodat(CWD, root.path().join(name), file_type, Mode::RUSR, 0).unwrap();
        symlink(name, root.path().join(format!("to-{name}"))).unwrap();
    }
    let (listed, warnings) = list(root.path(), "");
    assert_eq!(listed.unwrap(), ["file"]);
    let told =
        |name: &&str| format!("{name:?} below {:?} is not a regular file: it is not listed", root.path());
    assert_eq!(warnings, ["fifo", "socket", "to-fifo", "to-socket"].iter().map(told).collect::<Vec<_>>());
}

// Apple's file systems refuse such names.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf_8_is_told_and_not_listed() {
    let root = tree(&["a/file"]);
    for name in [&b"a/\xff"[..], b"\xfe"] {
        fs::write(root.path().join(OsStr::from_bytes(name)), "value").unwrap();
    }
    let (listed, warnings) = list(root.path(), "a/");
    assert_eq!(listed.unwrap(), ["a/file"]);
    let told = format!(r#"the name "a/\xFF" below {:?} is not UTF-8: it is not listed"#, root.path());
    assert_eq!(warnings, [told]);
}

#[test]
fn a_directory_that_cannot_be_read_fails_the_listing() {
    if rustix::process::geteuid().is_root() {
        return as_an_ordinary_user("a_directory_that_cannot_be_read_fails_the_listing");
    }
    let root = tree(&["a/file", "b/file"]);
    let closed = root.path().join("b");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o100)).unwrap();
    let (kind, cause) = failure(root.path(), "");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(kind, SourceErrorKind::PermissionDenied);
    assert_eq!(cause, format!("\"b/\" below {:?} cannot be listed", root.path()));
}

#[test]
fn a_file_has_as_many_components_as_are_allowed_and_no_more() {
    let name = |components: usize| vec!["d"; components - 1].join("/") + "/file";
    let root = tree(&[&name(MOST_COMPONENTS)]);
    assert_eq!(names(root.path(), ""), [name(MOST_COMPONENTS)]);
    let root = tree(&[&name(MOST_COMPONENTS + 1)]);
    for prefix in ["", "d/", &name(MOST_COMPONENTS + 1).replace("file", "")] {
        let (kind, cause) = failure(root.path(), prefix);
        assert_eq!(kind, SourceErrorKind::InvalidData);
        assert!(cause.ends_with("names have at most 64 components"), "{cause}");
    }
}

#[test]
fn so_many_files_are_listed_and_no_more() {
    let root = in_memory();
    fs::create_dir(root.path().join("many")).unwrap();
    fs::write(root.path().join("other"), "").unwrap();
    for number in 0..MOST_ENTRIES {
        fs::write(root.path().join(format!("many/{number}")), "").unwrap();
    }
    assert_eq!(names(root.path(), "many/").len(), MOST_ENTRIES);
    let (kind, cause) = failure(root.path(), "");
    assert_eq!(kind, SourceErrorKind::InvalidData);
    assert!(cause.ends_with("than the limit of 10000"), "{cause}");
}

#[test]
fn directories_count_though_nothing_is_in_them() {
    let root = in_memory();
    for number in 0..MOST_ENTRIES {
        fs::create_dir(root.path().join(number.to_string())).unwrap();
    }
    assert_eq!(names(root.path(), ""), [""; 0]);
    fs::create_dir(root.path().join("one-more")).unwrap();
    let (kind, cause) = failure(root.path(), "");
    assert_eq!(kind, SourceErrorKind::InvalidData);
    assert!(cause.ends_with("than the limit of 10000"), "{cause}");
}

#[test]
fn others_run_between_two_directories() {
    let root = tree(&["a/b/file", "c/file"]);
    let source = FileSource::new(root.path().to_owned());
    let (listed, turns) = finish(secretdir_conformance::list(&source, &context(), ""));
    assert_eq!(listed.unwrap(), ["a/b/file", "c/file"]);
    // It waits before each of three directories in two walks, and between the walks.
    assert_eq!(turns, 1 + 2 * 3 + 1);
}

#[test]
fn a_directory_that_goes_or_becomes_a_link_meanwhile_is_not_entered() {
    let top = tree(&["root/a/file", "root/b/file", "outside/secret"]);
    let root = top.path().join("root");
    let (source, context) = (FileSource::new(root.clone()), context());
    let mut listing = pin!(secretdir_conformance::list(&source, &context, ""));
    // The first turn ends before either is entered.
    assert!(listing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    fs::remove_dir_all(root.join("a")).unwrap();
    fs::remove_dir_all(root.join("b")).unwrap();
    symlink("../outside", root.join("b")).unwrap();
    // Nothing of what it leads to is listed.
    assert_eq!(finish(listing).0.unwrap_err().kind(), SourceErrorKind::PermissionDenied);
    fs::remove_file(root.join("b")).unwrap();
    assert_eq!(names(&root, ""), [""; 0]);
}

/// Notes a change of a directory as it would be noted a second later.
fn touch(directory: &Path, second: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    fs::File::open(directory).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_file_that_always_is_where_no_walk_looks_is_an_error() {
    let root = tree(&["a/file", "b/file"]);
    let order = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().path());
    // What is found last is entered first.
    let [second, first] = order.collect::<Vec<_>>().try_into().unwrap();
    fs::write(second.join("moves"), "").unwrap();
    let (source, context) = (FileSource::new(root.path().to_owned()), context());
    let mut listing = pin!(secretdir_conformance::list(&source, &context, ""));
    for turn in 0..100 {
        if let Poll::Ready(listed) = listing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            let error = listed.unwrap_err();
            assert_eq!(error.retry(), Retry::After(Duration::ZERO));
            let cause = error.source().unwrap().to_string();
            assert!(cause.ends_with("changed during every attempt to list them"), "{cause}");
            return;
        }
        // A walk waits after the root, after the first directory, and after the second one.
        match turn % 3 {
            1 => fs::rename(second.join("moves"), first.join("moves")).unwrap(),
            2 => fs::rename(first.join("moves"), second.join("moves")).unwrap(),
            _ => continue,
        }
        touch(&first, turn);
        touch(&second, turn);
    }
    panic!("the listing does not end");
}

#[test]
fn a_root_that_is_not_there_is_an_error_and_a_bad_prefix_too() {
    let folder = TempDir::new().unwrap();
    let (kind, cause) = failure(&folder.path().join("none"), "");
    assert_eq!(kind, SourceErrorKind::Unavailable);
    assert!(cause.starts_with("there is no directory"), "{cause}");
    for (link, target) in [("dangling", "none/deeper"), ("circle", "circle"), ("chain", "dangling")] {
        symlink(target, folder.path().join(link)).unwrap();
        for root in [folder.path().join(link), folder.path().join(link).join("below")] {
            let (kind, cause) = failure(&root, "");
            assert_eq!(kind, SourceErrorKind::Unavailable, "{root:?}");
            assert!(cause.contains("symbolic link") && cause.contains(link), "{cause}");
        }
    }
    for (prefix, cause) in [
        ("/a", "the prefix is an absolute path"),
        ("../", "the prefix has a `.` or `..` component"),
        ("a//", "the prefix has an empty component"),
        ("a\0", "the prefix holds a NUL character"),
    ] {
        assert_eq!(failure(folder.path(), prefix), (SourceErrorKind::InvalidRequest, cause.to_owned()));
        let checked = FileSource::new(folder.path().to_owned()).check_prefix(prefix).unwrap_err();
        assert_eq!(checked.kind(), SourceErrorKind::InvalidRequest, "{prefix:?}");
    }
}
