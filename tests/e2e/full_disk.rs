//! A full disk at any write leaves the old set.

use std::process::Command;

use crate::support::{COMMAND, Ran, Site, inject, is_root, trace};

const OLD: &[(&str, &[u8])] = &[("a", b"old"), ("d/b", b"old")];
const NEW: &[(&str, &[u8])] = &[("a", b"new"), ("d/b", b"new"), ("e/c", b"new")];

/// Calls that take space: bytes, inodes or names.
const TAKES_SPACE: &[&str] = &["openat", "write", "mkdirat", "symlinkat", "renameat", "renameat2", "syncfs"];

#[test]
fn no_space_at_any_call_leaves_the_old_set_and_nothing_else() {
    let prepare = || {
        let site = Site::with_secrets(OLD);
        site.sync();
        site.publish_all(NEW);
        site
    };
    let reference = trace(&prepare(), &["sync"], &[]);
    let points = reference.since("symlinkat").iter().filter(|call| TAKES_SPACE.contains(&call.name.as_str()));
    // What comes after the flip is a note of the result, and the result itself.
    let points: Vec<_> = points.take_while(|call| call.name != "renameat").collect();
    assert!(points.len() >= 12, "{points:#?}");
    for point in points {
        let site = prepare();
        let before = site.fingerprint().without_folder();
        let ran = inject(&site, &["sync"], &[point.fault("error=ENOSPC")]);
        assert_eq!(ran.status.code(), Some(4), "{point:?}: {ran:?}");
        ran.expect_error(&["error: ", "No space left", "hint: "]);
        assert_eq!(site.fingerprint().without_folder(), before, "{point:?}");
        assert_eq!(site.names(), [".app.gen", "app", "state/lock", "state/made", "state/note"], "{point:?}");
        site.sync();
        assert_eq!(site.read("e/c"), b"new");
    }
}

/// On a real filesystem that is really full: a tmpfs of 16 pages, with ballast that leaves ever more of them.
const SCRIPT: &str = r#"
set -eu
mkdir out
mount -t tmpfs -o size=64k tmpfs out
printf old > source/a
"$COMMAND" sync >/dev/null
full=0
for pages in 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0; do
    dd if=/dev/zero of=out/ballast bs=4096 count=$pages 2>/dev/null || true
    head -c 20000 /dev/zero | tr '\0' n > source/a
    code=0
    "$COMMAND" sync >/dev/null 2>>errors || code=$?
    case $code in
    4)
        full=$((full + 1))
        [ "$(cat out/app/a)" = old ] || { echo "torn at $pages"; exit 1; }
        [ "$(ls -A out | grep -c tmp)" = 0 ] || { echo "left over at $pages"; exit 1; }
        ;;
    0) break ;;
    *) echo "exit $code at $pages"; exit 1 ;;
    esac
    rm -f out/ballast
done
[ "$code" = 0 ] && [ "$(wc -c < out/app/a)" = 20000 ]
tr -s ' \n' ' ' < errors | grep -q 'No space left'
echo "full $full times"
"#;

#[test]
fn a_full_tmpfs_leaves_the_old_set() {
    if !is_root("a_full_tmpfs_leaves_the_old_set") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"old")]);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT]);
    site.prepare(&mut command);
    let ran = Ran::of(command.env("COMMAND", COMMAND)).expect_exit(0);
    let times = ran.stdout.strip_prefix("full ").and_then(|rest| rest.split(' ').next()).unwrap();
    assert!(times.parse::<u32>().unwrap() >= 3, "{ran:?}");
}
