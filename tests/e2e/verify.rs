//! The command of `[verify]`: it sees the new set before anybody else, refuses it, and cannot change it.

use std::fs;

use crate::watch::site;

#[test]
fn a_set_is_looked_at_before_it_is_published() {
    let verify =
        |script: &str| format!("[verify]\ncommand = [\"sh\", \"-c\", '''{script}''']\ntimeout = \"2s\"\n");
    let site = site(
        "1h",
        &verify(
            "cat \"$SECRETDIR_PATH/a\" > seen; test ! -e out/app && stat -c %a \"$SECRETDIR_PATH\" > mode",
        ),
    );
    site.sync();
    let seen = |name: &str| fs::read_to_string(site.path().join(name)).unwrap();
    assert_eq!((seen("seen"), seen("mode")), ("1".to_owned(), "700\n".to_owned()));
    let before = site.fingerprint();
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let at = |script: &str| {
        config.replace(
            &config[config.find("[verify]").unwrap()..config.find("\n\n[files]").unwrap()],
            &verify(script),
        )
    };
    site.secret("a", "2");
    for (script, words) in [
        ("exit 3", "the verify command `sh` failed: exit status: 3"),
        ("sleep 600", "did not end within 2s"),
        ("echo 3 > $SECRETDIR_PATH/a", "the verify command `sh` changed the set: `a` differs"),
        ("chmod 644 $SECRETDIR_PATH/a", "changed the set: `a` differs"),
        ("rm $SECRETDIR_PATH/a", "changed the set: `a` differs"),
        ("ln -s /dev/null $SECRETDIR_PATH/b", "changed the set: `b` differs"),
        ("mkdir -p $SECRETDIR_PATH/b/c", "changed the set: `b"),
    ] {
        site.config(&at(script));
        let ran = site.run(&["sync", "--json"]).expect_exit(7);
        assert_eq!(ran.json()["errors"][0]["kind"], "verify-failed");
        ran.expect_error(&[words, "nothing was published; the current set stays"]);
        assert_eq!(site.fingerprint().without_folder(), before.clone().without_folder());
        assert!(!site.names().iter().any(|name| name.contains("tmp")), "{:?}", site.names());
    }
    // What is unchanged is not looked at.
    site.secret("a", "1");
    site.sync();
}
