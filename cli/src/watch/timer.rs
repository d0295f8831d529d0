//! Waits for a time of CLOCK_BOOTTIME, which counts the sleep of the machine, and notices steps of the date.
//!
//! tokio's timers count CLOCK_MONOTONIC, which stops while the machine is suspended. So two timers of the kernel are
//! used as descriptors. One waits for the time. The other one is on CLOCK_REALTIME, and is set to the far future. The
//! kernel cancels it whenever the date is set, and when the machine resumes. Neither wakes the process otherwise.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use rustix::fs::Timespec;
use rustix::io::Errno;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, clock_gettime, timerfd_create,
    timerfd_settime,
};
use tokio::net::unix::pipe::Receiver;

use super::descriptor;

/// The smallest difference of the clocks that counts as sleep.
const ASLEEP: Duration = Duration::from_secs(2);

/// A time that no clock reaches.
const FAR: Timespec = Timespec { tv_sec: i64::MAX / 4, tv_nsec: 0 };

const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The two timers.
#[derive(Debug)]
pub(super) struct Timer {
    moment: Receiver,
    steps: Receiver,
    /// How long the machine had been asleep at the last check.
    asleep: Cell<Duration>,
}

/// The cause of a step of the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A user or a daemon of the system has set the date.
    DateSet,
    /// The machine was asleep.
    Resumed,
}

impl Timer {
    pub(super) fn new() -> io::Result<Self> {
        let timer = Self {
            moment: timer(TimerfdClockId::Boottime)?,
            steps: timer(TimerfdClockId::Realtime)?,
            asleep: Cell::new(asleep()),
        };
        timer.hear_of_steps()?;
        Ok(timer)
    }

    /// Waits for a time, or for ever if there is none.
    pub(super) async fn until(&self, moment: Option<Duration>) -> io::Result<()> {
        let at = moment.map_or(Ok(NEVER), |moment| Timespec::try_from(moment.max(Duration::from_nanos(1))));
        let at = at.unwrap_or(FAR);
        timerfd_settime(&self.moment, TimerfdTimerFlags::ABSTIME, &once(at))?;
        if moment.is_none() {
            return std::future::pending().await;
        }
        descriptor::read(&self.moment, &mut [0; 8]).await.map(drop)
    }

    /// Waits for a step of the date, or for a resume.
    pub(super) async fn step(&self) -> io::Result<Step> {
        match descriptor::read(&self.steps, &mut [0; 8]).await {
            Err(error) if error.raw_os_error() == Some(Errno::CANCELED.raw_os_error()) => {}
            read => drop(read?),
        }
        self.hear_of_steps()?;
        let now = asleep();
        Ok(if now.saturating_sub(self.asleep.replace(now)) > ASLEEP { Step::Resumed } else { Step::DateSet })
    }

    fn hear_of_steps(&self) -> io::Result<()> {
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        timerfd_settime(&self.steps, flags, &once(FAR))?;
        Ok(())
    }
}

fn timer(clock: TimerfdClockId) -> io::Result<Receiver> {
    Receiver::from_owned_fd_unchecked(timerfd_create(clock, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?)
}

fn once(at: Timespec) -> Itimerspec {
    Itimerspec { it_interval: NEVER, it_value: at }
}

/// Returns how long the machine has been asleep since it was started.
fn asleep() -> Duration {
    since(ClockId::Boottime).saturating_sub(monotonic())
}

/// Returns the time of CLOCK_MONOTONIC, by which systemd orders messages.
pub(super) fn monotonic() -> Duration {
    since(ClockId::Monotonic)
}

fn since(clock: ClockId) -> Duration {
    // Neither clock is ever negative.
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}
