//! The text of `secretdir status`.

use std::fmt::Write;
use std::time::Duration;

use secretdir_engine::{
    Announcement, FileReport, GenerationReport, SecretReport, StatusReport, StatusView, count, escape,
};

pub(crate) fn text(report: &StatusReport) -> String {
    let mut lines = vec![match &report.generation {
        Some(generation) => current(report, generation),
        None => format!("nothing is published at {}", escape(&report.path)),
    }];
    if let Some(publisher) = report.generation.as_ref().and_then(|current| current.publisher.as_ref()) {
        lines.push(format!("published by: {publisher}"));
    }
    if let Some(age) = report.last_success_age_seconds {
        lines.push(format!("last success: {} ago", ago(age)));
    }
    for old in &report.superseded {
        let pinned = if old.pinned { ", pinned by a reader" } else { "" };
        lines.push(format!("superseded: generation {}{pinned}", old.id));
    }
    for id in &report.unfinished {
        lines.push(format!("unfinished: generation {id} (being made, or swept away by the next run)"));
    }
    if report.view == StatusView::Reader {
        lines.push(
            "seen as a reader: only the user who publishes sees sources and the last success".to_owned(),
        );
    }
    if let Some(generation) = &report.generation {
        lines.extend(generation.files.iter().map(file));
    }
    lines.join("\n")
}

fn current(report: &StatusReport, generation: &GenerationReport) -> String {
    let mut text = format!("{}: generation {}", escape(&report.path), generation.id);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        ", published {} ago, {}",
        ago(generation.age_seconds),
        count(generation.files.len(), "file")
    );
    if generation.pinned {
        text.push_str(", pinned by a reader");
    }
    if generation.on_change == Some(Announcement::Pending) {
        text.push_str("\npending: the on-change command has not succeeded yet; the next run repeats it");
    }
    text
}

fn file(file: &FileReport) -> String {
    let mut text = format!("  {} {}", file.mode, file.name);
    for (number, secret) in file.secrets.iter().enumerate() {
        text.push_str(if number == 0 { "  from " } else { "; " });
        text.push_str(&self::secret(secret));
    }
    escape(&text).into_owned()
}

fn secret(secret: &SecretReport) -> String {
    let mut text = format!("{}: {}", secret.source, secret.secret);
    if let Some(revision) = &secret.revision {
        let _ = write!(text, ", revision {revision}");
    }
    if let Some(origin) = &secret.origin {
        let _ = write!(text, ", {origin}");
    }
    text
}

fn ago(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}
