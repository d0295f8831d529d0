//! Nobody but the runner decides what is published: not by the directories that lead to the link, nor by the configuration
//! that root reads, nor by what the owner of a generation makes of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use rustix::fs::inotify;
use secretdir_testkit::names;

use crate::support::{HEAD, OTHER_USER, Ran, Site, is_root, trace};

const ANOTHER_USER: u32 = 65533;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn give(path: &Path, user: u32) {
    lchown(path, Some(user), Some(user)).unwrap();
}

/// A site whose configuration publishes `a` at this path.
fn publishing_at(path: &str) -> Site {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("\"out/app\"", &format!("{path:?}")));
    site
}

/// The owner of a directory far above the link has it lead to somebody else's.
#[test]
fn a_path_that_somebody_can_lead_elsewhere_is_refused_and_nothing_at_its_end_is_touched() {
    if !is_root("a_path_that_somebody_can_lead_elsewhere_is_refused_and_nothing_at_its_end_is_touched") {
        return;
    }
    let site = publishing_at("srv/b/run/secrets/app");
    site.sync();
    let theirs = site.path().join("srv/b/run/secrets");
    let before = (names(&theirs), fs::read_link(theirs.join("app")).unwrap());
    let redirected = site.path().join("srv/a");
    fs::create_dir(&redirected).unwrap();
    symlink("../b/run", redirected.join("run")).unwrap();
    give(&redirected, OTHER_USER);
    give(&redirected.join("run"), OTHER_USER);

    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("srv/b", "srv/a"));
    site.secret("a", "2");
    for command in ["check", "sync", "diff"] {
        let ran = site.run(&[command]);
        ran.expect_exit(4).expect_error(&[
            "srv/a` (step 1",
            "belongs to user ",
            "(65534)",
            "mode 0755",
            "hint: publish below ",
        ]);
    }
    assert_eq!((names(&theirs), fs::read_link(theirs.join("app")).unwrap()), before);
    // The link alone is enough.
    give(&redirected, 0);
    site.run(&["sync"]).expect_exit(4).expect_error(&["srv/a/run`", "the symbolic link belongs to user "]);
}

#[test]
fn parents_that_are_trusted_are_not_judged() {
    if !is_root("parents_that_are_trusted_are_not_judged") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let out = site.path().join("out");
    fs::create_dir(&out).unwrap();
    set_mode(&out, 0o777);
    site.run(&["sync"]).expect_exit(4);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[directory]", "[directory]\nparents = \"trusted\""));
    site.sync();
    assert_eq!(site.run(&["check"]).expect_exit(0).stderr, "");
    assert_eq!(site.run(&["status"]).expect_exit(0).stderr, "");
    assert_eq!(site.run(&["exec", "--", "cat", "out/app/a"]).expect_exit(0).stdout, "1");
    site.config(&config);
    site.run(&["status"]).expect_exit(4).expect_error(&["everyone can write to it (mode 0777)"]);
    site.run(&["exec", "--", "true"]).expect_exit(125);
}

/// Root would run the programs that it names, and publish the files that it reads.
#[test]
fn root_reads_no_configuration_and_no_template_that_somebody_else_could_change() {
    if !is_root("root_reads_no_configuration_and_no_template_that_somebody_else_could_change") {
        return;
    }
    let site = Site::new();
    let folder = site.path().join("conf");
    fs::create_dir(&folder).unwrap();
    let template = site.path().join("a.tmpl");
    fs::write(&template, "text").unwrap();
    let text = format!("{HEAD}\n[files]\na = {{ template = \"../a.tmpl\" }}\n").replace("\"out", "\"../out");
    let config = folder.join("secretdir.toml");
    fs::write(&config, text).unwrap();
    let run = |command: &str| site.run(&[command, "--config", config.to_str().unwrap()]);
    run("check").expect_exit(0);

    for command in ["check", "sync", "status", "diff"] {
        set_mode(&config, 0o666);
        run(command).expect_exit(2).expect_error(&[
            "secretdir.toml: everyone can write to the file",
            "mode 0666",
            "chmod go-w",
        ]);
        set_mode(&config, 0o644);
        give(&folder, OTHER_USER);
        run(command).expect_exit(2).expect_error(&["the directory belongs to user "]);
        give(&folder, 0);
    }
    give(&template, OTHER_USER);
    run("check").expect_exit(2).expect_error(&["files.a.template: cannot use ", "the file belongs to user "]);
    assert!(!site.path().join("out").exists());

    // A link that somebody else made, to a file that only root may read.
    give(&template, 0);
    set_mode(&template, 0o600);
    let theirs = site.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    symlink(&template, theirs.join("a.tmpl")).unwrap();
    give(&theirs.join("a.tmpl"), OTHER_USER);
    let text = fs::read_to_string(&config).unwrap().replace("../a.tmpl", "../theirs/a.tmpl");
    fs::write(&config, text).unwrap();
    run("sync").expect_exit(2).expect_error(&["the symbolic link belongs to user "]);
    give(&theirs.join("a.tmpl"), 0);
    run("sync").expect_exit(0);
    give(&theirs, ANOTHER_USER);
    run("sync").expect_exit(2).expect_error(&["the directory belongs to user 65533"]);
}

