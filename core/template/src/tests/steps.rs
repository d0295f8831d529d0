//! What is too much: of a template, of steps, of its result.

use super::{Declared, FOREVER, Given, Shape, given, render, texts, wrong};
use crate::budget::{FUEL, Stop};
use crate::error::Fault;
use crate::output::LARGEST_RESULT;
use crate::{LARGEST_TEMPLATE, Template, render as rendering};

#[test]
fn what_is_too_large_or_takes_too_long_is_refused() {
    let errors = Template::parse(&" ".repeat(LARGEST_TEMPLATE + 1), &[]).unwrap_err();
    assert_eq!(errors[0].fault, Fault::TemplateTooLarge { most: LARGEST_TEMPLATE });
    let largest = " ".repeat(LARGEST_TEMPLATE);
    assert_eq!(render(&largest, &[]).unwrap(), largest);

    let many = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}";
    for template in [
        many,
        "{{ 'a' * 1000000000 }}",
        "{{ 'a' * 18446744073709551616 }}",
        "{{ ('a' * 1000000)|split('')|length }}",
    ] {
        assert_eq!(render(template, &[]).unwrap_err().fault, Fault::OutOfFuel { fuel: FUEL }, "{template}");
    }
    let value = vec![b'a'; 1 << 20];
    let large = |times: usize| format!("{{% for i in range({times}) %}}{{{{ v }}}}{{% endfor %}}");
    assert_eq!(render(&large(16), &[&value]).unwrap().len(), LARGEST_RESULT);
    assert_eq!(
        render(&large(17), &[&value]).unwrap_err().fault,
        Fault::ResultTooLarge { most: LARGEST_RESULT }
    );
    let joined = render("{{ ([v] * 99)|join }}", &[&value]).unwrap_err();
    assert_eq!(joined.fault, Fault::OutOfFuel { fuel: FUEL });
}

/// Each of these takes years, or all memory, where only statements are counted.
#[test]
fn what_is_made_of_itself_again_and_again_is_paid_for() {
    let again = |first: &str, more: &str| {
        format!("{{% set x = {first} %}}{}{{% set y = x %}}", format!("{{% set x = {more} %}}").repeat(60))
    };
    let twice = |first: &str, more: &str| {
        again(first, more) + &again(first, more).replace(" x", " z").replace("x,", "z,")
    };
    let compared = twice("[1]", "[x, x]") + "{% set z = [x, 1] %}{{ 1 if x == y and [x, 2] == z }}";
    let keyed = again("{'a': 1}", "{'a': x, 'b': x}") + "{% set z = {'a': 1} %}{{ x|json }}";
    let equal = "{% set a = 'a' * 2000000 %}{% set b = 'a' * 2000000 %}{% for i in range(99999) %}{% if a == b %}{% endif %}{% endfor %}";
    for template in [
        compared.as_str(),
        &keyed,
        &again("[1]", "x + x"),
        &again("'a'", "x + x"),
        &again("['a']", "x * 2"),
        &(again("[1]", "[x, x]") + "{{ x|json }}"),
        equal,
        "{% set a = 'a' * 999999 %}{% for i in range(99999) %}{% if 'b' in a %}{% endif %}{% endfor %}",
        "{% for i in range(99999) %}{% if 5 in range(99999) and 99998 in range(99999) %}{% endif %}{% endfor %}",
        "{% set a = ',' * 99999 %}{% for i in range(99999) %}{{ a|split(',')|length }}{% endfor %}",
        "{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}",
        "{{ (['a' * 1000000] * 1000000)|join }}",
        "{% set x = [0] * 300000 %}{% for i in range(99999) %}{% if 1 in x %}{% endif %}{% endfor %}",
        "{% set t = '\\x01' * 640000 %}{{ ([t] * 90)|json }}",
        "{{ ('a' * 30000000)|hex }}",
    ] {
        assert_eq!(render(template, &[]).unwrap_err().fault, Fault::OutOfFuel { fuel: FUEL }, "{template}");
    }
}

/// What is known at the first item costs no more than that.
#[test]
fn a_list_is_looked_at_no_further_than_needed() {
    let lists = "{% set x = [0] * 300000 %}{% set y = [1] * 300000 %}";
    let template = format!(
        "{lists}{{% for i in range(20000) %}}{{% if 0 in x or x == y %}}{{% endif %}}{{% endfor %}}a"
    );
    assert_eq!(render(&template, &[]).unwrap(), "a");
}

#[test]
fn what_is_never_closed_far_to_the_right_is_told() {
    for open in ["{{ \"x", "{% raw %}"] {
        let errors = wrong(&format!("{}{open}", "a".repeat(65_540)));
        assert!(errors.len() == 1 && errors[0].contains("syntax error"), "{errors:?}");
    }
}

#[test]
fn tags_have_so_many_words() {
    let words = |count: usize| format!("{{{{ [1{}]|join }}}}", ",1".repeat(count));
    assert!(wrong(&words(9_990)).is_empty());
    assert_eq!(wrong(&words(10_000)), ["1:1: the tags of the template have more than 20000 words"]);
}

#[test]
fn a_rendering_ends_when_nobody_waits_any_more() {
    let template = Template::parse("{% for i in range(9) %}{% endfor %}", &[]).unwrap();
    let stop = Stop::default();
    stop.set();
    let stopped = rendering(&template.text, &[], &[], stop);
    assert_eq!(stopped.unwrap_err().fault, Fault::Stopped);
}

/// Texts of many pieces are paid for as other texts are, and look-ups in a map do not grow with its size.
#[test]
fn long_texts_of_many_pieces_and_large_maps_end_in_time() {
    for template in [
        "{{ (['x'] * 50000)|join|first }}",
        "{{ (['x'] * 150000)|join|length }}",
        "{{ ([''] * 1000)|join(([''] * 200000)|join) }}",
        "{{ range(1000)|join(([v] * 200000)|join) }}",
        "{% set x = v * 100000 + 'a' %}{% for i in range(60000) %}{% if x %}{% endif %}{% endfor %}",
        "{% set x = (['x'|json] * 50000)|join %}{% for i in range(60000) %}{% if x %}{% endif %}{% endfor %}",
        "{% set x = v * 100000 + 'a' %}{% for i in range(60000) %}{% if x == 'b' %}{% endif %}{% endfor %}",
    ] {
        let parsed = Template::parse(template, &texts(&["v"])).map_err(|mut errors| errors.remove(0));
        if let Err(error) = parsed.and_then(|template| template.render(given(b"12345678"), FOREVER)) {
            assert_eq!(error.fault, Fault::OutOfFuel { fuel: FUEL });
        }
    }
    let entries = (0..5_000).map(|number| (format!("k{number}"), Given::bytes(b"v"))).collect();
    let declared = [Declared { name: "f".to_owned(), shape: Shape::Structured }];
    let template = "{% for k in f %}{{ k }}={{ f[k]|dotenv }}\n{% endfor %}{% if f == f %}{% endif %}";
    let template = Template::parse(template, &declared).unwrap();
    let rendered = template.render(vec![("f".to_owned(), Given::names(entries))], FOREVER).unwrap();
    assert_eq!(rendered.split(|byte| *byte == b'\n').count(), 5_001);
}
