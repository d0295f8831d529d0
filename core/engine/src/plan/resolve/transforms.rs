//! Validates the transforms of an entry: keys that cannot work together are errors.

use secretdir_provider::KeyPath;

use super::entry::Entries;
use crate::config::entry_section::LONGEST_SEPARATOR;
use crate::transform::Transform;

impl Entries<'_, '_> {
    /// Reports the mistakes in a transform, and returns it.
    pub(super) fn transform(&mut self, transform: Transform, at: &KeyPath) -> Transform {
        if let Some(separator) = &transform.join
            && let Some(message) = wrong_separator(separator, &transform)
        {
            self.report.error(&at.clone().key("join"), message);
        }
        if transform.pem.is_some() && transform.trim.is_some() && transform.decode.is_none() {
            let message = "cannot be combined with `pem`, whose result always ends with a line end";
            self.report.error(&at.clone().key("trim"), message);
        }
        transform
    }
}

/// Returns the mistake in a separator, if there is one.
fn wrong_separator(separator: &str, transform: &Transform) -> Option<String> {
    if separator.len() > LONGEST_SEPARATOR {
        return Some(format!("must not have more than {LONGEST_SEPARATOR} bytes"));
    }
    let next = match transform {
        Transform { decode: Some(_), .. } => "decode",
        Transform { pem: Some(_), .. } => "pem",
        _ => return None,
    };
    let is_readable = separator.bytes().all(|byte| matches!(byte, b'\r' | b'\n'));
    (!is_readable).then(|| {
        format!(r#"must be "" or "\n" with `{next}`, which cannot read anything else between texts"#)
    })
}
