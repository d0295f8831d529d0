//! A process that leads a group of its own, with all that it starts.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// A process and all that it started, by the number of their group. Dropping it kills them.
///
/// The number is the group's own until the process has been waited for. So whoever waits calls [`release`](Self::release) next, and
/// signals only before that.
#[derive(Debug)]
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// Takes the number of a process that was started with `process_group(0)`, and not yet waited for.
    pub fn of(leader: Option<u32>) -> Self {
        Self(leader.and_then(|id| Pid::from_raw(id.try_into().ok()?)))
    }

    /// Says whether the process itself has ended, without taking note of it.
    pub fn leader_has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.0.is_none_or(|id| !matches!(waitid(WaitId::Pid(id), look), Ok(None)))
    }

    /// Asks all of them to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Kills all of them.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// The process has been waited for: its number may be somebody else's from now on.
    pub fn release(&mut self) {
        self.0 = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails if nobody is left, or if all of them have become another user.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::{Child, Command};

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("1000").process_group(0).spawn().unwrap()
    }

    #[test]
    fn whoever_drops_a_group_kills_it_unless_it_was_waited_for() {
        let mut child = sleeper();
        let group = ProcessGroup::of(Some(child.id()));
        assert!(!group.leader_has_ended());
        drop(group);
        assert_eq!(child.wait().unwrap().signal(), Some(9));

        let mut other = sleeper();
        let mut group = ProcessGroup::of(Some(other.id()));
        group.release();
        assert!(group.leader_has_ended());
        drop(group);
        assert!(other.try_wait().unwrap().is_none());
        let group = ProcessGroup::of(Some(other.id()));
        group.terminate();
        assert_eq!(other.wait().unwrap().signal(), Some(15));
    }
}
