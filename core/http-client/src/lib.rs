#![doc = include_str!("../README.md")]

mod client;
mod destination;
mod error;
mod request;
mod response;
mod time;
mod tls;

pub use http::{HeaderName, HeaderValue};
pub use reqwest::Url;

pub use client::Client;
pub use destination::{host_and_port, is_loopback};
pub use error::{ClientError, Fault};
pub use request::{BadHeaderValue, Method, Request, secret_header};
pub use response::Response;
pub use tls::{Tls, TlsSettings};
