//! Dynamic secrets, such as certificates and database users. Each is made once, renewed while the server allows it, and
//! then replaced.

use std::collections::BTreeMap;
use std::time::Duration;

use secretdir_provider::{
    DurationSetting, Held, Refreshed, RunContext, Secret, SecretBuffer, SecretRequest, SourceError,
    SourceErrorKind,
};
use serde::Deserialize;

use crate::access::Access;
use crate::answer::{self, Reply};
use crate::error;
use crate::lease::Lease;
use crate::login;
use crate::mounts::{Engine, Mount};
use crate::read::{discard, leased, left, revoke, secret, with_end};
use crate::server::Call;
use crate::settings::IssueSettings;
use crate::time::seconds;

/// The configured dynamic secrets, by name.
#[derive(Debug)]
pub(crate) struct Issues(pub(crate) BTreeMap<String, IssueSettings>);

/// The answer about a renewed lease.
#[derive(Deserialize)]
struct Renewed {
    #[serde(default)]
    lease_duration: u64,
}

impl Issues {
    /// Returns the path for a name. The name may be a path itself.
    fn path<'i>(&'i self, name: &'i str) -> &'i str {
        self.0.get(name).map_or(name, |issue| issue.path.as_str())
    }

    /// Makes a secret at the server.
    pub(crate) async fn make(
        &self,
        access: &Access,
        run: &RunContext,
        request: &SecretRequest,
    ) -> Result<Secret, SourceError> {
        let issue = self.0.get(request.name());
        if issue.is_none() {
            refuse_key_value(access, run, request.name()).await?;
        }
        access.freshen(run).await;
        let path = self.path(request.name());
        let reply = ask(access, run, path, issue).await?;
        let frame = reply.frame()?;
        let data = frame.data.filter(|data| data.get() != "null");
        let made = data.map(|data| with_end(secret(data), data, run.clock().date()));
        let lease = frame.lease_id.as_deref().filter(|id| !id.is_empty());
        if let Some(id) = lease {
            return kept(access, run, made, id, frame.lease_duration.unwrap_or_default(), path).await;
        }
        let life = issue.and_then(|issue| issue.life).map(DurationSetting::get);
        with_renewal(access, run, made.ok_or_else(answer::strange)?, life)
            .ok_or_else(|| endless(request.name(), issue.is_some()))
    }

    /// Renews a lease, or replaces a secret that cannot be renewed any more.
    pub(crate) async fn refresh(
        &self,
        access: &Access,
        run: &RunContext,
        request: &SecretRequest,
        held: &Held,
    ) -> Result<Refreshed, SourceError> {
        let lease = held.lease().and_then(Lease::parse);
        if let Some(lease) = lease
            && let Some(kept) = renew(access, run, held, lease).await?
        {
            return Ok(Refreshed::Keep(kept));
        }
        self.make(access, run, request).await.map(Refreshed::New)
    }
}

/// Refuses a path of the key-value engine. Only its name looks like a dynamic secret, and its answers would be misread.
async fn refuse_key_value(access: &Access, run: &RunContext, path: &str) -> Result<(), SourceError> {
    let mount = Mount::of(access, run, path).await?;
    if mount.engine == Engine::Other {
        return Ok(());
    }
    let mount = mount.path;
    Err(SourceError::new(SourceErrorKind::InvalidRequest)
        .with_cause(format!(
            "`{path}` looks like a dynamic secret, but `{mount}/` is a mount of the key-value engine"
        ))
        .with_hint(format!("list it in `kv-mounts`: kv-mounts = [\"{mount}\"]")))
}

/// Sends the request that makes a secret. With parameters it is a POST.
async fn ask(
    access: &Access,
    run: &RunContext,
    path: &str,
    issue: Option<&IssueSettings>,
) -> Result<Reply, SourceError> {
    let parameters = issue.map(|issue| &issue.parameters).filter(|all| !all.is_empty());
    let reply = match parameters {
        Some(parameters) => access.call(run, Call::post(path, &body(parameters)?)).await?,
        None => access.call(run, Call::get(path)).await?,
    };
    match reply.status {
        200 => Ok(reply),
        404 => Err(error::not_there(&reply, path)),
        _ => Err(error::refused(&reply, path)),
    }
}

