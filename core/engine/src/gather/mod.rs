//! Gathering sends every distinct request once, to all sources concurrently. It succeeds as a whole or not at all, and ends
//! at the deadline of the run.
//!
//! 1. Each source first lists the prefixes of the imports. Then it fetches all secrets together.
//! 2. A source puts each answer when it arrives. An answer that has arrived counts, even if the rest fails.
//! 3. Failed requests are retried as long as every error advises a retry and there is time: see [`backoff`].
//! 4. When everything has been answered, the requests that issue something are sent: see [`issuing`].
//! 5. A failure of one source does not end the others, so one run reports all failures.
//!
//! A source has one [`RunContext`](secretdir_provider::RunContext) for all of this. The state that it keeps there is
//! dropped at the end.

pub(crate) mod answers;
mod backoff;
mod fault;
mod fetching;
pub(crate) mod holdings;
pub(crate) mod issuing;
pub(crate) mod source_run;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use secretdir_provider::{Allowance, Deadline};

use crate::host::{Event, Host};
use crate::plan::Plan;

use answers::{Answered, Answers};
pub(crate) use fault::GatherFault;
pub(crate) use fetching::is_down;
use fetching::{Fetched, Fetching};
use holdings::{HeldSecrets, Lease};
use issuing::{Issuing, Purpose};

/// The result of a gathering.
pub(crate) struct Gathered {
    pub(crate) result: Result<Answers, Vec<GatherFault>>,
    /// The warnings of the sources, which may explain a failure.
    pub(crate) warnings: Vec<String>,
    /// The leases that a failed gathering has received.
    pub(crate) issued: Vec<Lease>,
}

/// Lists the imported prefixes, and fetches every distinct request.
pub(crate) async fn gather(
    plan: &Plan,
    host: &dyn Host,
    purpose: Purpose,
    holdings: HeldSecrets,
) -> Gathered {
    host.event(Event::Gathering { secrets: plan.secret_count() });
    let deadline = Deadline::after(plan.gather.timeout, host.clock());
    let allowance = Allowance::new(plan.gather.max_bytes);
    let fetching = |source| Fetching::new(plan, source, host, deadline.clone(), &allowance);
    let fetched = join_all((0..plan.sources.len()).filter_map(fetching).map(Fetching::run)).await;
    let (runs, fetched): (Vec<_>, Vec<_>) = fetched.into_iter().unzip();
    // One fault covers all secrets that exceed the limit.
    let mut result = if allowance.is_exceeded() {
        Err(vec![GatherFault::TooLarge(plan.gather.max_bytes)])
    } else {
        collect(fetched, deadline.clone())
    };
    let mut issued = Vec::new();
    if let Ok(answers) = &mut result {
        let (faults, allowance) = (Vec::new(), &allowance);
        let issuing = Issuing { plan, host, runs: &runs, deadline, allowance, answers, holdings, faults };
        let faults = issuing.run(purpose).await;
        if !faults.is_empty() {
            issued = std::mem::take(&mut answers.issued);
            result = Err(faults);
        }
    }
    let warnings =
        plan.sources.iter().zip(&runs).flat_map(|(source, run)| run.warnings(&source.name)).collect();
    Gathered { result, warnings, issued }
}

/// Combines the results: every secret, or every failure.
fn collect(all: Vec<Fetched>, deadline: Deadline) -> Result<Answers, Vec<GatherFault>> {
    let mut faults = Vec::new();
    let mut sources = Vec::with_capacity(all.len());
    for (source, fetched) in all.into_iter().enumerate() {
        sources.push(answered(source, fetched, &mut faults));
    }
    if faults.is_empty() {
        Ok(Answers {
            sources,
            deadline,
            kept: BTreeMap::new(),
            unasked: BTreeSet::new(),
            carried: BTreeMap::new(),
            issued: Vec::new(),
        })
    } else {
        Err(faults)
    }
}

/// Splits the result of one source into its answers and its faults.
fn answered(source: usize, fetched: Fetched, faults: &mut Vec<GatherFault>) -> Answered {
    let Fetched { requests, positions, outcomes, listings, duration } = fetched;
    let mut answered = Answered { requests, positions, duration, ..Answered::default() };
    for (prefix, listing) in listings {
        match listing {
            Ok(names) => drop(answered.listings.insert(prefix, names)),
            Err(error) => faults.push(GatherFault::Listing { source, prefix, error }),
        }
    }
    answered.secrets.reserve_exact(outcomes.len());
    for (request, outcome) in answered.requests.iter().zip(outcomes) {
        match outcome {
            Ok(secret) => answered.secrets.push(secret.map(Arc::new)),
            Err(error) => faults.push(GatherFault::Fetch { source, request: request.clone(), error }),
        }
    }
    answered
}

#[cfg(test)]
mod tests;
