//! The certificates of trusted authorities, if a file replaces those of the machine.

use std::fmt;
use std::path::Path;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_smithy_types::base64;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secretdir_helpers::certificates;

/// Certificates that can be parsed. The SDK panics at others.
#[derive(Clone, PartialEq)]
pub(crate) struct CaCertificates(Vec<u8>);

impl CaCertificates {
    /// Reads a file. Errors name the file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let unreadable = |why: String| format!("{} cannot be read: {why}", path.display());
        // Reading a FIFO or a device may never end.
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(unreadable("it is not a regular file".to_owned()));
        }
        let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        if can_be_trusted(&pem) {
            Ok(Self(pem))
        } else {
            Err(format!("{} has no certificates, or damaged ones", path.display()))
        }
    }

    /// Returns the machine's certificates, without damaged ones.
    pub(super) fn of_the_machine() -> Self {
        let mut roots = RootCertStore::empty();
        let good = certificates::of_this_machine()
            .into_iter()
            .filter(|certificate| roots.add(certificate.clone()).is_ok());
        Self(good.flat_map(|certificate| in_pem(&certificate).into_bytes()).collect())
    }

    /// Returns a TLS context that trusts only these certificates.
    pub(super) fn trusted(&self) -> Option<TlsContext> {
        TlsContext::builder()
            .with_trust_store(TrustStore::empty().with_pem_certificate(self.0.clone()))
            .build()
            .ok()
    }
}

impl fmt::Debug for CaCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({} bytes)", self.0.len())
    }
}

fn in_pem(certificate: &CertificateDer<'_>) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64::encode(certificate))
}

fn can_be_trusted(pem: &[u8]) -> bool {
    let mut roots = RootCertStore::empty();
    let all_are_good = CertificateDer::pem_slice_iter(pem)
        .all(|certificate| certificate.is_ok_and(|certificate| roots.add(certificate).is_ok()));
    all_are_good && !roots.is_empty()
}
