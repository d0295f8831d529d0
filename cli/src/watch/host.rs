//! The host of the engine's loop: the command with timers, signals, watches of files, and its logs, metrics and
//! systemd.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secretdir_engine::{Event, Host, News, Standing, Wakeup, WatchHost, WatchedConfig, count};
use secretdir_provider::{Clock, Jitter};

use super::announced::Announced;
use super::files::{Files, absolute};
use super::log::{Level, Log};
use super::metrics::Metrics;
use super::notify::Notify;
use super::own_files::Ours;
use super::signals::{Asked, Signals};
use super::timer::{Step, Timer};
use super::turn_host::TurnHost;
use crate::host::CliHost;

/// The state of a request to reload the configuration. It ends with the first turn of the new configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reload {
    /// There is no request.
    None,
    Asked,
    /// The configuration was read; its first turn has not ended.
    Read,
}

/// The command as a daemon.
#[derive(Debug)]
pub(crate) struct Daemon<'h> {
    host: &'h CliHost,
    timer: Timer,
    signals: Signals,
    files: Files,
    notify: Notify,
    log: Log,
    metrics: Option<Metrics>,
    told: RefCell<Announced>,
    /// Notified when a turn has published, although it is not over.
    published: Arc<tokio::sync::Notify>,
    is_ready: Cell<bool>,
    reload: Cell<Reload>,
    /// Whether the log already says that the metrics cannot be written.
    metrics_failed: Cell<bool>,
}

impl<'h> Daemon<'h> {
    /// Begins to listen for signals and timers. Call it within a runtime.
    pub(crate) fn new(host: &'h CliHost, log: Log, metrics: Option<Metrics>) -> io::Result<Self> {
        let (timer, signals) = (Timer::new()?, Signals::catch()?);
        host.signals.hand_over();
        Ok(Self {
            host,
            timer,
            signals,
            files: Files::default(),
            notify: Notify::from_environment(),
            log,
            metrics,
            told: RefCell::default(),
            published: Arc::default(),
            is_ready: Cell::new(false),
            reload: Cell::new(Reload::None),
            metrics_failed: Cell::new(false),
        })
    }

    async fn wakeup(&self, until: Option<Duration>) -> Wakeup {
        let warn = |message: &str| self.say(Level::Warning, message);
        loop {
            let ping = self.notify.next_ping(self.clock().now());
            let is_ping_first = ping.is_some_and(|ping| until.is_none_or(|until| ping < until));
            let moment = if is_ping_first { ping } else { until };
            tokio::select! {
                biased;
                asked = self.signals.next() => return self.asked(asked),
                step = self.timer.step() => match step {
                    Ok(Step::Resumed) => return Wakeup::Resumed,
                    Ok(Step::DateSet) => self.say(Level::Info, "the date of this machine was set; the interval of the runs does not depend on it"),
                    Err(error) => self.lost("changes of the date cannot be noticed", &error).await,
                },
                due = self.timer.until(moment) => {
                    self.notify.alive(self.clock().now());
                    match due {
                        Ok(()) if is_ping_first => {}
                        Ok(()) => return Wakeup::Due,
                        Err(error) => self.lost("the timer failed", &error).await,
                    }
                }
                // The set is complete and current, even if the on-change command takes long.
                () = self.published.notified() => self.begin_to_be_ready(),
                () = self.files.changed(&warn) => return Wakeup::Changed,
            }
        }
    }

