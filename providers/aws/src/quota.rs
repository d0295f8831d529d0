//! What the quotas of an account mean for a host that asks again and again.

use std::time::Duration;

/// The shortest interval for one host of a large fleet. All hosts of an account and region share 100 calls of BatchGetSecretValue a second,
/// which cannot be raised, and 40 of GetParameters unless that is raised: half of the former carries 3,000 hosts of one batch a minute
/// ("AWS Secrets Manager quotas", "AWS Systems Manager endpoints and quotas").
pub(crate) const SHORTEST_INTERVAL: Duration = Duration::from_secs(60);
