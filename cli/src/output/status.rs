//! The answer of `secretdir status`.

use std::fmt::Write;
use std::time::Duration;

use schemars::JsonSchema;
use secretdir_engine::{
    FileReport, GenerationReport, ListingReport, Notification, SecretReport, StatusReport, StatusView, count,
    escape,
};
use serde::Serialize;

use super::answer::{Answer, Text};
use crate::Exit;

/// Whether anything is published.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StatusState {
    /// There is a current generation.
    Published,
    /// There is none, because no run has succeeded yet.
    NothingPublished,
    /// There is one, but the last success is older than `--fresh` allows.
    Stale,
}

/// Reports the published set and, with a limit, whether it is fresh.
pub(crate) fn answer(report: StatusReport, fresh: Option<Duration>) -> Answer<StatusState, StatusReport> {
    let mut text = text(&report);
    let is_stale = fresh.is_some_and(|most| {
        // A set is not fresh if no run has succeeded, or if this user may not see when.
        report.last_success_age_seconds.is_none_or(|age| Duration::from_secs(age) > most)
    });
    let (state, exit) = match &report.generation {
        None => (StatusState::NothingPublished, Exit::NothingPublished),
        Some(_) if is_stale => (StatusState::Stale, Exit::Stale),
        Some(_) => (StatusState::Published, Exit::Success),
    };
    let exit = if fresh.is_some() { exit } else { Exit::Success };
    if let (StatusState::Stale, Some(most)) = (state, fresh) {
        let most = humantime::format_duration(most);
        let _ = match report.last_success_age_seconds {
            None if report.view == StatusView::Reader => {
                write!(text, "\nstale: this user cannot see whether a run has succeeded within {most}")
            }
            _ => write!(text, "\nstale: no run has succeeded within {most}"),
        };
    }
    Answer::new(state, report, Text::Summary(text)).with_exit(exit)
}

/// Returns the lines, each of them escaped as a whole, because nearly all contain a name from outside.
fn text(report: &StatusReport) -> String {
    let lines = lines(report);
    lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n")
}

fn lines(report: &StatusReport) -> Vec<String> {
    let mut lines = vec![match &report.generation {
        Some(generation) => current(report, generation),
        None => format!("nothing is published at {}", report.path),
    }];
    let on_change = report.generation.as_ref().and_then(|current| current.on_change);
    if on_change == Some(Notification::Pending) {
        let pending = "pending: [on-change] has not succeeded yet; the next run repeats it or, after repeated failures, the first run after a backoff";
        lines.push(pending.to_owned());
    }
    if let Some(publisher) = report.generation.as_ref().and_then(|current| current.publisher.as_ref()) {
        lines.push(format!("published by: {publisher}"));
    }
    if let Some(age) = report.last_success_age_seconds {
        lines.push(format!("last success: {} ago", ago(age)));
    }
    if let Some(watch) = &report.watch {
        let next = watch.next_turn_at.map(|at| format!("the next run is at {}", date(at)));
        let next = next.unwrap_or_else(|| "it waits for the next change".to_owned());
        lines.push(format!("kept current by `secretdir watch`: {next}"));
        let age = report.last_success_age_seconds;
        if watch.max_stale_seconds.is_some_and(|most| age.is_some_and(|age| age > most)) {
            lines.push("stale: the last success is older than max-stale".to_owned());
        }
    }
    for old in &report.superseded {
        let pinned = if old.pinned { ", pinned by a reader" } else { "" };
        lines.push(format!("superseded: generation {}{pinned}", old.id));
    }
    for id in &report.unfinished_ids {
        lines.push(format!("unfinished: generation {id} (in progress, or removed by the next run)"));
    }
    if report.view == StatusView::Reader {
        lines.push(
            "limited view: only root and the user who publishes can see sources and the last success"
                .to_owned(),
        );
    }
    if let Some(generation) = &report.generation {
        lines.extend(generation.files.iter().map(file));
        if generation.listing == ListingReport::Partial {
            lines.push("  and files that the current user may not list".to_owned());
        }
    }
    lines
}

fn current(report: &StatusReport, generation: &GenerationReport) -> String {
    let mut text = format!("{}: generation {}", report.path, generation.id);
    let at_least = match generation.listing {
        ListingReport::Complete => "",
        ListingReport::Partial => "at least ",
    };
    let (age, files) = (ago(generation.age_seconds), count(generation.files.len(), "file"));
    // Writing to a string does not fail.
    let _ = write!(text, ", published {age} ago, {at_least}{files}");
    if generation.pinned {
        text.push_str(", pinned by a reader");
    }
    text
}

fn file(file: &FileReport) -> String {
    let mut text = format!("  {} {}", file.mode, file.name);
    for (number, secret) in file.secrets.iter().enumerate() {
        text.push_str(if number == 0 { "  from " } else { "; " });
        text.push_str(&self::secret(secret));
    }
    text
}

fn secret(secret: &SecretReport) -> String {
    let mut text = format!("{}: {}", secret.source, secret.secret_name);
    if let Some(revision) = &secret.revision {
        let _ = write!(text, ", revision {revision}");
    }
    if let Some(origin) = &secret.origin {
        let _ = write!(text, ", {origin}");
    }
    if let Some(end) = secret.valid_until {
        let _ = write!(text, ", good until {}", date(end));
    }
    text
}

/// Formats a date. The engine reports no date that has no text.
fn date(seconds: u64) -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn ago(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}
