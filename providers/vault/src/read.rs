//! Reads a path: a secret of the key-value engine, or the answer of any other engine.

use std::time::{Duration, SystemTime};

use secretdir_provider::{RunContext, Secret, SecretRequest, SourceError, SourceErrorKind};
use serde_json::value::RawValue;

use crate::access::Access;
use crate::answer::{self, Ends, Frame, Reply, Versioned};
use crate::error;
use crate::lease::Lease;
use crate::login;
use crate::mounts::{Engine, Mount};
use crate::server::Call;
use crate::time::{moment, seconds};

/// Reads a path that makes no new secret.
pub(crate) async fn read(
    access: &Access,
    run: &RunContext,
    request: &SecretRequest,
) -> Result<Secret, SourceError> {
    let path = request.name();
    let mount = Mount::of(access, run, path).await?;
    let rest = mount.rest(path).unwrap_or(path);
    match (mount.engine, request.version()) {
        (Engine::KvV2, version) => versioned(access, run, &mount, rest, version).await,
        (_, Some(_)) => Err(SourceError::new(SourceErrorKind::Unsupported)
            .with_cause(format!("the engine at `{}/` has no versions", mount.path))),
        (engine, None) => plain(access, run, path, engine).await,
    }
}

async fn versioned(
    access: &Access,
    run: &RunContext,
    mount: &Mount,
    rest: &str,
    version: Option<&str>,
) -> Result<Secret, SourceError> {
    let path = format!("{}/data/{rest}", mount.path);
    let call = Call::get(&path);
    let call = version.map_or(call, |version| call.with_query("version", version));
    let reply = access.call(run, call).await?;
    match reply.status {
        200 => version_of(&reply),
        404 => Err(no_version(&reply, mount, rest)),
        _ => Err(error::refused(&reply, &path)),
    }
}

fn version_of(reply: &Reply) -> Result<Secret, SourceError> {
    let frame = reply.frame()?;
    let found: Versioned<'_> = answer::parse(frame.data.ok_or_else(answer::strange)?)?;
    let data = found.data.filter(|data| data.get() != "null").ok_or_else(answer::strange)?;
    Ok(secret(data).with_revision(found.metadata.revision()))
}

