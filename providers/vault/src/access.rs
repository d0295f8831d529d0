//! Makes calls with a token.
//!
//! 1. The first call of a run that needs a token gets one. It is kept for later runs while it lives.
//! 2. A refused login is not retried in the same run, because each attempt may use up a secret ID. A login that could
//!    not be made, for example because the server is down, is retried with the requests that need it. One failure
//!    counts for all requests that were waiting.
//! 3. The server answers 403 to an unknown token, and to a token without the permission. So it is asked about the token
//!    itself. An expired token is replaced once in a run, if a login can replace it. A token that may not look itself
//!    up seems to have expired, too. If a new token is refused as well, a policy is missing.
//! 4. A token is renewed with the leases that it has taken. Before the server makes a secret, a token that expires soon
//!    is replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use secretdir_http_client::HeaderValue;
use secretdir_provider::{RunContext, SecretBuffer, SourceError};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::answer::{self, Reply};
use crate::error;
use crate::login::{Given, Login};
use crate::refusals::SharedFailures;
use crate::server::{Call, Server};
use crate::session::{Life, Origin, Session};

/// The share of a token's life after which a lease is a reason to renew it. Renewing a younger token gains next to
/// nothing.
const WORTH_RENEWING: f64 = 0.1;

/// A server, and the token for it.
#[derive(Debug)]
pub(crate) struct Access {
    server: Option<Server>,
    login: Login,
    session: Mutex<Option<Session>>,
    /// The share of a token's life after which it is renewed.
    renew_at: f64,
}

/// The state of the login in a run.
#[derive(Default)]
struct LoginOfRun {
    refusals: SharedFailures,
    /// Whether the provided token was read.
    is_read: AtomicBool,
    /// Whether an expired token was replaced.
    is_replaced: AtomicBool,
}

/// The server's answer about a token.
#[derive(Deserialize)]
struct TokenData {
    #[serde(default)]
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

/// The state of a token at the server.
enum TokenStatus {
    Good(Life),
    Ended,
}

impl Access {
    pub(crate) fn new(server: Option<Server>, login: Login, renew_at: f64) -> Self {
        Self { server, login, session: Mutex::default(), renew_at }
    }

    fn server(&self) -> Result<&Server, SourceError> {
        self.server.as_ref().ok_or_else(|| {
            SourceError::new(secretdir_provider::SourceErrorKind::Unavailable)
                .with_cause("the address of the server is not set")
                .with_hint("set `address`, or one of the variables BAO_ADDR and VAULT_ADDR")
        })
    }

    /// Makes a call with a token. Returns the answer, unless its status is 403.
    ///
    /// # Errors
    ///
    /// There is no answer, no token, or no permission.
    pub(crate) async fn call(&self, run: &RunContext, call: Call<'_>) -> Result<Reply, SourceError> {
        loop {
            let server = self.server()?;
            let token = self.token(run).await?;
            let reply = server.call(run, Some(&token), call).await?;
            if reply.status != 403 {
                return Ok(reply);
            }
            match self.standing(run, &token).await? {
                TokenStatus::Good(_) => return Err(error::denied(call.path, call.capability())),
                TokenStatus::Ended => self.replace(run, &token, call).await?,
            }
        }
    }

    /// Forgets a token that seems to have expired, if another one can be got: once in a run. If the new token is
    /// refused as well, it is valid and lacks a permission. Without the policy `default`, a token may not even look
    /// itself up.
    async fn replace(
        &self,
        run: &RunContext,
        ended: &HeaderValue,
        call: Call<'_>,
    ) -> Result<(), SourceError> {
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|session| session.token != *ended) {
            // Another request has done this.
            return Ok(());
        }
        if matches!(self.login, Login::Given(_)) {
            *session = None;
            return Err(error::token_ended());
        }
        if session.is_none() {
            // Another request has done this as well, and logs in.
            return Ok(());
        }
        if run.state::<LoginOfRun>().is_replaced.swap(true, Ordering::Relaxed) {
            return Err(error::denied_unseen(call.path, call.capability()));
        }
        *session = None;
        tracing::debug!("the token has expired: logging in again");
        Ok(())
    }

