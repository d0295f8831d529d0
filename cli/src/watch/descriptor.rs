//! Reads a descriptor of the kernel when there is something to read.
//!
//! tokio's own type for any descriptor takes `unsafe`. Its reading end of a pipe does not, and neither asks what the descriptor is nor
//! does more than to wait for it and to read.

use std::io;

use tokio::net::unix::pipe::Receiver;

/// Reads what there is, and waits for it. Safe to drop.
pub(super) async fn read(descriptor: &Receiver, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        descriptor.readable().await?;
        match descriptor.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}