    /// Logs a failure of the system, and waits so that the log is not flooded.
    async fn lost(&self, what: &str, error: &io::Error) {
        self.say(Level::Warning, &format!("{what}: {error}"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    fn asked(&self, asked: Asked) -> Wakeup {
        match asked {
            Asked::Stop => Wakeup::Stop,
            Asked::Refresh => Wakeup::Refresh,
            Asked::Reload => {
                self.notify.reloading();
                self.reload.set(Reload::Asked);
                Wakeup::Reload
            }
        }
    }

    fn say(&self, level: Level, message: &str) {
        self.log.say(level, message, self.clock().date());
    }

    /// Notifies the service manager. The daemon is ready once a complete set is published, new or old.
    fn notify(&self, news: &News<'_>, standing: &Standing) {
        self.notify.alive(self.clock().now());
        if standing.generation_id.is_some() {
            self.begin_to_be_ready();
        }
        match (news, self.reload.get()) {
            (News::ConfigReplaced, Reload::Asked) => self.reload.set(Reload::Read),
            (News::TurnEnded(_), Reload::Read)
            | (News::ConfigRefused(_) | News::ReloadFailed(_), Reload::Asked) => {
                self.reload.set(Reload::None);
                self.notify.ready();
            }
            (News::Stopping, _) => self.notify.stopping(),
            _ => {}
        }
        if !matches!(news, News::TurnBegins { .. }) {
            self.notify.status(&status(standing, &self.clock()));
        }
    }

    fn begin_to_be_ready(&self) {
        if !self.is_ready.replace(true) {
            self.notify.ready();
        }
    }

    fn write_metrics(&self, standing: &Standing) {
        let Some(metrics) = &self.metrics else { return };
        match metrics.write(standing, &self.clock()) {
            Ok(()) => self.metrics_failed.set(false),
            Err(error) if !self.metrics_failed.replace(true) => {
                self.say(Level::Warning, &format!("cannot write the metrics: {error}"));
            }
            Err(_) => {}
        }
    }
}

impl Host for Daemon<'_> {
    fn clock(&self) -> Clock {
        self.host.clock()
    }

    fn jitter(&self) -> Jitter {
        self.host.jitter()
    }

    fn interrupted(&self) -> bool {
        self.signals.is_stopped()
    }

    fn event(&self, event: Event<'_>) {
        tracing::info!("{event}");
    }

    fn child_umask(&self) -> Option<u32> {
        self.host.child_umask()
    }
}

impl WatchHost for Daemon<'_> {
    fn machine(&self) -> String {
        machine()
    }

    fn apart(&self) -> Option<Arc<dyn Host + Send + Sync>> {
        let (stop, published) = (self.signals.stop(), Arc::clone(&self.published));
        Some(Arc::new(TurnHost { child_umask: self.host.umask.bits(), stop, published }))
    }

    fn wait(&self, until: Option<Duration>) -> Pin<Box<dyn Future<Output = Wakeup> + '_>> {
        Box::pin(self.wakeup(until))
    }

    fn watch_files(&self, paths: &[PathBuf], link: &Path, stamp: Option<&Path>) {
        let ours = Ours::new(absolute(link), stamp.map(absolute));
        let metrics = self.metrics.iter().flat_map(Metrics::paths);
        self.files.watch(paths, ours.and(metrics.map(|path| absolute(&path))));
    }

    fn news(&self, news: &News<'_>, standing: &Standing) {
        let begins = matches!(news, News::TurnBegins { .. });
        match news {
            News::TurnBegins { longest } => self.notify.hangs_after(Some(*longest)),
            News::TurnEnded(_) => self.notify.hangs_after(None),
            // A turn may be under way.
            _ => {}
        }
        if begins {
            self.files.arm(&|message| self.say(Level::Warning, message));
        }
        self.told.borrow_mut().tell(self.log, news, standing, &self.clock());
        self.notify(news, standing);
        if !begins {
            self.write_metrics(standing);
        }
    }
}

/// Returns the status text that systemd shows for the service.
fn status(standing: &Standing, clock: &Clock) -> String {
    let next = standing.next_turn_at.map(|date| format!("next turn {}", time_of_day(date)));
    let next = next.unwrap_or_else(|| "waiting for a change".to_owned());
    if let WatchedConfig::Refused { since, problems } = standing.config {
        let problems = count(problems, "problem");
        return format!(
            "configuration refused: {problems}; running with that of {}; {next}",
            time_of_day(since)
        );
    }
    let set = match &standing.generation_id {
        Some(id) => format!("generation {id}, {}", count(standing.file_count.unwrap_or_default(), "file")),
        None => "nothing is published yet".to_owned(),
    };
    if standing.failures == 0 {
        return format!("{set}, {next}");
    }
    let tries = count(standing.failures.try_into().unwrap_or(usize::MAX), "try");
    let tries = tries.replace("trys", "tries");
    let since = standing.freshness.age(clock).and_then(|age| clock.date().checked_sub(age));
    let since = since.map(|date| format!("stale since {}; ", time_of_day(date))).unwrap_or_default();
    format!("{set}; {since}failed ({tries}), {next}")
}

/// Returns the time of a date in UTC. The day is in the journal.
fn time_of_day(date: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(date).to_string();
    let time = text.split_once('T').map_or(text.as_str(), |(_, time)| time);
    time.trim_end_matches('Z').to_owned() + " UTC"
}

/// Returns the machine ID. Returns the host name if there is none, as in most containers.
fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim() {
        "" | "uninitialized" => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        id => id.to_owned(),
    }
}
