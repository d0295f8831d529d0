//! One configuration in two places: on a laptop with a profile, where there is neither a network nor anything of AWS, and on a
//! host that asks the cloud.

use std::collections::BTreeMap;
use std::fs;

use secretdir_testkit::{Moto, REGION};

use crate::support::{Ran, Site};

/// A certificate with its key, all that is below a prefix, each key of a secret, parameters below a path, and an env file.
fn config(endpoint: &str) -> String {
    format!(
        r#"[directory]
path = "out/app"

[sources.prod]
provider = "aws-secrets-manager"
region = "{REGION}"
endpoint-url = "{endpoint}"

[sources.parameters]
provider = "aws-parameter-store"
region = "{REGION}"
endpoint-url = "{endpoint}"

[files]
"tls/cert.pem" = {{ source = "prod", secret = "app/tls", field = "cert" }}
"tls/key.pem" = {{ source = "prod", secret = "app/tls", field = "key" }}
"app.env" = {{ template = "app.env.tmpl", secrets.db = {{ source = "prod", secret = "app/db", expand = "json" }} }}

[[import]]
source = "prod"
secret = "app/db"
expand = "json"
into = "db"

[[import]]
source = "prod"
prefix = "app/"
into = "all"
exclude = ["**/tls"]

[[import]]
source = "parameters"
prefix = "/flags/"
strip-prefix = "/"

[profiles.dev.sources.prod]
provider = "file"
root = "dev"

[profiles.dev.sources.parameters]
provider = "file"
path = "parameters.json"
"#
    )
}

const TEMPLATE: &str = "DB_PASSWORD={{ db.password | shell }}\n";

fn site(endpoint: &str) -> Site {
    let site = Site::new();
    site.config(&config(endpoint));
    fs::write(site.path().join("app.env.tmpl"), TEMPLATE).unwrap();
    fs::create_dir_all(site.path().join("dev/app")).unwrap();
    for (name, value) in [
        ("app/db", r#"{"user": "me", "password": "dev's"}"#),
        ("app/tls", r#"{"cert": "dev cert", "key": "dev key"}"#),
        ("app/token", "dev token"),
        ("apple", "not below the prefix"),
    ] {
        fs::write(site.path().join("dev").join(name), value).unwrap();
    }
    fs::write(site.path().join("parameters.json"), r#"{"/flags/a": "on", "/flags/b/c": false, "/other": 1}"#)
        .unwrap();
    site
}

/// Returns each published file with its bytes.
fn published(site: &Site) -> BTreeMap<String, String> {
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let files = status["generation"]["files"].as_array().unwrap().iter();
    let names = files.map(|file| file["name"].as_str().unwrap().to_owned());
    names.map(|name| (name.clone(), String::from_utf8(site.read(&name)).unwrap())).collect()
}

#[test]
fn the_same_names_have_the_laptops_values_with_the_profile_and_the_clouds_without() {
    let moto = Moto::start();
    let site = site(&moto.endpoint());
    site.run(&["sync", "--profile", "dev"]).expect_exit(0);
    let laptop = published(&site);

    moto.create_string("app/db", r#"{"user": "app", "password": "cloud"}"#);
    moto.create_string("app/tls", r#"{"cert": "cloud cert", "key": "cloud key"}"#);
    moto.create_string("app/token", "cloud token");
    moto.create_string("apple", "not below the prefix");
    moto.put_parameter("/flags/a", "off", "String");
    moto.put_parameter("/flags/b/c", "true", "SecureString");
    moto.put_parameter("/other", "1", "String");
    Ran::of(site.command(&["sync"]).envs(moto.environment())).expect_exit(0);
    let cloud = published(&site);

    let names: Vec<_> = laptop.keys().map(String::as_str).collect();
    let expected = [
        "all/app/db",
        "all/app/token",
        "app.env",
        "db/password",
        "db/user",
        "flags/a",
        "flags/b/c",
        "tls/cert.pem",
        "tls/key.pem",
    ];
    assert_eq!(names, expected);
    assert!(laptop.keys().eq(cloud.keys()), "{cloud:?}");
    assert_eq!(
        (laptop["app.env"].as_str(), laptop["flags/b/c"].as_str()),
        ("DB_PASSWORD='dev'\\''s'\n", "false")
    );
    assert_eq!((cloud["app.env"].as_str(), cloud["flags/b/c"].as_str()), ("DB_PASSWORD='cloud'\n", "true"));
    assert_eq!(
        (laptop["all/app/token"].as_str(), cloud["all/app/token"].as_str()),
        ("dev token", "cloud token")
    );
    // One page of the listing, and one batch.
    assert_eq!(
        (moto.calls("ListSecrets"), moto.calls("BatchGetSecretValue"), moto.calls("GetSecretValue")),
        (1, 1, 0)
    );
}

#[test]
fn a_listing_that_is_denied_fails_the_run_and_says_which_permission_lacks() {
    let moto = Moto::start();
    let site = site(&moto.endpoint());
    site.run(&["sync", "--profile", "dev"]).expect_exit(0);
    let before = site.fingerprint();
    let key = moto.add_user(
        "no-lister",
        &["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "ssm:*"],
    );
    let mut command = site.command(&["sync"]);
    command
        .envs(moto.environment())
        .env("AWS_ACCESS_KEY_ID", &key.id)
        .env("AWS_SECRET_ACCESS_KEY", &key.secret);
    Ran::of(&mut command).expect_exit(3).expect_error(&[
        ": import[1]: the secrets below `app/` of source `prod`: permission denied: ",
        "secretsmanager:ListSecrets",
        "hint: a policy of ",
    ]);
    assert_eq!(site.fingerprint().without_folder(), before.without_folder());
}
