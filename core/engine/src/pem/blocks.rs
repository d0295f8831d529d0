//! Finds and validates the PEM blocks of a text.

use secretdir_helpers::coding::Coding;
use zeroize::Zeroizing;

use super::error::PemError;

/// A valid PEM block.
pub(super) struct Block<'t> {
    pub(super) kind: Kind,
    /// The line of the text where it begins, counted from 1.
    pub(super) line: usize,
    /// All its lines, unchanged.
    pub(super) text: &'t [u8],
    /// The decoded base64. It is empty if the block is neither a key nor a certificate.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// The kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Certificate,
    /// Another block, such as parameters or a request. It may have checksums or headers, so only its marks are validated.
    Other,
}

impl Kind {
    fn of(label: &[u8]) -> Self {
        match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => Self::Certificate,
            b"PRIVATE KEY" => Self::Key,
            _ if label.ends_with(b" PRIVATE KEY") => Self::Key,
            _ => Self::Other,
        }
    }
}

impl Block<'_> {
    /// Returns the line end that the last line lacks, in the style of the block. It is empty if none is missing.
    pub(super) fn missing_line_end(&self) -> &'static [u8] {
        let first = self.text.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        match self.text {
            [.., b'\n'] => b"",
            _ if first.ends_with(b"\r\n") => b"\r\n",
            _ => b"\n",
        }
    }
}

/// A line of a text.
#[derive(Clone, Copy)]
struct Line<'t> {
    /// Counted from 1.
    number: usize,
    /// The offset of the line in the text.
    start: usize,
    /// With its line end.
    bytes: &'t [u8],
}

/// The meaning of a line.
enum Mark<'t> {
    /// A block with this label begins.
    Begin(&'t [u8]),
    /// A block with this label ends.
    End(&'t [u8]),
    None,
}

/// Returns each block of a text. Text between blocks is ignored.
pub(super) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, PemError> {
    let (mut blocks, mut lines) = (Vec::new(), lines(text));
    while let Some(line) = lines.next() {
        match line.mark()? {
            Mark::Begin(label) => blocks.push(block(text, line, label, &mut lines)?),
            Mark::End(_) => return Err(PemError::NoBegin { line: line.number }),
            Mark::None => {}
        }
    }
    Ok(blocks)
}

fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let starts = text.split_inclusive(|byte| *byte == b'\n').scan(0, |next, bytes| {
        let start = *next;
        *next += bytes.len();
        Some((start, bytes))
    });
    starts.zip(1..).map(|((start, bytes), number)| Line { number, start, bytes })
}

/// Parses a block up to its end.
fn block<'t>(
    text: &'t [u8],
    begin: Line<'t>,
    label: &[u8],
    lines: &mut impl Iterator<Item = Line<'t>>,
) -> Result<Block<'t>, PemError> {
    let line = begin.number;
    for found in lines {
        match found.mark()? {
            Mark::None => {}
            Mark::Begin(_) => break,
            Mark::End(other) if other != label => {
                return Err(PemError::OtherEnd { line, end: found.number });
            }
            Mark::End(_) => {
                let body = text.get(begin.end()..found.start).unwrap_or_default();
                let text = text.get(begin.start..found.end()).unwrap_or_default();
                let kind = Kind::of(label);
                let der = if kind == Kind::Other { Zeroizing::default() } else { decoded(line, body)? };
                return Ok(Block { kind, line, text, der });
            }
        }
    }
    Err(PemError::NoEnd { line })
}

/// Decodes the lines between the marks of a block. An empty line is refused, as OpenSSL refuses it.
fn decoded(begin: usize, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let mut joined = Zeroizing::new(Vec::with_capacity(body.len()));
    for line in lines(body).skip(headers(body)) {
        let digits = line.bytes.trim_ascii_end();
        if digits.is_empty() || !digits.iter().all(is_base64) {
            return Err(PemError::NotBase64 { line: begin + line.number });
        }
        joined.extend_from_slice(digits);
    }
    let decoded = Coding::Base64.decode(&joined).ok().filter(|decoded| !decoded.is_empty());
    decoded.ok_or(PemError::NotComplete { line: begin })
}

/// Counts the headers of an encrypted key in the older format, with the empty line after them.
fn headers(body: &[u8]) -> usize {
    let has_headers = lines(body).next().is_some_and(|first| first.bytes.contains(&b':'));
    let end = lines(body).position(|line| line.bytes.trim_ascii().is_empty());
    end.filter(|_| has_headers).map_or(0, |end| end + 1)
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(byte)
}

impl<'t> Line<'t> {
    /// Returns the offset of the next line in the text.
    fn end(self) -> usize {
        self.start + self.bytes.len()
    }

    fn mark(self) -> Result<Mark<'t>, PemError> {
        const BEGIN: &[u8] = b"-----BEGIN ";
        const END: &[u8] = b"-----END ";
        let line = self.bytes.trim_ascii_end();
        let label = |mark| line.strip_prefix(mark)?.strip_suffix(b"-----").filter(|label| is_label(label));
        match (label(BEGIN), label(END)) {
            (Some(label), _) => Ok(Mark::Begin(label)),
            (_, Some(label)) => Ok(Mark::End(label)),
            _ if contains(line, BEGIN) || contains(line, END) => {
                Err(PemError::NotAlone { line: self.number })
            }
            _ => Ok(Mark::None),
        }
    }
}

/// Returns whether a label is valid by RFC 7468: printable ASCII characters, without two adjacent hyphens.
fn is_label(label: &[u8]) -> bool {
    label.iter().all(|byte| matches!(byte, b' '..=b'~')) && !contains(label, b"--")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
