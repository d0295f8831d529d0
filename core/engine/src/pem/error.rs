//! Why nothing could be cut out of a value.

/// Why nothing could be cut out of a value. Lines are counted from 1. Never holds any part of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// A line has a mark in it, and something else.
    #[error("line {line} of the value has more than a BEGIN or END mark of PEM")]
    NotAlone {
        /// The line.
        line: usize,
    },
    /// A block has no end.
    #[error("the PEM block at line {line} of the value has no END line")]
    NoEnd {
        /// The line where the block begins.
        line: usize,
    },
    /// A block ends with the label of another one.
    #[error(
        "the PEM block at line {line} of the value has another label in its END line, which is line {end}"
    )]
    OtherEnd {
        /// The line where the block begins.
        line: usize,
        /// The line where it ends.
        end: usize,
    },
    /// There is an end without a block.
    #[error("line {line} of the value ends a PEM block that has no BEGIN line")]
    NoBegin {
        /// The line.
        line: usize,
    },
    /// A line of a block is not base64.
    #[error("line {line} of the value is inside a PEM block, and is not base64")]
    NotBase64 {
        /// The line.
        line: usize,
    },
    /// The lines of a block are base64 each, but not together.
    #[error("the PEM block at line {line} of the value is not complete base64")]
    NotComplete {
        /// The line where the block begins.
        line: usize,
    },
    /// A certificate cannot be read.
    #[error("the PEM block at line {line} of the value is not an X.509 certificate")]
    NotACertificate {
        /// The line where the block begins.
        line: usize,
    },
    /// There is no private key.
    #[error("the value has no private key in PEM")]
    NoKey,
    /// There is more than one private key.
    #[error("the value has more than one private key, at lines {first} and {second}")]
    SeveralKeys {
        /// The line where the first one begins.
        first: usize,
        /// The line where the second one begins.
        second: usize,
    },
    /// There is no certificate.
    #[error("the value has no certificate in PEM")]
    NoCertificate,
    /// Each certificate is the issuer of another one.
    #[error("the value has no leaf certificate: each one is the issuer of another one")]
    NoLeaf,
    /// There is a leaf only.
    #[error("the value has one certificate and no chain")]
    NoChain,
}

impl PemError {
    /// Returns what a person can do about it.
    pub(crate) fn hint(self) -> Option<&'static str> {
        match self {
            Self::NotAlone { .. } => {
                Some(r"each mark needs a line of its own: are line ends lost, or written as `\n`?")
            }
            Self::NoKey | Self::NoCertificate => Some("`field` or `decode` may have to come before `pem`"),
            Self::NoChain => Some("use `pem = \"certificates\"` if a chain may be missing"),
            _ => None,
        }
    }
}
