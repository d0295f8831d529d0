//! What a check cannot know of the places of values, a rendering refuses.

use super::{Declared, FOREVER, Given, Shape, Template};

/// What a check does not know, a rendering does: it refuses what a value that is printed as it is makes of the rest.
#[test]
fn a_value_that_changes_how_others_are_read_is_refused() {
    let declared = ["pw", "x"].map(|name| Declared { name: name.to_owned(), shape: Shape::Text });
    for (template, good, bad, what) in [
        ("echo {{ x }}#tag {{ pw|shell }}", "a", "", "1:24: `shell` stands in a comment"),
        ("echo {{ x }} {{ pw|shell }}", "its", "it's", "1:20: `shell` writes its own quotes"),
        ("A={{ x }}\nB={{ pw|dotenv }}", "", "\"", "2:9: `dotenv` writes its own quotes"),
        ("{{ x }}{{ pw|docker }}", "A=", "A", "1:14: `docker` belongs behind the name"),
        (
            "{% set d = '' %}{% if x == 'q' %}{% set d = '\"' %}{% endif %}X={{ d }} {{ pw|shell }}",
            "p",
            "q",
            "1:78: `shell` writes its own quotes",
        ),
        ("a: {{ x }}\nb: {{ pw|json }}", "'it''s'", "'it", "2:10: `json` writes its own quotes"),
        ("a = {{ x }}\nb = {{ pw|toml }}", "\"\"", "\"\"\"", "2:11: `toml` writes its own quotes"),
        (
            "{% for c in x %}{{ c }}{% endfor %} {{ pw|shell }}",
            "a ",
            "a '",
            "1:43: `shell` writes its own quotes",
        ),
    ] {
        let parsed = Template::parse(template, &declared).ok();
        let render = |value: &str| {
            let values = [("pw", "hunter2"), ("x", value)];
            let values = values.map(|(name, value)| (name.to_owned(), Given::bytes(value.as_bytes())));
            parsed.as_ref().unwrap_or_else(|| panic!("{template}")).render(values.to_vec(), FOREVER)
        };
        assert!(render(good).is_ok(), "{template}");
        let error = render(bad).unwrap_err();
        assert!(format!("{}: {error}", error.place).starts_with(what), "{template}: {} {error}", error.place);
    }
}

/// A map whose keys are not known has values that are not known, to a check.
#[test]
fn what_a_check_does_not_see_the_rendering_does() {
    let declared = ["pw", "x"].map(|name| Declared { name: name.to_owned(), shape: Shape::Text });
    for template in [
        "P=\"{{ {x: pw|shell}[x] }}\"",
        "P=\"{{ {x: 1, 'a': pw|shell}.a }}\"",
        "{% set a = {x: pw|shell} %}'{{ a[x] }}'",
        "a = {b = '{{ {x: pw|toml}[x] }}' }",
        "{b: '{{ {x: pw|json}[x] }}' }",
        "X=a{{ {x: pw|dotenv}[x] }}c",
        "X{{ {x: pw|docker}[x] }}",
        "a = {b = '{% for k in {(pw|toml): 1} %}{{ k }}{% endfor %}' }",
        "{\"a\": \"{% for k in {(pw|json): 1} %}{{ k }}{% endfor %}\"}",
        "a = {b = '{% for k in {'': 1} %}{{ ['', pw|toml]|join(k) }}{% endfor %}' }",
        "{% for k in {'': 1} %}X{{ ['a', pw|docker]|join(k) }}{% endfor %}",
    ] {
        let Ok(parsed) = Template::parse(template, &declared) else { continue };
        let values = [("pw", "', evil = 'y"), ("x", "b")];
        let values = values.map(|(name, value)| (name.to_owned(), Given::bytes(value.as_bytes())));
        let rendered = parsed.render(values.to_vec(), FOREVER);
        let error = rendered.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            ["own quotes", "directly", "name of a variable", "changed"]
                .iter()
                .any(|what| error.contains(what)),
            "{template}: {error}"
        );
    }
    let errors = Template::parse("{{ {x: pw|shel}[x] }}", &declared).err().unwrap();
    assert!(errors[0].to_string().contains("there is no filter `shel`"), "{errors:?}");
}
