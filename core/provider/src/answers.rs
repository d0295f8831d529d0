//! Collects the answers to requests, one by one.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Allowance, Clock, Secret, SourceError, SourceErrorKind};

/// The answer of a source to one request.
pub type Answer = Result<Secret, SourceError>;

/// The answers to the requests of one [`fetch_all`](crate::SecretSource::fetch_all), as they arrive.
///
/// [`put`](Self::put) adds an answer. The run keeps it even if the fetch is dropped afterwards, at the deadline for example.
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
    /// None if the caller passes the answers on to another list, which has the clock.
    clock: Option<Clock>,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    answers: Vec<Option<Answer>>,
    secrets: usize,
    /// Whether the source has used a position that no request has.
    is_mixed_up: bool,
}

impl Answers {
    /// Makes room for the answers to this many requests.
    pub fn new(requests: usize) -> Self {
        let answers = std::iter::repeat_with(|| None).take(requests).collect();
        let slots = Mutex::new(Slots { answers, ..Slots::default() });
        Self { allowance: Allowance::default(), clock: None, slots }
    }

    /// Limits the bytes of all secrets here, together with those of every other list that has a clone of this allowance.
    #[must_use]
    pub fn with_allowance(self, allowance: Allowance) -> Self {
        Self { allowance, ..self }
    }

    /// Sets the clock for the moment at which an answer arrives.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Adds the answer to the request at this position, counted from 0. A later answer to the same request replaces the
    /// earlier one.
    ///
    /// Put each answer as soon as you have it. A secret that exceeds the limit of the run is dropped, and its answer is an
    /// error.
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

    /// Returns how many bytes all secrets of the run may have together. A source that must collect many secrets before it puts
    /// the first compares their size with this limit.
    pub fn max_bytes(&self) -> u64 {
        self.allowance.max_bytes()
    }

    /// Returns how many requests have been answered with a secret so far.
    pub fn secret_count(&self) -> usize {
        self.slots().secrets
    }

    /// Says whether the source has used a position that no request has. Then no answer can be trusted.
    pub fn is_mixed_up(&self) -> bool {
        self.slots().is_mixed_up
    }

    /// Returns the answers in the order of the requests: `None` for a request without an answer.
    pub fn into_vec(self) -> Vec<Option<Answer>> {
        self.slots.into_inner().unwrap_or_else(PoisonError::into_inner).answers
    }

    /// Returns the answer to the only request. A source with a batch call can use it to write
    /// [`fetch`](crate::SecretSource::fetch).
    ///
    /// # Errors
    ///
    /// The error that was put, or an error that says that there is no answer.
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
