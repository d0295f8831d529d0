//! Lists the secrets of the key-value engine below a prefix, folder by folder. A listing is complete or an error.

use secretdir_provider::{Listed, RunContext, SourceError, SourceErrorKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::access::Access;
use crate::answer::{self, Reply};
use crate::error;
use crate::mounts::{Engine, Mount};
use crate::server::Call;

/// The most folders that are listed.
const MAX_FOLDERS: usize = 10_000;

/// The most names that are kept, and the most bytes of them. A server must not use up the memory.
const MAX_NAMES: usize = 100_000;
const MAX_NAME_BYTES: usize = 16 << 20;

/// The state of a listing: the names so far, and the folders ahead.
#[derive(Default)]
struct Found {
    listed: Vec<Listed>,
    folders: Vec<String>,
    names: usize,
    bytes: usize,
}

/// A folder in a mount. It ends with `/`, unless it is the whole mount.
struct Folder<'f> {
    mount: &'f str,
    rest: &'f str,
}

/// The names of one folder. They are decoded one at a time, because there may be millions of short ones.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// Checks a prefix.
pub(crate) fn check(prefix: &str) -> Result<(), SourceError> {
    let invalid =
        |cause: &str| SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause.to_owned());
    let mut parts: Vec<_> = prefix.split('/').collect();
    // The text after the last `/` is the beginning of a name.
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
    let begin = beginning(&mount)?;
    let rest = mount.rest(prefix).unwrap_or_default();
    let folder = rest.rfind('/').map_or("", |end| rest.get(..=end).unwrap_or_default());
    let mut found = Found { folders: vec![folder.to_owned()], ..Found::default() };
    let mut asked = 0;
    while let Some(folder) = found.folders.pop() {
        asked += 1;
        if asked > MAX_FOLDERS {
            return Err(too_many(&format!("{MAX_FOLDERS} folders"), prefix));
        }
        let path = format!("{begin}/{folder}");
        if let Some(reply) = ask(access, run, &path).await? {
            found.add_all(&reply, &path, &Folder { mount: &mount.path, rest: &folder }, prefix)?;
        }
    }
    Ok(found.listed)
}

/// Returns the path under which the engine lists its secrets.
fn beginning(mount: &Mount) -> Result<String, SourceError> {
    match mount.engine {
        Engine::KvV2 => Ok(format!("{}/metadata", mount.path)),
        Engine::KvV1 => Ok(mount.path.clone()),
        Engine::Other => Err(SourceError::new(SourceErrorKind::Unsupported).with_cause(format!(
            "only the key-value engine can be listed, and `{}/` is a mount of another engine",
            mount.path
        ))),
    }
}

impl Found {
    /// Adds the secrets and folders of a folder. A folder counts if the prefix leads into it, or if its path begins
    /// with the prefix.
    fn add_all(
        &mut self,
        reply: &Reply,
        path: &str,
        folder: &Folder<'_>,
        prefix: &str,
    ) -> Result<(), SourceError> {
        let data = reply.frame()?.data.ok_or_else(answer::strange)?;
        let keys: Keys<'_> = answer::parse(data)?;
        for key in keys.keys {
            let key: String = answer::parse(key)?;
            if !is_possible(&key) {
                return Err(impossible(path));
            }
            let name = format!("{}/{}{key}", folder.mount, folder.rest);
            if name.starts_with(prefix) {
                self.count(&name, prefix)?;
                match key.ends_with('/') {
                    true => self.folders.push(format!("{}{key}", folder.rest)),
                    false => self.listed.push(Listed::new(name)),
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, name: &str, prefix: &str) -> Result<(), SourceError> {
        self.names += 1;
        self.bytes += name.len();
        if self.names > MAX_NAMES {
            return Err(too_many(&format!("{MAX_NAMES} names"), prefix));
        }
        if self.bytes > MAX_NAME_BYTES {
            return Err(too_many(&format!("{MAX_NAME_BYTES} bytes of names"), prefix));
        }
        Ok(())
    }
}

fn too_many(what: &str, prefix: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData)
        .with_cause(format!("there are more than {what} below `{prefix}`"))
        .with_hint("use a longer prefix")
}

/// Says whether a secret or a folder can have this name. Any other name would lead elsewhere, or in a circle.
fn is_possible(key: &str) -> bool {
    let part = key.strip_suffix('/').unwrap_or(key);
    !matches!(part, "" | "." | "..") && !part.contains('/') && !part.chars().any(char::is_control)
}

fn impossible(path: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData)
        .with_cause(format!("the server lists an invalid name in `{path}`"))
        .with_hint("is `address` the address of Vault or OpenBao, and not of a proxy?")
}

/// Lists one folder. A missing folder is empty.
async fn ask(access: &Access, run: &RunContext, path: &str) -> Result<Option<Reply>, SourceError> {
    let reply = access.call(run, Call::list(path.trim_end_matches('/'))).await?;
    match reply.status {
        200 => Ok(Some(reply)),
        404 if reply.is_silent() => Ok(None),
        404 => Err(error::not_there(&reply, path)),
        _ => Err(error::refused(&reply, path)),
    }
}
