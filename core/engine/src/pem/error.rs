//! The errors of extracting PEM.

/// The reason why a part could not be extracted. Lines are counted from 1. It contains no part of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// A line contains a mark and other text.
    #[error("line {line} of the value has a BEGIN or END mark of PEM and something else")]
    NotAlone {
        /// The line.
        line: usize,
    },
    /// A block has no END line.
    #[error("the PEM block at line {line} of the value has no END line")]
    NoEnd {
        /// The line where the block begins.
        line: usize,
    },
    /// A block has a different label in its END line.
    #[error(
        "the PEM block at line {line} of the value has a different label in its END line, which is line {end}"
    )]
    OtherEnd {
        /// The line where the block begins.
        line: usize,
        /// The line where it ends.
        end: usize,
    },
    /// An END line has no block.
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
    /// Each line of a block is base64, but the block is not complete.
    #[error("the PEM block at line {line} of the value is not complete base64")]
    NotComplete {
        /// The line where the block begins.
        line: usize,
    },
    /// A certificate cannot be parsed.
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
    /// There is only a leaf.
    #[error("the value has one certificate and no chain")]
    NoChain,
}

impl PemError {
    /// Returns a hint for the user.
    pub(crate) fn hint(self) -> Option<&'static str> {
        match self {
            Self::NotAlone { .. } => {
                Some(r"each mark needs its own line: are line ends lost, or written as `\n`?")
            }
            Self::NoKey | Self::NoCertificate => {
                Some("perhaps the value needs `field` or `decode`, which come before `pem`")
            }
            Self::NoChain => Some("use `pem = \"certificates\"` if a chain may be missing"),
            _ => None,
        }
    }
}