/// Reports why a version is missing: it never existed, or was deleted.
fn no_version(reply: &Reply, mount: &Mount, rest: &str) -> SourceError {
    let path = format!("{}/{rest}", mount.path);
    let found = reply.frame().ok().and_then(|frame| answer::parse::<Versioned<'_>>(frame.data?).ok());
    let not_found = |cause: String| SourceError::new(SourceErrorKind::NotFound).with_cause(cause);
    match found.map(|found| found.metadata) {
        Some(metadata) if metadata.destroyed => {
            not_found(format!("version {} of `{path}` was destroyed", metadata.version))
        }
        Some(metadata) if !metadata.deletion_time.is_empty() => not_found(format!(
            "version {} of `{path}` was deleted at {}",
            metadata.version,
            printable(&metadata.deletion_time)
        ))
        .with_hint("`vault kv undelete`, or `bao kv undelete`, brings it back"),
        _ => {
            let error = error::not_there(reply, &path);
            match rest.strip_prefix("data/").or_else(|| rest.strip_prefix("metadata/")) {
                Some(rest) => error.with_hint(format!(
                    "the path begins with a part of the API: is `{}/{rest}` meant?",
                    mount.path
                )),
                None => error,
            }
        }
    }
}

async fn plain(access: &Access, run: &RunContext, path: &str, engine: Engine) -> Result<Secret, SourceError> {
    let reply = access.call(run, Call::get(path)).await?;
    match reply.status {
        200 => {}
        404 => return Err(error::not_there(&reply, path)),
        _ => return Err(error::refused(&reply, path)),
    }
    let frame = reply.frame()?;
    if engine == Engine::Other && frame.lease_id.as_deref().is_some_and(|id| !id.is_empty()) {
        return Err(unexpected_dynamic_secret(access, run, &frame, path).await);
    }
    let data = frame.data.filter(|data| data.get() != "null").ok_or_else(answer::strange)?;
    match engine {
        Engine::Other => Ok(with_end(secret(data), data, run.clock().date())),
        _ => Ok(secret(data)),
    }
}

/// Reports that reading a path has made a secret. Its lease is given back at once, or each run would make another one.
async fn unexpected_dynamic_secret(
    access: &Access,
    run: &RunContext,
    frame: &Frame<'_>,
    path: &str,
) -> SourceError {
    let id = frame.lease_id.as_deref().unwrap_or_default();
    discard(access, run, id).await;
    SourceError::new(SourceErrorKind::InvalidRequest)
        .with_cause(format!("each time `{path}` is read, the server creates something new"))
        .with_hint(format!(
            "describe it: [sources.NAME.issue.web] with `path = \"{path}\"`, and ask for `secret = \"web\"`"
        ))
}

/// Makes a secret from a part of an answer, with its exact bytes.
pub(crate) fn secret(data: &RawValue) -> Secret {
    Secret::new(data.get().as_bytes().to_vec())
}

/// Adds the expiry of a secret, as far as its engine names it.
pub(crate) fn with_end(secret: Secret, data: &RawValue, now: SystemTime) -> Secret {
    let Ok(ends) = answer::parse::<Ends>(data) else { return secret };
    let secret = match (&ends.serial_number, &ends.last_vault_rotation) {
        (Some(revision), _) | (None, Some(revision)) => secret.with_revision(printable(revision)),
        (None, None) => secret,
    };
    if let Some(end) = ends.expiration {
        return secret.with_valid_until(moment(end, now));
    }
    match ends.ttl.filter(|_| ends.last_vault_rotation.is_some()).map(seconds) {
        // The server rotates the secret at this time. A moment later there is a new one.
        Some(left) => secret.with_valid_for(left).with_renew_at(now + left + Duration::from_secs(1)),
        None => secret,
    }
}

/// Revokes a lease. It is no error if the lease is gone.
pub(crate) async fn revoke(access: &Access, run: &RunContext, id: &str) -> Result<(), SourceError> {
    let body = login::object(&[("lease_id", id.as_bytes())])?;
    let reply = access.call(run, Call::post("sys/leases/revoke", &body)).await?;
    match reply.status {
        200 | 204 | 400 | 404 => {
            access.gives_back(id).await;
            Ok(())
        }
        _ => Err(error::general(&reply)),
    }
}

/// Revokes a lease whose secret is not used.
pub(crate) async fn discard(access: &Access, run: &RunContext, id: &str) {
    if let Err(error) = revoke(access, run, id).await {
        tracing::debug!(%error, "the lease will expire");
    }
}

/// Cuts a text of the server to a short text without control characters.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// Adds the lease and the life of a secret. It lives no longer than the token that took the lease.
pub(crate) async fn leased(
    access: &Access,
    run: &RunContext,
    secret: Secret,
    id: &str,
    life: u64,
    path: &str,
) -> Result<Secret, SourceError> {
    let life = seconds(life);
    let token_end = match access.takes(run, id, life).await {
        Ok(end) => end,
        Err(error) => {
            tracing::debug!(%error, "it is not known when the token expires");
            None
        }
    };
    let now = run.clock().date();
    let left = left(life, token_end, now);
    if is_much_shorter(left, life) {
        let (lease, token) = (life.as_secs(), left.as_secs());
        run.warn(format!(
            "the lease of `{path}` is for {lease} s, but it ends with the token that took it, in {token} s: give the role of the login a longer `token_ttl`; `secretdir watch` renews the token, up to `token_max_ttl`"
        ));
    }
    let handle = Lease::new(id, left, token_end).handle();
    let renewal = access.renewal(run, left);
    Ok(secret.with_lease(handle).with_valid_for(left).with_renew_at(now + renewal))
}

/// Returns the remaining life of a lease, which ends with its token.
pub(crate) fn left(life: Duration, token_end: Option<SystemTime>, now: SystemTime) -> Duration {
    token_end.map_or(life, |end| life.min(end.duration_since(now).unwrap_or_default()))
}

/// Says whether the life of a lease is cut so much that the user should know. A token is always a little older than its
/// first lease.
fn is_much_shorter(left: Duration, life: Duration) -> bool {
    let lost = life.saturating_sub(left);
    lost > Duration::from_secs(5) && lost > life / 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_much_shorter_by_more_than_five_seconds_and_five_percent() {
        let is_told = |left, life| is_much_shorter(Duration::from_secs(left), Duration::from_secs(life));
        assert!(is_told(5, 90) && is_told(94, 100) && is_told(940, 1000) && is_told(0, 6));
        assert!(!is_told(95, 100) && !is_told(950, 1000) && !is_told(0, 5) && !is_told(9, 9));
    }
}
