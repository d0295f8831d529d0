//! `[verify]` and `[on-change]`: the commands that run before and after a flip.

use std::path::Path;
use std::time::Duration;

use atomicdir::{FileName, LinkName};
use secretdir_provider::{KeyPath, Table, Value};

use crate::config::Config;
use crate::config::defaults::{ON_CHANGE_TIMEOUT, VERIFY_TIMEOUT};
use crate::config::hook_section::{OnChangeSection, VerifySection};
use crate::config::report::Report;
use crate::config::section;
use crate::plan::planned::{HookCommand, OnChange};

/// The hint for a command that needs a shell.
const NO_SHELL: &str = "write the program and each argument as separate strings, such as [\"nginx\", \"-s\", \"reload\"], \
     or start a shell: [\"sh\", \"-c\", \"…\"]";

/// The arguments of `systemctl` for `units`. `--no-block` does not wait, because a unit that is ordered after this one may
/// wait for it. `--job-mode=fail` does not replace a queued job: by default, a reload cancels the `systemctl stop` of an
/// operator.
const RELOAD: [&str; 4] = ["--no-block", "--job-mode=fail", "try-reload-or-restart", "--"];

/// The commands of `systemctl` that wait for a unit. That unit may be waiting for this run.
const WAITED_FOR: [&str; 12] = [
    "condreload",
    "condrestart",
    "force-reload",
    "isolate",
    "reload",
    "reload-or-restart",
    "reload-or-try-restart",
    "restart",
    "start",
    "stop",
    "try-reload-or-restart",
    "try-restart",
];

/// Resolves the command that verifies a set before it is published.
pub(super) fn verify(config: &Config, report: &mut Report<'_>) -> Option<HookCommand> {
    let at = KeyPath::from("verify");
    let table = table(config, &at, report)?;
    let section: VerifySection = section::read(&table, &at, report);
    let timeout = section.timeout.unwrap_or(VERIFY_TIMEOUT);
    command(section.command?, timeout, config, &at, report)
}

/// Resolves the actions after a change.
pub(super) fn on_change(
    config: &Config,
    link: Option<&LinkName>,
    report: &mut Report<'_>,
) -> Option<OnChange> {
    let at = KeyPath::from("on-change");
    let table = table(config, &at, report)?;
    let section: OnChangeSection = section::read(&table, &at, report);
    let timeout = section.timeout.unwrap_or(ON_CHANGE_TIMEOUT);
    let keys = ["command", "units", "stamp"].map(|key| table.contains_key(key));
    match keys {
        [false, false, false] => {
            report.error(&at.clone().key("command"), "missing; this, `units` or `stamp`")
        }
        [true, true, _] => {
            report.error(&at.clone().key("units"), "cannot be combined with `command`; keep one of them");
        }
        _ => {}
    }
    let command = match (section.command, section.units) {
        (Some(words), _) => command(words, timeout, config, &at, report),
        (None, Some(units)) => reload(units, timeout, &at, report),
        (None, None) => None,
    };
    let stamp = section.stamp.and_then(|name| stamp(&name, link, &at, report));
    let splay = section.splay.unwrap_or_default();
    (command.is_some() || stamp.is_some()).then_some(OnChange { command, stamp, splay })
}

fn table(config: &Config, at: &KeyPath, report: &mut Report<'_>) -> Option<Table> {
    let mut table = section::as_table(config.table.get(&at.to_string())?, at, report)?.clone();
    split_command(&mut table, at, report);
    Some(table)
}

fn command(
    words: Vec<String>,
    timeout: Duration,
    config: &Config,
    section: &KeyPath,
    report: &mut Report<'_>,
) -> Option<HookCommand> {
    let at = section.clone().key("command");
    check_no_nul(&words, &at, report);
    let mut words = words.into_iter();
    let program = words.next().filter(|program| !program.is_empty());
    if program.is_none() {
        let message =
            r#"names no program; expected one and its arguments, such as ["nginx", "-s", "reload"]"#;
        report.error(&at, message);
    }
    let program = program.filter(|program| !program.contains('\0'))?;
    if let Err(error) = config.settings(Table::new()).program("command", &program) {
        report.settings(section, &error);
    }
    let arguments: Vec<_> = words.collect();
    warn_of_waiting(&program, &arguments, &at, report);
    Some(HookCommand { program, arguments, timeout })
}

