//! One run as one source sees it, with the warnings of the source.

use secretdir_provider::{Deadline, RunContext, Warnings};

use crate::host::Host;
use crate::plan::Plan;

/// The context of a run for one source, and the warnings that the source adds.
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

    /// Returns the warnings of the source so far.
    pub(crate) fn warnings(&self, source: &str) -> Vec<String> {
        self.warnings.to_vec().into_iter().map(|text| format!("source `{source}`: {text}")).collect()
    }
}