/// The rule is for root. Somebody else harms nobody but themselves.
#[test]
fn an_ordinary_user_reads_whatever_configuration_they_name() {
    if !is_root("an_ordinary_user_reads_whatever_configuration_they_name") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    set_mode(&site.path().join("secretdir.toml"), 0o666);
    give(site.path(), OTHER_USER);
    let mut command = std::process::Command::new("setpriv");
    let user =
        [format!("--reuid={OTHER_USER}"), format!("--regid={OTHER_USER}"), "--clear-groups".to_owned()];
    // The command itself may be where this user cannot reach it.
    secretdir_testkit::copy_program(crate::support::COMMAND.as_ref(), &site.path().join("secretdir"));
    command.args(user).args(["--", "./secretdir", "sync"]);
    site.prepare(&mut command);
    Ran::of(&mut command).expect_exit(0);
}

#[test]
fn an_owner_who_nests_directories_in_the_generation_stops_nothing() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[directory]", "[directory]\nretain = \"0s\""));
    site.sync();
    let mut here = fs::File::open(site.link()).unwrap();
    for _ in 0..3_000 {
        rustix::fs::mkdirat(&here, "d", rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::RDONLY;
        here = rustix::fs::openat(&here, "d", flags, rustix::fs::Mode::empty()).unwrap().into();
    }
    site.run(&["status"]).expect_exit(0);
    site.run(&["diff"]).expect_exit(10);
    let mut few = std::process::Command::new("prlimit");
    few.args(["--nofile=256", "--", crate::support::COMMAND, "sync"]);
    site.prepare(&mut few);
    let ran = Ran::of(&mut few).expect_exit(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(site.names(), [".app.gen", "app", "state/lock", "state/made", "state/note"]);
}

#[test]
fn a_directory_of_root_that_bears_the_name_of_a_generation_is_not_removed() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let planted = site.path().join("out/.app.gen-AAAAAAAAAAAAAAAA");
    fs::create_dir(&planted).unwrap();
    fs::write(planted.join("precious"), "data").unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
    fs::File::open(&planted).unwrap().set_modified(long_ago).unwrap();
    let ran = site.sync();
    assert!(
        ran.stderr.contains("warning: left for the next run: ") && ran.stderr.contains("no record"),
        "{ran:?}"
    );
    assert_eq!(fs::read_to_string(planted.join("precious")).unwrap(), "data");
}

/// Whoever watches the directory for changes hears of changes alone.
#[test]
fn a_run_that_changes_nothing_makes_no_event_but_of_opening_and_reading() {
    let site = Site::with_secrets(&[("a", b"1"), ("d/b", b"2")]);
    site.sync();
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).unwrap();
    use inotify::WatchFlags as Flags;
    let changes = Flags::MODIFY
        | Flags::ATTRIB
        | Flags::CLOSE_WRITE
        | Flags::MOVED_FROM
        | Flags::MOVED_TO
        | Flags::CREATE
        | Flags::DELETE
        | Flags::MOVE_SELF;
    inotify::add_watch(&watch, site.path().join("out"), changes).unwrap();
    for _ in 0..3 {
        assert!(site.sync().stdout.starts_with("unchanged"));
    }
    site.run(&["status"]).expect_exit(0);
    site.run(&["diff"]).expect_exit(0);
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(&watch, &mut buffer);
    let first = events.next();
    assert!(
        first.is_err(),
        "{:?}",
        first.map(|event| (event.file_name().map(ToOwned::to_owned), event.events()))
    );
    site.secret("a", "2");
    site.sync();
    assert!(events.next().is_ok(), "a change is heard");
}

#[test]
fn the_lock_and_the_notes_are_closed_to_everyone_else() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let mode =
        |path: &str| fs::symlink_metadata(site.path().join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("out/.app.state"), mode("out/.app.state/lock")), (0o700, 0o600));
    let calls = trace(&site, &["sync"], &[]).calls;
    assert!(
        calls.iter().all(|call| !call.line.contains("\".app.lock\"")),
        "the lock is in the state directory"
    );
}

/// A default access control list of the directory would give named users access to whatever group bits allow.
#[test]
fn a_default_access_control_list_opens_nothing() {
    if !is_root("a_default_access_control_list_opens_nothing") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let modes = "[directory]\nmode = \"0750\"\nfile-mode = \"0440\"";
    site.config(&config.replace("[directory]", modes));
    let out = site.path().join("out");
    fs::create_dir(&out).unwrap();
    // user::rwx, user:65534:rwx, group::r-x, mask::rwx, other::r-x
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, may, id) in [
        (1u16, 7u16, u32::MAX),
        (2, 7, OTHER_USER),
        (4, 5, u32::MAX),
        (0x10, 7, u32::MAX),
        (0x20, 5, u32::MAX),
    ] {
        list.extend(tag.to_le_bytes().into_iter().chain(may.to_le_bytes()).chain(id.to_le_bytes()));
    }
    rustix::fs::setxattr(&out, "system.posix_acl_default", &list, rustix::fs::XattrFlags::empty()).unwrap();
    site.sync();
    let mut command = std::process::Command::new("setpriv");
    command.args([&format!("--reuid={OTHER_USER}"), "--clear-groups", "--regid=65533", "--", "cat"]);
    command.arg(site.link().join("a"));
    assert!(!Ran::of(&mut command).status.success());
    // A list that lets somebody write to the directory is a write bit.
    rustix::fs::setxattr(&out, "system.posix_acl_access", &list, rustix::fs::XattrFlags::empty()).unwrap();
    site.run(&["sync"])
        .expect_exit(4)
        .expect_error(&["its access control list lets user ", "(65534) write to the directory"]);
    chown(&out, Some(0), Some(0)).unwrap();
}
