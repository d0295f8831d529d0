//! Traces on standard error: the steps of the engine and the providers, never a value.
//!
//! Third-party crates may trace the data that they send and receive, which is credentials and secrets. The AWS SDK does
//! so even in some warnings. So only their errors are shown, whatever RUST_LOG says. The shown traces may quote names
//! from outside, so they are escaped like any other message.

use std::io::{self, Write};

use secretdir_engine::escape;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::Verbosity;

/// The crates whose traces follow the rules of this project.
const OURS: &[&str] = &["atomicdir", "secretdir"];

/// Starts to write traces, unless the embedding program already does.
pub(crate) fn start(verbosity: Verbosity) {
    let level = match verbosity {
        Verbosity::Quiet | Verbosity::Normal => LevelFilter::ERROR,
        Verbosity::Verbose => LevelFilter::DEBUG,
        Verbosity::Everything => LevelFilter::TRACE,
    };
    let chosen = named_by(&std::env::var("RUST_LOG").unwrap_or_default(), level);
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Escaped).with_ansi(false);
    let layer = lines.with_filter(chosen).with_filter(filter_fn(is_safe));
    // A second subscriber is refused. The first one belongs to the embedding program.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

/// Parses RUST_LOG, such as `debug` or `secretdir_engine=trace,warn`. Parts that are not valid are ignored. Filters for
/// spans and fields are not supported, because they need a library for regular expressions.
fn named_by(variable: &str, otherwise: LevelFilter) -> Targets {
    let mut named = Targets::new();
    let mut is_empty = true;
    for part in variable.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        named = match (part.parse::<LevelFilter>(), part.parse::<Targets>()) {
            (Ok(level), _) => named.with_default(level),
            (Err(_), Ok(targets)) => named.with_targets(targets),
            (Err(_), Err(_)) => continue,
        };
        is_empty = false;
    }
    if is_empty { named.with_default(otherwise) } else { named }
}

/// Standard error for traces. Each trace is written by one call, as one line.
struct Escaped;

impl Write for Escaped {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(io::stderr(), "{}", escape(text))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Says whether an event may be shown.
fn is_safe(event: &Metadata<'_>) -> bool {
    *event.level() == Level::ERROR || OURS.iter().any(|ours| is_in(event.target(), ours))
}

/// Says whether a target is a crate of this name, or one whose name starts with it and an underscore.
fn is_in(target: &str, name: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or_default();
    crate_name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_levels_and_targets() {
        for (variable, target, level, expected) in [
            ("", "secretdir", Level::ERROR, true),
            ("", "secretdir", Level::WARN, false),
            ("debug", "secretdir", Level::DEBUG, true),
            ("secretdir_engine=trace,warn", "secretdir_engine::gather", Level::TRACE, true),
            ("secretdir_engine=trace,warn", "secretdir_provider_aws", Level::INFO, false),
            ("secretdir_engine=trace", "secretdir_provider_aws", Level::ERROR, false),
            ("nonsense[=,debug", "secretdir", Level::DEBUG, true),
            ("off", "secretdir", Level::ERROR, false),
        ] {
            let named = named_by(variable, LevelFilter::ERROR);
            assert_eq!(named.would_enable(target, &level), expected, "{variable} {target}");
        }
    }

    #[test]
    fn only_our_own_crates_are_ours() {
        for ours in ["secretdir", "secretdir_engine::gather", "secretdir_provider_aws", "atomicdir::publish"]
        {
            assert!(OURS.iter().any(|name| is_in(ours, name)), "{ours}");
        }
        for other in ["aws_smithy_runtime::client", "hyper", "secretdirx", "xatomicdir", ""] {
            assert!(!OURS.iter().any(|name| is_in(other, name)), "{other}");
        }
    }
}
