//! From what is written to what is planned.

use std::num::NonZeroUsize;
use std::time::Duration;

use secretdir_provider::{KeyPath, Segment, Table};

use super::sources::Sources;
use super::{GatherLimits, OnChange, Plan, directory, files, imports};
use crate::config::profile;
use crate::config::report::Report;
use crate::config::section::{self, GatherSection, OnChangeSection};
use crate::{Config, ConfigError, Registry};

/// The deadline of the whole gathering, if nothing else is said.
pub(crate) const GATHER_TIMEOUT: Duration = Duration::from_secs(60);

/// The requests in flight for each source, if nothing else is said.
pub(crate) const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// How long the command may run, if nothing else is said.
pub(crate) const ON_CHANGE_TIMEOUT: Duration = Duration::from_secs(30);

impl Config {
    /// Makes a plan of the configuration. Reads nothing but the templates that it names, so that any machine gives the same;
    /// only the warnings about owners depend on who runs this.
    ///
    /// # Errors
    ///
    /// Everything that is wrong anywhere in the file, sorted by line. What depends on something wrong is checked as far
    /// as it can be; nothing is reported only because something else is wrong.
    pub fn resolve(self, registry: &Registry) -> Result<Plan, ConfigError> {
        let mut report = Report::on(&self);
        section::check_top(&self.table, &mut report);
        profile::check(&self.table, &mut report);
        let directory = directory::resolve(&self, &mut report);
        let on_change = on_change(&self.table, &mut report);
        let gather = gather(&self.table, &mut report);
        let mut sources = Sources::resolve(&self, registry, &mut report);
        let files = files::resolve(&self, &directory, &mut sources, &mut report);
        let imports = imports::resolve(&self, &directory, &mut sources, &mut report);
        let sources = sources.finish(&mut report);
        let warnings = report.finish()?;
        Ok(Plan {
            config_file: self.file,
            link: directory.link,
            link_name: directory.name,
            directory: directory.attributes,
            retain: directory.retain,
            durability: directory.durability,
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
    }
}

fn on_change(top: &Table, report: &mut Report<'_>) -> Option<OnChange> {
    let section: OnChangeSection = section::read_if_there(top, "on-change", report)?;
    let timeout = section.timeout.unwrap_or(ON_CHANGE_TIMEOUT);
    let command = section.command?;
    check_no_nul(&command, report);
    let mut words = command.into_iter();
    let program = words.next().filter(|program| !program.is_empty());
    if program.is_none() {
        let message =
            r#"names no program; expected one and its arguments, such as ["systemctl", "reload", "app"]"#;
        report.error(&KeyPath::of(["on-change", "command"]), message);
    }
    Some(OnChange { program: program?, arguments: words.collect(), timeout })
}

fn check_no_nul(command: &[String], report: &mut Report<'_>) {
    for (index, _) in command.iter().enumerate().filter(|(_, word)| word.contains('\0')) {
        let element = KeyPath::from(&[Segment::Index(index)][..]);
        report.error(&KeyPath::of(["on-change", "command"]).join(&element), "has a NUL character");
    }
}