/// Keeps a secret with a lease. A lease is given back at once if it cannot be noted, or if its secret is missing.
async fn kept(
    access: &Access,
    run: &RunContext,
    made: Option<Secret>,
    id: &str,
    life: u64,
    path: &str,
) -> Result<Secret, SourceError> {
    match made {
        Some(made) if Lease::is_id(id) => leased(access, run, made, id, life, path).await,
        made => {
            discard(access, run, id).await;
            Err(made.map_or_else(answer::strange, |_| bad_id(path)))
        }
    }
}

/// Sets when to replace a secret without a lease. Returns `None` if its life is unknown, because it would be kept for
/// ever.
fn with_renewal(access: &Access, run: &RunContext, made: Secret, life: Option<Duration>) -> Option<Secret> {
    let now = run.clock().date();
    if let Some(end) = made.valid_until() {
        let left = end.duration_since(now).unwrap_or_default();
        return Some(made.with_renew_at(now + access.renewal(run, left)));
    }
    if made.renew_at().is_some() {
        return Some(made);
    }
    life.map(|life| made.with_valid_for(life).with_renew_at(now + access.renewal(run, life)))
}

fn bad_id(path: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData)
        .with_cause(format!("the lease of `{path}` has an ID that is too long, or has control characters"))
        .with_hint("is `address` the address of Vault or OpenBao, and not of a proxy?")
}

fn endless(name: &str, is_described: bool) -> SourceError {
    let error = SourceError::new(SourceErrorKind::InvalidData).with_cause(format!(
        "the answer of `{name}` has neither a lease nor an end, so it would never be renewed"
    ));
    error.with_hint(match is_described {
        true => format!("set its life: `life = \"1h\"` in [sources.NAME.issue.{name}]"),
        false => format!(
            "describe it: [sources.NAME.issue.web] with `path = \"{name}\"` and `life = \"1h\"`, and ask for `secret = \"web\"`"
        ),
    })
}

/// Renews a lease. Returns `None` if the lease gains too little life, such as near its maximum.
async fn renew(
    access: &Access,
    run: &RunContext,
    held: &Held,
    lease: Lease,
) -> Result<Option<Held>, SourceError> {
    let increment = lease.life().as_secs();
    let increment = increment.to_string();
    let fields = [("lease_id", lease.id.as_bytes()), ("increment", increment.as_bytes())];
    let body = login::object(&fields)?;
    let reply = access.call(run, Call::post("sys/leases/renew", &body)).await?;
    match reply.status {
        200 => {}
        // The lease has expired, was revoked, or cannot be renewed.
        400 | 404 => return Ok(None),
        _ => return Err(error::general(&reply)),
    }
    let renewed: Renewed =
        serde_json::from_slice(reply.body.expose_secret()).map_err(|_| answer::strange())?;
    let life = seconds(renewed.lease_duration);
    let token_end = access.keeps(run, &lease.id, life).await?.unwrap_or_else(|| lease.token_end());
    let now = run.clock().date();
    let life = left(life, token_end, now);
    let is_longer = held.valid_until().is_none_or(|end| now + life > end + lease.life() / 10);
    if !is_longer {
        return Ok(None);
    }
    let renewal = access.renewal(run, life);
    Ok(Some(held.clone().with_valid_until(now + life).with_renew_at(now + renewal)))
}

/// Gives leases back. It tries all of them, and returns the first error.
pub(crate) async fn release(access: &Access, run: &RunContext, leases: &[String]) -> Result<(), SourceError> {
    let mut first = Ok(());
    for lease in leases.iter().filter_map(|handle| Lease::parse(handle)) {
        let revoked = revoke(access, run, &lease.id).await;
        first = first.and(revoked);
    }
    first
}

fn body(parameters: &BTreeMap<String, serde_json::Value>) -> Result<SecretBuffer, SourceError> {
    let mut body = SecretBuffer::new();
    serde_json::to_writer(&mut body, parameters).map_err(|_| {
        SourceError::new(SourceErrorKind::InvalidRequest).with_cause("`parameters` cannot be written as JSON")
    })?;
    Ok(body)
}
