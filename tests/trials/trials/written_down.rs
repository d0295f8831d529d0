//! The trace of system calls that atomicdir documents is the one that it leaves.

use std::collections::BTreeMap;

use secretdir_testkit::strace::{self, Trace};

use crate::support::{OPENS_FOLDER, PUBLISHER, Place};

const DOCUMENTED: &str = include_str!("../../../core/atomicdir/TRACE.md");

#[test]
fn the_documented_trace_is_that_of_an_update() {
    let place = Place::new();
    let link = place.link().to_str().unwrap().to_owned();
    trace(&link, "old");
    let ids = Ids { old: id(&place), new: None };
    let found = ids.plain(&trace(&link, "new"), &place);
    let block = DOCUMENTED.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let documented: Vec<_> =
        block.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(found, documented, "\n{}\n", found.join("\n"));
}

fn trace(link: &str, text: &str) -> Trace {
    let trace = Trace::of(PUBLISHER, &["one", link, text], |_| ());
    assert!(trace.ran.status.success(), "{:?}", trace.ran);
    trace
}

/// Returns the random part of the name of the current generation.
fn id(place: &Place) -> String {
    let target = std::fs::read_link(place.link()).unwrap();
    target.to_str().unwrap().rsplit_once('-').unwrap().1.to_owned()
}

/// What differs from run to run.
struct Ids {
    old: String,
    new: Option<String>,
}

impl Ids {
    /// Returns the calls as they are written down: without who one is, and what differs from run to run.
    fn plain(mut self, trace: &Trace, place: &Place) -> Vec<String> {
        self.new = Some(id(place));
        let folder = format!("{:?}", place.path());
        let calls = trace.since(OPENS_FOLDER);
        let mut descriptors = Descriptors::before(&calls[0].line);
        let calls = calls.iter().filter(|call| !strace::is_noise(call));
        let calls = calls.filter(|call| !matches!(call.name.as_str(), "geteuid" | "fcntl" | "exit_group"));
        calls
            .map(|call| {
                let line = descriptors.renumber(&call.line);
                self.line(&call.name, &line).replace(&folder, "\"/run/app\"")
            })
            .collect()
    }

    fn line(&self, name: &str, line: &str) -> String {
        let new = self.new.as_deref().unwrap_or_default();
        let line = line.replace(&self.old, "OLD").replace(new, "NEW").replace("O_LARGEFILE|", "");
        let (arguments, _) = line.rsplit_once(") ").unwrap_or((&line, ""));
        let until = |text: &str| arguments.split(text).next().unwrap_or_default().to_owned();
        match name {
            // What comes back, or how long the buffer is, says nothing.
            "statx" | "getdents64" => format!("{})", until(", ")),
            "newfstatat" => {
                format!("{}, AT_SYMLINK_NOFOLLOW)", until(", {").split(", 0x").next().unwrap_or_default())
            }
            "readlinkat" => format!("{}\")", until("\", \"")),
            // Which inode it is, is not the same each time.
            "symlinkat" if line.contains("\"made-") => {
                format!("symlinkat(\"INODE\", {})", arguments.split_once(", ").map_or("", |(_, rest)| rest))
            }
            "utimensat" => format!("{}[UTIME_OMIT, now])", until("[")),
            _ => format!("{arguments})"),
        }
    }
}

/// The descriptors that are open, with the numbers that they would have in a process that was started with none but 0 to 2:
/// whoever started the test may have left it others.
struct Descriptors(BTreeMap<u32, u32>);

impl Descriptors {
    /// Knows the one that the first call is about, which was opened before: after the one that comes of the call.
    fn before(first: &str) -> Self {
        let argument = first.split_once('(').and_then(|(_, arguments)| arguments.split(',').next());
        Self(argument.and_then(|number| number.parse().ok()).map(|number| (number, 4)).into_iter().collect())
    }

    fn renumber(&mut self, line: &str) -> String {
        let (head, result) = line.rsplit_once(" = ").unwrap_or((line, ""));
        let (call, arguments) = head.split_once('(').unwrap();
        // How much is read or written is a number, too.
        let length = if matches!(call, "read" | "write") { arguments.rsplit_once(", ") } else { None };
        let (descriptors, rest) =
            length.map_or((arguments, String::new()), |(before, length)| (before, format!(", {length}")));
        let plain: Vec<_> = descriptors.split(", ").map(|argument| self.plain(argument)).collect();
        let number = |text: &str| text.trim_end().trim_end_matches(')').parse().ok();
        match (call, number(arguments), number(result)) {
            ("close", Some(closed), _) => drop(self.0.remove(&closed)),
            ("openat", _, Some(opened)) => {
                let free = (3..).find(|free| self.0.values().all(|used| used != free)).unwrap();
                self.0.insert(opened, free);
            }
            _ => {}
        }
        format!("{call}({}{rest} = {result}", plain.join(", "))
    }

    /// Renumbers an argument if it is a descriptor. What is not one in these calls is text, or a flag.
    fn plain(&self, argument: &str) -> String {
        let number = argument.trim_end().trim_end_matches(')');
        let plain = number.parse().ok().and_then(|number| self.0.get(&number));
        plain.map_or_else(|| argument.to_owned(), |plain| argument.replace(number, &plain.to_string()))
    }
}
