//! The settings under `[sources.NAME]`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secretdir_provider::SettingsError;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FileSettings {
    /// The folder that secrets are read from. A relative path counts from the configuration file.
    #[schemars(length(min = 1))]
    root: String,
}

impl FileSettings {
    /// Returns the root directory; a relative one counts from `base_dir`.
    pub(crate) fn root_from(&self, base_dir: &Path) -> Result<PathBuf, SettingsError> {
        if self.root.is_empty() {
            return Err(SettingsError::new(
                "root",
                "must not be empty; `.` is the folder of the configuration",
            ));
        }
        if self.root.contains('\0') {
            return Err(SettingsError::new("root", "must not hold a NUL character"));
        }
        Ok(base_dir.join(&self.root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Result<PathBuf, SettingsError> {
        FileSettings { root: text.to_owned() }.root_from(Path::new("/etc/app"))
    }

    #[test]
    fn a_relative_root_counts_from_the_configuration() {
        assert_eq!(root("dev").unwrap(), Path::new("/etc/app/dev"));
        assert_eq!(root("/run/secrets").unwrap(), Path::new("/run/secrets"));
    }

    #[test]
    fn a_root_that_is_no_path_is_refused() {
        assert_eq!(root("").unwrap_err().problems()[0].path().to_string(), "root");
        assert_eq!(root("a\0b").unwrap_err().to_string(), "root: must not hold a NUL character");
    }
}
