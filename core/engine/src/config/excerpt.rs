//! The part of a configuration that says where its set is published: `[directory]`, and the changes that profiles make to
//! it.
//!
//! Parsing a whole configuration takes memory that grows with it, and memory takes system calls. A command that only needs
//! the location goes through the tokens of the text instead. It omits all other keys and tables, but keeps the line
//! numbers.

use std::collections::BTreeSet;

use toml_parser::decoder::Encoding;
use toml_parser::parser::{EventReceiver, RecursionGuard, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw, Source, Span};

/// The maximum nesting depth of arrays and tables: the limit of the parser of whole configurations.
const DEPTH: u32 = 80;

/// The number of path segments that decide whether to keep a value: `profiles.NAME.directory`.
const TELLING: usize = 3;

/// Returns the part of a text that belongs to `[directory]`. If the text is not TOML, returns all of it, so that the caller
/// reports the errors.
pub(super) fn of_directory(text: &str) -> String {
    let source = Source::new(text);
    let mut excerpt = Excerpt {
        source,
        kept: String::with_capacity(text.len()),
        table: Vec::new(),
        expression: Expression::default(),
        profiles: BTreeSet::new(),
    };
    let mut is_toml = true;
    let tokens = source.lex().into_vec();
    let mut guard = RecursionGuard::new(&mut excerpt, DEPTH);
    parse_document(&tokens, &mut guard, &mut |_: ParseError| is_toml = false);
    if !is_toml {
        return text.to_owned();
    }
    excerpt.finish(text.len());
    excerpt.kept
}

/// An excerpt that is being made.
struct Excerpt<'t> {
    source: Source<'t>,
    kept: String,
    /// The table that keys belong to.
    table: Vec<String>,
    /// The expression that is being read.
    expression: Expression,
    /// The profiles that something was kept of, so that the excerpt contains them.
    profiles: BTreeSet<String>,
}

/// A key with its value, or the header of a table, with everything on its lines.
#[derive(Default)]
struct Expression {
    start: usize,
    path: Vec<String>,
    is_header: bool,
    /// Whether its value has begun. Later keys belong to inline tables in the value.
    in_value: bool,
    depth: usize,
}

impl<'t> Excerpt<'t> {
    /// Keeps the expression that ends here, or only its line breaks.
    fn finish(&mut self, end: usize) {
        let Expression { start, path, is_header, .. } = std::mem::take(&mut self.expression);
        self.expression.start = end;
        let is_wanted = if is_header {
            self.table = path;
            self.is_wanted(&self.table.clone())
        } else {
            let all: Vec<_> = self.table.iter().chain(&path).take(TELLING).cloned().collect();
            !path.is_empty() && self.is_wanted(&all)
        };
        let text = self.source.input().get(start..end).unwrap_or_default();
        if is_wanted {
            self.kept.push_str(text);
        } else {
            self.kept.extend(text.chars().filter(|c| *c == '\n'));
        }
    }

    /// Returns the text that the parser found at a span.
    fn raw(&self, span: Span, encoding: Option<Encoding>) -> Raw<'t> {
        let text = self.source.get(span).map(|raw| raw.as_str());
        Raw::new_unchecked(text.unwrap_or_default(), encoding, span)
    }

    /// Returns whether to keep the value at a path. One value of each profile is kept in any case.
    fn is_wanted(&mut self, path: &[String]) -> bool {
        let mut path = path.iter().map(String::as_str);
        match (path.next(), path.next(), path.next()) {
            (Some("directory"), _, _) | (Some("profiles"), _, None | Some("directory")) => true,
            (Some("profiles"), Some(profile), Some(_)) => self.profiles.insert(profile.to_owned()),
            _ => false,
        }
    }
}

impl EventReceiver for Excerpt<'_> {
    fn std_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.expression.is_header = true;
    }

    fn array_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.expression.is_header = true;
    }

    fn inline_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) -> bool {
        self.expression.depth += 1;
        true
    }

    fn inline_table_close(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.expression.depth = self.expression.depth.saturating_sub(1);
    }

    fn array_open(&mut self, _: Span, _: &mut dyn ErrorSink) -> bool {
        self.expression.depth += 1;
        true
    }

    fn array_close(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.expression.depth = self.expression.depth.saturating_sub(1);
    }

    fn simple_key(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        if self.expression.in_value || self.expression.path.len() >= TELLING {
            return;
        }
        let mut key = String::new();
        self.raw(span, encoding).decode_key(&mut key, error);
        self.expression.path.push(key);
    }

    /// Validates a value without keeping it, to find values that are not TOML.
    fn scalar(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let _ = self.raw(span, encoding).decode_scalar(&mut (), error);
    }

    fn key_val_sep(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.expression.in_value = true;
    }

    fn newline(&mut self, span: Span, _: &mut dyn ErrorSink) {
        if self.expression.depth == 0 {
            self.finish(span.end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_and_what_profiles_change_of_it_are_left_and_lines_keep_their_numbers() {
        let text = "# about\nfiles.a = { source = \"s\" }\ndirectory.path = \"x\" # here\n[files]\n\"b\" = [\n 1,\n]\n\
                    [profiles.dev]\nfiles.a = false\nfiles.b = false\ndirectory = { path = \"y\" }\n[\"directory\"]\n\
                    mode = \"\"\"\n0\"\"\"\n[[import]]\nsource = 's'\n[profiles.ops.files]\na = 1\n[profiles.ops.sources]\n\
                    [profiles.ops.directory]\npath = \"z\"\n[profiles]\nodd = 1";
        let kept = "\n\ndirectory.path = \"x\" # here\n\n\n\n\n[profiles.dev]\nfiles.a = false\n\n\
                    directory = { path = \"y\" }\n[\"directory\"]\nmode = \"\"\"\n0\"\"\"\n\n\n\
                    [profiles.ops.files]\n\n\n[profiles.ops.directory]\npath = \"z\"\n[profiles]\nodd = 1";
        assert_eq!(of_directory(text), kept);
    }

    #[test]
    fn what_is_left_does_not_grow_with_the_rest() {
        let files =
            |count: usize| (0..count).map(|n| format!("f{n} = {{ source = \"s\", secret = \"n\" }}\n"));
        let text = |count| {
            let head = "[directory]\npath = \"x\"\n[profiles.dev.files]\n";
            let all = head.to_owned()
                + &files(count).collect::<String>()
                + "[files]\n"
                + &files(count).collect::<String>();
            of_directory(&all).replace('\n', "")
        };
        assert_eq!(text(1), text(1000));
    }

    #[test]
    fn a_text_that_is_no_toml_is_left_as_it_is() {
        let deep = format!("[directory]\npath = \"x\"\n[files]\na = {}", "[".repeat(100_000));
        for text in [
            "[directory]\npath = \"x\"\n[files]\na = \n",
            "a = x",
            "a = 007",
            "{\"directory\": 1}",
            "\"\\x\" = 1",
            &deep,
        ] {
            assert_eq!(of_directory(text), text);
        }
    }
}
