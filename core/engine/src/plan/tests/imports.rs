use rustix::process::geteuid;

use super::good::attributes;
use super::*;
use crate::config::owner::Principal;
use crate::plan::{IfNone, Imported, RequestId};

#[test]
fn an_import_arrives_in_the_plan_and_its_source_is_in_use() {
    let plan = resolve(&format!(
        "{HEAD}sources.t = {{ provider = 'tiny', root = '/' }}\n[[import]]\nsource = 's'\nsecret = 'db'\nexpand = 'json'\n\
         [[import]]\nsource = 't'\nprefix = 'app/'\nstrip-prefix = 'app/'\ninto = 'all/of/it'\ninclude = ['a*', '**/b']\n\
         exclude = ['a?']\nallow-empty = true\nmode = '0600'\ngroup = 7\ndecode = 'hex'"
    ))
    .unwrap();
    let [keys, below] = plan.imports.as_slice() else { panic!("{:?}", plan.imports) };
    assert_eq!(keys.selection.what, Imported::Keys(RequestId { source: 0, request: 0 }));
    assert_eq!((keys.selection.label.as_str(), keys.selection.if_none), ("import[0]", IfNone::Fail));
    assert_eq!(keys.attributes, attributes(0o400, None, None));
    assert_eq!(below.selection.what, Imported::Below { source: 1, prefix: "app/".into() });
    assert_eq!((below.selection.label.as_str(), below.selection.if_none), ("import[1]", IfNone::Allow));
    assert_eq!(below.attributes, attributes(0o600, None, Some(Principal::Id(7))));
    assert!(!below.selection.transform.is_none());
    assert_eq!((plan.file_count(), plan.import_count(), plan.secret_count()), (0, 2, 1));
    assert_eq!(plan.warnings().len(), usize::from(!geteuid().is_root()));
}

#[test]
fn an_import_wants_what_its_patterns_say_and_names_files_after_it() {
    let naming = |keys: &str| {
        let text = format!("{HEAD}[[import]]\nsource = 's'\nprefix = 'app/'\n{keys}");
        resolve(&text).unwrap().imports.remove(0).selection.naming
    };
    let all = naming("");
    assert!(all.wants("app/x") && all.wants(""));
    assert_eq!(all.file("app/x/y").unwrap(), "app/x/y");
    let some = naming("strip-prefix = 'app/'\ninto = 'in'\ninclude = ['*.pem', 'db/**']\nexclude = ['old*']");
    for (name, is_wanted) in [
        ("app/a.pem", true),
        ("app/.pem", true),
        ("app/x/a.pem", false),
        ("app/db/a/b", true),
        ("app/db", false),
        ("app/old.pem", false),
        ("app/db/old.pem", true),
        ("app/x", false),
    ] {
        assert_eq!(some.wants(name), is_wanted, "{name}");
    }
    assert_eq!(some.file("app/db/a").unwrap(), "in/db/a");
    assert_eq!(some.file("other"), None);
    let brace = naming("include = ['app/[{]x[}]']");
    assert!(brace.wants("app/{x}") && !brace.wants("app/x"));
    // What is taken off may be longer than what is listed below.
    let longer = naming("strip-prefix = 'app/db-'\ninclude = ['a']");
    assert!(longer.wants("app/db-a") && !longer.wants("app/b"));
}

#[test]
fn a_mistake_in_an_import_is_one_problem() {
    let an_array = "expected an array of tables, each written as [[import]], found a table";
    one_by_one(&[
        ("[import]\nsource = 's'", &format!("3: import: {an_array}")),
        ("import = [3]", "3: import[0]: expected a table, found a whole number"),
        ("[[import]]\nprefix = 'x'", "3: import[0].source: missing"),
        (
            "[[import]]\nsource = 'z'\nprefix = 'x'",
            "4: import[0].source: there is no source `z`; did you mean `s`? known: `s`",
        ),
        ("[[import]]\nsource = 's'", "3: import[0].secret: missing; this, or `prefix` for many secrets"),
        (
            "[[import]]\nsource = 's'\nsecret = 'x'\nprefix = 'y'",
            "6: import[0].prefix: cannot be combined with `secret`; keep one of them",
        ),
        (
            "[[import]]\nsource = 's'\nsecret = 'x'",
            "3: import[0].expand: missing; \"json\" makes a file of each key of the secret",
        ),
        ("[[import]]\nsource = 's'\nsecret = 'x'\nexpand = 'yaml'", "6: import[0].expand: expected \"json\""),
        (
            "[[import]]\nsource = 's'\nprefix = 'x'\nexpand = 'json'",
            "6: import[0].expand: cannot be combined with `prefix`, which makes a file of each secret",
        ),
        (
            "[[import]]\nsource = 's'\nprefix = 'x'\nversion = '1'",
            "6: import[0].version: cannot be combined with `prefix`, which makes a file of each secret",
        ),
    ]);
}

#[test]
fn a_mistake_in_the_names_of_an_import_is_one_problem() {
    one_by_one(&[
        (
            "[[import]]\nsource = 's'\nprefix = 'x'\nstrip-prefix = 'y'",
            "6: import[0].strip-prefix: does not fit `prefix`: no name can begin with both",
        ),
        (
            "[[import]]\nsource = 's'\nprefix = 'x'\ninto = '/etc'",
            "6: import[0].into: the name must be relative, without a leading `/`",
        ),
        (
            "[[import]]\nsource = 's'\nprefix = 'x'\ninto = '.app.gen-x'",
            "6: import[0].into: the name starts with `.app.`, which is reserved for generations, notes and locks",
        ),
        ("[[import]]\nsource = 's'\nprefix = 'x'\ninclude = []", "6: import[0].include: is empty; omit it"),
        (
            "[[import]]\nsource = 's'\nprefix = 'x'\nexclude = ['a', '[', 'a**', '{a,b}']",
            "6: import[0].exclude[1]: is not a valid pattern: invalid range pattern\n\
             6: import[0].exclude[2]: is not a valid pattern: recursive wildcards must form a single path component\n\
             6: import[0].exclude[3]: has `{` or `}` in it: write each choice as a separate pattern; \
             a literal brace is `[{]` or `[}]`",
        ),
        (
            "[[import]]\nsource = 's'\nprefix = '/x'",
            "5: import[0].prefix: source `s` cannot list below `/x`: invalid request: no name begins so; leave out the `/`",
        ),
        ("import = []", "3: import: is empty; omit it"),
        (
            "[[import]]\nsource = 's'\nsecret = '../x'\nexpand = 'json'",
            "3: import[0]: source `s` cannot have a secret `../x`: invalid request: the name has `..` in it",
        ),
        (
            "[[import]]\nsource = 's'\nprefix = 'x'\nstrip_prefix = 'x'",
            "6: import[0].strip_prefix: unknown key; did you mean `strip-prefix`?",
        ),
    ]);
}
