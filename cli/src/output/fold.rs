//! Wraps texts into lines.

/// The width that lines stay below if no other width is known, in columns.
pub(super) const TOO_WIDE: usize = 100;

/// Wraps a text at spaces into lines of fewer than 100 columns, as [`fold_below`] does.
pub(crate) fn fold(text: &str, indent: &str) -> String {
    fold_below(TOO_WIDE, text, indent)
}

/// Wraps a text at spaces into lines of fewer than `too_wide` columns. All lines but the first begin with the indent. A
/// longer word stays whole. Each line break replaces exactly one space.
pub(super) fn fold_below(too_wide: usize, text: &str, indent: &str) -> String {
    let mut folded = String::new();
    let mut column = 0;
    for (number, word) in text.split(' ').enumerate() {
        let width = columns(word);
        if number > 0 && column + 1 + width < too_wide {
            folded.push(' ');
            column += 1;
        } else if number > 0 {
            folded.push('\n');
            folded.push_str(indent);
            column = columns(indent);
        }
        folded.push_str(word);
        column += width;
    }
    folded
}

/// Returns the width of a text, if every character has the same width.
fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_ends_before_it_is_too_wide() {
        let (fits, too_wide) = (format!("{} é", "x".repeat(97)), format!("{} éé", "x".repeat(97)));
        assert_eq!(fold(&fits, "  "), fits);
        assert_eq!(fold(&too_wide, "  "), format!("{}\n  éé", "x".repeat(97)));
    }

    proptest! {
        #[test]
        fn breaks_are_the_only_difference_and_only_long_words_are_too_wide(text in "([a-zé]{1,12} {1,3}|/[a-z]{90,120} ){0,30}") {
            let folded = fold(&text, "    ");
            prop_assert_eq!(folded.replace("\n    ", " "), text);
            for line in folded.lines().filter(|line| columns(line) >= TOO_WIDE) {
                prop_assert!(!line.trim().contains(' '), "{}", line);
            }
        }
    }
}
