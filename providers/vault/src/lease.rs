//! What is noted of a lease, to renew it, to give it back, and to know when it ends at the latest.
//!
//! It is noted when the lease is taken, and never changes: the engine knows a lease by this text. One that a renewal had changed would
//! be another lease, and the old one would be given back with the first set that is removed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time::seconds;

/// A lease. The text of it is `END:LIFE:ID`: when the token was to end that took it (0: never), how long the lease was to live at first,
/// both in seconds, and the server's own name for it.
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

    /// Says whether a text can be the server's name for a lease. Its own are a path and a few characters.
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

    /// Returns when the token was to end that took it. It may have been renewed since.
    pub(crate) fn token_end(&self) -> Option<SystemTime> {
        (self.token_end > 0).then(|| UNIX_EPOCH.checked_add(Duration::from_secs(self.token_end))).flatten()
    }

    /// Returns how long it was to live at first.
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
