//! Parses the issuer and the subject of an X.509 certificate (RFC 5280). The two names are compared byte by byte.

/// The tags of DER that lead to the names.
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
/// The tag of the version of a certificate. A certificate of version 1 has none.
const VERSION: u8 = 0xa0;

/// The names in a certificate, in DER.
#[derive(Clone, Copy)]
pub(super) struct Names<'d> {
    pub(super) issuer: &'d [u8],
    pub(super) subject: &'d [u8],
}

impl<'d> Names<'d> {
    /// Parses the names. Returns none if this is not a certificate.
    pub(super) fn of(der: &'d [u8]) -> Option<Self> {
        let mut whole = Elements(der);
        let mut certificate = Elements(whole.next(SEQUENCE)?);
        if !whole.0.is_empty() {
            return None;
        }
        let mut fields = Elements(certificate.next(SEQUENCE)?);
        if fields.0.first() == Some(&VERSION) {
            fields.next(VERSION)?;
        }
        fields.next(INTEGER)?;
        let _algorithm = fields.next(SEQUENCE)?;
        let issuer = fields.next(SEQUENCE)?;
        let _validity = fields.next(SEQUENCE)?;
        let subject = fields.next(SEQUENCE)?;
        Some(Self { issuer, subject })
    }

    /// Returns whether a certificate names itself as its issuer.
    pub(super) fn are_the_same(self) -> bool {
        self.issuer == self.subject
    }
}

/// The rest of a sequence of DER elements.
struct Elements<'d>(&'d [u8]);

impl<'d> Elements<'d> {
    /// Returns the content of the next element, which must have this tag.
    fn next(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (length, rest) = length(self.0.strip_prefix(&[tag])?)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}

/// Parses a length: one byte, or up to four bytes whose number the first byte gives.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((first.into(), rest));
    }
    let (digits, rest) =
        rest.split_at_checked((first & 0x7f).into()).filter(|(digits, _)| matches!(digits.len(), 1..=4))?;
    Some((digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest))
}
