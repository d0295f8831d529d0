//! Values come back byte for byte.

use super::{assert_value, context, put, request, source_of};
use crate::fixture::Fixture;

/// An empty value comes back empty, and not as a missing secret.
pub async fn an_empty_value_survives<F: Fixture>(fixture: F) {
    survive(fixture, &[b""]).await;
}

/// A value of one byte comes back.
pub async fn one_byte_survives<F: Fixture>(fixture: F) {
    survive(fixture, &[b"x"]).await;
}

/// A value of 65,536 bytes comes back whole.
pub async fn kib_64_survive<F: Fixture>(fixture: F) {
    let value: Vec<u8> = (b'!'..=b'~').cycle().take(64 * 1024).collect();
    survive(fixture, &[&value]).await;
}

/// A value with each byte from 0 to 255 comes back.
pub async fn all_256_byte_values_survive<F: Fixture>(fixture: F) {
    let value: Vec<u8> = (0..=255).collect();
    survive(fixture, &[&value, b"\0", b"a\0b\0"]).await;
}

/// A value with each byte from 1 to 255 comes back. This is for a store that cannot hold NUL.
pub async fn all_byte_values_but_nul_survive<F: Fixture>(fixture: F) {
    let value: Vec<u8> = (1..=255).collect();
    survive(fixture, &[&value]).await;
}

/// Bytes that are not UTF-8 come back unchanged, and not as replacement characters.
pub async fn invalid_utf8_survives<F: Fixture>(fixture: F) {
    survive(fixture, &[b"\xff\xfe", b"caf\xe9", b"\xc3", b"\xed\xa0\x80"]).await;
}

/// White space and line ends at both ends of a value, a byte order mark, and text that looks encoded come back unchanged.
pub async fn nothing_is_trimmed<F: Fixture>(fixture: F) {
    let values: [&[u8]; 9] = [
        b"value\n",
        b"value\r\n",
        b"\n\nvalue",
        b" \tvalue\t ",
        b"\n",
        b" ",
        "\u{feff}value\u{a0}".as_bytes(),
        b"dmFsdWU=",
        b"\"value\"",
    ];
    survive(fixture, &values).await;
}

/// Stores the values, and fails unless each comes back, fetched alone and together.
async fn survive<F: Fixture>(mut fixture: F, values: &[&[u8]]) {
    let label = |number: usize| format!("value-{number}");
    for (number, value) in values.iter().enumerate() {
        put(&mut fixture, &label(number), value).await;
    }
    let source = source_of(&fixture);
    let requests: Vec<_> = (0..values.len()).map(|number| request(&fixture, &label(number))).collect();
    let together = crate::fetch_all(&*source, &context(4), &requests).await;
    assert_eq!(together.len(), values.len(), "answers of `fetch_all`");
    for ((request, value), answer) in requests.iter().zip(values).zip(&together) {
        assert_value("fetched together", answer, value);
        assert_value("fetched alone", &source.fetch(&context(1), request).await, value);
    }
}
