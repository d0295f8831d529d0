//! The settings under `[sources.NAME]`.

use std::num::{NonZeroU8, NonZeroUsize};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use secretdir_provider::{DurationSetting, Settings, SettingsError};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::limits::CoreLimit;
use crate::template::CommandTemplate;

/// The default of `timeout`.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The default of `environment`: the variables that a process gets.
const ENVIRONMENT: [&str; 2] = ["HOME", "PATH"];

/// The default of `max-bytes`: 1 MiB.
const MOST_BYTES: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 20) - 1);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [{ "required": ["command"] }, { "required": ["plugin"] }]))]
pub(crate) struct ExecSettings {
    /// A program and its arguments, started for each secret. Its standard output is the value. `{secret}` in an argument stands
    /// for the name of the secret, `{version}` for its version.
    #[schemars(length(min = 2), extend("examples" = [["cat", "--", "secrets/{secret}"]]))]
    command: Option<Vec<String>>,
    /// Instead of `command`: a plug-in and its arguments, started once for all secrets. It speaks the protocol with JSON lines.
    #[schemars(length(min = 1), extend("examples" = [["./plugin.py"]]))]
    plugin: Option<Vec<String>>,
    /// With `command`: remove one newline at the end of the output.
    #[schemars(extend("default" = false))]
    trim_newline: Option<bool>,
    /// With `command`: allow that a command prints nothing, or only a newline.
    #[schemars(extend("default" = false))]
    allow_empty: Option<bool>,
    /// With `command`: the exit status that means only that there is no such secret.
    #[schemars(extend("examples" = [44]))]
    not_found_status: Option<NonZeroU8>,
    /// Time limit of one process. The deadline of the run may end it earlier.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = DurationSetting::PATTERN), extend("default" = "30s"))]
    timeout: Option<DurationSetting>,
    /// The environment variables that a process gets, if they are set. It gets no others.
    #[serde(default = "default_environment")]
    environment: Vec<String>,
    /// "show" adds the end of standard error to errors. Use "drop" for a program that may print a value there.
    #[schemars(extend("enum" = StandardError::WORDS, "default" = "show"))]
    stderr: Option<StandardError>,
    /// Maximum size of one secret in bytes.
    #[serde(default = "default_max_bytes")]
    max_bytes: NonZeroUsize,
}

/// The validated settings.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) form: Form,
    pub(crate) setup: Setup,
}

/// The form of an executable: a command or a plug-in.
#[derive(Debug)]
pub(crate) enum Form {
    /// One process for each secret. Its standard output is the value.
    Command { template: CommandTemplate, reading: Reading },
    /// One process for all secrets. It speaks the protocol.
    Plugin { program: String, arguments: Vec<String> },
}

/// How the output and the exit status of a command are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) newline: Newline,
    pub(crate) nothing: Nothing,
    /// The exit status that means that there is no such secret.
    pub(crate) not_found: Option<NonZeroU8>,
}

/// The meaning of empty output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// The command has failed. Many tools end with 0 if they find nothing.
    Error,
    /// An empty value.
    Value,
}

/// The treatment of a newline at the end of a command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newline {
    Kept,
    Trimmed,
}

/// What happens to the standard error of a process.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StandardError {
    /// Errors show the end of it.
    #[default]
    Show,
    /// It is discarded.
    Drop,
}

impl StandardError {
    /// The words for these in the settings.
    const WORDS: [&str; 2] = ["show", "drop"];
}

/// The setup that all processes of a source share.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) base_dir: PathBuf,
    pub(crate) environment: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) stderr: StandardError,
    pub(crate) max_bytes: NonZeroUsize,
    pub(crate) core_limit: CoreLimit,
}

impl Setup {
    /// Returns whether a process gets a variable, if it is set.
    pub(crate) fn passes(&self, name: &str) -> bool {
        self.environment.iter().any(|passed| passed == name)
    }

