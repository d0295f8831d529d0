//! Resolves the location of a published set.
//!
//! Commands that only read a set may run often, for example each time that a program starts. So they parse only
//! `[directory]`, and the changes of the profile to it. Their memory does not grow with the rest of the configuration.

use std::path::Path;

use secretdir_provider::{Table, Value};

use super::directory;
use crate::config::Config;
use crate::config::report::Report;
use crate::plan::location::Location;
use crate::problem::ConfigError;

impl Location {
    /// Reads the location at which a configuration publishes, with a profile if one is given. The path is relative to the
    /// current folder if that of the configuration file is.
    ///
    /// Only `[directory]` and the changes of the profile to it are resolved. So a mistake elsewhere or a missing template
    /// does not block access to the published set.
    ///
    /// # Errors
    ///
    /// - the file cannot be read, or is not TOML
    /// - there is no such profile
    /// - every mistake in `[directory]`
    pub fn read(path: &Path, profile: Option<&str>) -> Result<Self, ConfigError> {
        Self::of(Config::read_directory(path)?, profile)
    }

    /// Returns the location at which a configuration publishes. Its other sections are ignored.
    fn of(mut config: Config, profile: Option<&str>) -> Result<Self, ConfigError> {
        keep_directory(&mut config.table);
        let config = match profile {
            Some(profile) => config.with_profile(profile)?,
            None => config,
        };
        let mut report = Report::on(&config);
        let directory = directory::resolve(&config, &mut report);
        report.finish()?;
        Ok(Self { link: directory.link, parents: directory.parents })
    }
}

/// Removes all sections except `[directory]`, also from the profiles.
fn keep_directory(top: &mut Table) {
    top.retain(|section, _| ["directory", "profiles"].contains(&section));
    let Some(Value::Table(profiles)) = top.get_mut("profiles") else { return };
    profiles.retain(|_, profile| {
        if let Value::Table(sections) = profile {
            sections.retain(|section, _| section == "directory");
        }
        true
    });
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn link(text: &str, profile: Option<&str>) -> Result<PathBuf, String> {
        let config = Config::parse(text, Path::new("conf/x.toml")).unwrap();
        Location::of(config, profile).map(|place| place.link).map_err(|error| error.to_string())
    }

    #[test]
    fn the_link_is_known_whatever_is_wrong_elsewhere() {
        let text = "bogus = 1\nfiles = 3\n[directory]\npath = \"out/app\"\n[sources.a]\nprovider = \"none\"\n\
                    [profiles.dev]\nbogus = 1\nfiles.gone = false\nimport = false\ndirectory.path = \"/dev/app\"\n\
                    [profiles]\nodd = 1\n[profiles.bare]\nfiles = 3\n";
        for (profile, expected) in [
            (None, "conf/out/app"),
            (Some("dev"), "/dev/app"),
            (Some("odd"), "conf/out/app"),
            (Some("bare"), "conf/out/app"),
        ] {
            assert_eq!(link(text, profile), Ok(expected.into()), "{profile:?}");
        }
        let error = link(text, Some("dve")).unwrap_err();
        assert!(error.contains("there is no profile `dve`; did you mean `dev`?"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_the_directory_is_told_with_its_line() {
        for (text, expected) in [
            ("[files]", "conf/x.toml:1:1: directory: missing"),
            ("directory = 1", "conf/x.toml:1:1: directory: expected a table"),
            ("[directory]\npth = \"a\"", "conf/x.toml:2:1: directory.pth: unknown key; did you mean `path`?"),
            ("[directory]\npath = \"a/..\"", "conf/x.toml:2:1: directory.path: "),
            (
                "[directory]\npath = \"a\"\nmode = \"0077\"",
                "conf/x.toml:3:1: directory.mode: must include 0500",
            ),
        ] {
            let error = link(text, None).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let profile = "[directory]\npath = \"a\"\n[profiles.dev.directory]\npath = \"\"\n";
        assert!(link(profile, Some("dev")).unwrap_err().starts_with("conf/x.toml:4:1: directory.path: "));
    }
}
