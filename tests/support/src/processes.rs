//! Processes that somebody else has started, and that are known by their id only.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// How long something may take before it counts as hanging: however busy the machine is, what ends at all ends before.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Asserts that a process ends, though nobody may take note of it. One that has been killed is seen to run until the
/// kernel has come to it.
///
/// # Panics
///
/// When it still runs after [`PATIENCE`].
#[track_caller]
pub fn assert_ends(id: &str) {
    let deadline = Instant::now() + PATIENCE;
    while let Some(state) = running(id) {
        assert!(Instant::now() < deadline, "{id} lives: {state}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns what the kernel says of a process that has not ended.
fn running(id: &str) -> Option<String> {
    let state = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    (!state.contains(") Z ")).then_some(state)
}
