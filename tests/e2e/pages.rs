//! Completions and man pages, as their readers read them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{COMMAND, HEAD, Ran, Site};
use crate::width::COMMANDS;

#[test]
fn bash_completes_commands_and_options() {
    let site = Site::new();
    let script = site.run(&["completions", "bash"]).expect_exit(0).stdout;
    let ask = |words: &str| {
        let program = format!(
            "{script}\nCOMP_WORDS=({words} '')\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _secretdir secretdir '' \"${{COMP_WORDS[COMP_CWORD - 1]}}\"\necho \"${{COMPREPLY[*]}}\""
        );
        Ran::of(Command::new("bash").args(["--norc", "-c", &program])).expect_exit(0).stdout
    };
    let commands = ask("secretdir");
    for command in COMMANDS {
        assert!(commands.split_whitespace().any(|word| word == command), "{command}: {commands}");
    }
    for command in ["providers", "init"] {
        let providers = ask(&format!("secretdir {command}"));
        assert!(
            providers.contains("aws-secrets-manager") && providers.contains("vault"),
            "{command}: {providers}"
        );
    }
    let options = ask("secretdir sync");
    assert!(options.contains("--dry-run") && options.contains("--profile"), "{options}");
    assert!(ask("secretdir init").contains("--config") && ask("secretdir exec").contains("--json"));
    assert_eq!(ask("secretdir completions").split_whitespace().filter(|word| *word == "fish").count(), 1);
}

#[test]
fn the_other_shells_get_a_script_of_their_own() {
    let site = Site::new();
    for (shell, words) in [("zsh", "#compdef secretdir"), ("fish", "complete -c secretdir")] {
        let script = site.run(&["completions", shell]).expect_exit(0).stdout;
        assert!(script.contains(words) && script.contains("dry-run"), "{shell}: {script}");
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        let path = site.path().join(shell);
        fs::write(&path, script).unwrap();
        let ran = Ran::of(Command::new(shell).arg("-n").arg(path)).expect_exit(0);
        assert!(ran.stderr.is_empty(), "{ran:?}");
    }
    site.run(&["completions", "cmd"]).expect_exit(2).expect_error(&["possible values", "zsh"]);
}

/// What somebody may call a profile who wants others to run something.
const HOSTILE: &str = "$(touch pwned) `touch pwned` *";

