//! The settings of a source. Both services have the same ones.

mod role;

use schemars::JsonSchema;
use secretdir_provider::{Settings, SettingsError};
use serde::Deserialize;

/// Region, endpoint and identity. Omitted settings come from the usual places of the AWS SDK.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AwsSettings {
    /// The region. If omitted, it comes from AWS_REGION, the profile or the instance.
    #[schemars(regex(pattern = "^[A-Za-z0-9-]+$"), extend("examples" = ["eu-west-1"]))]
    pub(crate) region: Option<String>,
    /// The AWS profile with the credentials. If omitted, they come from the default chain of the AWS SDK.
    #[schemars(length(min = 1), extend("examples" = ["prod"]))]
    pub(crate) profile: Option<String>,
    /// URL of another endpoint, such as a VPC endpoint or a local server. `{region}` stands for the region of the request.
    #[schemars(
        regex(pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]"),
        extend("examples" = ["https://vpce.example.com", "http://localhost:4566"])
    )]
    pub(crate) endpoint_url: Option<String>,
    /// The ARN of a role to assume with those credentials.
    #[schemars(regex(pattern = "^arn:"), extend("examples" = ["arn:aws:iam::123456789012:role/reader"]))]
    pub(crate) role_arn: Option<String>,
    /// The external ID that the trust policy of the role requires. It is not a secret.
    #[schemars(length(min = 2, max = 1224), extend("examples" = ["secretdir-prod"]))]
    pub(crate) external_id: Option<String>,
    /// Name of the session in CloudTrail. The default is `secretdir`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_+=,.@-]{2,64}$"), extend("examples" = ["secretdir-host-7"]))]
    pub(crate) role_session_name: Option<String>,
    /// Regions with replicas. If a region is unavailable or does not answer in time, the next one is asked.
    #[serde(default)]
    #[schemars(extend("examples" = [["eu-central-1"]]))]
    pub(crate) failover_region: Vec<String>,
    /// Use FIPS endpoints, with cryptography that is validated under FIPS 140.
    #[serde(default)]
    pub(crate) use_fips_endpoint: bool,
    /// Use dual-stack endpoints, which also have IPv6 addresses.
    #[serde(default)]
    pub(crate) use_dualstack_endpoint: bool,
}

type Rule = fn(&str) -> Result<(), &'static str>;

impl AwsSettings {
    /// Parses the settings, and reports every problem.
    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let parsed: Self = settings.parse()?;
        let rules: [(&str, &Option<String>, Rule); 6] = [
            ("region", &parsed.region, check_region),
            ("profile", &parsed.profile, check_profile),
            ("endpoint-url", &parsed.endpoint_url, check_endpoint_url),
            ("role-arn", &parsed.role_arn, role::check_arn),
            ("external-id", &parsed.external_id, role::check_external_id),
            ("role-session-name", &parsed.role_session_name, role::check_session_name),
        ];
        let problems = rules
            .into_iter()
            .filter_map(|(key, value, rule)| Some((key, rule(value.as_deref()?).err()?)))
            .chain(parsed.misplaced())
            .map(|(key, message)| SettingsError::new(key, message))
            .reduce(SettingsError::and);
        problems.map_or(Ok(parsed), Err)
    }

    /// Returns the settings that conflict with others, or have no effect without them.
    fn misplaced(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        let names: Vec<_> = self.region.iter().chain(&self.failover_region).collect();
        if self.failover_region.iter().any(|region| check_region(region).is_err()) {
            problems.push(("failover-region", "must hold names of regions, such as eu-central-1"));
        } else if names
            .iter()
            .enumerate()
            .any(|(number, name)| names.iter().take(number).any(|other| other == name))
        {
            problems.push(("failover-region", "names a region twice, or the one of `region`"));
        }
        for (key, is_set) in [
            ("use-fips-endpoint", self.use_fips_endpoint),
            ("use-dualstack-endpoint", self.use_dualstack_endpoint),
        ] {
            if is_set && self.endpoint_url.is_some() {
                problems
                    .push((key, "chooses among AWS's own endpoints, and `endpoint-url` names another one"));
            }
        }
        for (key, value) in
            [("external-id", &self.external_id), ("role-session-name", &self.role_session_name)]
        {
            if value.is_some() && self.role_arn.is_none() {
                problems.push((key, "has no effect without `role-arn`"));
            }
        }
        problems
    }
}

/// Checks a region. It becomes a part of a host name, so it must not lead to another host.
fn check_region(region: &str) -> Result<(), &'static str> {
    match region {
        "" => Err("must not be empty; omit it to use the region of the environment or profile"),
        name if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => Ok(()),
        _ => Err("must be the name of a region, such as eu-west-1"),
    }
}

fn check_profile(profile: &str) -> Result<(), &'static str> {
    if profile.is_empty() {
        return Err("must not be empty; omit it to use AWS_PROFILE or the default profile");
    }
    Ok(())
}

