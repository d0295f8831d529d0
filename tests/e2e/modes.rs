//! Modes and owners are those in the configuration, whatever the umask, for root and for an ordinary user.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::process::Command;

use crate::support::{COMMAND, OTHER_USER, Ran, Site, is_root};

const CONFIG: &str = "\
[directory]
path = \"out/made/app\"
mode = \"0751\"
file-mode = \"0444\"

[sources.local]
provider = \"file\"
root = \"source\"

[files]
\"plain\" = { source = \"local\", secret = \"a\" }
\"d/own\" = { source = \"local\", secret = \"a\", mode = \"0640\" }
";

fn mode(path: PathBuf) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn assert_modes(site: &Site) {
    let out = site.path().join("out/made");
    let id = fs::read_link(out.join("app")).unwrap().to_str().unwrap().replace(".app.gen-", "");
    let expected = [
        (out.clone(), 0o755),
        (out.join("app/."), 0o751),
        (out.join("app/d"), 0o751),
        (out.join("app/plain"), 0o444),
        (out.join("app/d/own"), 0o640),
        (out.join(".app.state/lock"), 0o600),
        (out.join(format!(".app.state/note-{id}")), 0o600),
    ];
    for (path, expected) in expected {
        assert_eq!(mode(path.clone()), expected, "{}", path.display());
    }
}

/// Returns a shell that sets a umask and then is the command.
fn under_umask(umask: &str, command: &str) -> Vec<String> {
    let script = format!("umask {umask}; exec '{command}' sync");
    ["sh", "-c", &script].map(str::to_owned).to_vec()
}

fn run(site: &Site, words: &[String]) -> Ran {
    let mut command = Command::new(&words[0]);
    site.prepare(command.args(&words[1..]));
    Ran::of(&mut command)
}

fn site() -> Site {
    let site = Site::new();
    site.secret("a", "value");
    site.config(CONFIG);
    site
}

#[test]
fn no_umask_changes_a_mode() {
    for umask in ["0", "0777", "022"] {
        let site = site();
        run(&site, &under_umask(umask, COMMAND)).expect_exit(0);
        assert_modes(&site);
    }
}

#[test]
fn no_umask_changes_a_mode_of_an_ordinary_user() {
    if !is_root("no_umask_changes_a_mode_of_an_ordinary_user") {
        return;
    }
    for umask in ["0", "0777", "022"] {
        let site = site();
        let command = as_other_user(&site);
        run(&site, &[&command[..], &under_umask(umask, "./secretdir")].concat()).expect_exit(0);
        assert_modes(&site);
        assert_eq!(fs::metadata(site.path().join("out/made/app/plain")).unwrap().uid(), OTHER_USER);
    }
}

/// Gives the site, and a copy of the command that he can get at, to another user; returns the words that run as him.
fn as_other_user(site: &Site) -> Vec<String> {
    chown(site.path(), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    secretdir_testkit::copy_program(COMMAND.as_ref(), &site.path().join("secretdir"));
    let (user, group) = (format!("--reuid={OTHER_USER}"), format!("--regid={OTHER_USER}"));
    ["setpriv", &user, &group, "--clear-groups"].map(str::to_owned).to_vec()
}

#[test]
fn owners_are_set_by_name_and_number_and_compared() {
    if !is_root("owners_are_set_by_name_and_number_and_compared") {
        return;
    }
    let site = site();
    let owned = CONFIG.replace("mode = \"0751\"", "mode = \"0751\"\nowner = 65534\ngroup = \"daemon\"");
    site.config(&owned.replace("mode = \"0640\"", "mode = \"0640\", owner = \"root\""));
    site.sync();
    let owner = |name: &str| {
        let found = fs::metadata(site.path().join("out/made/app").join(name)).unwrap();
        (found.uid(), found.gid())
    };
    let daemon = owner("plain").1;
    assert_ne!(daemon, 0);
    assert_eq!(
        (owner("."), owner("d"), owner("d/own")),
        ((OTHER_USER, daemon), (OTHER_USER, daemon), (0, daemon))
    );
    assert!(site.sync().stdout.starts_with("unchanged"));
    chown(site.path().join("out/made/app/plain"), Some(0), None).unwrap();
    assert!(site.sync().stdout.starts_with("published"));
}

#[test]
fn an_owner_that_needs_a_privilege_is_refused_before_anything_is_fetched() {
    if !is_root("an_owner_that_needs_a_privilege_is_refused_before_anything_is_fetched") {
        return;
    }
    let site = site();
    let config = CONFIG.replace("mode = \"0751\"", "mode = \"0751\"\nowner = 12345");
    // The secret is not there: a fetch would fail with 3.
    site.config(&config.replace("secret = \"a\"", "secret = \"missing\""));
    let mut words = as_other_user(&site);
    words.extend(["./secretdir", "sync"].map(str::to_owned));
    let ran = run(&site, &words).expect_exit(4);
    ran.expect_error(&["giving files to user 12345 needs root or CAP_CHOWN", "hint: "]);
    assert!(!site.path().join("out").exists());
}

#[test]
fn an_unknown_owner_is_a_mistake_in_the_configuration() {
    let site = site();
    site.config(&CONFIG.replace("mode = \"0751\"", "mode = \"0751\"\ngroup = \"no-such-group\""));
    site.run(&["sync"]).expect_exit(2).expect_error(&[
        "secretdir.toml:4:1: directory.group: there is no group `no-such-group` on this system",
    ]);
    assert!(!site.path().join("out").exists());
}
