//! Resolves a configuration into a plan.

mod advice;
mod directory;
mod entry;
mod files;
mod hooks;
mod imports;
mod location;
mod selection;
mod sources;
mod templates;
mod transforms;
mod watching;

use std::num::NonZeroU64;
use std::path::Path;

use secretdir_provider::Table;

use super::planned::{GatherLimits, Plan};
use crate::config::Config;
use crate::config::defaults::{CONCURRENCY, GATHER_TIMEOUT, MAX_BYTES};
use crate::config::profile;
use crate::config::report::{Findings, Report};
use crate::config::section::{self, GatherSection};
use crate::problem::ConfigError;
use crate::registry::Registry;

use sources::Sources;

impl Plan {
    /// Reads a configuration and resolves it into a plan, with a profile if one is given.
    ///
    /// # Errors
    ///
    /// Every mistake in it; see [`Config::read`], [`Config::with_profile`] and [`Config::resolve`].
    pub fn read(path: &Path, profile: Option<&str>, registry: &Registry) -> Result<Self, ConfigError> {
        let config = Config::read(path)?;
        match profile {
            Some(profile) => config.with_profile(profile)?.resolve(registry),
            None => config.resolve(registry),
        }
    }

    /// Makes the plan again from the current content of the files.
    pub(crate) fn renewed(&self, registry: &Registry) -> Result<Self, ConfigError> {
        match &self.unrepeatable {
            Some(config) => config.clone().resolve(registry),
            None => Self::read(&self.config_file, self.profile.as_deref(), registry),
        }
    }
}

impl Config {
    /// Resolves the configuration into a plan. Only its templates are read, so the result is the same on every machine. One
    /// exception: root refuses a template that another user could change.
    ///
    /// # Errors
    ///
    /// Every mistake in the file, sorted by line. Settings that depend on an invalid one are validated as far as possible.
    /// No error is reported that only follows from another one.
    pub fn resolve(self, registry: &Registry) -> Result<Plan, ConfigError> {
        let unrepeatable = self.is_unrepeatable().then(|| self.clone());
        let mut report = Report::on(&self);
        section::check_top(&self.table, &mut report);
        profile::check(&self.table, &mut report);
        let directory = directory::resolve(&self, &mut report);
        let verify = hooks::verify(&self, &mut report);
        let on_change = hooks::on_change(&self, directory.name.as_ref(), &mut report);
        let gather = gather(&self.table, &mut report);
        let mut sources = Sources::resolve(&self, registry, &mut report);
        let files = files::resolve(&self, &directory, &mut sources, &mut report);
        let imports = imports::resolve(&self, &directory, &mut sources, &mut report);
        let watch = watching::resolve(&self, &sources, &mut report);
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
            verify,
            on_change,
            watch,
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
