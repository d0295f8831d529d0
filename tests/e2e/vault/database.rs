//! Database users with leases. PostgreSQL is the judge: the published pair must log in at every moment.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use atomicdir::{FileName, Snapshot};
use secretdir_testkit::{Forwarder, Postgres, ROOT_TOKEN};
use serde_json::{Value, json};

use super::{Role, bao, seen, site};
use crate::support::{PATIENCE, Site};
use crate::watch::Watch;

/// How long to wait between two looks at the leases.
const PAUSE: Duration = Duration::from_millis(100);

const FILES: &str = "[files]\n\
    \"db/user\" = { source = \"vault\", secret = \"MOUNT/creds/app\", field = \"username\" }\n\
    \"db/password\" = { source = \"vault\", secret = \"MOUNT/creds/app\", field = \"password\" }\n";

/// The server that all tests of this file share.
fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(Postgres::start)
}

/// A database engine of OpenBao before PostgreSQL, with a role `app`.
pub(super) struct Database {
    mount: &'static str,
}

impl Database {
    pub(super) fn make(mount: &'static str, ttl: &str, max_ttl: &str) -> Self {
        let bao = bao();
        bao.write(&format!("sys/mounts/{mount}"), &json!({ "type": "database" }));
        bao.write(&format!("{mount}/config/postgres"), &postgres().connection());
        let create =
            "create role \"{{name}}\" with login password '{{password}}' valid until '{{expiration}}'";
        let role = json!({
            "db_name": "postgres", "creation_statements": [create], "default_ttl": ttl, "max_ttl": max_ttl
        });
        bao.write(&format!("{mount}/roles/app"), &role);
        Self { mount }
    }

    /// Makes an AppRole that may get users, and give them back.
    pub(super) fn role(&self, more: &Value) -> Role {
        let policy = format!(
            "path \"{}/creds/app\" {{ capabilities = [\"read\"] }} path \"sys/leases/revoke\" {{ capabilities = [\"update\"] }}",
            self.mount
        );
        Role::make(self.mount, &policy, more)
    }

    /// Makes a site that publishes a user and its password, and keeps a replaced set for a while.
    pub(super) fn site(&self, role: &Role, forwarder: &Forwarder, retain: &str) -> Site {
        let site = site(role, &forwarder.endpoint(), &FILES.replace("MOUNT", self.mount));
        let file = site.path().join("secretdir.toml");
        let config = fs::read_to_string(file).unwrap();
        site.config(&config.replace("retain = \"0s\"", &format!("retain = \"{retain}\"")));
        site
    }

    fn leases(&self) -> BTreeSet<String> {
        let path = format!("sys/leases/lookup/{}/creds/app", self.mount);
        let listed = bao().request_as(ROOT_TOKEN, "LIST", &path, &Value::Null);
        let keys = listed.body["data"]["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect()
    }
}

/// Reads the published pair through one snapshot.
fn pair(site: &Site) -> (String, String) {
    let snapshot = Snapshot::open(site.link()).unwrap();
    let read = |name: &str| String::from_utf8(snapshot.read(&FileName::new(name).unwrap()).unwrap()).unwrap();
    (read("db/user"), read("db/password"))
}

/// Counts the users that were asked for. To which engine the path belongs is another question.
pub(super) fn users_made(forwarder: &Forwarder) -> usize {
    let seen = forwarder.seen();
    seen.iter().filter(|line| line.ends_with("/creds/app") && !line.contains("ui/mounts/")).count()
}

fn exists(user: &str) -> bool {
    !postgres().query(&format!("select 1 from pg_roles where rolname = '{user}'")).is_empty()
}

/// What a reader and the server have seen of a daemon.
struct Observed {
    logins: usize,
    /// In the order of their first login.
    users: Vec<String>,
    /// All leases that there have been, and how many there were at most at the same moment.
    leases: BTreeSet<String>,
    most_leases: usize,
}

/// Logs in with the published pair, again and again, and looks at the leases meanwhile.
fn observe(database: &Database, site: &Site, duration: Duration) -> Observed {
    let (ended, users) = (AtomicBool::new(false), Mutex::new(Vec::<String>::new()));
    let mut observed = Observed { logins: 0, users: Vec::new(), leases: BTreeSet::new(), most_leases: 0 };
    let end = Instant::now() + duration;
    observed.logins = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut logins = 0;
            while !ended.load(Ordering::SeqCst) && Instant::now() < end + PATIENCE {
                let (user, password) = pair(site);
                let login = postgres().log_in(&user, &password);
                assert_eq!(login, Ok(()), "login {logins} of {user}");
                logins += 1;
                let mut users = users.lock().unwrap();
                if !users.contains(&user) {
                    users.push(user);
                }
            }
            logins
        });
        while Instant::now() < end && !reader.is_finished() {
            let leases = database.leases();
            observed.most_leases = observed.most_leases.max(leases.len());
            observed.leases.extend(leases);
            thread::sleep(PAUSE);
        }
        ended.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    observed.users = users.into_inner().unwrap();
    observed
}

