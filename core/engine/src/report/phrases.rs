//! Formats texts for people: errors in one line, numbers and lists.

use std::error::Error;

use crate::escape::escape;

/// Returns an error and its causes, outermost first, in one [escaped](escape) line. A cause is omitted if the text before
/// it already ends with it.
///
/// ```
/// let error = std::io::Error::other("the disk is on fire");
/// assert_eq!(secretdir_engine::describe(&error), "the disk is on fire");
/// ```
pub fn describe(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        next = cause.source();
    }
    escape(&line).into_owned()
}

/// Returns a number with its noun: "1 file", "2 files".
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The maximum number of names in a message, so that the cause after them is easy to find. `--json` has all names.
const MOST_NAMED: usize = 20;

/// Returns a list of things of one kind: "file a", "files a and b", "files a, b and c". A long list is cut, and says how
/// many more there are.
pub(crate) fn enumerate(what: &str, things: impl Iterator<Item = String>) -> String {
    let things: Vec<_> = things.collect();
    match things.len() {
        0 => format!("no {what}"),
        1 => format!("{what} {}", in_a_row(things)),
        _ => format!("{what}s {}", in_a_row(things)),
    }
}

/// Returns a list: "a", "a and b", "a, b and c". A long list is cut, and says how many more there are.
pub(crate) fn in_a_row(mut things: Vec<String>) -> String {
    let more = things.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        // One name makes room for "N more".
        things.truncate(MOST_NAMED - 1);
        things.push(format!("{} more", more + 1));
    }
    match things.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        cause: Option<Box<Layer>>,
    }

    #[test]
    fn things_are_enumerated_as_people_do() {
        let all = |things: &[&str]| enumerate("file", things.iter().map(ToString::to_string));
        assert_eq!([all(&["a"]), all(&["a", "b"])], ["file a", "files a and b"]);
        assert_eq!(all(&["a", "b", "c"]), "files a, b and c");
        let many = |number| enumerate("file", (0..number).map(|number: usize| number.to_string()));
        assert!(many(20).ends_with(" 18 and 19"));
        assert!(many(21).ends_with(" 18 and 2 more"));
        assert!(many(399).ends_with(" 18 and 380 more"));
    }

    #[test]
    fn each_cause_is_said_once() {
        let layer = |text, cause: Option<Layer>| Layer { text, cause: cause.map(Box::new) };
        let error = layer("top", Some(layer("middle: root", Some(layer("root", None)))));
        assert_eq!(describe(&error), "top: middle: root");
        let error = layer("cannot read\nit", Some(layer("denied", None)));
        assert_eq!(describe(&error), "cannot read\\nit: denied");
        assert_eq!(describe(&layer("a\u{1b}[31m\r\nerror: b", None)), r"a\u{1b}[31m\r\nerror: b");
    }
}
