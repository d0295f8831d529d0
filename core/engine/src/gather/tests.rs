//! Retries, deadlines and failures, against sources that do as they are told. Time is tokio's, paused.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secretdir_provider::{
    Answers as Sink, Provider, Retry, RunContext, Secret, SecretRequest, SecretSource, Settings,
    SettingsError, SourceError, SourceErrorKind, async_trait,
};
use tokio::time::Instant;

use super::backoff::FIRST_PAUSE;
use super::*;
use crate::test_host::gathered;
use crate::{Config, GatherError, Registry, describe};

/// Attempts made of any source of one test.
#[derive(Clone, Default)]
struct Counts(Arc<AtomicUsize>);

struct Told(Counts);

impl Provider for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(ToldSource { attempts: self.0.clone(), mine: AtomicUsize::new(0) }))
    }
}

/// Does what the name of the secret says.
struct ToldSource {
    attempts: Counts,
    mine: AtomicUsize,
}

#[async_trait]
impl SecretSource for ToldSource {
    async fn fetch(&self, context: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        let throttled = || SourceError::new(SourceErrorKind::Throttled).with_cause("slow down");
        match request.name() {
            "hangs" => std::future::pending().await,
            "panics" => panic!("canary"),
            "gone" => Err(SourceError::new(SourceErrorKind::NotFound)),
            "throttled" => Err(throttled().with_retry(Retry::After(Duration::ZERO))),
            "asks for 7 s" => Err(throttled().with_retry(Retry::After(Duration::from_secs(7)))),
            "third time" if self.mine.load(Ordering::SeqCst) < 3 => {
                Err(throttled().with_retry(Retry::After(Duration::ZERO)))
            }
            "warns" => {
                context.warn("half full");
                Ok(Secret::new("warned"))
            }
            name => Ok(Secret::new(name)),
        }
    }

    async fn fetch_all(&self, run: &RunContext, requests: &[SecretRequest], answers: &Sink) {
        self.attempts.0.fetch_add(1, Ordering::SeqCst);
        self.mine.fetch_add(1, Ordering::SeqCst);
        for (position, request) in requests.iter().enumerate() {
            match request.name() {
                "forgotten" => {}
                "elsewhere" => answers.put(requests.len(), self.fetch(run, request).await),
                _ => answers.put(position, self.fetch(run, request).await),
            }
        }
    }
}

/// Plans sources by these names, each asked for these secrets; every secret makes a file of its own.
fn plan(sources: &[(&str, &[&str])]) -> (Plan, Counts) {
    let counts = Counts::default();
    let mut registry = Registry::new();
    registry.register(Box::new(Told(counts.clone()))).unwrap();
    let mut text = "[directory]\npath = \"x\"\n[gather]\ntimeout = \"60s\"\n".to_owned();
    for (source, _) in sources {
        text.push_str(&format!("[sources.{source}]\nprovider = \"told\"\n"));
    }
    text.push_str("[files]\n");
    for (source, secrets) in sources {
        for secret in *secrets {
            text.push_str(&format!(
                "\"{source}-{secret}\" = {{ source = \"{source}\", secret = \"{secret}\" }}\n"
            ));
        }
    }
    (Config::parse(&text, Path::new("x.toml")).unwrap().resolve(&registry).unwrap(), counts)
}