/// The profiles of the configuration that the words name, or else of the one in this folder.
#[test]
fn profiles_are_completed() {
    let site = Site::new();
    let profiles = |names: &[&str]| {
        let sections: String = names.iter().map(|name| format!("[profiles.'{name}']\n")).collect();
        site.config(&format!("{HEAD}[files]\na = {{ source = \"local\", secret = \"a\" }}\n{sections}"));
        fs::read_to_string(site.path().join("secretdir.toml")).unwrap()
    };
    fs::write(site.path().join("other.toml"), profiles(&["third"])).unwrap();
    profiles(&["dev", HOSTILE]);
    let bin = Path::new(COMMAND).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let ask = |shell: &str, program: &str| {
        let mut command = Command::new(shell);
        site.prepare(command.args(["-c", program]));
        let ran = Ran::of(command.env("PATH", &path)).expect_exit(0);
        let mut lines: Vec<_> = ran.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for shell in ["bash", "zsh", "fish"] {
        let script = site.run(&["completions", shell]).expect_exit(0).stdout;
        assert!(!script.contains("PROFILES") && !script.contains("COMMAND"), "{shell}: {script}");
        fs::write(site.path().join(shell), script).unwrap();
    }
    // In the order of their bytes. bash puts what it completes into the line as it is.
    let quoted = r"\$\(touch\ pwned\)\ \`touch\ pwned\`\ \*";
    for (config, raw, bash_words) in [
        ("", &[HOSTILE, "dev"][..], &[quoted, "dev"][..]),
        ("--config other.toml", &["third"], &["third"]),
        ("--config=other.toml", &["third"], &["third"]),
    ] {
        let split = config.replace('=', " = ");
        let bash = format!(
            ". ./bash; COMP_WORDS=(secretdir sync {split} --profile ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _secretdir secretdir '' --profile; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        assert_eq!(ask("bash", &bash), bash_words);
        let fish = format!("source ./fish; complete -C 'secretdir sync {config} --profile ' | cut -f1");
        assert_eq!(ask("fish", &fish), raw);
        // What the completion system of zsh would do: it has no way to be asked without a terminal.
        let zsh = format!(
            "compdef() {{ }}; compadd() {{ print -rl -- $profiles }}; typeset -A opt_args
            . ./zsh 2>/dev/null; set -- {}; [[ -z $2 ]] || opt_args[--config]=$2; _secretdir_profiles",
            config.replace('=', " ")
        );
        assert_eq!(ask("zsh", &zsh), raw);
    }
    assert!(fs::read_to_string(site.path().join("zsh")).unwrap().contains(":NAME:_secretdir_profiles"));
    assert!(!site.path().join("pwned").exists());
}

#[test]
fn there_is_a_man_page_for_each_command() {
    let site = Site::new();
    site.run(&["man", "share"]).expect_exit(0);
    let folder = site.path().join("share/man1");
    let mut pages: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    let commands = COMMANDS.map(|command| format!("secretdir-{command}.1"));
    for page in commands.iter().map(String::as_str).chain(["secretdir.1"]) {
        assert!(pages.iter().any(|found| found == page), "{page}: {pages:?}");
    }
    let exec = fs::read_to_string(folder.join("secretdir-exec.1")).unwrap();
    assert!(exec.contains("SECRETDIR_PATH") && exec.contains("PROGRAM"), "{exec}");
    let page = fs::read_to_string(folder.join("secretdir-sync.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("Publish nothing"), "{page}");
    assert!(exec.contains("\\fBsecretdir exec [OPTIONS] \\-\\- <PROGRAM>...\\fR"), "{exec}");
    assert!(exec.contains(".SH NOTES") && !exec.contains("EXTRA"), "{exec}");
    let main = fs::read_to_string(folder.join("secretdir.1")).unwrap();
    let sections = ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"];
    for section in sections {
        assert!(
            main.contains(&format!(".SH \"{section}\"")) || main.contains(&format!(".SH {section}")),
            "{section}"
        );
    }
    assert!(main.contains("After 1 to 5") && main.contains("the program was not found"), "{main}");
    let configuration = fs::read_to_string(site.path().join("share/man5/secretdir.toml.5")).unwrap();
    for key in
        ["retain", "file\\-mode", "on\\-change", "interval", "splay", "secret", "vault", "region", "issue"]
    {
        assert!(configuration.contains(key), "{key}: {configuration}");
    }
    for page in &pages {
        let page = fs::read_to_string(folder.join(page)).unwrap();
        assert!(page.contains("SECRETDIR_CONFIG") && page.contains("SECRETDIR_PROFILE"), "{page}");
    }

    fs::write(site.path().join("file"), "").unwrap();
    let below = site.path().join("file/man1");
    site.run(&["man", below.to_str().unwrap()]).expect_exit(2).expect_error(&["cannot be written into"]);
}

#[test]
fn groff_finds_no_fault_in_a_page() {
    let site = Site::new();
    let folder = site.path().join("man");
    site.run(&["man", folder.to_str().unwrap()]).expect_exit(0);
    let sections = ["man1", "man5"].map(|section| fs::read_dir(folder.join(section)).unwrap());
    for entry in sections.into_iter().flatten() {
        let path = entry.unwrap().path();
        let ran =
            Ran::of(Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(&path)).expect_exit(0);
        // Long words of examples are no fault.
        let faults: Vec<_> = ran.stderr.lines().filter(|line| !line.contains("break")).collect();
        assert!(faults.is_empty(), "{path:?}: {faults:?}");
    }
}

#[test]
fn a_page_is_for_whom_the_umask_lets_read_it() {
    for (umask, mode, folder_mode) in [("022", 0o644, 0o755), ("027", 0o640, 0o750)] {
        let site = Site::new();
        let mut shell = Command::new("sh");
        site.prepare(shell.args(["-c", "umask $1; exec $2 man share", "sh", umask, COMMAND]));
        Ran::of(&mut shell).expect_exit(0);
        let mode_of = |path: &str| {
            fs::metadata(site.path().join("share").join(path)).unwrap().permissions().mode() & 0o777
        };
        for page in ["man1/secretdir.1", "man1/secretdir-sync.1"] {
            assert_eq!(mode_of(page), mode, "{umask} {page}");
        }
        assert_eq!((mode_of("."), mode_of("man1")), (folder_mode, folder_mode), "{umask}");
    }
}

#[test]
fn a_page_that_cannot_be_written_whole_is_not_there() {
    let site = Site::new();
    site.run(&["man", "whole"]).expect_exit(0);
    let mut shell = Command::new("bash");
    // Two blocks of 1024 bytes, and no signal to whoever writes more: less than the main page has.
    site.prepare(shell.args(["-c", "trap '' XFSZ; ulimit -f 2; exec $0 man man", COMMAND]));
    Ran::of(&mut shell).expect_exit(1).expect_error(&["cannot be written into man: File too large"]);
    let left: Vec<_> =
        fs::read_dir(site.path().join("man/man1")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!left.is_empty());
    for page in left {
        let whole = site.path().join("whole/man1").join(page.file_name().unwrap());
        assert_eq!(fs::read(&page).unwrap(), fs::read(whole).unwrap(), "{page:?}");
    }
    assert!(!site.path().join("man/man1/secretdir.1").exists());
}
