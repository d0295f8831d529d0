//! Two accounts whose secrets and parameters look alike: each identifier is answered by its own one, or by an error of its own.

use std::env;
use std::num::NonZeroUsize;
use std::time::{SystemTime, UNIX_EPOCH};

use secretdir_provider::{Provider as _, RunContext, SecretRequest, SecretSource, Settings, SourceErrorKind};
use secretdir_testkit::{Fault, REGION, Strict};

use crate::parameters;
use crate::support::{self, LONG, some_key, table};

const OWN: &str = "123456789012";
const OTHER: &str = "210987654321";

/// How many worlds the trials make, unless `SECRETDIR_TRIAL_RUNS` says otherwise; `SECRETDIR_TRIAL_SEED` repeats one trial.
const RUNS: u64 = 100;

type Told = Result<Vec<u8>, SourceErrorKind>;

/// What there is behind an ARN.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Behind {
    Value,
    Denied,
    Nothing,
}

/// One secret or parameter of one account.
#[derive(Clone, Debug)]
struct Item {
    account: &'static str,
    name: &'static str,
    arn: String,
    behind: Behind,
}

impl Item {
    fn told(&self) -> Told {
        match self.behind {
            Behind::Value => Ok(self.arn.clone().into_bytes()),
            Behind::Denied => Err(SourceErrorKind::PermissionDenied),
            Behind::Nothing => Err(SourceErrorKind::NotFound),
        }
    }

    fn store(&self, server: &Strict) {
        let is_own = self.account == OWN;
        match (self.behind, is_own) {
            (Behind::Value, true) => server.put(self.name, &self.arn),
            (Behind::Denied, true) => server.deny(self.name),
            (Behind::Value, false) => server.share(&self.arn, &self.arn),
            (Behind::Denied, false) => server.deny_shared(&self.arn),
            (Behind::Nothing, _) => {}
        }
    }
}

/// A number generator that a seed repeats (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % sides
    }

    fn behind(&mut self) -> Behind {
        [Behind::Value, Behind::Value, Behind::Denied, Behind::Nothing][self.roll(4)]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.roll(last + 1));
        }
    }
}

/// Makes everything that both accounts can have, and stores what there is of it.
fn world(
    dice: &mut Dice,
    server: &Strict,
    names: &[&'static str],
    arn: fn(&str, &str) -> String,
) -> Vec<Item> {
    server.clear();
    let mut items = Vec::new();
    for account in [OWN, OTHER] {
        for name in names {
            let item = Item { account, name, arn: arn(account, name), behind: dice.behind() };
            item.store(server);
            items.push(item);
        }
    }
    items
}

/// Plays many worlds, and counts the requests that were answered wrongly.
async fn play(
    server: &Strict,
    source: &dyn SecretSource,
    mut world: impl FnMut(&mut Dice) -> Vec<(SecretRequest, Told)>,
) {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse().ok());
    let seed = number("SECRETDIR_TRIAL_SEED")
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() << 20);
    for run in 0..number("SECRETDIR_TRIAL_RUNS").unwrap_or(RUNS) {
        let seed = seed.wrapping_add(run);
        let mut dice = Dice(seed);
        let mut asked = world(&mut dice);
        dice.shuffle(&mut asked);
        asked.truncate(1 + dice.roll(asked.len()));
        server.set_fault(Fault::Shuffle { page: 1 + dice.roll(20), seed });
        let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::new(4).unwrap()).build();
        let requests: Vec<_> = asked.iter().map(|(request, _)| request.clone()).collect();
        let answers = secretdir_conformance::fetch_all(source, &context, &requests).await;
        for ((request, expected), answer) in asked.iter().zip(answers) {
            let told = answer.map(|secret| secret.expose_secret().to_vec()).map_err(|error| error.kind());
            assert_eq!(&told, expected, "{request:?}; SECRETDIR_TRIAL_SEED={seed}");
        }
    }
}

