//! All that the command prints. The rules:
//!
//! 1. Standard output is the result: text, or with `--json` exactly one JSON object, also when the command fails. Only a
//!    mistake in the arguments, and an end by a signal, leave it empty. The program of `exec` has it for itself.
//! 2. Standard error is for people: `warning:`, `error:` and `hint:` messages in lower case, progress, traces.
//! 3. An error is one message, with each cause once; a hint is one of its own, once for all errors in a row that share it.
//! 4. A message is broken into lines of less than 100 columns, of which all but the first are indented by four spaces: a
//!    line that is not begins another message. A word that is longer stays whole, so that a path can be copied.
//!    After a mistake in the arguments come clap's own lines on how they should be.
//! 5. Colour is in the labels of messages alone, and only on a terminal that is not `dumb`, without NO_COLOR.
//! 6. Names from outside are escaped where they are put into a text, and all that is printed once more as a whole: no control
//!    character, nothing that reorders text or cannot be seen reaches a terminal, in JSON neither.
//! 7. No value of a secret, or part of one, anywhere.
//! 8. A result that nobody reads on (a closed pipe) is told. One that cannot be written (a full disk) is an error: a command
//!    that was for nothing else then ends with 1. `sync`, whose exit code tells what is published, and a command that has
//!    failed keep theirs. A message that cannot be written changes nothing: nobody is left to tell.

mod fold;
mod message;
mod profiles;
mod providers;
mod status;
pub(crate) mod stdout;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::geteuid;
use secretdir_engine::{
    ConfigError, Difference, DifferenceState, InspectError, Outcome, Plan, Problem, PublishError, Refusal,
    Registry, RegistryError, Rehearsal, StatusReport, SyncError, SyncFailure, UnknownProvider, count,
    describe, escape,
};
use secretdir_provider::Provider;
use serde::Serialize;
use serde_json::json;

use crate::Exit;
use crate::args::Format;
use crate::commands::exec::ExecError;
use crate::commands::init::InitError;
use message::Message;
use stdout::Untold;

pub(crate) use fold::fold;
pub(crate) use message::Stderr;

/// Where results and messages go.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    stderr: Stderr,
}

impl Output {
    pub(crate) fn new(format: Format, stderr: Stderr) -> Self {
        Self { format, stderr }
    }

    pub(crate) fn config_warnings(&self, plan: &Plan) {
        plan.warnings().iter().for_each(|problem| self.stderr.warn(&problem.to_string()));
    }

    pub(crate) fn bad_config(&self, error: &ConfigError, exit: Exit) -> Exit {
        self.fail(problems(error), exit)
    }

    /// Tells with which profiles a configuration is wrong, and why.
    pub(crate) fn bad_profiles(&self, failures: &[(Option<String>, ConfigError)]) -> Exit {
        let found = failures.iter().flat_map(|(profile, error)| {
            error.problems().iter().map(move |problem| (profile.as_deref(), problem))
        });
        let messages = profiles::told(found).into_iter().map(|message| Message { message, hint: None });
        self.fail(messages.collect(), Exit::Usage)
    }

    pub(crate) fn refused_providers(&self, errors: &[RegistryError], exit: Exit) -> Exit {
        self.fail(errors.iter().map(|error| Message::new(error, None)).collect(), exit)
    }

    pub(crate) fn unexpected(&self, error: &io::Error) -> Exit {
        let too_many = error.raw_os_error() == Some(Errno::MFILE.raw_os_error());
        let hint = too_many.then_some("allow it more open files: `ulimit -n`, or LimitNOFILE= of its unit");
        let message = format!("cannot begin to run: {error}");
        self.fail(vec![Message { message, hint: hint.map(str::to_owned) }], Exit::Unexpected)
    }

    pub(crate) fn synced(&self, outcome: &Outcome) -> Exit {
        let exit = Exit::from(outcome);
        outcome.warnings.iter().for_each(|warning| self.stderr.warn(warning));
        for deferred in &outcome.deferred {
            self.stderr.warn(&format!("left for the next run: {deferred}"));
        }
        let failures = outcome.failures.iter();
        let failures =
            failures.map(|failure| Message { message: failure.message.clone(), hint: failure.hint.clone() });
        self.stderr.tell(&failures.collect::<Vec<_>>());
        // What is published is published, whoever hears of it.
        self.print_beside(exit, &outcome.to_string(), outcome)
    }

    pub(crate) fn differs(&self, difference: &Difference) -> Exit {
        difference.warnings.iter().for_each(|warning| self.stderr.warn(warning));
        let exit = match difference.state {
            DifferenceState::Unchanged => Exit::Success,
            DifferenceState::Changed | DifferenceState::Pending => Exit::Changed,
        };
        self.answer(&difference.to_string(), difference, exit)
    }

