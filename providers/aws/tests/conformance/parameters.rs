//! Parameter Store keeps the contract too, against a real `moto_server` and against one that keeps to the published model.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use secretdir_conformance::{BadSettings, Fixture, Skip, conformance_tests};
use secretdir_provider::{
    Answers, Provider as _, RunContext, Secret, SecretRequest, SecretSource, Settings, SourceError,
    SourceErrorKind, Table,
};
use secretdir_provider_aws::{AwsParameterStore, WithCredentials};
use secretdir_testkit::{AccessKey, Canary, Moto, REGION, Reply, Strict, Stub};

use crate::support::{self, LONG, some_key};

pub(crate) fn provider(key: &AccessKey) -> WithCredentials {
    AwsParameterStore.with_credentials(Credentials::new(&key.id, &key.secret, None, None, "tests"))
}

/// A corner of one moto server that all the rules share.
struct Corner {
    moto: &'static Moto,
    number: usize,
    /// A server with a fault, or one that counts, for a rule that asks for one.
    stub: Option<Stub>,
    /// Where a store appears later.
    later: Option<SocketAddr>,
}

/// Answers for parameters that all have one value.
fn parameters(names: &[&str], value: &str) -> Reply {
    let entry = |name| format!(r#"{{"Name":"{name}","Type":"SecureString","Value":"{value}","Version":1}}"#);
    let entries: Vec<_> = names.iter().map(entry).collect();
    Reply::json(200, format!(r#"{{"Parameters":[{}],"InvalidParameters":[]}}"#, entries.join(",")))
}

impl Corner {
    fn settings_of(&mut self, stub: Stub) -> Table {
        let stub = self.stub.insert(stub);
        support::table(&[("region", REGION), ("endpoint-url", &stub.endpoint())])
    }
}

impl Fixture for Corner {
    type Provider = WithCredentials;

    async fn start() -> Self {
        static MOTO: OnceLock<Moto> = OnceLock::new();
        static CORNERS: AtomicUsize = AtomicUsize::new(0);
        let moto = MOTO.get_or_init(Moto::start);
        Self { moto, number: CORNERS.fetch_add(1, Ordering::Relaxed), stub: None, later: None }
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        self.moto.put_parameter(name, str::from_utf8(value).unwrap(), "SecureString");
    }

    fn provider(&self) -> WithCredentials {
        provider(self.moto.access_key())
    }

    fn settings(&self) -> Table {
        support::table(&[("region", REGION), ("endpoint-url", &self.moto.endpoint())])
    }

    fn settings_of_no_store(&self) -> Table {
        support::table(&[("region", REGION), ("endpoint-url", &support::endpoint_of_nobody())])
    }

    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        Some(self.settings_of(Stub::start(Reply::json(400, r#"{"__type":"ThrottlingException"}"#))))
    }

    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        Some(self.settings_of(Stub::start(Reply::Silence)))
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        // Nobody else uses this address, so the port stays free.
        let address = TcpListener::bind("127.0.0.3:0").unwrap().local_addr().unwrap();
        self.later = Some(address);
        Some(support::table(&[("region", REGION), ("endpoint-url", &format!("http://{address}"))]))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        self.stub = Some(Stub::at(self.later.unwrap(), parameters(&[name], str::from_utf8(value).unwrap())));
    }

    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        let reply = Reply::json(200, format!(r#"{{"Parameters":[{{"Value":"{value}"#));
        Some(self.settings_of(Stub::start(reply)))
    }

    fn settings_of_counting_store(&mut self) -> Option<Table> {
        let reply = Reply::json(200, r#"{"Parameters":[],"InvalidParameters":[]}"#);
        Some(self.settings_of(Stub::slow(reply, Duration::from_millis(30))))
    }

    fn most_at_once(&self) -> usize {
        self.stub.as_ref().map_or(0, Stub::most_at_once)
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        vec![BadSettings::new(support::table(&[("region", "")]), "region")]
    }

    fn name(&self, label: &str) -> String {
        format!("/corner-{}/{label}", self.number)
    }

    fn good_names(&self) -> Vec<String> {
        let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/db";
        ["db", "/app/db", "A_b.c-d", arn].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "app/db", "/app/", "a b", "/app/db:3", "arn:aws:s3:::bucket"].map(str::to_owned).into()
    }

    fn good_versions(&self) -> Vec<String> {
        ["1", "live"].map(str::to_owned).into()
    }

    fn credentials(&self) -> Vec<String> {
        let key = self.moto.access_key();
        vec![key.id.clone(), key.secret.clone()]
    }

    fn skips() -> Vec<Skip> {
        let text = "Parameter Store keeps text, and neither bytes nor nothing";
        let mut skips: Vec<_> = [
            "an_empty_value_survives",
            "all_256_byte_values_survive",
            "all_byte_values_but_nul_survive",
            "invalid_utf8_survives",
        ]
        .map(|rule| Skip::new(rule, text))
        .into();
        skips.push(Skip::new("a_relative_path_counts_from_the_configuration", "no setting is a path"));
        skips.push(Skip::new("kib_64_survive", "a parameter has at most 8 KiB"));
        let batch = "one call asks for ten parameters: `ten_of_eleven_are_there_although_the_last_is_never_answered` asks for more";
        skips.push(Skip::new("what_arrived_before_the_deadline_counts", batch));
        skips
    }
}

conformance_tests!(Corner);

#[tokio::test]
async fn ten_of_eleven_are_there_although_the_last_is_never_answered() {
    let names: Vec<_> = (0..11).map(|number| format!("/n-{number:02}")).collect();
    let first: Vec<_> = names.iter().take(10).map(String::as_str).collect();
    let stub = Stub::by_text(vec![("/n-10", Reply::Silence), ("", parameters(&first, "value"))]);
    let source = source(&stub.endpoint(), &some_key());
    let requests: Vec<_> = names.iter().map(SecretRequest::new).collect();
    let answers = Answers::new(requests.len());
    let within = Duration::from_secs(5);
    let run = RunContext::builder().timeout(within).build();
    drop(tokio::time::timeout(within, source.fetch_all(&run, &requests, &answers)).await);
    let there: Vec<_> =
        answers.into_vec().into_iter().map(|answer| answer.is_some_and(|answer| answer.is_ok())).collect();
    assert_eq!(there, [[true; 10].as_slice(), &[false]].concat());
}

/// Asks for these names, each perhaps with a version.
async fn ask(source: &dyn SecretSource, names: &[(&str, Option<&str>)]) -> Vec<Result<Secret, SourceError>> {
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::new(4).unwrap()).build();
    let requests = names.iter().map(|(name, version)| {
        let request = SecretRequest::new(*name);
        version.map_or(request.clone(), |version| request.with_version(version))
    });
    secretdir_conformance::fetch_all(source, &context, &requests.collect::<Vec<_>>()).await
}

pub(crate) fn source(endpoint: &str, key: &AccessKey) -> Box<dyn SecretSource> {
    let settings = support::table(&[("region", REGION), ("endpoint-url", endpoint)]);
    provider(key).source(Settings::new(settings, "/")).unwrap()
}

fn values(answers: &[Result<Secret, SourceError>]) -> Vec<&[u8]> {
    answers.iter().map(|answer| answer.as_ref().unwrap().expose_secret()).collect()
}

#[tokio::test]
async fn every_type_by_version_by_label_and_by_arn() {
    let moto = Moto::start();
    moto.put_parameter("/app/plain", "a, b\n", "String");
    moto.put_parameter("/app/list", "a,b,c", "StringList");
    for value in ["first", "second", "third"] {
        moto.put_parameter("/app/db", value, "SecureString");
    }
    moto.label_parameter("/app/db", 2, "live");
    let arn = format!("arn:aws:ssm:{REGION}:123456789012:parameter/app/db");
    let source = source(&moto.endpoint(), moto.access_key());
    let asked = [
        ("/app/plain", None),
        ("/app/list", None),
        ("/app/db", None),
        ("/app/db", Some("1")),
        ("/app/db", Some("live")),
        (&*arn, None),
    ];
    let answers = ask(&*source, &asked).await;
    let expected: [&[u8]; 6] = [b"a, b\n", b"a,b,c", b"third", b"first", b"second", b"third"];
    assert_eq!(values(&answers), expected);
    let revisions: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap().revision()).collect();
    assert_eq!(revisions, [Some("1"), Some("1"), Some("3"), Some("1"), Some("2"), Some("3")]);
    assert_eq!(answers[0].as_ref().unwrap().origin(), Some(REGION));
}

#[tokio::test]
async fn ten_are_one_call_and_each_that_is_missing_or_denied_is_told() {
    let server = Strict::start();
    let names: Vec<_> = (0..25).map(|number| format!("/app/{number}")).collect();
    names.iter().for_each(|name| server.put(name, name));
    let source = source(&server.endpoint(), &some_key());
    let asked: Vec<_> = names.iter().map(|name| (&**name, None)).collect();
    let answers = ask(&*source, &asked).await;
    assert_eq!(values(&answers), names.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!(server.calls("GetParameters"), 3);

    server.deny("/app/1");
    let asked = [
        ("/app/0", None),
        ("/app/1", None),
        ("/app/none", None),
        ("/app/2", Some("9")),
        ("/app/2", Some("3")),
    ];
    let answers = ask(&*source, &asked).await;
    let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().err().map(SourceError::kind)).collect();
    let missing = Some(SourceErrorKind::NotFound);
    assert_eq!(kinds, [None, Some(SourceErrorKind::PermissionDenied), missing, missing, None]);
    let hint = answers[1].as_ref().unwrap_err().hint().unwrap();
    assert!(hint.contains(r#""Action": "ssm:GetParameters""#), "{hint}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_invalid_and_is_not_quoted() {
    let canary = Canary::new("value", "hunter2-hunter2");
    for body in [
        "hunter2-hunter2",
        r#"{"Parameters":"hunter2-hunter2"}"#,
        r#"{"Parameters":[{"Name":"/app/a","Value":hunter2-hunter2}]}"#,
        r#"{"Parameters":[{"Name":"/app/a","Value":"hunter2-hunter2"#,
        r#"{"Parameters":[{"Name":"/app/a","Value":"\ud800 hunter2-hunter2"}]}"#,
    ] {
        let stub = Stub::start(Reply::json(200, body));
        let source = source(&stub.endpoint(), &some_key());
        let error = support::seen(ask(&*source, &[("/app/a", None)]).await.remove(0));
        assert_eq!(error.kind, SourceErrorKind::InvalidData, "{error:?}");
        assert_eq!(error.cause, format!("a reply that cannot be read: HTTP 200, {} bytes", body.len()));
        canary.assert_absent("the error", format!("{error:?}"));
    }
}
