//! The providers of the stock command. Each is a feature of this crate and on by default, so a site can build without
//! it. If a configuration names a provider that was left out, the error says so.

use crate::Cli;

/// The features of this crate, and whether each is on.
pub(crate) const FEATURES: &[(&str, bool)] = &[
    ("aws", cfg!(feature = "aws")),
    ("env", cfg!(feature = "env")),
    ("exec", cfg!(feature = "exec")),
    ("file", cfg!(feature = "file")),
    ("http", cfg!(feature = "http")),
    ("vault", cfg!(feature = "vault")),
];

/// Adds all built-in providers, and registers which of them were left out.
pub(crate) fn added_to(cli: Cli) -> Cli {
    [aws, env, exec, file, http, vault].into_iter().fold(cli, |cli, add| add(cli))
}

#[cfg(feature = "aws")]
fn aws(cli: Cli) -> Cli {
    cli.provider(secretdir_provider_aws::AwsParameterStore)
        .provider(secretdir_provider_aws::AwsSecretsManager)
}

#[cfg(not(feature = "aws"))]
fn aws(cli: Cli) -> Cli {
    cli.without("aws-parameter-store", "aws").without("aws-secrets-manager", "aws")
}

#[cfg(feature = "env")]
fn env(cli: Cli) -> Cli {
    cli.provider(secretdir_provider_env::EnvProvider::new())
}

#[cfg(not(feature = "env"))]
fn env(cli: Cli) -> Cli {
    cli.without("env", "env")
}

#[cfg(feature = "exec")]
fn exec(cli: Cli) -> Cli {
    cli.provider(secretdir_provider_exec::ExecProvider)
}

#[cfg(not(feature = "exec"))]
fn exec(cli: Cli) -> Cli {
    cli.without("exec", "exec")
}

#[cfg(feature = "file")]
fn file(cli: Cli) -> Cli {
    cli.provider(secretdir_provider_file::FileProvider)
}

#[cfg(not(feature = "file"))]
fn file(cli: Cli) -> Cli {
    cli.without("file", "file")
}

#[cfg(feature = "http")]
fn http(cli: Cli) -> Cli {
    cli.provider(secretdir_provider_http::HttpProvider)
}

#[cfg(not(feature = "http"))]
fn http(cli: Cli) -> Cli {
    cli.without("http", "http")
}

#[cfg(feature = "vault")]
fn vault(cli: Cli) -> Cli {
    cli.provider(secretdir_provider_vault::VaultProvider)
}

#[cfg(not(feature = "vault"))]
fn vault(cli: Cli) -> Cli {
    cli.without("vault", "vault")
}
