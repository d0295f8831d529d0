//! The values that a variable, or a key of a profile, may have. No error quotes a value, which may be a misplaced credential.

use http::Uri;

/// Returns the value in the SDK's form, or a description of valid values.
pub(super) type Rule = fn(&str) -> Result<String, &'static str>;

const URL: &str = "a URL that starts with http:// or https:// and a host";

pub(super) fn anything(value: &str) -> Result<String, &'static str> {
    Ok(value.to_owned())
}

/// Checks a region. It becomes a part of a host name, so it must not lead to another host.
pub(crate) fn region(value: &str) -> Result<String, &'static str> {
    let is_label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_region = value.len() <= 63 && value.chars().all(is_label) && !value.starts_with('-');
    (is_region && !value.ends_with('-') && !value.is_empty())
        .then(|| value.to_owned())
        .ok_or("the name of a region, such as eu-west-1")
}

/// Checks a retry mode. `legacy` is botocore's default. It retries as `standard` does, which is the SDK's default.
pub(super) fn retry_mode(value: &str) -> Result<String, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "legacy" | "standard" => Ok("standard".to_owned()),
        "adaptive" => Ok("adaptive".to_owned()),
        _ => Err("standard, adaptive or legacy"),
    }
}

pub(super) fn attempts(value: &str) -> Result<String, &'static str> {
    let number = value.parse::<u32>().ok().filter(|number| *number > 0);
    number.map(|number| number.to_string()).ok_or("a number from 1 on")
}

/// Checks a program and its arguments, which may continue on lines of their own.
pub(super) fn command(value: &str) -> Result<String, &'static str> {
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if value.contains(is_odd) { Err("a program and its arguments") } else { Ok(value.to_owned()) }
}

pub(super) fn boolean(value: &str) -> Result<String, &'static str> {
    let value = value.to_ascii_lowercase();
    matches!(value.as_str(), "true" | "false").then_some(value).ok_or("true or false")
}

pub(super) fn url(value: &str) -> Result<String, &'static str> {
    let uri: Uri = value.parse().map_err(|_| URL)?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_place =
        uri.authority().is_some_and(|authority| is_host_and_port(authority.as_str(), authority.host()));
    (is_http && is_place).then(|| value.to_owned()).ok_or(URL)
}

fn is_host_and_port(text: &str, host: &str) -> bool {
    let port = text.strip_prefix(host).filter(|_| !host.is_empty());
    port.is_some_and(|port| {
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    })
}

/// Checks a proxy. It may have a user name and a password, and need not have a scheme. The SDK would silently ignore a
/// malformed one.
pub(super) fn proxy(value: &str) -> Result<String, &'static str> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let is_known = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
    let what = "the URL of a proxy, such as http://proxy.example.com:3128";
    url(&format!("http://{place}")).ok().filter(|_| is_known).map(|_| value.to_owned()).ok_or(what)
}

/// Checks an endpoint, which has no query. A slash at its end makes no difference.
pub(super) fn endpoint(value: &str) -> Result<String, &'static str> {
    if value.contains(['?', '#', '@']) {
        return Err("a URL of scheme, host, port and path");
    }
    url(value)
}

pub(super) fn path_of_url(value: &str) -> Result<String, &'static str> {
    let is_path = value.starts_with('/') && !value.starts_with("//") && value.parse::<Uri>().is_ok();
    is_path.then(|| value.to_owned()).ok_or("a path that starts with /")
}

pub(super) fn endpoint_mode(value: &str) -> Result<String, &'static str> {
    let value = value.to_ascii_lowercase();
    matches!(value.as_str(), "ipv4" | "ipv6").then_some(value).ok_or("IPv4 or IPv6")
}

/// Checks a key or token, which is sent in a header.
pub(super) fn credential(value: &str) -> Result<String, &'static str> {
    let value = value.trim();
    let can_be_sent = !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic());
    can_be_sent.then(|| value.to_owned()).ok_or("made of ASCII letters, digits and signs, without spaces")
}

pub(super) fn header(value: &str) -> Result<String, &'static str> {
    let value = value.trim_end_matches(['\r', '\n']);
    let can_be_sent = value.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    can_be_sent.then(|| value.to_owned()).ok_or("one line of ASCII characters")
}

pub(super) fn arn(value: &str) -> Result<String, &'static str> {
    let is_arn = value.starts_with("arn:") && value.chars().all(|c| c.is_ascii_graphic());
    is_arn.then(|| value.to_owned()).ok_or("the ARN of a role, such as arn:aws:iam::123456789012:role/reader")
}

pub(super) fn credential_source(value: &str) -> Result<String, &'static str> {
    ["Environment", "Ec2InstanceMetadata", "EcsContainer"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(value))
        .map(str::to_owned)
        .ok_or("Environment, Ec2InstanceMetadata or EcsContainer")
}

/// Checks that a value fits on one line of a file.
pub(super) fn line(value: &str) -> Result<String, &'static str> {
    let is_line = !value.chars().any(char::is_control);
    is_line.then(|| value.to_owned()).ok_or("one line without control characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_the_sdk_knows() {
        assert_eq!(retry_mode("Legacy"), Ok("standard".to_owned()));
        assert_eq!((boolean("TRUE"), attempts("005")), (Ok("true".to_owned()), Ok("5".to_owned())));
        assert_eq!(credential_source("ecscontainer"), Ok("EcsContainer".to_owned()));
        assert_eq!((credential(" AKIA\n"), header("a b\r\n")), (Ok("AKIA".to_owned()), Ok("a b".to_owned())));
    }

    #[test]
    fn what_leads_elsewhere_is_no_region() {
        for text in ["", "eu-west-1 ", "eu west", "a.b", "-a", "a-", "ü", &"a".repeat(64), "a/b", "a@b"] {
            assert!(region(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in
            ["", "localhost", "localhost:80", "ftp://a", "http://", "http:///a", "http://a:x", "http://a b"]
        {
            assert!(url(text).is_err() && endpoint(text).is_err(), "{text}");
        }
        for text in ["proxy:3128", "http://user:p%40ss@proxy", "HTTPS://proxy:1"] {
            assert!(proxy(text).is_ok(), "{text}");
        }
        for text in ["http://", "proxy:x", "socks5://proxy:1", "a b", "http://a:b:c", "://a"] {
            assert!(proxy(text).is_err(), "{text}");
        }
        assert!(url("http://[::1]:80/a?b").is_ok() && endpoint("http://a/?b").is_err());
        assert!(path_of_url("a").is_err() && path_of_url("//a/b").is_err() && path_of_url("/a?b=c").is_ok());
    }
}
