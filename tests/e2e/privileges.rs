//! An ordinary user with some of root's privileges: what is missing is named before anything is fetched, and what is named
//! is enough for everything that comes after.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use crate::support::{COMMAND, HEAD, OTHER_USER, Ran, Site, is_root};

const STRANGER: u32 = 12345;

/// Makes a site whose files are to be given away, in a folder of the ordinary user's.
fn site(owner: &str) -> Site {
    let site = Site::new();
    site.secret("a", "1");
    configure(&site, owner, "a");
    chown(site.path(), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    secretdir_testkit::copy_program(COMMAND.as_ref(), &site.path().join("secretdir"));
    site
}

fn configure(site: &Site, owner: &str, secret: &str) {
    let directory = format!("[directory]\nretain = \"0s\"\n{owner}\n");
    let head = HEAD.replace("[directory]\n", &directory);
    site.config(&format!("{head}\n[files]\n\"d/a\" = {{ source = \"local\", secret = {secret:?} }}\n"));
}

/// Runs `sync` as the ordinary user with these privileges, `chown,fowner`, and no others.
fn sync_with(site: &Site, privileges: &str) -> Ran {
    let mut command = Command::new("setpriv");
    let user =
        [format!("--reuid={OTHER_USER}"), format!("--regid={OTHER_USER}"), "--clear-groups".to_owned()];
    let given: String =
        privileges.split(',').filter(|name| !name.is_empty()).map(|name| format!(",+{name}")).collect();
    let given = [format!("--inh-caps=-all{given}"), format!("--ambient-caps=-all{given}")];
    command.args(user).args(given).args(["--", "./secretdir", "sync"]);
    site.prepare(&mut command);
    Ran::of(&mut command)
}

#[test]
fn each_privilege_that_is_missing_is_named_before_anything_is_fetched() {
    if !is_root("each_privilege_that_is_missing_is_named_before_anything_is_fetched") {
        return;
    }
    let site = site("owner = 12345");
    // The secret is not there: a fetch would fail with 3.
    configure(&site, "owner = 12345", "missing");
    for (held, missing) in [
        ("", "CAP_CHOWN"),
        ("fowner,dac_override", "CAP_CHOWN"),
        ("chown,dac_override", "CAP_FOWNER"),
        ("chown,fowner", "CAP_DAC_OVERRIDE"),
    ] {
        let needs = format!("giving files to user {STRANGER} needs root or {missing}");
        sync_with(&site, held).expect_exit(4).expect_error(&[&needs, "hint: "]);
        assert!(!site.path().join("out").exists());
    }
    sync_with(&site, "chown,fowner,dac_override").expect_exit(3);
    configure(&site, "group = 12345", "missing");
    sync_with(&site, "fowner,dac_override")
        .expect_exit(4)
        .expect_error(&["giving files to group 12345 needs"]);
    sync_with(&site, "chown").expect_exit(3);
}

#[test]
fn the_privileges_that_are_named_are_enough_to_publish_compare_and_retire() {
    if !is_root("the_privileges_that_are_named_are_enough_to_publish_compare_and_retire") {
        return;
    }
    for (owner, privileges) in [("owner = 12345", "chown,fowner,dac_override"), ("group = 12345", "chown")] {
        let site = site(owner);
        for (value, result) in
            [("1", "published"), ("1", "unchanged"), ("2", "published"), ("2", "unchanged")]
        {
            site.secret("a", value);
            let ran = sync_with(&site, privileges).expect_exit(0);
            assert!(ran.stdout.starts_with(result), "{ran:?}");
            assert_eq!(ran.stderr, "", "{owner}");
            assert_eq!(
                site.names(),
                [".app.gen", "app", "state/lock", "state/made", "state/note"],
                "{owner}"
            );
        }
        for name in [".", "d", "d/a"] {
            let found = fs::metadata(site.link().join(name)).unwrap();
            assert!([found.uid(), found.gid()].contains(&STRANGER), "{name}: {found:?}");
        }
    }
}

#[test]
fn root_without_the_privilege_is_told_so() {
    if !is_root("root_without_the_privilege_is_told_so") {
        return;
    }
    let site = site("owner = 12345");
    // Root reads no configuration that somebody else could replace.
    chown(site.path(), Some(0), Some(0)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-chown", "--inh-caps=-chown", "--", "./secretdir", "sync"]);
    site.prepare(&mut command);
    Ran::of(&mut command).expect_exit(4).expect_error(&["needs root or CAP_CHOWN", "hint: "]);
    assert!(!site.path().join("out").exists());
}

#[test]
fn an_ordinary_user_is_not_warned_of_root() {
    if !is_root("an_ordinary_user_is_not_warned_of_root") {
        return;
    }
    let site = site("");
    let out = site.path().join("out");
    fs::create_dir(&out).unwrap();
    chown(&out, Some(0), Some(OTHER_USER)).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o1775)).unwrap();
    let ran = sync_with(&site, "").expect_exit(0);
    assert_eq!(ran.stderr, "");
}

/// A process that may be dumped belongs to its user in /proc, and so whoever else runs as that user may attach to it.
#[test]
fn nobody_but_root_may_attach_to_a_run_or_be_handed_its_dump() {
    if !is_root("nobody_but_root_may_attach_to_a_run_or_be_handed_its_dump") {
        return;
    }
    let site = site("");
    let source = "[sources.c]\nprovider = \"exec\"\ncommand = [\"sh\", \"{secret}\"]\n";
    fs::write(site.path().join("owner"), "stat -c %u /proc/$PPID/environ /proc/$$/environ").unwrap();
    site.config(&format!("{HEAD}\n{source}[files]\na = {{ source = \"c\", secret = \"owner\" }}\n"));
    chown(site.path().join("secretdir.toml"), Some(OTHER_USER), None).unwrap();
    sync_with(&site, "").expect_exit(0);
    assert_eq!(site.read("a"), format!("0\n{OTHER_USER}\n").into_bytes());
}