#[test]
fn the_published_user_can_log_in_at_every_moment() {
    let database = Database::make("db-always", "4s", "12s");
    let role = database.role(&json!({ "token_ttl": "1h" }));
    let forwarder = Forwarder::before(&bao().endpoint());
    let site = database.site(&role, &forwarder, "1s");
    let mut watch = Watch::start(&site);
    watch.hear("published 2 files");
    let seconds = std::env::var("SECRETDIR_SECONDS").map_or(28_usize, |seconds| seconds.parse().unwrap());
    let observed = observe(&database, &site, Duration::from_secs(seconds as u64));
    let lines = watch.stop();
    let story = format!("{:#?} {lines:#?}", forwarder.seen());

    assert!(observed.logins > 50, "{}", observed.logins);
    // A user lives for twelve seconds at most, and is replaced near that moment.
    let users = observed.users.len();
    assert!((seconds / 12 + 1..=seconds / 6 + 1).contains(&users), "{users} users: {story}");
    assert_eq!(users_made(&forwarder), users, "{story}");
    assert_eq!(observed.leases.len(), users, "{story}");
    // Each was renewed before. The one that was replaced stayed for a moment.
    assert!(seen(&forwarder, "leases/renew") >= 2 * users, "{story}");
    assert_eq!(observed.most_leases, 2, "{story}");
    assert!(seen(&forwarder, "leases/revoke") >= users - 2, "{story}");
    assert!(!exists(&observed.users[0]), "{story}");
    assert_eq!(seen(&forwarder, "approle/login"), 1, "{story}");
    assert!(!lines.iter().any(|line| line.contains("warning") || line.contains("error")), "{lines:#?}");
}

#[test]
fn a_daemon_renews_its_token_and_so_keeps_the_lease() {
    let database = Database::make("db-token", "4s", "1h");
    let role = database.role(&json!({ "token_ttl": "6s", "token_max_ttl": "1h" }));
    let forwarder = Forwarder::before(&bao().endpoint());
    let site = database.site(&role, &forwarder, "1s");
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.secret("note", "1");
    let local = "[sources.local]\nprovider = \"file\"\nroot = \"source\"\n";
    site.config(&format!("{local}{config}note = {{ source = \"local\", secret = \"note\" }}\n"));
    let mut watch = Watch::start(&site);
    watch.hear("published 3 files");
    observe(&database, &site, Duration::from_secs(5));
    // A second set has the same lease. It must outlive the first set, and the token be renewed meanwhile.
    site.secret("note", "2");
    watch.hear("published 3 files");
    let observed = observe(&database, &site, Duration::from_secs(10));
    let lines = watch.stop();
    let story = format!("{:#?} {lines:#?}", forwarder.seen());
    assert_eq!((observed.users.len(), observed.leases.len()), (1, 1), "{story}");
    assert_eq!((seen(&forwarder, "approle/login"), users_made(&forwarder)), (1, 1), "{story}");
    assert!(seen(&forwarder, "auth/token/renew-self") >= 2, "{story}");
    assert_eq!(seen(&forwarder, "leases/revoke"), 0, "{story}");
}

#[test]
fn a_second_run_makes_no_second_user_and_a_replaced_one_goes_with_its_set() {
    let database = Database::make("db-once", "1h", "24h");
    let role = database.role(&json!({ "token_ttl": "4h" }));
    let forwarder = Forwarder::before(&bao().endpoint());
    let site = database.site(&role, &forwarder, "3s");
    site.sync();
    let (first, password) = pair(&site);
    let published = site.fingerprint();
    let again = site.sync();
    assert!(again.stdout.contains("unchanged"), "{again:?}");
    assert_eq!(site.fingerprint(), published);
    assert_eq!((users_made(&forwarder), database.leases().len()), (1, 1));
    postgres().log_in(&first, &password).unwrap();

    // Somebody has changed a file. Who has read the old set still needs its user.
    fs::write(site.link().join("db/password"), "forged").unwrap();
    site.sync();
    let (second, second_password) = pair(&site);
    assert_ne!(first, second);
    postgres().log_in(&second, &second_password).unwrap();
    postgres().log_in(&first, &password).unwrap();
    assert_eq!((seen(&forwarder, "leases/revoke"), database.leases().len()), (0, 2));

    // The run that removes the old set gives its lease back, long before it would end.
    let deadline = Instant::now() + PATIENCE;
    while exists(&first) {
        assert!(Instant::now() < deadline, "{:#?}", forwarder.seen());
        site.sync();
        thread::sleep(PAUSE);
    }
    postgres().log_in(&first, &password).unwrap_err();
    postgres().log_in(&second, &second_password).unwrap();
    assert_eq!((users_made(&forwarder), seen(&forwarder, "leases/revoke")), (2, 1));
    assert_eq!(database.leases().len(), 1);
}

#[test]
fn a_token_that_cannot_be_renewed_any_more_is_replaced_with_its_user() {
    let database = Database::make("db-last", "1h", "24h");
    let role = database.role(&json!({ "token_ttl": "18s", "token_max_ttl": "18s" }));
    let forwarder = Forwarder::before(&bao().endpoint());
    let site = database.site(&role, &forwarder, "1s");
    let mut watch = Watch::start(&site);
    watch.hear("published 2 files");
    let observed = observe(&database, &site, Duration::from_secs(16));
    let lines = watch.stop();
    let story = format!("{:#?} {lines:#?}", forwarder.seen());
    // The user of the first token, and that of the second: none that ends with the first token, too.
    assert_eq!(observed.users.len(), 2, "{story}");
    assert_eq!((users_made(&forwarder), seen(&forwarder, "approle/login")), (2, 2), "{story}");
}
