//! Reads a descriptor of the kernel when it has data.
//!
//! tokio's type for any descriptor needs `unsafe`. Its type for the reading end of a pipe does not. It only waits and
//! reads, and does not check the kind of the descriptor.

use std::io;

use tokio::net::unix::pipe::Receiver;

/// Waits for data and reads it. The future can be dropped safely.
pub(super) async fn read(descriptor: &Receiver, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        descriptor.readable().await?;
        match descriptor.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}
