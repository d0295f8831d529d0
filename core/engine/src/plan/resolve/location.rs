//! Reads where a set is published.
//!
//! Commands that only look at it may be run often, and by whoever starts a program. So they read `[directory]` alone, and what the
//! profile changes of it: what that costs the system does not grow with the rest of the configuration.

use std::path::Path;

use secretdir_provider::{Table, Value};

use super::directory;
use crate::config::Config;
use crate::config::report::Report;
use crate::plan::location::Location;
use crate::problem::ConfigError;

impl Location {
    /// Reads where a configuration publishes, with the profile if one is named. The path is relative to the current folder if
    /// that of the configuration file is.
    ///
    /// Only `[directory]` is looked at, and what the profile changes of it: a mistake anywhere else, or a template that is
    /// gone, keeps nobody from what is published.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is not TOML; everything that is wrong there, or that there is no such profile.
    pub fn read(path: &Path, profile: Option<&str>) -> Result<Self, ConfigError> {
        Self::of(Config::read_directory(path)?, profile)
    }

    /// Returns where a configuration publishes, whatever else is in it.
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

/// Takes away all sections but `[directory]`, of the profiles too.
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
