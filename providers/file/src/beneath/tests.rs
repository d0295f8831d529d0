//! Both ways of resolving a name, tested by the same tests.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

type Opener = fn(BorrowedFd<'_>, &str) -> Result<OwnedFd, Refusal>;

/// Each way of opening a file.
const WAYS: &[(&str, Opener)] = &[
    ("as this system does", open),
    ("walking", walk::open),
    #[cfg(target_os = "linux")]
    ("without openat2", |root, name| or_walk(Err(Errno::NOSYS), root, name)),
    #[cfg(target_os = "linux")]
    ("in a sandbox", |root, name| or_walk(Err(Errno::PERM), root, name)),
];

/// The words that names and links are made of.
const WORDS: [&str; 12] =
    ["..", ".", "", "a", "dir", "sub", "root", "outside", "link0", "link1", "link2", "none"];

/// A root with files that say "inside", in a folder with files that say "outside".
fn tree() -> TempDir {
    let top = TempDir::new().unwrap();
    for folder in ["root/dir/sub", "outside/dir"] {
        fs::create_dir_all(top.path().join(folder)).unwrap();
    }
    for file in ["root/a", "root/dir/a", "root/dir/sub/a"] {
        fs::write(top.path().join(file), "inside").unwrap();
    }
    for file in ["a", "none", "outside/a", "outside/dir/a"] {
        fs::write(top.path().join(file), "outside").unwrap();
    }
    top
}

/// Opens a name below the root of a tree in each way, which must agree. Returns what is in the file.
fn read(top: &Path, name: &str) -> Result<String, Refusal> {
    let root = Root::open(&top.join("root")).unwrap();
    let mut answers = WAYS.iter().map(|(way, open)| {
        let opened = open(root.as_fd(), name).map(|file| {
            let mut text = String::new();
            // A directory can be opened, and not read.
            let read = File::from(file).read_to_string(&mut text);
            read.map_or_else(|_| "a directory".to_owned(), |_| text)
        });
        (way, opened)
    });
    let (_, first) = answers.next().unwrap();
    for (way, other) in answers {
        assert_eq!(other, first, "{name:?} when {way}");
    }
    first
}

fn text(found: &str) -> Result<String, Refusal> {
    Ok(found.to_owned())
}

fn refused(errno: Errno) -> Result<String, Refusal> {
    Err(Refusal::System(errno))
}

const ABSENT: Result<String, Refusal> = Err(Refusal::Absent);
const NOWHERE: Result<String, Refusal> = Err(Refusal::LeadsNowhere);

#[test]
fn a_name_goes_down() {
    let top = tree();
    assert_eq!(read(top.path(), "a"), text("inside"));
    assert_eq!(read(top.path(), "dir/sub/a"), text("inside"));
    assert_eq!(read(top.path(), "dir"), text("a directory"));
    assert_eq!(read(top.path(), "dir/none"), ABSENT);
    assert_eq!(read(top.path(), "none/at/all"), ABSENT);
    assert_eq!(read(top.path(), "a/b"), ABSENT);
    assert_eq!(read(top.path(), "a/"), ABSENT);
}

#[test]
fn a_name_that_goes_up_never_gets_out() {
    let top = tree();
    assert_eq!(read(top.path(), "../a"), refused(Errno::XDEV));
    assert_eq!(read(top.path(), "dir/../../a"), refused(Errno::XDEV));
    assert_eq!(read(top.path(), "../root/a"), refused(Errno::XDEV));
    assert_eq!(read(top.path(), top.path().join("a").to_str().unwrap()), refused(Errno::XDEV));
}

#[test]
fn a_link_is_followed_inside_only() {
    let top = tree();
    let links = [
        ("down", "dir/a", text("inside")),
        ("dir/up", "../a", text("inside")),
        ("dir/sub/round", "../../dir/./up", text("inside")),
        ("folder", "dir/sub/", text("a directory")),
        ("out", "../a", refused(Errno::XDEV)),
        ("dir/out", "../../outside/a", refused(Errno::XDEV)),
        ("back-in", "../root/a", refused(Errno::XDEV)),
        ("absolute", "/etc/hostname", refused(Errno::XDEV)),
        ("dangling", "dir/none", NOWHERE),
        ("circle", "circle", refused(Errno::LOOP)),
        ("slash", "a/", NOWHERE),
    ];
    for (link, target, expected) in links {
        symlink(target, top.path().join("root").join(link)).unwrap();
        assert_eq!(read(top.path(), link), expected, "{link} -> {target}");
    }
    assert_eq!(read(top.path(), "folder/a"), text("inside"));
    assert_eq!(read(top.path(), "out/a"), refused(Errno::XDEV));
}

#[test]
fn a_link_that_leads_nowhere_is_not_a_name_that_is_absent() {
    let top = tree();
    let root = top.path().join("root");
    fs::create_dir(root.join("..2024")).unwrap();
    for (link, target) in [
        ("..data", "..2024"),
        ("token", "..data/token"),
        ("chain", "token"),
        ("dir/sub/up", "../../token"),
        ("folder", "none"),
        ("deep", "none/at/all"),
        ("through-file", "a/x"),
        ("to-file", "a"),
        ("good", "dir"),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
    for name in ["token", "chain", "dir/sub/up", "folder", "folder/a", "folder/a/b", "deep", "through-file"] {
        assert_eq!(read(top.path(), name), NOWHERE, "{name}");
    }
    for name in ["none", "good/none", "good/none/a", "..data/token", "dir/none/token", "to-file/x"] {
        assert_eq!(read(top.path(), name), ABSENT, "{name}");
    }
}

#[test]
fn an_absolute_link_is_refused_even_if_it_leads_inside() {
    let top = tree();
    let root = top.path().join("root");
    symlink(root.join("a"), root.join("link")).unwrap();
    assert_eq!(read(top.path(), "link"), refused(Errno::XDEV));
}

#[test]
fn a_directory_made_by_kubernetes_can_be_read() {
    let top = tree();
    let root = top.path().join("root");
    fs::create_dir(root.join("..2024_01_01")).unwrap();
    fs::write(root.join("..2024_01_01/token"), "inside").unwrap();
    symlink("..2024_01_01", root.join("..data")).unwrap();
    symlink("..data/token", root.join("token")).unwrap();
    assert_eq!(read(top.path(), "token"), text("inside"));
}

#[test]
fn forty_links_are_followed_and_no_more() {
    let top = tree();
    let root = top.path().join("root");
    symlink("a", root.join("1")).unwrap();
    for number in 2..=41 {
        symlink((number - 1).to_string(), root.join(number.to_string())).unwrap();
    }
    assert_eq!(read(top.path(), "40"), text("inside"));
    assert_eq!(read(top.path(), "41"), refused(Errno::LOOP));
}

/// A path of known words.
fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 1..6).prop_map(|words| words.join("/"))
}