    pub(crate) fn sync_failed(&self, failure: &SyncFailure) -> Exit {
        let mut messages = match &failure.error {
            SyncError::Config(error) => problems(error),
            SyncError::Gather(error) => {
                error.failures().iter().map(|failure| Message::new(failure, failure.hint())).collect()
            }
            SyncError::Publish(error) => vec![unpublished(error)],
            SyncError::Owner(error) => vec![Message::new(error, error.hint())],
            other => vec![Message::new(other, None)],
        };
        messages.extend(failure.leftover.as_ref().map(leftover));
        self.fail_with(&failure.warnings, messages, Exit::from(&failure.error))
    }

    /// Says why a run would fail on this machine.
    pub(crate) fn would_fail(&self, plan: &Plan, error: &InspectError) -> Exit {
        let messages = match error {
            InspectError::Owners(error) => problems(error),
            InspectError::Publish(error) => vec![unpublished(error)],
            other => vec![Message::new(other, None)],
        };
        let warnings: Vec<_> = plan.warnings().iter().map(Problem::to_string).collect();
        self.fail_with(&warnings, messages, error.into())
    }

    pub(crate) fn publish_failed(&self, error: &PublishError, exit: Exit) -> Exit {
        self.fail(vec![unpublished(error)], exit)
    }

    /// Says that a configuration is good and, if its sources have been asked, what they came to.
    pub(crate) fn checked(&self, plan: &Plan, rehearsal: Option<&Rehearsal>) -> Exit {
        let asked = rehearsal.map_or(&[][..], |rehearsal| &rehearsal.warnings);
        asked.iter().for_each(|warning| self.stderr.warn(warning));
        let warnings: Vec<_> =
            plan.warnings().iter().map(Problem::to_string).chain(asked.iter().cloned()).collect();
        let files = rehearsal.map_or(plan.file_count(), |rehearsal| rehearsal.files);
        let (path, sources) = (plan.link().display().to_string(), plan.source_names().count());
        let what = if rehearsal.is_some() { count(files, "file") } else { planned(plan) };
        let text =
            format!("ok: {what} from {}, to be published at {}", count(sources, "source"), escape(&path));
        let json = json!({
            "state": "ok", "path": path, "files": files, "imports": plan.import_count(), "sources": sources,
            "warnings": warnings,
        });
        self.answer(&text, &json, Exit::Success)
    }

    pub(crate) fn checked_profiles(&self, plans: &[(Option<String>, Plan)]) -> Exit {
        let found = plans.iter().flat_map(|(profile, plan)| {
            plan.warnings().iter().map(move |warning| (profile.as_deref(), warning))
        });
        profiles::told(found).iter().for_each(|warning| self.stderr.warn(warning));
        let lines = plans.iter().map(|(profile, plan)| profiles::line(profile.as_deref(), plan));
        let json = plans.iter().map(|(profile, plan)| profiles::json(profile.as_deref(), plan));
        let json = json!({ "state": "ok", "profiles": json.collect::<Vec<_>>() });
        self.answer(&lines.collect::<Vec<_>>().join("\n"), &json, Exit::Success)
    }

    pub(crate) fn status(&self, report: &StatusReport) -> Exit {
        report.warnings.iter().for_each(|warning| self.stderr.warn(warning));
        self.answer(&status::text(report), report, Exit::Success)
    }

    pub(crate) fn providers(&self, registry: &Registry) -> Exit {
        self.answer(&providers::list(registry), &providers::list_json(registry), Exit::Success)
    }

    pub(crate) fn provider(&self, provider: &dyn Provider) -> Exit {
        self.answer(&providers::one(provider), &providers::one_json(provider), Exit::Success)
    }

    pub(crate) fn unknown_provider(&self, error: &UnknownProvider) -> Exit {
        self.fail(vec![Message::new(error, None)], Exit::Usage)
    }

    pub(crate) fn schema(&self, registry: &Registry) -> Exit {
        let schema = secretdir_engine::schema(registry);
        self.answer(&format!("{schema:#}"), &schema, Exit::Success)
    }

    pub(crate) fn configured(&self, config: &Path) -> Exit {
        let config = config.display().to_string();
        let text = format!("the configuration is in {}; `secretdir check` looks it through", escape(&config));
        self.answer(&text, &json!({ "state": "ok", "config": config }), Exit::Success)
    }

    pub(crate) fn not_configured(&self, errors: &[InitError]) -> Exit {
        let messages = errors.iter().map(|error| Message::new(error, error.hint()));
        let exits = errors.iter().map(Exit::from);
        let exit = exits.max_by_key(|exit| *exit == Exit::Usage).unwrap_or(Exit::Unexpected);
        self.fail(messages.collect(), exit)
    }

