//! The environment variables and files that every AWS tool reads. They are parsed here instead of in the SDK.
//!
//! The SDK panics at some values, and does not know some of botocore's defaults. It drops files that it cannot parse,
//! with a trace that goes unnoticed, and treats an empty variable as set. So this module reads them as botocore does.
//! Errors name each setting that neither of the two would accept. The SDK then gets an environment and a file of our
//! own, with only values that it knows:
//!
//! 1. [`variables`]: the environment variables that count. An empty one counts as not set. [`rules`] says what each may hold.
//! 2. [`ini`]: the syntax of the two files, which is that of Python's `configparser`.
//! 3. [`profiles`]: the requested profile in them, with those that it builds on.
//! 4. [`settled`]: the value of each setting: the variable, or else the key of the profile.
//!
//! Credentials that a program prints do not pass through the SDK: [`printed`].
#[cfg(test)]
mod against_boto3;
mod ini;
mod names;
mod printed;
mod profiles;
mod rules;
mod settled;
mod token_file;
mod variables;

use std::collections::HashMap;

use aws_config::ConfigLoader;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use secretdir_provider::{SourceError, SourceErrorKind};

pub(crate) use self::names::readable;
pub(crate) use self::printed::PrintedCredentials;
pub(crate) use self::rules::region as check_region;
pub(crate) use self::token_file::TokenFile;
use crate::http::CaCertificates;
use crate::settings::AwsSettings;

use profiles::Profiles;
use settled::Hidden;
use variables::Variables;

/// The validated settings of the environment and the files, in values that the SDK knows.
pub(crate) struct AwsEnvironment {
    environment: HashMap<String, String>,
    /// Origins of credentials other than the profile that the settings name. They are hidden for that reason.
    hidden: Hidden,
    /// The profiles that are in use, as a file.
    file: String,
    pub(crate) profile: Option<String>,
    /// The program that prints the credentials, if there is one.
    pub(crate) printed: Option<PrintedCredentials>,
    pub(crate) token_files: Vec<TokenFile>,
    /// The role that is assumed, if the settings name none.
    pub(crate) role: Option<String>,
    pub(crate) region: Option<String>,
    /// The certificates that replace the machine's.
    pub(crate) authorities: Option<CaCertificates>,
}

/// Everything that was read. Clients are reused as long as it is the same.
#[derive(PartialEq)]
pub(crate) struct Basis {
    variables: Variables,
    profiles: Profiles,
    authorities: Option<CaCertificates>,
}

impl AwsEnvironment {
    /// Reads the environment of this process, and AWS's files.
    pub(crate) fn read(settings: &AwsSettings) -> Result<(Self, Basis), SourceError> {
        let variables = Variables::read()?;
        let profiles = Profiles::read(&variables)?;
        let found = settled::settle(settings, &variables, &profiles)?;
        let basis = Basis { variables, profiles, authorities: found.authorities.clone() };
        Ok((found, basis))
    }

    /// Shows the SDK these settings, and nothing else.
    pub(crate) fn configure(&self, loader: ConfigLoader) -> ConfigLoader {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, &*self.file).build();
        let mut environment = self.environment.clone();
        self.hidden.hide_from(&mut environment);
        let loader = loader.env(environment.into()).profile_files(files);
        match &self.profile {
            Some(profile) => loader.profile_name(profile),
            None => loader,
        }
    }

    /// Lets the SDK find the region of the instance, and nothing else.
    pub(crate) fn ask_the_instance(&self, loader: ConfigLoader) -> ConfigLoader {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "").build();
        loader.env(self.environment.clone().into()).profile_files(files)
    }
}

/// Returns the error for a setting that cannot be used.
fn refused(cause: String, hint: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause).with_hint(hint)
}

/// Returns the error for missing credentials, with the reason.
fn no_credentials(cause: &str, hint: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unauthenticated)
        .with_cause(format!("no credentials: {cause}"))
        .with_hint(hint.to_owned())
}
