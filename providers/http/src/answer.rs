//! Turns an answer into a secret.

use secretdir_http_client::{HeaderName, Response};
use secretdir_provider::{Secret, SourceError, SourceErrorKind};

/// The maximum length of a revision in bytes. No store has a longer one, and a longer one may be the value.
const LONGEST_REVISION: usize = 128;

/// Returns the unchanged body, with the revision from the configured header.
pub(crate) fn secret(
    place: &str,
    answer: Response,
    revision_header: Option<&HeaderName>,
) -> Result<Secret, SourceError> {
    let is_coded =
        |coding: &str| !coding.trim().is_empty() && !coding.trim().eq_ignore_ascii_case("identity");
    if answer.header("content-encoding").is_some_and(is_coded) {
        return Err(SourceError::new(SourceErrorKind::InvalidData)
            .with_cause(format!("{place} sent a compressed answer without being asked for one"))
            .with_hint("configure the server, or its proxy, to send this answer uncompressed"));
    }
    let revision = revision_header.and_then(|name| revision(answer.header(name.as_str())?));
    let secret = Secret::new(answer.into_body());
    Ok(match revision {
        Some(revision) => secret.with_revision(revision),
        None => secret,
    })
}

/// Returns a revision without its quotes. A weak one is left out, because it does not distinguish versions.
fn revision(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let is_good = !inner.is_empty() && inner.len() <= LONGEST_REVISION && !text.starts_with("W/");
    is_good.then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_what_a_strong_tag_has_between_its_quotes() {
        assert_eq!(revision("\"v7\"").as_deref(), Some("v7"));
        assert_eq!(revision(" 7 ").as_deref(), Some("7"));
        for none in ["W/\"v7\"", "\"\"", "", &"x".repeat(129)] {
            assert_eq!(revision(none), None, "{none}");
        }
    }
}
