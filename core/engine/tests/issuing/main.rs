//! Secrets that a store makes when it is asked: each is made once, kept from run to run, renewed in time, and given back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mint;
mod reviewed;
mod watched;

use std::fs;
use std::time::Duration;

use secretdir_engine::{DifferenceState, State, SyncError, describe};

use mint::Site;

const PAIR: &str = r#"
[files]
user = { source = "mint", secret = "new/app", field = "user" }
password = { source = "mint", secret = "new/app", field = "password" }
"#;

#[tokio::test]
async fn a_second_run_makes_nothing_and_moves_nothing() {
    let site = Site::new(PAIR);
    let first = site.sync().await.unwrap();
    assert_eq!((site.read("user"), site.read("password")), ("user-1".into(), "password-1".into()));
    let second = site.sync().await.unwrap();
    assert_eq!((first.state, second.state), (State::Published, State::Unchanged));
    assert_eq!(first.generation_id, second.generation_id);
    assert_eq!(site.store.made(), 1);
    assert_eq!(site.store.calls(), ["fetch new/app"]);
}

#[tokio::test]
async fn nothing_is_made_by_who_only_looks() {
    let site = Site::new(PAIR);
    let difference = site.diff().await;
    assert_eq!(difference.state, DifferenceState::Changed);
    assert_eq!(difference.to_issue[0].file_names, ["password", "user"]);
    assert!(difference.to_string().contains("would be issued"), "{difference}");
    let warnings = site.fetch().await.warnings;
    assert!(warnings.iter().any(|warning| warning.message.contains("was not asked for")), "{warnings:?}");
    assert!(site.store.calls().is_empty(), "{:?}", site.store.calls());

    site.sync().await.unwrap();
    let difference = site.diff().await;
    assert_eq!((difference.state, difference.to_issue.len()), (DifferenceState::Unchanged, 0));
    assert_eq!(site.store.made(), 1);
}

#[tokio::test]
async fn what_is_due_is_kept_or_replaced_as_its_source_says() {
    let site = Site::new(PAIR);
    let first = site.sync().await.unwrap();
    site.store.keeps(true);
    site.pass(Duration::from_secs(70));
    let kept = site.sync().await.unwrap();
    assert_eq!((kept.state, kept.generation_id), (State::Unchanged, first.generation_id));
    assert!(kept.valid_until > first.valid_until);
    assert_eq!(site.store.made(), 1);

    site.store.keeps(false);
    site.pass(Duration::from_secs(70));
    assert_eq!(site.sync().await.unwrap().state, State::Published);
    assert_eq!((site.read("user"), site.read("password")), ("user-2".into(), "password-2".into()));
    assert_eq!(site.store.calls(), ["fetch new/app", "refresh new/app", "refresh new/app"]);
    // The old one has readers yet: it is given back when its generation goes.
    assert!(site.store.released().is_empty());
    site.pass(Duration::from_secs(10));
    site.sync().await.unwrap();
    assert_eq!(site.store.released(), ["lease-1"]);
}

#[tokio::test]
async fn what_has_ended_is_made_anew() {
    let site = Site::new(PAIR);
    site.sync().await.unwrap();
    site.pass(Duration::from_secs(101));
    assert_eq!(site.sync().await.unwrap().state, State::Published);
    assert_eq!(site.store.calls(), ["fetch new/app", "fetch new/app"]);
}

#[tokio::test]
async fn a_renewed_lease_that_two_generations_have_is_not_given_back_with_the_first() {
    let site = Site::new(&format!("{PAIR}level = {{ source = \"mint\", secret = \"plain\" }}\n"));
    site.sync().await.unwrap();
    site.store.set_plain("2");
    assert_eq!(site.sync().await.unwrap().state, State::Published);
    assert_eq!(site.read("level"), "2");
    site.pass(Duration::from_secs(10));
    let swept = site.sync().await.unwrap();
    assert_eq!(swept.removed_count, 1);
    assert_eq!((site.store.made(), site.store.released().len()), (1, 0));
}

#[tokio::test]
async fn a_file_that_somebody_has_changed_or_removed_is_made_anew() {
    let site = Site::new(PAIR);
    site.sync().await.unwrap();
    fs::write(site.path("user"), "forged").unwrap();
    site.sync().await.unwrap();
    assert_eq!((site.read("user"), site.read("password")), ("user-2".into(), "password-2".into()));
    fs::remove_file(site.path("password")).unwrap();
    site.sync().await.unwrap();
    assert_eq!((site.read("user"), site.read("password")), ("user-3".into(), "password-3".into()));
}

#[tokio::test]
async fn another_line_needs_the_value_and_another_mode_does_not() {
    let mut site = Site::new(PAIR);
    site.sync().await.unwrap();
    let moded = PAIR.replace("field = \"user\"", "field = \"user\", mode = \"0440\"");
    site.configure(&format!("{moded}level = {{ source = \"mint\", secret = \"plain\" }}\n"));
    assert_eq!(site.sync().await.unwrap().state, State::Published);
    assert_eq!((site.store.made(), site.read("user")), (1, "user-1".into()));
    // A file more is made of the same secret, which nobody has any more.
    site.configure(&format!("{PAIR}all = {{ source = \"mint\", secret = \"new/app\" }}\n"));
    site.sync().await.unwrap();
    assert_eq!((site.store.made(), site.read("user")), (2, "user-2".into()));
    // A file less.
    site.configure(PAIR);
    site.sync().await.unwrap();
    // Another transform.
    site.configure(&PAIR.replace("field = \"user\"", "field = \"user\", encode = \"hex\""));
    site.sync().await.unwrap();
    assert_eq!((site.store.made(), site.read("user")), (3, "757365722d33".into()));
}

