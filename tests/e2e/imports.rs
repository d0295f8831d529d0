//! Many files at once: the keys of a JSON secret, and the secrets below a prefix.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::support::{HEAD, OTHER_USER, Site, is_root};

const KEYS: &str = "[[import]]\nsource = \"local\"\nsecret = \"db\"\nexpand = \"json\"\n";
const BELOW: &str = "[[import]]\nsource = \"local\"\nprefix = \"app/\"\nstrip-prefix = \"app/\"\n";

/// A site with these secrets, and a configuration of an import.
fn site(secrets: &[(&str, &str)], rest: &str) -> Site {
    let site = Site::new();
    for (name, value) in secrets {
        site.secret(name, value);
    }
    site.config(&format!("{HEAD}\n{rest}"));
    site
}

/// Returns the names of all published files.
fn published(site: &Site) -> Vec<String> {
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let files = status["generation"]["files"].as_array().unwrap().iter();
    files.map(|file| file["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_kind_of_key_and_value_becomes_the_file_that_the_documentation_says() {
    let json = r#"{
        "with-hyphen": "h", "with.dot": "d", "dir/file": "s", "with space": "b", "\u00fcn\u00efcode": "\u00fc\n",
        "number": 1.50, "exponent": 1E3, "yes": true, "nested": { "a": [1, 2 ] }, "list": [ "x" ], "empty": ""
    }"#;
    let site = site(&[("db", json)], &format!("{KEYS}into = \"db\"\n"));
    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    assert_eq!(outcome["file_count"], 11);
    for (name, value) in [
        ("with-hyphen", "h"),
        ("with.dot", "d"),
        ("dir/file", "s"),
        ("with space", "b"),
        ("\u{fc}n\u{ef}code", "\u{fc}\n"),
        ("number", "1.50"),
        ("exponent", "1E3"),
        ("yes", "true"),
        ("nested", r#"{"a":[1,2]}"#),
        ("list", r#"["x"]"#),
        ("empty", ""),
    ] {
        assert_eq!(site.read(&format!("db/{name}")), value.as_bytes(), "{name}");
    }
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    assert_eq!(status["generation"]["files"][0]["secrets"][0]["secret_name"], "db");
}

#[test]
fn null_and_names_that_no_file_can_have_are_errors_and_can_be_excluded() {
    let json = r#"{"good": "1", "none": null, "../up": "2", "a//b": "3", "": "4", "nul\u0000": "5"}"#;
    let site = site(&[("db", json)], KEYS);
    let ran = site.run(&["sync"]).expect_exit(3).expect_error(&[
        "secretdir.toml:8:1: import[0]: secret `db` of source `local`: `../up` cannot become the file `../up`: the name has a `..`",
        "`a//b` cannot become the file `a//b`: the name has an empty component",
        "`` cannot become the file ``: the name is empty",
        "cannot become the file `nul\\u{0}`: the name has a control character (U+0000)",
        "hint: exclude it with `exclude`",
    ]);
    assert_eq!(ran.stderr.matches("hint: ").count(), 1, "{ran:?}");
    assert!(!site.path().join("out/app").exists());

    let rest = "exclude = [\"../**\", \"a//b\", \"\", \"nul*\"]\n";
    site.config(&format!("{HEAD}\n{KEYS}{rest}"));
    site.run(&["sync"])
        .expect_exit(3)
        .expect_error(&["file `none`: secret `db` of source `local`: field `none` of the secret is null"]);
    site.config(&format!("{HEAD}\n{KEYS}include = [\"good\"]\n"));
    site.sync();
    assert_eq!(published(&site), ["good"]);
}

#[test]
fn each_secret_below_a_prefix_becomes_a_file_with_its_own_bytes() {
    let site =
        site(&[("app/db/password", "1\n"), ("app/token", "2"), ("apple", "3"), ("app/old.bak", "4")], "");
    site.config(&format!("{HEAD}\n{BELOW}exclude = [\"*.bak\"]\nmode = \"0440\"\n"));
    site.sync();
    assert_eq!(published(&site), ["db/password", "token"]);
    assert_eq!(site.read("db/password"), b"1\n");
    let mode = fs::metadata(site.link().join("token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o440);

    let before = site.fingerprint();
    assert!(site.sync().stdout.starts_with("unchanged"));
    assert_eq!(site.fingerprint(), before);
    site.secret("app/new", "5");
    fs::remove_file(site.path().join("source/app/token")).unwrap();
    let diff = site.run(&["diff"]).expect_exit(10).stdout;
    assert!(diff.contains("added      new") && diff.contains("removed    token"), "{diff}");
    site.sync();
    assert_eq!(published(&site), ["db/password", "new"]);
}

/// As the kubelet lays it out: a key with a `/` in its path is behind a link to its folder. What is left out is said.
#[test]
fn a_volume_of_kubernetes_is_imported_whole() {
    let site = site(
        &[("..2024/top", "1"), ("..2024/db/user", "app"), (".hidden", "2")],
        "[[import]]\nsource = \"local\"\nprefix = \"\"\n",
    );
    let volume = site.path().join("source");
    symlink("..2024", volume.join("..data")).unwrap();
    for key in ["top", "db"] {
        symlink(format!("..data/{key}"), volume.join(key)).unwrap();
    }
    let ran = site.run(&["sync"]).expect_exit(0);
    assert!(
        ran.stderr.contains("warning: source `local`: \".hidden\" below ") && !ran.stderr.contains("..data"),
        "{ran:?}"
    );
    assert_eq!(published(&site), ["db/user", "top"]);
    assert_eq!(site.read("db/user"), b"app");
}

#[test]
fn a_file_of_its_own_wins_and_check_fetch_says_so() {
    let files = "[files]\n\"token\" = { source = \"local\", secret = \"mine\" }\n";
    let site =
        site(&[("app/token", "theirs"), ("app/other", "1"), ("mine", "mine")], &format!("{BELOW}{files}"));
    let ran = site.run(&["check", "--fetch"]).expect_exit(0);
    assert!(ran.stdout.starts_with("ok: 2 files from 1 source,"), "{ran:?}");
    let warning = "secretdir.toml:8:1: import[0]: `app/token` is not imported: `token` of [files] wins\n";
    assert!(ran.stderr.starts_with("warning: ") && ran.stderr.ends_with(warning), "{ran:?}");
    assert!(site.run(&["check"]).expect_exit(0).stdout.starts_with("ok: 1 file and 1 import from 1 source,"));
    assert_eq!(site.sync().stderr, "");
    assert_eq!(site.read("token"), b"mine");
}

#[test]
fn an_owner_of_imported_files_must_be_there() {
    let site = site(&[("app/token", "1")], &format!("{BELOW}owner = \"no-such-user-here\"\n"));
    site.run(&["sync"]).expect_exit(2).expect_error(&["there is no user `no-such-user-here` on this system"]);
    if is_root("imported files for another owner") {
        site.config(&format!("{HEAD}\n{BELOW}owner = {OTHER_USER}\n"));
        site.sync();
        assert_eq!(fs::metadata(site.link().join("token")).unwrap().uid(), OTHER_USER);
    }
}

#[test]
fn an_import_that_finds_nothing_fails_unless_it_may() {
    let site = site(&[("x", "1")], BELOW);
    site.run(&["sync"]).expect_exit(3).expect_error(&[
        "secretdir.toml:8:1: import[0]: the secrets below `app/` of source `local`: there is nothing to import",
        "hint: is the prefix correct? set `allow-empty = true`",
    ]);
    site.config(&format!("{HEAD}\n{BELOW}allow-empty = true\n"));
    site.sync();
    assert_eq!(published(&site), [""; 0]);
}

#[test]
fn a_provider_that_cannot_list_says_so_and_nothing_changes() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let before = site.fingerprint();
    site.config(&format!(
        "{HEAD}\n[sources.tool]\nprovider = \"exec\"\ncommand = [\"cat\", \"{{secret}}\"]\n\
         [[import]]\nsource = \"tool\"\nprefix = \"a\"\n"
    ));
    let ran = site.run(&["sync"]).expect_exit(2);
    ran.expect_error(&["import[0].prefix: source `tool` cannot list below `a`: unsupported: "]);
    assert_eq!(site.fingerprint().without_folder(), before.without_folder());
}

#[test]
fn no_failure_of_an_import_shows_a_value() {
    for value in [
        "canary-of-import",
        "[\"canary-of-import\"]",
        "{\"a\": \"canary-of-import\", \"b\": ",
        "{\"a/\": \"canary-of-import\"}",
    ] {
        let site = site(&[("db", value)], KEYS);
        let mut command = site.command(&["sync", "-vv"]);
        let ran = crate::support::Ran::of(command.env("RUST_LOG", "trace")).expect_exit(3);
        assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
    }
}

#[test]
fn imports_that_fail_for_one_cause_are_all_named_and_files_apart_from_them() {
    let site = Site::new();
    let import = |secret| {
        format!(
            "[[import]]\nsource = \"gone\"\nsecret = \"{secret}\"\nexpand = \"json\"\ninto = \"{secret}\"\n"
        )
    };
    site.config(&format!(
        "[directory]\npath = \"out/app\"\n[sources.gone]\nprovider = \"file\"\nroot = \"gone\"\n[files]\nf = {{ source = \"gone\", secret = \"k\" }}\n{}{}",
        import("x"),
        import("y")
    ));
    let ran = site.run(&["sync"]).expect_exit(3);
    let [of_file, of_imports] =
        ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect::<Vec<_>>()[..]
    else {
        panic!("{ran:?}")
    };
    assert!(of_file.starts_with("error: file `f`: secret `k` of source `gone`: unavailable: "), "{ran:?}");
    assert!(of_imports.contains("secretdir.toml:8:1: import[0] and "), "{ran:?}");
    assert!(
        of_imports.contains("secretdir.toml:13:1: import[1]: secrets `x` and `y` of source `gone`: "),
        "{ran:?}"
    );
}

#[test]
fn a_source_that_is_down_is_asked_for_one_listing_and_told_once_for_all_imports() {
    let imports: String =
        (0..40).map(|number| format!("[[import]]\nsource = \"local\"\nprefix = \"p{number}/\"\n")).collect();
    let site = site(&[], &imports);
    fs::remove_dir_all(site.path().join("source")).unwrap_or_default();
    let ran = site.run(&["sync", "-vv"]).expect_exit(3);
    assert_eq!(ran.stderr.matches("listing source=").count(), 1, "{ran:?}");
    let errors: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{ran:?}");
    for import in
        ["import[0], ", "import[18] and 21 more: the secrets below `p0/` of source `local`: unavailable: "]
    {
        assert!(errors[0].contains(import), "{ran:?}");
    }
}

#[test]
fn what_is_published_is_not_imported_again() {
    let site = Site::new();
    site.secret("conf/a", "1");
    let config = |path: &str, prefix: &str| {
        site.config(&format!(
            "[directory]\npath = \"{path}\"\n[sources.local]\nprovider = \"file\"\nroot = \"source\"\n\
             [[import]]\nsource = \"local\"\nprefix = \"{prefix}\"\n"
        ));
    };
    let refused = "each run would import the files that the run before has published";
    for (path, prefix) in
        [("source/app", ""), ("source/out/app", "out/"), ("source/out/app", "o"), ("source/app", "app/tls")]
    {
        config(path, prefix);
        site.run(&["check"]).expect_exit(2).expect_error(&["secretdir.toml:8", refused]);
    }
    for path in ["source/out/app", "source2/app", "out/app"] {
        config(path, "conf/");
        site.run(&["check"]).expect_exit(0);
    }
}
