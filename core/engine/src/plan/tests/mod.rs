//! Plans of whole configurations, with a provider that exists only here.

mod arbitrary;
mod good;
mod imports;
mod mistakes;
mod templates;
mod transforms;
mod warnings;

use std::path::Path;

use secretdir_provider::{
    Provider, RunContext, Secret, SecretRequest, SecretSource, Settings, SettingsError, SourceError,
    SourceErrorKind, async_trait,
};
use serde::Deserialize;

use super::Plan;
use crate::config::Config;
use crate::problem::ConfigError;
use crate::problem::without_columns;
use crate::registry::Registry;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Tiny {
    root: String,
    #[serde(default)]
    max_size: Option<u8>,
}

#[async_trait]
impl SecretSource for Tiny {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        if request.version().is_some() {
            return Err(SourceError::new(SourceErrorKind::Unsupported)
                .with_cause("there are no versions here")
                .with_hint("leave out `version`"));
        }
        assert_ne!(request.name(), "panics", "canary");
        if request.name().contains("..") {
            return Err(
                SourceError::new(SourceErrorKind::InvalidRequest).with_cause("the name has `..` in it")
            );
        }
        Ok(())
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        if prefix.starts_with('/') {
            let refused = SourceError::new(SourceErrorKind::InvalidRequest).with_cause("no name begins so");
            return Err(refused.with_hint("leave out the `/`"));
        }
        Ok(())
    }

    async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        Ok(Secret::new(format!("{}{}{:?}", self.root, request.name(), self.max_size)))
    }
}

struct TinyProvider(&'static str);

impl Provider for TinyProvider {
    fn name(&self) -> &'static str {
        self.0
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        let settings: Tiny = settings.parse()?;
        assert_ne!(settings.root, "panics", "canary");
        if settings.root.is_empty() {
            return Err(SettingsError::new("root", "is empty"));
        }
        Ok(Box::new(settings))
    }
}

/// A configuration with every key.
const GOOD: &str = r#"[directory]
path = "run/app"
mode = "0750"
file-mode = "0440"
owner = "app"
group = 1000
retain = "1m 30s"
durability = "per-file"

[on-change]
command = ["systemctl", "reload", "app"]
timeout = "5s"

[gather]
timeout = "10s"
concurrency = 4

[sources.prod]
provider = "tiny"
root = "/srv"
max-size = 9

[sources.other]
provider = "tiny"
root = "/"

[files]
"db/password" = { source = "prod", secret = "db", field = "password" }
"db/user" = { source = "prod", secret = "db", field = "/user" }
"tls.key" = { source = "other", secret = "db", mode = "0400", owner = "0", group = "tls" }
token = { source = "prod", secret = "token" }
"#;

/// What every configuration needs, so that a test can add the rest.
const HEAD: &str = "directory.path = 'run/app'\nsources.s = { provider = 'tiny', root = '/' }\n";

fn resolve(text: &str) -> Result<Plan, ConfigError> {
    let mut registry = Registry::new();
    for name in ["tiny", "other-kind"] {
        registry.register(Box::new(TinyProvider(name))).unwrap();
    }
    Config::parse(text, Path::new("etc/x.toml"))?.resolve(&registry)
}

/// Expects mistakes, and returns each without the file's name.
fn mistakes(text: &str) -> Vec<String> {
    let error = resolve(text).map(drop).unwrap_err();
    let told = error.problems().iter().map(|problem| without_columns(&problem.to_string()));
    told.map(|text| text.replacen("etc/x.toml:", "", 1)).collect()
}

/// Checks that each text, put after [`HEAD`], has exactly this problem, or these. Its first line is line 3.
fn one_by_one(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(mistakes(&format!("{HEAD}{text}")).join("\n"), *expected, "{text}");
    }
}
