//! No value stays in the memory of the command once it is published, whichever library held copies of it.

use std::fs;
use std::process::Command;

use secretdir_testkit::{Moto, REGION, is_root};

use rustix::process::Signal;

use crate::support::{Ran, Site};
use crate::watch::{Watch, eventually};

/// Counts the copies of a text in the memory of a process, or of the one that started this one. The text is put together here, so that it is in
/// no argument.
const LOOK: &str = r#"
import os, re, sys
parent = int(sys.argv[1]) if sys.argv[1:] else os.getppid()
found = {}
with open(f"/proc/{parent}/maps") as maps, open(f"/proc/{parent}/mem", "rb", 0) as memory:
    for line in maps:
        start, end = (int(number, 16) for number in line.split()[0].split("-"))
        if "r" not in line.split()[1] or "[v" in line:
            continue
        memory.seek(start)
        for name in re.findall(b"wiped" + b"-value-([a-z]+)", memory.read(end - start)):
            found[name.decode()] = found.get(name.decode(), 0) + 1
with open("found", "w") as output:
    output.write(" ".join(sorted(found)))
"#;

#[test]
fn only_the_environment_holds_values_after_the_flip() {
    if !is_root("memory::only_the_environment_holds_values_after_the_flip") {
        return;
    }
    let (moto, site) = (Moto::start(), Site::new());
    let mut files = String::new();
    for number in 0..200 {
        moto.create_string(&format!("app/{number}"), "\"wiped-value-aws\"\n");
        files.push_str(&format!("aws-{number} = {{ source = \"prod\", secret = \"app/{number}\" }}\n"));
    }
    site.secret("plain", "wiped-value-plain");
    site.secret("json", r#"{"a": "wiped-value-field", "b": {"c": "wiped-value-nested"}}"#);
    site.secret("coded", "wiped-value-coded");
    fs::write(site.path().join("look.py"), LOOK).unwrap();
    site.config(&format!(
        r#"[directory]
path = "out/app"

[on-change]
command = ["python3", "look.py"]

[sources.prod]
provider = "aws-secrets-manager"
region = "{REGION}"
endpoint-url = "{}"

[sources.local]
provider = "file"
root = "source"

[sources.program]
provider = "exec"
command = ["cat", "source/{{secret}}"]

[sources.shell]
provider = "env"
prefix = "APP_"

[files]
plain = {{ source = "local", secret = "plain" }}
printed = {{ source = "program", secret = "plain" }}
field = {{ source = "local", secret = "json", field = "a" }}
coded = {{ source = "local", secret = "coded", encode = "base64" }}
shell = {{ source = "shell", secret = "TOKEN" }}
text = {{ template-text = '{{{{ json.b.c | base64 }}}} {{{{ plain | trim }}}}', secrets.json = {{ source = "local", secret = "json", expand = "json" }}, secrets.plain = {{ source = "local", secret = "plain" }} }}
{files}"#,
        moto.endpoint()
    ));
    let mut command: Command = site.command(&["sync"]);
    command.env("APP_TOKEN", "wiped-value-environment").envs(moto.environment());
    Ran::of(&mut command).expect_exit(0);
    assert_eq!(site.read("aws-7"), b"\"wiped-value-aws\"\n");
    assert_eq!(site.read("shell"), b"wiped-value-environment");
    assert_eq!(fs::read_to_string(site.path().join("found")).unwrap(), "environment");
}

/// A site that publishes so many secrets of a server.
fn of_a_server(moto: &Moto, count: usize, more: &str) -> Site {
    let (site, mut files) = (Site::new(), String::new());
    for number in 0..count {
        moto.create_string(&format!("app/{number}"), "\"wiped-value-aws\"\n");
        files.push_str(&format!("aws-{number} = {{ source = \"prod\", secret = \"app/{number}\" }}\n"));
    }
    fs::write(site.path().join("look.py"), LOOK).unwrap();
    let source = format!(
        "[sources.prod]\nprovider = \"aws-secrets-manager\"\nregion = \"{REGION}\"\nendpoint-url = \"{}\"\n",
        moto.endpoint()
    );
    site.config(&format!("[directory]\npath = \"out/app\"\n{more}\n{source}\n[files]\n{files}"));
    site
}

#[test]
fn a_daemon_keeps_no_value_between_its_turns() {
    if !is_root("memory::a_daemon_keeps_no_value_between_its_turns") {
        return;
    }
    let moto = Moto::start();
    let site = of_a_server(&moto, 200, "[watch]\ninterval = \"1h\"\nwake = false\n");
    let mut command = site.command(&["watch"]);
    let mut watch = Watch::of(command.envs(moto.environment()));
    watch.hear("published 200 files");
    watch.signal(Signal::USR1);
    // The values of a turn are there while it is under way.
    let look = || {
        let pid = watch.id().to_string();
        Ran::of(Command::new("python3").args(["look.py", &pid]).current_dir(site.path())).expect_exit(0);
        fs::read_to_string(site.path().join("found")).unwrap()
    };
    eventually("nothing is found in the memory", || look().is_empty());
    watch.stop();
}
