//! Resolves each setting: the variable counts, or else the key of the profile. Also decides what the SDK sees of them.

mod sdk_file;

use std::collections::HashMap;

use secretdir_provider::SourceError;

use super::profiles::{Keys, Profiles};
use super::variables::{self, Variables};
use super::{AwsEnvironment, PrintedCredentials, TokenFile, no_credentials, rules};
use crate::http::CaCertificates;
use crate::settings::AwsSettings;

/// The SDK's variables, each with the equivalent key of a profile.
const SETTINGS: [(&str, &str); 8] = [
    ("AWS_RETRY_MODE", "retry_mode"),
    ("AWS_MAX_ATTEMPTS", "max_attempts"),
    ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode"),
    ("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"),
];

/// The services whose endpoints can be set: the suffix of the variable, and the key in a section of services.
const SERVICES: [(&str, &str); 5] = [
    ("SECRETS_MANAGER", "secrets_manager"),
    ("SSM", "ssm"),
    ("STS", "sts"),
    ("SSO", "sso"),
    ("SSO_OIDC", "sso_oidc"),
];

/// Variables that lead to credentials. A profile in the settings takes precedence over them.
const CREDENTIALS: [&str; 7] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ACCOUNT_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
];

const CONTAINER: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

/// Variables that are read here, and not by the SDK.
const OURS: [&str; 6] = [
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_SECURITY_TOKEN",
];

const LOGIN_HINT: &str = "let a second profile have `credential_process = aws configure export-credentials --profile \
    NAME --format process`, and name that one";

/// The settings of a web identity, as variables and as keys of a profile: the token, the role and the name of the session.
const WEB_IDENTITY: [(&str, &str); 3] = [
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"),
    ("AWS_ROLE_ARN", "role_arn"),
    ("AWS_ROLE_SESSION_NAME", "role_session_name"),
];

/// The values of these settings.
type WebIdentity = [Option<String>; 3];

/// Settings that are hidden from the SDK.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    variables: Vec<&'static str>,
    /// Whether credentials of the instance are hidden too.
    instance: bool,
}

impl Hidden {
    pub(super) fn hide_from(&self, environment: &mut HashMap<String, String>) {
        environment.retain(|name, _| !self.variables.contains(&name.as_str()));
        if self.instance {
            environment.insert("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned());
        }
    }
}

/// The profiles that are in use, the requested one first, and everything that was read.
struct Found<'a> {
    variables: &'a Variables,
    profiles: &'a Profiles,
    chain: Vec<(String, Keys)>,
}

