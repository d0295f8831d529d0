//! Push from AWS, as the page of the provider tells it: its commands are run, on moto's EventBridge, and so is the command
//! that Run Command would run on a host. A queue stands in for Run Command where events are matched.

use std::fs;
use std::process::Command;

use secretdir_testkit::{AccessKey, Block, Moto, REGION, Ran, programs, write_program};
use serde_json::{Value, json};

use crate::support::{COMMAND, Site};
use crate::watch::Watch;

const PAGE: &str = include_str!("../../providers/aws/README.md");

/// What a host has as `systemctl`: one service, whose main process is the daemon.
const SYSTEMCTL: &str = "#!/bin/sh
[ \"$*\" = 'kill --kill-who=main --signal=USR1 secretdir@*' ] || { echo \"systemctl $*\" >&2; exit 1; }
kill -USR1 \"$(cat pid)\"
";

/// An account with the rules of the page, and a host in it.
struct Account {
    moto: Moto,
    operator: AccessKey,
    host: Site,
}

impl Account {
    fn start() -> Self {
        let moto = Moto::start();
        let operator = moto.add_user("operator", &["events:*", "sqs:*"]);
        moto.create_string("shop/db", "one");
        let host = Site::new();
        let source = format!(
            "provider = \"aws-secrets-manager\"\nregion = \"{REGION}\"\nendpoint-url = \"{}\"",
            moto.endpoint()
        );
        host.config(&format!(
            "[directory]\npath = \"out/app\"\n[watch]\ninterval = \"1h\"\n[sources.prod]\n{source}\n\
             [files]\ndb = {{ source = \"prod\", secret = \"shop/db\" }}\n"
        ));
        Self { moto, operator, host }
    }

    /// Runs what somebody types who sets this up.
    fn shell(&self, script: &str) -> String {
        let mut command = Command::new("bash");
        self.host.prepare(command.args(["-euc", script]));
        let path = format!("{}:{}", programs().display(), std::env::var("PATH").unwrap());
        command
            .env("PATH", path)
            .env("AWS_ENDPOINT_URL", self.moto.endpoint())
            .env("AWS_DEFAULT_REGION", REGION)
            // Whatever it asks besides is not to be reached.
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("AWS_ACCESS_KEY_ID", &self.operator.id)
            .env("AWS_SECRET_ACCESS_KEY", &self.operator.secret);
        Ran::of(&mut command).expect_exit(0).stdout
    }

    fn aws(&self, arguments: &str) -> Value {
        serde_json::from_str(
            &self.shell(&format!("aws --output json --endpoint-url {} {arguments}", self.moto.endpoint())),
        )
        .unwrap_or_default()
    }

    /// Lets events happen, and returns the names in those that the rules let through to a queue.
    fn matched(&self, events: &[(&str, &str, Value)]) -> Vec<String> {
        let entries = events.iter().map(|(source, kind, detail)| {
            json!({ "Source": source, "DetailType": kind, "Detail": detail.to_string() })
        });
        fs::write(self.host.path().join("entries.json"), json!(entries.collect::<Vec<_>>()).to_string())
            .unwrap();
        let put = self.aws("events put-events --entries file://entries.json");
        assert_eq!(put["FailedEntryCount"], 0, "{put}");
        let queue = self.aws("sqs get-queue-url --queue-name seen")["QueueUrl"].as_str().unwrap().to_owned();
        let received =
            self.aws(&format!("sqs receive-message --max-number-of-messages 10 --queue-url {queue}"));
        let bodies = received["Messages"].as_array().into_iter().flatten();
        let name = |message: &Value| {
            let event: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
            event["detail"]["name"].as_str().unwrap().to_owned()
        };
        let mut names: Vec<_> = bodies.map(name).collect();
        names.sort();
        names
    }

    /// Runs a command on the host as the document `AWS-RunShellScript` does: by a shell.
    fn run_on_host(&self, command: &str) {
        write_program(&self.host.path().join("bin/systemctl"), SYSTEMCTL);
        let mut shell = Command::new("sh");
        self.host.prepare(shell.args(["-c", command]));
        let path = [self.host.path().join("bin"), COMMAND.trim_end_matches("/secretdir").into()];
        let path = std::env::join_paths(path.into_iter().chain(["/usr/bin".into(), "/bin".into()])).unwrap();
        let environment = self.moto.environment();
        Ran::of(shell.env("PATH", path).envs(environment)).expect_exit(0);
    }
}

/// Returns the shell commands of a step.
fn step(words: &str) -> &'static str {
    let blocks = Block::all_after(PAGE, "## Push: learn of a rotation at once");
    blocks.into_iter().map(Block::text).find(|text| text.contains(words)).unwrap()
}

