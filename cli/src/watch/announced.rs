//! Decides which news becomes a log line: one line for each change, failure and recovery, and none while nothing
//! happens. A failure or a warning that is like the one before is not logged again.

use std::collections::BTreeSet;
use std::time::SystemTime;

use secretdir_engine::{ErrorReport, News, Outcome, Standing, State, SyncFailure, WarningReport, count};
use secretdir_provider::Clock;

use super::log::{Level, Log};

/// The state of the log: what has been logged.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// The messages of the last failure, or none after a success.
    failure: Vec<String>,
    /// The messages of the last failure to use a new configuration.
    reload_failure: Vec<String>,
    /// Since when runs have failed.
    failing_since: Option<SystemTime>,
    warnings: BTreeSet<String>,
    is_stale: bool,
}

impl Announced {
    pub(super) fn tell(&mut self, log: Log, news: &News<'_>, standing: &Standing, clock: &Clock) {
        let now = clock.date();
        match news {
            News::Started => log.say(Level::Info, &started(standing, clock), now),
            News::TurnEnded(Ok(outcome)) => self.succeeded(log, outcome, standing, now),
            News::TurnEnded(Err(failure)) => self.failed(log, failure, now),
            News::ConfigReplaced => {
                self.reload_failure.clear();
                log.say(Level::Notice, "the new configuration is now in use", now)
            }
            News::ReloadFailed(failure) => self.reload_failed(log, failure, now),
            News::ConfigRefused(error) => {
                error.reports().iter().for_each(|report| log.error(report, now));
                let old = "the new configuration has errors: the old one stays in use";
                log.say(Level::Warning, old, now);
            }
            News::Stopping => log.say(Level::Info, stopping(standing), now),
            _ => {}
        }
        self.staleness(log, standing, clock);
    }

    /// Logs that the link of a new configuration cannot be used. This is tried again before each turn. It is no failure
    /// of the configuration in use.
    fn reload_failed(&mut self, log: Log, failure: &SyncFailure, now: SystemTime) {
        let messages = failure.reports().iter().map(|error| without_ids(&error.message)).collect();
        if self.reload_failure != messages {
            failure.reports().iter().for_each(|error| log.error(error, now));
            log.say(
                Level::Warning,
                "the link of the new configuration cannot be used: the old configuration stays in use",
                now,
            );
        }
        self.reload_failure = messages;
    }

    fn succeeded(&mut self, log: Log, outcome: &Outcome, standing: &Standing, now: SystemTime) {
        self.warn(log, &outcome.warnings, now);
        if outcome.state == State::Published {
            log.say(Level::Notice, &outcome.to_string(), now);
        }
        if !outcome.errors.is_empty() {
            return self.errors(log, &outcome.errors, now);
        }
        if let Some(since) = self.failing_since.take() {
            self.failure.clear();
            let (files, since) =
                (standing.file_count.unwrap_or_default(), humantime::format_rfc3339_seconds(since));
            log.say(
                Level::Notice,
                &format!("recovered: {} current, after failures since {since}", count(files, "file")),
                now,
            );
        }
    }

    fn failed(&mut self, log: Log, failure: &SyncFailure, now: SystemTime) {
        self.warn(log, &failure.warnings, now);
        self.errors(log, &failure.reports(), now);
    }

    fn errors(&mut self, log: Log, errors: &[ErrorReport], now: SystemTime) {
        self.failing_since.get_or_insert(now);
        let messages: Vec<_> = errors.iter().map(|error| without_ids(&error.message)).collect();
        if messages != self.failure {
            errors.iter().for_each(|error| log.error(error, now));
            self.failure = messages;
        }
    }

    fn warn(&mut self, log: Log, warnings: &[WarningReport], now: SystemTime) {
        let messages: BTreeSet<_> = warnings.iter().map(|warning| warning.message.clone()).collect();
        messages.difference(&self.warnings).for_each(|message| log.say(Level::Warning, message, now));
        self.warnings = messages;
    }

    fn staleness(&mut self, log: Log, standing: &Standing, clock: &Clock) {
        let is_stale = standing.freshness.is_stale(clock);
        if is_stale && !self.is_stale {
            log.say(Level::Error, "stale: the last success is older than max-stale", clock.date());
        }
        self.is_stale = is_stale;
    }
}

/// Removes the IDs of generations, which differ each time.
fn without_ids(message: &str) -> String {
    const BEFORE: &str = ".gen-";
    let mut parts = message.split(BEFORE);
    let first = parts.next().unwrap_or_default().to_owned();
    let is_of_id = |character: char| character.is_ascii_alphanumeric();
    parts.fold(first, |text, part| text + BEFORE + part.trim_start_matches(is_of_id))
}

fn stopping(standing: &Standing) -> &'static str {
    if standing.is_on_change_pending {
        "stopping; published files stay, and the on-change command stays pending: the next run repeats it"
    } else {
        "stopping; published files stay"
    }
}

fn started(standing: &Standing, clock: &Clock) -> String {
    let link = standing.link.display();
    match (&standing.generation_id, standing.freshness.age(clock)) {
        (Some(id), Some(age)) => {
            let age = humantime::format_duration(std::time::Duration::from_secs(age.as_secs()));
            format!("keeping {link} current: generation {id}, last success {age} ago")
        }
        (Some(id), None) => format!("keeping {link} current: generation {id}"),
        (None, _) => format!("keeping {link} current: nothing is published yet"),
    }
}
