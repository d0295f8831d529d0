//! Tests that a root that changes all the time is listed completely, or not at all.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use secretdir_provider::{Retry, Secret, SecretRequest, SourceErrorKind};

use super::tests::{context, finish, in_memory};
use super::*;
use crate::source::FileSource;

/// The minimum time of each test.
const TIME: Duration = Duration::from_secs(2);

/// The maximum time of a test, on a busy machine.
const LONGEST: Duration = Duration::from_secs(300);

/// The number of successes that both sides need for a meaningful test.
const ENOUGH: usize = 10;

/// The number of files at any moment.
const FILES: usize = 60;

/// Repeats an attempt while another thread repeats an action, for the minimum time, and until both have succeeded often
/// enough. Returns the number of actions, and of successful attempts.
fn meanwhile(act: impl Fn(usize) + Sync, mut try_once: impl FnMut() -> bool) -> (usize, usize) {
    let start = Instant::now();
    let (acted, succeeded) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let is_enough = || [&acted, &succeeded].iter().all(|count| count.load(SeqCst) > ENOUGH);
    let goes_on = || start.elapsed() < if is_enough() { TIME } else { LONGEST };
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in (1..).take_while(|_| goes_on()) {
                act(number);
                acted.fetch_add(1, SeqCst);
            }
        });
        while goes_on() {
            succeeded.fetch_add(usize::from(try_once()), SeqCst);
        }
    });
    (acted.into_inner(), succeeded.into_inner())
}

/// Returns the names of the files of a generation. Every second generation has the same names.
fn names_of(generation: usize) -> BTreeSet<String> {
    (0..FILES).map(|file| format!("folder-{}/file-{file}.{}", file % 6, generation % 2)).collect()
}

/// Publishes a generation, as secretdir does if it retains none. The value of each file is the generation's number.
fn publish(folder: &Path, generation: usize) {
    let path = |generation| -> PathBuf { folder.join(format!(".app.gen-{generation}")) };
    for name in names_of(generation) {
        let file = path(generation).join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, generation.to_string()).unwrap();
    }
    symlink(path(generation), folder.join("new")).unwrap();
    fs::rename(folder.join("new"), folder.join("app")).unwrap();
    if generation > 0 {
        fs::remove_dir_all(path(generation - 1)).unwrap();
    }
}

/// Reads all listed files, as a run does. Says whether it succeeded.
fn read_all(source: &FileSource) -> bool {
    let run = context();
    let names = match finish(secretdir_conformance::list(source, &run, "")).0 {
        Ok(names) => names,
        Err(error) => return assert_may_pass(&error),
    };
    let requests: Vec<_> = names.iter().map(SecretRequest::new).collect();
    let answers = finish(secretdir_conformance::fetch_all(source, &run, &requests)).0;
    let values: BTreeSet<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).map(number).collect();
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Unavailable, Retry::No), "{error:?}");
    }
    let generation = values.first().copied().unwrap_or(usize::from(names[0].ends_with('1')));
    assert!(values.len() <= 1, "of more than one generation: {values:?}");
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), names_of(generation));
    answers.iter().all(Result::is_ok)
}

fn number(secret: &Secret) -> usize {
    String::from_utf8_lossy(secret.expose_secret()).parse().unwrap()
}

fn assert_may_pass(error: &SourceError) -> bool {
    let cause = error.source().unwrap().to_string();
    assert!(cause.ends_with("changed during every attempt to list them"), "{cause}");
    assert_eq!((error.kind(), error.retry()), (SourceErrorKind::InvalidData, Retry::After(Duration::ZERO)));
    assert!(error.hint().is_some());
    false
}

#[test]
fn a_set_that_is_published_again_and_again_is_read_whole_and_from_one_generation() {
    let folder = in_memory();
    publish(folder.path(), 0);
    let source = FileSource::new(folder.path().join("app"));
    let (published, read) = meanwhile(|generation| publish(folder.path(), generation), || read_all(&source));
    assert!(published > ENOUGH && read > ENOUGH, "published {published} times, read {read} times");
}

#[test]
fn a_root_is_found_however_often_its_link_is_flipped() {
    let folder = in_memory();
    let (link, path) = (folder.path().join("app"), |number: usize| folder.path().join(number.to_string()));
    let flip = |number| {
        fs::create_dir(path(number)).unwrap();
        symlink(path(number), folder.path().join("new")).unwrap();
        fs::rename(folder.path().join("new"), &link).unwrap();
        if number > 0 {
            fs::remove_dir(path(number - 1)).unwrap();
        }
    };
    flip(0);
    let (flipped, found) = meanwhile(flip, || Root::open(&link).map(drop) == Ok(()) || panic!("no root"));
    assert!(flipped > ENOUGH && found > ENOUGH, "flipped {flipped} times, found {found} times");
}

#[test]
fn no_file_that_is_replaced_by_renaming_is_missed() {
    let (folder, root) = (in_memory(), in_memory());
    let names = (0..FILES).map(|file| format!("file-{file}")).collect::<BTreeSet<_>>();
    names.iter().for_each(|name| fs::write(root.path().join(name), "").unwrap());
    let source = FileSource::new(root.path().to_owned());
    let replace = |times| {
        fs::write(folder.path().join("new"), "").unwrap();
        fs::rename(folder.path().join("new"), root.path().join(format!("file-{}", times % FILES))).unwrap();
        // The pace of a busy writer, which leaves some time for listings.
        thread::sleep(Duration::from_micros(500));
    };
    let list_once = || match finish(secretdir_conformance::list(&source, &context(), "")).0 {
        Ok(listed) => listed.into_iter().collect::<BTreeSet<_>>() == names || panic!("a part was listed"),
        Err(error) => assert_may_pass(&error),
    };
    let (replaced, listed) = meanwhile(replace, list_once);
    assert!(replaced > ENOUGH && listed > ENOUGH, "replaced {replaced} times, listed {listed} times");
}
