//! `secretdir watch` as a process: the events that the engine's loop waits for, and its reports.
//!
//! | file | purpose |
//! |---|---|
//! | [`host`] | the host of the loop, which combines the others |
//! | [`apart`] | the host of a turn, on the thread of that turn |
//! | [`timer`] | waits for a time of the clock that counts the machine's sleep, and notices steps of the date |
//! | [`signals`] | reload, refresh, stop |
//! | [`files`] | changes of local files; [`cover`]: which folders to watch; [`silent`]: filesystems that do not report all |
//! | [`notify`] | systemd: readiness, status, watchdog |
//! | [`log`] | lines for people and journald, or JSON |
//! | [`descriptor`] | waits for a descriptor of the kernel |
//! | [`announced`] | which news becomes a line, so that nothing is logged twice |
//! | [`metrics`] | metrics for Prometheus |

mod announced;
mod descriptor;
mod files;
pub(crate) mod host;
pub(crate) mod log;
pub(crate) mod metrics;
mod notify;
mod own_files;
mod signals;
mod timer;
mod turn_host;
mod unreported;
mod watch_folders;
