//! Reads the standard output of a process: bounded, and into memory that is wiped.

use std::io;
use std::num::NonZeroUsize;

use secretdir_provider::SecretBuffer;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The maximum number of bytes in one read.
const CHUNK: usize = 64 << 10;

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadFault {
    #[error("more than {0} bytes")]
    TooMuch(usize),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads the available bytes, at most a chunk. Returns their number; 0 means the end.
async fn read(reader: &mut (impl AsyncRead + Unpin), into: &mut SecretBuffer) -> io::Result<usize> {
    let mut chunk = (&mut *reader).take(CHUNK as u64);
    chunk.read_buf(into.reserved(CHUNK)).await
}

/// Reads everything to the end.
pub(crate) async fn whole(
    mut reader: impl AsyncRead + Unpin,
    most: NonZeroUsize,
    into: &mut SecretBuffer,
) -> Result<(), ReadFault> {
    while read(&mut reader, into).await? > 0 {
        if into.len() > most.get() {
            return Err(ReadFault::TooMuch(most.get()));
        }
    }
    Ok(())
}

/// Reads lines, each with a maximum length.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: SecretBuffer,
    /// The number of bytes in the buffer that belong to the last returned line.
    used: usize,
    most: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R, most: usize) -> Self {
        Self { reader, buffer: SecretBuffer::new(), used: 0, most }
    }

    /// Returns the next line without its newline; none at the end. The last one need not have a newline.
    ///
    /// This is cancel-safe: if it is dropped while it waits, no bytes are lost.
    pub(crate) async fn next(&mut self) -> Result<Option<&[u8]>, ReadFault> {
        // Moving the rest down leaves a copy behind. Later bytes overwrite it, or it is wiped at the end.
        self.buffer.reserved(0).drain(..std::mem::take(&mut self.used));
        let mut looked_at = 0;
        let length = loop {
            let bytes = self.buffer.expose_secret();
            let newline = bytes.iter().skip(looked_at).position(|byte| *byte == b'\n');
            if let Some(position) = newline {
                self.used = looked_at + position + 1;
                break looked_at + position;
            }
            looked_at = bytes.len();
            if looked_at > self.most {
                return Err(ReadFault::TooMuch(self.most));
            }
            if read(&mut self.reader, &mut self.buffer).await? == 0 {
                if looked_at == 0 {
                    return Ok(None);
                }
                self.used = looked_at;
                break looked_at;
            }
        };
        Ok(self.buffer.expose_secret().get(..length))
    }

    /// Returns the content of the buffer: the last returned line, and the bytes after it.
    pub(crate) fn rest(&self) -> &[u8] {
        self.buffer.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &[u8], most: usize) -> (Vec<Vec<u8>>, bool) {
        let mut lines = Lines::new(text, most);
        let mut all = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => all.push(line.to_owned()),
                Ok(None) => return (all, true),
                Err(_) => return (all, false),
            }
        }
    }

    #[tokio::test]
    async fn lines_come_one_by_one_and_the_last_needs_no_newline() {
        let (all, ended) = lines(b"a\n\nbc\nd", 9).await;
        assert_eq!((all, ended), (vec![b"a".to_vec(), vec![], b"bc".to_vec(), b"d".to_vec()], true));
        assert_eq!(lines(b"", 9).await, (vec![], true));
    }

    #[tokio::test]
    async fn a_line_that_does_not_end_is_refused() {
        let (all, ended) = lines(&[b"ok\n".to_vec(), vec![b'x'; 3 * CHUNK]].concat(), CHUNK).await;
        assert_eq!((all, ended), (vec![b"ok".to_vec()], false));
    }

    #[tokio::test]
    async fn more_than_the_most_is_refused_and_the_most_is_not() {
        for (length, fits) in [(CHUNK + 7, true), (CHUNK + 8, false)] {
            let bytes = vec![7; length];
            let mut read = SecretBuffer::new();
            let most = NonZeroUsize::new(CHUNK + 7).unwrap();
            assert_eq!(whole(&bytes[..], most, &mut read).await.is_ok(), fits);
            assert!(!fits || read.expose_secret() == bytes);
        }
    }
}
