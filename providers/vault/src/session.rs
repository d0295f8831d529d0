//! The token of a source. It is got once, kept while it lives, renewed in time, and revoked if no lease depends on it.
//!
//! A lease ends with the token that took it, whatever life the server has named. So the life of a token bounds that of
//! its leases, and a token is not revoked while it has leases.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use secretdir_http_client::HeaderValue;
use secretdir_provider::{RunContext, SourceError};

use crate::answer::Auth;
use crate::login::{is_service, token_header};
use crate::time::seconds;

/// A token whose remaining life is shorter than this is not used.
const MARGIN: Duration = Duration::from_secs(2);

/// A token, and its properties.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) token: HeaderValue,
    pub(crate) origin: Origin,
    pub(crate) life: Life,
    /// Its initial life.
    pub(crate) first_life: Duration,
    /// The leases that it has taken.
    pub(crate) leases: BTreeSet<String>,
}

/// The origin of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Provided by another program, which renews it.
    Given,
    /// From our login. It can be revoked.
    Ours,
    /// From our login, of the kind that cannot be revoked.
    Batch,
}

/// The life of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The server has not been asked yet.
    Unknown,
    Endless,
    Until {
        begun: SystemTime,
        end: SystemTime,
        is_renewable: bool,
    },
}

impl Life {
    pub(crate) fn of(life: u64, is_renewable: bool, now: SystemTime) -> Self {
        match now.checked_add(seconds(life)) {
            Some(end) if life > 0 => Self::Until { begun: now, end, is_renewable },
            _ => Self::Endless,
        }
    }

    pub(crate) fn end(self) -> Option<SystemTime> {
        match self {
            Self::Until { end, .. } => Some(end),
            Self::Unknown | Self::Endless => None,
        }
    }

    /// Says whether it is time to renew the token.
    pub(crate) fn is_due(self, now: SystemTime, share: f64) -> bool {
        match self {
            Self::Until { begun, end, is_renewable: true } => {
                let life = end.duration_since(begun).unwrap_or_default();
                now >= begun + life.mul_f64(share) && now < end
            }
            _ => false,
        }
    }

    /// Says whether the token is known to live this long.
    pub(crate) fn lasts(self, now: SystemTime, life: Duration) -> bool {
        match self {
            Self::Unknown => false,
            Self::Endless => true,
            Self::Until { end, .. } => now.checked_add(life).is_some_and(|needed| needed <= end),
        }
    }

    /// Says whether the token has expired, or nearly so.
    pub(crate) fn is_over(self, now: SystemTime) -> bool {
        self.end().is_some_and(|end| end.checked_sub(MARGIN).is_none_or(|end| end <= now))
    }
}

impl Session {
    pub(crate) fn given(token: HeaderValue) -> Self {
        Self {
            token,
            origin: Origin::Given,
            life: Life::Unknown,
            first_life: Duration::ZERO,
            leases: BTreeSet::new(),
        }
    }

    /// Makes a session from the answer of a login.
    pub(crate) fn of(auth: &Auth<'_>, run: &RunContext) -> Result<Self, SourceError> {
        let token = token_header(auth.client_token.as_bytes())?;
        let origin = if is_service(auth) { Origin::Ours } else { Origin::Batch };
        let life = Life::of(auth.lease_duration, auth.renewable, run.clock().date());
        let first_life = seconds(auth.lease_duration);
        Ok(Self { token, origin, life, first_life, leases: BTreeSet::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::LONGEST;

    #[test]
    fn a_token_is_renewed_in_time_and_not_used_to_its_last_second() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let later = |seconds| now + Duration::from_secs(seconds);
        let life = Life::of(90, true, now);
        assert!(!life.is_due(later(59), 0.66) && life.is_due(later(60), 0.66));
        assert!(!life.is_over(later(87)) && life.is_over(later(88)));
        assert!(!Life::of(90, false, now).is_due(later(89), 0.66));
        assert!(life.is_due(later(89), 0.66) && !life.is_due(later(90), 0.66));
        let lasts = |life: Life, seconds| life.lasts(now, Duration::from_secs(seconds));
        assert!(lasts(life, 90) && !lasts(life, 91));
        assert!(lasts(Life::Endless, u64::MAX) && !lasts(Life::Unknown, 0));
        assert_eq!(Life::of(0, true, now), Life::Endless);
        assert!(!Life::Endless.is_over(later(1_000_000)) && !Life::Unknown.is_over(now));
        assert!(Life::of(1, true, now).is_over(now));
        // All times in it can be represented.
        let long = Life::of(u64::MAX, true, now);
        assert_eq!(long.end(), Some(now + LONGEST));
        assert!(!long.is_due(now, 0.66) && lasts(long, 1_000_000_000));
    }
}
