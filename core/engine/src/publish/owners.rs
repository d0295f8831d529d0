//! Owner names become numbers: looked up once a run, before anything is locked or fetched.

use std::collections::{BTreeMap, BTreeSet};

use atomicdir::{Attributes, FileMap, NewFile, Owner, Refusal};

use crate::bundle::Bundle;
use crate::config::owner::{OwnerSpec, Principal};
use crate::config::report::Named;
use crate::plan::{Plan, PlannedAttributes};
use crate::report::{ErrorKind, ErrorReport};

/// The numbers of all the names in a plan.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, u32>,
}

/// An owner that files cannot be given to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The system knows no such user.
    #[error("there is no user `{0}` on this system")]
    NoSuchUser(String),
    /// The system knows no such group.
    #[error("there is no group `{0}` on this system")]
    NoSuchGroup(String),
    /// The system could not be asked.
    #[error("cannot look up `{name}`")]
    Lookup {
        /// The user or group.
        name: String,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// Giving files to this owner takes a privilege that is missing.
    #[error(transparent)]
    NotPermitted(Refusal),
}

impl OwnerError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchUser(_) | Self::NoSuchGroup(_) => ErrorKind::UnknownOwner,
            Self::Lookup { .. } => ErrorKind::OwnerNotLookedUp,
            Self::NotPermitted(refusal) => refusal.into(),
        }
    }

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoSuchUser(_) | Self::NoSuchGroup(_) => Some("create it first, or give a number"),
            Self::Lookup { .. } => None,
            Self::NotPermitted(_) => Some("run as root, or leave `owner` and `group` out"),
        }
    }
}

impl From<&OwnerError> for ErrorReport {
    fn from(error: &OwnerError) -> Self {
        Self::new(error.kind(), error).with_hint(error.hint())
    }
}

impl Owners {
    /// Looks up every name of the plan, and makes sure that files may be given to whom they are for.
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

    /// Returns the files of a bundle as they are to be on disk, with borrowed bytes.
    pub(crate) fn files<'b>(&self, bundle: &'b Bundle<'_>) -> FileMap<NewFile<'b>> {
        bundle.map_files(|file| NewFile::new(file.bytes(), self.attributes(&file.planned.attributes)))
    }

    /// Returns attributes with numbers for names.
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

/// Returns whether the system says that it knows no such user or group.
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
