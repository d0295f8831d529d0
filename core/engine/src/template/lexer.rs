//! Takes a template apart into the words of its tags, as minijinja does.
//!
//! Plain text, comments and raw blocks have none. What cannot be read ends the list, for minijinja stops there too; why is said
//! here, where it is known what was begun. How many there may be is checked here, before minijinja sees the template: it walks what is nested by recursion,
//! and no template is nested deeper than it has words.

use super::brackets::{self, Opening};
use super::error::{Fault, TemplateError};
use super::token::{Kind, Token};
use crate::position::Position;

/// The most words that a template may have: some thousand calls of `secret`.
const MOST: usize = 20_000;

/// Operators of two characters; `=` alone must be told from them.
const PAIRS: [&str; 6] = ["//", "**", "==", "!=", ">=", "<="];

/// What word processors make of `"` and `'`.
const QUOTES: [char; 8] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}'];

/// What could be read of a template.
#[derive(Debug)]
pub(super) struct Scan<'t> {
    /// The words of all tags.
    pub(super) tokens: Vec<Token<'t>>,
    /// Why there are no more.
    pub(super) stopped: Option<TemplateError>,
}

/// Takes a template apart.
///
/// # Errors
///
/// More words than minijinja may be given.
pub(super) fn scan(template: &str) -> Result<Scan<'_>, TemplateError> {
    let mut lexer =
        Lexer { rest: template, offset: 0, place: Position::START, brackets: 0, tokens: Vec::new() };
    match lexer.template().err() {
        Some(error @ TemplateError { fault: Fault::TooManyWords { .. }, .. }) => Err(error),
        stopped => Ok(Scan { tokens: lexer.tokens, stopped }),
    }
}

