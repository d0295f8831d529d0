use super::*;

/// Plans [`HEAD`] and what follows it, and returns the warnings.
fn warnings(text: &str) -> Vec<String> {
    let plan = resolve(&format!("{HEAD}{text}")).unwrap();
    plan.warnings()
        .iter()
        .map(|problem| without_columns(&problem.to_string()).replacen("etc/x.toml:", "", 1))
        .collect()
}

#[test]
fn a_mode_that_cannot_serve_is_warned_of_where_it_is_written() {
    let files = "[files]\na = {source = 's', secret = 'x'}\nb = {source = 's', secret = 'y'}\n";
    let unreachable = |who: &str, file: &str, directory: &str, lacks: &str| {
        format!(
            "{who} may read a file of mode {file}, but not enter the directory: its mode {directory} lacks {lacks}"
        )
    };
    let cases = [
        ("directory.mode = '0750'\ndirectory.file-mode = '0440'\n", vec![]),
        (
            "directory.file-mode = '0440'\n",
            vec![format!("3: directory.file-mode: {}", unreachable("the group", "0440", "0700", "0010"))],
        ),
        (
            "directory.file-mode = '0444'\ndirectory.mode = '0750'\n",
            vec![format!("3: directory.file-mode: {}", unreachable("everyone", "0444", "0750", "0001"))],
        ),
        (
            "directory.file-mode = '0666'\ndirectory.mode = '0755'\n",
            vec![
                "3: directory.file-mode: mode 0666 lets everyone change the secret".to_owned(),
                "3: directory.file-mode: mode 0666 lets the group change the secret".to_owned(),
            ],
        ),
    ];
    for (directory, expected) in cases {
        assert_eq!(warnings(&format!("{directory}{files}")), expected, "{directory}");
    }
    let own = warnings("[files]\na = {source = 's', secret = 'x', mode = '0440'}");
    assert_eq!(own, [format!("4: files.a.mode: {}", unreachable("the group", "0440", "0700", "0010"))]);
}

#[test]
fn a_source_that_no_file_uses_is_warned_of() {
    assert_eq!(warnings("[files]"), ["2: sources.s: no file and no import uses this source"]);
}
