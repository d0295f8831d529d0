//! `[watch]`, and how often each source causes a turn.

use secretdir_provider::KeyPath;

use super::sources::Sources;
use crate::config::Config;
use crate::config::defaults::{DEBOUNCE, WATCH_INTERVAL};
use crate::config::report::Report;
use crate::config::section::{self, WatchSection};
use crate::config::words::{Refresh, Splay};
use crate::plan::planned::WatchSettings;

/// Reads when `watch` asks. A turn asks all sources, so the shortest interval of any counts.
pub(super) fn resolve(config: &Config, sources: &Sources, report: &mut Report<'_>) -> WatchSettings {
    let section: WatchSection = section::read_if_there(&config.table, "watch", report).unwrap_or_default();
    let usual = section.interval.unwrap_or(WATCH_INTERVAL);
    let intervals = sources.refreshes().filter_map(|refresh| match refresh {
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
    let debounce = (section.wake != Some(false)).then_some(section.debounce.unwrap_or(DEBOUNCE));
    WatchSettings { interval, splay, max_stale: section.max_stale, debounce }
}
