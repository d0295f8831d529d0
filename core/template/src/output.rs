//! Where a rendered template goes.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::value::Mark;

/// A buffer that refuses more than fits, and leaves nothing behind when it grows.
#[derive(Default)]
pub(super) struct Output {
    bytes: Zeroizing<Vec<u8>>,
    most: usize,
    /// What is in it is not printed here, but kept: what filters have written in it is told then.
    pub(super) marks: Option<Vec<Mark>>,
}

impl Output {
    /// Returns an empty one that takes so many bytes.
    pub(super) fn of_at_most(most: usize) -> Self {
        Self { bytes: Zeroizing::default(), most, marks: None }
    }

    /// Returns one for a text that is kept.
    pub(super) fn kept(most: usize) -> Self {
        Self { marks: Some(Vec::new()), ..Self::of_at_most(most) }
    }

    /// Keeps where filters have written something in the text that comes next, if it is not printed here.
    pub(super) fn keep(&mut self, marks: &[Mark]) -> bool {
        let length = self.bytes.len();
        let kept = self.marks.as_mut().map(|kept| kept.extend(marks.iter().map(|mark| mark.behind(length))));
        kept.is_some()
    }

    /// Returns what has been written since the last line end.
    pub(super) fn last_line(&self) -> &str {
        let line = self.bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        std::str::from_utf8(line).unwrap_or_default()
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    /// Moves to a larger buffer; the old one is wiped as it is dropped.
    fn grow(&mut self, needed: usize) {
        let capacity = needed.max(2 * self.bytes.capacity()).max(1024);
        let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
        larger.extend_from_slice(&self.bytes);
        self.bytes = larger;
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.bytes.len().saturating_add(bytes.len());
        if needed > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if needed > self.bytes.capacity() {
            self.grow(needed);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept_and_more_is_refused() {
        let mut output = Output::of_at_most(5000);
        for _ in 0..1000 {
            output.write_all(b"abcde").unwrap();
        }
        assert_eq!(output.write_all(b"a").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(output.into_bytes().as_slice(), b"abcde".repeat(1000));
    }
}
