//! Records what a provider traces.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// The traces of this thread, as far as the command can show them.
///
/// The command shows every level of the crate of the provider and of the project's crates, and only the errors of other
/// crates. So does this.
pub(crate) struct Traces {
    text: Arc<Mutex<String>>,
    _until_dropped: DefaultGuard,
}

impl Traces {
    /// Records until the result is dropped. The type of the provider tells the name of its crate.
    pub(crate) fn record<P>() -> Self {
        let text = Arc::default();
        let recorder = Recorder { crate_name: crate_of(std::any::type_name::<P>()), text: Arc::clone(&text) };
        Self { text, _until_dropped: tracing::subscriber::set_default(recorder) }
    }

    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns the crate of a path such as `a_crate::module::Type`.
fn crate_of(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

struct Recorder {
    crate_name: &'static str,
    text: Arc<Mutex<String>>,
}

impl Recorder {
    /// Records the fields of a span or of an event.
    fn write(&self, record: impl FnOnce(&mut Writer<'_>)) {
        record(&mut Writer(&mut self.text.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let name = crate_of(metadata.target());
        *metadata.level() == Level::ERROR || name == self.crate_name || name.starts_with("secretdir")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.write(|writer| attributes.record(writer));
        // All spans have one ID, because nothing needs to tell them apart.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.write(|writer| values.record(writer));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(|writer| event.record(writer));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Writes each field on a line.
struct Writer<'a>(&'a mut String);

impl Visit for Writer<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Display does not escape, so a value with quotes is found, too. Writing to a string cannot fail.
        let _ = writeln!(self.0, "{field}={value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(self.0, "{field}={value:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OfThisCrate;

    #[test]
    fn the_provider_is_recorded_at_each_level_and_others_only_when_they_fail() {
        let traces = Traces::record::<OfThisCrate>();
        tracing::trace!(one = "first", "of this crate");
        tracing::trace!(target: "another_crate::module", "hidden");
        tracing::error!(target: "another_crate::module", "shown");
        let span = tracing::debug_span!("span", two = ?["second"], three = tracing::field::Empty);
        span.record("three", 3);
        let mut lines: Vec<_> = traces.text().lines().map(str::to_owned).collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            ["message=of this crate", "message=shown", "one=first", "three=3", "two=[\"second\"]"]
        );
        drop(traces);
        tracing::error!("recorded by nobody");
    }
}
