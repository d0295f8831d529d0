//! Reads the standard error of a process. It reads all the time, so that the process never blocks, and keeps the end.
//! If the source drops standard error, it keeps nothing.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use zeroize::Zeroizing;

use crate::excerpt::Excerpt;
use crate::settings::StandardError;

/// The maximum number of bytes in one read.
const CHUNK: usize = 2048;

/// The time-out for the last output of a process that has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The last output on standard error.
pub(crate) struct Stderr {
    stderr: StandardError,
    last: Excerpt,
}

impl Stderr {
    pub(crate) fn new(stderr: StandardError) -> Self {
        Self { stderr, last: Excerpt::default() }
    }

    /// Reads until a future ends, and returns the result of the future.
    pub(crate) async fn during<T>(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        work: impl Future<Output = T>,
    ) -> T {
        tokio::select! {
            () = self.read_forever(reader) => std::future::pending().await,
            done = work => done,
        }
    }

    /// Reads the last output of a process that has ended or was killed.
    pub(crate) async fn last_words(&mut self, reader: &mut (impl AsyncRead + Unpin)) {
        // Another process may still hold the other end, so this has a time-out.
        let _ = tokio::time::timeout(LAST_WORDS, self.listen(reader)).await;
    }

    pub(crate) fn excerpt(&self) -> &Excerpt {
        &self.last
    }

    async fn read_forever(&mut self, reader: &mut (impl AsyncRead + Unpin)) {
        self.listen(reader).await;
        std::future::pending::<()>().await;
    }

    async fn listen(&mut self, reader: &mut (impl AsyncRead + Unpin)) {
        let mut chunk = Zeroizing::new([0; CHUNK]);
        while let Ok(count @ 1..) = reader.read(&mut *chunk).await {
            if self.stderr == StandardError::Show {
                self.last.append(chunk.get(..count).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_is_kept_and_nothing_waits() {
        let text: Vec<u8> = (0..10 * CHUNK).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
        let mut noise = Stderr::new(StandardError::Show);
        noise.last_words(&mut &text[..]).await;
        let last = noise.excerpt();
        assert_eq!(&last.as_bytes()[last.shown()], &text[9 * CHUNK..]);
    }
}
