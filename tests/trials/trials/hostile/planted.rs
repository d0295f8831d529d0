//! What stands there before a run begins: refused, or left alone, or removed without what it points at.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;
use std::time::SystemTime;

use atomicdir::{Error, Refusal, Step};
use atomicdir_trials::{Outcome, Set, publish, shown};
use secretdir_testkit::{OTHER_USER, is_root};

use super::plant::Plant;
use super::tree::{Parent, Tree, fingerprint};

const ROOT: u32 = 0;

/// Begins a run, and returns what healing could not remove.
fn begin(tree: &Tree) -> Result<Vec<(Step, Option<Refusal>)>, Error> {
    let dir = tree.options().open(tree.link())?;
    let locked = dir.try_lock()?;
    let deferred = locked.sweep().deferred();
    Ok(deferred.iter().map(|error| (error.step(), error.refusal().cloned())).collect())
}

fn run(tree: &Tree) -> Outcome {
    publish(&tree.link(), Set(1), tree.options(), SystemTime::now()).unwrap()
}

/// Asserts that a run is refused, at this step, and changes nothing, not even what it is refused for.
#[track_caller]
fn assert_refused(tree: &Tree, offender: &Path, step: Step, is_expected: impl Fn(&Refusal) -> bool) {
    let (before, offending) = (tree.fingerprint(), fingerprint(offender));
    let error = begin(tree).unwrap_err();
    let refusal = error.refusal();
    assert!(error.step() == step && refusal.is_some_and(is_expected), "{offender:?}: {error:?}");
    assert_eq!(error.path(), offender);
    assert_eq!((tree.fingerprint(), fingerprint(offender)), (before, offending));
}

#[test]
fn a_link_that_is_not_ours_is_refused() {
    if !is_root("a_link_that_is_not_ours_is_refused") {
        return;
    }
    for plant in Plant::ALL {
        for parent in [Parent::Private, Parent::HisOwn] {
            let tree = Tree::new(parent);
            plant.put(&tree.link(), &tree.precious()).unwrap();
            assert_refused(&tree, &tree.link(), Step::Link, |refusal| match plant {
                Plant::Link => *refusal == Refusal::PointsElsewhere(tree.precious()),
                Plant::LinkToFile => *refusal == Refusal::PointsElsewhere(tree.precious().join("version")),
                Plant::LinkToRoot => *refusal == Refusal::PointsElsewhere("/".into()),
                Plant::File | Plant::HardLink => *refusal == Refusal::NotALink("a regular file"),
                Plant::Fifo => *refusal == Refusal::NotALink("a FIFO"),
                Plant::Socket => *refusal == Refusal::NotALink("a socket"),
                Plant::Directory | Plant::Bare => *refusal == Refusal::NotALink("a directory"),
            });
        }
    }
}

#[test]
fn a_link_to_what_another_link_publishes_is_refused() {
    if !is_root("a_link_to_what_another_link_publishes_is_refused") {
        return;
    }
    let tree = Tree::new(Parent::Private);
    for target in [".other.gen-0123456789abcdef", "../parent/.app.gen-0123456789abcdef", "precious"] {
        symlink(target, tree.link()).unwrap();
        let expected = Refusal::PointsElsewhere(target.into());
        assert_refused(&tree, &tree.link(), Step::Link, |refusal| *refusal == expected);
        fs::remove_file(tree.link()).unwrap();
    }
}

/// His link is refused; ours is flipped away from his directory, which stays.
#[test]
fn a_generation_of_a_stranger_is_neither_read_nor_removed() {
    if !is_root("a_generation_of_a_stranger_is_neither_read_nor_removed") {
        return;
    }
    let tree = Tree::new(Parent::HisOwn);
    Plant::Directory.put_as(&tree.ours("gen"), &tree.precious(), OTHER_USER);
    symlink(tree.ours("gen").file_name().unwrap(), tree.link()).unwrap();
    lchown(tree.link(), Some(OTHER_USER), None).unwrap();
    let expected = Refusal::NotOurs { owner: OTHER_USER, user: ROOT };
    assert_refused(&tree, &tree.link(), Step::Link, |refusal| *refusal == expected);

    lchown(tree.link(), Some(ROOT), None).unwrap();
    let (before, his) = (tree.fingerprint(), fingerprint(&tree.ours("gen")));
    assert_eq!(run(&tree), Outcome::Published);
    assert_eq!(shown(&tree.link()).unwrap(), Some(Set(1)));
    assert_eq!((tree.fingerprint(), fingerprint(&tree.ours("gen"))), (before, his));
}

