//! A template, with secrets that it may use: it is rendered, or refused, within its limits.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use secretdir_engine::{Config, fetch};
use secretdir_fuzz::{Calm, quoted, registry, runtime};

/// What a template may use: a text, a document, and what is not there.
const SECRETS: &str = "{ text = { source = 's', secret = 'text' }, json = { source = 's', secret = 'json', expand = 'json' }, \
    absent = { source = 's', secret = 'absent', optional = true } }";

fuzz_target!(|text: &str| {
    let config = format!(
        "directory.path = '/nonexistent/app'\nsources.s = {{ provider = 'same' }}\n[files]\na = {{ template-text = {}, secrets = {SECRETS} }}\n",
        quoted(text)
    );
    let config = Config::parse(&config, Path::new("/nonexistent/secretdir.toml")).expect("it is TOML");
    if let Ok(plan) = config.resolve(&registry()) {
        let _ = runtime().block_on(fetch(&plan, &Calm));
    }
});
