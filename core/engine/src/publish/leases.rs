//! Gives back the leases that nothing uses any more.
//!
//! A lease is in use as long as a note speaks of it: that of the current generation, or of one that is retained for its last
//! readers. Giving it back is a favour to the store. It runs out by itself if this fails, or if the process is killed before.

use std::collections::BTreeSet;
use std::time::Duration;

use atomicdir::Locked;
use futures_util::future::join_all;
use secretdir_provider::{Deadline, SourceError};

use super::manifest::Manifest;
use crate::catch_panic;
use crate::deadline::within;
use crate::escape::escape;
use crate::gather::holdings::Lease;
use crate::gather::source_run::SourceRun;
use crate::host::Host;
use crate::plan::{Plan, PlannedSource};
use crate::report::{WarningReport, count, describe};

/// How long all of it may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A lease, and the name of the source that gave it.
type Named = (String, String);

/// Returns the leases of these notes, and those that a run has got, which no note speaks of any more.
pub(crate) fn freed(locked: &Locked, plan: &Plan, notes: &[Vec<u8>], issued: &[Lease]) -> BTreeSet<Named> {
    let mut freed = noted(notes.iter());
    freed.extend(of_run(plan, issued));
    if !freed.is_empty() {
        match locked.notes() {
            Ok(notes) => {
                let used = noted(notes.iter());
                freed.retain(|lease| !used.contains(lease));
            }
            // There is no telling what is still in use.
            Err(_) => freed.clear(),
        }
    }
    freed
}

/// Returns the leases that a run has got.
fn of_run(plan: &Plan, issued: &[Lease]) -> BTreeSet<Named> {
    let named = issued.iter().filter_map(|lease| {
        let source = plan.sources.get(lease.source)?;
        Some((source.name.clone(), lease.handle.clone()))
    });
    named.collect()
}

fn noted<'n>(notes: impl Iterator<Item = &'n Vec<u8>>) -> BTreeSet<Named> {
    let entries = notes.filter_map(|note| Manifest::parse(note)).flat_map(|manifest| manifest.files);
    let entries = entries.flat_map(|(_, entries)| entries);
    entries.filter_map(|entry| Some((entry.source, entry.life?.lease?))).collect()
}

/// Gives leases back, but to no source that has failed: it would fail again. What keeps one from being given back is a warning.
pub(crate) async fn release(
    plan: &Plan,
    host: &dyn Host,
    leases: &BTreeSet<Named>,
    down: &BTreeSet<String>,
) -> Vec<WarningReport> {
    let deadline = Deadline::after(TIMEOUT, host.clock());
    let sources = plan.sources.iter().map(|source| {
        let handles = leases.iter().filter(|(name, _)| *name == source.name);
        (source, handles.map(|(_, handle)| handle.clone()).collect::<Vec<_>>())
    });
    let releases = sources.filter(|(source, handles)| !handles.is_empty() && !down.contains(&source.name));
    let releases = releases.map(|(source, handles)| release_of(plan, source, handles, host, &deadline));
    let mut warnings: Vec<_> = join_all(releases).await.into_iter().flatten().collect();
    warnings.extend(orphaned(plan, leases));
    warnings
}

/// Warns of leases whose source is not configured any more.
fn orphaned(plan: &Plan, leases: &BTreeSet<Named>) -> Vec<WarningReport> {
    let sources: BTreeSet<_> = leases.iter().map(|(source, _)| source.as_str()).collect();
    let gone = sources.into_iter().filter(|name| plan.sources.iter().all(|source| source.name != *name));
    gone.map(|name| {
        let leases = count(leases.iter().filter(|(source, _)| source == name).count(), "lease");
        let name = escape(name);
        format!("{leases} of source `{name}`, which is not configured any more, cannot be given back, and will run out").into()
    })
    .collect()
}

async fn release_of(
    plan: &Plan,
    source: &PlannedSource,
    handles: Vec<String>,
    host: &dyn Host,
    deadline: &Deadline,
) -> Option<WarningReport> {
    let run = SourceRun::new(plan, host, deadline);
    let release = catch_panic::wait(source.provider, source.source.release(&run.context, &handles));
    let why = match within(deadline, host, release).await {
        Some(Ok(Ok(()))) => return None,
        Some(Ok(Err(error))) => describe(&error),
        Some(Err(panicked)) => describe(&SourceError::from(panicked)),
        None => format!("the source did not answer within {} seconds", TIMEOUT.as_secs()),
    };
    let leases = count(handles.len(), "lease");
    Some(
        format!("source `{}`: {leases} could not be given back, and will run out: {why}", source.name).into(),
    )
}

/// Ends what the sources have opened at their stores: this process has no more use for it.
pub(crate) async fn close(plan: &Plan, host: &dyn Host) {
    let deadline = Deadline::after(TIMEOUT, host.clock());
    let closes = plan.sources.iter().map(|source| async {
        let run = SourceRun::new(plan, host, &deadline);
        let close = catch_panic::wait(source.provider, source.source.close(&run.context));
        if !matches!(within(&deadline, host, close).await, Some(Ok(()))) {
            tracing::debug!(source = source.name, "the session was not ended, and will run out");
        }
    });
    join_all(closes).await;
}
