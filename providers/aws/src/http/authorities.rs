//! Certificates of the authorities that are trusted, where a file names others than the machine does.

use std::fmt;
use std::path::Path;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A file of certificates, each of which can be read: the SDK panics at others.
pub(crate) struct Authorities(Vec<u8>);

impl Authorities {
    /// Reads a file. What it says of a failure names the file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let pem =
            std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        if can_be_trusted(&pem) {
            Ok(Self(pem))
        } else {
            Err(format!("{} holds no certificates, or broken ones", path.display()))
        }
    }

    /// Returns these, and no others.
    pub(super) fn trusted(&self) -> Option<TlsContext> {
        TlsContext::builder()
            .with_trust_store(TrustStore::empty().with_pem_certificate(self.0.clone()))
            .build()
            .ok()
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({} bytes)", self.0.len())
    }
}

fn can_be_trusted(pem: &[u8]) -> bool {
    let mut roots = RootCertStore::empty();
    let all_are_good = CertificateDer::pem_slice_iter(pem)
        .all(|certificate| certificate.is_ok_and(|certificate| roots.add(certificate).is_ok()));
    all_are_good && !roots.is_empty()
}