const SECRETS: [&str; 5] = ["app", "app-AbCdEf", "app-AbCdEf-AbCdEf", "prod/db", "prod/db-secret"];

fn secret_arn(account: &str, name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{account}:secret:{name}-AbCdEf")
}

/// Returns everything that can be asked for, with the answer: by the exact ARN, then by name, then by the partial ARN. Often
/// the ARNs are of one account: then they share calls with names.
fn secrets_of(dice: &mut Dice, items: &[Item]) -> Vec<(SecretRequest, Told)> {
    let accounts = [&[OWN, OTHER][..], &[OWN], &[OTHER]][dice.roll(3)];
    let is_asked = |(request, _): &(SecretRequest, Told)| {
        !request.name().starts_with("arn:") || accounts.iter().any(|account| request.name().contains(account))
    };
    all_secrets_of(items).into_iter().filter(is_asked).collect()
}

fn all_secrets_of(items: &[Item]) -> Vec<(SecretRequest, Told)> {
    let mut asked = Vec::new();
    for item in items {
        asked.push((SecretRequest::new(&*item.arn), item.told_among(items)));
        let partial = item.arn.trim_end_matches("-AbCdEf").to_owned();
        if partial.len() + "-AbCdEf".len() == item.arn.len() {
            let exact = items.iter().find(|other| other.arn == partial && other.behind != Behind::Nothing);
            asked.push((SecretRequest::new(&*partial), exact.unwrap_or(item).told()));
        }
        if item.account == OWN {
            asked.push((SecretRequest::new(item.name), item.told()));
        }
    }
    asked
}

impl Item {
    /// What its full ARN is answered with: if there is none, that of the secret whose ARN begins with it.
    fn told_among(&self, items: &[Self]) -> Told {
        let longer = format!("{}-AbCdEf", self.arn);
        let other = items.iter().find(|other| other.arn == longer && self.behind == Behind::Nothing);
        other.unwrap_or(self).told()
    }
}

#[tokio::test]
async fn each_secret_is_answered_by_its_own_one_in_any_world() {
    let server = Strict::start();
    let source = support::source(&server.endpoint(), &some_key());
    let asked = |dice: &mut Dice| {
        let items = world(dice, &server, &SECRETS, secret_arn);
        secrets_of(dice, &items)
    };
    play(&server, &*source, asked).await;
    server.refuse_shared_in_batches();
    play(&server, &*source, asked).await;
}

const PARAMETERS: [&str; 5] = ["db", "/app/db", "/app", "/app/db/db", "/db/app"];

fn parameter_arn(account: &str, name: &str) -> String {
    format!("arn:aws:ssm:{REGION}:{account}:parameter/{}", name.trim_start_matches('/'))
}

#[tokio::test]
async fn each_parameter_is_answered_by_its_own_one_in_any_world() {
    let server = Strict::start();
    let settings = table(&[("region", REGION), ("endpoint-url", &server.endpoint())]);
    let source = parameters::provider(&some_key()).source(Settings::new(settings, "/")).unwrap();
    play(&server, &*source, |dice| {
        let mut asked = Vec::new();
        for item in world(dice, &server, &PARAMETERS, parameter_arn) {
            let mut names = vec![item.arn.as_str()];
            names.extend((item.account == OWN).then_some(item.name));
            for request in names.into_iter().map(SecretRequest::new) {
                asked.push((request.clone().with_version("live"), item.told()));
                let missing =
                    if item.behind == Behind::Value { Err(SourceErrorKind::NotFound) } else { item.told() };
                let old = request.clone().with_version("2");
                if missing != Err(SourceErrorKind::PermissionDenied) {
                    asked.push((old, missing));
                }
                asked.push((request, item.told()));
            }
        }
        asked
    })
    .await;
}

