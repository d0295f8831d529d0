//! Metrics in the text format of Prometheus (exposition format 0.0.4), for the textfile collector of the node exporter.
//!
//! The file is written after each turn and replaced by a rename, so a reader never sees a part of it. Everyone may read
//! it: it contains names of links and sources, but never of secrets or files. Samples have no timestamps, because the
//! collector refuses them. The gauge of the last run shows how old the data is. All series exist from the start, so an
//! alert on one of them works before the first failure.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags};
use secretdir_engine::{Standing, WatchedConfig};
use secretdir_provider::{Clock, SourceErrorKind};

/// The kinds of source errors whose series exist from the start.
const KINDS: [SourceErrorKind; 9] = [
    SourceErrorKind::NotFound,
    SourceErrorKind::PermissionDenied,
    SourceErrorKind::Unauthenticated,
    SourceErrorKind::Throttled,
    SourceErrorKind::Unavailable,
    SourceErrorKind::TimedOut,
    SourceErrorKind::InvalidRequest,
    SourceErrorKind::InvalidData,
    SourceErrorKind::Unsupported,
];

/// The most bytes that are read from a file that may not be ours.
const LONGEST: u64 = 1 << 20;

/// The file of the metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(PathBuf);

impl Metrics {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Continues the counters of the existing file, for a process that makes one run. A file that is not ours is
    /// ignored.
    pub(crate) fn go_on(&self, standing: &mut Standing) {
        let Ok(text) = read(&self.0) else { return };
        let link = escaped(&standing.link.display().to_string());
        let value = |name: &str, labels: &str| {
            let sample = format!("{name}{{link=\"{link}\"{labels}}} ");
            let value = text.lines().find_map(|line| line.strip_prefix(&sample))?;
            value.parse::<f64>().ok().filter(|value| *value >= 0.0)
        };
        let count = |name: &str, labels: &str| value(name, labels).map_or(0, whole);
        let runs = |result: &str| count("secretdir_runs_total", &format!(",result=\"{result}\""));
        standing.turns.published = runs("published");
        standing.turns.unchanged = runs("unchanged");
        standing.turns.failed = runs("failed");
        standing.on_change_failures = count("secretdir_on_change_failures_total", "");
        standing.failures = u32::try_from(count("secretdir_consecutive_failures", "")).unwrap_or(u32::MAX);
        for source in &mut standing.sources {
            let name = escaped(&source.name);
            source.secret_count =
                usize::try_from(count("secretdir_source_secrets", &format!(",source=\"{name}\"")))
                    .unwrap_or_default();
            let label = format!(",source=\"{name}\"");
            let sum = value("secretdir_source_duration_seconds_sum", &label).filter(|sum| sum.is_finite());
            source.answers.0 = count("secretdir_source_duration_seconds_count", &label);
            source.answers.1 = Duration::try_from_secs_f64(sum.unwrap_or_default()).unwrap_or_default();
            for kind in KINDS {
                let labels = format!(",source=\"{name}\",kind=\"{}\"", word(kind));
                source.errors.push((kind, count("secretdir_source_errors_total", &labels)));
            }
        }
    }

    /// Returns the paths that are written.
    pub(crate) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        [Some(self.0.clone()), self.temporary()].into_iter().flatten()
    }

    /// Returns the path of the temporary file. The collector reads only names that end with `.prom`.
    fn temporary(&self) -> Option<PathBuf> {
        let name = self.0.file_name()?.to_string_lossy();
        Some(self.0.with_file_name(format!(".{name}.tmp")))
    }

    /// Writes the current state.
    pub(crate) fn write(&self, standing: &Standing, clock: &Clock) -> io::Result<()> {
        let text = text(standing, clock);
        let temporary = self.temporary().ok_or(io::ErrorKind::IsADirectory)?;
        ensure_replaceable(&self.0)?;
        let written = write(&temporary, &text).and_then(|()| fs::rename(&temporary, &self.0));
        if written.is_err() {
            // If this fails, the temporary file cannot be cleaned up in another way.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

/// Refuses to replace a device, a pipe or a link, because it has another purpose.
fn ensure_replaceable(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::other("the existing file is not a regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a file that other users may have put there: it follows no link, does not block, and reads a limited size.
fn read(path: &Path) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Creates and writes a new file. An existing file is never opened, because other users may be able to create links in
/// this folder. A file that a killed process has left is removed.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let create = || File::options().write(true).create_new(true).mode(0o644).open(path);
    let mut file = match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()?
        }
        created => created?,
    };
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(text.as_bytes())
}

/// The text under construction.
struct Text<'t> {
    text: String,
    link: &'t str,
}

impl Text<'_> {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let link = [("link", self.link)];
        let labels = link.iter().chain(labels).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels: Vec<_> = labels.collect();
        let _ = writeln!(self.text, "{name}{{{}}} {value}", labels.join(","));
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Adds a date. An unknown date is 0, like a gauge that was never set.
    fn date(&mut self, name: &str, help: &str, date: Option<SystemTime>) {
        let seconds = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        self.single(name, "gauge", help, seconds.map_or(0.0, |since| since.as_secs_f64().floor()));
    }
}