/// Warns about a `systemctl` command that may never end. If a starting unit is ordered after this run, it waits for the
/// run, and `systemctl` waits for the unit.
fn warn_of_waiting(program: &str, arguments: &[String], at: &KeyPath, report: &mut Report<'_>) {
    let is_systemctl = Path::new(program).file_name().is_some_and(|name| name == "systemctl");
    let is = |wanted: &[&str]| arguments.iter().any(|word| wanted.contains(&word.as_str()));
    if is_systemctl && is(&WAITED_FOR) && !is(&["--no-block"]) {
        let message = "systemctl waits until the job is done, which never ends if the unit is ordered after this run: add \"--no-block\", \
            or use `units`";
        report.warn(at, message);
    }
}

fn reload(
    units: Vec<String>,
    timeout: Duration,
    section: &KeyPath,
    report: &mut Report<'_>,
) -> Option<HookCommand> {
    let at = section.clone().key("units");
    if units.is_empty() {
        report.error(&at, "is empty; omit it, or name a unit");
        return None;
    }
    check_no_nul(&units, &at, report);
    let odd = |unit: &String| unit.is_empty() || unit.contains(|c: char| c.is_whitespace() || c == '/');
    for (index, unit) in units.iter().enumerate().filter(|(_, unit)| odd(unit)) {
        report.error(
            &at.clone().index(index),
            format!("`{unit}` is not a unit; expected a name such as \"nginx.service\""),
        );
    }
    let arguments = RELOAD.into_iter().map(str::to_owned).chain(units).collect();
    Some(HookCommand { program: "systemctl".to_owned(), arguments, timeout })
}

fn stamp(
    name: &str,
    link: Option<&LinkName>,
    section: &KeyPath,
    report: &mut Report<'_>,
) -> Option<FileName> {
    let checked = FileName::new(name).and_then(|name| {
        link.map_or(Ok(()), |link| link.check_beside(&name))?;
        Ok(name)
    });
    checked.map_err(|error| report.error(&section.clone().key("stamp"), error.to_string())).ok()
}

/// Reports a command that is a single string, as for a shell, and continues with its words.
fn split_command(table: &mut Table, section: &KeyPath, report: &mut Report<'_>) {
    let at = section.clone().key("command");
    let (line, message) = match table.get("command") {
        Some(Value::String(line)) => (line, "expected an array, found a string"),
        Some(Value::Array(words)) => match words.as_slice() {
            // A program name with a space is plausible only if it is a path.
            [Value::String(line)] if line.contains(char::is_whitespace) && !line.contains('/') => {
                (line, "the program and its arguments are one string, which no shell splits")
            }
            _ => return,
        },
        _ => return,
    };
    let words: Vec<_> = line.split_whitespace().map(Value::from).collect();
    report.error(&at, format!("{message}: {}", as_array(line)));
    table.insert("command".to_owned(), Value::Array(words));
}

/// Returns a hint with the command as an array. If only a shell could interpret the command, the hint is general.
fn as_array(line: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || c.is_whitespace() || "-_./:@=,+%".contains(c);
    if line.trim().is_empty() || !line.chars().all(is_plain) {
        return NO_SHELL.to_owned();
    }
    let words: Vec<_> = line.split_whitespace().map(|word| format!("\"{word}\"")).collect();
    format!("write [{}]", words.join(", "))
}

fn check_no_nul(words: &[String], at: &KeyPath, report: &mut Report<'_>) {
    for (index, _) in words.iter().enumerate().filter(|(_, word)| word.contains('\0')) {
        report.error(&at.clone().index(index), "has a NUL character");
    }
}
