//! What a run costs, in system calls. Secrets come from the environment, which costs none.

use crate::support::{Site, Trace, count, is_root, trace};

/// A configuration that publishes so many variables under these names, and the variables.
fn site(names: &[String], directory: &str) -> (Site, Vec<(String, String)>) {
    let site = Site::new();
    let mut config = format!(
        "[directory]\npath = \"out/app\"\n{directory}\n\n[sources.shell]\nprovider = \"env\"\n\n[files]\n"
    );
    let mut variables = Vec::new();
    for (number, name) in names.iter().enumerate() {
        config.push_str(&format!("{name:?} = {{ source = \"shell\", secret = \"V{number}\" }}\n"));
        variables.push((format!("V{number}"), format!("value {number}")));
    }
    site.config(&config);
    (site, variables)
}

fn flat(files: usize) -> Vec<String> {
    (0..files).map(|number| format!("file-{number}")).collect()
}

fn sync(site: &(Site, Vec<(String, String)>)) -> Trace {
    let trace = trace(&site.0, &["sync"], &site.1);
    assert!(trace.ran.status.success(), "{:?}", trace.ran);
    trace
}

/// Returns how many calls each of 100 more files costs in a first publish.
fn calls_per_file(directory: &str) -> f64 {
    let (few, many) = (site(&flat(10), directory), site(&flat(110), directory));
    per_100(&sync(&few), &sync(&many))
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred calls")]
fn per_100(few: &Trace, many: &Trace) -> f64 {
    (many.count() - few.count()) as f64 / 100.0
}

/// Listing a longer directory, and reading a longer configuration, takes a call now and then.
const LISTING: f64 = 0.1;

#[test]
fn a_file_costs_four_calls_to_publish() {
    let calls = calls_per_file("");
    assert!(calls <= 4.0 + LISTING, "{calls}");
}

#[test]
fn a_file_for_another_owner_costs_five() {
    if !is_root("a_file_for_another_owner_costs_five") {
        return;
    }
    let calls = calls_per_file("owner = 65534");
    assert!(calls > 4.5 && calls <= 5.0 + LISTING, "{calls}");
}

#[test]
fn a_directory_costs_six_calls_at_most() {
    let nested: Vec<_> = (0..100).map(|number| format!("dir-{number}/file")).collect();
    let calls = per_100(&sync(&site(&flat(100), "")), &sync(&site(&nested, "")));
    assert!(calls <= 6.0 + LISTING, "{calls}");
}

#[test]
fn a_file_costs_four_calls_to_compare() {
    let (few, many) = (site(&flat(10), ""), site(&flat(110), ""));
    sync(&few);
    sync(&many);
    let calls = per_100(&sync(&few), &sync(&many));
    assert!(calls > 3.0 && calls <= 4.0 + LISTING, "{calls}");
}

#[test]
fn everything_else_costs_sixty_calls_at_most() {
    let site = site(&[], "");
    // P must be there already: making parents is not what is counted.
    std::fs::create_dir(site.0.path().join("out")).unwrap();
    let trace = sync(&site);
    let calls = trace.since("/out\"");
    assert!(calls.iter().any(|call| call.name == "renameat2"), "{calls:#?}");
    assert!(count(calls) <= 60, "{}: {calls:#?}", count(calls));
}
