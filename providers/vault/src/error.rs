//! Turns answers of the server into errors for an operator. The server's messages are compared but never shown, because
//! an engine quotes statements and parameters in them.

use secretdir_provider::{Retry, SourceError, SourceErrorKind};

use crate::answer::Reply;

use SourceErrorKind::{
    InvalidRequest, NotFound, Other, PermissionDenied, Throttled, Unauthenticated, Unavailable,
};

/// Maps every answer with the same meaning for all requests. The others depend on the request: 400, 403, 404 and 405.
pub(crate) fn general(reply: &Reply) -> SourceError {
    let status = reply.status;
    let error = |kind, cause: &str| SourceError::new(kind).with_cause(format!("{cause} (status {status})"));
    let soon = || Retry::After(reply.retry_after.unwrap_or_default());
    match status {
        412 => error(Unavailable, "this replica of the server has not caught up yet").with_retry(soon()),
        429 => error(Throttled, "the server limits the rate of requests")
            .with_hint("a quota of the server applies: see `sys/quotas/rate-limit`")
            .with_retry(soon()),
        472 | 473 => error(Unavailable, "the server is a standby that does not answer requests")
            .with_hint("set `address` to the active server, or to a load balancer that finds it"),
        501 => error(Unavailable, "the server is not initialised")
            .with_hint("an operator has to run `vault operator init`, or `bao operator init`"),
        503 if reply.says("sealed") => error(Unavailable, "the server is sealed")
            .with_hint("an operator has to run `vault operator unseal`, or `bao operator unseal`"),
        503 => error(Unavailable, "the server is down for maintenance, or sealed").with_retry(soon()),
        500 if reply.says("sealed") => error(Unavailable, "the server is sealed"),
        502 => error(Unavailable, "a service that the server needs has failed").with_retry(soon()),
        500..=599 => error(Unavailable, "the server has failed").with_retry(soon()),
        _ => error(Other, "the server has refused the request"),
    }
}

/// Reports why a path has no secret.
pub(crate) fn not_there(reply: &Reply, path: &str) -> SourceError {
    if reply.says("no handler for route") || reply.says("route entry not found") {
        return no_mount(path);
    }
    if reply.says("namespace not found") {
        return no_namespace();
    }
    if reply.warns() {
        return SourceError::new(Unavailable)
            .with_cause(format!("the server warns that the engine there has no path `{path}` (status 404)"))
            .with_hint("this is the answer of version 2 of the key-value engine to paths of version 1: see `kv-mounts`");
    }
    if reply.is_silent() {
        return SourceError::new(NotFound).with_cause(format!("the server has nothing at `{path}`"));
    }
    SourceError::new(Unavailable)
        .with_cause(format!("the server does not know the path `{path}` (status 404)"))
}

pub(crate) fn no_mount(path: &str) -> SourceError {
    let mount = path.split('/').next().unwrap_or(path);
    SourceError::new(Unavailable)
        .with_cause(format!("no secrets engine is mounted at `{mount}/`, or at a path that begins with it"))
        .with_hint("see `vault secrets list`, or `bao secrets list`; a mount may be in another namespace")
}

pub(crate) fn no_namespace() -> SourceError {
    SourceError::new(Unavailable)
        .with_cause("the server has no such namespace")
        .with_hint("see `namespace` of the source")
}

/// Reports that the policies of the token do not allow the request.
pub(crate) fn denied(path: &str, capability: &str) -> SourceError {
    SourceError::new(PermissionDenied)
        .with_cause(format!("the policies of the token do not allow `{capability}` on `{path}`"))
        .with_hint(format!("a policy needs: path \"{path}\" {{ capabilities = [\"{capability}\"] }}"))
}

/// Reports that a token from a new login lacks a permission, and may not look itself up.
pub(crate) fn denied_unseen(path: &str, capability: &str) -> SourceError {
    let error = denied(path, capability);
    let hint = error.hint().unwrap_or_default().to_owned();
    error.with_hint(format!(
        "{hint}; the token cannot look itself up: it lacks the policy `default`, has expired, or was revoked"
    ))
}

/// Reports that the server does not know the token, as far as that can be seen.
pub(crate) fn token_ended() -> SourceError {
    SourceError::new(Unauthenticated)
        .with_cause("the server refuses the token: it has probably expired, or was revoked")
        .with_hint(
            "get a new token, or let the source log in by itself: see `auth`. Or the token is valid, but lacks the policy `default` and a policy for this path",
        )
}

/// Reports a request that the server cannot fulfil.
pub(crate) fn refused(reply: &Reply, path: &str) -> SourceError {
    let because = |cause: &str| SourceError::new(InvalidRequest).with_cause(format!("`{path}`: {cause}"));
    match reply.status {
        405 => because("the server does not allow this kind of request there (status 405)")
            .with_hint("a path that needs parameters belongs under [sources.NAME.issue.…], with `parameters`"),
        _ if reply.says("not allowed by this role") => {
            because("the role does not allow one of the requested names (status 400)")
                .with_hint("compare `parameters` with the role's `allowed_domains`")
        }
        _ if reply.says("unknown role") || reply.says("role not found") => because("there is no such role (status 400)"),
        400 if reply.says("unsupported path") => because("the server has no such path (status 400)"),
        400 => because("the server does not understand the request (status 400)")
            .with_hint("see its audit log, or run `vault` with the same path: its answer is not shown here, because it may quote values"),
        _ => general(reply),
    }
}
