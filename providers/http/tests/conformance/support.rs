//! What the tests share: sources, and a look at errors.

use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use secretdir_provider::{
    Provider as _, RunContext, Secret, SecretRequest, SecretSource, Settings, SourceError, Table, Value,
};
use secretdir_provider_http::HttpProvider;

/// What the store of the tests wants to be shown.
pub(crate) const TOKEN: &str = "Tk-9f8e7d6c5b4a3210";

pub(crate) fn table(url: &str) -> Table {
    Table::from([("url", url)])
}

/// Returns headers with the token, from a file in this folder.
pub(crate) fn bearer(folder: &Path) -> Value {
    let file = folder.join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let credential = Table::from([("prefix", "Bearer "), ("file", file.to_str().unwrap())]);
    Table::from([("Authorization", Value::from(credential))]).into()
}

/// Returns settings for a server at this endpoint, with more of them.
pub(crate) fn settings<const N: usize>(endpoint: &str, more: [(&str, Value); N]) -> Table {
    let mut settings = table(&format!("{endpoint}/v1/{{secret}}"));
    for (key, value) in more {
        settings.insert(key, value);
    }
    settings
}

pub(crate) fn source(table: Table) -> Box<dyn SecretSource> {
    HttpProvider.source(Settings::new(table, "/")).unwrap()
}

pub(crate) fn run() -> RunContext {
    RunContext::builder().timeout(Duration::from_secs(60)).build()
}

pub(crate) async fn fetch(table: Table, name: &str) -> Result<Secret, SourceError> {
    source(table).fetch(&run(), &SecretRequest::new(name)).await
}

/// Returns the value that comes back.
pub(crate) async fn value(table: Table, name: &str) -> String {
    let secret = fetch(table, name).await.map_err(|error| story(&error)).unwrap();
    String::from_utf8(secret.expose_secret().to_vec()).unwrap()
}

pub(crate) async fn failure(table: Table) -> SourceError {
    fetch(table, "app").await.unwrap_err()
}

/// Tells an error: its kind, its cause and its hint.
pub(crate) fn story(error: &SourceError) -> String {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{error}: {cause}{hint}")
}