    /// Asks the server about a token.
    async fn standing(&self, run: &RunContext, token: &HeaderValue) -> Result<TokenStatus, SourceError> {
        let reply = self.server()?.call(run, Some(token), Call::get("auth/token/lookup-self")).await?;
        match reply.status {
            200 => {
                let frame = reply.frame()?;
                let data: TokenData = answer::parse(frame.data.ok_or_else(answer::strange)?)?;
                Ok(TokenStatus::Good(Life::of(data.ttl, data.renewable, run.clock().date())))
            }
            401 | 403 | 404 => Ok(TokenStatus::Ended),
            _ => Err(error::general(&reply)),
        }
    }

    /// Returns a token that does not expire at once.
    async fn token(&self, run: &RunContext) -> Result<HeaderValue, SourceError> {
        let known = run.state::<LoginOfRun>();
        let before = known.refusals.count();
        let mut session = self.session.lock().await;
        if let Some(error) = known.refusals.since(before) {
            return Err(error);
        }
        let got = match &self.login {
            Login::Given(given) => self.given(given, &known, &mut session),
            _ => self.own(run, &mut session).await,
        };
        got.inspect_err(|error| known.refusals.add(error))
    }

    /// Returns a provided token, which each run reads again.
    fn given(
        &self,
        given: &Given,
        known: &LoginOfRun,
        session: &mut Option<Session>,
    ) -> Result<HeaderValue, SourceError> {
        if !known.is_read.swap(true, Ordering::Relaxed) || session.is_none() {
            let token = given.read()?;
            if session.as_ref().is_none_or(|session| session.token != token) {
                *session = Some(Session::given(token));
            }
        }
        session.as_ref().map(|session| session.token.clone()).ok_or_else(SourceError::unanswered)
    }

    /// Returns the token of an earlier login, or logs in.
    async fn own(&self, run: &RunContext, session: &mut Option<Session>) -> Result<HeaderValue, SourceError> {
        let now = run.clock().date();
        if let Some(known) = session.as_mut() {
            // A new token would not keep the leases of this one alive.
            if known.life.is_due(now, self.renew_at) {
                self.renew(run, known).await;
            }
            if !known.life.is_over(run.clock().date()) {
                return Ok(known.token.clone());
            }
        }
        let fresh = self.log_in(run).await?;
        Ok(session.insert(fresh).token.clone())
    }

    async fn log_in(&self, run: &RunContext) -> Result<Session, SourceError> {
        tracing::debug!("logging in");
        let reply = self.login.log_in(run, self.server()?).await?;
        let frame = reply.frame()?;
        Session::of(&frame.auth.ok_or_else(answer::strange)?, run)
    }

    /// Replaces the current token if it expires soon and cannot be renewed. Otherwise a secret that is made with it
    /// would soon expire and be replaced, at ever shorter intervals. Leases of the old token stay valid until it
    /// expires. Without a new token, the old one is used.
    pub(crate) async fn freshen(&self, run: &RunContext) {
        let mut session = self.session.lock().await;
        let Some(old) = session.as_mut().filter(|old| old.origin != Origin::Given) else { return };
        let enough = old.first_life / 2;
        let now = run.clock().date();
        if !old.life.lasts(now, enough) && old.life.is_due(now, WORTH_RENEWING) {
            self.renew(run, old).await;
        }
        let is_tried = || run.state::<LoginOfRun>().is_replaced.swap(true, Ordering::Relaxed);
        if old.life.lasts(run.clock().date(), enough) || is_tried() {
            return;
        }
        match self.log_in(run).await {
            Ok(fresh) => {
                let old = session.replace(fresh);
                self.end(run, old).await;
            }
            Err(error) => tracing::debug!(%error, "there is no new token yet"),
        }
    }

