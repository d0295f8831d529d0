//! Tests of links: some are listed, some are entered, and some fail a listing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Waker};

use secretdir_provider::{SecretRequest, SecretSource as _, SourceErrorKind};

use super::tests::{context, failure, finish, list, names, tree};
use crate::source::FileSource;

#[test]
fn a_volume_of_kubernetes_has_its_keys_once() {
    let root = tree(&["..2024_01_01/password", "..2024_01_01/user"]);
    symlink("..2024_01_01", root.path().join("..data")).unwrap();
    for key in ["password", "user"] {
        symlink(Path::new("..data").join(key), root.path().join(key)).unwrap();
    }
    assert_eq!(names(root.path(), ""), ["password", "user"]);
}

/// A key with a `/` in its path: the kubelet makes a link to its folder.
#[test]
fn a_volume_of_kubernetes_has_its_keys_in_folders_too() {
    let root = tree(&["..2024_01_01/top", "..2024_01_01/db/user", "..2024_01_01/db/deeper/password"]);
    symlink("..2024_01_01", root.path().join("..data")).unwrap();
    for key in ["top", "db"] {
        symlink(Path::new("..data").join(key), root.path().join(key)).unwrap();
    }
    assert_eq!(names(root.path(), ""), ["db/deeper/password", "db/user", "top"]);
    for prefix in ["db", "db/"] {
        assert_eq!(names(root.path(), prefix), ["db/deeper/password", "db/user"]);
    }
    assert_eq!(names(root.path(), "db/d"), ["db/deeper/password"]);
}

#[test]
fn what_is_behind_a_link_is_listed_if_it_can_be_fetched_and_circles_are_told() {
    let root = tree(&["a/file", "b/file"]);
    let link = |name: &str, target: &str| symlink(target, root.path().join(name)).unwrap();
    for (name, target) in
        [("to-file", "a/file"), ("b/up", "../a/file"), ("to-directory", "a"), ("a/circle", "../a")]
    {
        link(name, target);
    }
    let source = FileSource::new(root.path().to_owned());
    for (prefix, expected, circles) in [
        (
            "",
            &["a/file", "b/file", "b/up", "to-directory/file", "to-file"][..],
            &["a/circle", "to-directory/circle"][..],
        ),
        ("to-directory", &["to-directory/file"], &["to-directory/circle"]),
        ("to-directory/", &["to-directory/file"], &["to-directory/circle"]),
        ("to-f", &["to-file"], &[]),
    ] {
        let (listed, warnings) = list(root.path(), prefix);
        let listed = listed.unwrap();
        assert_eq!(listed, expected, "{prefix}");
        let told = |link: &&str| {
            format!(
                "the link {link:?} below {:?} leads to a directory that it is in: it is not listed",
                root.path()
            )
        };
        assert_eq!(warnings, circles.iter().map(told).collect::<Vec<_>>(), "{prefix}");
        for name in listed {
            let (fetched, _) = finish(source.fetch(&context(), &SecretRequest::new(&*name)));
            assert!(fetched.is_ok(), "{name}");
        }
    }
}

#[test]
fn a_link_upwards_is_a_circle_wherever_the_prefix_begins() {
    let root = tree(&["a/b/file", "c/file"]);
    for (name, target) in
        [("a/up", ".."), ("a/b/up", "../.."), ("a/b/here", "."), ("a/b/side", "../../c"), ("c/up", "../a")]
    {
        symlink(target, root.path().join(name)).unwrap();
    }
    for prefix in ["a/", "a/b/", ""] {
        let (listed, warnings) = list(root.path(), prefix);
        let listed = listed.unwrap();
        assert!(listed.iter().all(|name| name.matches('/').count() <= 4), "{listed:?}");
        assert!(listed.contains(&"a/b/side/file".to_owned()), "{listed:?}");
        for link in ["a/b/up", "a/b/here", "a/b/side/up"] {
            assert!(warnings.iter().any(|warning| warning.contains(&format!("{link:?}"))), "{warnings:?}");
        }
    }
}

#[test]
fn a_link_that_leads_nowhere_fails_the_listing_that_it_is_in() {
    for (link, target, told) in [
        ("app/key", "../..data/key", "leads nowhere"),
        ("app/key", "../a/file/x", "leads nowhere"),
        ("app/key", "key", "perhaps in a circle"),
        ("app", "none", "leads nowhere"),
        ("app", "app", "perhaps in a circle"),
    ] {
        let root = tree(&["a/file", "..2024/other", "b/file"]);
        symlink("..2024", root.path().join("..data")).unwrap();
        let link = root.path().join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(target, &link).unwrap();
        for prefix in ["", "a", "app/", "app/k"] {
            let (kind, cause) = failure(root.path(), prefix);
            assert_eq!(kind, SourceErrorKind::Unavailable, "{target}, {prefix}");
            assert!(cause.contains(told) && cause.contains("app"), "{cause}");
        }
        for prefix in ["a/", "b"] {
            assert_eq!(names(root.path(), prefix).len(), 1, "{target}, {prefix}");
        }
    }
}

#[test]
fn a_link_that_is_put_right_meanwhile_is_looked_at_again() {
    let root = tree(&["a/file", "..2024/key"]);
    symlink("..2023", root.path().join("..data")).unwrap();
    symlink("..data/key", root.path().join("key")).unwrap();
    let (source, context) = (FileSource::new(root.path().to_owned()), context());
    let mut listing = pin!(secretdir_conformance::list(&source, &context, ""));
    // The first walk has seen the broken link.
    assert!(listing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    symlink("..2024", root.path().join("new")).unwrap();
    fs::rename(root.path().join("new"), root.path().join("..data")).unwrap();
    assert_eq!(finish(listing).0.unwrap(), ["a/file", "key"]);
}

#[test]
fn nothing_outside_the_root_is_listed_and_a_link_that_leads_there_fails_the_listing() {
    let top = tree(&["root/a/file", "root/b/file", "root/c/file", "outside/secret"]);
    let root = top.path().join("root");
    symlink("../../outside/secret", root.join("a/out")).unwrap();
    symlink("../../outside", root.join("b/out-directory")).unwrap();
    for prefix in ["", "a/", "a/o", "b/", "b/out-directory/"] {
        let (kind, cause) = failure(&root, prefix);
        assert_eq!(kind, SourceErrorKind::PermissionDenied, "{prefix}");
        assert!(cause.ends_with("leads out of the root"), "{cause}");
    }
    assert_eq!(names(&root, "c"), ["c/file"]);
    assert_eq!(names(&root, "a/f"), ["a/file"]);
}
