//! A server that keeps to the published models of Secrets Manager and of Parameter Store where moto does not.
//!
//! Limits of 20 and of 10 names, of pages, and of 65,536 bytes, `Errors[]`, HTTP 400 with a code for every refusal, connections that are kept
//! open; and, when told to, latency, throttling, resets, pages and replies that are no JSON. It counts calls and
//! connections. It looks at the scope of a signature, which tells the region, and not at the signature: moto does that.
//! A test reads it with boto3, so that it stays what clients of AWS take it for.
//!
//! The models: the API references of AWS Secrets Manager (GetSecretValue, BatchGetSecretValue, DescribeSecret, ListSecrets)
//! and of AWS Systems Manager (GetParameters, GetParametersByPath).

mod fault;
mod pages;
mod parameters;
mod reply;
mod secrets;
mod wire;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use self::fault::Fault;
use self::pages::Page;
use self::reply::{Reaction, denied, half_a_reply, refuse, reply, unknown};
use crate::http::PATIENCE;

/// The account that all ARNs are of.
const ACCOUNT: &str = "123456789012";

/// A strict server on 127.0.0.1. Ends when dropped.
#[derive(Debug)]
pub struct Strict {
    address: SocketAddr,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

/// A secret, or a parameter, as the server keeps it.
#[derive(Clone, Debug)]
enum Stored {
    Text(String),
    Binary(Vec<u8>),
    /// Here, but the caller may not read it.
    Denied,
    /// Marked for deletion.
    Deleted,
    /// Encrypted with a key that is no more.
    Locked,
}

#[derive(Debug, Default)]
struct State {
    ended: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    stored: BTreeMap<String, Stored>,
    /// What other accounts share, by its ARN.
    shared: BTreeMap<String, Stored>,
    no_batches_elsewhere: bool,
    latency: Duration,
    /// How many calls must have been in flight at once before one is answered.
    company: usize,
    fault: Fault,
    /// The action and the region of each call, in order.
    calls: Vec<(String, String)>,
    connections: usize,
    in_flight: usize,
    most_in_flight: usize,
    /// The pages that answers have named, by their tokens.
    pages: BTreeMap<String, Page>,
}

/// What a call asks: its service and action, its region, and its body.
#[derive(Debug)]
struct Call {
    target: String,
    region: String,
    body: Value,
}

impl Strict {
    /// Starts a server on a free port, with nothing in its stores.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let acceptor = thread::spawn({
            let state = Arc::clone(&state);
            move || accept(&listener, &state)
        });
        Self { address, state, acceptor: Some(acceptor) }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a secret, or a parameter, that is text.
    pub fn put(&self, name: &str, value: &str) {
        assert!((1..=65_536).contains(&value.len()), "a value has 1 to 65,536 bytes");
        self.store(name, Stored::Text(value.to_owned()));
    }

    /// Adds a secret that is binary.
    pub fn put_binary(&self, name: &str, value: &[u8]) {
        assert!((1..=65_536).contains(&value.len()), "a value has 1 to 65,536 bytes");
        self.store(name, Stored::Binary(value.to_owned()));
    }

    /// Lets nobody read a secret.
    pub fn deny(&self, name: &str) {
        self.store(name, Stored::Denied);
    }

    /// Disables the key that a secret, or a parameter, is encrypted with.
    pub fn disable_key(&self, name: &str) {
        self.store(name, Stored::Locked);
    }

    /// Marks a secret for deletion.
    pub fn delete(&self, name: &str) {
        self.store(name, Stored::Deleted);
    }

    /// Lets another account share a secret, or a parameter, that has this ARN.
    pub fn share(&self, arn: &str, value: &str) {
        self.state.lock().shared.insert(arn.to_owned(), Stored::Text(value.to_owned()));
    }

    /// Refuses what other accounts share in batches, as the real service does.
    pub fn refuse_shared_in_batches(&self) {
        self.state.lock().no_batches_elsewhere = true;
    }

    /// Lets nobody read what another account shares.
    pub fn deny_shared(&self, arn: &str) {
        self.state.lock().shared.insert(arn.to_owned(), Stored::Denied);
    }

    /// Removes everything that is stored, here and in other accounts.
    pub fn clear(&self) {
        let mut inner = self.state.lock();
        inner.stored.clear();
        inner.shared.clear();
    }

    /// Returns the ARN of a secret in this region.
    pub fn arn(&self, region: &str, name: &str) -> String {
        secrets::arn(region, name)
    }

    /// Waits before each answer.
    pub fn set_latency(&self, latency: Duration) {
        self.state.lock().latency = latency;
    }

    /// Answers no call before so many have been in flight at once, unless they do not come.
    pub fn set_company(&self, calls: usize) {
        self.state.lock().company = calls;
    }

    /// Does this to calls from now on.
    pub fn set_fault(&self, fault: Fault) {
        self.state.lock().fault = fault;
    }

    /// Returns how often an action, such as `GetSecretValue`, was called, refused calls included.
    pub fn calls(&self, action: &str) -> usize {
        self.state.lock().calls.iter().filter(|(called, _)| called == action).count()
    }

    /// Returns how many calls came in all.
    pub fn all_calls(&self) -> usize {
        self.state.lock().calls.len()
    }

    /// Returns how many calls came to a region.
    pub fn calls_to(&self, region: &str) -> usize {
        self.state.lock().calls.iter().filter(|(_, called)| called == region).count()
    }

    /// Returns how many connections were made.
    pub fn connections(&self) -> usize {
        self.state.lock().connections
    }

    /// Returns how many calls were in flight at once at the most.
    pub fn most_at_once(&self) -> usize {
        self.state.lock().most_in_flight
    }

    /// Forgets what it has counted.
    pub fn reset_counts(&self) {
        let mut inner = self.state.lock();
        inner.calls.clear();
        (inner.connections, inner.most_in_flight) = (0, 0);
    }

    fn store(&self, name: &str, stored: Stored) {
        self.state.lock().stored.insert(name.to_owned(), stored);
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        // A connection wakes the acceptor, which then sees that it is over.
        let woken = TcpStream::connect_timeout(&self.address, PATIENCE).is_ok();
        if let (true, Some(acceptor)) = (woken, self.acceptor.take()) {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for stream in listener.incoming().flatten() {
        if state.ended.load(Ordering::SeqCst) {
            return;
        }
        state.lock().connections += 1;
        let state = Arc::clone(state);
        // A client that goes away is no matter.
        thread::spawn(move || wire::serve(&stream, |call| state.react(&call)).ok());
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a call back until as many have been in flight at once as are wanted.
    fn await_company(&self) {
        let deadline = Instant::now() + PATIENCE;
        let is_alone = || {
            let inner = self.lock();
            inner.most_in_flight < inner.company
        };
        while is_alone() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn react(&self, call: &Call) -> Reaction {
        let (number, latency) = {
            let mut inner = self.lock();
            inner.calls.push((call.action().to_owned(), call.region.clone()));
            inner.in_flight += 1;
            inner.most_in_flight = inner.most_in_flight.max(inner.in_flight);
            (inner.calls.len(), inner.latency)
        };
        thread::sleep(latency);
        self.await_company();
        let mut inner = self.lock();
        // Before the reply: once the client has it, it may well ask again.
        inner.in_flight -= 1;
        inner.answer(number, call)
    }
}

impl Inner {
    /// Puts what was asked into the order of the answer: the real services promise none.
    fn ordered<'c>(&self, mut asked: Vec<&'c str>) -> Vec<&'c str> {
        match self.fault {
            Fault::Shuffle { seed, .. } => asked.sort_by_cached_key(|asked| {
                let mut hasher = DefaultHasher::new();
                (seed, asked).hash(&mut hasher);
                hasher.finish()
            }),
            _ => asked.reverse(),
        }
        asked
    }

    fn answer(&mut self, number: usize, call: &Call) -> Reaction {
        let throttled = || refuse("ThrottlingException", "Rate exceeded");
        match &self.fault {
            Fault::ThrottleEveryOther if !number.is_multiple_of(2) => throttled(),
            Fault::Throttle => throttled(),
            Fault::ThrottleOne { call, seconds } if number == *call => throttled().with_retry_after(*seconds),
            Fault::Deny(actions) if actions.contains(&call.action()) => denied(call, "*", "identity-based"),
            Fault::Unknown(actions) if actions.contains(&call.action()) => unknown(),
            Fault::Reset(region) if *region == call.region => Reaction::Break(half_a_reply()),
            Fault::ResetAfter(calls, region) if number > *calls && *region == call.region => {
                Reaction::Break(half_a_reply())
            }
            Fault::Hang(region) if *region == call.region => Reaction::Silence,
            Fault::Replace(from, to) => {
                let (from, to) = (*from, *to);
                self.serve(call).with_replaced(from, to)
            }
            Fault::Malformed => reply(200, br#"{"SecretString": "hunter2-hun"#.to_vec()),
            _ => self.serve(call),
        }
    }

    fn serve(&mut self, call: &Call) -> Reaction {
        match call.target.as_str() {
            "secretsmanager.GetSecretValue" => self.get_secret_value(call),
            "secretsmanager.BatchGetSecretValue" => self.batch_get_secret_value(call),
            "secretsmanager.DescribeSecret" => self.describe_secret(call),
            "secretsmanager.ListSecrets" => self.list_secrets(call),
            "AmazonSSM.GetParametersByPath" => self.get_parameters_by_path(call),
            "AmazonSSM.GetParameters" => self.get_parameters(call),
            _ => unknown(),
        }
    }
}

impl Call {
    fn action(&self) -> &str {
        self.target.split_once('.').map_or(self.target.as_str(), |(_, action)| action)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.body[key].as_str()
    }

    fn list(&self, key: &str) -> Vec<&str> {
        self.body[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

#[cfg(test)]
mod tests;