/// Resolves all settings.
pub(super) fn settle(
    settings: &AwsSettings,
    variables: &Variables,
    profiles: &Profiles,
) -> Result<AwsEnvironment, SourceError> {
    let of_the_settings = settings.profile.as_deref().map(|name| ("`profile` of the source", name));
    let named = of_the_settings.or_else(|| variables.first(&["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]));
    let chain = match named {
        Some((by, name)) => profiles.chain(name, by)?,
        None if profiles.profiles.contains_key("default") => profiles.chain("default", "default")?,
        None => Vec::new(),
    };
    let found = Found { variables, profiles, chain };
    found.check_login()?;
    let identity = found.web_identity(settings)?;
    found.check_endpoint(settings)?;
    let mut environment = found.environment()?;
    let of_identity = identity.is_some();
    for ((variable, _), value) in WEB_IDENTITY.iter().zip(identity.into_iter().flatten()) {
        environment.extend(value.map(|value| ((*variable).to_owned(), value)));
    }
    let (file, profile) =
        if of_identity { (String::new(), None) } else { found.file_and_profile(&environment)? };
    let hidden = if of_the_settings.is_some() { found.beside_the_profile() } else { Hidden::default() };
    let authorities = found.authorities()?;
    let has_key = of_the_settings.is_none() && environment.contains_key("AWS_ACCESS_KEY_ID");
    let printed = if has_key || of_identity { None } else { PrintedCredentials::of(&found.chain) };
    let (token_files, region, role) = (found.token_files(&hidden), found.region(), found.role(&hidden));
    if let Some(endless) = token_files.iter().find_map(TokenFile::endless) {
        return Err(no_credentials(&endless.to_string(), "name the file with the token"));
    }
    Ok(AwsEnvironment { environment, hidden, file, profile, printed, token_files, role, region, authorities })
}

impl Found<'_> {
    fn key(&self, name: &str) -> Option<&str> {
        Some(self.chain.first()?.1.get(name)?.value.as_str())
    }

    /// Returns the region of the environment, or of the first profile that has one.
    fn region(&self) -> Option<String> {
        let of_the_environment =
            self.variables.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]).map(|(_, value)| value);
        let of_a_profile =
            || self.chain.iter().find_map(|(_, keys)| Some(keys.get("region")?.value.as_str()));
        of_the_environment.or_else(of_a_profile).map(str::to_owned)
    }

    /// Returns the role that is assumed: that of a web identity in the environment, or else that of the profile.
    fn role(&self, hidden: &Hidden) -> Option<String> {
        if self.variables.get("AWS_ACCESS_KEY_ID").is_some() && hidden.variables.is_empty() {
            return None;
        }
        let of_an_identity =
            self.variables.get("AWS_WEB_IDENTITY_TOKEN_FILE").filter(|_| hidden.variables.is_empty());
        let of_the_environment = of_an_identity.and(self.variables.get("AWS_ROLE_ARN"));
        of_the_environment.or_else(|| self.key("role_arn")).map(str::to_owned)
    }

    /// Returns the certificates that replace the machine's, if there are any.
    fn authorities(&self) -> Result<Option<CaCertificates>, SourceError> {
        let of_a_profile = || Some(("`ca_bundle` of the profile", self.key("ca_bundle")?));
        let named = self.variables.first(&["AWS_CA_BUNDLE"]).or_else(of_a_profile);
        let read = named.map(|(by, path)| {
            CaCertificates::read(&variables::expanded(path)).map_err(|cause| {
                super::refused(format!("{by}: {cause}"), "name a file with certificates in PEM")
            })
        });
        read.transpose()
    }

    /// Returns the variables that the SDK sees.
    fn environment(&self) -> Result<HashMap<String, String>, SourceError> {
        let ours = self
            .variables
            .all()
            .filter(|(name, _)| !OURS.contains(name) && !name.starts_with("AWS_ENDPOINT_URL"));
        let mut seen: HashMap<String, String> =
            ours.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if !seen.contains_key("AWS_ACCESS_KEY_ID") {
            // The SDK takes a secret without its ID for a mistake.
            seen.remove("AWS_SECRET_ACCESS_KEY");
        }
        if let Some(token) = self.variables.get("AWS_SECURITY_TOKEN") {
            seen.entry("AWS_SESSION_TOKEN".to_owned()).or_insert_with(|| token.to_owned());
        }
        for (variable, key) in SETTINGS {
            if let Some(value) = self.key(key) {
                seen.entry(variable.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        for (variable, key) in SERVICES {
            if let Some(endpoint) = self.endpoint(variable, key)? {
                seen.insert(format!("AWS_ENDPOINT_URL_{variable}"), endpoint);
            }
        }
        if let Some(home) = variables::home().and_then(|home| home.into_os_string().into_string().ok()) {
            seen.insert("HOME".to_owned(), home);
        }
        Ok(seen)
    }

    /// Returns the endpoint of a service. botocore's order is: the variable of the service, the variable of all
    /// services, the section of services that the profile names, and the profile itself.
    fn endpoint(&self, variable: &str, key: &str) -> Result<Option<String>, SourceError> {
        let ignored = self.variables.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        if ignored.or_else(|| self.key("ignore_configured_endpoint_urls")) == Some("true") {
            return Ok(None);
        }
        let own = format!("AWS_ENDPOINT_URL_{variable}");
        let of_the_environment = self.variables.get(&own).or_else(|| self.variables.get("AWS_ENDPOINT_URL"));
        if let Some(endpoint) = of_the_environment {
            return Ok(Some(endpoint.to_owned()));
        }
        match self.of_services(key)? {
            Some(endpoint) => Ok(Some(endpoint)),
            None => Ok(self.key("endpoint_url").map(str::to_owned)),
        }
    }

    fn of_services(&self, key: &str) -> Result<Option<String>, SourceError> {
        let Some(name) = self.key("services") else { return Ok(None) };
        let about = |what: &str| {
            super::refused(format!("the section `services {name}` {what}"), "correct ~/.aws/config")
        };
        let section =
            self.profiles.services.get(name).ok_or_else(|| about("of the profile does not exist"))?;
        let Some(service) = section.get(key) else { return Ok(None) };
        if !service.value.is_empty() {
            return Err(about(&format!(
                "({service}) needs `endpoint_url = URL` on a separate line below `{key} =`"
            )));
        }
        let Some(endpoint) = service.below.get("endpoint_url").filter(|entry| !entry.value.is_empty()) else {
            return Ok(None);
        };
        let checked = rules::endpoint(&endpoint.value);
        checked
            .map(Some)
            .map_err(|what| about(&format!("({service}) has an endpoint_url that is not {what}")))
    }

    /// Returns all other origins of credentials beside the profile, except those that a profile refers to.
    fn beside_the_profile(&self) -> Hidden {
        let refers = |to: &str| {
            self.chain
                .iter()
                .any(|(_, keys)| keys.get("credential_source").is_some_and(|key| key.value == to))
        };
        let mut variables = CREDENTIALS.to_vec();
        if !refers("EcsContainer") {
            variables.extend(CONTAINER);
        }
        Hidden { variables, instance: !refers("Ec2InstanceMetadata") }
    }

    /// Refuses a choice among AWS's own endpoints, if the settings have an endpoint.
    fn check_endpoint(&self, settings: &AwsSettings) -> Result<(), SourceError> {
        if settings.endpoint_url.is_none() {
            return Ok(());
        }
        for (variable, key) in [
            ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        ] {
            let value = self.variables.get(variable);
            if value.or_else(|| self.key(key)) == Some("true") {
                let by =
                    if value.is_some() { variable.to_owned() } else { format!("`{key}` of the profile") };
                let cause =
                    format!("{by} chooses among AWS's own endpoints, and `endpoint-url` names another one");
                return Err(super::refused(cause, "remove one of the two"));
            }
        }
        Ok(())
    }

    /// Refuses a profile of `aws login`, with a hint. The SDK has no support for it here.
    fn check_login(&self) -> Result<(), SourceError> {
        let of_login = self.chain.iter().find(|(_, keys)| {
            keys.contains_key("login_session")
                && !["aws_access_key_id", "credential_process", "role_arn"]
                    .iter()
                    .any(|key| keys.contains_key(*key))
        });
        match of_login {
            Some((name, _)) => {
                let cause = format!("the profile `{name}` is one of `aws login`, which is not supported");
                Err(no_credentials(&cause, LOGIN_HINT))
            }
            None => Ok(()),
        }
    }

    /// Returns the token, role and session of a web identity: from the environment, or else from the profile. At least
    /// one must be in the environment, because the SDK would only look there after the profile. As in boto3, a profile
    /// that assumes a role with other credentials takes precedence. If the settings name a profile, only that profile
    /// counts.
    fn web_identity(&self, settings: &AwsSettings) -> Result<Option<WebIdentity>, SourceError> {
        let [token, role, session] = WEB_IDENTITY.map(|(variable, key)| self.setting(variable, key));
        let assumes = self.key("role_arn").is_some() && self.key("web_identity_token_file").is_none();
        let of_the_environment =
            WEB_IDENTITY.iter().any(|(variable, _)| self.variables.get(variable).is_some());
        if settings.profile.is_some() || assumes || self.variables.get("AWS_ACCESS_KEY_ID").is_some() {
            return Ok(None);
        }
        match (token, role) {
            (Some(token), Some(role)) if of_the_environment => Ok(Some([Some(token), Some(role), session])),
            (Some(_), None) => {
                let by = match self.variables.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
                    Some(_) => "AWS_WEB_IDENTITY_TOKEN_FILE is set in the environment",
                    None => "`web_identity_token_file` of the profile is set",
                };
                let hint = "set both: on EKS, annotate the service account with the role";
                Err(no_credentials(&format!("{by}, but not AWS_ROLE_ARN or `role_arn`"), hint))
            }
            _ => Ok(None),
        }
    }

    /// Returns a variable of the environment, or else the equivalent key of the profile.
    fn setting(&self, variable: &str, key: &str) -> Option<String> {
        self.variables.get(variable).or_else(|| self.key(key)).map(str::to_owned)
    }

    /// Returns the files with tokens that credentials may need, each with the setting that names it.
    fn token_files(&self, hidden: &Hidden) -> Vec<TokenFile> {
        let is_used = |name: &str| self.variables.get(name).is_some() && !hidden.variables.contains(&name);
        let has_role = is_used("AWS_ROLE_ARN") || self.key("role_arn").is_some();
        let of_variables = [
            ("AWS_WEB_IDENTITY_TOKEN_FILE", has_role),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", CONTAINER.into_iter().any(is_used)),
        ];
        let of_variables = of_variables
            .into_iter()
            .filter(|(name, is_needed)| *is_needed && is_used(name))
            .filter_map(|(name, _)| Some(TokenFile::new(name.to_owned(), self.variables.get(name)?)));
        let of_profiles = self.chain.iter().filter_map(|(name, keys)| {
            let key = keys.get("web_identity_token_file")?;
            let by = format!("`web_identity_token_file` of the profile `{name}`");
            Some(TokenFile::new(by, &key.value))
        });
        of_variables.chain(of_profiles).collect()
    }
}
