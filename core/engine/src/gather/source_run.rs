//! One run, as one source sees it, and what it warned of.

use secretdir_provider::{Deadline, RunContext, Warnings};

use crate::host::Host;
use crate::plan::Plan;

/// What a source is told of a run, and what it says.
pub(crate) struct SourceRun {
    pub(crate) context: RunContext,
    warnings: Warnings,
}

impl SourceRun {
    pub(crate) fn new(plan: &Plan, host: &dyn Host, deadline: &Deadline) -> Self {
        let warnings = Warnings::default();
        let context = RunContext::builder()
            .clock(host.clock())
            .jitter(host.jitter())
            .timeout(deadline.remaining())
            .concurrency(plan.gather.concurrency)
            .warnings(warnings.clone())
            .build();
        Self { context, warnings }
    }

    /// Returns what the source has warned of so far.
    pub(crate) fn warnings(&self, source: &str) -> Vec<String> {
        self.warnings.to_vec().into_iter().map(|text| format!("source `{source}`: {text}")).collect()
    }
}