/// Asks for these, with the answers in many orders, and expects the same each time.
async fn told(server: &Strict, ids: &[&str]) -> Vec<Told> {
    let source = support::source(&server.endpoint(), &some_key());
    let requests: Vec<_> = ids.iter().map(|id| SecretRequest::new(*id)).collect();
    let mut first = None;
    for seed in 0..16 {
        server.set_fault(Fault::Shuffle { page: 20, seed });
        server.reset_counts();
        let told = support::ask(&*source, &requests).await.0;
        assert_eq!(first.get_or_insert(told.clone()), &told, "seed {seed}");
    }
    first.unwrap()
}

#[tokio::test]
async fn a_name_and_an_arn_of_another_account_get_each_its_own() {
    let server = Strict::start();
    let shared = secret_arn(OTHER, "prod/db");
    server.put("prod/db", "ours");
    server.share(&shared, "theirs");
    let partial = shared.trim_end_matches("-AbCdEf");
    assert_eq!(
        told(&server, &["prod/db", &shared, partial]).await,
        [Ok(b"ours".to_vec()), Ok(b"theirs".to_vec()), Ok(b"theirs".to_vec())]
    );
}

#[tokio::test]
async fn a_full_arn_and_a_secret_that_is_named_like_its_end_get_each_its_own() {
    let server = Strict::start();
    server.put("app", "the ARN's");
    server.put("app-AbCdEf", "the name's");
    let arn = server.arn(REGION, "app");
    assert_eq!(
        told(&server, &["app-AbCdEf", &arn, "app"]).await,
        [Ok(b"the name's".to_vec()), Ok(b"the ARN's".to_vec()), Ok(b"the ARN's".to_vec())]
    );
}

#[tokio::test]
async fn what_is_denied_is_not_taken_for_its_twin_that_is_not_there() {
    let server = Strict::start();
    let missing = secret_arn(OTHER, "prod/db");
    server.deny("prod/db");
    for ids in [["prod/db", missing.as_str()], [missing.as_str(), "prod/db"]] {
        let told = told(&server, &ids).await;
        for (id, told) in ids.iter().zip(told) {
            let expected =
                if *id == "prod/db" { SourceErrorKind::PermissionDenied } else { SourceErrorKind::NotFound };
            assert_eq!(told, Err(expected), "{id}");
        }
    }
}

#[tokio::test]
async fn arns_of_another_account_or_region_are_asked_alone() {
    let server = Strict::start();
    let elsewhere = secret_arn(OWN, "c").replace(REGION, "us-east-1");
    let shared = [secret_arn(OTHER, "a"), secret_arn(OTHER, "b")];
    for arn in &shared {
        server.share(arn, "theirs");
    }
    server.put("d", "ours");
    server.put("e", "ours");
    told(&server, &[&shared[0], "d", &shared[1], "e", &elsewhere]).await;
    assert_eq!((server.calls("BatchGetSecretValue"), server.calls("GetSecretValue")), (1, 3));
}

#[tokio::test]
async fn what_a_batch_does_not_reach_is_asked_alone() {
    let server = Strict::start();
    server.refuse_shared_in_batches();
    let shared = secret_arn(OTHER, "a");
    server.share(&shared, "theirs");
    server.put("d", "ours");
    assert_eq!(told(&server, &[&shared, "d"]).await, [Ok(b"theirs".to_vec()), Ok(b"ours".to_vec())]);
    assert_eq!((server.calls("BatchGetSecretValue"), server.calls("GetSecretValue")), (1, 1));
}

#[tokio::test]
async fn an_arn_that_looks_complete_says_why_it_may_not_be_there() {
    let server = Strict::start();
    let source = support::source(&server.endpoint(), &some_key());
    let hint = async |arn: &str| support::seen(support::fetch(&*source, SecretRequest::new(arn)).await).hint;
    let arn = |name: &str| format!("arn:aws:secretsmanager:{REGION}:{OWN}:secret:{name}");
    assert!(hint(&arn("app-config")).await.contains("AWS takes the six characters at the end of this ARN"));
    assert!(!hint(&arn("app-settings")).await.contains("six characters"));
}
