//! A real `moto_server`, with signatures and IAM policies checked.

mod client;
mod process;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use self::client::{Client, json_string, json_text, xml_text};
use self::process::Process;
use crate::encode::base64;

/// The region that the secrets are in.
pub const REGION: &str = "eu-west-1";

/// Enough calls without a signature for any seeding.
const MANY: u32 = 1_000_000;

/// What the user may do whom each server has.
const EVERYTHING: [&str; 3] = ["secretsmanager:*", "ssm:*", "sts:*"];

/// A moto server of one's own on 127.0.0.1. Ends when dropped, and with the process that started it.
///
/// A call must have a valid signature and be allowed by a policy, except while a secret or a user is being added: then
/// moto lets every call through. A test of refusals therefore has a server to itself, or adds nothing meanwhile.
#[derive(Debug)]
pub struct Moto {
    process: Process,
    client: Client,
    access_key: AccessKey,
    seeding: Mutex<()>,
}

/// The access key of a user. `Debug` leaves out the secret half.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: String,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Moto {
    /// Starts a server with one user who may do everything in the services of the tests, and waits until it answers.
    ///
    /// # Panics
    ///
    /// When moto is not installed, or does not come up.
    pub fn start() -> Self {
        let process = Process::start();
        let client = Client::new(process.address());
        let seeding = Mutex::default();
        let access_key = seed(&client, &seeding, || add_user(&client, "reader", &EVERYTHING));
        Self { process, client, access_key, seeding }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.process.address())
    }

    /// Returns the key of a user who may do everything in the services of the tests.
    pub fn access_key(&self) -> &AccessKey {
        &self.access_key
    }

    /// Returns the environment of a child process that asks this server as that user, and looks for credentials
    /// nowhere else. The endpoint and the region belong into the configuration under test.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ACCESS_KEY_ID", self.access_key.id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.access_key.secret.clone()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Adds a user who may do these actions (such as `secretsmanager:ListSecrets`) on everything.
    pub fn add_user(&self, name: &str, actions: &[&str]) -> AccessKey {
        self.seed(|| add_user(&self.client, name, actions))
    }

    /// Adds a secret that is a string. Returns its ARN.
    pub fn create_string(&self, name: &str, value: &str) -> String {
        self.create(name, &format!(r#""SecretString":{}"#, json_string(value)))
    }

    /// Adds a secret that is binary. Returns its ARN.
    pub fn create_binary(&self, name: &str, value: &[u8]) -> String {
        self.create(name, &format!(r#""SecretBinary":"{}""#, base64(value)))
    }

    /// Adds a parameter, or a version to one. Takes its type, such as `SecureString`.
    pub fn put_parameter(&self, name: &str, value: &str, parameter_type: &str) {
        let (name, value) = (json_string(name), json_string(value));
        let request =
            format!(r#"{{"Name":{name},"Value":{value},"Type":"{parameter_type}","Overwrite":true}}"#);
        self.seed(|| self.client.parameter_store("PutParameter", &request));
    }

    /// Labels a version of a parameter.
    pub fn label_parameter(&self, name: &str, version: u32, label: &str) {
        let (name, label) = (json_string(name), json_string(label));
        let request = format!(r#"{{"Name":{name},"ParameterVersion":{version},"Labels":[{label}]}}"#);
        self.seed(|| self.client.parameter_store("LabelParameterVersion", &request));
    }

    /// Adds a role that may do these actions on everything. Returns its ARN.
    pub fn add_role(&self, name: &str, actions: &[&str]) -> String {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
        self.seed(|| {
            let form = [("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", trust)];
            let role = self.client.iam(&form);
            let form = [
                ("Action", "PutRolePolicy"),
                ("RoleName", name),
                ("PolicyName", "tests"),
                ("PolicyDocument", &allowing(actions)),
            ];
            self.client.iam(&form);
            xml_text(&role, "Arn")
        })
    }

    /// Adds a user who has this policy, and nothing else.
    pub fn add_user_with_policy(&self, name: &str, policy: &str) -> AccessKey {
        self.seed(|| {
            let key = add_user(&self.client, name, &[]);
            put_policy(&self.client, name, policy);
            key
        })
    }

    /// Gives a secret a new current version, which makes the last one `AWSPREVIOUS`. Returns the new version's id.
    pub fn put_string(&self, name: &str, value: &str) -> String {
        let request =
            format!(r#"{{"SecretId":{},"SecretString":{}}}"#, json_string(name), json_string(value));
        json_text(&self.call("PutSecretValue", &request), "VersionId")
    }

    /// Marks a secret as deleted.
    pub fn delete(&self, name: &str) {
        self.call("DeleteSecret", &format!(r#"{{"SecretId":{}}}"#, json_string(name)));
    }

    /// Returns how often an action of Secrets Manager (such as `GetSecretValue`) was called since the start, refused
    /// calls included.
    pub fn calls(&self, action: &str) -> usize {
        self.process.recording().matches(&format!(r#""X-Amz-Target": "secretsmanager.{action}""#)).count()
    }

    fn create(&self, name: &str, value: &str) -> String {
        let answer = self.call("CreateSecret", &format!(r#"{{"Name":{},{value}}}"#, json_string(name)));
        json_text(&answer, "ARN")
    }

    fn call(&self, action: &str, request: &str) -> String {
        self.seed(|| self.client.secrets_manager(action, request))
    }

    fn seed<T>(&self, work: impl FnOnce() -> T) -> T {
        seed(&self.client, &self.seeding, work)
    }
}

/// Does what needs no signature. One at a time, so that the first to end does not lock out the others.
fn seed<T>(client: &Client, seeding: &Mutex<()>, work: impl FnOnce() -> T) -> T {
    let _alone = seeding.lock().unwrap_or_else(PoisonError::into_inner);
    client.let_through(MANY);
    let done = work();
    client.let_through(0);
    done
}

fn add_user(client: &Client, name: &str, actions: &[&str]) -> AccessKey {
    client.iam(&[("Action", "CreateUser"), ("UserName", name)]);
    let key = client.iam(&[("Action", "CreateAccessKey"), ("UserName", name)]);
    if !actions.is_empty() {
        put_policy(client, name, &allowing(actions));
    }
    AccessKey { id: xml_text(&key, "AccessKeyId"), secret: xml_text(&key, "SecretAccessKey") }
}

fn put_policy(client: &Client, user: &str, policy: &str) {
    let form = [
        ("Action", "PutUserPolicy"),
        ("UserName", user),
        ("PolicyName", "tests"),
        ("PolicyDocument", policy),
    ];
    client.iam(&form);
}

/// Returns a policy that allows these actions on everything.
fn allowing(actions: &[&str]) -> String {
    let actions: Vec<_> = actions.iter().map(|action| json_string(action)).collect();
    let actions = actions.join(",");
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
    )
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::http::PATIENCE;

    #[test]
    fn secrets_can_be_added_and_nobody_gets_in_without_a_signature() {
        let moto = Moto::start();
        let arn = moto.create_string("app/db", "a \"quoted\"\nvalue");
        assert!(arn.starts_with("arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db-"), "{arn}");
        assert!(moto.create_binary("app/key", &[0, 255]).contains(":secret:app/key-"));
        assert_eq!(moto.put_string("app/db", "another").len(), 36);
        assert_ne!(moto.add_user("other", &[]), *moto.access_key());
        moto.delete("app/db");

        assert_eq!(moto.calls("GetSecretValue"), 0);
        let refused = moto.client.try_secrets_manager("GetSecretValue", r#"{"SecretId":"app/key"}"#);
        assert_eq!(refused.status(), Some(403));
        assert_eq!((moto.calls("GetSecretValue"), moto.calls("CreateSecret")), (1, 2));
    }

    #[test]
    fn dropping_ends_the_server_and_removes_its_files() {
        let moto = Moto::start();
        let (address, folder) = (moto.process.address(), moto.process.folder().to_owned());
        assert!(folder.is_dir());
        drop(moto);
        assert!(TcpStream::connect_timeout(&address, PATIENCE).is_err());
        assert!(!folder.exists());
    }
}
