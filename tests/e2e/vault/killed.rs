//! A run that is killed between the issuing and the flip leaves one lease more at most, and no file.

use serde_json::json;

use super::{Role, bao, issue, issuing, leases, pki, site};
use crate::support::inject;

#[test]
fn killed_before_the_flip_it_leaves_at_most_one_lease_and_the_next_run_is_whole() {
    pki("e2e-killed", &json!({ "generate_lease": true }));
    let role = Role::make("e2e-killed", &issuing("e2e-killed"), &json!({ "token_ttl": "2h" }));
    let site = site(&role, &bao().endpoint(), &issue("e2e-killed"));
    // The first rename is the flip.
    let killed = inject(&site, &["sync"], &["rename,renameat,renameat2:signal=SIGKILL:when=1".to_owned()]);
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert!(!site.link().exists());
    assert_eq!(leases("e2e-killed"), 1);
    site.run(&["sync"]).expect_exit(0);
    // The note was there, so the run that heals gives the lease back: only that of the new set is left.
    assert_eq!(leases("e2e-killed"), 1);
    assert_eq!(site.names(), [".app.gen", "app", "state/lock", "state/made", "state/note"]);
}
