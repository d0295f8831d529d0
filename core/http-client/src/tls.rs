//! The certificate authorities that a client trusts, and its own certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use secretdir_helpers::certificates;
use secretdir_provider::{Settings, SettingsError};
use zeroize::Zeroizing;

use crate::error::{ClientError, Fault};

/// The TLS settings of a source: the keys `ca-certificate`, `client-certificate` and `client-key`.
///
/// They are keys of the source itself, so a provider has a field for each of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct TlsSettings<'s> {
    /// A PEM file with the authorities to trust instead of those of the machine.
    pub ca_certificate: Option<&'s str>,
    /// A PEM file with the client's certificate, and the certificates between it and its authority.
    pub client_certificate: Option<&'s str>,
    /// A PEM file with the key of that certificate, not encrypted.
    pub client_key: Option<&'s str>,
}

/// The files for TLS. Each run reads them when it needs them, so they can be rotated.
///
/// If a file of authorities is set, only these are trusted. Then no other authority can issue a certificate for a man
/// in the middle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    authorities: Option<PathBuf>,
    identity: Option<Identity>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl TlsSettings<'_> {
    /// Resolves the paths of the files, without reading them.
    ///
    /// # Errors
    ///
    /// A path is not valid, or only one of certificate and key is set.
    pub fn locate(self, settings: &Settings) -> Result<Tls, SettingsError> {
        let located = |key: &'static str, path: Option<&str>| match path {
            Some(path) => settings.path(key, path).map(Some),
            None => Ok(None),
        };
        let identity = match (self.client_certificate, self.client_key) {
            (Some(_), None) => Err(SettingsError::new("client-certificate", "needs `client-key` beside it")),
            (None, Some(_)) => Err(SettingsError::new("client-key", "needs `client-certificate` beside it")),
            (certificate, key) => {
                both(located("client-certificate", certificate), located("client-key", key))
            }
        };
        let (authorities, (certificate, key)) =
            both(located("ca-certificate", self.ca_certificate), identity)?;
        let identity = certificate.zip(key).map(|(certificate, key)| Identity { certificate, key });
        Ok(Tls { authorities, identity })
    }
}

/// Combines two results, and keeps the errors of both.
fn both<A, B>(a: Result<A, SettingsError>, b: Result<B, SettingsError>) -> Result<(A, B), SettingsError> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err(a.and(b)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

impl Tls {
    /// Reads the configured files, or the authorities of the machine.
    pub(crate) fn read(&self) -> Result<ClientConfig, ClientError> {
        let roots = match &self.authorities {
            Some(path) => authorities(path).map_err(|cause| ClientError::of_files(Fault::Authorities, cause)),
            None => authorities_of_this_machine(),
        };
        let builder = builder()?.with_root_certificates(roots?);
        let Some(identity) = &self.identity else { return Ok(builder.with_no_client_auth()) };
        let (chain, key) = identity.read().map_err(|cause| ClientError::of_files(Fault::Identity, cause))?;
        builder.with_client_auth_cert(chain, key).map_err(|error| {
            let Identity { certificate, key } = identity;
            let cause = format!("{certificate:?} and {key:?} cannot be used together: {error}");
            ClientError::of_files(Fault::Identity, cause)
        })
    }
}

/// Returns a configuration that trusts no authority, for plain HTTP.
pub(crate) fn without_trust() -> Result<ClientConfig, ClientError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Begins a configuration with ring, whatever provider the process has installed.
fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ClientError> {
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::of_files(Fault::Tls, error.to_string()))
}

fn authorities_of_this_machine() -> Result<RootCertStore, ClientError> {
    let mut roots = RootCertStore::empty();
    // A broken certificate does not hide the others.
    let (added, _) = roots.add_parsable_certificates(certificates::of_this_machine());
    if added == 0 {
        let cause = "no certificate authorities can be read on this machine".to_owned();
        return Err(ClientError::of_files(Fault::NoAuthorities, cause));
    }
    Ok(roots)
}

fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates_in(path)? {
        roots.add(certificate).map_err(|_| broken(path))?;
    }
    Ok(roots)
}

fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = contents(path)?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| broken(path))?;
    if certificates.is_empty() { Err(broken(path)) } else { Ok(certificates) }
}

fn broken(path: &Path) -> String {
    format!("the file {path:?} has no certificates, or damaged ones")
}

impl Identity {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let chain = certificates_in(&self.certificate)?;
        let pem = contents(&self.key)?;
        // The error of the parser may quote the key.
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
            format!("the file {:?} has no private key, or one that is damaged or encrypted", self.key)
        })?;
        Ok((chain, key))
    }
}

/// Reads a regular file. Reading a FIFO or a device may never end.
fn contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let read = || {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        fs::read(path).map(Zeroizing::new)
    };
    read().map_err(|error| format!("the file {path:?} cannot be read: {error}"))
}
