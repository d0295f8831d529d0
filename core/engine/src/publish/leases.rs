//! Revokes the leases that are no longer used.
//!
//! A lease is in use while a note contains it. This is the note of the current generation, or of one that is retained for
//! its last readers. Revoking is a courtesy to the store. If it fails, or if the process is killed first, the lease expires
//! by itself.

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

/// The time-out for revoking all leases.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A lease: the name of its source, and its ID.
type Named = (String, String);

/// Returns the leases of these notes and of a run that no current note contains.
pub(crate) fn freed(locked: &Locked, plan: &Plan, notes: &[Vec<u8>], issued: &[Lease]) -> BTreeSet<Named> {
    let mut freed = noted(notes.iter());
    freed.extend(of_run(plan, issued));
    if !freed.is_empty() {
        match locked.notes() {
            Ok(notes) => {
                let used = noted(notes.iter());
                freed.retain(|lease| !used.contains(lease));
            }
            // It is unknown which leases are in use.
            Err(_) => freed.clear(),
        }
    }
    freed
}

/// Returns the leases that a run received.
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

/// Revokes leases, except those of sources that are down, where it would fail. Each failure is a warning.
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

/// Warns about leases whose source is no longer configured.
fn orphaned(plan: &Plan, leases: &BTreeSet<Named>) -> Vec<WarningReport> {
    let sources: BTreeSet<_> = leases.iter().map(|(source, _)| source.as_str()).collect();
    let gone = sources.into_iter().filter(|name| plan.sources.iter().all(|source| source.name != *name));
    gone.map(|name| {
        let leases = count(leases.iter().filter(|(source, _)| source == name).count(), "lease");
        let name = escape(name);
        format!(
            "{leases} of source `{name}`, which is no longer configured, cannot be revoked, and will expire"
        )
        .into()
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
    Some(format!("source `{}`: {leases} could not be revoked, and will expire: {why}", source.name).into())
}

/// Closes the sessions of the sources at their stores, because this process no longer needs them.
pub(crate) async fn close(plan: &Plan, host: &dyn Host) {
    let deadline = Deadline::after(TIMEOUT, host.clock());
    let closes = plan.sources.iter().map(|source| async {
        let run = SourceRun::new(plan, host, &deadline);
        let close = catch_panic::wait(source.provider, source.source.close(&run.context));
        if !matches!(within(&deadline, host, close).await, Some(Ok(()))) {
            tracing::debug!(source = source.name, "the session was not closed, and will expire");
        }
    });
    join_all(closes).await;
}
