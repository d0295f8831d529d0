//! Finds the problems of this machine with a valid configuration. A run would find them too; here they are found before
//! anything is fetched.

use atomicdir::Options;

use crate::plan::Plan;
use crate::problem::{ConfigError, Problem};
use crate::publish::hook::{self, Hook, HookError};
use crate::publish::owners::{self, Owners};
use crate::report::{About, ErrorKind, ErrorReport};

/// Returns the problems that would make a run fail on this machine. There are none if the list is empty.
///
/// - owners that do not exist, or to whom this user may not give files
/// - commands that cannot be started
/// - a link or a stamp that cannot be published, or that another user could replace
///
/// It fetches nothing and creates nothing.
pub fn inspect(plan: &Plan) -> Vec<ErrorReport> {
    let mut found = match owners(plan) {
        Ok(()) => Owners::resolve(plan).err().iter().map(ErrorReport::from).collect(),
        Err(error) => error.reports_of(ErrorKind::UnknownOwner),
    };
    found.extend(unstartable(plan).map(|(hook, error)| command_report(hook, &error, plan)));
    found.extend(unpublishable(plan).err().iter().map(ErrorReport::from));
    found
}

fn unpublishable(plan: &Plan) -> Result<(), atomicdir::Error> {
    let options = Options::new().parents(plan.parents);
    options.clone().inspect(&plan.link)?;
    let stamp = plan.on_change.as_ref().and_then(|on_change| on_change.stamp.as_ref());
    stamp.map_or(Ok(()), |stamp| options.inspect_stamp(&plan.link, stamp))
}

/// Returns an error with each position where the configuration names an unknown user or group.
pub(crate) fn owners(plan: &Plan) -> Result<(), ConfigError> {
    let unknown = plan.mentions.iter().filter(|mention| owners::is_unknown(&mention.who));
    let problems: Vec<Problem> = unknown.map(|mention| mention.problem.clone()).collect();
    ConfigError::unless_empty(problems)
}

fn unstartable(plan: &Plan) -> impl Iterator<Item = (Hook, HookError)> {
    let verify = plan.verify.as_ref().map(|command| (Hook::Verify, command));
    let on_change = plan.on_change.as_ref().and_then(|on_change| on_change.command.as_ref());
    let commands = verify.into_iter().chain(on_change.map(|command| (Hook::OnChange, command)));
    commands.filter_map(|(hook, command)| Some((hook, hook::ensure_startable(hook, command, plan).err()?)))
}

fn command_report(hook: Hook, error: &HookError, plan: &Plan) -> ErrorReport {
    let file = Some(plan.config_file().display().to_string());
    let about = About { file, key: Some(hook.section().to_owned()), ..About::default() };
    ErrorReport::new(ErrorKind::CommandNotStartable, error).with_hint(error.hint()).about(about)
}
