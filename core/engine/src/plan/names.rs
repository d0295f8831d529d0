//! The names of files, beside one another.

use std::borrow::Cow;

use atomicdir::{FileName, LinkName, NameError};
use unicode_normalization::UnicodeNormalization;

/// Checks a name by itself.
pub(crate) fn file_name(text: &str, link: Option<&LinkName>) -> Result<FileName, NameError> {
    let name = FileName::new(text)?;
    link.map_or(Ok(()), |link| link.check_reserved(&name))?;
    Ok(name)
}

/// Returns what a name comes to for a filesystem and for an eye: no empty or `.` component, composed characters.
pub(crate) fn normalise(name: &str) -> Cow<'_, str> {
    let is_plain = name.is_ascii() && name.split('/').all(|component| !matches!(component, "" | "."));
    if is_plain {
        return Cow::Borrowed(name);
    }
    let components = name.split('/').filter(|component| !matches!(*component, "" | "."));
    Cow::Owned(components.collect::<Vec<_>>().join("/").nfc().collect())
}
