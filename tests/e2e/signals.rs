//! Ctrl-C at any moment leaves no staging.

use std::os::unix::process::ExitStatusExt;

use crate::support::{Site, Trace, inject};

const SECRETS: &[(&str, &[u8])] = &[("a", b"1"), ("d/b", b"2"), ("d/e/c", b"3")];

#[test]
fn an_interrupt_at_any_call_leaves_all_or_nothing_and_no_staging() {
    for (signal, number) in [("SIGINT", 2), ("SIGTERM", 15)] {
        let reference = Trace::of(&Site::with_secrets(SECRETS), &["sync"], &[]);
        let points = reference.since(".app.lock");
        let mut stopped = 0;
        for point in points {
            let site = Site::with_secrets(SECRETS);
            let ran = inject(&site, &["sync"], point, &format!("signal={signal}"));
            let published = [".app.gen", ".app.lock", ".app.note", "app"];
            let names = site.names();
            assert!(
                names.is_empty() || names == [".app.lock"] || names == published,
                "{point:?}: {names:?} {ran:?}"
            );
            if names != published {
                stopped += 1;
                assert_eq!(ran.status.signal(), Some(number), "{point:?}: {ran:?}");
            }
        }
        assert!(stopped > 10, "only {stopped} of {} points stopped the run", points.len());
    }
}
