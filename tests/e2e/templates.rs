//! Files that are rendered out of several secrets.

mod documents;
mod env_files;
mod limits;
mod mistakes;

use std::fs;

use crate::support::{HEAD, Site};

const PAGE: &str = include_str!("../../docs/templates.md");

/// A site with these secrets, whose file `out` is rendered from this template.
fn site(secrets: &[(&str, &str)], template: &str) -> Site {
    let site = Site::new();
    for (name, value) in secrets {
        site.secret(name, value);
    }
    let declared = secrets.iter().map(|(name, _)| declared(name, name));
    write(&site, &declared.collect::<String>(), template);
    site
}

/// Declares a secret of the template.
fn declared(name: &str, secret: &str) -> String {
    format!("{name} = {{ source = \"local\", secret = \"{secret}\" }}\n")
}

fn write(site: &Site, declared: &str, template: &str) {
    fs::write(site.path().join("out.tmpl"), template).unwrap();
    let file = "[files.out]\ntemplate = \"out.tmpl\"\n[files.out.secrets]\n";
    site.config(&format!("{HEAD}\n{file}{declared}"));
}

#[test]
fn a_rendered_file_is_a_part_of_the_set_and_tells_its_secrets() {
    let template =
        "{# a comment #}user={{ user }}\n{% if debug == \"yes\" %}debug\n{% endif %}key={{ key | base64 }}\n";
    let site = site(&[("db", r#"{"user": "u", "other": 1}"#), ("key", "k")], "");
    let declared = "user = { source = \"local\", secret = \"db\", field = \"user\" }\n\
        debug = { source = \"local\", secret = \"debug\", default = \"no\" }\n\
        key = { source = \"local\", secret = \"key\" }\n";
    write(&site, declared, template);
    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    assert_eq!(
        outcome["defaulted"],
        serde_json::json!([{ "file_name": "out", "source": "local", "secret_name": "debug" }])
    );
    assert_eq!(String::from_utf8(site.read("out")).unwrap(), "user=u\nkey=aw==\n");
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let secrets = status["generation"]["files"][0]["secrets"].as_array().unwrap();
    let names: Vec<_> = secrets.iter().map(|secret| secret["secret_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["debug", "key", "db"]);
    let text = site.run(&["status"]).expect_exit(0).stdout;
    assert!(text.contains("  0400 out  from local: debug; local: key; local: db"), "{text}");

    let before = site.fingerprint();
    assert!(site.sync().stdout.starts_with("unchanged"));
    assert_eq!(site.fingerprint(), before);
    site.secret("debug", "yes");
    site.run(&["diff"]).expect_exit(10);
    site.sync();
    assert_eq!(String::from_utf8(site.read("out")).unwrap(), "user=u\ndebug\nkey=aw==\n");
}

#[test]
fn the_example_of_the_page_is_rendered() {
    let block = |language: &str| {
        let after = PAGE.split_once(&format!("\n```{language}\n")).unwrap().1;
        after.split_once("```").unwrap().0
    };
    let site = Site::new();
    site.secret("shop/db", r#"{"user": "me", "password": "p@ss 'word"}"#);
    site.secret("shop/flags/CART", "new");
    site.secret("shop/flags/SEARCH", "it's");
    fs::write(site.path().join("shop.env.tmpl"), block("jinja")).unwrap();
    site.config(&format!("{HEAD}\n{}", block("toml").replace("\"prod\"", "\"local\"")));
    site.sync();
    let expected = "DB_USER='me'\nDB_PASSWORD=\"p@ss 'word\"\n\
        DB_URL='postgres://me:p%40ss%20%27word@db/shop'\nLOG_LEVEL='info'\nCART='new'\nSEARCH=\"it's\"\n";
    assert_eq!(String::from_utf8(site.read("shop.env")).unwrap(), expected);
}

#[test]
fn the_text_of_a_template_may_stand_in_the_configuration() {
    let site = site(&[("a", "1"), ("b", "2")], "");
    site.config(&format!(
        "{HEAD}\n[files.url]\nmode = \"0600\"\ntemplate-text = \"\"\"\n{{{{ a }}}}/{{{{ b }}}}\n\"\"\"\n[files.url.secrets]\n{}{}",
        declared("a", "a"),
        declared("b", "b")
    ));
    site.sync();
    assert_eq!(site.read("url"), b"1/2\n");
}

#[test]
fn a_template_has_optional_secrets_documents_and_whole_prefixes() {
    let site = site(&[("app/DB_USER", "it's"), ("app/B", "b"), ("app/old", "o")], "");
    site.secret("db", r#"{"debug": false, "port": 5432, "long": 12345678901234567890, "hosts": ["a", "b"]}"#);
    site.secret("coded", "aGk=\n");
    let declared = "all = { source = 'local', prefix = 'app/', strip-prefix = 'app/', exclude = ['old'] }\n\
        db = { source = 'local', secret = 'db', expand = 'json' }\n\
        absent = { source = 'local', secret = 'none', optional = true }\n\
        coded = { source = 'local', secret = 'coded', trim = 'newline', decode = 'base64' }\n\
        level = { source = 'local', secret = 'level', expand = 'json', default = '{\"a\": 7}' }\n";
    let template = "{% for name in all -%}\n{{ name }}={{ all[name] | dotenv }}\n{% endfor -%}\n\
        {% if absent %}absent{% endif %}{% if db.debug %}debug{% endif %}PORT={{ db.port + 1 }} {{ db.long }} {{ db.hosts | join(',') }} {{ coded }} {{ level.a }}\n";
    write(&site, declared, template);
    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    let expected = "B='b'\nDB_USER=\"it's\"\nPORT=5433 12345678901234567890 a,b hi 7\n";
    assert_eq!(String::from_utf8(site.read("out")).unwrap(), expected);
    let defaulted: Vec<_> =
        outcome["defaulted"].as_array().unwrap().iter().map(|one| &one["secret_name"]).collect();
    assert_eq!(defaulted, ["none", "level"]);
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let secrets = status["generation"]["files"][0]["secrets"].as_array().unwrap();
    assert!(secrets.iter().any(|secret| secret["secret_name"] == "app/DB_USER"), "{secrets:?}");

    site.secret("app/not-a-name", "x");
    let ran = site.run(&["sync"]).expect_exit(3);
    ran.expect_error(&["(out.tmpl:2:4)", "`not-a-name` cannot be the name of a variable"]);
}

#[test]
fn line_ends_of_other_files_are_kept() {
    let site = site(&[("a", "1")], "\u{feff}{{ a | json }}\r\n");
    site.sync();
    assert_eq!(site.read("out"), "\u{feff}\"1\"\r\n".as_bytes());
}

#[test]
fn line_ends_of_a_text_in_the_configuration_are_those_of_the_configuration() {
    let site = site(&[("a", "1")], "");
    let configured = |filter: &str| {
        let text = format!("A={{{{ a | {filter} }}}}\nB=2\n");
        let secrets = declared("a", "a");
        let table =
            format!("[files.out]\ntemplate-text = \"\"\"\n{text}\"\"\"\n[files.out.secrets]\n{secrets}");
        site.config(&format!("{HEAD}\n{table}").replace('\n', "\r\n"));
    };
    configured("json");
    site.sync();
    assert_eq!(site.read("out"), b"A=\"1\"\r\nB=2\r\n");
    configured("shell");
    let words = "files.out.template-text: template-text:1:18: here is a carriage return";
    site.run(&["sync"]).expect_exit(2).expect_error(&[words]);
}
