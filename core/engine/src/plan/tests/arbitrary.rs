use proptest::prelude::*;

use super::*;

/// What an edit may put in place of something else.
const SNIPPETS: &[&str] = &[
    "",
    "1",
    "-1",
    "true",
    "''",
    "'x'",
    "\"\\u0000\"",
    "[]",
    "{}",
    "{ a = 1 }",
    "[[x]]",
    "\n",
    "=",
    ".",
    "0.5",
    "'60s'",
    "1979-05-27",
    "[files]",
    "[directory]",
    "'../..'",
    "\"a/b\"",
    "provider",
    "inf",
    "99999999999999999999",
];

/// Replaces some of a text, at the nearest character boundaries.
fn edit(text: &str, at: prop::sample::Index, length: usize, snippet: &str) -> String {
    let boundary = |from: usize| (from..=text.len()).find(|place| text.is_char_boundary(*place)).unwrap();
    let start = boundary(at.index(text.len() + 1));
    let end = boundary((start + length).min(text.len()));
    format!("{}{snippet}{}", &text[..start], &text[end..])
}

fn check(text: &str) -> Result<(), TestCaseError> {
    if let Err(error) = resolve(text) {
        prop_assert!(!error.problems().is_empty());
        let lines = text.lines().count() + 1;
        for problem in error.problems() {
            prop_assert!(problem.line().is_some_and(|line| (1..=lines).contains(&line)), "{problem}");
            prop_assert!(!problem.to_string().contains('\n'), "{problem}");
        }
        prop_assert!(error.problems().is_sorted_by_key(|problem| problem.line()));
    }
    Ok(())
}

/// Puts something else in place of the value of one key, so that the text stays TOML.
fn set(text: &str, line: prop::sample::Index, value: &str) -> String {
    let keys: Vec<_> = text.lines().enumerate().filter(|(_, line)| line.contains(" = ")).collect();
    let (number, key) = keys[line.index(keys.len())];
    let key = key.split(" = ").next().unwrap();
    let lines = text.lines().enumerate();
    lines
        .map(|(n, line)| if n == number { format!("{key} = {value}\n") } else { format!("{line}\n") })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_edited_configuration_is_a_plan_or_has_problems_with_a_line(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..40usize, prop::sample::select(SNIPPETS)), 1..4),
    ) {
        let mut text = GOOD.to_owned();
        for (at, length, snippet) in edits {
            text = edit(&text, at, length, snippet);
        }
        check(&text)?;
    }

    #[test]
    fn another_value_of_any_key_is_a_plan_or_has_problems_with_a_line(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(SNIPPETS)), 1..4),
    ) {
        let mut text = GOOD.to_owned();
        for (line, value) in changes {
            text = set(&text, line, value);
        }
        check(&text)?;
    }

    #[test]
    fn arbitrary_file_names_are_no_trouble(names in prop::collection::vec(".{0,8}", 0..6)) {
        let entry = |name: &String| format!("{:?} = {{ source = 's', secret = 'x' }}\n", name.replace('\'', ""));
        let files: String = names.iter().map(entry).collect();
        check(&format!("{HEAD}[files]\n{files}"))?;
    }
}
