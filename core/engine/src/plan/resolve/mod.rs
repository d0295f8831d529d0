//! From what is written to what is planned.

mod advice;
mod directory;
mod entry;
mod files;
mod imports;
mod location;
mod selection;
mod sources;
mod templates;

use std::num::NonZeroU64;
use std::path::Path;

use secretdir_provider::{KeyPath, Segment, Table, Value};

use super::planned::{GatherLimits, OnChange, Plan};
use crate::config::Config;
use crate::config::defaults::{CONCURRENCY, GATHER_TIMEOUT, MAX_BYTES, ON_CHANGE_TIMEOUT};
use crate::config::profile;
use crate::config::report::{Findings, Report};
use crate::config::section::{self, GatherSection, OnChangeSection};
use crate::problem::ConfigError;
use crate::registry::Registry;
use secretdir_template::Sandbox;

use sources::Sources;

/// What is said of a command for a shell.
const NO_SHELL: &str = "write the program and each argument by themselves, such as [\"systemctl\", \"--no-block\", \"reload\", \"app\"], \
     or start a shell: [\"sh\", \"-c\", \"…\"]";

impl Plan {
    /// Reads a configuration and makes a plan of it, with a profile if one is named.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; see [`Config::read`], [`Config::with_profile`] and [`Config::resolve`].
    pub fn read(path: &Path, profile: Option<&str>, registry: &Registry) -> Result<Self, ConfigError> {
        let config = Config::read(path)?;
        match profile {
            Some(profile) => config.with_profile(profile)?.resolve(registry),
            None => config.resolve(registry),
        }
    }

    /// Makes the plan anew, of what the files say now.
    pub(crate) fn renewed(&self, registry: &Registry) -> Result<Self, ConfigError> {
        match &self.unrepeatable {
            Some(config) => config.clone().resolve(registry),
            None => Self::read(&self.config_file, self.profile.as_deref(), registry),
        }
    }
}

impl Config {
    /// Makes a plan of the configuration. Reads nothing but the templates that it names, so that any machine gives the same;
    /// only the warnings about owners depend on who runs this.
    ///
    /// # Errors
    ///
    /// Everything that is wrong anywhere in the file, sorted by line. What depends on something wrong is checked as far
    /// as it can be; nothing is reported only because something else is wrong.
    pub fn resolve(self, registry: &Registry) -> Result<Plan, ConfigError> {
        let unrepeatable = self.is_unrepeatable().then(|| self.clone());
        let mut report = Report::on(&self);
        section::check_top(&self.table, &mut report);
        profile::check(&self.table, &mut report);
        let directory = directory::resolve(&self, &mut report);
        let on_change = on_change(&self, &mut report);
        let gather = gather(&self.table, &mut report);
        let sandbox = Sandbox::default();
        let mut sources = Sources::resolve(&self, registry, &mut report);
        let files = files::resolve(&self, &directory, &mut sources, &mut report, &sandbox);
        let imports = imports::resolve(&self, &directory, &mut sources, &mut report, &sandbox);
        let sources = sources.finish(&mut report);
        let Findings { warnings, inputs, mentions } = report.finish()?;
        Ok(Plan {
            folder: self.own_folder(),
            unrepeatable,
            config_file: self.file,
            profile: self.profile,
            inputs,
            mentions,
            link: directory.link,
            link_name: directory.name,
            directory: directory.attributes,
            retain: directory.retain,
            durability: directory.durability,
            parents: directory.parents,
            on_change,
            gather,
            sources,
            files,
            imports,
            warnings,
        })
    }
}

fn gather(top: &Table, report: &mut Report<'_>) -> GatherLimits {
    let section: GatherSection = section::read_if_there(top, "gather", report).unwrap_or_default();
    GatherLimits {
        timeout: section.timeout.unwrap_or(GATHER_TIMEOUT),
        concurrency: section.concurrency.unwrap_or(CONCURRENCY),
        max_bytes: section.max_bytes.map_or(MAX_BYTES, NonZeroU64::get),
    }
}

fn on_change(config: &Config, report: &mut Report<'_>) -> Option<OnChange> {
    let at = KeyPath::from("on-change");
    let mut table = section::as_table(config.table.get("on-change")?, &at, report)?.clone();
    split_command(&mut table, report);
    let section: OnChangeSection = section::read(&table, &at, report);
    let timeout = section.timeout.unwrap_or(ON_CHANGE_TIMEOUT);
    let command = section.command?;
    check_no_nul(&command, report);
    let mut words = command.into_iter();
    let program = words.next().filter(|program| !program.is_empty());
    if program.is_none() {
        let message = r#"names no program; expected one and its arguments, such as ["systemctl", "--no-block", "reload", "app"]"#;
        report.error(&KeyPath::from(["on-change", "command"]), message);
    }
    let program = program.filter(|program| !program.contains('\0'))?;
    if let Err(error) = config.settings(Table::new()).program("command", &program) {
        report.settings(&KeyPath::from("on-change"), &error);
    }
    Some(OnChange { program, arguments: words.collect(), timeout })
}

/// Reports a command that is one text, as for a shell, and goes on with its words.
fn split_command(table: &mut Table, report: &mut Report<'_>) {
    let at = KeyPath::from(["on-change", "command"]);
    let (line, message) = match table.get("command") {
        Some(Value::String(line)) => (line, "expected an array, found a string"),
        Some(Value::Array(words)) => match words.as_slice() {
            // A name with a space can only be meant if it is a path.
            [Value::String(line)] if line.contains(char::is_whitespace) && !line.contains('/') => {
                (line, "the program and its arguments are one string, and no shell takes it apart")
            }
            _ => return,
        },
        _ => return,
    };
    let words: Vec<_> = line.split_whitespace().map(Value::from).collect();
    report.error(&at, format!("{message}: {}", as_array(line)));
    table.insert("command".to_owned(), Value::Array(words));
}

/// Says how a command is written that no shell reads. One that only a shell understands is not quoted.
fn as_array(line: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || c.is_whitespace() || "-_./:@=,+%".contains(c);
    if line.trim().is_empty() || !line.chars().all(is_plain) {
        return NO_SHELL.to_owned();
    }
    let words: Vec<_> = line.split_whitespace().map(|word| format!("\"{word}\"")).collect();
    format!("write [{}]", words.join(", "))
}

fn check_no_nul(command: &[String], report: &mut Report<'_>) {
    for (index, _) in command.iter().enumerate().filter(|(_, word)| word.contains('\0')) {
        let element = KeyPath::from(&[Segment::Index(index)][..]);
        report.error(&KeyPath::from(["on-change", "command"]).join(&element), "has a NUL character");
    }
}
