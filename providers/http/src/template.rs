//! A URL or a body with placeholders for the secret's name and version.
//!
//! An inserted word cannot end the part around it. In a URL, everything but letters, digits and `-._~` is
//! percent-encoded. In a body, every character that would end a JSON string is escaped. Scheme and host have no
//! placeholders, so no name leads to another host.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

/// The placeholder for the name of the secret.
const SECRET: &str = "{secret}";

/// The placeholder for its version.
const VERSION: &str = "{version}";

/// The encoded characters in a URL: all but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextTemplate(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Place(Word, EscapeContext),
}

/// The word that replaces a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Secret,
    Version,
}

/// The position of a placeholder, which decides how its word is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EscapeContext {
    /// In the path: slashes separate the name's segments.
    Path,
    /// In the query: slashes are encoded, too.
    Query,
    /// In a JSON string.
    Json,
}

impl TextTemplate {
    /// Parses the part of a URL after the host.
    pub(crate) fn of_target(text: &str) -> Self {
        let query = text.find('?').unwrap_or(text.len());
        let (path, query) = text.split_at(query);
        Self([pieces(path, EscapeContext::Path), pieces(query, EscapeContext::Query)].concat())
    }

    /// Parses a JSON body.
    pub(crate) fn of_json(text: &str) -> Self {
        Self(pieces(text, EscapeContext::Json))
    }

    /// Says whether there is a placeholder for this word.
    pub(crate) fn has(&self, word: Word) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Place(found, _) if *found == word))
    }

    /// Checks the words of a request that have placeholders.
    pub(crate) fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        for piece in &self.0 {
            if let Piece::Place(word, spot) = piece
                && let Some(text) = word.of(request)
            {
                spot.check(text).map_err(|cause| invalid(format!("the {} {cause}", word.noun())))?;
            }
        }
        Ok(())
    }

    /// Replaces the placeholders by the words of a request. Inserted words are not searched for placeholders.
    pub(crate) fn fill(&self, request: &SecretRequest) -> String {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(word, spot) => spot.write(word.of(request).unwrap_or_default()),
        });
        filled.collect()
    }
}

impl Word {
    fn of(self, request: &SecretRequest) -> Option<&str> {
        match self {
            Self::Secret => Some(request.name()),
            Self::Version => request.version(),
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Secret => "name",
            Self::Version => "version",
        }
    }
}

impl EscapeContext {
    fn check(self, text: &str) -> Result<(), &'static str> {
        let is_step = |part: &str| matches!(part, "" | "." | "..");
        match self {
            _ if text.is_empty() => Err("is empty"),
            _ if text.contains(char::is_control) => Err("holds a control character"),
            Self::Path if text.split('/').any(is_step) => {
                Err("has a part that is empty, `.` or `..`, which no path of a URL can have")
            }
            _ => Ok(()),
        }
    }

    fn write(self, text: &str) -> String {
        let encoded = |part| utf8_percent_encode(part, RESERVED).to_string();
        match self {
            Self::Path => text.split('/').map(encoded).collect::<Vec<_>>().join("/"),
            Self::Query => encoded(text),
            Self::Json => {
                let quoted = serde_json::Value::from(text).to_string();
                let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                inner.unwrap_or_default().to_owned()
            }
        }
    }
}

/// Splits a text at its placeholders. Other braces are a part of it.
fn pieces(text: &str, spot: EscapeContext) -> Vec<Piece> {
    let places = [(SECRET, Word::Secret), (VERSION, Word::Version)];
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let next = places
            .iter()
            .filter_map(|(place, word)| Some((rest.find(place)?, *place, *word)))
            .min_by_key(|next| next.0);
        let Some((start, place, word)) = next else { break };
        let (before, after) = rest.split_at(start);
        pieces.extend([Piece::Text(before.to_owned()), Piece::Place(word, spot)]);
        rest = after.strip_prefix(place).unwrap_or_default();
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

fn invalid(cause: String) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;
    use secretdir_http_client::Url;

    use super::*;

    fn filled(template: &TextTemplate, name: &str) -> String {
        template.fill(&SecretRequest::new(name).with_version("v/1"))
    }

    #[test]
    fn each_part_of_a_name_is_encoded_where_it_goes() {
        let target = TextTemplate::of_target("/v1/{secret}.json?q=a{secret}&v={version}");
        assert_eq!(
            filled(&target, "a b/ü?#%2e"),
            "/v1/a%20b/%C3%BC%3F%23%252e.json?q=aa%20b%2F%C3%BC%3F%23%252e&v=v%2F1"
        );
        let body = TextTemplate::of_json(r#"{"id": "{secret}", "n": {}}"#);
        assert_eq!(filled(&body, "a\"\\b"), r#"{"id": "a\"\\b", "n": {}}"#);
        assert_eq!(filled(&TextTemplate::of_json("{secret}"), "\""), "\\\"");
    }

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let target = TextTemplate::of_json("{secret}{version}");
        assert_eq!(filled(&target, "{version}"), "{version}v/1");
    }

    #[test]
    fn words_that_no_url_can_have_are_refused() {
        let (path, query) =
            (TextTemplate::of_target("/a/{secret}"), TextTemplate::of_target("/a?b={secret}"));
        for name in [".", "..", "a/../b", "/a", "a/", "a//b", "./a"] {
            let error = path.check(&SecretRequest::new(name)).unwrap_err();
            assert!(error.source().unwrap().to_string().starts_with("the name has a part"), "{name}");
            assert!(query.check(&SecretRequest::new(name)).is_ok(), "{name}");
        }
        for name in ["", "a\nb", "a\0"] {
            assert!(query.check(&SecretRequest::new(name)).is_err(), "{name:?}");
        }
        assert!(path.check(&SecretRequest::new("...")).is_ok());
    }

    proptest! {
        #[test]
        fn no_name_leads_elsewhere(name in "\\PC{1,40}") {
            let template = TextTemplate::of_target("/v1/{secret}/value?a={secret}");
            let request = SecretRequest::new(&*name);
            prop_assume!(template.check(&request).is_ok());
            let filled = template.fill(&request);
            let url = Url::parse(&format!("https://store.test{filled}")).unwrap();
            prop_assert_eq!(url.host_str(), Some("store.test"));
            // The parser has left it as it was, so it took nothing in it for something else.
            prop_assert_eq!(url.as_str(), format!("https://store.test{filled}"));
            prop_assert_eq!(url.query_pairs().next().unwrap().1, name);
        }

        #[test]
        fn a_name_in_a_body_stays_one_string(name in "\\PC{1,40}") {
            let filled = TextTemplate::of_json(r#"["{secret}"]"#).fill(&SecretRequest::new(&*name));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&filled).unwrap(), [name]);
        }
    }
}
