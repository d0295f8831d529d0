//! Finds the leaf certificate, and the order of the others.

use std::collections::{HashMap, HashSet, VecDeque};

use super::blocks::{Block, Kind};
use super::certificate::Names;
use super::error::PemError;

/// Returns the certificates with the leaf first. The leaf is the first certificate that is not the issuer of another one.
/// Each certificate is followed by its issuer, if the text has it. All others come last, in their order in the text. So
/// certificates in this order keep it.
pub(super) fn leaf_first<'b, 't>(blocks: &'b [Block<'t>]) -> Result<Vec<&'b Block<'t>>, PemError> {
    let all = certificates(blocks)?;
    // A root names itself, and so does a renewed root. Neither is the issuer of the other.
    let issued = all.iter().filter(|(_, names)| !names.are_the_same());
    let issuers: HashSet<_> = issued.map(|(_, names)| names.issuer).collect();
    let leaf = all.iter().position(|(_, names)| !issuers.contains(names.subject));
    match leaf {
        Some(leaf) => Ok(Rest::of(&all).from(leaf)),
        None if all.is_empty() => Err(PemError::NoCertificate),
        None => Err(PemError::NoLeaf),
    }
}

/// A certificate and its names.
type Certificate<'b, 't> = (&'b Block<'t>, Names<'b>);

fn certificates<'b, 't>(blocks: &'b [Block<'t>]) -> Result<Vec<Certificate<'b, 't>>, PemError> {
    let certificates = blocks.iter().filter(|block| block.kind == Kind::Certificate);
    let named = |block: &'b Block<'t>| {
        let names = Names::of(&block.der).ok_or(PemError::NotACertificate { line: block.line })?;
        Ok((block, names))
    };
    certificates.map(named).collect()
}

/// The certificates that are not in order yet.
struct Rest<'a, 'b, 't> {
    all: &'a [Certificate<'b, 't>],
    /// The positions of the certificates, by subject.
    by_subject: HashMap<&'b [u8], VecDeque<usize>>,
}

impl<'a, 'b, 't> Rest<'a, 'b, 't> {
    fn of(all: &'a [Certificate<'b, 't>]) -> Self {
        let mut by_subject = HashMap::<_, VecDeque<_>>::new();
        for (index, (_, names)) in all.iter().enumerate() {
            by_subject.entry(names.subject).or_default().push_back(index);
        }
        Self { all, by_subject }
    }

    /// Returns the leaf, then each issuer, then all others.
    fn from(mut self, leaf: usize) -> Vec<&'b Block<'t>> {
        let mut placed = Vec::with_capacity(self.all.len());
        self.by_subject.values_mut().for_each(|indices| indices.retain(|index| *index != leaf));
        let mut next = self.all.get(leaf);
        while let Some((block, names)) = next {
            placed.push(*block);
            let issuer = self.by_subject.get_mut(names.issuer).and_then(VecDeque::pop_front);
            next = issuer.and_then(|index| self.all.get(index));
        }
        let mut left: Vec<_> = self.by_subject.into_values().flatten().collect();
        left.sort_unstable();
        placed.extend(left.into_iter().filter_map(|index| self.all.get(index)).map(|(block, _)| *block));
        placed
    }
}
