//! Values that must not turn up where they do not belong.

use crate::encode::forms;

/// The shortest value that does not turn up by chance.
const SHORTEST: usize = 8;

/// A value that is planted somewhere, and looked for everywhere else.
///
/// ```
/// use secretdir_testkit::Canary;
///
/// let canary = Canary::new("password", b"hunter2-hunter2");
/// canary.assert_absent("standard error", "all went well");
/// ```
#[derive(Debug)]
pub struct Canary {
    name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// Makes a canary out of a value.
    ///
    /// # Panics
    ///
    /// When the value has fewer than 8 bytes: a shorter one can turn up by chance.
    pub fn new(name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        let (name, value) = (name.into(), value.as_ref());
        assert!(value.len() >= SHORTEST, "the canary {name} is shorter than {SHORTEST} bytes");
        Self { name, forms: forms(value) }
    }

    /// Returns the form in which the value occurs in an output, and the byte that it begins at, if it does.
    ///
    /// The forms are: raw, base64 (standard and URL-safe, at each of the three alignments), hex, URL-encoded (in both
    /// cases of letters), escaped as `Debug` escapes bytes, and a list of decimal numbers.
    pub fn find(&self, output: impl AsRef<[u8]>) -> Option<(&'static str, usize)> {
        let output = output.as_ref();
        self.forms.iter().find_map(|(name, form)| Some((*name, position(output, form)?)))
    }

    /// Asserts that the value occurs in an output in no form.
    ///
    /// # Panics
    ///
    /// When it occurs: names the canary, its form and the place, and shows nothing of the output.
    #[track_caller]
    pub fn assert_absent(&self, place: &str, output: impl AsRef<[u8]>) {
        if let Some((form, at)) = self.find(output) {
            panic!("the canary {} is in {place}, {form}, at byte {at}", self.name);
        }
    }
}

fn position(output: &[u8], form: &[u8]) -> Option<usize> {
    output.windows(form.len()).position(|window| window == form)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &[u8] = b"canary/ +\x00\xfe.";

    #[test]
    fn every_form_is_found_and_named() {
        let canary = Canary::new("key", VALUE);
        for (name, form) in forms(VALUE) {
            let output = [b"before ".as_slice(), &form, b" after"].concat();
            assert_eq!(canary.find(output), Some((name, 7)));
        }
    }

    #[test]
    fn a_part_or_another_value_is_not_found() {
        let canary = Canary::new("key", VALUE);
        canary.assert_absent("an output", &VALUE[..VALUE.len() - 1]);
        canary.assert_absent("an output", "");
    }

    #[test]
    #[should_panic(expected = "the canary key is in standard error, lower-case hex, at byte 2")]
    fn the_failure_names_form_and_place() {
        Canary::new("key", b"12345678").assert_absent("standard error", "x 3132333435363738");
    }

    #[test]
    #[should_panic(expected = "is shorter than 8 bytes")]
    fn a_short_value_is_refused() {
        let _ = Canary::new("key", "1234567");
    }
}
