//! A Unix socket before a server that listens elsewhere.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

/// A Unix socket whose connections are carried to a server, up to a hundred of them.
#[derive(Debug)]
pub struct UnixFront(TempDir);

impl UnixFront {
    /// Starts before the server at this endpoint, such as that of a [`Stub`](crate::Stub).
    pub fn before(endpoint: &str) -> Self {
        let front = Self(TempDir::new().unwrap());
        let listener = UnixListener::bind(front.path()).unwrap();
        let server = endpoint.trim_start_matches("http://").to_owned();
        thread::spawn(move || {
            for client in listener.incoming().take(100).flatten() {
                let server = server.clone();
                thread::spawn(move || carry(&client, &server));
            }
        });
        front
    }

    /// Returns the path of the socket.
    pub fn path(&self) -> PathBuf {
        Path::new(self.0.path()).join("socket")
    }
}

fn carry(client: &UnixStream, server: &str) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        // A client that goes away in mid-answer is no matter.
        io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Write).ok()
    });
    io::copy(&mut &*client, &mut &server)?;
    server.shutdown(Shutdown::Write)?;
    drop(back.join());
    Ok(())
}
