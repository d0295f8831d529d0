//! The connectors that requests go through. Each is made for the first request that needs it.
//!
//! Loading the machine's certificates takes far more work than a whole run with one secret. So they are loaded once for
//! a source, and only if a request needs TLS: for `https`, or to a proxy.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_sdk_secretsmanager::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};

use super::CaCertificates;
use super::target::Way;

/// What a request needs from its connector.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// Neither TLS nor a proxy.
    Plain,
    Tls,
    /// TLS, and the proxies of the environment.
    Proxy,
}

impl Need {
    /// Returns what a way needs. A plain-text connection without a proxy needs nothing.
    pub(super) fn of(way: &Way, is_direct: bool) -> Self {
        match () {
            () if way.is_plain() => Self::Plain,
            () if is_direct => Self::Tls,
            () => Self::Proxy,
        }
    }
}

/// The clients that make connectors, one for each need.
#[derive(Clone)]
pub(super) struct Clients {
    plain: SharedHttpClient,
    tls: SharedHttpClient,
    proxy: SharedHttpClient,
}

impl Clients {
    /// Takes the authorities that replace the machine's.
    pub(super) fn new(authorities: Option<CaCertificates>) -> Self {
        let trusted = Arc::new(Trusted { authorities, context: OnceLock::new() });
        Self {
            plain: client(ProxyConfig::disabled(), None),
            tls: client(ProxyConfig::disabled(), Some(Arc::clone(&trusted))),
            proxy: client(ProxyConfig::from_env(), Some(trusted)),
        }
    }

    pub(super) fn connectors(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> Connectors {
        let (settings, components) = (settings.clone(), components.clone());
        Connectors(Arc::new(Making { clients: self.clone(), settings, components }))
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// The trusted authorities, which are loaded when they are needed.
struct Trusted {
    authorities: Option<CaCertificates>,
    context: OnceLock<Option<TlsContext>>,
}

impl Trusted {
    fn context(&self) -> Option<TlsContext> {
        let load = || match &self.authorities {
            Some(authorities) => authorities.trusted(),
            None => CaCertificates::of_the_machine().trusted(),
        };
        self.context.get_or_init(load).clone()
    }
}

/// Builds the SDK's default client, with ring instead of aws-lc. It keeps the connectors that it has made.
fn client(proxy: ProxyConfig, trusted: Option<Arc<Trusted>>) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default();
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(proxy.clone()));
        let Some(trusted) = &trusted else { return connector.build_http() };
        let mut connector = connector.tls_provider(Provider::Rustls(CryptoMode::Ring));
        if let Some(context) = trusted.context() {
            connector.set_tls_context(context);
        }
        connector.build()
    })
}

/// The connectors for calls with the same settings.
#[derive(Clone)]
pub(super) struct Connectors(Arc<Making>);

struct Making {
    clients: Clients,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl Connectors {
    /// Returns the connector for a need. The first call makes it.
    pub(super) fn get(&self, need: Need) -> SharedHttpConnector {
        let Making { clients, settings, components } = &*self.0;
        let client = match need {
            Need::Plain => &clients.plain,
            Need::Tls => &clients.tls,
            Need::Proxy => &clients.proxy,
        };
        client.http_connector(settings, components)
    }
}

impl fmt::Debug for Connectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connectors").finish_non_exhaustive()
    }
}
