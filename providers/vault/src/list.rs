//! Listing what the key-value engine has below a prefix: folder by folder, all of it or an error.

use secretdir_provider::{Listed, RunContext, SourceError, SourceErrorKind};
use serde::Deserialize;

use crate::access::Access;
use crate::answer;
use crate::error;
use crate::mounts::{Engine, Mount};
use crate::server::Call;

/// How many folders are listed at most.
const MAX_FOLDERS: usize = 10_000;

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

/// Says what is wrong with a prefix.
pub(crate) fn check(prefix: &str) -> Result<(), SourceError> {
    let invalid =
        |cause: &str| SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause.to_owned());
    let mut parts: Vec<_> = prefix.split('/').collect();
    // What stands behind the last `/` is the beginning of a name.
    let begun = parts.pop().unwrap_or_default();
    if parts.is_empty() {
        return Err(invalid("a prefix begins with the mount, such as `secret/`"));
    }
    if parts.iter().any(|part| matches!(*part, "" | "." | "..")) || prefix.chars().any(char::is_control) {
        return Err(invalid("a prefix has parts with one `/` between, none of them empty, `.` or `..`"));
    }
    if matches!(begun, "." | "..") {
        return Err(invalid("no name begins so"));
    }
    Ok(())
}

/// Lists all secrets whose names begin with a prefix.
pub(crate) async fn list(
    access: &Access,
    run: &RunContext,
    prefix: &str,
) -> Result<Vec<Listed>, SourceError> {
    check(prefix)?;
    let mount = Mount::of(access, run, prefix).await?;
    let begin = match mount.engine {
        Engine::Versioned => format!("{}/metadata", mount.path),
        Engine::Plain => mount.path.clone(),
        Engine::Other => {
            return Err(SourceError::new(SourceErrorKind::Unsupported)
                .with_cause(format!("the engine at `{}/` is none whose secrets can be listed", mount.path)));
        }
    };
    let rest = mount.rest(prefix).unwrap_or_default();
    let folder = rest.rfind('/').map_or("", |end| rest.get(..=end).unwrap_or_default());
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    let mut asked = 0;
    while let Some(folder) = folders.pop() {
        asked += 1;
        if asked > MAX_FOLDERS {
            return Err(SourceError::new(SourceErrorKind::InvalidData)
                .with_cause(format!("there are more than {MAX_FOLDERS} folders below `{prefix}`")));
        }
        for key in keys(access, run, &begin, &folder).await? {
            let name = format!("{}/{folder}{key}", mount.path);
            // A folder that the prefix goes into, or that begins as the prefix does.
            match key.ends_with('/') {
                true if name.starts_with(prefix) => folders.push(format!("{folder}{key}")),
                false if name.starts_with(prefix) => found.push(Listed::new(name)),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Lists one folder. One that is not there has nothing.
async fn keys(
    access: &Access,
    run: &RunContext,
    begin: &str,
    folder: &str,
) -> Result<Vec<String>, SourceError> {
    let path = format!("{begin}/{folder}");
    let reply = access.call(run, Call::list(path.trim_end_matches('/'))).await?;
    match reply.status {
        200 => {
            let frame = reply.frame()?;
            let keys: Keys = answer::parse(frame.data.ok_or_else(answer::strange)?)?;
            Ok(keys.keys)
        }
        404 if reply.is_silent() => Ok(Vec::new()),
        404 => Err(error::not_there(&reply, &path)),
        _ => Err(error::refused(&reply, &path)),
    }
}
