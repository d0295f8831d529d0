//! The readers of atomicdir's README, in a shell and in Python, while the link flips under them all the time.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use atomicdir::{Attributes, Durability, FileName, Mode, NewFile, Options};
use secretdir_testkit::Ran;

use crate::support::Place;

const README: &str = include_str!("../../../core/atomicdir/README.md");

/// How often each reader is started.
const TIMES: usize = 20;

/// Returns the README's block of code in a language, made to read another link.
fn documented(language: &str, link: &Path) -> String {
    let fence = format!("```{language}\n");
    let [_, block] = README.split(&fence).collect::<Vec<_>>()[..] else { panic!("one block of {language}") };
    let (code, _) = block.split_once("```").unwrap();
    assert!(code.contains("/run/app/current"), "{code}");
    code.replace("/run/app/current", link.to_str().unwrap())
}

/// Publishes a certificate and a key that belong together.
fn publish(place: &Place, number: usize) {
    let dir = Options::new().retain(Duration::ZERO).durability(Durability::None).open(place.link()).unwrap();
    let mut locked = dir.try_lock().unwrap();
    let mut staging = locked.stage().unwrap();
    let bytes = format!("{number}\n");
    for name in ["tls/cert.pem", "tls/key.pem"] {
        let attributes = Attributes::with_mode(Mode::OWNER_READS);
        staging.write(&FileName::new(name).unwrap(), NewFile::new(bytes.as_bytes(), attributes)).unwrap();
    }
    assert!(staging.publish(None).unwrap().unsettled.is_none());
}

/// Runs a reader again and again while the link flips; it must print the certificate and the key of one generation.
fn read_while_flipping(program: &str, language: &str) {
    let place = Place::new();
    publish(&place, 0);
    let code = documented(language, &place.link());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flips = scope.spawn(|| {
            let numbers = (1..).take_while(|_| !done.load(Ordering::SeqCst));
            numbers.inspect(|number| publish(&place, *number)).count()
        });
        let read: Vec<_> = (0..TIMES).map(|_| Ran::of(Command::new(program).args(["-c", &code]))).collect();
        // Whether they read well or not, the flips are to end.
        done.store(true, Ordering::SeqCst);
        assert!(flips.join().unwrap() > TIMES);
        read.into_iter().for_each(assert_belongs_together);
    });
}

fn assert_belongs_together(ran: Ran) {
    let ran = ran.expect_exit(0);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(matches!(lines[..], [cert, key] if cert == key), "{ran:?}");
}

#[test]
fn the_shell_of_the_readme_reads_one_generation() {
    read_while_flipping("sh", "sh");
}

#[test]
fn the_python_of_the_readme_reads_one_generation() {
    read_while_flipping("python3", "python");
}
