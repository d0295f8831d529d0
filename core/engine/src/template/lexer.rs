//! Takes a template apart into the words of its tags, as minijinja does.
//!
//! Plain text, comments and raw blocks have none. What cannot be read ends the list, for minijinja stops there too and
//! says why. How many there may be is checked here, before minijinja sees the template: it walks what is nested by recursion,
//! and no template is nested deeper than it has words.

use super::error::{Fault, TemplateError};
use super::place::Place;

/// The most words that a template may have: some thousand calls of `secret`.
const MOST: usize = 20_000;

/// Operators of two characters; `=` alone must be told from them.
const PAIRS: [&str; 6] = ["//", "**", "==", "!=", ">=", "<="];

/// A word of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) place: Place,
    pub(super) offset: usize,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// `{{`
    Expression,
    /// `{%`
    Statement,
    /// `}}` or `%}`
    Close,
    Name(&'t str),
    /// With its quotes, and escapes as they are written.
    Text(&'t str),
    Number,
    Symbol(&'t str),
}

/// Why reading stopped early.
enum Stop {
    /// minijinja says it better.
    Unreadable,
    TooManyWords,
}

/// Returns the words of all tags.
pub(super) fn tokens(template: &str) -> Result<Vec<Token<'_>>, TemplateError> {
    let mut lexer = Lexer { rest: template, offset: 0, place: Place::START, brackets: 0, tokens: Vec::new() };
    match lexer.template() {
        Ok(()) | Err(Stop::Unreadable) => Ok(lexer.tokens),
        Err(Stop::TooManyWords) => {
            Err(TemplateError { place: lexer.place, fault: Fault::TooManyWords { most: MOST } })
        }
    }
}

struct Lexer<'t> {
    rest: &'t str,
    offset: usize,
    place: Place,
    /// How many brackets are open. As in minijinja, no tag ends before they are closed.
    brackets: isize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn template(&mut self) -> Result<(), Stop> {
        while let Some(text) = before_marker(self.rest) {
            self.skip(text);
            let after_marker = self.rest.get(2..).unwrap_or_default();
            let signed = 2 + usize::from(after_marker.starts_with(['-', '+']));
            let inner = self.rest.get(signed..).unwrap_or_default();
            if self.rest.starts_with("{#") {
                let end = inner.find("#}").ok_or(Stop::Unreadable)?;
                self.skip(signed + end + "#}".len());
            } else if self.rest.starts_with("{{") {
                self.tag(Kind::Expression, signed, "}}")?;
            } else if let Some(raw) = plain_tag(inner, "raw") {
                self.skip(signed + raw);
                self.raw()?;
            } else {
                self.tag(Kind::Statement, signed, "%}")?;
            }
        }
        Ok(())
    }

    /// Skips what follows `{% raw %}`, and its end.
    fn raw(&mut self) -> Result<(), Stop> {
        loop {
            let marker = self.rest.find("{%").ok_or(Stop::Unreadable)?;
            self.skip(marker + "{%".len());
            let inner = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
            if let Some(end) = plain_tag(inner, "endraw") {
                self.skip(self.rest.len() - inner.len() + end);
                return Ok(());
            }
        }
    }

    fn tag(&mut self, kind: Kind<'t>, marker: usize, end: &str) -> Result<(), Stop> {
        self.word(kind, marker)?;
        loop {
            let words = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
            self.skip(self.rest.len() - words.len());
            let unsigned = words.strip_prefix(['-', '+']).unwrap_or(words);
            if self.brackets == 0
                && let Some(rest) = unsigned.strip_prefix(end)
            {
                return self.word(Kind::Close, words.len() - rest.len());
            }
            let (kind, length) = word(words).ok_or(Stop::Unreadable)?;
            match kind {
                Kind::Symbol("(" | "[" | "{") => self.brackets += 1,
                Kind::Symbol(")" | "]" | "}") => self.brackets -= 1,
                _ => {}
            }
            self.word(kind, length)?;
        }
    }

    fn word(&mut self, kind: Kind<'t>, length: usize) -> Result<(), Stop> {
        if self.tokens.len() >= MOST {
            return Err(Stop::TooManyWords);
        }
        self.tokens.push(Token { kind, place: self.place, offset: self.offset });
        self.skip(length);
        Ok(())
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.place = self.place.after(skipped);
        self.offset += skipped.len();
        self.rest = rest;
    }
}

