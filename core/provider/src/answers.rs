//! Where the answers to requests go, one by one.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Allowance, Clock, Secret, SourceError, SourceErrorKind};

/// What a source said to one request.
pub type Answer = Result<Secret, SourceError>;

/// The answers to the requests of one [`fetch_all`](crate::SecretSource::fetch_all), as they come.
///
/// An answer counts from the moment that it is [put](Self::put) here, also if the fetch is dropped afterwards: at the deadline of a
/// run, what has arrived is kept.
///
/// ```
/// use secretdir_provider::{Answers, Secret};
///
/// let answers = Answers::new(2);
/// answers.put(1, Ok(Secret::new("second")));
/// let [first, second] = answers.into_vec().try_into().unwrap();
/// assert!(first.is_none());
/// assert_eq!(second.unwrap().unwrap().expose_secret(), b"second");
/// ```
pub struct Answers {
    allowance: Allowance,
    /// None where whoever takes the answers out passes them on: they arrive there.
    clock: Option<Clock>,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    answers: Vec<Option<Answer>>,
    secrets: usize,
    /// A position that no request has: the source mixes up its positions.
    is_mixed_up: bool,
}

impl Answers {
    /// Makes room for the answers to this many requests.
    pub fn new(requests: usize) -> Self {
        let answers = std::iter::repeat_with(|| None).take(requests).collect();
        let slots = Mutex::new(Slots { answers, ..Slots::default() });
        Self { allowance: Allowance::default(), clock: None, slots }
    }

    /// Bounds the bytes of all secrets that are put here, and into all others with clones of this allowance.
    #[must_use]
    pub fn with_allowance(self, allowance: Allowance) -> Self {
        Self { allowance, ..self }
    }

    /// Sets the clock that tells when an answer arrives.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Takes the answer to the request at this position, counted from 0. A later answer to the same request replaces the
    /// earlier one.
    ///
    /// Put an answer as soon as you have it. A secret that the run has no room for is dropped, and an error is kept in its
    /// place.
    pub fn put(&self, position: usize, answer: Answer) {
        let answer = answer.and_then(|secret| self.admit(secret));
        let mut slots = self.slots();
        let is_secret = answer.is_ok();
        match slots.answers.get_mut(position).map(|slot| slot.replace(answer)) {
            Some(Some(Ok(_))) => slots.secrets -= usize::from(!is_secret),
            Some(_) => slots.secrets += usize::from(is_secret),
            None => slots.is_mixed_up = true,
        }
    }

    /// Returns how many bytes all secrets of the run may have together. A source that holds many before it puts them, because it
    /// must see all first, compares them with this.
    pub fn max_bytes(&self) -> u64 {
        self.allowance.max_bytes()
    }

    /// Returns how many requests have been answered with a secret so far.
    pub fn secret_count(&self) -> usize {
        self.slots().secrets
    }

    /// Says whether an answer was put at a position that no request has. No answer can be trusted then.
    pub fn is_mixed_up(&self) -> bool {
        self.slots().is_mixed_up
    }

    /// Returns the answers in the order of the requests; `None` for those that have none.
    pub fn into_vec(self) -> Vec<Option<Answer>> {
        self.slots.into_inner().unwrap_or_else(PoisonError::into_inner).answers
    }

    /// Returns the answer to the only request. A source that asks for everything together writes its
    /// [`fetch`](crate::SecretSource::fetch) with this.
    ///
    /// # Errors
    ///
    /// What was put, or that nothing was.
    pub fn into_only(self) -> Answer {
        let only = self.into_vec().into_iter().next().flatten();
        only.unwrap_or_else(|| Err(SourceError::unanswered()))
    }

    fn admit(&self, secret: Secret) -> Answer {
        if self.allowance.take(secret.expose_secret().len()) {
            return Ok(match &self.clock {
                Some(clock) => secret.arrived_at(clock.date()),
                None => secret,
            });
        }
        let max_bytes = self.allowance.max_bytes();
        let cause = format!("the secrets of this run are larger than {max_bytes} bytes together");
        Err(SourceError::new(SourceErrorKind::InvalidData).with_cause(cause))
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("answers", &self.slots().answers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_found() -> Answer {
        Err(SourceError::new(SourceErrorKind::NotFound))
    }

    #[test]
    fn the_last_answer_to_a_request_counts() {
        let answers = Answers::new(2);
        answers.put(0, not_found());
        answers.put(0, Ok(Secret::new("later")));
        answers.put(1, Ok(Secret::new("earlier")));
        assert_eq!(answers.secret_count(), 2);
        answers.put(1, not_found());
        assert_eq!((answers.secret_count(), answers.is_mixed_up()), (1, false));
        let [first, second] = answers.into_vec().try_into().unwrap();
        assert_eq!(first.unwrap().unwrap().expose_secret(), b"later");
        assert_eq!(second.unwrap().unwrap_err().kind(), SourceErrorKind::NotFound);
    }

    #[test]
    fn an_answer_to_nothing_is_noticed() {
        let answers = Answers::new(1);
        answers.put(1, not_found());
        assert!(answers.is_mixed_up());
        assert_eq!(answers.into_only().unwrap_err().kind(), SourceErrorKind::Other);
    }

    #[test]
    fn secrets_are_admitted_as_long_as_all_answers_of_a_run_have_room_for_them() {
        let allowance = Allowance::new(5);
        let put = |bytes: &str| {
            let answers = Answers::new(1).with_allowance(allowance.clone());
            answers.put(0, Ok(Secret::new(bytes)));
            answers.into_only()
        };
        assert!(put("123").is_ok());
        assert!(put("45").is_ok());
        assert!(!allowance.is_exceeded());
        assert_eq!(put("6").unwrap_err().kind(), SourceErrorKind::InvalidData);
        assert!(allowance.is_exceeded());
    }
}