    /// Returns the values of the variables that a process gets, without those that are never secret.
    pub(crate) fn variables(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let names = self.environment.iter().filter(|name| !ENVIRONMENT.contains(&name.as_str()));
        names.filter_map(std::env::var_os).map(|value| Zeroizing::new(value.into_vec())).collect()
    }
}

fn default_environment() -> Vec<String> {
    ENVIRONMENT.map(str::to_owned).into()
}

fn default_max_bytes() -> NonZeroUsize {
    MOST_BYTES
}

impl ExecSettings {
    /// Checks what the types do not, and reports every problem.
    pub(crate) fn checked(self, settings: &Settings) -> Result<Checked, SettingsError> {
        let of_commands = [
            ("trim-newline", self.trim_newline.is_some()),
            ("allow-empty", self.allow_empty.is_some()),
            ("not-found-status", self.not_found_status.is_some()),
        ];
        let reading = Reading {
            newline: if self.trim_newline == Some(true) { Newline::Trimmed } else { Newline::Kept },
            nothing: if self.allow_empty == Some(true) { Nothing::Value } else { Nothing::Error },
            not_found: self.not_found_status,
        };
        let Self { command, plugin, timeout, environment, stderr, max_bytes, .. } = self;
        let given = of_commands.into_iter().filter(|(_, given)| *given).map(|(key, _)| key);
        let form = form(command, plugin, reading, given, settings);
        let setup = checked_names(environment).map(|environment| Setup {
            base_dir: settings.base_dir().to_owned(),
            environment,
            timeout: timeout.map_or(TIMEOUT, DurationSetting::get),
            stderr: stderr.unwrap_or_default(),
            max_bytes,
            core_limit: CoreLimit::current(),
        });
        both(form, setup).map(|(form, setup)| Checked { form, setup })
    }
}

/// Combines two results, and keeps the errors of both.
fn both<A, B>(a: Result<A, SettingsError>, b: Result<B, SettingsError>) -> Result<(A, B), SettingsError> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err(a.and(b)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Returns the form of a source. `of_commands` has the keys that were set and belong to a command only.
fn form(
    command: Option<Vec<String>>,
    plugin: Option<Vec<String>>,
    reading: Reading,
    mut of_commands: impl Iterator<Item = &'static str>,
    settings: &Settings,
) -> Result<Form, SettingsError> {
    match (command, plugin) {
        (Some(command), None) => {
            let (program, arguments) = words("command", command, settings)?;
            let template = CommandTemplate::new(program, arguments)
                .map_err(|message| SettingsError::new("command", message))?;
            Ok(Form::Command { template, reading })
        }
        (None, Some(plugin)) => match of_commands.next() {
            Some(key) => Err(SettingsError::new(key, "belongs to `command`; a plug-in decides this itself")),
            None => {
                let (program, arguments) = words("plugin", plugin, settings)?;
                Ok(Form::Plugin { program, arguments })
            }
        },
        (Some(_), Some(_)) => {
            Err(SettingsError::new("plugin", "cannot be combined with `command`; keep one of them"))
        }
        (None, None) => {
            Err(SettingsError::new("command", "missing; a source needs a `command` or a `plugin`"))
        }
    }
}

/// Splits a command line into the program and its arguments.
fn words(key: &str, words: Vec<String>, settings: &Settings) -> Result<(String, Vec<String>), SettingsError> {
    if words.iter().any(|word| word.contains('\0')) {
        return Err(SettingsError::new(key, "must not hold a NUL character"));
    }
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_default();
    // The program is located when it is started, because the current folder may change until then.
    settings.program(key, &program)?;
    Ok((program, words.collect()))
}

fn checked_names(names: Vec<String>) -> Result<Vec<String>, SettingsError> {
    if names.iter().any(|name| name.is_empty() || name.contains(['=', '\0'])) {
        return Err(SettingsError::new(
            "environment",
            "expected names of variables, without `=`: their values come from the environment of this run",
        ));
    }
    Ok(names)
}
