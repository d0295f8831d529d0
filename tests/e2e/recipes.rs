//! The recipes for `exec`: each block of the page is a good configuration, and where the tool can be had it is run.

mod bao;
mod files;
mod servers;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Command;

use secretdir_testkit::programs;

use crate::support::{Ran, Site};

const PAGE: &str = include_str!("../../docs/recipes.md");

/// The headings of the page that are no tool's.
const OTHER_HEADINGS: [&str; 1] = ["Rules for all of them"];

/// A site with the block of a tool, as it is on the page, and the tool's variables.
struct Recipe {
    site: Site,
    variables: Vec<(&'static str, String)>,
}

/// Returns the names of all tools that have a block.
fn tools() -> Vec<&'static str> {
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix("## "));
    headings.filter(|heading| !OTHER_HEADINGS.contains(heading)).collect()
}

/// Returns the only block of TOML after the heading of a tool.
fn block(tool: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n## {tool}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let [block] = section.split("\n```toml\n").skip(1).collect::<Vec<_>>()[..] else {
        panic!("{tool} does not have one block of TOML")
    };
    block.split("\n```").next().unwrap()
}

/// Returns a path of programs in which the tools of the tests come first.
fn path() -> OsString {
    let folders = std::env::var_os("PATH").unwrap();
    std::env::join_paths(std::iter::once(programs()).chain(std::env::split_paths(&folders))).unwrap()
}

impl Recipe {
    fn of(tool: &str) -> Self {
        let site = Site::new();
        site.config(&format!("[directory]\npath = \"out/app\"\n\n{}\n", block(tool)));
        Self { site, variables: Vec::new() }
    }

    fn prepare(&self, command: &mut Command) {
        self.site.prepare(command);
        command.env("PATH", path()).envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    /// Runs a script in the folder of the configuration, with the variables of the tool.
    fn shell(&self, script: &str) -> Ran {
        let mut bash = Command::new("bash");
        self.prepare(bash.args(["-c", &format!("set -euo pipefail\n{script}")]));
        Ran::of(&mut bash).expect_exit(0)
    }

    fn run(&self, command: &str) -> Ran {
        let mut command = self.site.command(&[command]);
        self.prepare(&mut command);
        Ran::of(&mut command)
    }

    /// Publishes, and expects these files and no others.
    #[track_caller]
    fn publishes(&self, files: &[(&str, &str)]) {
        let ran = self.run("sync").expect_exit(0);
        assert!(ran.stdout.starts_with(&format!("published {}", files.len())), "{ran:?}");
        assert_eq!(ran.stderr, "");
        for (name, value) in files {
            assert_eq!(self.site.read(name), value.as_bytes(), "{name}");
        }
    }
}

#[test]
fn check_accepts_every_block() {
    for tool in tools() {
        let ran = Recipe::of(tool).run("check").expect_exit(0);
        assert!(ran.stdout.starts_with("ok: ") && ran.stderr.is_empty(), "{tool}: {ran:?}");
    }
}

/// The page says which tools are run. These are the ones with a test below.
#[test]
fn the_table_names_every_tool_once() {
    let row = |text: &str| PAGE.lines().find(|line| line.starts_with('|') && line.contains(text)).unwrap();
    let names = |row: &'static str| {
        let cell = row.split('|').nth(1).unwrap();
        cell.split('`').skip(1).step_by(2).collect::<Vec<_>>()
    };
    let run = names(row("the tests run the tool"));
    let checked = names(row("the tool itself is not run"));
    assert_eq!(run, ["age", "bao", "doppler", "kubectl", "pass", "sops"]);
    let named: Vec<_> = run.into_iter().chain(checked).collect();
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), tools().into_iter().collect());
    assert_eq!(named.len(), tools().len());
}
