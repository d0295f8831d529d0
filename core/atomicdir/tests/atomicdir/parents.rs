//! Who could replace the link by way of the directories that lead to it, and who could open what is made there.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use atomicdir::{Attributes, FileName, Mode, NewFile, Options, Parents, Refusal, ensure_trusted};
use rustix::fs::{CWD, FileType, XattrFlags, lgetxattr_query, mknodat, setxattr};
use secretdir_testkit::is_root;

use crate::support::{Place, at, mode, text};

const STRANGER: u32 = 12345;

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Encodes an access control list, as the kernel does: tag, permissions and ID of each entry.
fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, may, id) in entries {
        bytes.extend(tag.to_le_bytes().into_iter().chain(may.to_le_bytes()).chain(id.to_le_bytes()));
    }
    bytes
}

/// A list in which one more user, or group, has these permissions.
fn with_entry(tag: u16, may: u16, id: u32) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let named = (tag, may, id);
    let (first, second) = if tag == 2 { (named, (4, 5, NOBODY)) } else { ((4, 5, NOBODY), named) };
    list(&[(1, 7, NOBODY), first, second, (0x10, 7, NOBODY), (0x20, 5, NOBODY)])
}

/// Opens a link in a directory three levels down, after something was done to the second level.
fn refusal(prepare: impl Fn(&Path)) -> Option<(String, PathBuf)> {
    let place = Place::new();
    let (middle, last) = (place.path().join("middle"), place.path().join("middle/last"));
    fs::create_dir_all(&last).unwrap();
    prepare(&middle);
    let before = tree(place.path());
    let error = Options::new().open(last.join("new/app")).err();
    assert!(error.is_none() || tree(place.path()) == before, "what is refused is not touched");
    assert_eq!(Options::new().inspect(last.join("new/app")).is_err(), error.is_some());
    assert!(Options::new().parents(Parents::Trusted).open(last.join("app")).is_ok());
    let error = error?;
    let Some(Refusal::Replaceable(why)) = error.refusal() else { panic!("{error:?}") };
    assert!(error.hint().unwrap().contains("parents"));
    Some((text(&error), why.component().strip_prefix(place.path()).unwrap().to_owned()))
}

fn tree(path: &Path) -> Vec<(PathBuf, u32, i64)> {
    let found = fs::symlink_metadata(path).unwrap();
    let mut all = vec![(path.to_owned(), found.mode(), found.mtime_nsec())];
    if found.is_dir() {
        all.extend(fs::read_dir(path).unwrap().flat_map(|entry| tree(&entry.unwrap().path())));
    }
    all
}

#[test]
fn each_directory_on_the_way_is_judged() {
    if !is_root("each_directory_on_the_way_is_judged") {
        return;
    }
    assert_eq!(refusal(|middle| set_mode(middle, 0o755)), None);
    assert_eq!(refusal(|middle| set_mode(middle, 0o1777)), None);
    assert_eq!(refusal(|middle| chown(middle, None, Some(STRANGER)).unwrap()), None);
    for bad in [0o777, 0o757, 0o2777] {
        let (text, component) = refusal(|middle| set_mode(middle, bad)).unwrap();
        assert_eq!(component, Path::new("middle"));
        assert!(
            text.contains(&format!(
                "everyone can write to the directory (owner user root (0), mode {bad:04o})"
            )),
            "{text}"
        );
    }
    let (text, component) = refusal(|middle| {
        chown(middle, Some(STRANGER), None).unwrap();
        set_mode(middle, 0o700);
    })
    .unwrap();
    assert_eq!(component, Path::new("middle"));
    assert!(text.contains("the directory belongs to user 12345 (mode 0700), who could replace"), "{text}");
    let (text, _) = refusal(|middle| {
        chown(middle, None, Some(STRANGER)).unwrap();
        set_mode(middle, 0o775);
    })
    .unwrap();
    assert!(
        text.contains("group 12345 can write to the directory (owner user root (0), mode 0775)"),
        "{text}"
    );
}

/// Group 0 has no member but root here, as everywhere.
#[test]
fn a_group_that_only_root_is_in_counts_as_nobody() {
    if is_root("a_group_that_only_root_is_in_counts_as_nobody") {
        assert_eq!(refusal(|middle| set_mode(middle, 0o775)), None);
    }
}

#[test]
fn a_write_entry_of_a_list_is_a_write_bit() {
    if !is_root("a_write_entry_of_a_list_is_a_write_bit") {
        return;
    }
    let with = |list: Vec<u8>| {
        refusal(move |middle| {
            setxattr(middle, "system.posix_acl_access", &list, XattrFlags::empty()).unwrap()
        })
    };
    let (text, component) = with(with_entry(2, 7, STRANGER)).unwrap();
    assert_eq!(component, Path::new("middle"));
    assert!(text.contains("its access control list lets user 12345 write to the directory"), "{text}");
    let (text, _) = with(with_entry(8, 2, STRANGER)).unwrap();
    assert!(text.contains("its access control list lets group 12345 write"), "{text}");
    for harmless in [with_entry(2, 5, STRANGER), with_entry(2, 7, 0), with_entry(8, 7, 0)] {
        assert_eq!(with(harmless), None);
    }
}

