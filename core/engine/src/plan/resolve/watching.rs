//! `[watch]`, and how often each source causes a turn.

use std::time::Duration;

use secretdir_provider::KeyPath;

use super::sources::Sources;
use crate::config::Config;
use crate::config::defaults::{DEBOUNCE, WATCH_INTERVAL};
use crate::config::report::Report;
use crate::config::section::{self, WatchSection};
use crate::config::values::{Refresh, Splay};
use crate::plan::planned::WatchSettings;

/// Reads when `watch` asks. A turn asks all sources, so the shortest interval of any counts.
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
            report.error(&at, "is longer than the interval, over which turns are spread");
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

/// A limit below the interval reports a set as stale before each turn.
fn warn_of_staleness(interval: Option<Duration>, longest: Option<Duration>, report: &mut Report<'_>) {
    let (Some(interval), Some(longest)) = (interval, longest) else { return };
    if longest < interval {
        let (longest, interval) = (humantime::format_duration(longest), humantime::format_duration(interval));
        let message = format!(
            "the set is stale after {longest}, but a turn comes only every {interval}: it becomes stale although all is well"
        );
        report.warn(&KeyPath::from(["watch", "max-stale"]), message);
    }
}

/// A turn asks all sources, so each is asked as often as any.
fn warn_of_quotas(interval: Duration, sources: &Sources, report: &mut Report<'_>) {
    for source in sources.planned() {
        let Some(shortest) = source.source.shortest_interval().filter(|shortest| interval < *shortest) else {
            continue;
        };
        let (interval, shortest) =
            (humantime::format_duration(interval), humantime::format_duration(shortest));
        let message = format!(
            "source `{}` is asked every {interval}: its quota is shared by all hosts of the account, and one of many should not ask \
             more often than every {shortest}",
            source.name
        );
        report.warn(&KeyPath::from(["watch", "interval"]), message);
    }
}
