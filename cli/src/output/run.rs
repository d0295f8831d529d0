//! The answers of `secretdir sync` and `secretdir diff`.

use secretdir_engine::{Difference, DifferenceState, Outcome, State};

use super::answer::{Answer, IfUnwritten, Text};
use crate::Exit;

/// Reports the outcome of a run. Its exit code stays even if the answer cannot be written, because the set is
/// published.
pub(crate) fn outcome(outcome: &mut Outcome) -> Answer<State, &Outcome> {
    let text = Text::Summary(outcome.to_string());
    let (warnings, errors) = (std::mem::take(&mut outcome.warnings), std::mem::take(&mut outcome.errors));
    let state = outcome.state;
    Answer::new(state, &*outcome, text)
        .with_warnings(warnings)
        .with_errors(errors)
        .if_unwritten(IfUnwritten::EndsAsEver)
}

/// Reports what a run would change.
pub(crate) fn difference(difference: &mut Difference) -> Answer<DifferenceState, &Difference> {
    let text = Text::Summary(difference.to_string());
    let warnings = std::mem::take(&mut difference.warnings);
    let exit = match difference.state {
        DifferenceState::Unchanged => Exit::Success,
        DifferenceState::Changed | DifferenceState::Pending => Exit::Changed,
    };
    let state = difference.state;
    Answer::new(state, &*difference, text).with_warnings(warnings).with_exit(exit)
}
