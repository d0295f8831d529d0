//! What names from a store come to.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secretdir_provider::{
    Listed, Provider, Retry, RunContext, Secret, SecretRequest, SecretSource, Settings, SettingsError,
    SourceError, SourceErrorKind, async_trait,
};

use super::*;
use crate::test_host::gathered;
use crate::{Config, GatherError, GatherFailure, Registry, describe};

/// A store that has what a test says: the settings are its secrets.
struct Shelf;

/// Its secrets, and how often it was asked for a list.
struct Stored(BTreeMap<String, String>, AtomicUsize);

impl Provider for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(Stored(settings.parse()?, AtomicUsize::new(0))))
    }
}

#[async_trait]
impl SecretSource for Stored {
    async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        match self.0.get(request.name()).map(String::as_str) {
            None | Some("vanished") => {
                Err(SourceError::new(SourceErrorKind::NotFound).with_cause("not there"))
            }
            Some("throttled") => {
                let throttled = SourceError::new(SourceErrorKind::Throttled);
                Err(throttled.with_retry(Retry::After(Duration::from_secs(1))))
            }
            Some("denied") => {
                Err(SourceError::new(SourceErrorKind::PermissionDenied).with_cause("not for you"))
            }
            Some(value) => Ok(Secret::new(value)),
        }
    }

    async fn list(&self, _: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        let later = Retry::After(Duration::from_secs(7));
        let asked = self.1.fetch_add(1, Ordering::SeqCst) + 1;
        match prefix {
            "busy, then hangs/" if asked > 1 => std::future::pending().await,
            "count/" => {
                let more = format!("count/listing-{asked}");
                Ok(self.0.keys().cloned().chain([more]).map(Listed::new).collect())
            }
            "busy/" | "busy, then hangs/" => {
                Err(SourceError::new(SourceErrorKind::Throttled).with_cause("later").with_retry(later))
            }
            "hangs/" => std::future::pending().await,
            "panics/" => panic!("canary"),
            _ => Ok(self.0.keys().rev().filter(|name| name.starts_with(prefix)).map(Listed::new).collect()),
        }
    }
}

/// Plans what follows, with a source `s` that has these secrets.
fn plan(secrets: &[(&str, &str)], rest: &str) -> Plan {
    let mut registry = Registry::new();
    registry.register(Box::new(Shelf)).unwrap();
    // A text of JSON is one of TOML.
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let secrets: String =
        secrets.iter().map(|(name, value)| format!("{} = {}\n", quoted(name), quoted(value))).collect();
    let text = format!("directory.path = 'app'\n[sources.s]\nprovider = 'shelf'\n{secrets}{rest}");
    Config::parse(&text, Path::new("x.toml")).unwrap().resolve(&registry).unwrap()
}

const BELOW: &str = "[[import]]\nsource = 's'\nprefix = 'app/'\nstrip-prefix = 'app/'\n";
const KEYS: &str = "[[import]]\nsource = 's'\nsecret = 'json'\nexpand = 'json'\n";

/// Tells failures, without the line of the configuration.
fn told(failures: &[GatherFailure]) -> Vec<String> {
    failures.iter().map(|failure| without_line(&describe(failure))).collect()
}

fn without_line(text: &str) -> String {
    let rest = text.strip_prefix("x.toml:").and_then(|rest| rest.split_once(": "));
    rest.map_or(text, |(_, rest)| rest).to_owned()
}

/// Returns the names of all files, and what is overridden.
async fn completed(secrets: &[(&str, &str)], rest: &str) -> Result<(Vec<String>, Vec<String>), Vec<String>> {
    let plan = plan(secrets, rest);
    let gathered = gathered(&plan).await.result;
    let answers = gathered.map_err(|faults| told(GatherError::of_faults(&plan, faults).failures()))?;
    let (set, faults) = complete(&plan, &answers);
    if !faults.is_empty() {
        return Err(told(GatherError::of_bundle_faults(&plan, faults).failures()));
    }
    let overridden = set.overridden.iter().map(|text| without_line(text)).collect();
    Ok((set.files.iter().map(|(name, _)| name.to_string()).collect(), overridden))
}

