//! `secretdir watch` as a process: what the engine's loop waits for, and whom it tells.
//!
//! | file | what it is |
//! |---|---|
//! | [`host`] | all of it together: the host of the loop |
//! | [`apart`] | the host of a turn, on the thread of that turn |
//! | [`timer`] | a moment of the clock that counts the machine's sleep, and steps of the date |
//! | [`signals`] | reload, refresh, stop |
//! | [`files`] | changes of local files; which folders to watch for them: [`cover`]; where not all are heard: [`silent`] |
//! | [`notify`] | systemd: readiness, status, watchdog |
//! | [`log`] | lines for people and journald, or JSON |
//! | [`descriptor`] | waiting for a descriptor of the kernel |
//! | [`announced`] | which of the news is a line, so that nothing is told twice |
//! | [`metrics`] | Prometheus text |

mod announced;
mod apart;
mod cover;
mod descriptor;
mod files;
pub(crate) mod host;
pub(crate) mod log;
pub(crate) mod metrics;
mod notify;
mod ours;
mod signals;
mod silent;
mod timer;
