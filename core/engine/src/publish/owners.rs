//! Looks up the names of owners: once a run, before it locks or fetches anything.

use std::collections::{BTreeMap, BTreeSet};

use atomicdir::{Attributes, FileMap, NewFile, Owner, Refusal};

use crate::bundle::Bundle;
use crate::config::owner::{OwnerSpec, Principal};
use crate::config::report::Named;
use crate::plan::{Plan, PlannedAttributes};
use crate::report::{ErrorKind, ErrorReport};

/// The IDs of all names of owners in a plan.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, u32>,
}

/// The reason why files cannot be given to an owner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// There is no such user on this system.
    #[error("there is no user `{0}` on this system")]
    NoSuchUser(String),
    /// There is no such group on this system.
    #[error("there is no group `{0}` on this system")]
    NoSuchGroup(String),
    /// The lookup failed.
    #[error("cannot look up `{name}`")]
    Lookup {
        /// The user or group.
        name: String,
        /// The error of the operating system.
        #[source]
        cause: std::io::Error,
    },
    /// The privilege to give files to this owner is missing.
    #[error(transparent)]
    NotPermitted(Refusal),
}

impl OwnerError {
    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchUser(_) | Self::NoSuchGroup(_) => ErrorKind::UnknownOwner,
            Self::Lookup { .. } => ErrorKind::OwnerNotLookedUp,
            Self::NotPermitted(refusal) => refusal.into(),
        }
    }

    /// Returns a hint for the user.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoSuchUser(_) | Self::NoSuchGroup(_) => Some("create it first, or use a number"),
            Self::Lookup { .. } => None,
            Self::NotPermitted(_) => Some("run as root, or omit `owner` and `group`"),
        }
    }
}

impl From<&OwnerError> for ErrorReport {
    fn from(error: &OwnerError) -> Self {
        Self::new(error.kind(), error).with_hint(error.hint())
    }
}

impl Owners {
    /// Looks up every name of the plan, and verifies that files may be given to these owners.
    pub(crate) fn resolve(plan: &Plan) -> Result<Self, OwnerError> {
        let mut owners = Self::default();
        let files = plan.files.iter().map(|(_, file)| &file.attributes.owner);
        let imports = plan.imports.iter().map(|import| &import.attributes.owner);
        let distinct: BTreeSet<_> = files.chain(imports).chain([&plan.directory.owner]).collect();
        for spec in distinct {
            owners.look_up(spec)?;
            owners.owner(spec).ensure_permitted().map_err(OwnerError::NotPermitted)?;
        }
        Ok(owners)
    }

    /// Returns the files of a bundle with their attributes for the disk. The bytes are borrowed.
    pub(crate) fn files<'b>(&self, bundle: &'b Bundle<'_>) -> FileMap<NewFile<'b>> {
        bundle.map_files(|file| NewFile::new(file.bytes(), self.attributes(&file.planned.attributes)))
    }

    /// Returns attributes with IDs instead of names.
    pub(crate) fn attributes(&self, planned: &PlannedAttributes) -> Attributes {
        Attributes::new(planned.mode, self.owner(&planned.owner))
    }

    fn owner(&self, spec: &OwnerSpec) -> Owner {
        Owner {
            user: number(spec.user.as_ref(), &self.users),
            group: number(spec.group.as_ref(), &self.groups),
        }
    }

    fn look_up(&mut self, spec: &OwnerSpec) -> Result<(), OwnerError> {
        if let Some(Principal::Name(name)) = &spec.user
            && !self.users.contains_key(name)
        {
            let found = nix::unistd::User::from_name(name).map_err(|errno| lookup(name, errno))?;
            let user = found.ok_or_else(|| OwnerError::NoSuchUser(name.clone()))?;
            self.users.insert(name.clone(), user.uid.as_raw());
        }
        if let Some(Principal::Name(name)) = &spec.group
            && !self.groups.contains_key(name)
        {
            let found = nix::unistd::Group::from_name(name).map_err(|errno| lookup(name, errno))?;
            let group = found.ok_or_else(|| OwnerError::NoSuchGroup(name.clone()))?;
            self.groups.insert(name.clone(), group.gid.as_raw());
        }
        Ok(())
    }
}

/// Returns whether the lookup succeeds and there is no such user or group.
pub(crate) fn is_unknown(who: &Named) -> bool {
    match who {
        Named::User(name) => matches!(nix::unistd::User::from_name(name), Ok(None)),
        Named::Group(name) => matches!(nix::unistd::Group::from_name(name), Ok(None)),
    }
}

fn number(principal: Option<&Principal>, names: &BTreeMap<String, u32>) -> Option<u32> {
    match principal? {
        Principal::Id(id) => Some(*id),
        Principal::Name(name) => names.get(name).copied(),
    }
}

fn lookup(name: &str, errno: nix::errno::Errno) -> OwnerError {
    OwnerError::Lookup { name: name.to_owned(), cause: errno.into() }
}
