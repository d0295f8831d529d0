use super::*;

#[test]
fn transforms_that_make_no_sense_together_are_refused() {
    let long = "-".repeat(65);
    let readable =
        |next| format!(r#"must be "" or "\n" with `{next}`, which cannot read anything else between texts"#);
    let useless = "cannot be combined with `pem`, whose result always ends with a line end";
    for (keys, key, message) in [
        ("pem = 'cert'", "pem", r#"expected "key", "leaf", "chain" or "certificates""#),
        ("join = 1", "join", "expected a string, found a whole number"),
        (&format!("join = '{long}'"), "join", "must not have more than 64 bytes"),
        ("join = ',', decode = 'hex'", "join", &readable("decode")),
        ("join = ',', decode = 'hex', pem = 'key'", "join", &readable("decode")),
        ("join = ',', pem = 'key'", "join", &readable("pem")),
        ("trim = 'newline', pem = 'key'", "trim", useless),
        ("join = '', trim = 'newline', pem = 'key'", "trim", useless),
    ] {
        let entry = format!("source = 's', secret = 'x', {keys}");
        let import = format!("source = 's', prefix = 'x', {keys}");
        one_by_one(&[
            (&format!("[files]\na = {{{entry}}}"), &format!("4: files.a.{key}: {message}")),
            (&format!("import = [\n{{{import}}}]"), &format!("4: import[0].{key}: {message}")),
            (
                &format!("[files]\na = {{template-text = '{{{{ x }}}}', secrets.x = {{{entry}}}}}"),
                &format!("4: files.a.secrets.x.{key}: {message}"),
            ),
            (
                &format!("[files]\na = {{template-text = '{{{{ x.y }}}}', secrets.x = {{{import}}}}}"),
                &format!("4: files.a.secrets.x.{key}: {message}"),
            ),
        ]);
    }
}

#[test]
fn a_text_is_not_expanded() {
    for key in ["join = ''", "pem = 'key'"] {
        let secret = format!("source = 's', secret = 'x', expand = 'json', {key}");
        let name = key.split(' ').next().unwrap();
        one_by_one(&[
            (
                &format!("[files.a]\ntemplate-text = '{{{{ x.y }}}}'\nsecrets.x = {{{secret}}}"),
                &format!(
                    "5: files.a.secrets.x.{name}: cannot be combined with `expand`: it makes a text, which is not a JSON document"
                ),
            ),
            (
                &format!("[files]\na = {{template-text = '', {key}}}"),
                &format!(
                    "4: files.a.{name}: cannot be combined with a template, whose secrets belong under `secrets`"
                ),
            ),
        ]);
    }
}

#[test]
fn transforms_that_fit_are_planned() {
    for keys in [
        "join = ', '",
        "join = '', decode = 'base64', pem = 'leaf', encode = 'hex'",
        "join = \"\\n\", pem = 'chain'",
        "trim = 'newline', decode = 'base64', pem = 'key'",
        "join = \"\\r\\n\", trim = 'newline'",
    ] {
        let plan = resolve(&format!("{HEAD}[files]\na = {{source = 's', secret = 'x', {keys}}}")).unwrap();
        let (_, file) = plan.files.iter().next().unwrap();
        assert!(!file.content.uses()[0].transform.is_none(), "{keys}");
    }
}
