//! What a thread does for templates.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::timeout;

use crate::budget::Stop;
use crate::error::Fault;
use crate::worker::{run, run_async};

const FOREVER: Duration = Duration::from_secs(3600);

#[test]
fn what_is_done_is_returned() {
    assert_eq!(run(FOREVER, |_| 7), Ok(7));
}

/// Works until it is told to stop, and says when it has ended.
fn endless(ended: Arc<AtomicBool>) -> impl FnOnce(Stop) + Send {
    move |stop| {
        while !stop.is_set() {
            thread::yield_now();
        }
        ended.store(true, Ordering::SeqCst);
    }
}

#[test]
fn what_does_not_end_is_told_to_stop_and_waited_for() {
    let (longest, ended) = (Duration::from_millis(1), Arc::new(AtomicBool::new(false)));
    assert_eq!(run(longest, endless(Arc::clone(&ended))), Err(Fault::TooSlow { longest }));
    assert!(ended.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_same_holds_beside_this_thread() {
    assert_eq!(run_async(FOREVER, |_| 7).await, Ok(7));
    let (longest, ended) = (Duration::from_millis(1), Arc::new(AtomicBool::new(false)));
    let slow = run_async(longest, endless(Arc::clone(&ended))).await;
    assert_eq!(slow, Err(Fault::TooSlow { longest }));
    assert!(ended.load(Ordering::SeqCst));
    assert_eq!(run_async(FOREVER, |_| panic!("on purpose")).await, Err::<(), _>(Fault::Panicked));
}

#[tokio::test]
async fn nobody_waits_for_a_run_that_was_dropped_and_it_ends_all_the_same() {
    let (sender, receiver) = mpsc::channel();
    let work = move |stop: Stop| {
        while !stop.is_set() {
            thread::yield_now();
        }
        drop(sender);
    };
    drop(timeout(Duration::from_millis(1), run_async(FOREVER, work)).await);
    assert_eq!(receiver.recv(), Err::<(), _>(mpsc::RecvError));
}

#[test]
fn a_panic_is_an_error() {
    assert_eq!(run(FOREVER, |_| panic!("on purpose")), Err::<(), _>(Fault::Panicked));
}
