//! Whatever is accepted runs no part of a value, in any shell.

use std::path::Path;
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Declared, FOREVER, Given, Shape, Template};

/// Pieces of a shell script, most of which open or close something.
const PIECES: &[&str] = &[
    "printf '%s\\0' ",
    "A=",
    "B=x ",
    " ",
    " ",
    "\n",
    "\n",
    "\n",
    "'",
    "\"",
    "'it'",
    "\"a b\"",
    "# it's\n",
    "#",
    "$(",
    ")",
    "(",
    "`",
    "$((",
    "((",
    "a=(",
    "a=()",
    "[[ a =~ ",
    " ]]\n",
    "echo (a ",
    "|#",
    "*(",
    "(s)",
    "f () ",
    "{ ",
    " }\n",
    "\\\ncase x in x) ",
    "\0",
    "if ",
    "then ",
    "case a in\n",
    " b) ;; ",
    " (a|b ",
    "\n(a)",
    "<(",
    "[[ $# || ",
    " && ",
    "f() ",
    "x(",
    "(",
    "))",
    "a[",
    "]",
    "]=1 ",
    "{{ n }}",
    "1+2",
    "${A:-",
    "${A:-$A}",
    "${A:=$A/x",
    "${A:$A",
    "${A${A}",
    "${${A}",
    " # }",
    ": || echo ",
    "$A",
    "${#A}",
    "}",
    "$'",
    "$$",
    "\\",
    "\\\n",
    "cat <<EOF\n",
    "<<EOF ",
    "<<-'E'\n",
    "\nEOF\n",
    "\n\tE\n",
    "\nit's\n",
    ";",
    "&&",
    "|",
    "case x in x) ",
    ";; esac",
    "$",
    "<<<",
    "<",
    "x",
    "\u{a0}",
    "{% if o %}'{% endif %}",
    "{% if o %}x{% else %}\"{% endif %}",
    "{{ d }}",
    "{{ e }}",
    "{{ ' #' if o }}",
    "{% raw %}${#A}{% endraw %}",
    "{% for i in l %}A={{ pw|shell }}{{ ' ' if not loop.last }}{% endfor %}",
    "{% for i in l %}{% if loop.first %}\"{% endif %}x{% if loop.last %}\"{% endif %}{% endfor %}",
    "{% set e %}B={{ pw|shell }} {% endset %}",
    "{{ q }}",
    "{{ [q, q]|join(' ') }}",
    "{{ 'A=' + q }}",
];

/// What a shell runs if it is not in quotes.
const VALUES: [&str; 5] = [
    "b[$(touch marker)]",
    "$(touch marker)'\"\n; touch marker #",
    "`touch marker`\nEOF\n\ttouch marker\nE\ntouch marker\n",
    "x'; touch marker;'",
    "e:touch marker:",
];

/// Runs a script and says whether a part of a value was run with it.
fn runs_value(script: &[u8], directory: &Path) -> bool {
    std::fs::write(directory.join("script"), script).unwrap();
    ["sh", "bash", "zsh"].into_iter().any(|shell| {
        let run = Command::new(shell).arg("script").current_dir(directory).stdin(Stdio::null()).output();
        run.expect(shell);
        directory.join("marker").exists()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    /// The check against a shell: whatever it accepts runs no part of a value.
    #[test]
    fn no_shell_runs_a_part_of_a_value(
        before in vec(select(PIECES), 0..8),
        place in select(&["{{ pw|shell }}", "\nprintf '%s\\0' {{ pw|shell }} ", "\nA={{ pw|shell }} "][..]),
        after in vec(select(PIECES), 0..5),
        value in select(&VALUES[..]),
        plain in select(&["", "", "a", "'", "\"", "#", " ", "\n", "$(", "`", "(", ")", "\\", "<<E\n"][..]),
        is_given: bool,
    ) {
        let text = ["{% set d = '\"' %}{% set e = 'x' %}{% set q = pw|shell %}", &before.concat(), place, &after.concat()].concat();
        let declared = ["pw", "o", "l", "n"].map(|name| Declared { name: name.to_owned(), shape: Shape::Structured });
        if let Ok(template) = Template::parse(&text, &declared) {
            let items = Given::list(vec![Given::null(), Given::null()]);
            let values = [("pw", Given::bytes(value.as_bytes())), ("o", Given::boolean(is_given)), ("l", items), ("n", Given::bytes(plain.as_bytes()))];
            let values = values.map(|(name, value)| (name.to_owned(), value)).to_vec();
            // What the check could not know, the rendering refuses.
            if let Ok(script) = template.render(values, FOREVER) {
                let directory = tempfile::tempdir().unwrap();
                prop_assert!(!runs_value(&script, directory.path()), "{}", String::from_utf8_lossy(&script));
            }
        }
    }
}
