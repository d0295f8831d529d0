//! A name that is there and leads nowhere fails a run: it is neither optional nor replaced by a default, and no import shrinks.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{HEAD, Site};

/// Publishes `token`, which a volume of Kubernetes would hold: a link through the link `..data`.
fn site(rest: &str) -> Site {
    let site = Site::new();
    site.secret("app/..2024/token", "hunter2");
    site.secret("app/other", "stays");
    symlink("..2024", site.path().join("source/app/..data")).unwrap();
    symlink("..data/token", site.path().join("source/app/token")).unwrap();
    site.config(&format!("{HEAD}\n{rest}"));
    site.sync();
    site
}

/// Runs `sync` on what a fault has made of the source. It must fail, and leave what is published.
fn expect_unavailable(site: &Site) {
    let before = site.fingerprint();
    let ran = site.run(&["sync"]).expect_exit(3);
    assert!(ran.stderr.contains("unavailable"), "{}", ran.stderr);
    assert!(ran.stderr.contains("symbolic link"), "{}", ran.stderr);
    assert_eq!(site.fingerprint(), before);
    assert_eq!(site.read("token"), b"hunter2");
}

const OPTIONAL: &str = "[files]\ntoken = { source = \"local\", secret = \"app/token\", optional = true }\n";
const DEFAULT: &str = "[files]\ntoken = { source = \"local\", secret = \"app/token\", default = \"none\" }\n";
const IMPORT: &str = "[[import]]\nsource = \"local\"\nprefix = \"app/\"\nstrip-prefix = \"app/\"\n";

#[test]
fn a_link_that_leads_nowhere_removes_no_file_and_publishes_no_default() {
    for rest in [OPTIONAL, DEFAULT, IMPORT] {
        let site = site(rest);
        let app = site.path().join("source/app");
        fs::remove_file(app.join("..2024/token")).unwrap();
        expect_unavailable(&site);
        fs::remove_dir(app.join("..2024")).unwrap();
        expect_unavailable(&site);
        fs::remove_file(app.join("..data")).unwrap();
        expect_unavailable(&site);
        symlink("token", app.join("..data")).unwrap();
        expect_unavailable(&site);
    }
}

#[test]
fn a_folder_that_is_a_link_to_nowhere_is_unavailable_too() {
    for rest in [OPTIONAL, DEFAULT, IMPORT] {
        for target in ["elsewhere", "app"] {
            let site = site(rest);
            let app = site.path().join("source/app");
            fs::rename(&app, site.path().join("app")).unwrap();
            symlink(target, &app).unwrap();
            expect_unavailable(&site);
        }
    }
}

#[test]
fn a_root_that_is_a_link_to_nowhere_is_unavailable_too() {
    for rest in [OPTIONAL, DEFAULT, IMPORT] {
        for target in ["elsewhere", "source"] {
            let site = site(rest);
            let source = site.path().join("source");
            fs::rename(&source, site.path().join("moved")).unwrap();
            symlink(target, &source).unwrap();
            expect_unavailable(&site);
        }
    }
}

#[test]
fn one_file_of_all_secrets_that_is_a_link_to_nowhere_is_unavailable_too() {
    for target in ["elsewhere.env", "all.env"] {
        let site = Site::new();
        let file = site.path().join("all.env");
        fs::write(&file, "token=hunter2\n").unwrap();
        let head = HEAD.replace("root = \"source\"", "path = \"all.env\"");
        site.config(&format!("{head}\n{}", OPTIONAL.replace("app/token", "token")));
        site.sync();
        fs::remove_file(&file).unwrap();
        symlink(target, &file).unwrap();
        expect_unavailable(&site);
    }
}

#[test]
fn a_name_that_is_really_gone_is_still_not_found() {
    let site = site(OPTIONAL);
    fs::remove_file(site.path().join("source/app/token")).unwrap();
    site.sync();
    assert!(!site.link().join("token").exists());
}