async fn files(secrets: &[(&str, &str)], rest: &str) -> Vec<String> {
    completed(secrets, rest).await.unwrap().0
}

async fn faults(secrets: &[(&str, &str)], rest: &str) -> Vec<String> {
    completed(secrets, rest).await.unwrap_err()
}

#[tokio::test]
async fn each_secret_below_a_prefix_becomes_a_file() {
    let secrets = [("app/b", "1"), ("app/a/c", "2"), ("apple", "3"), ("app/z.old", "4"), ("x", "5")];
    assert_eq!(files(&secrets, BELOW).await, ["a/c", "b", "z.old"]);
    assert_eq!(
        files(&secrets, &format!("{BELOW}into = 'in'\nexclude = ['*.old']")).await,
        ["in/a/c", "in/b"]
    );
    assert_eq!(
        files(&secrets, &format!("{BELOW}[files]\nx = {{source = 's', secret = 'x'}}")).await.len(),
        4
    );
    assert_eq!(files(&secrets, "[[import]]\nsource = 's'\nprefix = ''").await.len(), 5);
}

#[tokio::test]
async fn each_key_of_a_secret_becomes_a_file_whatever_it_holds() {
    let json =
        r#"{"with-hyphen": 1, "a.b": 2, "dir/file": 3, "with space": 4, "\u00fc": 5, "~": 6, "a.b": 7}"#;
    assert_eq!(
        files(&[("json", json)], KEYS).await,
        ["a.b", "dir/file", "with space", "with-hyphen", "~", "\u{fc}"]
    );
    let one = format!("{KEYS}strip-prefix = 'with'\ninclude = ['-*']\ninto = 'in'");
    assert_eq!(files(&[("json", json)], &one).await, ["in/-hyphen"]);
}