    /// Renews the token. If that fails, it is used until it expires.
    async fn renew(&self, run: &RunContext, session: &mut Session) {
        let Ok(server) = self.server() else { return };
        let body = SecretBuffer::from(&b"{}"[..]);
        let call = Call::post("auth/token/renew-self", &body);
        let Ok(reply) = server.call(run, Some(&session.token), call).await else { return };
        let auth = reply.frame().ok().and_then(|frame| frame.auth);
        if let Some(auth) = auth.filter(|_| reply.status == 200) {
            tracing::debug!(seconds = auth.lease_duration, "the token was renewed");
            session.life = Life::of(auth.lease_duration, auth.renewable, run.clock().date());
        }
    }

    /// Notes that the token has taken a lease with this life, and returns when the token expires.
    pub(crate) async fn takes(
        &self,
        run: &RunContext,
        lease: &str,
        life: Duration,
    ) -> Result<Option<SystemTime>, SourceError> {
        let mut session = self.session.lock().await;
        let Some(session) = session.as_mut() else { return Ok(None) };
        session.leases.insert(lease.to_owned());
        self.extend(run, session, life).await?;
        Ok(session.life.end())
    }

    /// Returns when the token that has taken a lease expires, if it is the current one. The lease is to live this long.
    pub(crate) async fn keeps(
        &self,
        run: &RunContext,
        lease: &str,
        life: Duration,
    ) -> Result<Option<Option<SystemTime>>, SourceError> {
        let mut session = self.session.lock().await;
        let session = session.as_mut().filter(|session| session.leases.contains(lease));
        let Some(session) = session else { return Ok(None) };
        self.extend(run, session, life).await?;
        Ok(Some(session.life.end()))
    }

    /// Forgets a lease that has ended.
    pub(crate) async fn gives_back(&self, lease: &str) {
        if let Some(session) = self.session.lock().await.as_mut() {
            session.leases.remove(lease);
        }
    }

    /// Makes a token live this long, as far as possible, because a lease ends with its token. Another program renews a
    /// provided token, so the server is asked when it expires now.
    async fn extend(
        &self,
        run: &RunContext,
        session: &mut Session,
        life: Duration,
    ) -> Result<(), SourceError> {
        let now = run.clock().date();
        if session.life.lasts(now, life) {
            return Ok(());
        }
        match session.origin {
            Origin::Given => match self.standing(run, &session.token).await? {
                TokenStatus::Good(life) => session.life = life,
                TokenStatus::Ended => return Err(error::token_ended()),
            },
            Origin::Ours | Origin::Batch if session.life.is_due(now, WORTH_RENEWING) => {
                self.renew(run, session).await;
            }
            Origin::Ours | Origin::Batch => {}
        }
        Ok(())
    }

    /// Revokes the token, unless it is provided or a lease depends on it.
    pub(crate) async fn close(&self, run: &RunContext) {
        let session = self.session.lock().await.take();
        self.end(run, session).await;
    }

    async fn end(&self, run: &RunContext, session: Option<Session>) {
        let (Some(session), Ok(server)) = (session, self.server()) else { return };
        if session.origin == Origin::Ours && session.leases.is_empty() {
            let body = SecretBuffer::from(&b"{}"[..]);
            let call = Call::post("auth/token/revoke-self", &body);
            if let Err(error) = server.call(run, Some(&session.token), call).await {
                tracing::debug!(%error, "the token was not revoked, and will expire");
            }
        }
    }

    /// Returns the time after which to renew a lease or replace a certificate with this life. It is shortened at
    /// random, so that hosts do not come in step.
    pub(crate) fn renewal(&self, run: &RunContext, life: Duration) -> Duration {
        let longest = life.mul_f64(self.renew_at);
        longest.saturating_sub(run.jitter().up_to(longest / 10))
    }
}
