use super::*;

#[test]
fn a_mistake_in_a_template_is_told_with_its_place_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin.tmpl");
    std::fs::write(&path, b"a\nb\xfc").unwrap();
    let large = folder.path().join("large.tmpl");
    // Of two bytes each, so that a cut at any length which is odd would split one.
    std::fs::write(&large, "\u{fc}".repeat(2 << 20)).unwrap();
    one_by_one(&[
        (
            "[files]\na = {template-text = '{{ x }}', secrets.x = {source = 'z', secret = 'x'}}",
            "4: files.a.secrets.x.source: there is no source `z`; did you mean `s`? known: `s`",
        ),
        (
            "[files.a]\ntemplate-text = \"\\n {{ x }}\"\nsecrets.x = {source = 's', secret = '../x'}",
            "5: files.a.secrets.x: source `s` cannot have a secret `../x`: invalid request: the name has `..` in it",
        ),
        (
            "[files]\na = {template-text = '{{ x }}', secrets.x = {source = 's', secret = 'x', field = ''}}",
            "4: files.a.secrets.x.field: the field is empty; omit it to get the whole secret",
        ),
        (
            "[files]\na = {source = 's', secret = 'x', secrets.x = {source = 's', secret = 'x'}}",
            "4: files.a.secrets: needs a template: add `template` or `template-text`",
        ),
        (
            "[files]\na = {template-text = '{{ 1 | jsno }}'}",
            "4: files.a.template-text: template-text:1:8: there is no filter `jsno`; did you mean `json`?",
        ),
        (
            "[files]\na = {template-text = 'x', source = 's', optional = true}",
            "4: files.a.source: cannot be combined with a template, whose secrets belong under `secrets`\n\
             4: files.a.optional: cannot be combined with a template, whose secrets belong under `secrets`",
        ),
        (
            "[files]\na = {template-text = 'x', template = 'y'}",
            "4: files.a.template-text: cannot be combined with `template`; keep one of them",
        ),
        (
            "[files]\na = {template = 'none.tmpl'}",
            "4: files.a.template: cannot read \"etc/none.tmpl\": No such file or directory (os error 2)",
        ),
        ("[files]\na = {template = '/'}", "4: files.a.template: cannot read \"/\": it is not a regular file"),
        (
            &format!("[files]\na = {{template = {path:?}}}"),
            &format!("4: files.a.template: {path:?} is not UTF-8, in line 2"),
        ),
        (
            &format!("[files]\na = {{template = {large:?}}}"),
            &format!("4: files.a.template: {large:?} is larger than 1048576 bytes"),
        ),
        (
            "[files]\na = {template-text = '{{ 1 + none }}'}",
            "4: files.a.template-text: template-text:1:8: this operator cannot take a number and none together; `+` joins texts with texts, and lists with lists; `[…] | join` joins texts with numbers",
        ),
    ]);
}

#[test]
fn a_source_is_asked_though_something_else_is_wrong_with_the_template() {
    one_by_one(&[(
        "[files]\na = {template-text = '{{ x }}{{ 1 | jsno }}{{ y }}', secrets = {x = {source = 'z', secret = 'x'}, y = {source = 's', secret = '..'}}}",
        "4: files.a.secrets.x.source: there is no source `z`; did you mean `s`? known: `s`\n\
         4: files.a.secrets.y: source `s` cannot have a secret `..`: invalid request: the name has `..` in it\n\
         4: files.a.template-text: template-text:1:15: there is no filter `jsno`; did you mean `json`?",
    )]);
}