#[test]
fn each_link_on_the_way_is_judged_and_so_is_what_it_leads_to() {
    if !is_root("each_link_on_the_way_is_judged_and_so_is_what_it_leads_to") {
        return;
    }
    let relink = |owner: u32, target: &'static str| {
        refusal(move |middle| {
            let beside = middle.with_file_name("beside");
            fs::create_dir_all(beside.join("last")).unwrap();
            chown(&beside, Some(if target == "theirs" { STRANGER } else { 0 }), None).unwrap();
            fs::remove_dir_all(middle).unwrap();
            symlink("./beside/../beside", middle).unwrap();
            lchown(middle, Some(owner), None).unwrap();
        })
    };
    assert_eq!(relink(0, "ours"), None);
    let (text, component) = relink(STRANGER, "ours").unwrap();
    assert_eq!(component, Path::new("middle"));
    assert!(
        text.contains(
            "the symbolic link belongs to user 12345 (mode 0777), who could make it lead elsewhere"
        ),
        "{text}"
    );
    assert_eq!(relink(0, "theirs").unwrap().1, Path::new("beside"));
}

#[test]
fn a_circle_of_links_is_an_error() {
    let place = Place::new();
    symlink("b", place.path().join("a")).unwrap();
    symlink("a", place.path().join("b")).unwrap();
    let error = Options::new().open(place.path().join("a/app")).unwrap_err();
    assert!(text(&error).contains("Too many levels of symbolic links"), "{}", text(&error));
}

#[test]
fn a_file_is_judged_with_all_that_leads_to_it() {
    if !is_root("a_file_is_judged_with_all_that_leads_to_it") {
        return;
    }
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    ensure_trusted(&file).unwrap();
    set_mode(&file, 0o666);
    assert!(text(&ensure_trusted(&file).unwrap_err()).contains("everyone can write to the file"));
    set_mode(&file, 0o1646);
    assert!(ensure_trusted(&file).is_err(), "only a directory can be sticky");
    set_mode(&file, 0o644);
    chown(&file, Some(STRANGER), None).unwrap();
    assert!(text(&ensure_trusted(&file).unwrap_err()).contains("the file belongs to user 12345"));
    // Whoever can write into a FIFO chooses what is read from it.
    let fifo = place.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    ensure_trusted(&fifo).unwrap();
    set_mode(&fifo, 0o622);
    assert!(text(&ensure_trusted(&fifo).unwrap_err()).contains("everyone can write to the file"));
    assert!(ensure_trusted(place.path().join("missing")).unwrap_err().is_not_found());
    ensure_trusted("/dev/null").unwrap();
    ensure_trusted("/dev/stdin").unwrap();
}

#[test]
fn an_inspection_finds_a_state_directory_of_somebody_elses() {
    if !is_root("an_inspection_finds_a_state_directory_of_somebody_elses") {
        return;
    }
    let place = Place::new();
    place.publish(Options::new(), &[("a", "1")], at(0));
    Options::new().inspect(place.link()).unwrap();
    chown(place.state(), Some(STRANGER), None).unwrap();
    let error = Options::new().inspect(place.link()).unwrap_err();
    assert!(matches!(error.refusal(), Some(Refusal::NotOurs { owner: STRANGER, .. })), "{error:?}");
}

#[test]
fn what_the_parent_hands_down_opens_nothing_to_anyone() {
    if !is_root("what_the_parent_hands_down_opens_nothing_to_anyone") {
        return;
    }
    let place = Place::new();
    let list = with_entry(2, 5, STRANGER);
    setxattr(place.path(), "system.posix_acl_default", &list, XattrFlags::empty()).unwrap();
    let open = Attributes::with_mode(Mode::new(0o750).unwrap());
    let dir = Options::new().directory(open).open(place.path().join("made/app")).unwrap();
    let mut locked = place.lock(&dir, at(0));
    let mut staging = locked.stage().unwrap();
    let attributes = Attributes::with_mode(Mode::new(0o440).unwrap());
    staging.write(&FileName::new("d/a").unwrap(), NewFile::new(b"1", attributes)).unwrap();
    let _ = staging.publish(Some(b"note")).unwrap();
    for path in
        ["made", "made/.app.state", "made/app/.", "made/app/d", "made/app/d/a", "made/.app.state/lock"]
    {
        for kind in ["access", "default"] {
            let found = lgetxattr_query(place.path().join(path), format!("system.posix_acl_{kind}"));
            assert_eq!(found, Err(rustix::io::Errno::NODATA), "{path}");
        }
    }
    assert_eq!(mode(place.path().join("made/app/d/a")), 0o440);
}
