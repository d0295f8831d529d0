//! The pages for those who come from another tool: the configuration on each is complete and good.

#[path = "from/consul_template.rs"]
mod consul_template;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Site, is_root};

/// What stands before our configuration on each page.
const HEADING: &str = "\n## With secretdir\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples/from")
}

/// Returns the names of the pages, without the index.
fn pages() -> Vec<String> {
    let names =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".md") && name != "README.md").collect()
}

/// Returns the blocks of TOML after the heading, up to the next one.
fn configurations(page: &str) -> Vec<&str> {
    let section = page.split_once(HEADING).map_or("", |(_, rest)| rest.split("\n## ").next().unwrap());
    section.split("\n```toml\n").skip(1).map(|block| block.split("\n```").next().unwrap()).collect()
}

#[test]
fn every_configuration_is_complete_and_good() {
    // They publish below /run.
    if !is_root("every_configuration_is_complete_and_good") {
        return;
    }
    let pages = pages();
    assert!(pages.len() >= 7, "{pages:?}");
    for name in pages {
        let page = fs::read_to_string(folder().join(&name)).unwrap();
        let configurations = configurations(&page);
        assert!(!configurations.is_empty(), "{name} has no block of TOML after{HEADING}");
        for text in configurations {
            let site = Site::new();
            site.config(text);
            let file = site.path().join("secretdir.toml");
            let ran = site.run(&["check", "--config", file.to_str().unwrap()]);
            assert!(ran.status.success() && ran.stdout.starts_with("ok: "), "{name}: {ran:?}");
            assert_eq!(ran.stderr, "", "{name}");
        }
    }
}

#[test]
fn the_index_lists_every_page() {
    let index = fs::read_to_string(folder().join("README.md")).unwrap();
    for name in pages() {
        assert!(index.contains(&format!("({name})")), "{name}");
    }
}

#[test]
fn only_blocks_after_the_heading_count() {
    let theirs = "# From x\n\n## With x\n\n```toml\na = 1\n```\n";
    assert!(configurations(theirs).is_empty());
    let both = format!(
        "{theirs}{HEADING}\n```toml\nb = 2\n```\n\n```sh\nc\n```\n\n## After\n\n```toml\nd = 3\n```\n"
    );
    assert_eq!(configurations(&both), ["b = 2"]);
}
