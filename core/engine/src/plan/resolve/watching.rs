//! Resolves `[watch]`, and the interval of each source.

use std::time::Duration;

use secretdir_provider::KeyPath;

use super::sources::Sources;
use crate::config::Config;
use crate::config::defaults::{DEBOUNCE, WATCH_INTERVAL};
use crate::config::report::Report;
use crate::config::section::{self, WatchSection};
use crate::config::values::{Refresh, Splay};
use crate::plan::planned::WatchSettings;

/// Resolves the schedule of `watch`. A turn polls all sources, so the shortest interval of all applies.
pub(super) fn resolve(config: &Config, sources: &Sources, report: &mut Report<'_>) -> WatchSettings {
    let section: WatchSection = section::read_if_there(&config.table, "watch", report).unwrap_or_default();
    let usual = section.interval.unwrap_or(WATCH_INTERVAL);
    let intervals = sources.planned().iter().filter_map(|source| match source.refresh {
        None => Some(usual),
        Some(Refresh::Every(interval)) => Some(interval),
        Some(Refresh::Never) => None,
    });
    let interval = intervals.min();
    let whole = interval.unwrap_or(usual);
    let splay = match section.splay {
        None | Some(Splay::Interval) => whole,
        Some(Splay::Within(splay)) if splay > whole => {
            let at = KeyPath::from(["watch", "splay"]);
            let longest = humantime::format_duration(whole);
            report.error(&at, format!("is longer than {longest}, the shortest interval between runs"));
            whole
        }
        Some(Splay::Within(splay)) => splay,
    };
    if config.table.contains_key("watch")
        && let Some(interval) = interval
    {
        warn_of_quotas(interval, sources, report);
    }
    warn_of_staleness(interval, section.max_stale, report);
    let debounce = (section.wake != Some(false)).then_some(section.debounce.unwrap_or(DEBOUNCE));
    WatchSettings { interval, splay, max_stale: section.max_stale, debounce }
}

/// Warns about a maximum age below the interval: the set would be stale before each turn.
fn warn_of_staleness(interval: Option<Duration>, longest: Option<Duration>, report: &mut Report<'_>) {
    let (Some(interval), Some(longest)) = (interval, longest) else { return };
    if longest < interval {
        let (longest, interval) = (humantime::format_duration(longest), humantime::format_duration(interval));
        let message = format!(
            "the set is stale after {longest}, but a run comes only every {interval}: the set would be stale although all is well"
        );
        report.warn(&KeyPath::from(["watch", "max-stale"]), message);
    }
}

/// Warns about an interval that is too short for the quota of a source. A turn polls all sources, so the same interval
/// applies to each.
fn warn_of_quotas(interval: Duration, sources: &Sources, report: &mut Report<'_>) {
    for source in sources.planned() {
        let Some(shortest) = source.source.shortest_interval().filter(|shortest| interval < *shortest) else {
            continue;
        };
        let (interval, shortest) =
            (humantime::format_duration(interval), humantime::format_duration(shortest));
        let message = format!(
            "source `{}` is polled every {interval}: all hosts of the account share its quota, so a host of a large \
             fleet should not poll more often than every {shortest}",
            source.name
        );
        report.warn(&KeyPath::from(["watch", "interval"]), message);
    }
}
