//! A configured source.

use secretdir_http_client::TlsSettings;
use secretdir_provider::{
    Held, Listed, Refreshed, RunContext, Secret, SecretRequest, SecretSource, Settings, SettingsError,
    SourceError, SourceErrorKind, async_trait,
};

use crate::access::Access;
use crate::environment::variable;
use crate::issuing::{self, Issues};
use crate::list;
use crate::login::Login;
use crate::path::Path;
use crate::read;
use crate::server::Server;
use crate::settings::VaultSettings;

/// The default share of a life after which it is renewed.
const RENEW_AT: f64 = 0.66;

pub(crate) struct VaultSource {
    access: Access,
    issues: Issues,
    kv_mounts: Vec<String>,
}

impl VaultSource {
    /// Makes a source from settings. Reads the environment, but no file.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let VaultSettings {
            address,
            namespace,
            auth,
            ca_certificate,
            client_certificate,
            client_key,
            allow_plain_http,
            renew_at,
            kv_mounts,
            issue,
        } = VaultSettings::read(settings)?;
        let login = Login::read(settings, auth.as_ref())?;
        let or = |value: Option<String>, name| value.or_else(|| variable(name));
        let (ca, certificate, key) = (
            or(ca_certificate, "CACERT"),
            or(client_certificate, "CLIENT_CERT"),
            or(client_key, "CLIENT_KEY"),
        );
        let tls = TlsSettings {
            ca_certificate: ca.as_deref(),
            client_certificate: certificate.as_deref(),
            client_key: key.as_deref(),
        };
        let tls = tls.locate(settings)?;
        let namespace = or(namespace, "NAMESPACE");
        let server = or(address, "ADDR").map(|address| Server::new(&address, namespace.as_deref(), tls));
        let server = server.transpose()?;
        if !allow_plain_http && server.as_ref().is_some_and(Server::is_unencrypted) {
            let why = "would send the token and secrets unencrypted: use https://, or set `allow-plain-http` if something else encrypts the connection";
            return Err(SettingsError::new("address", why));
        }
        let access = Access::new(server, login, renew_at.unwrap_or(RENEW_AT));
        Ok(Self { access, issues: Issues(issue), kv_mounts })
    }
}

#[async_trait]
impl SecretSource for VaultSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        let name = request.name();
        let invalid = |cause: String| SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause);
        if self.issues(request) {
            return match request.version() {
                Some(_) => Err(SourceError::new(SourceErrorKind::Unsupported)
                    .with_cause("a dynamic secret has no versions")),
                None => Ok(()),
            };
        }
        if let Err(why) = Path::parse(name) {
            let error = invalid(format!("the name of a secret is its path, which {why}"));
            return Err(match self.issues.0.is_empty() || name.contains('/') {
                true => error,
                false => error.with_hint(format!("there is no [sources.NAME.issue.{name}] either")),
            });
        }
        match request.version().map(|version| (version, version.parse::<u64>())) {
            None => Ok(()),
            Some((text, Ok(number))) if number > 0 && number.to_string() == text => Ok(()),
            Some(_) => Err(invalid("a version is a number, from 1".to_owned())),
        }
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        list::check(prefix)
    }

    fn issues(&self, request: &SecretRequest) -> bool {
        let is_kv = |path: &Path| self.kv_mounts.iter().any(|mount| path.is_below(mount));
        self.issues.0.contains_key(request.name())
            || Path::parse(request.name()).is_ok_and(|path| path.is_dynamic() && !is_kv(&path))
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.check(request)?;
        if self.issues(request) {
            return self.issues.make(&self.access, run, request).await;
        }
        read::read(&self.access, run, request).await
    }

    async fn refresh(
        &self,
        run: &RunContext,
        request: &SecretRequest,
        held: &Held,
    ) -> Result<Refreshed, SourceError> {
        self.issues.refresh(&self.access, run, request, held).await
    }

    async fn release(&self, run: &RunContext, leases: &[String]) -> Result<(), SourceError> {
        issuing::release(&self.access, run, leases).await
    }

    async fn close(&self, run: &RunContext) {
        self.access.close(run).await;
    }

    async fn list(&self, run: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        list::list(&self.access, run, prefix).await
    }
}
