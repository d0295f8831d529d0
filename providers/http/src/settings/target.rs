//! The target of requests: a fixed scheme and host, and a path and query with placeholders.

use secretdir_http_client::{Url, is_loopback};
use secretdir_provider::SecretRequest;

use crate::template::TextTemplate;

/// A URL with placeholders in its path and query.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Scheme, host and port.
    origin: String,
    template: TextTemplate,
    /// The URL of an example, for properties that are the same for all secrets.
    sample: Url,
}

/// An example of a request, to see its URL.
pub(crate) fn sample() -> SecretRequest {
    SecretRequest::new("name").with_version("version")
}

impl Target {
    /// Parses a URL. The error says what is wrong with it.
    pub(crate) fn checked(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("must begin with https:// or http://")?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err("must begin with https:// or http://");
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        check_host(host)?;
        check_path(path)?;
        let (origin, template) = (format!("{scheme}://{host}"), TextTemplate::of_target(path));
        let filled = template.fill(&sample());
        if filled.contains(['{', '}']) {
            return Err(
                "has braces that are not a placeholder: known are `{secret}` and `{version}`; encode other braces as %7B and %7D",
            );
        }
        let sample = Url::parse(&format!("{origin}{filled}")).map_err(|_| "is not a valid URL")?;
        let is_as_written = sample.as_str().ends_with(&filled) || filled.is_empty();
        if !is_as_written {
            return Err(
                "has a character that must be percent-encoded, or `.` or `..` as a segment of its path",
            );
        }
        Ok(Self { origin, template, sample })
    }

    pub(crate) fn template(&self) -> &TextTemplate {
        &self.template
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.sample.scheme() == "https"
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.sample)
    }

    /// Returns the URL of a secret, or `None` if it is not valid. The request must have passed the check of the
    /// template.
    pub(crate) fn url(&self, request: &SecretRequest) -> Option<Url> {
        Url::parse(&format!("{}{}", self.origin, self.template.fill(request))).ok()
    }
}

fn check_host(host: &str) -> Result<(), &'static str> {
    match host {
        "" => Err("names no host"),
        host if host.contains('@') => {
            Err("must not hold a user or a password; put a credential into `headers`")
        }
        host if host.contains(['{', '}']) => Err(
            "has a placeholder in its host; placeholders may only be in the path and the query, so that a name cannot lead to another host",
        ),
        _ => Ok(()),
    }
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if path.contains('#') {
        return Err("must not have a fragment, which is never sent; encode `#` as %23");
    }
    if path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("holds a space, a backslash or a control character; percent-encode it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_scheme_are_fixed() {
        let target = Target::checked("HTTPS://Store.test:8443/v1/{secret}?version={version}").unwrap();
        let request = SecretRequest::new("a/b@c:d").with_version("1&2");
        let url = target.url(&request).unwrap();
        assert_eq!(url.as_str(), "https://store.test:8443/v1/a/b%40c%3Ad?version=1%262");
        assert!(target.is_encrypted() && !target.is_loopback());
        assert!(Target::checked("http://[::1]?q={secret}").unwrap().is_loopback());
    }

    #[test]
    fn what_is_no_target_is_told_why() {
        for (url, why) in [
            ("store.test/{secret}", "must begin with"),
            ("ftp://store.test/{secret}", "must begin with"),
            ("https:///{secret}", "names no host"),
            ("https://me:word@store.test/{secret}", "user or a password"),
            ("https://{secret}.test/", "a placeholder in its host"),
            ("https://store.test:{version}/{secret}", "a placeholder in its host"),
            ("https://store.test/{secret}#a", "fragment"),
            ("https://store.test/a b/{secret}", "percent-encode it"),
            ("https://store.test\\{secret}", "percent-encode it"),
            ("https://store.test/{sercet}", "braces that are not a placeholder"),
            ("https://store.test/a/../{secret}", "must be percent-encoded"),
            ("https://store.test/ü/{secret}", "must be percent-encoded"),
            ("https://store.test:99999/{secret}", "is not a valid URL"),
        ] {
            let told = Target::checked(url).unwrap_err();
            assert!(told.contains(why), "{url}: {told}");
        }
    }
}
