//! Time-outs by the clock of the host.

use std::pin::pin;

use futures_util::future::{Either, select};
use secretdir_provider::Deadline;

use crate::host::Host;

/// Waits for a future until a deadline. Then it drops the future and returns `None`.
pub(crate) async fn within<T>(
    deadline: &Deadline,
    host: &dyn Host,
    future: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(future), host.sleep(deadline.remaining())).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
