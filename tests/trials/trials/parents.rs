//! Parents that are missing, of a link that is named relative to where the publisher is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use atomicdir_trials::{Set, shown};
use secretdir_testkit::Ran;

use crate::support::{PUBLISHER, Place};

#[test]
fn missing_parents_are_made_where_the_publisher_is() {
    let place = Place::new();
    for link in ["app", "x/app", "x/y/z/app"] {
        let mut command = Command::new(PUBLISHER);
        command.current_dir(place.path()).args(["sync", link, "1", "0", "none"]);
        Ran::of(&mut command).expect_exit(0);
        let link = place.path().join(link);
        assert_eq!(shown(&link).unwrap(), Some(Set(1)));
        let mode = fs::metadata(link.parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755, "{}", link.display());
    }
}
