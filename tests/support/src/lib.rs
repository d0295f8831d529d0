//! What the tests of secretdir share: real servers, servers with a fault, canaries, and programs under strace.
//!
//! Blocking, so that a test of any crate can use it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod bao;
mod canary;
mod encode;
mod forwarder;
mod http;
mod moto;
mod names;
mod page;
mod postgres;
mod processes;
mod program_file;
mod python;
mod ran;
pub mod strace;
mod strict;
mod stub;
mod tls;
mod unix;
mod users;

pub use bao::{Bao, BaoAnswer, ROOT_TOKEN};
pub use canary::Canary;
pub use forwarder::Forwarder;
pub use http::Message;
pub use moto::{AccessKey, Moto, REGION};
pub use names::names;
pub use page::Block;
pub use postgres::Postgres;
pub use processes::{PATIENCE, assert_ends};
pub use program_file::{copy_program, write_program};
pub use python::{programs, python};
pub use ran::Ran;
pub use strict::{Fault, Strict};
pub use stub::{Framing, Reply, Stub};
pub use tls::{Certificate, TlsFront};
pub use unix::UnixFront;
pub use users::{OTHER_USER, is_root, leave_out};
