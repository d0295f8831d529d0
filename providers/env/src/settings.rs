//! The settings under `[sources.NAME]`.

use schemars::JsonSchema;
use secretdir_provider::SettingsError;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct EnvSettings {
    /// Prefix of the names of the variables. The rest is the name of the secret.
    #[schemars(regex(pattern = "^[^=]*$"), extend("examples" = ["APP_"]))]
    #[serde(default)]
    prefix: String,
}

impl EnvSettings {
    /// Returns the prefix, or an error if no variable's name can begin with it.
    pub(crate) fn checked_prefix(self) -> Result<String, SettingsError> {
        if self.prefix.contains(['=', '\0']) {
            return Err(SettingsError::new("prefix", "must not hold `=` or a NUL character"));
        }
        Ok(self.prefix)
    }
}