struct Lexer<'t> {
    rest: &'t str,
    offset: usize,
    place: Position,
    /// How many brackets are open. As in minijinja, no tag ends before they are closed.
    brackets: isize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn template(&mut self) -> Result<(), TemplateError> {
        while let Some(text) = before_marker(self.rest) {
            self.skip(text);
            let after_marker = self.rest.get(2..).unwrap_or_default();
            let signed = 2 + usize::from(after_marker.starts_with(['-', '+']));
            let inner = self.rest.get(signed..).unwrap_or_default();
            if self.rest.starts_with("{#") {
                let end = inner.find("#}").ok_or_else(|| self.opening("{#", "#}").not_closed())?;
                self.skip(signed + end + "#}".len());
            } else if self.rest.starts_with("{{") {
                self.tag(Kind::Expression, signed, self.opening("{{", "}}"))?;
            } else if let Some(raw) = plain_tag(inner, "raw") {
                self.raw(signed + raw)?;
            } else {
                self.tag(Kind::Statement, signed, self.opening("{%", "%}"))?;
            }
        }
        Ok(())
    }

    /// Returns what is opened at the next character.
    fn opening(&self, open: &'static str, close: &'static str) -> Opening {
        Opening { place: self.place, open, close }
    }

    /// Skips `{% raw %}`, which is so long, what follows it, and its end.
    fn raw(&mut self, length: usize) -> Result<(), TemplateError> {
        let opening = self.opening("{% raw %}", "{% endraw %}");
        self.skip(length);
        loop {
            let marker = self.rest.find("{%").ok_or_else(|| opening.not_closed())?;
            self.skip(marker + "{%".len());
            let inner = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
            if let Some(end) = plain_tag(inner, "endraw") {
                self.skip(self.rest.len() - inner.len() + end);
                return Ok(());
            }
        }
    }

    fn tag(&mut self, kind: Kind<'t>, marker: usize, opening: Opening) -> Result<(), TemplateError> {
        self.word(kind, marker)?;
        let first = self.tokens.len();
        loop {
            let words = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
            self.skip(self.rest.len() - words.len());
            let unsigned = words.strip_prefix(['-', '+']).unwrap_or(words);
            if self.brackets == 0
                && let Some(rest) = unsigned.strip_prefix(opening.close)
            {
                return self.word(Kind::Close, words.len() - rest.len());
            }
            let (kind, length) = word(words).ok_or_else(|| self.unreadable(opening, first))?;
            match kind {
                Kind::Symbol("(" | "[" | "{") => self.brackets += 1,
                Kind::Symbol(")" | "]" | "}") => self.brackets -= 1,
                _ => {}
            }
            self.word(kind, length)?;
        }
    }

    /// Says why there is no word here, in a tag whose words begin with that one.
    fn unreadable(&self, tag: Opening, first: usize) -> TemplateError {
        let fault = match self.rest.chars().next() {
            None => return brackets::never_ends(tag, self.tokens.get(first..).unwrap_or_default()),
            Some('"' | '\'') => Fault::OpenQuote,
            Some(c) if QUOTES.contains(&c) => Fault::NoQuote(c),
            Some(c) => Fault::Character(c),
        };
        TemplateError { place: self.place, fault }
    }

    fn word(&mut self, kind: Kind<'t>, length: usize) -> Result<(), TemplateError> {
        if self.tokens.len() >= MOST {
            return Err(TemplateError { place: self.place, fault: Fault::TooManyWords { most: MOST } });
        }
        self.tokens.push(Token { kind, place: self.place, end: self.offset + length });
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
        scan(template).unwrap().tokens.iter().map(word).collect::<Vec<_>>().join(" ")
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
        let tokens = scan("é{{\n  a }}").unwrap().tokens;
        let places: Vec<_> = tokens.iter().map(|token| (token.place.to_string(), token.end)).collect();
        assert_eq!(places, [("1:2".to_owned(), 4), ("2:3".to_owned(), 8), ("2:5".to_owned(), 11)]);
    }

    #[test]
    fn what_ends_the_words_early_is_said() {
        for (template, expected) in [
            ("a {# b", "1:3: `{#` is not closed: `#}` is missing"),
            ("a {% raw %}{{ b }}", "1:3: `{% raw %}` is not closed: `{% endraw %}` is missing"),
            ("a\n{{ b", "2:1: `{{` is not closed: `}}` is missing"),
            ("{%- if b\n{{ c }}", "1:1: `{%` is not closed: `%}` is missing"),
            ("{{ ([1 }}\n{{ a }}", "1:5: `[` is not closed: `]` is missing"),
            ("{{ (1 }}\n{{ a }}", "1:4: `(` is not closed: `)` is missing"),
            ("{{ {'a': 1\n{{ a }}", "1:4: `{` is not closed: `}` is missing"),
            ("{{ {'a': 1 }}\n{{ a }}", "1:13: there is nothing open that `}` closes"),
            ("{{ 1) }}\n{{ a }}", "1:5: there is nothing open that `)` closes"),
            ("{{ 'a }}\n{{ b }}", "1:4: the text in quotes that begins here has no end"),
            ("{{ f('a', \"b) }}", "1:11: the text in quotes that begins here has no end"),
            ("{{ “a” }}", "1:4: `“` is no quote here: write `\"` or `'`"),
            ("{{ a ? b }}", "1:6: the character '?' means nothing in a tag"),
            ("{{ a\u{a0}}}", "1:5: the character '\\u{a0}' means nothing in a tag"),
        ] {
            let error = scan(template).unwrap().stopped.unwrap();
            assert_eq!(format!("{}: {error}", error.place), expected, "{template}");
        }
    }

    #[test]
    fn there_is_a_limit() {
        let tag = format!("{{{{{}}}}}", " a".repeat(98));
        assert!(scan(&tag.repeat(200)).is_ok());
        let error = scan(&format!("{}\n{{{{", tag.repeat(200))).unwrap_err();
        assert_eq!(error.fault, Fault::TooManyWords { most: 20_000 });
        assert_eq!(error.place, Position { line: 2, column: 1 });
    }
}
