//! The note about a lease: the data to renew it, to give it back, and to know when it ends at the latest.
//!
//! The note is written when the lease is taken, and never changes, because the engine identifies the lease by this
//! text. A changed text would be another lease, and the old one would be given back with the first set that is removed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time::seconds;

/// A lease. Its text is `END:LIFE:ID`, with both times in seconds:
///
/// - `END`: when the token that took it was to expire; 0 if never
/// - `LIFE`: the initial life of the lease
/// - `ID`: the server's ID of the lease
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    token_end: u64,
    life: u64,
    pub(crate) id: String,
}

impl Lease {
    pub(crate) fn new(id: &str, life: Duration, token_end: Option<SystemTime>) -> Self {
        let token_end = token_end.and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        Self { token_end: token_end.map_or(0, |end| end.as_secs()), life: life.as_secs(), id: id.to_owned() }
    }

    /// Says whether a text can be the server's ID of a lease. The server's own IDs are a path and a few characters.
    pub(crate) fn is_id(text: &str) -> bool {
        (1..=1024).contains(&text.len()) && !text.chars().any(char::is_control)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next()?.parse().ok();
        let (token_end, life) = (number()?, number()?);
        Some(Self { token_end, life, id: parts.next()?.to_owned() })
    }

    pub(crate) fn handle(&self) -> String {
        format!("{}:{}:{}", self.token_end, self.life, self.id)
    }

    /// Returns when the token that took the lease was to expire. It may have been renewed since.
    pub(crate) fn token_end(&self) -> Option<SystemTime> {
        (self.token_end > 0).then(|| UNIX_EPOCH.checked_add(Duration::from_secs(self.token_end))).flatten()
    }

    /// Returns the initial life of the lease.
    pub(crate) fn life(&self) -> Duration {
        seconds(self.life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_of_one_line() {
        assert!(Lease::is_id("database/creds/app/x") && Lease::is_id(&"x".repeat(1024)));
        assert!(!Lease::is_id(&"x".repeat(1025)) && !Lease::is_id("a\nb") && !Lease::is_id(""));
    }

    #[test]
    fn a_handle_is_read_back() {
        let end = UNIX_EPOCH + Duration::from_secs(77);
        for lease in [
            Lease::new("database/creds/app/x:y", Duration::from_secs(9), Some(end)),
            Lease::new("a", Duration::ZERO, None),
        ] {
            assert_eq!(Lease::parse(&lease.handle()), Some(lease));
        }
        assert_eq!(Lease::parse("database/creds/app/x"), None);
        assert_eq!(Lease::parse("1:2"), None);
    }
}
