//! Extracts PEM blocks (RFC 7468) from a value: a private key, a certificate, a chain.
//!
//! 1. `blocks` finds every block, and validates its END line and its base64. A value with a damaged block is refused,
//!    whichever part is wanted.
//! 2. `order` parses the names in the certificates and sorts these, the leaf first.
//! 3. The wanted blocks are copied exactly, with their line ends, into a buffer that never grows. If the last line has no
//!    line end, one is added.
//!
//! Errors contain line numbers, and no part of the value.

mod blocks;
mod certificate;
mod error;
mod order;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

use blocks::{Block, Kind, blocks};
pub use error::PemError;
use order::leaf_first;

/// The part to extract from a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The only private key.
    Key,
    /// The certificate that is not the issuer of another one.
    Leaf,
    /// All other certificates.
    Chain,
    /// The leaf, and then the chain.
    Certificates,
}

impl Part {
    /// Parses the spelling of the configuration.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "key" => Some(Self::Key),
            "leaf" => Some(Self::Leaf),
            "chain" => Some(Self::Chain),
            "certificates" => Some(Self::Certificates),
            _ => None,
        }
    }

    /// Extracts the part.
    ///
    /// # Errors
    ///
    /// The value has a damaged block, or does not have this part.
    pub(crate) fn cut(self, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let blocks = blocks(value)?;
        if self == Self::Key {
            return Ok(copied(&[only_key(&blocks)?]));
        }
        let certificates = leaf_first(&blocks)?;
        let (leaf, chain) = certificates.split_first().ok_or(PemError::NoCertificate)?;
        match self {
            Self::Leaf => Ok(copied(&[*leaf])),
            Self::Chain if chain.is_empty() => Err(PemError::NoChain),
            Self::Chain => Ok(copied(chain)),
            Self::Certificates | Self::Key => Ok(copied(&certificates)),
        }
    }
}

fn only_key<'b, 't>(blocks: &'b [Block<'t>]) -> Result<&'b Block<'t>, PemError> {
    let mut keys = blocks.iter().filter(|block| block.kind == Kind::Key);
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (Some(first), Some(second)) => Err(PemError::SeveralKeys { first: first.line, second: second.line }),
        (None, _) => Err(PemError::NoKey),
    }
}

fn copied(blocks: &[&Block<'_>]) -> Zeroizing<Vec<u8>> {
    let pieces = || blocks.iter().flat_map(|block| [block.text, block.missing_line_end()]);
    let mut copy = Zeroizing::new(Vec::with_capacity(pieces().map(<[u8]>::len).sum()));
    pieces().for_each(|piece| copy.extend_from_slice(piece));
    copy
}