fn check_endpoint_url(url: &str) -> Result<(), &'static str> {
    let rest = scheme_stripped(url).ok_or("must start with http:// or https://")?;
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("must not hold spaces or control characters");
    }
    if rest.contains(['?', '#']) {
        return Err("must have no `?` and no `#`: only scheme, host, port and path");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not hold a user name or a password");
    }
    check_authority(authority)
}

fn scheme_stripped(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then_some(rest)
}

/// Checks `host`, `host:port`, `[address]` and `[address]:port`.
fn check_authority(authority: &str) -> Result<(), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or("has a `[` in its host that is not closed")?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err("must name a host");
    }
    let port_is_number = port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    if !port.is_empty() && !port_is_number {
        return Err("must have a number from 0 to 65535 as its port");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use secretdir_provider::{Table, Value};

    use super::*;

    fn read(entries: &[(&str, &str)]) -> Result<AwsSettings, Vec<String>> {
        let table: Table =
            entries.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        AwsSettings::read(&Settings::new(table, "/"))
            .map_err(|error| error.problems().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn everything_is_optional() {
        let settings = read(&[]).unwrap();
        assert!(settings.region.is_none() && settings.profile.is_none() && settings.endpoint_url.is_none());
    }

    #[test]
    fn fips_and_dual_stack_choose_among_the_endpoints_of_aws() {
        for key in ["use-fips-endpoint", "use-dualstack-endpoint"] {
            let table = Table::from([
                (key.to_owned(), Value::Boolean(true)),
                ("endpoint-url".to_owned(), Value::from("http://host")),
            ]);
            let error = AwsSettings::read(&Settings::new(table, "/")).unwrap_err();
            let told: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
            let expected = "chooses among AWS's own endpoints, and `endpoint-url` names another one";
            assert_eq!(told, [format!("{key}: {expected}")]);
        }
    }

    #[test]
    fn good_settings_are_kept_as_they_are() {
        let settings = read(&[("region", "eu-west-1"), ("profile", "prod team")]).unwrap();
        assert_eq!(settings.region.as_deref(), Some("eu-west-1"));
        assert_eq!(settings.profile.as_deref(), Some("prod team"));
        for url in [
            "http://127.0.0.1:4566",
            "https://[::1]:8443/path",
            "HTTPS://vpce-1.secretsmanager.eu-west-1.vpce.amazonaws.com",
            "http://[::1]",
            "http://localhost/",
        ] {
            assert_eq!(read(&[("endpoint-url", url)]).unwrap().endpoint_url.as_deref(), Some(url));
        }
    }

    #[test]
    fn all_problems_are_reported_at_once_and_no_value_is_quoted() {
        let problems = read(&[("endpoint-url", "ftp://canary"), ("profile", ""), ("region", "a.canary")]);
        assert_eq!(
            problems.unwrap_err(),
            [
                "region: must be the name of a region, such as eu-west-1",
                "profile: must not be empty; omit it to use AWS_PROFILE or the default profile",
                "endpoint-url: must start with http:// or https://",
            ]
        );
    }

    #[test]
    fn an_endpoint_url_is_checked_without_asking_it() {
        for (url, message) in [
            ("", "must start with http:// or https://"),
            ("localhost:4566", "must start with http:// or https://"),
            ("http://", "must name a host"),
            ("http:///path", "must name a host"),
            ("http://:80", "must name a host"),
            ("http://[]:80", "must name a host"),
            ("http://[::1", "has a `[` in its host that is not closed"),
            ("http://host:65536", "must have a number from 0 to 65535 as its port"),
            ("http://host:", "must have a number from 0 to 65535 as its port"),
            ("http://user:password@host", "must not hold a user name or a password"),
            ("http://host/?x=1", "must have no `?` and no `#`: only scheme, host, port and path"),
            ("http://ho st", "must not hold spaces or control characters"),
        ] {
            assert_eq!(read(&[("endpoint-url", url)]).unwrap_err(), [format!("endpoint-url: {message}")]);
        }
    }

    /// The examples that `secretdir init` shows must be valid as they are, also all at once.
    #[test]
    fn the_examples_are_good_settings() {
        let schema = schemars::schema_for!(AwsSettings);
        let properties = schema.as_value()["properties"].as_object().unwrap();
        let examples =
            properties.iter().filter_map(|(key, about)| Some((key, about["examples"].as_array()?)));
        let mut first = Table::new();
        for (key, examples) in examples {
            let mut values = examples.iter().map(|example| match example.as_array() {
                Some(texts) => Value::Array(texts.iter().map(|text| text.as_str().unwrap().into()).collect()),
                None => example.as_str().unwrap().into(),
            });
            first.insert(key.clone(), values.next().unwrap());
            for other in values {
                let table = Table::from([(key.clone(), other)]);
                assert!(AwsSettings::read(&Settings::new(table, "/")).is_ok(), "{key}");
            }
        }
        assert_eq!(first.len(), 7);
        AwsSettings::read(&Settings::new(first, "/")).unwrap();
    }

    #[test]
    fn a_misspelt_key_is_named_with_the_right_one() {
        let problems = read(&[("endpoint_url", "http://host")]).unwrap_err();
        assert_eq!(problems, ["endpoint_url: unknown key; did you mean `endpoint-url`?"]);
    }
}
