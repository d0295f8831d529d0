//! What the store makes when it is asked for `made`.

use std::time::{Duration, SystemTime};

use super::*;

const LIFE: Duration = Duration::from_secs(600);

impl<const FAULT: u32> Source<FAULT> {
    pub(super) fn makes(request: &SecretRequest) -> bool {
        FAULT == Fault::ALL_ARE_MADE || FAULT != Fault::NOTHING_IS_MADE && request.name() == "made"
    }

    /// Makes one more.
    pub(super) fn make(&self) -> Secret {
        let number = match FAULT {
            Fault::REPLACES_BY_THE_SAME => 0,
            _ => self.0.made.fetch_add(1, Ordering::Relaxed),
        };
        let secret = Secret::new(format!("made {number}")).with_lease(format!("lease {number}"));
        match FAULT {
            Fault::ENDED_BEFORE => secret.with_valid_until(SystemTime::UNIX_EPOCH),
            Fault::RENEWED_TOO_LATE => {
                secret.with_valid_for(LIFE).with_renew_at(SystemTime::now() + LIFE * 2)
            }
            _ => secret.with_valid_for(LIFE),
        }
    }

    pub(super) fn refreshed(&self, held: &Held) -> Refreshed {
        let later = held.clone().with_valid_until(SystemTime::now() + LIFE);
        match FAULT {
            Fault::REPLACES_BY_THE_SAME => Refreshed::New(self.make()),
            Fault::KEEPS_ANOTHER => Refreshed::Keep(later.with_revision("another")),
            Fault::KEEPS_WHAT_ENDED => Refreshed::Keep(held.clone().with_valid_until(SystemTime::UNIX_EPOCH)),
            _ => Refreshed::Keep(later),
        }
    }
}