#[tokio::test]
async fn other_settings_of_the_source_make_it_anew_and_the_same_in_another_order_do_not() {
    let settings = |rest: &str| format!("[sources.mint.issue.web]\n{rest}\n{PAIR}");
    let mut site = Site::new(&settings("parameters = { ttl = \"1h\", names = [\"a\", 1, true] }"));
    site.sync().await.unwrap();
    for (rest, made) in [
        ("parameters = { names = [\"a\", 1, true], ttl = \"1h\" }", 1),
        ("parameters = { ttl = \"2h\", names = [\"a\", 1, true] }", 2),
        ("parameters = { ttl = \"2h\", names = [\"a\", 1, false] }", 3),
        ("parameters = { ttl = \"2h\", names = [\"a\", 1] }", 4),
        ("parameters = { ttl = \"2h\", names = [\"a\", \"1\"] }", 5),
    ] {
        site.configure(&settings(rest));
        site.sync().await.unwrap();
        assert_eq!(site.store.made(), made, "{rest}");
    }
}

#[tokio::test]
async fn an_import_of_its_keys_is_kept_too() {
    let import = "[[import]]\nsource = \"mint\"\nsecret = \"new/app\"\nexpand = \"json\"\ninto = \"db\"\n";
    let site = Site::new(import);
    site.sync().await.unwrap();
    assert_eq!(site.read("db/user"), "user-1");
    assert_eq!(site.sync().await.unwrap().state, State::Unchanged);
    assert_eq!(site.diff().await.state, DifferenceState::Unchanged);
    assert_eq!(site.store.made(), 1);
}

#[tokio::test]
async fn an_optional_field_that_is_not_there_is_no_reason_to_make_it_anew() {
    let site = Site::new(&format!(
        "{PAIR}port = {{ source = \"mint\", secret = \"new/app\", field = \"port\", optional = true }}\n"
    ));
    let first = site.sync().await.unwrap();
    let second = site.sync().await.unwrap();
    assert_eq!(first.left_out, second.left_out);
    assert_eq!(second.left_out.len(), 1);
    assert_eq!((second.state, site.store.made()), (State::Unchanged, 1));
}

#[tokio::test]
async fn a_run_that_fails_gives_back_what_it_has_got() {
    let site = Site::new(&PAIR.replace("field = \"user\"", "field = \"nothing\""));
    site.sync().await.unwrap_err();
    assert_eq!((site.store.made(), site.store.released()), (1, vec!["lease-1".to_owned()]));
    // A run that fails for another reason makes nothing.
    let site = Site::new(&format!("{PAIR}level = {{ source = \"mint\", secret = \"gone\" }}\n"));
    site.sync().await.unwrap_err();
    assert_eq!(site.store.made(), 0);
}

#[tokio::test]
async fn a_request_that_makes_something_is_not_repeated() {
    let site = Site::new("[files]\na = { source = \"mint\", secret = \"new/throttled\" }\n");
    site.sync().await.unwrap_err();
    assert_eq!(site.store.calls(), ["fetch new/throttled"]);
}

fn template(other: &str) -> String {
    format!(
        "[files.env]\ntemplate-text = \"{{{{ db.user }}}} {{{{ other }}}}\"\n[files.env.secrets]\n\
         db = {{ source = \"mint\", secret = \"new/app\", expand = \"json\" }}\n\
         other = {{ source = \"mint\", secret = \"{other}\" }}\n"
    )
}

#[tokio::test]
async fn a_template_is_rendered_anew_only_if_another_secret_of_it_has_changed() {
    let site = Site::new(&template("plain"));
    site.sync().await.unwrap();
    assert_eq!(site.read("env"), "user-1 1");
    assert_eq!(site.sync().await.unwrap().state, State::Unchanged);
    assert_eq!(site.store.made(), 1);
    site.store.set_plain("2");
    assert_eq!(site.diff().await.state, DifferenceState::Changed);
    site.sync().await.unwrap();
    assert_eq!((site.read("env"), site.store.made()), ("user-2 2".into(), 2));
}

#[tokio::test]
async fn a_template_with_a_secret_that_has_no_revision_is_refused_before_anything_is_made() {
    let site = Site::new(&template("unrevised"));
    let failure = site.sync().await.unwrap_err();
    let SyncError::Gather(error) = &failure.error else { panic!("{failure:?}") };
    let told = describe(&error.failures()[0]);
    assert!(told.contains("the template `env` also needs `unrevised` of source `mint`"), "{told}");
    assert!(site.store.calls().iter().all(|call| !call.contains("new/")), "{:?}", site.store.calls());
}

#[tokio::test]
async fn a_run_warns_of_an_end_that_nothing_puts_off() {
    let site = Site::new("[files]\na = { source = \"mint\", secret = \"ending\" }\n");
    assert!(site.sync().await.unwrap().warnings.is_empty());
    site.pass(Duration::from_secs(80));
    let outcome = site.sync().await.unwrap();
    let [warning] = outcome.warnings.as_slice() else { panic!("{:?}", outcome.warnings) };
    assert!(warning.message.contains("less than a third of its life"), "{warning:?}");
}
