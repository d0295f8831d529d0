//! The syntax of `~/.aws/config` and `~/.aws/credentials`: that of Python's `configparser`, which botocore uses.
//!
//! A line that is indented further than the key before it continues the key's value, or is a key below it. Otherwise
//! indentation has no meaning. A comment has a line of its own: after a value, `#` is a part of the value.

use std::collections::BTreeMap;

/// The section with defaults for all other sections.
const DEFAULTS: &str = "DEFAULT";

/// A section: its name and its keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) keys: BTreeMap<String, Entry>,
}

/// A value, its line, and the keys below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: String,
    pub(super) line: usize,
    pub(super) below: BTreeMap<String, Entry>,
    /// In `[DEFAULT]`: the line below it that is malformed. It counts only if a section takes this value.
    malformed: Option<usize>,
}

/// The error for a malformed line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// The sections so far, and the key that the next line may belong to.
#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    /// The last key, and its indentation.
    last: Option<(String, usize)>,
    /// The number of the current line.
    line: usize,
}

const NOT_BELOW: &str = "is below a key, and is not `key = value`";

/// Parses a file.
pub(super) fn parse(text: &str) -> Result<Vec<Section>, Malformed> {
    let mut reader = Reader::default();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        reader.line = number + 1;
        reader.read(line).map_err(|what| Malformed { line: number + 1, what })?;
    }
    with_defaults(reader.sections)
}

/// Adds the keys of `[DEFAULT]` to every section that lacks them, as Python does.
fn with_defaults(sections: Vec<Section>) -> Result<Vec<Section>, Malformed> {
    let (defaults, mut others): (Vec<_>, Vec<_>) =
        sections.into_iter().partition(|section| section.name == DEFAULTS);
    for (key, entry) in defaults.into_iter().flat_map(|section| section.keys) {
        for section in others.iter_mut().filter(|section| !section.keys.contains_key(&key)) {
            if let Some(line) = entry.malformed {
                return Err(Malformed { line, what: NOT_BELOW });
            }
            section.keys.insert(key.clone(), entry.clone());
        }
    }
    Ok(others)
}

impl Reader {
    fn entry(&mut self) -> Option<&mut Entry> {
        let (key, _) = self.last.as_ref()?;
        self.sections.last_mut()?.keys.get_mut(key)
    }

    fn read(&mut self, line: &str) -> Result<(), &'static str> {
        let content = without_comment(line);
        if content.is_empty() {
            return Ok(());
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if self.last.as_ref().is_some_and(|(_, of_key)| indent > *of_key) {
            return self.go_on(content);
        }
        match header(content) {
            Some(name) => self.start(name),
            None => self.key(content, indent),
        }
    }

    fn start(&mut self, name: &str) -> Result<(), &'static str> {
        let section = match self.sections.iter().position(|section| section.name == name) {
            Some(known) if name == DEFAULTS => self.sections.remove(known),
            Some(_) => return Err("is a section that already exists"),
            None => Section { name: name.to_owned(), ..Section::default() },
        };
        self.sections.push(section);
        self.last = None;
        Ok(())
    }

    fn key(&mut self, content: &str, indent: usize) -> Result<(), &'static str> {
        let section = self.sections.last_mut().ok_or("comes before the first section")?;
        let (key, value) = pair(content)?;
        let entry = Entry { value: value.to_owned(), line: self.line, ..Entry::default() };
        if section.keys.insert(key.clone(), entry).is_some() {
            return Err("has a key that its section already has");
        }
        self.last = Some((key, indent));
        Ok(())
    }

    /// Parses a line that belongs to the key before it.
    fn go_on(&mut self, content: &str) -> Result<(), &'static str> {
        let is_default = self.sections.last().is_some_and(|section| section.name == DEFAULTS);
        let line = self.line;
        let Some(entry) = self.entry() else { return Ok(()) };
        if entry.value.is_empty() {
            let Some((key, value)) = content.split_once('=') else {
                entry.malformed = entry.malformed.or(Some(line));
                return if is_default { Ok(()) } else { Err(NOT_BELOW) };
            };
            let below = Entry { value: value.trim().to_owned(), line: entry.line, ..Entry::default() };
            entry.below.insert(key.trim().to_owned(), below);
        } else {
            entry.value.push('\n');
            entry.value.push_str(content);
        }
        Ok(())
    }
}

/// Returns the name in the header of a section. Any other line is a key, or malformed.
fn header(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    Some(name).filter(|name| !name.is_empty())
}

fn pair(content: &str) -> Result<(String, &str), &'static str> {
    let (key, value) = content.split_once(['=', ':']).ok_or("is neither `[section]` nor `key = value`")?;
    let key = key.trim().to_lowercase();
    if key.is_empty() { Err("has no key before its `=`") } else { Ok((key, value.trim())) }
}

fn without_comment(line: &str) -> &str {
    let content = line.trim();
    if content.starts_with(['#', ';']) { "" } else { content }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, key: &str) -> Option<String> {
        Some(parse(text).unwrap().last()?.keys.get(key)?.value.clone())
    }

    #[test]
    fn a_malformed_default_counts_only_if_a_section_takes_it() {
        let malformed = "[DEFAULT]\nssm =\n  no pair\n";
        assert_eq!(parse(malformed), Ok(Vec::new()));
        assert!(parse(&format!("{malformed}[a]\nssm = x\n")).is_ok());
        let refused = parse(&format!("{malformed}[a]\nregion = r\n"));
        assert_eq!(refused, Err(Malformed { line: 3, what: NOT_BELOW }));
    }

    #[test]
    fn keys_may_be_indented() {
        for text in [
            "[default]\n  region = r\n  output = json\n",
            "[default]\n\tregion=r\n\toutput: json",
            "  [default]\nregion =r",
        ] {
            assert_eq!(value(text, "region").as_deref(), Some("r"), "{text}");
        }
        assert_eq!(value("[a]\n  x = 1\n  y = 2\n", "y").as_deref(), Some("2"));
    }

    #[test]
    fn what_is_indented_further_belongs_to_the_key_before_it() {
        let sections =
            parse("[services s]\nssm =\n  endpoint_url = http://a\n  b = c\nsts = \n  endpoint_url = d\n")
                .unwrap();
        let below = |key: &str| sections[0].keys[key].below["endpoint_url"].value.clone();
        assert_eq!((below("ssm"), below("sts")), ("http://a".to_owned(), "d".to_owned()));
        assert_eq!(value("[a]\nx = 1\n  2\n", "x").as_deref(), Some("1\n2"));
    }

    #[test]
    fn comments_are_left_out() {
        let text = "# a\n; b\n[a] # c\n  # d\nx = 1 # e\ny = a#b;c ; d\n";
        assert_eq!(
            (value(text, "x").as_deref(), value(text, "y").as_deref()),
            (Some("1 # e"), Some("a#b;c ; d"))
        );
    }

    #[test]
    fn each_key_knows_its_line() {
        let sections = parse("[a]\n\nx = 1\n  2\nY = 2").unwrap();
        assert_eq!((sections[0].keys["x"].line, sections[0].keys["y"].line), (3, 5));
    }

    #[test]
    fn what_is_malformed_is_told_with_its_line() {
        for (text, line) in [
            ("x = 1", 1),
            ("[a", 1),
            ("[]", 1),
            ("[a]\n\nb", 3),
            ("[a]\n= b", 2),
            ("[a]\n[a]", 2),
            ("[a]\nb = 1\nB = 2", 3),
            ("[a]\nb =\n  c", 3),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