async fn failures(sources: &[(&str, &[&str])]) -> (Vec<String>, usize, Duration) {
    let (plan, counts) = plan(sources);
    let start = Instant::now();
    let Err(faults) = gathered(&plan).await.result else { panic!("it succeeded") };
    let error = GatherError::of_faults(&plan, faults);
    let texts = error.failures().iter().map(|failure| describe(failure)).collect();
    (texts, counts.0.load(Ordering::SeqCst), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn every_secret_of_every_source_comes_in_the_order_of_the_plan() {
    let (plan, counts) = plan(&[("one", &["b", "a"]), ("two", &[]), ("three", &["c", "warns"])]);
    let Gathered { result, warnings, .. } = gathered(&plan).await;
    let Ok(answers) = result else { panic!("it failed") };
    for (source, answered) in plan.sources.iter().zip(&answers.sources) {
        let secrets = &answered.secrets;
        let names =
            source.requests.iter().map(|request| request.name().replace("warns", "warned").into_bytes());
        assert!(names.eq(secrets.iter().flatten().map(|secret| secret.expose_secret().to_vec())));
    }
    assert_eq!(warnings, ["source `three`: half full"]);
    // A source that nothing is asked of is not asked.
    assert_eq!(counts.0.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_retry_can_help_is_tried_again_with_growing_pauses() {
    let (plan, counts) = plan(&[("one", &["third time", "good"])]);
    let start = Instant::now();
    let Ok(answers) = gathered(&plan).await.result else { panic!("it failed") };
    assert_eq!((answers.sources[0].secrets.len(), counts.0.load(Ordering::SeqCst)), (2, 3));
    assert_eq!(start.elapsed(), FIRST_PAUSE + FIRST_PAUSE * 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_throttles_for_ever_ends_before_the_deadline_and_says_so() {
    let (texts, attempts, took) = failures(&[("one", &["throttled"])]).await;
    assert_eq!(texts, ["file `one-throttled`: secret `throttled` of source `one`: throttled: slow down"]);
    // 0.1 + 0.2 + … + 6.4 s, then 10 s each.
    assert!((10..=13).contains(&attempts), "{attempts}");
    assert!(took <= Duration::from_secs(60), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_is_kept() {
    let (_, attempts, took) = failures(&[("one", &["asks for 7 s"])]).await;
    assert!((6..=9).contains(&attempts), "{attempts} in {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_for_good_ends_the_retries_of_its_source_and_all_failures_are_told() {
    let (texts, attempts, took) = failures(&[("one", &["gone", "throttled"]), ("two", &["gone"])]).await;
    assert_eq!(texts.len(), 3);
    assert_eq!((attempts, took), (2, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_cut_off_at_the_deadline_and_the_others_are_not() {
    let (texts, _, took) = failures(&[("one", &["hangs"]), ("two", &["good"])]).await;
    assert_eq!(
        texts,
        ["file `one-hangs`: secret `hangs` of source `one`: timed out: the deadline of the run passed"]
    );
    assert_eq!(took, Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_is_told_and_the_rest_is_one_failure() {
    let (texts, attempts, took) = failures(&[("one", &["gone", "hangs", "x", "y"])]).await;
    let late = "files `one-hangs`, `one-x` and `one-y`: secrets `hangs`, `x` and `y` of source `one`: timed out: the \
                deadline of the run passed";
    assert_eq!(texts, ["file `one-gone`: secret `gone` of source `one`: not found", late].map(str::to_owned));
    assert_eq!((attempts, took), (1, Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_leaves_out_an_answer_is_found_out() {
    let (texts, ..) = failures(&[("one", &["a", "forgotten"])]).await;
    let unanswered = "file `one-forgotten`: secret `forgotten` of source `one`: failed: the provider gave no answer to \
                      this request";
    assert_eq!(texts, [unanswered]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_mixes_up_its_answers_is_believed_in_nothing() {
    let (texts, ..) = failures(&[("one", &["a", "elsewhere"])]).await;
    let mixed_up = "files `one-a` and `one-elsewhere`: secrets `a` and `elsewhere` of source `one`: failed: the provider \
                    answered a request that was not made";
    assert_eq!(texts, [mixed_up]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_all_files_that_it_keeps_from_being_written() {
    let (mut plan, _) = plan(&[("one", &["gone"])]);
    for name in ["x", "y"] {
        let file = plan.files.get("one-gone").unwrap().clone();
        plan.files.insert(atomicdir::FileName::new(name).unwrap(), file).unwrap();
    }
    let Err(faults) = gathered(&plan).await.result else { panic!("it succeeded") };
    let error = GatherError::of_faults(&plan, faults);
    let [failure] = error.failures() else { panic!("{error:?}") };
    assert_eq!(describe(failure), "files `one-gone`, `x` and `y`: secret `gone` of source `one`: not found");
    assert_eq!(failure.files(), ["one-gone", "x", "y"]);
    assert_eq!(plan.gather.concurrency, NonZeroUsize::new(16).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_fails_its_own_requests_and_no_others() {
    let (failures, attempts, _) = failures(&[("one", &["a", "panics"]), ("two", &["gone"])]).await;
    let panicked =
        "failed: the provider `told` panicked: a mistake in the provider, not in the configuration";
    assert_eq!(
        failures,
        [
            format!("file `one-panics`: secret `panics` of source `one`: {panicked}"),
            "file `two-gone`: secret `gone` of source `two`: not found".to_owned(),
        ]
    );
    assert_eq!(attempts, 2);
}