#[tokio::test]
async fn a_name_that_no_file_can_have_is_named_with_the_file_that_it_would_be() {
    let secrets = [("app//x", "1"), ("app/../y", "2"), ("app/ok", "3"), ("app/.app.gen-x", "4")];
    assert_eq!(
        faults(&secrets, BELOW).await,
        [
            "import[0]: the secrets below `app/` of source `s`: `app/../y` cannot become the file `../y`: \
             the name has a `..` component",
            "import[0]: the secrets below `app/` of source `s`: `app/.app.gen-x` cannot become the file `.app.gen-x`: \
             the name starts with `.app.`, which is reserved for generations, notes and locks",
            "import[0]: the secrets below `app/` of source `s`: `app//x` cannot become the file `/x`: \
             the name must be relative, without a leading `/`",
        ]
    );
    let json = r#"{"": 1, "a\u0000b": 2, "/a": 3}"#;
    let found = faults(&[("json", json)], KEYS).await;
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].ends_with("`` cannot become the file ``: the name is empty"), "{found:?}");
    let found = faults(&[("json", r#"{"a": 1, "b-c": 2}"#)], &format!("{KEYS}strip-prefix = 'b-'")).await;
    assert_eq!(found, ["import[0]: secret `json` of source `s`: `a` does not begin with `strip-prefix`"]);
}

#[tokio::test]
async fn two_that_come_to_the_same_file_are_both_named() {
    let secrets = [("app/x", "1"), ("json", r#"{"x": 1, "y/z": 2}"#), ("app/y", "3")];
    assert_eq!(
        faults(&secrets, &format!("{BELOW}{KEYS}")).await,
        [
            "import[1]: secret `json` of source `s`: `x` of import[1] cannot become the file `x`, \
             which `app/x` of import[0] is already",
            "import[1]: secret `json` of source `s`: `y/z` of import[1] cannot become a file beside `app/y` of import[0]: \
             `y` cannot be a file, because `y/z` is inside it",
        ]
    );
    let composed = [("app/\u{e9}", "1"), ("app/e\u{301}", "2")];
    let found = faults(&composed, BELOW).await;
    let unseen = "is already (both look the same, but have different code points of Unicode)";
    assert!(found.len() == 1 && found[0].ends_with(unseen), "{found:?}");
    for (secret, file) in [("app/e\u{301}", "\u{e9}"), ("app/\u{e9}", "e\u{301}")] {
        let rest = format!("{BELOW}[files]\n'{file}' = {{source = 's', secret = 'x'}}");
        let found = faults(&[(secret, "1"), ("x", "1")], &rest).await;
        assert!(found.len() == 1 && found[0].ends_with(unseen), "{found:?}");
    }
    let found = faults(&secrets, &format!("{BELOW}[files]\n'x/a' = {{source = 's', secret = 'json'}}")).await;
    assert!(
        found[0].contains("`app/x` of import[0] cannot become a file beside `x/a` of [files]"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_file_of_its_own_wins_and_what_it_hides_is_not_fetched() {
    let secrets = [("app/x", "denied"), ("app/y", "1"), ("json", r#"{"x": 1, "z": 2}"#)];
    let rest = format!("{BELOW}{KEYS}[files]\nx = {{source = 's', secret = 'json'}}");
    let (files, overridden) = completed(&secrets, &rest).await.unwrap();
    assert_eq!(files, ["x", "y", "z"]);
    assert_eq!(
        overridden,
        [
            "import[0]: `app/x` is not imported: `x` of [files] wins",
            "import[1]: `x` is not imported: `x` of [files] wins",
        ]
    );
}

#[tokio::test]
async fn nothing_is_an_error_unless_it_may_be() {
    let none = "import[0]: the secrets below `app/` of source `s`: there is nothing to import";
    assert_eq!(faults(&[("x", "1")], BELOW).await, [none]);
    let left = "import[0]: the secrets below `app/` of source `s`: there is nothing to import: `include` and `exclude` leave none of 1 name";
    assert_eq!(faults(&[("app/x", "1")], &format!("{BELOW}exclude = ['*']")).await, [left]);
    let no_keys =
        "import[0]: secret `json` of source `s`: there is nothing to import: the object has no keys";
    assert_eq!(faults(&[("json", "{}")], KEYS).await, [no_keys]);
    for (secrets, rest) in [([("x", "1")], BELOW), ([("json", "{}")], KEYS)] {
        assert_eq!(files(&secrets, &format!("{rest}allow-empty = true")).await, [""; 0]);
    }
}

#[tokio::test]
async fn what_cannot_be_expanded_says_why_and_shows_nothing() {
    for (value, words) in [
        ("canary", "the secret is not JSON: syntax error at line 1, column 1"),
        ("[\"canary\"]", "the secret has no keys: it is JSON, but not an object"),
        ("{\"canary\": 1", "the secret is not JSON: it ends early at line 1, column 12"),
        ("{\"\\ud800\": 1}", "the secret has a key that is not Unicode: it has half of a surrogate pair"),
    ] {
        assert_eq!(
            faults(&[("json", value)], KEYS).await,
            [format!("import[0]: secret `json` of source `s`: {words}")]
        );
    }
    let missing = faults(&[("other", "1")], KEYS).await;
    assert_eq!(missing, ["import[0]: secret `json` of source `s`: not found: not there"]);
}

#[tokio::test]
async fn what_was_listed_must_be_there() {
    let secrets = [("app/x", "vanished"), ("app/y", "denied")];
    let rest = format!("{BELOW}[files]\na = {{source = 's', secret = 'app/x', optional = true}}");
    assert_eq!(
        faults(&secrets, &rest).await,
        [
            "import[0]: secret `app/x` of source `s`: not found: not there",
            "import[0]: secret `app/y` of source `s`: permission denied: not for you",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_fails_is_told_beside_the_rest() {
    let import = |prefix: &str| format!("[[import]]\nsource = 's'\nprefix = '{prefix}'\n");
    let rest = ["busy/", "panics/", "app/"].map(import).concat();
    let rest = format!("{rest}[files]\nx = {{source = 's', secret = 'none'}}");
    let start = tokio::time::Instant::now();
    assert_eq!(
        faults(&[("app/x", "1")], &rest).await,
        [
            "import[0]: the secrets below `busy/` of source `s`: throttled: later",
            "import[1]: the secrets below `panics/` of source `s`: failed: the provider `shelf` panicked: \
             a mistake in the provider, not in the configuration",
            "file `x`: secret `none` of source `s`: not found: not there",
        ]
    );
    // It was asked for seven seconds, again and again, until the deadline of a minute.
    assert!((49..60).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let found = faults(&[("app/x", "1")], &import("hangs/")).await;
    let late =
        "import[0]: the secrets below `hangs/` of source `s`: timed out: the deadline of the run passed";
    assert_eq!(found, [late]);
}

#[tokio::test]
async fn a_failure_is_told_of_the_import_that_wants_the_secret() {
    let secrets = [("app/a", "1"), ("app/b1", "denied")];
    let rest = format!("{BELOW}include = ['a*']\n[[import]]\nsource = 's'\nprefix = 'app/b'\ninto = 'b'");
    let denied = "import[1]: secret `app/b1` of source `s`: permission denied: not for you";
    assert_eq!(faults(&secrets, &rest).await, [denied]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_the_deadline_cuts_off_keeps_the_error_that_it_had() {
    let rest = "[[import]]\nsource = 's'\nprefix = 'busy, then hangs/'";
    let busy = "import[0]: the secrets below `busy, then hangs/` of source `s`: throttled: later";
    assert_eq!(faults(&[("app/x", "1")], rest).await, [busy]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_help_any_more_is_not_asked_again() {
    let rest = "[[import]]\nsource = 's'\nprefix = 'panics/'\n[files]\nx = {source = 's', secret = 'x'}";
    let start = tokio::time::Instant::now();
    assert_eq!(faults(&[("x", "throttled")], rest).await.len(), 2);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn two_imports_below_one_prefix_see_one_listing() {
    let secrets = [("count/a", "1"), ("count/b", "2")];
    let import =
        |name: &str| format!("[[import]]\nsource = 's'\nprefix = 'count/'\ninclude = ['count/{name}']\n");
    // The store has one more secret each time that it is asked.
    assert_eq!(files(&secrets, &["a", "b"].map(import).concat()).await, ["count/a", "count/b"]);
    let none = faults(&secrets, &["a", "listing-2"].map(import).concat()).await;
    assert!(none.len() == 1 && none[0].starts_with("import[1]: "), "{none:?}");
}

#[tokio::test]
async fn a_secret_of_many_keys_is_read_once_for_all_of_them() {
    let json: String = (0..40_000).map(|number| format!("\"key-{number}\": \"value {number}\",")).collect();
    let json = format!("{{{}}}", json.trim_end_matches(','));
    let plan = plan(&[("json", &json)], KEYS);
    let answers = gathered(&plan).await.result.unwrap();
    let start = std::time::Instant::now();
    let bundle = crate::bundle::Bundle::assemble(&plan, &answers).await.unwrap();
    assert_eq!(bundle.len(), 40_000);
    // Were it read for each key, it would be for an hour.
    assert!(start.elapsed() < Duration::from_secs(300), "{:?}", start.elapsed());
}

proptest::proptest! {
    /// Whatever a store calls its secrets, a file is where it belongs or an error tells of it.
    #[test]
    fn arbitrary_names_are_files_or_faults(names in proptest::collection::vec("[a./~ \u{e9}\\u{0}]{0,6}", 0..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let secrets: Vec<_> = names.iter().map(|name| (format!("app/{name}"), "1")).collect();
        let secrets: BTreeMap<_, _> = secrets.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let secrets: Vec<_> = secrets.into_iter().collect();
        match runtime.block_on(completed(&secrets, &format!("{BELOW}allow-empty = true"))) {
            Ok((files, _)) => proptest::prop_assert_eq!(files.len(), secrets.len()),
            Err(faults) => proptest::prop_assert!(!faults.is_empty()),
        }
    }
}
