//! The provider against a real server.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answers;
mod ends;
mod issuing;
mod lists;
mod logins;
mod reading;
mod support;
mod tls;
mod tokens;
mod wrappings;