    pub(crate) fn not_executed(&self, error: &ExecError) -> Exit {
        self.fail(vec![Message::new(error, error.hint())], error.into())
    }

    pub(crate) fn script(&self, script: &[u8]) -> Exit {
        let script = String::from_utf8_lossy(script);
        let put = match self.format {
            Format::Text => stdout::put_exactly(&script),
            Format::Json => stdout::put_json(&json!({ "script": script })),
        };
        self.answered(put, Exit::Success)
    }

    pub(crate) fn man(&self, folder: &Path) -> Exit {
        let folder = folder.display().to_string();
        let json = json!({ "state": "ok", "folder": folder });
        self.answer(&format!("the man pages are in {}", escape(&folder)), &json, Exit::Success)
    }

    pub(crate) fn unwritten(&self, folder: &Path, error: &io::Error) -> Exit {
        let message = format!("the man pages cannot be written into {}: {error}", folder.display());
        self.fail(vec![Message { message, hint: None }], Exit::of_unwritten(error))
    }

    fn fail(&self, messages: Vec<Message>, exit: Exit) -> Exit {
        self.fail_with(&[], messages, exit)
    }

    fn fail_with(&self, warnings: &[String], messages: Vec<Message>, exit: Exit) -> Exit {
        warnings.iter().for_each(|warning| self.stderr.warn(warning));
        self.stderr.tell(&messages);
        if self.format == Format::Text {
            return exit;
        }
        let json = json!({
            "state": "failed", "exit_code": exit as u8, "errors": messages, "warnings": warnings,
        });
        self.print_beside(exit, "", &json)
    }

    /// Prints what the command was for, and returns how it ends: it has failed if that cannot be told.
    fn answer(&self, text: &str, json: &impl Serialize, exit: Exit) -> Exit {
        self.answered(self.print(text, json), exit)
    }

    fn answered(&self, put: Result<(), Untold>, exit: Exit) -> Exit {
        match put {
            Ok(()) => exit,
            Err(untold) => {
                self.stderr.untold(&untold);
                Exit::Unexpected
            }
        }
    }

    /// Prints a result in the format that was asked for.
    fn print(&self, text: &str, json: &impl Serialize) -> Result<(), Untold> {
        match self.format {
            Format::Text => stdout::put(text),
            Format::Json => stdout::put_json(json),
        }
    }

    /// Prints what a command leaves behind whose exit code says more than that it could not be printed.
    fn print_beside(&self, exit: Exit, text: &str, json: &impl Serialize) -> Exit {
        if let Err(untold) = self.print(text, json) {
            self.stderr.untold(&untold);
        }
        exit
    }
}

/// Says why nothing was published, and what this command can do about it.
fn unpublished(error: &PublishError) -> Message {
    let somebody = somebody_elses(error);
    let hint = match error.refusal() {
        Some(Refusal::Busy) => Some("let this run wait longer for it: --wait 5m"),
        _ => somebody.as_deref().or(error.hint()),
    };
    Message::new(error, hint)
}

/// Says what to do if what may not be used, such as the lock, belongs to another user.
fn somebody_elses(error: &PublishError) -> Option<String> {
    error.io_error().filter(|cause| cause.kind() == ErrorKind::PermissionDenied)?;
    // What only its owner may write to, as it is for runs alone: of other things nobody may say who should remove them.
    let mut names = error.path().iter().rev().take(2).map(OsStr::as_bytes);
    names.any(|name| name.starts_with(b".") && name.ends_with(b".state")).then_some(())?;
    let (owner, user) = (fs::symlink_metadata(error.path()).ok()?.uid(), geteuid().as_raw());
    let who = if owner == 0 { "root".to_owned() } else { format!("user {owner}") };
    (owner != user).then(|| {
        format!(
            "it belongs to {who}: run this as {who}, or have {who} remove it once if only you publish here"
        )
    })
}

fn problems(error: &ConfigError) -> Vec<Message> {
    error.problems().iter().map(|problem| Message { message: problem.to_string(), hint: None }).collect()
}

/// Says that secrets are on disk that were not published.
fn leftover(error: &PublishError) -> Message {
    let message = format!("files with secrets are left that were not published: {}", describe(error));
    let hint = "only the user who ran this can read them; the next run tries again to remove them";
    Message { message, hint: Some(hint.to_owned()) }
}

/// Says how many files and imports a plan has: what these come to, only their sources know.
fn planned(plan: &Plan) -> String {
    let files = count(plan.file_count(), "file");
    match plan.import_count() {
        0 => files,
        imports => format!("{files} and {}", count(imports, "import")),
    }
}
