//! A template, with secrets that it may ask for: it is rendered, or refused, within its limits.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use secretdir_engine::{Config, fetch};
use secretdir_fuzz::{Calm, quoted, registry, runtime};

fuzz_target!(|text: &str| {
    let config = format!(
        "directory.path = '/nonexistent/app'\nsources.s = {{ provider = 'same' }}\n[files]\na = {{ template-text = {} }}\n",
        quoted(text)
    );
    let config = Config::parse(&config, Path::new("/nonexistent/secretdir.toml")).expect("it is TOML");
    if let Ok(plan) = config.resolve(&registry()) {
        let _ = runtime().block_on(fetch(&plan, &Calm));
    }
});
