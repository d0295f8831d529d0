//! Validates and normalises the names of files.

use std::borrow::Cow;

use atomicdir::{FileName, LinkName, NameError};
use unicode_normalization::UnicodeNormalization;

/// Validates a single name.
pub(crate) fn file_name(text: &str, link: Option<&LinkName>) -> Result<FileName, NameError> {
    let name = FileName::new(text)?;
    link.map_or(Ok(()), |link| link.check_reserved(&name))?;
    Ok(name)
}

/// Normalises a name, so that names which are equal for a filesystem or for the eye become the same. Empty and `.`
/// components are removed, and characters are composed (NFC).
pub(crate) fn normalise(name: &str) -> Cow<'_, str> {
    let is_plain = name.is_ascii() && name.split('/').all(|component| !matches!(component, "" | "."));
    if is_plain {
        return Cow::Borrowed(name);
    }
    let components = name.split('/').filter(|component| !matches!(*component, "" | "."));
    Cow::Owned(components.collect::<Vec<_>>().join("/").nfc().collect())
}
