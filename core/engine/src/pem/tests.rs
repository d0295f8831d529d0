//! The certificates here are as much of one as is read: two names.

use proptest::prelude::*;
use secretdir_helpers::coding::Coding;

use super::*;

/// Returns an element of DER with a content of less than 64 KiB.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn name(name: &str) -> Vec<u8> {
    der(0x30, &der(0x0c, name.as_bytes()))
}

fn certificate(issuer: &str, subject: &str) -> String {
    block("CERTIFICATE", &whole(&der(0xa0, &der(2, &[2])), issuer, subject))
}

/// Returns a certificate in DER, with this before its serial number.
fn whole(version: &[u8], issuer: &str, subject: &str) -> Vec<u8> {
    let empty = der(0x30, b"");
    let fields = [version, &der(2, &[1]), &empty, &name(issuer), &empty, &name(subject), &empty];
    der(0x30, &[&der(0x30, &fields.concat())[..], &empty].concat())
}

fn block(label: &str, bytes: &[u8]) -> String {
    let base64 = String::from_utf8(Coding::Base64.encode(bytes).to_vec()).unwrap();
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn key() -> String {
    block("PRIVATE KEY", b"hunter2")
}

#[track_caller]
fn cut(part: Part, value: &str) -> String {
    String::from_utf8(part.cut(value.as_bytes()).unwrap().to_vec()).unwrap()
}

#[test]
fn a_bundle_is_taken_apart() {
    let (leaf, middle, root) =
        (certificate("middle", "leaf"), certificate("root", "middle"), certificate("root", "root"));
    let bundle = format!("Bag Attributes\n{}{leaf}\nissuer=middle\n{middle}{root}", key());
    assert_eq!(cut(Part::Key, &bundle), key());
    assert_eq!(cut(Part::Leaf, &bundle), leaf);
    assert_eq!(cut(Part::Chain, &bundle), format!("{middle}{root}"));
    assert_eq!(cut(Part::Certificates, &bundle), format!("{leaf}{middle}{root}"));
    let reversed = format!("{root}{middle}{}{leaf}", key());
    for part in [Part::Key, Part::Leaf, Part::Chain, Part::Certificates] {
        assert_eq!(cut(part, &reversed), cut(part, &bundle));
    }
}

#[test]
fn the_leaf_is_the_first_certificate_that_is_no_issuer() {
    let root = certificate("root", "root");
    for (value, leaf) in [
        (vec![root.clone()], 0),
        // A root and its successor: neither has issued the other.
        (vec![root.clone(), root.clone()], 0),
        (vec![root.clone(), certificate("root", "a"), certificate("root", "b")], 1),
        (vec![certificate("", "a"), certificate("", "b")], 0),
        // One that has issued itself under another name is still the issuer of that name.
        (vec![certificate("other", "root"), certificate("root", "other"), certificate("other", "leaf")], 2),
        // An issuer that is not there.
        (vec![certificate("elsewhere", "leaf"), root.clone()], 0),
    ] {
        assert_eq!(cut(Part::Leaf, &value.concat()), value[leaf]);
    }
    let circle = certificate("a", "b") + &certificate("b", "a");
    assert_eq!(Part::Leaf.cut(circle.as_bytes()).unwrap_err(), PemError::NoLeaf);
}

#[test]
fn a_certificate_of_the_first_version_has_no_version() {
    let root = block("CERTIFICATE", &whole(b"", "root", "root"));
    let leaf = certificate("root", "leaf");
    assert_eq!(cut(Part::Certificates, &format!("{root}{leaf}")), format!("{leaf}{root}"));
}

#[test]
fn what_has_no_issuer_or_a_second_one_stays_in_its_order() {
    let [leaf, middle, root] =
        [("middle", "leaf"), ("root", "middle"), ("root", "root")].map(|(a, b)| certificate(a, b));
    let crossed = certificate("older", "root");
    let (one, other) = (certificate("one", "one"), certificate("other", "other"));
    let all = [leaf, middle, root, crossed, one, other].concat();
    assert_eq!(cut(Part::Certificates, &all), all);
}

#[test]
fn older_keys_and_their_parameters_and_encryption_are_known() {
    let headers = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAP8=\n-----END RSA PRIVATE KEY-----\n";
    assert_eq!(cut(Part::Key, headers), headers);
    let parameters = block("EC PARAMETERS", b"curve");
    for label in [
        "EC PRIVATE KEY",
        "RSA PRIVATE KEY",
        "DSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
    ] {
        let key = block(label, b"hunter2");
        assert_eq!(cut(Part::Key, &format!("{parameters}{key}")), key);
    }
    let armoured = "-----BEGIN PGP MESSAGE-----\nVersion: 1\n\nAP8=\n=twTO\n-----END PGP MESSAGE-----\n";
    assert_eq!(cut(Part::Key, &(armoured.to_owned() + &key())), key());
}

#[test]
fn line_ends_stay_and_the_last_line_gets_one() {
    let dos = key().replace('\n', "\r\n");
    assert_eq!(cut(Part::Key, &dos), dos);
    assert_eq!(cut(Part::Key, dos.trim_end()), dos);
    assert_eq!(cut(Part::Key, key().trim_end()), key());
    let blanks = key().replace("-----\n", "----- \t\n").replace("=\n", "= \n");
    assert_eq!(cut(Part::Key, &blanks), blanks);
    let one_line = key() + certificate("a", "a").trim_end();
    assert_eq!(Part::Leaf.cut(one_line.as_bytes()).unwrap().capacity(), certificate("a", "a").len());
}

#[test]
fn a_damaged_block_is_named_by_its_line() {
    let (key, good) = (key(), certificate("a", "a"));
    let lines: Vec<_> = key.lines().collect();
    for (value, expected) in [
        (format!("\n{}\n{}\n", lines[0], lines[1]), PemError::NoEnd { line: 2 }),
        (format!("{}\n{key}", lines[0]), PemError::NoEnd { line: 1 }),
        (key.replace("END PRIVATE", "END EC PRIVATE"), PemError::OtherEnd { line: 1, end: 3 }),
        (format!("{good}-----END CERTIFICATE-----\n"), PemError::NoBegin { line: good.lines().count() + 1 }),
        (key.replace('\n', "\\n"), PemError::NotAlone { line: 1 }),
        (key.replace('\n', " "), PemError::NotAlone { line: 1 }),
        (format!("\u{feff}{key}"), PemError::NotAlone { line: 1 }),
        (format!("  {key}"), PemError::NotAlone { line: 1 }),
        (format!("{}{key}", key.trim_end()), PemError::NotAlone { line: 3 }),
        (key.replace("-----END", "*\n-----END"), PemError::NotBase64 { line: 3 }),
        (key.replace("-----\na", "-----\nA: b\na"), PemError::NotBase64 { line: 2 }),
        (key.replace("-----\na", "-----\n a"), PemError::NotBase64 { line: 2 }),
        (key.replace('\n', "\n\n"), PemError::NotBase64 { line: 2 }),
        (key.replace("=\n", "\n"), PemError::NotComplete { line: 1 }),
        (format!("{}\n{}\n", lines[0], lines[2]), PemError::NotComplete { line: 1 }),
    ] {
        for part in [Part::Key, Part::Leaf] {
            assert_eq!(part.cut(value.as_bytes()).unwrap_err(), expected, "{value}");
            assert!(!expected.to_string().contains("hunter2"));
        }
    }
    let der_of = whole(b"", "a", "b");
    let trailing = [&der_of[..], &[0]].concat();
    let long = [&[0x30, 0x85, 0, 0, 0][..], &der_of[2..]].concat();
    for bytes in [&b"hunter2"[..], &der(0x30, b""), &[0x30, 0x80, 0, 0], &[0x30], &trailing, &long] {
        let value = good.clone() + &block("CERTIFICATE", bytes);
        let expected = PemError::NotACertificate { line: good.lines().count() + 1 };
        assert_eq!(Part::Leaf.cut(value.as_bytes()).unwrap_err(), expected);
    }
}

#[test]
fn what_is_not_there_is_an_error() {
    let both = format!("{}\n{}", key(), key());
    for (part, value, expected) in [
        (Part::Key, "", PemError::NoKey),
        (Part::Key, &certificate("a", "a"), PemError::NoKey),
        (Part::Key, &both, PemError::SeveralKeys { first: 1, second: 5 }),
        (Part::Leaf, &key(), PemError::NoCertificate),
        (Part::Certificates, "hunter2", PemError::NoCertificate),
        (Part::Chain, &certificate("root", "leaf"), PemError::NoChain),
    ] {
        assert_eq!(part.cut(value.as_bytes()).unwrap_err(), expected, "{value}");
    }
}

/// A text with damage of the kinds that there are.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(key()),
        Just(certificate("a", "b")),
        Just(certificate("b", "a")),
        Just("-----BEGIN CERTIFICATE-----\n".to_owned()),
        Just("-----END CERTIFICATE-----".to_owned()),
        "[-A-Za-z0-9+/= :\r\n]{0,20}",
    ];
    let edit = (any::<prop::sample::Index>(), any::<u8>());
    (prop::collection::vec(piece, 0..6), prop::option::of(edit)).prop_map(|(pieces, edit)| {
        let mut text = pieces.concat().into_bytes();
        if let Some((at, byte)) = edit.filter(|_| !text.is_empty()) {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text
    })
}

