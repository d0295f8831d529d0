//! What becomes of a run while somebody renames, exchanges or hides what it works on.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use atomicdir::{Attributes, FileName, Mode, NewFile, Options, Parents, Refusal, Staging};

use crate::support::{Place, SETTLED, at, mode};

fn write(staging: &mut Staging<'_>) {
    let attributes = Attributes::with_mode(Mode::OWNER_READS);
    staging.write(&FileName::new("d/a").unwrap(), NewFile::new(b"new", attributes)).unwrap();
}

fn trusted() -> Options {
    Options::new().parents(Parents::Trusted).retain(Duration::ZERO)
}

/// Returns the path of the generation that a run is making.
fn staged(place: &Place) -> std::path::PathBuf {
    let entries = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
    let mark = entries.into_iter().find(|path| path.to_string_lossy().contains(".app.tmp-")).unwrap();
    place.path().join(fs::read_link(mark).unwrap())
}

/// Publishes, while something is done to the folder before the flip, and returns why it was refused.
fn disturbed(place: &Place, disturb: impl Fn(&Place)) -> Refusal {
    let dir = place.open(trusted());
    let mut locked = place.lock(&dir, at(1));
    let mut staging = locked.stage().unwrap();
    write(&mut staging);
    disturb(place);
    let error = staging.publish(None).unwrap_err();
    assert!(locked.take_leftover().is_none());
    error.refusal().unwrap().clone()
}

#[test]
fn a_staging_that_is_renamed_or_exchanged_is_not_published_and_holds_nothing_any_more() {
    let exchange: [fn(&Path); 2] = [
        |_| {},
        |name| {
            fs::create_dir(name).unwrap();
            fs::set_permissions(name, fs::Permissions::from_mode(0o700)).unwrap();
            fs::write(name.join("precious"), "data").unwrap();
        },
    ];
    for put in exchange {
        let place = Place::new();
        let old = place.publish(trusted(), &[("a", "old")], at(0)).generation;
        let why = disturbed(&place, |place| {
            let name = staged(place);
            fs::rename(&name, place.path().join("away")).unwrap();
            put(&name);
        });
        assert_eq!(why, Refusal::Swapped);
        assert_eq!(fs::read_link(place.link()).unwrap(), Path::new(&format!(".app.gen-{old}")));
        assert_eq!(fs::read_dir(place.path().join("away")).unwrap().count(), 0, "no secret is left");
        let planted = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
        let precious: Vec<_> =
            planted.filter_map(|path| fs::read_to_string(path.join("precious")).ok()).collect();
        assert!(precious.iter().all(|text| text == "data"));
        assert_eq!(place.read("a"), "old");
    }
}

#[test]
fn a_parent_that_is_renamed_is_noticed_before_the_flip() {
    let place = Place::new();
    let link = place.path().join("inner/app");
    let dir = trusted().open(&link).unwrap();
    let mut locked = place.lock(&dir, at(0));
    let mut staging = locked.stage().unwrap();
    write(&mut staging);
    fs::rename(place.path().join("inner"), place.path().join("away")).unwrap();
    let error = staging.publish(None).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::Moved));
    assert!(!place.path().join("away/app").is_symlink());
    drop(locked);
    let left: Vec<_> =
        fs::read_dir(place.path().join("away")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, [".app.state"]);
}

#[test]
fn a_state_directory_that_is_renamed_is_noticed_before_the_flip() {
    let place = Place::new();
    place.publish(trusted(), &[("a", "old")], at(0));
    let why = disturbed(&place, |place| fs::rename(place.state(), place.path().join("away")).unwrap());
    assert_eq!(why, Refusal::LockRemoved);
    assert_eq!(place.read("a"), "old");
}

#[test]
fn a_state_directory_that_was_opened_to_others_is_closed_again() {
    let place = Place::new();
    place.publish(trusted(), &[("a", "1")], at(0));
    for opened in [0o755, 0o1777, 0o500] {
        fs::set_permissions(place.state(), fs::Permissions::from_mode(opened)).unwrap();
        drop(place.lock(&place.open(trusted()), at(1)));
        assert_eq!(mode(place.state()), 0o700);
    }
}

/// Whoever can rename things in the parent may give the name of the state directory to any other directory of the same
/// user.
#[test]
fn a_directory_that_is_not_our_state_is_neither_used_nor_closed() {
    let place = Place::new();
    fs::create_dir(place.state()).unwrap();
    fs::set_permissions(place.state(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(place.state().join("precious"), "data").unwrap();
    for closed in [0o755, 0o700] {
        fs::set_permissions(place.state(), fs::Permissions::from_mode(closed)).unwrap();
        let error = place.try_lock(&place.open(trusted()), at(0)).unwrap_err();
        assert_eq!(error.refusal(), Some(&Refusal::NotOfOurMaking));
        assert_eq!(mode(place.state()), closed);
        assert_eq!(place.names(), ["state/precious"]);
    }
    fs::remove_dir_all(place.state()).unwrap();
    symlink("/", place.state()).unwrap();
    let error = place.try_lock(&place.open(trusted()), at(0)).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::NotOfOurMaking));
}

#[test]
fn a_state_directory_that_is_lost_is_made_again() {
    let place = Place::new();
    place.publish(trusted(), &[("a", "1")], at(0));
    fs::remove_dir_all(place.state()).unwrap();
    let dir = place.open(trusted());
    let locked = place.lock(&dir, at(1));
    locked.replace_note(b"note").unwrap();
    drop(locked);
    assert_eq!(place.names(), SETTLED);
    assert_eq!(place.publish(trusted(), &[("a", "2")], at(2)).sweep.removed().len(), 1);
}
