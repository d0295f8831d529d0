use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use atomicdir::{Durability, Mode};

use super::*;
use crate::config::defaults::MAX_BYTES;
use crate::config::owner::{OwnerSpec, Principal};
use crate::plan::planned::GatherLimits;
use crate::plan::{HookCommand, OnChange, PlannedAttributes};

pub(super) fn attributes(mode: u32, user: Option<Principal>, group: Option<Principal>) -> PlannedAttributes {
    PlannedAttributes { mode: Mode::new(mode).unwrap(), owner: OwnerSpec { user, group } }
}

fn name(text: &str) -> Option<Principal> {
    Some(Principal::Name(text.into()))
}

#[test]
fn every_key_arrives_in_the_plan() {
    let plan = resolve(GOOD).unwrap();
    assert_eq!(plan.config_file(), Path::new("etc/x.toml"));
    assert_eq!(plan.link(), Path::new("etc/run/app"));
    assert_eq!(plan.directory, attributes(0o750, name("app"), Some(Principal::Id(1000))));
    assert_eq!((plan.retain, plan.durability), (Duration::from_secs(90), Durability::PerFile));
    let on_change = OnChange {
        command: Some(HookCommand {
            program: "systemctl".into(),
            arguments: vec!["reload".into(), "app".into()],
            timeout: Duration::from_secs(5),
        }),
        stamp: None,
        splay: Duration::ZERO,
    };
    assert_eq!(plan.on_change, Some(on_change));
    let concurrency = NonZeroUsize::new(4).unwrap();
    assert_eq!(
        plan.gather,
        GatherLimits { timeout: Duration::from_secs(10), concurrency, max_bytes: MAX_BYTES }
    );
    assert_eq!(
        plan.sources.iter().map(|source| (source.name.as_str(), source.provider)).collect::<Vec<_>>(),
        [("other", "tiny"), ("prod", "tiny")]
    );
    assert_eq!(plan.source_names().collect::<Vec<_>>(), ["other", "prod"]);
    assert_eq!(
        plan.files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["db/password", "db/user", "tls.key", "token"]
    );
    assert_eq!(plan.file_count(), 4);
}

#[test]
fn files_inherit_what_they_do_not_say() {
    let plan = resolve(GOOD).unwrap();
    let of = |name: &str| plan.files.get(name).unwrap().attributes.clone();
    assert_eq!(of("db/user"), attributes(0o440, name("app"), Some(Principal::Id(1000))));
    assert_eq!(of("tls.key"), attributes(0o400, Some(Principal::Id(0)), name("tls")));
}

#[test]
fn each_distinct_request_stands_once_with_its_source() {
    let plan = resolve(GOOD).unwrap();
    let requests = |source: usize| &plan.sources[source].requests;
    assert_eq!(*requests(0), [SecretRequest::new("db")]);
    assert_eq!(*requests(1), [SecretRequest::new("db"), SecretRequest::new("token")]);
    assert_eq!(plan.secret_count(), 3);
    let places: Vec<_> = plan
        .files
        .iter()
        .map(|(_, file)| {
            let id = file.content.uses()[0].id;
            (id.source, id.request)
        })
        .collect();
    assert_eq!(places, [(1, 0), (1, 0), (0, 0), (1, 1)]);
    let fields: Vec<_> = plan
        .files
        .iter()
        .map(|(_, file)| file.content.uses()[0].field.as_ref().map(|field| field.as_str()))
        .collect();
    assert_eq!(fields, [Some("password"), Some("/user"), None, None]);
}

#[test]
fn what_is_not_said_has_a_default() {
    let plan = resolve(&format!("{HEAD}[files]\na = {{ source = 's', secret = 'x' }}")).unwrap();
    assert_eq!(plan.directory, attributes(0o700, None, None));
    assert_eq!(plan.files.get("a").unwrap().attributes, attributes(0o400, None, None));
    assert_eq!((plan.retain, plan.durability), (Duration::from_secs(300), Durability::Filesystem));
    assert_eq!((plan.gather.timeout, plan.gather.concurrency.get()), (Duration::from_secs(60), 16));
    assert_eq!(plan.on_change, None);
    assert_eq!(plan.warnings(), []);
    let command = resolve(&format!("{HEAD}on-change.command = ['x']\n[files]")).unwrap().on_change.unwrap();
    let command = command.command.unwrap();
    assert_eq!((command.arguments.len(), command.timeout), (0, Duration::from_secs(30)));
}

#[test]
fn an_empty_files_table_is_a_plan_of_no_files() {
    let plan = resolve("[directory]\npath = '/run/app'\n[files]").unwrap();
    assert_eq!((plan.file_count(), plan.secret_count(), plan.source_names().len()), (0, 0, 0));
    assert_eq!(plan.link(), Path::new("/run/app"));
}

#[test]
fn a_zero_retain_is_a_choice() {
    let plan = resolve("[directory]\npath = '/run/app'\nretain = '0s'\n[files]").unwrap();
    assert_eq!(plan.retain, Duration::ZERO);
}
