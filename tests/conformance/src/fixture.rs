//! What the author of a provider writes: how to fill a store, and how to reach it.

use std::future::Future;
use std::path::PathBuf;

use secretdir_provider::{Provider, SecretRequest, Table};

/// A store that the rules can fill, and the provider that reads it.
///
/// Each rule starts a fixture of its own, fills it with [`put`](Self::put), and only then asks for
/// [`provider`](Self::provider) and [`settings`](Self::settings). The rules run side by side on several threads, each
/// inside a tokio runtime of one thread, with its timer and its I/O enabled. Dropping the fixture cleans up.
///
/// A store that takes long to start may be shared by all fixtures of a process, if [`name`](Self::name) keeps their
/// secrets apart.
pub trait Fixture: Sized {
    /// The provider under test.
    type Provider: Provider;

    /// Starts an empty store.
    fn start() -> impl Future<Output = Self>;

    /// Puts a secret into the store, under a name made by [`name`](Self::name). Panics if it cannot.
    fn put(&mut self, name: &str, value: &[u8]) -> impl Future<Output = ()>;

    /// Returns the provider.
    fn provider(&self) -> Self::Provider;

    /// Returns good settings, for a source that reads this store.
    fn settings(&self) -> Table;

    /// Returns good settings for a source that reads a store that is not there: a folder that does not exist, a port
    /// where nobody listens. None of its errors may be "not found".
    fn settings_of_no_store(&self) -> Table;

    /// Returns good settings, for a source that reads a store which asks for fewer requests whatever it is asked: that
    /// answers HTTP 429, say. A fixture that has none skips the rule `throttling_is_reported_as_such`.
    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns good settings, for a source that reads a store which takes requests and never answers. A fixture that has
    /// none skips the rule `a_store_that_hangs_is_a_time_out`.
    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns good settings, for a source that reads a store which answers the request for the label `first` with the value
    /// `first`, and the one for `second` never. A fixture that has none skips the rule
    /// `what_arrived_before_the_deadline_counts`.
    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns good settings, for a source that reads a store which is not there yet, but will be when
    /// [`open_later_store`](Self::open_later_store) is called. A fixture that has none skips the rule
    /// `a_store_that_appears_later_is_found`.
    fn settings_of_later_store(&mut self) -> Option<Table> {
        None
    }

    /// Opens the store that was not there, with one secret in it.
    fn open_later_store(&mut self, name: &str, value: &[u8]) -> impl Future<Output = ()> {
        let _ = (name, value);
        async {}
    }

    /// Returns good settings, for a source that reads a store whose data is damaged in the middle of this value: a file that ends
    /// within it, or an answer. A fixture that has none skips the rule `damaged_data_is_not_shown`.
    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        let _ = value;
        None
    }

    /// Returns good settings with a relative path, which leads to this store from [`base_dir`](Self::base_dir) and from
    /// nowhere else. A fixture of a provider without paths skips the rule
    /// `a_relative_path_counts_from_the_configuration`.
    fn settings_with_relative_path(&mut self) -> Option<Table> {
        None
    }

    /// Returns good settings, for a source that reads a store which takes a little time over each answer, whatever the
    /// answer is, and counts how many requests it is answering: see [`most_at_once`](Self::most_at_once). A fixture that
    /// has none skips the rule `no_more_requests_are_in_flight_than_allowed`.
    fn settings_of_counting_store(&mut self) -> Option<Table> {
        None
    }

    /// Returns the greatest number of requests that the counting store has had in flight at once.
    fn most_at_once(&self) -> usize {
        0
    }

    /// Returns good settings, and a request that lets the store which they lead to make something each time, such as a database user. A
    /// fixture that has none says that no request makes anything.
    fn making_request(&mut self) -> Option<(Table, SecretRequest)> {
        None
    }

    /// Returns the folder that relative paths in the settings count from; the one for temporary files by default.
    fn base_dir(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// Returns settings that must be refused; none by default.
    ///
    /// Unknown settings and those of the wrong type need not be listed: the rules make them from
    /// [`settings`](Self::settings).
    fn bad_settings(&self) -> Vec<BadSettings> {
        Vec::new()
    }

    /// Turns a label such as `first-7`, which has letters, digits and hyphens only, into a name of this store. Names of
    /// labels that begin alike begin alike: that of `listed-` is what those of `listed-1` and `listed-2` begin with.
    fn name(&self, label: &str) -> String {
        label.to_owned()
    }

    /// Returns more names that `check` must accept: each form that the documentation of the provider mentions.
    fn good_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns names that `check` must refuse: those that this store can never have. Only the empty one by default.
    fn bad_names(&self) -> Vec<String> {
        vec![String::new()]
    }

    /// Returns versions that `check` must accept; by default none, for a store that knows no versions.
    fn good_versions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns what this fixture gives the provider to log in with. Like a value, it may be shown nowhere.
    fn credentials(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the rules that cannot hold for this store, and why; none by default. A skip is announced in each run.
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
    /// Leaves out the rule of this name, for a reason that a reader of the test's output understands.
    pub const fn new(rule: &'static str, reason: &'static str) -> Self {
        Self { rule, reason }
    }
}

/// Settings with one fault.
#[derive(Clone, Debug)]
pub struct BadSettings {
    pub(crate) table: Table,
    pub(crate) path: String,
}

impl BadSettings {
    /// Takes the settings, and the dotted path of the fault in them.
    pub fn new(table: Table, path: impl Into<String>) -> Self {
        Self { table, path: path.into() }
    }
}