/// Returns how much text comes before the next tag or comment.
fn before_marker(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    bytes.windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// Returns the length of a tag that has only its name in it, without what opens it.
fn plain_tag(text: &str, name: &str) -> Option<usize> {
    let blank = |c: char| c.is_ascii_whitespace();
    let rest = text.trim_start_matches(blank).strip_prefix(name)?.trim_start_matches(blank);
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).strip_prefix("%}")?;
    Some(text.len() - rest.len())
}

/// Reads one word of a tag, and its length.
fn word<'t>(text: &'t str) -> Option<(Kind<'t>, usize)> {
    let first = text.chars().next()?;
    let run = || text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (length, kind): (usize, fn(&'t str) -> Kind<'t>) = match first {
        '"' | '\'' => (quoted(text, first)?, Kind::Text),
        '0'..='9' => (run(), |_| Kind::Number),
        'a'..='z' | 'A'..='Z' | '_' => (run(), Kind::Name),
        _ if PAIRS.iter().any(|pair| text.starts_with(pair)) => (2, Kind::Symbol),
        _ if "+-*/%.,:~|=><()[]{}".contains(first) => (1, Kind::Symbol),
        _ => return None,
    };
    Some((kind(text.get(..length)?), length))
}

/// Returns the length of a text in quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let (end, _) = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    })?;
    Some(end + quote.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words, each as it is written, and `;` where a tag ends.
    fn words(template: &str) -> String {
        let word = |token: &Token<'_>| match token.kind {
            Kind::Expression => "{{".to_owned(),
            Kind::Statement => "{%".to_owned(),
            Kind::Close => ";".to_owned(),
            Kind::Name(text) | Kind::Text(text) | Kind::Symbol(text) => text.to_owned(),
            Kind::Number => "0".to_owned(),
        };
        tokens(template).unwrap().iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tags_are_taken_apart_and_nothing_else_is() {
        for (template, expected) in [
            ("plain { text } }} %}", ""),
            ("{{ a }}{%if b%}", "{{ a ; {% if b ;"),
            ("{{- a -}} {{+ a +}}", "{{ a ; {{ a ;"),
            ("{{{'a': {1: 2}}}}", "{{ { 'a' : { 0 : 0 } } ;"),
            ("{{ x[{'}}': 1}] }}y", "{{ x [ { '}}' : 0 } ] ;"),
            (r#"{{ "\"}}" ~ '\\' }}"#, r#"{{ "\"}}" ~ '\\' ;"#),
            ("{{ a==b=c**2//1.5 }}", "{{ a == b = c ** 0 // 0 . 0 ;"),
            ("{# {{ a }} #}{{ b }}", "{{ b ;"),
            ("{#-#}{{ b }}", "{{ b ;"),
            ("{% raw %}{{ a }}{% raw %}{%- endraw -%}{{ b }}", "{{ b ;"),
            ("{%-raw-%}{% endrawx %}{{ a }}{%endraw%}{{ b }}", "{{ b ;"),
            ("{% rawx %}{{ b }}", "{% rawx ; {{ b ;"),
            ("{{ a ? b }}", "{{ a"),
            ("{{ 'a }}", "{{"),
            ("{# a", ""),
        ] {
            assert_eq!(words(template), expected, "{template}");
        }
    }

    #[test]
    fn a_word_has_its_place() {
        let tokens = tokens("é{{\n  a }}").unwrap();
        let places: Vec<_> = tokens.iter().map(|token| (token.offset, token.place.to_string())).collect();
        assert_eq!(places, [(2, "1:2".to_owned()), (7, "2:3".to_owned()), (9, "2:5".to_owned())]);
    }

    #[test]
    fn there_is_a_limit() {
        let tag = format!("{{{{{}}}}}", " a".repeat(98));
        assert!(tokens(&tag.repeat(200)).is_ok());
        let error = tokens(&format!("{}\n{{{{", tag.repeat(200))).unwrap_err();
        assert_eq!(error.fault, Fault::TooManyWords { most: 20_000 });
        assert_eq!(error.place, Place { line: 2, column: 1 });
    }
}
