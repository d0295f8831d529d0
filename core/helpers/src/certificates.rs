//! The certificate authorities that this machine trusts.

use rustls_native_certs::{load_certs_from_paths, load_native_certs};
use rustls_pki_types::CertificateDer;

/// Returns the authorities of SSL_CERT_FILE and SSL_CERT_DIR. If neither is set, returns those of the system's usual
/// file. Unreadable files are skipped.
///
/// The system's usual folder has the same certificates, one file each. It is read only if the usual file yields none.
pub fn of_this_machine() -> Vec<CertificateDer<'static>> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let file = named("SSL_CERT_FILE");
    // Reading a FIFO or a device may never end.
    if file.as_ref().is_some_and(|file| std::fs::metadata(file).is_ok_and(|found| !found.is_file())) {
        return Vec::new();
    }
    if file.is_some() || named("SSL_CERT_DIR").is_some() {
        return load_native_certs().certs;
    }
    let usual = openssl_probe::probe();
    let of_file =
        usual.cert_file.map(|file| load_certs_from_paths(Some(&file), None).certs).unwrap_or_default();
    if !of_file.is_empty() {
        return of_file;
    }
    usual.cert_dir.iter().flat_map(|folder| load_certs_from_paths(None, Some(folder)).certs).collect()
}
