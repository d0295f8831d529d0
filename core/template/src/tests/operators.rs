//! What operators, parts and loops make of their values.

use super::{FOREVER, Template, assert_fails, render};

/// What Python and Jinja make of the same; `|json` shows it.
#[test]
fn operators_and_parts_are_those_of_python() {
    for (expression, expected) in [
        ("[7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 % -3, 7 / 2, 2 ** 10, 2 ** -1]", "[3,-4,1,2,-2,3.5,1024,0.5]"),
        ("[1.5 // 1, -1.5 % 1, 1 + 0.5, 4 / 2]", "[1.0,0.5,1.5,2.0]"),
        ("[1 % 0.1, 1 // 0.1, 355 // 0.1, 10**17 % 3.0]", "[0.09999999999999995,9.0,3549.0,1.0]"),
        ("[9007199254740993 == 9007199254740992.0, 2 ** 60 < 2.0 ** 60, 1.5 > 1]", "[false,false,true]"),
        (
            "['abc'[0:18446744073709551616], [1, 2][18446744073709551616:], 'abc'[-99999999999999999999:2]]",
            r#"["abc",[],"ab"]"#,
        ),
        ("[] * 1000000000000", "[]"),
        (
            "[{'a': 1, 'b': 2, 'a': 3}, {'a': 2, 'a': 2}|length, {'a': 2, 'a': 2} == {'a': 2, 'b': 3}]",
            r#"[{"a":3,"b":2},1,false]"#,
        ),
        ("['ab' * 2, 2 * 'ab', [1] * 2, [1] + [2], 'a' + 'b']", r#"["abab","abab",[1,1],[1,2],"ab"]"#),
        ("['abc'[0], 'abc'[-1], 'abc'[1:], 'abc'[:-1], 'abc'[::2]]", r#"["a","c","bc","ab","ac"]"#),
        ("[[1, 2, 3][1], [1, 2, 3][-2:], [1, 2, 3][5:], [1][9]|default('-')]", r#"[2,[2,3],[],"-"]"#),
        (
            "[1 == 1.0, none == 1, none == none, [1] == [1], {'a': 1} == {'a': 1}]",
            "[true,false,true,true,true]",
        ),
        (
            "['a' < 'b', 1 < 2 <= 2, 1 < 2 < 2, 2 >= 2, 'b' > 'a', 'a' != 'b']",
            "[true,true,false,true,true,true]",
        ),
        ("['a' in 'abc', 1 in [1, 2], 'k' in {'k': 1}, 3 not in [1]]", "[true,true,true,true]"),
        ("[1 and 'x', 0 or 'y', not 0, not 'a', '' or none]", r#"["x","y",true,false,null]"#),
        ("{'a': {'b': [1, {'c': 2}]}}.a.b[1]['c']", "2"),
        ("{'a': 1, 'a': 2}.a", "2"),
        (
            "['a,b'|split(',')|join('-'), 'ab'|join('-'), 'ab'|split(''), 'aXbX'|replace('X', '')]",
            r#"["a-b","a-b",["a","b"],"ab"]"#,
        ),
        (
            "[{'k': 1}|first, 'ab'|last, 'éa'|length, {}|length, 'ÄB'|lower, 'äß'|upper]",
            r#"["k","b",2,0,"äb","ÄSS"]"#,
        ),
        (
            "[1 is odd, 2 is even, 'a' is string, 1.5 is number, {} is mapping, none is none, x is defined]",
            "[true,true,true,true,true,true,false]",
        ),
        ("[0|default(1), 0|default(1, true), x|default(1), 'a' if false]", r#"[0,1,1,""]"#),
        ("12345678901234567890", "12345678901234567890"),
    ] {
        // A variable that is set only where nothing comes.
        let template = format!("{{% if false %}}{{% set x = 1 %}}{{% endif %}}{{{{ ({expression})|json }}}}");
        assert_eq!(render(&template, &[]).ok().as_deref(), Some(expected), "{expression}");
    }
}

#[test]
fn a_loop_knows_where_it_is_and_keeps_its_variables() {
    for (template, expected) in [
        (
            "{% for x in 'ab' %}{{ [loop.index, loop.index0, loop.revindex, loop.revindex0, loop.length, loop.first, loop.last]|json }}\n{% endfor %}",
            "[1,0,2,1,2,true,false]\n[2,1,1,0,2,false,true]\n",
        ),
        ("{% for x in [1, 2, 3, 4] if x is even %}{{ x }}/{{ loop.length }} {% endfor %}", "2/2 4/2 "),
        ("{% for x in [] %}a{% else %}b{% endfor %}{% for k in {'k': 1} %}{{ k }}{% endfor %}", "bk"),
        ("{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "123"),
        ("{% set x = 1 %}{% for y in [1] %}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}", "21"),
        ("{% set a = 1 %}{% with a = 2, b = a %}{% set c = b %}{{ a }}{{ c }}{% endwith %}{{ a }}", "211"),
        ("{% set y = 1 %}{% filter upper %}{% set y = 2 %}{% endfilter %}{{ y }}", "1"),
        ("{% set b = 0 %}{% set c %}{% set b = 5 %}{% endset %}{{ b }}", "0"),
        ("{% set y = 1 %}{% for x in [] %}{% else %}{% set y = 3 %}{% endfor %}{{ y }}", "1"),
        ("{% set x | upper %}a{{ 'b' }}{% endset %}{{ x }}{% filter trim|upper %} c {% endfilter %}", "ABC"),
    ] {
        let rendered = Template::parse(template, &[])
            .ok()
            .and_then(|template| template.render(Vec::new(), FOREVER).ok());
        let rendered = rendered.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        assert_eq!(rendered.unwrap_or_default(), expected, "{template}");
    }
}

#[test]
fn an_operator_takes_what_fits_and_says_where_it_does_not() {
    for (template, expected) in [
        ("{{ 'a' == 5 }}", "1:4: a text is compared with a number, which is never equal"),
        ("{{ true != 'true' }}", "1:4: a boolean is compared with a text"),
        ("{{ [1] == ['1'] }}", "1:4: a number is compared with a text"),
        ("{{ 1 in ['1'] }}", "1:4: a number is compared with a text"),
        ("{{ 1 < '2' }}", "1:4: a number and a text have no order"),
        ("{{ [1] < [2] }}", "1:4: a list and a list have no order"),
        ("{{ 1 in 'a1' }}", "1:4: expected a text before the `in`, found a number"),
        ("{{ 'a'|replace(x='b') }}", "1:8: there is no keyword `x` here"),
        ("{{ 'a'|replace(*['b', 'c']) }}", "1:8: write each argument separately"),
        ("{{ 1.5 is odd }}", "1:11: expected a whole number, found a number"),
        ("{{ 'a'[::0] }}", "1:4: expected a step of at least 1, found a smaller number"),
    ] {
        assert_fails(template, expected);
    }
}