#[test]
fn a_lock_that_is_not_ours_is_refused() {
    if !is_root("a_lock_that_is_not_ours_is_refused") {
        return;
    }
    for plant in Plant::ALL {
        let tree = Tree::new(Parent::HisOwn);
        let state = tree.parent().join(".app.state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        let lock = state.join("lock");
        plant.put_as(&lock, &tree.precious(), OTHER_USER);
        assert_refused(&tree, &lock, Step::Lock, |refusal| match plant {
            Plant::File => *refusal == Refusal::NotOurs { owner: OTHER_USER, user: ROOT },
            _ => *refusal == Refusal::NotALockFile,
        });
    }
}

#[test]
fn a_state_directory_that_is_not_ours_is_refused() {
    if !is_root("a_state_directory_that_is_not_ours_is_refused") {
        return;
    }
    for plant in Plant::ALL {
        for planter in [ROOT, OTHER_USER] {
            let tree = Tree::new(Parent::HisOwn);
            let state = tree.parent().join(".app.state");
            plant.put_as(&state, &tree.precious(), planter);
            let (before, planted) = (tree.fingerprint(), fingerprint(&state));
            let refusal = begin(&tree).unwrap_err().refusal().cloned();
            let expected = match plant {
                Plant::Directory | Plant::Bare if planter != ROOT => {
                    Refusal::NotOurs { owner: OTHER_USER, user: ROOT }
                }
                _ => Refusal::NotOfOurMaking,
            };
            assert_eq!(refusal, Some(expected), "{plant:?} by {planter}");
            assert_eq!((tree.fingerprint(), fingerprint(&state)), (before, planted));
        }
    }
}

#[test]
fn what_is_planted_under_our_names_is_left_alone_or_removed_by_itself() {
    if !is_root("what_is_planted_under_our_names_is_left_alone_or_removed_by_itself") {
        return;
    }
    for parent in [Parent::Private, Parent::HisOwn, Parent::HisGroups] {
        for kind in ["gen", "tmp"] {
            for plant in Plant::ALL {
                for planter in [ROOT, OTHER_USER] {
                    assert_harmless(parent, kind, plant, planter);
                }
            }
        }
    }
}

fn assert_harmless(parent: Parent, kind: &str, plant: Plant, planter: u32) {
    let context = format!("{plant:?} by {planter} as {kind} in {parent:?}");
    let tree = Tree::new(parent);
    let name = tree.ours(kind);
    plant.put_as(&name, &tree.precious(), planter);
    let owner = fs::symlink_metadata(&name).unwrap().uid();
    let (before, planted) = (tree.fingerprint(), fingerprint(&name));
    let expected = refusal(parent, kind, plant, owner);
    let deferred = begin(&tree).unwrap();
    assert_eq!(deferred, Vec::from_iter(expected.clone().map(|why| (Step::Heal, Some(why)))), "{context}");
    assert_eq!(run(&tree), Outcome::Published, "{context}");
    assert_eq!(run(&tree), Outcome::Unchanged, "{context}");
    assert_eq!(tree.fingerprint(), before, "{context}");
    let there = name.symlink_metadata().is_ok();
    assert_eq!(there, expected.is_some(), "{context}");
    assert!(!there || fingerprint(&name) == planted, "{context}");
}

/// Returns why it is not removed; none for what is of the kind that we make, and ours as far as that can be told.
fn refusal(parent: Parent, kind: &str, plant: Plant, owner: u32) -> Option<Refusal> {
    let of_our_kind = match plant {
        Plant::Link | Plant::LinkToFile | Plant::LinkToRoot => kind == "tmp",
        Plant::Directory | Plant::Bare => kind == "gen",
        Plant::File | Plant::HardLink | Plant::Fifo | Plant::Socket => false,
    };
    match kind {
        _ if of_our_kind && parent != Parent::Private && owner != ROOT => {
            Some(Refusal::NotOurs { owner, user: ROOT })
        }
        "gen" if of_our_kind => Some(Refusal::NotOnRecord),
        _ if of_our_kind => None,
        "gen" => Some(Refusal::NotAGeneration),
        _ => Some(Refusal::NotOfOurMaking),
    }
}

#[test]
fn what_appears_at_the_link_before_the_first_flip_is_never_replaced() {
    if !is_root("what_appears_at_the_link_before_the_first_flip_is_never_replaced") {
        return;
    }
    for plant in Plant::ALL {
        let tree = Tree::new(Parent::HisOwn);
        let dir = tree.options().open(tree.link()).unwrap();
        let mut locked = dir.try_lock().unwrap();
        let staging = locked.stage().unwrap();
        plant.put_as(&tree.link(), &tree.precious(), OTHER_USER);
        let (before, planted) = (tree.fingerprint(), fingerprint(&tree.link()));
        let error = staging.publish(Some(b"note")).unwrap_err();
        assert_eq!((error.step(), error.refusal()), (Step::Flip, Some(&Refusal::Appeared)), "{plant:?}");
        drop(locked);
        assert_eq!((tree.fingerprint(), fingerprint(&tree.link())), (before, planted), "{plant:?}");
    }
}