#[test]
fn the_rules_let_through_what_changes_a_secret_of_the_application_and_nothing_else() {
    let account = Account::start();
    account.shell(step("put-rule"));
    account.aws("sqs create-queue --queue-name seen");
    for rule in ["secretdir-secrets", "secretdir-parameters"] {
        let queue = format!("Id=queue,Arn=arn:aws:sqs:{REGION}:123456789012:seen");
        account.aws(&format!("events put-targets --rule {rule} --targets {queue}"));
    }
    let secret =
        |label: &str, name: &str| json!({ "name": name, "labelUpdated": label, "versionId": "a1b2c3d4" });
    let parameter =
        |operation: &str, name: &str| json!({ "name": name, "type": "SecureString", "operation": operation });
    let (secrets, parameters) = ("aws.secretsmanager", "aws.ssm");
    let (updated, changed) = ("Secret Label Updated", "Parameter Store Change");
    let seen = account.matched(&[
        (secrets, updated, secret("AWSCURRENT", "shop/db")),
        (parameters, changed, parameter("Update", "/shop/created")),
        (parameters, changed, parameter("LabelParameterVersion", "/shop/labelled")),
    ]);
    assert_eq!(seen, ["/shop/created", "/shop/labelled", "shop/db"]);
    let seen = account.matched(&[
        (secrets, updated, secret("mine", "shop/label")),
        (secrets, updated, secret("AWSCURRENT", "other/db")),
        (secrets, "AWS API Call via CloudTrail", secret("AWSCURRENT", "shop/trail")),
        ("my.program", updated, secret("AWSCURRENT", "shop/source")),
        (parameters, changed, parameter("Update", "/other/db")),
        (parameters, "Parameter Store Policy Action", parameter("Update", "/shop/policy")),
        (secrets, updated, json!({ "labelUpdated": "AWSCURRENT" })),
    ]);
    assert_eq!(seen, Vec::<String>::new());
}

#[test]
fn the_command_of_the_page_wakes_a_daemon_and_the_other_one_makes_a_run() {
    let account = Account::start();
    account.shell(step("put-rule"));
    account.shell(step("put-targets"));
    let mut commands = Vec::new();
    for rule in ["secretdir-secrets", "secretdir-parameters"] {
        let listed = account.aws(&format!("events list-targets-by-rule --rule {rule}"));
        let target = &listed["Targets"][0];
        assert_eq!(target["Arn"], "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript");
        assert_eq!(target["RunCommandParameters"]["RunCommandTargets"][0]["Key"], "tag:secretdir");
        let input: Value = serde_json::from_str(target["Input"].as_str().unwrap()).unwrap();
        commands.push(input["commands"][0].as_str().unwrap().to_owned());
    }
    fs::create_dir(account.host.path().join("bin")).unwrap();
    let mut watch = Watch::of(account.host.command(&["watch"]).envs(account.moto.environment()));
    watch.hear("published 1 file");
    fs::write(account.host.path().join("pid"), watch.id().to_string()).unwrap();
    for (command, value) in commands.iter().zip(["two", "three"]) {
        account.moto.put_string("shop/db", value);
        account.run_on_host(command);
        watch.hear("published 1 file");
        assert_eq!(account.host.read("db"), value.as_bytes());
    }
    watch.stop();

    assert!(PAGE.contains("- Hosts without the daemon use `secretdir sync --config FILE` as the command."));
    account.moto.put_string("shop/db", "four");
    account.run_on_host("secretdir sync --config secretdir.toml");
    assert_eq!(account.host.read("db"), b"four");
}
