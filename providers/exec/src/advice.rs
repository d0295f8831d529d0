//! Hints about a program that cannot be started, or that has failed.
//!
//! The kernel reports "not found" for a script whose interpreter is missing. A tool may fail because it did not get a
//! variable that it has in a shell. Neither is easy to guess.

use std::env;
use std::io;
use std::path::PathBuf;

use rustix::io::Errno;
use secretdir_helpers::interpreter;
use secretdir_provider::SourceErrorKind;

use crate::settings::Setup;

/// The search path for programs, if the source does not pass on PATH.
const SYSTEM_FOLDERS: &str = "/bin:/usr/bin";

const ONE_STRING: &str = "write the program and each argument as separate strings: no shell splits a command";
const NO_SUCH_FILE: &str = "a relative path with a slash starts at the folder of the configuration file";
const NOT_IN_PATH: &str = "no folder of PATH has it: is it installed? A process gets only HOME and PATH, unless `environment` \
     names others; write the path of the program, such as /usr/local/bin/tool, or ./tool \
     beside the configuration file";
const NO_PATH: &str = "it is not in /bin or /usr/bin, and `environment` does not include PATH: add it, or write the path of the program";

/// Variables that programs commonly need, and that a source does not pass on by default.
const USUAL: [&str; 13] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GNUPGHOME",
    "GPG_TTY",
    "LANG",
    "LOGNAME",
    "SHELL",
    "SSH_AUTH_SOCK",
    "TERM",
    "TMPDIR",
    "USER",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
];

/// Words that programs use to say that a variable is missing.
const MISSING: [&str; 7] = ["environment", "env", "keyerror", "set", "unset", "unbound", "undefined"];

/// Why a program cannot be started.
pub(crate) struct NotStarted {
    pub(crate) kind: SourceErrorKind,
    pub(crate) cause: String,
    pub(crate) hint: &'static str,
}

/// Finds out why a program cannot be started, from the error of the system.
pub(crate) fn not_started(program: &str, error: &io::Error, setup: &Setup) -> NotStarted {
    let told = |kind, cause: &dyn std::fmt::Display, hint| NotStarted {
        kind,
        cause: format!("cannot start `{program}`: {cause}"),
        hint,
    };
    let unavailable = |hint| told(SourceErrorKind::Unavailable, error, hint);
    match error.kind() {
        io::ErrorKind::PermissionDenied if located_directory(program, setup) => {
            told(SourceErrorKind::PermissionDenied, &"it is a directory", "name a program in it")
        }
        io::ErrorKind::PermissionDenied => {
            told(SourceErrorKind::PermissionDenied, error, "is it executable for the current user?")
        }
        io::ErrorKind::NotFound => match located(program, setup) {
            Some(file) => {
                let missing = interpreter::lacking(&file);
                told(SourceErrorKind::Unavailable, &missing, missing.hint())
            }
            None => unavailable(not_found(program, setup)),
        },
        _ if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            unavailable("begin a script with the line that names its interpreter, such as #!/bin/sh")
        }
        _ => unavailable("the system, not the program, refused"),
    }
}

fn not_found(program: &str, setup: &Setup) -> &'static str {
    if program.contains(char::is_whitespace) {
        ONE_STRING
    } else if program.contains('/') {
        NO_SUCH_FILE
    } else if setup.passes("PATH") {
        NOT_IN_PATH
    } else {
        NO_PATH
    }
}

/// Returns a hint about a program that was started and may have failed because of carriage returns.
pub(crate) fn failed(program: &str, setup: &Setup) -> Option<&'static str> {
    let is_of_windows = |file: PathBuf| interpreter::ends_in_return(file.as_os_str());
    located(program, setup).is_some_and(is_of_windows).then_some(interpreter::CARRIAGE_RETURNS)
}

/// Returns a hint about a variable that a failed program did not get, if its standard error names one.
pub(crate) fn missing_variable_hint(noise: &str, setup: &Setup) -> Option<String> {
    missing_variable(noise, setup).map(|name| not_given(name, setup))
}

/// Does the same for a program that may not have failed. Its standard error must say that a variable is missing.
pub(crate) fn reported_missing_hint(noise: &str, setup: &Setup) -> Option<String> {
    is_said(noise).then(|| missing_variable_hint(noise, setup)).flatten()
}

fn not_given(name: &str, setup: &Setup) -> String {
    let passed = setup.environment.join(", ");
    let passed = if passed.is_empty() { "no variables" } else { &passed };
    format!("it did not get `{name}`, only {passed}: add the variables that it needs to `environment`")
}

/// Finds a variable that a text names and the program did not get. It is one of [`USUAL`], or set in this run. If the
/// text says that a variable is missing, any name with an underscore counts.
fn missing_variable<'n>(noise: &'n str, setup: &Setup) -> Option<&'n str> {
    let is_said = is_said(noise);
    words(noise).find(|word| {
        let is_name = word.starts_with(|c: char| c.is_ascii_uppercase())
            && !word.contains(|c: char| c.is_ascii_lowercase());
        let is_ours = env::var_os(word).is_some();
        let is_variable = USUAL.contains(word) || is_ours || (is_said && word.contains('_'));
        // Few variables have lower-case names. Those of proxies have.
        let is_small = word.ends_with("_proxy") && is_ours;
        word.len() > 2 && (is_name && is_variable || is_small) && !setup.passes(word)
    })
}

/// Returns whether a text says that something is missing.
fn is_said(noise: &str) -> bool {
    words(noise).any(|word| MISSING.contains(&word.to_ascii_lowercase().as_str()))
        || noise.contains("parameter null")
}

fn words(noise: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    noise.split(move |c| !is_part(c)).filter(|word| !word.is_empty())
}

fn located_directory(program: &str, setup: &Setup) -> bool {
    program.contains('/') && setup.base_dir.join(program).is_dir()
}

/// Finds the file of a program, in the way in which starting it finds it.
fn located(program: &str, setup: &Setup) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(setup.base_dir.join(program)).filter(|file| file.is_file());
    }
    let folders = Some("PATH").filter(|name| setup.passes(name)).and_then(env::var_os);
    let folders = folders.unwrap_or_else(|| SYSTEM_FOLDERS.into());
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file())
}
