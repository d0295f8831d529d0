//! The variables and files that every AWS tool reads, read here instead of in the SDK.
//!
//! The SDK panics at some values, does not know others that botocore has as its defaults, drops files that it cannot parse with a trace
//! that nobody sees, and takes an empty variable for one that is set. So this module reads them as botocore does, and refuses by
//! name what neither knows. The SDK then gets an environment and a file of our own, in which every value is one that it knows:
//!
//! 1. [`variables`]: the variables that are heeded; an empty one is not set. [`rules`] says what each may hold.
//! 2. [`ini`]: the syntax of the two files, as Python's `configparser` has it.
//! 3. [`profiles`]: the profiles in them, and the one that is asked for, with those that it builds on.
//! 4. [`settled`]: for each setting, the variable, or else the key of the profile.
//!
//! Credentials that a program prints do not come through the SDK: [`printed`].
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
use crate::http::Authorities;
use crate::settings::AwsSettings;

use profiles::Profiles;
use settled::Hidden;
use variables::Variables;

/// What was found, checked, and put into words that the SDK knows.
pub(crate) struct Surroundings {
    environment: HashMap<String, String>,
    /// What leads to credentials beside the profile that the settings name, and is hidden for that reason.
    hidden: Hidden,
    /// The profiles that are in use, as a file.
    file: String,
    pub(crate) profile: Option<String>,
    /// What prints the credentials, if a program does.
    pub(crate) printed: Option<PrintedCredentials>,
    pub(crate) token_files: Vec<TokenFile>,
    /// The role that is assumed, if the settings name none.
    pub(crate) role: Option<String>,
    pub(crate) region: Option<String>,
    /// The certificates that are trusted instead of the machine's.
    pub(crate) authorities: Option<Authorities>,
}

/// All that was read. Clients that were made of the same serve on.
#[derive(PartialEq)]
pub(crate) struct Basis {
    variables: Variables,
    profiles: Profiles,
    authorities: Option<Authorities>,
}

impl Surroundings {
    /// Reads the environment of this process, and AWS's files.
    pub(crate) fn read(settings: &AwsSettings) -> Result<(Self, Basis), SourceError> {
        let variables = Variables::read()?;
        let profiles = Profiles::read(&variables)?;
        let found = settled::settle(settings, &variables, &profiles)?;
        let basis = Basis { variables, profiles, authorities: found.authorities.clone() };
        Ok((found, basis))
    }

    /// Lets the SDK see this, and nothing else.
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

    /// Lets the SDK find nothing but the region of the instance.
    pub(crate) fn ask_the_instance(&self, loader: ConfigLoader) -> ConfigLoader {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "").build();
        loader.env(self.environment.clone().into()).profile_files(files)
    }
}

/// Says that something that was found cannot be used.
fn refused(cause: String, hint: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause).with_hint(hint)
}

/// Says that there are no credentials because of what is in a file, or is not.
fn no_credentials(cause: &str, hint: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unauthenticated)
        .with_cause(format!("no credentials: {cause}"))
        .with_hint(hint.to_owned())
}
