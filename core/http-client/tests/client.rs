//! The client against servers of this machine, with TLS and without, and with each fault.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "client/bodies.rs"]
mod bodies;
#[path = "client/connections.rs"]
mod connections;
#[path = "client/environment.rs"]
mod environment;
#[path = "client/support.rs"]
mod support;
#[path = "client/tls.rs"]
mod tls;
