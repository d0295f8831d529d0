//! The answers of the commands that write a configuration, man pages or a script.

use std::path::Path;

use schemars::JsonSchema;
use secretdir_engine::escape;
use serde::Serialize;

use super::answer::{Answer, DoneState, Text};

/// A configuration that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NewConfig {
    /// Its path.
    config: String,
}

/// Man pages that were written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ManPages {
    /// The folder that they are in.
    folder: String,
}

/// A script with which a shell completes the arguments.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Script {
    /// Its text.
    script: String,
}

/// Reports the path of the new configuration.
pub(crate) fn config(path: &Path) -> Answer<DoneState, NewConfig> {
    let config = path.display().to_string();
    let next = match path.to_str() {
        Some("secretdir.toml") => "; `secretdir check` validates it",
        _ => "\n`secretdir check` with the same `--config` validates it",
    };
    let text = format!("the configuration is in {}{next}", escape(&config));
    Answer::new(DoneState::Ok, NewConfig { config }, Text::Summary(text))
}

/// Reports the folder of the man pages.
pub(crate) fn man_pages(folder: &Path) -> Answer<DoneState, ManPages> {
    let folder = folder.display().to_string();
    let text = format!("the man pages are in {}", escape(&folder));
    Answer::new(DoneState::Ok, ManPages { folder }, Text::Summary(text))
}

/// Prints a script.
pub(crate) fn script(script: &[u8]) -> Answer<DoneState, Script> {
    let script = String::from_utf8_lossy(script).into_owned();
    Answer::new(DoneState::Ok, Script { script: script.clone() }, Text::Script(script))
}
