//! A process that leads its own process group, with all processes that it starts.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// A process and the processes that it started, identified by the ID of their process group. Dropping it kills them.
///
/// The ID is reserved for the group until the process has been waited for. Call [`release`](Self::release) directly
/// after waiting, and send signals only before it.
#[derive(Debug)]
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// Takes the ID of a process that was started with `process_group(0)` and has not been waited for.
    pub fn of(leader: Option<u32>) -> Self {
        Self(leader.and_then(|id| Pid::from_raw(id.try_into().ok()?)))
    }

    /// Says whether the process itself has ended. It can still be waited for afterwards.
    pub fn leader_has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.0.is_none_or(|id| !matches!(waitid(WaitId::Pid(id), look), Ok(None)))
    }

    /// Sends SIGTERM to all of them.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGKILL to all of them.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Forgets the group after the process has been waited for, because the system may reuse its ID.
    pub fn release(&mut self) {
        self.0 = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // This fails if no process is left, or if all of them now run as another user.
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
