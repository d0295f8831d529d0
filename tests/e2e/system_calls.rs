//! What a run costs, in system calls. Secrets come from the environment, which costs none.

use crate::support::{Ran, Site, Trace, count, is_root, trace};

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

/// Publishes so many generations, of which all are kept.
fn publish(site: &mut (Site, Vec<(String, String)>), generations: usize) {
    for generation in 0..generations {
        site.1[0].1 = format!("value of generation {generation}");
        let variables = site.1.iter().map(|(name, value)| (name, value));
        Ran::of(site.0.command(&["sync"]).envs(variables)).expect_exit(0);
    }
}

/// Returns how many calls there are from the start of the command to that of a program in its place: all of them.
fn calls_to_exec(site: &Site) -> usize {
    let trace = trace(site, &["exec", "--", "true"], &[]);
    assert!(trace.ran.status.success(), "{:?}", trace.ran);
    assert!(
        !trace.calls.iter().any(|call| call.name == "openat" && call.line.contains("file-")),
        "{:#?}",
        trace.calls
    );
    let started =
        |line: &str| line.starts_with("execve(") && line.ends_with("= 0") && line.contains("[\"true\"]");
    trace.calls.iter().position(|call| started(&call.line)).unwrap() + 1
}

const EXEC: usize = 200;

#[test]
fn a_program_is_started_with_200_calls_whatever_is_published() {
    let mut few = site(&flat(1), "");
    publish(&mut few, 1);
    let mut many = site(&flat(1000), "");
    publish(&mut many, 4);
    let (few, many) = (calls_to_exec(&few.0), calls_to_exec(&many.0));
    assert!(many <= EXEC && many <= few + 25, "{many}, and {few} with little published");
}

#[test]
fn a_program_is_started_with_200_calls_however_large_the_configuration_is() {
    let mut site = site(&flat(1), "");
    publish(&mut site, 1);
    let config = site.0.path().join("secretdir.toml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    let file = |number| format!("file{number} = {{ source = \"shell\", secret = \"V{number}\" }}\n");
    text.extend((1..5000).map(file));
    text.push_str("[profiles.other.files]\n");
    text.extend((1..5000).map(file));
    std::fs::write(config, text).unwrap();
    let calls = calls_to_exec(&site.0);
    assert!(calls <= EXEC, "{calls}");
}

/// The files of a superseded generation are not looked at: its pin is. `diff` looks at the current one alone.
#[test]
fn a_superseded_generation_costs_20_calls_to_tell_of_however_many_files_it_has() {
    let mut site = site(&flat(100), "");
    publish(&mut site, 1);
    let looked = |site: &(Site, Vec<(String, String)>), command| trace(&site.0, &[command], &site.1).count();
    let (status, diff) = (looked(&site, "status"), looked(&site, "diff"));
    publish(&mut site, 11);
    for (command, before, each) in [("status", status, 20), ("diff", diff, 0)] {
        let calls = looked(&site, command);
        assert!(
            calls <= before + each * 11 + 5,
            "{command}: {calls}, and {before} without superseded generations"
        );
    }
}