proptest! {
    #[test]
    fn what_is_cut_out_is_a_part_of_the_value(value in damaged()) {
        for part in [Part::Key, Part::Leaf] {
            let Ok(found) = part.cut(&value) else { continue };
            let found = found.strip_suffix(b"\n").unwrap();
            prop_assert!(value.windows(found.len()).any(|window| window == found || found.strip_suffix(b"\r") == Some(window)));
        }
    }

    #[test]
    fn anything_is_no_trouble(value in prop::collection::vec(any::<u8>(), 0..200)) {
        for part in [Part::Key, Part::Leaf, Part::Chain, Part::Certificates] {
            let _ = part.cut(&value);
        }
        let _ = certificate::Names::of(&value);
    }

    #[test]
    fn certificates_that_follow_each_other_come_back_as_they_were(count in 1..8_usize, between in "[ a-z=\r\n]{0,9}") {
        let chain: Vec<_> = (0..count).map(|n| certificate(&(n + 1).to_string(), &n.to_string())).collect();
        let between = format!("{between}\n");
        let value = format!("{between}{}", chain.join(&between));
        prop_assert_eq!(cut(Part::Certificates, &value), chain.concat());
        prop_assert_eq!(cut(Part::Certificates, &chain.concat()), chain.concat());
        let reversed: Vec<_> = chain.iter().rev().cloned().collect();
        prop_assert_eq!(cut(Part::Certificates, &reversed.concat()), chain.concat());
    }
}