fn text(standing: &Standing, clock: &Clock) -> String {
    let link = standing.link.display().to_string();
    let mut text = Text { text: String::new(), link: &link };
    let version = env!("CARGO_PKG_VERSION");
    text.family("secretdir_info", "gauge", "The version of secretdir.");
    let _ = writeln!(text.text, "secretdir_info{{version=\"{version}\"}} 1");
    dates(&mut text, standing, clock);
    counts(&mut text, standing, clock);
    sources(&mut text, standing);
    configuration(&mut text, standing);
    text.text
}

fn dates(text: &mut Text<'_>, standing: &Standing, clock: &Clock) {
    let age = standing.freshness.age(clock);
    let success = age.and_then(|age| clock.date().checked_sub(age));
    let run = standing.last_turn.map(|(date, _)| date);
    text.date("secretdir_last_success_timestamp_seconds", "Time of the last successful run.", success);
    text.date("secretdir_last_run_timestamp_seconds", "Time at which the last run ended.", run);
    text.date(
        "secretdir_last_change_timestamp_seconds",
        "Time at which a set was last published.",
        standing.last_change_at,
    );
    text.date(
        "secretdir_next_run_timestamp_seconds",
        "Time at which the next run begins.",
        standing.next_turn_at,
    );
    text.date(
        "secretdir_earliest_expiry_timestamp_seconds",
        "Time at which the first secret of the current set expires; 0 if none is known to expire.",
        standing.valid_until,
    );
}

#[expect(clippy::cast_precision_loss, reason = "numbers of Prometheus are floats")]
fn counts(text: &mut Text<'_>, standing: &Standing, clock: &Clock) {
    let runs = "secretdir_runs_total";
    text.family(runs, "counter", "Runs by their result.");
    for (result, count) in [
        ("published", standing.turns.published),
        ("unchanged", standing.turns.unchanged),
        ("failed", standing.turns.failed),
    ] {
        text.sample(runs, &[("result", result)], count as f64);
    }
    let failures = f64::from(standing.failures);
    text.single("secretdir_consecutive_failures", "gauge", "Number of consecutive failed runs.", failures);
    let files = standing.file_count.unwrap_or_default() as f64;
    text.single("secretdir_files", "gauge", "Number of files in the current set.", files);
    let superseded = standing.superseded_count as f64;
    let name = "secretdir_superseded_generations";
    text.single(name, "gauge", "Number of old generations that are still kept.", superseded);
    let stale = f64::from(u8::from(standing.freshness.is_stale(clock)));
    text.single("secretdir_stale", "gauge", "Whether the last success is older than max-stale.", stale);
    let pending = f64::from(u8::from(standing.is_on_change_pending));
    text.single(
        "secretdir_on_change_pending",
        "gauge",
        "Whether the on-change command has not succeeded yet.",
        pending,
    );
    let failures = standing.on_change_failures as f64;
    text.single(
        "secretdir_on_change_failures_total",
        "counter",
        "Number of failures of the on-change command.",
        failures,
    );
}

#[expect(clippy::cast_precision_loss, reason = "numbers of Prometheus are floats")]
fn sources(text: &mut Text<'_>, standing: &Standing) {
    let (secrets, errors) = ("secretdir_source_secrets", "secretdir_source_errors_total");
    text.family(secrets, "gauge", "Number of secrets from a source at the last success.");
    for source in &standing.sources {
        text.sample(secrets, &[("source", &source.name)], source.secret_count as f64);
    }
    let duration = "secretdir_source_duration_seconds";
    text.family(duration, "summary", "Time that a source took to answer all requests.");
    for source in &standing.sources {
        let labels = [("source", source.name.as_str())];
        text.sample(&format!("{duration}_sum"), &labels, source.answers.1.as_secs_f64());
        text.sample(&format!("{duration}_count"), &labels, source.answers.0 as f64);
    }
    text.family(errors, "counter", "Number of failures of a source, by kind.");
    for source in &standing.sources {
        let others = source.errors.iter().map(|(kind, _)| *kind).filter(|kind| !KINDS.contains(kind));
        for kind in KINDS.into_iter().chain(others) {
            let count = source.errors.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count);
            let kind = word(kind);
            text.sample(errors, &[("source", &source.name), ("kind", &kind)], count as f64);
        }
    }
}

fn configuration(text: &mut Text<'_>, standing: &Standing) {
    let (is_good, since) = match standing.config {
        WatchedConfig::Refused { since, .. } => (0.0, since),
        WatchedConfig::Current { since } => (1.0, since),
    };
    let name = "secretdir_config_last_reload_successful";
    text.single(name, "gauge", "Whether the configuration in the files is in use.", is_good);
    let name = "secretdir_config_last_reload_success_timestamp_seconds";
    text.date(name, "Time at which the configuration in use was read.", Some(since));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not negative, and counts are small"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

fn word(kind: SourceErrorKind) -> String {
    kind.to_string().replace(' ', "-")
}

/// Escapes the value of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
