//! Searches texts for a value.

use std::error::Error;
use std::fmt::Debug;

use secretdir_provider::SourceError;

/// A value that does not occur in any text by chance.
pub(crate) const CANARY: &str = "Zq7Wx4Kv2Tm8Ph5Rd9Lc";

/// The number of consecutive bytes that count as a part of a value.
const PART: usize = 6;

/// Values that must not be shown.
pub(crate) struct Canaries(Vec<String>);

impl Canaries {
    pub(crate) fn new(more: Vec<String>) -> Self {
        Self(more.into_iter().chain([CANARY.to_owned()]).filter(|value| !value.is_empty()).collect())
    }

    /// Fails if a text holds one of the values or a part of one.
    pub(crate) fn absent_from_text(&self, what: &str, text: &str) {
        for value in &self.0 {
            // The text is not part of the message: the output of a test is no place for a value either.
            assert!(!shows(text, value.as_bytes()), "{what} shows a value, or a part of one");
        }
    }

    pub(crate) fn absent_from_debug(&self, what: &str, shown: &dyn Debug) {
        self.absent_from_text(what, &format!("{shown:?}"));
        self.absent_from_text(what, &format!("{shown:#?}"));
    }

    /// Searches everything that can be printed of an error and of its causes.
    pub(crate) fn absent_from_error(&self, what: &str, error: &SourceError) {
        self.absent_from_text(what, error.hint().unwrap_or_default());
        for cause in chain(error) {
            self.absent_from_text(what, &cause.to_string());
            self.absent_from_debug(what, &cause);
        }
    }
}

/// Returns an error and its causes.
pub(crate) fn chain(error: &SourceError) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source())
}

/// Says whether a text holds a part of a value: as it is, as a list of numbers, or as hexadecimal digits.
fn shows(text: &str, value: &[u8]) -> bool {
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = dense.to_ascii_lowercase();
    value.windows(PART.min(value.len())).any(|part| {
        let raw = String::from_utf8_lossy(part);
        let numbers: Vec<_> = part.iter().map(u8::to_string).collect();
        let hexadecimal: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
        text.contains(&*raw) || dense.contains(&numbers.join(",")) || lower.contains(&hexadecimal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_in_each_form() {
        let bytes = CANARY.as_bytes();
        assert!(shows(&format!("x{}y", &CANARY[3..9]), bytes));
        assert!(shows(&format!("{:?}", &bytes[2..12]), bytes));
        assert!(shows(&format!("{:#?}", &bytes[2..12]), bytes));
        assert!(shows("0x5A71375778344B7632", bytes));
        assert!(!shows("Zq7Wx and no more", bytes));
    }
}
