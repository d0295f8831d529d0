//! Finds the engine at a path. The server is asked once for each mount and run.

use secretdir_provider::{Retry, RunContext, SourceError, SourceErrorKind};
use serde::Deserialize;
use std::borrow::Cow;
use tokio::sync::Mutex;

use crate::access::Access;
use crate::answer;
use crate::error;
use crate::refusals::SharedFailures;
use crate::server::Call;

/// A mount of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Its path, without a `/` at the end.
    pub(crate) path: String,
    pub(crate) engine: Engine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Key-value, version 1.
    KvV1,
    /// Key-value, version 2.
    KvV2,
    /// Any other. The answer to a path is read as it is.
    Other,
}

/// The mounts that are known in a run.
#[derive(Default)]
struct Known {
    mounts: Mutex<Vec<Mount>>,
    refusals: SharedFailures,
}

#[derive(Deserialize)]
struct MountData<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    options: Option<Options<'a>>,
}

#[derive(Deserialize)]
struct Options<'a> {
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
}

impl Mount {
    /// Returns the rest of a path below the mount.
    pub(crate) fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.path.as_str())?.strip_prefix('/')
    }

    /// Finds the mount of a path.
    pub(crate) async fn of(access: &Access, run: &RunContext, path: &str) -> Result<Self, SourceError> {
        let known = run.state::<Known>();
        let before = known.refusals.count();
        // One request asks, and the others wait for its answer, because they may be about the same mount.
        let mut mounts = known.mounts.lock().await;
        if let Some(mount) = mounts.iter().find(|mount| mount.rest(path).is_some()) {
            return Ok(mount.clone());
        }
        if let Some(error) = known.refusals.while_waiting(before) {
            return Err(error);
        }
        let asked = Self::ask(access, run, path).await;
        let mount = asked.inspect_err(|error| {
            if is_of_the_server(error) {
                known.refusals.add(error);
            }
        })?;
        mounts.push(mount.clone());
        Ok(mount)
    }

    async fn ask(access: &Access, run: &RunContext, path: &str) -> Result<Self, SourceError> {
        let question = format!("sys/internal/ui/mounts/{}", path.trim_end_matches('/'));
        let reply = access.call(run, Call::get(&question)).await;
        let reply = reply.map_err(|error| match error.kind() {
            // The server gives the same answer for a missing mount, and for one that the token may not see.
            SourceErrorKind::PermissionDenied => unknown(path),
            _ => error,
        })?;
        match reply.status {
            200 => Self::read(&reply),
            404 => Err(error::not_there(&reply, path)),
            400 => Err(error::no_mount(path)),
            _ => Err(error::general(&reply)),
        }
    }

    fn read(reply: &answer::Reply) -> Result<Self, SourceError> {
        let frame = reply.frame()?;
        let data: MountData<'_> = answer::parse(frame.data.ok_or_else(answer::strange)?)?;
        let version = data.options.and_then(|options| options.version);
        let engine = match (&*data.kind, version.as_deref()) {
            ("kv" | "generic", Some("2")) => Engine::KvV2,
            ("kv" | "generic", _) => Engine::KvV1,
            _ => Engine::Other,
        };
        Ok(Self { path: data.path.trim_end_matches('/').to_owned(), engine })
    }
}

/// Says whether an error is about the server or the token, and not about one path.
fn is_of_the_server(error: &SourceError) -> bool {
    let kind = error.kind();
    let is_out = matches!(kind, SourceErrorKind::TimedOut | SourceErrorKind::Unauthenticated);
    is_out || error.retry() != Retry::No
}

fn unknown(path: &str) -> SourceError {
    SourceError::new(SourceErrorKind::PermissionDenied)
        .with_cause(format!("there is no mount at the beginning of `{path}`, or no policy of the token for anything in it"))
        .with_hint("compare the path with `vault secrets list`, or `bao secrets list`, and with the policies of the token")
}
