//! Every moment between a look and an act: a run is stopped after each call that concerns a name of ours, the names are
//! changed as somebody could who owns the folder, and the run goes on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use atomicdir_trials::{Outcome, Set, publish, shown};
use secretdir_testkit::strace::Call;
use secretdir_testkit::{OTHER_USER, is_root};

use super::plant::Plant;
use super::stopped::{Stopped, windows};
use super::tree::{AWAY, Parent, Print, Tree, fingerprint, is_ours};

const OLD: u32 = 1;
const NEW: u32 = 2;

const PLANTS: [Plant; 5] = [Plant::Link, Plant::File, Plant::Fifo, Plant::Directory, Plant::Bare];

/// What is changed: every name that begins so.
const TARGETS: [&str; 4] = [".app.gen-", ".app.tmp-", ".app.state", "app"];

/// A folder in which the old set is current.
fn published() -> Tree {
    let tree = Tree::new(Parent::HisOwn);
    publish(&tree.link(), Set(OLD), tree.options(), SystemTime::now()).unwrap();
    tree
}

/// A name of ours, with what was put under it.
struct Swapped {
    path: PathBuf,
    inode: u64,
    print: Vec<Print>,
}

impl Swapped {
    /// Asserts that a directory is as it was planted, and returns whether it is where it was. Whatever else he plants he
    /// could remove himself, and so could have it removed.
    fn assert_unharmed(&self, tree: &Tree, plant: Plant, context: &str) -> bool {
        let found = find(tree, self.inode);
        if matches!(plant, Plant::Directory | Plant::Bare) {
            let found = found.as_ref().unwrap_or_else(|| panic!("{context}: his directory is gone"));
            assert_eq!(contents(found), self.print, "{context}");
        }
        found.as_ref() == Some(&self.path)
    }
}

/// Moves whatever of ours begins so out of the way, and plants something in its place.
fn swap(tree: &Tree, target: &str, plant: Plant) -> Vec<Swapped> {
    let names = fs::read_dir(tree.parent()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let ours = names.filter(|name| name.starts_with(target) && is_ours(name));
    ours.map(|name| swap_one(tree, &name, plant)).collect()
}

fn swap_one(tree: &Tree, name: &str, plant: Plant) -> Swapped {
    let path = tree.parent().join(name);
    fs::rename(&path, tree.parent().join(format!("{AWAY}{name}"))).unwrap();
    plant.put_as(&path, &tree.precious(), OTHER_USER);
    let (inode, print) = (fs::symlink_metadata(&path).unwrap().ino(), contents(&path));
    Swapped { path, inode, print }
}

fn contents(path: &Path) -> Vec<Print> {
    fingerprint(path).into_values().collect()
}

/// Finds what was planted, wherever it has been moved to.
fn find(tree: &Tree, inode: u64) -> Option<PathBuf> {
    let mut entries = fs::read_dir(tree.parent()).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| fs::symlink_metadata(path).unwrap().ino() == inode)
}

#[test]
fn nothing_that_is_swapped_in_the_middle_of_an_update_harms_what_is_not_ours() {
    if !is_root("nothing_that_is_swapped_in_the_middle_of_an_update_harms_what_is_not_ours") {
        return;
    }
    let points = windows(&published().link(), NEW);
    assert!(points.len() >= 20, "{points:#?}");
    for (index, point) in points.iter().enumerate() {
        let later = points.iter().skip(index + 1);
        for target in TARGETS {
            for plant in PLANTS {
                let planted = assert_harmless(point, target, plant);
                if target == "app" && later.clone().any(is_look_at_link) {
                    assert!(planted, "{plant:?} planted after {point:?} is replaced");
                }
            }
        }
    }
}

fn is_look_at_link(call: &Call) -> bool {
    call.name == "readlinkat" && call.line.contains("\"app\"")
}

/// Returns whether what was planted is where it was planted.
fn assert_harmless(point: &Call, target: &str, plant: Plant) -> bool {
    let context = format!("{plant:?} for {target} after {point:?}");
    let tree = published();
    let before = tree.fingerprint();
    let stopped = Stopped::after(point, &tree.link(), NEW);
    let planted = swap(&tree, target, plant);
    let (status, stderr) = stopped.finish();
    assert!(matches!(status.code(), Some(0 | 4..=6)), "{context}: {status:?}: {stderr}");
    assert_eq!(tree.fingerprint(), before, "{context}: {stderr}");
    planted.iter().all(|swapped| swapped.assert_unharmed(&tree, plant, &context))
}

#[test]
fn what_appears_at_the_link_in_the_middle_of_a_first_publication_is_never_replaced() {
    if !is_root("what_appears_at_the_link_in_the_middle_of_a_first_publication_is_never_replaced") {
        return;
    }
    let points = windows(&Tree::new(Parent::HisOwn).link(), NEW);
    assert!(points.len() >= 8, "{points:#?}");
    for point in &points {
        for plant in PLANTS {
            assert_not_replaced(point, plant);
        }
    }
}

fn assert_not_replaced(point: &Call, plant: Plant) {
    let context = format!("{plant:?} after {point:?}");
    let tree = Tree::new(Parent::HisOwn);
    let before = tree.fingerprint();
    let stopped = Stopped::after(point, &tree.link(), NEW);
    if tree.link().is_symlink() {
        // It has flipped.
        let (status, _) = stopped.finish();
        assert_eq!(status.code(), Some(Outcome::Published as i32), "{context}");
        assert_eq!(shown(&tree.link()).unwrap(), Some(Set(NEW)), "{context}");
        return;
    }
    plant.put_as(&tree.link(), &tree.precious(), OTHER_USER);
    let planted = fingerprint(&tree.link());
    let (status, stderr) = stopped.finish();
    assert_eq!(status.code(), Some(Outcome::Failed as i32), "{context}: {stderr}");
    let says = |text| stderr.contains(text);
    assert!(says("(step 3, ") || says("(step 9, flip): Some(Appeared)"), "{context}: {stderr}");
    assert_eq!((tree.fingerprint(), fingerprint(&tree.link())), (before, planted), "{context}");
}
