//! A certificate and its key are a pair, at each moment and for each reader.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use atomicdir::{FileName, Snapshot};
use serde_json::json;

use super::{Role, bao, issue, issuing, pki, site};
use crate::support::Site;

/// How many certificates are issued. The trial of a thousand is made with `SECRETDIR_FLIPS=1000`.
const FLIPS: usize = 25;

#[test]
fn certificate_and_key_are_a_pair_for_a_reader_through_many_flips() {
    pki("e2e-pair", &json!({}));
    let role = Role::make("e2e-pair", &issuing("e2e-pair"), &json!({}));
    let site = site(&role, &bao().endpoint(), &issue("e2e-pair"));
    site.run(&["sync"]).expect_exit(0);
    let flips = std::env::var("SECRETDIR_FLIPS").map_or(FLIPS, |flips| flips.parse().unwrap());
    let (ended, pairs) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::SeqCst) {
                assert_pair(&site);
                pairs.fetch_add(1, Ordering::SeqCst);
            }
        });
        let _ended = EndAtDrop(&ended);
        for number in 0..flips {
            // Another parameter is another certificate.
            let config = issue("e2e-pair").replace("1h", &format!("{}s", 3600 + number));
            let text = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
            let (head, _) = text.split_once("[sources.vault.issue.web]").unwrap();
            site.config(&format!("{head}{config}"));
            let ran = site.run(&["sync"]).expect_exit(0);
            assert!(ran.stdout.contains("published"), "{ran:?}");
            assert_pair(&site);
        }
    });
    assert!(pairs.load(Ordering::SeqCst) > 0);
}

/// Ends the reader, also when the writer fails.
struct EndAtDrop<'e>(&'e AtomicBool);

impl Drop for EndAtDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Reads both through one snapshot, and lets openssl compare their public keys.
fn assert_pair(site: &Site) {
    let snapshot = Snapshot::open(site.link()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let public = |name: &str, arguments: &[&str]| {
        let path = folder.path().join("in.pem");
        std::fs::write(&path, snapshot.read(&FileName::new(name).unwrap()).unwrap()).unwrap();
        let ran =
            std::process::Command::new("openssl").args(arguments).arg("-in").arg(&path).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        ran.stdout
    };
    let of_certificate = public("tls/cert.pem", &["x509", "-noout", "-pubkey"]);
    let of_key = public("tls/key.pem", &["pkey", "-pubout"]);
    assert_eq!(of_certificate, of_key);
    let chain = public("tls/chain.pem", &["x509", "-noout", "-subject"]);
    assert!(String::from_utf8(chain).unwrap().contains("root of the tests"));
}