/// Links: the folder below the root that one is in, and its target, which is absolute if the flag says so.
fn links() -> impl Strategy<Value = Vec<(&'static str, String, bool)>> {
    let folder = prop::sample::select(&["", "dir", "dir/sub"][..]);
    prop::collection::vec((folder, path(), prop::bool::weighted(0.1)), 0..9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_and_no_link_gets_out(
        links in links(),
        names in prop::collection::vec(path(), 1..9),
        odd in "\\PC{0,12}",
    ) {
        let top = tree();
        for (number, (folder, target, absolute)) in links.iter().enumerate() {
            let target = if *absolute { format!("{}/{target}", top.path().display()) } else { target.clone() };
            let place = top.path().join("root").join(folder).join(format!("link{}", number % 3));
            // A link of this name may be there already, and an empty target is none.
            drop(symlink(target, place));
        }
        // The kernel calls an empty name absent, and the walk calls it the root; the provider refuses it before.
        for name in names.iter().chain([&odd]).filter(|name| !name.is_empty()) {
            prop_assert_ne!(read(top.path(), name), text("outside"));
        }
    }
}

#[test]
fn what_is_behind_a_link_that_is_flipped_all_the_time_is_always_there() {
    let top = TempDir::new().unwrap();
    let make = |number: usize| {
        let (directory, link) = (top.path().join(format!("gen-{number}")), top.path().join("new"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("key"), "value").unwrap();
        symlink(format!("gen-{number}"), &link).unwrap();
        fs::rename(link, top.path().join("current")).unwrap();
    };
    make(0);
    let root = Root::open(top.path()).unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1.. {
                make(number);
                fs::remove_dir_all(top.path().join(format!("gen-{}", number - 1))).unwrap();
                if ended.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let start = Instant::now();
        let mut opened = Ok(());
        while start.elapsed() < Duration::from_secs(2) && opened.is_ok() {
            opened = open(root.as_fd(), "current/key").map(drop);
        }
        ended.store(true, Ordering::Relaxed);
        assert_eq!(opened, Ok(()));
    });
}
