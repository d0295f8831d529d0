//! The provider `exec`, when a source fails: what the whole run does.

use std::fs;

use crate::support::{Ran, Site};

/// Publishes the secret `a` of a source with these settings.
fn site(settings: &str) -> Site {
    let site = Site::new();
    site.config(&format!(
        "[directory]\npath = \"out/app\"\n\n[sources.tool]\nprovider = \"exec\"\n{settings}\n\n\
         [files]\na = {{ source = \"tool\", secret = \"a\", optional = true }}\n"
    ));
    site
}

fn script(site: &Site, name: &str, text: &str) {
    let file = site.path().join(name);
    secretdir_testkit::write_program(&file, text);
}

#[test]
fn programs_count_from_the_folder_of_the_configuration_wherever_the_run_starts() {
    let site = site("command = [\"bin/tool\", \"{secret}\"]");
    fs::create_dir(site.path().join("bin")).unwrap();
    script(&site, "bin/tool", "#!/bin/sh\ncat data\n");
    fs::write(site.path().join("data"), "value").unwrap();
    let mut command = site.command(&["sync"]);
    Ran::of(command.current_dir("/")).expect_exit(0);
    assert_eq!(site.read("a"), b"value");
}

/// A revision and an origin are shown and noted: a value is no better there than in a message.
#[test]
fn what_a_plugin_says_of_a_secret_shows_no_value() {
    let site = site("plugin = [\"./plugin\"]");
    script(
        &site,
        "plugin",
        "#!/bin/sh\nread hello\necho '{\"type\":\"hello\",\"protocol\":1}'\nread one\n\
         echo '{\"type\":\"secret\",\"id\":0,\"text\":\"hunter22\",\"revision\":\"v7 of hunter22\",\"origin\":\"aHVudGVyMjI=\"}'\ncat > /dev/null\n",
    );
    let synced = site.run(&["sync", "--json"]).expect_exit(0);
    let status = site.run(&["status", "--json"]).expect_exit(0);
    let secret = &status.json()["generation"]["files"][0]["secrets"][0];
    assert_eq!(
        (secret["revision"].as_str(), secret["origin"].as_str()),
        (Some("v7 of [redacted]"), Some("[redacted]"))
    );
    let state = fs::read_dir(site.path().join("out/.app.state")).unwrap().map(|entry| entry.unwrap().path());
    let notes = state.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap());
    for text in notes.chain([synced.stdout, status.stdout]) {
        assert!(!text.contains("hunter22") && !text.contains("aHVudGVyMjI"), "{text}");
    }
}

#[test]
fn nothing_is_not_a_value_unless_that_is_said() {
    let newline = "command = [\"sh\", \"-c\", \"echo\", \"{secret}\"]";
    site(newline).run(&["sync"]).expect_exit(3).expect_error(&["` printed nothing"]);
    let site_of_newline = site(&format!("{newline}\nallow-empty = true"));
    site_of_newline.sync();
    assert_eq!(site_of_newline.read("a"), b"\n");
    for settings in [
        "command = [\"true\", \"{secret}\"]",
        "command = [\"sh\", \"-c\", \"echo\", \"{secret}\"]\ntrim-newline = true",
    ] {
        site(settings).run(&["sync"]).expect_exit(3).expect_error(&[
            "invalid data: `",
            "` printed nothing",
            "allow-empty = true",
        ]);
        let site = site(&format!("{settings}\nallow-empty = true"));
        site.sync();
        assert_eq!(site.read("a"), b"");
    }
}

#[test]
fn a_mistake_with_a_program_is_answered_with_what_to_do() {
    for (settings, exit, parts) in [
        ("command = \"vault kv get {secret}\"", 2, &["expected an array such as [\"one\", \"two\"]"][..]),
        ("command = [\"vault kv get {secret}\"]", 2, &["write each as a separate string"]),
        ("command = [\"vault kv get\", \"{secret}\"]", 3, &["no shell splits a command"]),
        (
            "command = [\"no-such-tool\", \"{secret}\"]",
            3,
            &["only HOME and PATH", "no folder of PATH has it"],
        ),
        ("command = [\"./windows\", \"{secret}\"]", 3, &["Unix line ends"]),
        ("command = [\"./nowhere\", \"{secret}\"]", 3, &["its interpreter `/no/interpreter` was not found"]),
        ("plugin = [\"./windows\"]", 3, &["Unix line ends"]),
        ("command = [\"./lacks\", \"{secret}\"]", 3, &["it did not get `VAULT_ADDR`", "to `environment`"]),
    ] {
        let site = site(settings);
        script(&site, "windows", "#!/bin/sh\r\necho x\r\n");
        script(&site, "nowhere", "#!/no/interpreter\n");
        script(&site, "lacks", "#!/bin/sh\necho ${VAULT_ADDR:?not set}\n");
        let ran = site.run(&["sync"]).expect_exit(exit);
        // Long lines are broken.
        let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(told.contains(part), "{settings}: {part}: {told}");
        }
    }
}

#[test]
fn a_flood_of_words_is_cut() {
    let program = "import json, sys\n\
        print(json.dumps({'type': 'hello', 'protocol': 1}), flush=True)\n\
        print(json.dumps({'type': 'error', 'id': 0, 'message': 'm' * 5_000_000, 'hint': 'h' * 500_000}), flush=True)\n";
    let site = site(&format!("plugin = [\"python3\", \"-c\", {program:?}]\nmax-bytes = 8000000"));
    let ran = site.run(&["sync"]).expect_exit(3);
    assert!(ran.stderr.contains("[cut]"), "{ran:?}");
    assert!(ran.stderr.len() < 10_000, "{} bytes", ran.stderr.len());
}
