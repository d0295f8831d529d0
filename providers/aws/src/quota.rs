//! The shortest polling interval that the quotas of an account allow.

use std::time::Duration;

/// The shortest interval for one host of a large fleet.
///
/// All hosts of an account and region share 100 calls of BatchGetSecretValue a second. This quota cannot be raised.
/// They also share 40 calls of GetParameters a second, unless that quota is raised. Half of the former is enough for
/// 3,000 hosts with one batch a minute ("AWS Secrets Manager quotas", "AWS Systems Manager endpoints and quotas").
pub(crate) const SHORTEST_INTERVAL: Duration = Duration::from_secs(60);
