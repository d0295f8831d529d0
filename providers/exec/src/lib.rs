#![doc = include_str!("../README.md")]

mod advice;
mod command;
mod conversation;
mod decoded;
mod excerpt;
mod failure;
mod limits;
mod message;
mod output;
mod plugin;
mod process;
mod redact;
mod settings;
mod stderr;
mod template;

use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use command::CommandSource;
use plugin::PluginSource;
use settings::{ExecSettings, Form};

/// The provider `exec`: secrets come from a command, or from a plug-in that speaks a protocol of JSON lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExecProvider;

impl Provider for ExecProvider {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        let parsed: ExecSettings = settings.parse()?;
        let checked = parsed.checked(&settings)?;
        Ok(match checked.form {
            Form::Command { template, reading } => {
                Box::new(CommandSource::new(template, reading, checked.setup))
            }
            Form::Plugin { program, arguments } => {
                Box::new(PluginSource::new(program, arguments, checked.setup))
            }
        })
    }
    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(ExecSettings).as_value().to_string()))
    }
}
