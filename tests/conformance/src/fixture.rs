//! What the author of a provider writes: code that fills a store, and settings that lead to it.

use std::future::Future;
use std::path::PathBuf;

use secretdir_provider::{Provider, SecretRequest, Table};

/// A store that the rules can fill, and the provider that reads it.
///
/// Each rule starts its own fixture, fills it with [`put`](Self::put), and only then calls
/// [`provider`](Self::provider) and [`settings`](Self::settings). The rules run concurrently on several threads. Each has a
/// tokio runtime of one thread, with timer and I/O enabled. Dropping the fixture must clean up.
///
/// If the store takes long to start, all fixtures of a process may share it. Then [`name`](Self::name) must keep their
/// secrets apart.
pub trait Fixture: Sized {
    /// The provider under test.
    type Provider: Provider;

    /// Starts an empty store.
    fn start() -> impl Future<Output = Self>;

    /// Puts a secret into the store, under a name from [`name`](Self::name). Panics on failure.
    fn put(&mut self, name: &str, value: &[u8]) -> impl Future<Output = ()>;

    /// Returns the provider.
    fn provider(&self) -> Self::Provider;

    /// Returns valid settings for a source that reads this store.
    fn settings(&self) -> Table;

    /// Returns valid settings for a store that does not exist, such as a missing folder or a closed port. None of the errors may
    /// be "not found".
    fn settings_of_no_store(&self) -> Table;

    /// Returns valid settings for a store that throttles every request, for example with HTTP 429. A fixture without one
    /// skips the rule `throttling_is_reported_as_such`.
    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns valid settings for a store that accepts requests and never answers. A fixture without one skips the rule
    /// `a_store_that_hangs_is_a_time_out`.
    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns valid settings for a store that answers only one of two requests. The secret with the label `first` has the value
    /// `first`; the request for `second` is never answered. A fixture without such a store skips the rule
    /// `what_arrived_before_the_deadline_counts`.
    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns valid settings for a store that does not exist until [`open_later_store`](Self::open_later_store) is called. A
    /// fixture without one skips the rule `a_store_that_appears_later_is_found`.
    fn settings_of_later_store(&mut self) -> Option<Table> {
        None
    }

    /// Opens the store that did not exist, with one secret in it.
    fn open_later_store(&mut self, name: &str, value: &[u8]) -> impl Future<Output = ()> {
        let _ = (name, value);
        async {}
    }

    /// Returns valid settings for a store with data that is damaged in the middle of this value. For example, a file or an
    /// answer ends within the value. A fixture without one skips the rule `damaged_data_is_not_shown`.
    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        let _ = value;
        None
    }

    /// Returns valid settings with a relative path that leads to this store only from [`base_dir`](Self::base_dir). If the
    /// provider has no paths, the fixture skips the rule `a_relative_path_counts_from_the_configuration`.
    fn settings_with_relative_path(&mut self) -> Option<Table> {
        None
    }

    /// Returns valid settings for a store that takes a little time for each answer, and counts the requests in flight for
    /// [`most_at_once`](Self::most_at_once). Any answer will do. A fixture without one skips the rule
    /// `no_more_requests_are_in_flight_than_allowed`.
    fn settings_of_counting_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns the largest number of requests that the counting store has had in flight at once.
    fn most_at_once(&self) -> usize {
        0
    }

    /// Returns valid settings, and a request that makes their store create something each time, such as a database user. The
    /// default says that no request creates anything.
    fn making_request(&mut self) -> Option<(Table, SecretRequest)> {
        None
    }

    /// Returns the folder that relative paths in the settings start at. The default is the folder for temporary files.
    fn base_dir(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// Returns settings that the provider must refuse. By default there are none.
    ///
    /// Do not list unknown settings and settings of the wrong type: the rules derive them from [`settings`](Self::settings).
    fn bad_settings(&self) -> Vec<BadSettings> {
        Vec::new()
    }

    /// Turns a label such as `first-7` into a name of this store. A label has only letters, digits and hyphens. A prefix of a
    /// label must become a prefix of the name: the names of `listed-1` and `listed-2` begin with the name of `listed-`.
    fn name(&self, label: &str) -> String {
        label.to_owned()
    }

    /// Returns more names that `check` must accept: one of each form that the documentation of the provider mentions.
    fn good_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns names that `check` must refuse, because this store can never have them. The default is the empty name.
    fn bad_names(&self) -> Vec<String> {
        vec![String::new()]
    }

    /// Returns versions that `check` must accept. The default is none, for a store without versions.
    fn good_versions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the credentials that this fixture gives the provider. Like values, they must not be shown.
    fn credentials(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the rules that cannot hold for this store, and why. By default there are none. Each run announces each skip.
    fn skips() -> Vec<Skip> {
        Vec::new()
    }
}

/// A rule that cannot hold for a store.
#[derive(Clone, Copy, Debug)]
pub struct Skip {
    pub(crate) rule: &'static str,
    pub(crate) reason: &'static str,
}

impl Skip {
    /// Skips the rule with this name. A reader of the output of the test must understand the reason.
    pub const fn new(rule: &'static str, reason: &'static str) -> Self {
        Self { rule, reason }
    }
}

/// Settings with one mistake.
#[derive(Clone, Debug)]
pub struct BadSettings {
    pub(crate) table: Table,
    pub(crate) path: String,
}

impl BadSettings {
    /// Takes the settings, and the dotted path of the mistake in them.
    pub fn new(table: Table, path: impl Into<String>) -> Self {
        Self { table, path: path.into() }
    }
}
