//! A folder to publish in, and what is in it before and after a run.

mod companion;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use atomicdir::{Durability, Options};
use atomicdir_trials::{Outcome, Set, publish};
use secretdir_testkit::names;
use secretdir_testkit::strace::{self, Call, Injected, Trace};
use tempfile::TempDir;

pub(crate) use companion::Companion;

/// The program, as cargo has just built it.
pub(crate) const PUBLISHER: &str = env!("CARGO_BIN_EXE_publisher");

/// What is beside the link, and the link, when nothing is superseded and nothing left over.
pub(crate) const SETTLED: [&str; 5] = [".app.gen", "app", "state/lock", "state/made", "state/note"];

/// Takes a name apart that is exactly one of ours in the folder: `gen` or `tmp`, and its ID.
pub(crate) fn parse(name: &str) -> Option<(&str, &str)> {
    let (word, id) = name.strip_prefix(".app.")?.split_once('-')?;
    (is_id(id) && matches!(word, "gen" | "tmp")).then_some((word, id))
}

/// Takes a name apart that is exactly one of ours in the state directory: `note` or `made`, and its ID.
pub(crate) fn parse_state(name: &str) -> Option<(&str, &str)> {
    let (word, id) = name.split_once('-')?;
    (is_id(id) && matches!(word, "note" | "made")).then_some((word, id))
}

fn is_id(id: &str) -> bool {
    id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A folder with a link to publish at, on a tmpfs.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::in_folder(Path::new("/dev/shm"))
    }

    pub(crate) fn in_folder(folder: &Path) -> Self {
        let folder = TempDir::new_in(folder).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn link(&self) -> PathBuf {
        self.path().join("app")
    }

    pub(crate) fn names(&self) -> Vec<String> {
        names(self.path())
    }

    /// Publishes in this process, removing what is superseded, and asserts how the run ends.
    #[track_caller]
    pub(crate) fn publish(&self, set: Set, expected: Outcome) {
        assert_eq!(self.run(set, Duration::ZERO), expected);
    }

    /// Publishes in this process, and keeps what is superseded.
    #[track_caller]
    pub(crate) fn publish_keeping(&self, set: Set, expected: Outcome) {
        assert_eq!(self.run(set, Duration::from_secs(3600)), expected);
    }

    #[track_caller]
    fn run(&self, set: Set, retain: Duration) -> Outcome {
        let options = Options::new().retain(retain).durability(Durability::None);
        publish(&self.link(), set, options, SystemTime::now()).unwrap()
    }

    /// Leaves what a run leaves that was killed just before its flip.
    pub(crate) fn leave_unfinished(&self) {
        let name = |kind: &str| self.path().join(format!(".app.{kind}-0123456789abcdef"));
        symlink(".app.gen-0123456789abcdef", name("tmp")).unwrap();
        fs::create_dir_all(name("gen").join("d/e")).unwrap();
        fs::write(name("gen").join("version"), "7").unwrap();
        fs::write(name("gen").join("d/b"), "half").unwrap();
        let record = |word: &str| self.path().join(format!(".app.state/{word}-0123456789abcdef"));
        fs::write(record("note"), "half").unwrap();
        symlink(fs::metadata(name("gen")).unwrap().ino().to_string(), record("made")).unwrap();
    }
}

/// A run of `publisher sync`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sync {
    pub(crate) set: Set,
    /// In seconds.
    pub(crate) retain: u32,
    pub(crate) durability: &'static str,
}

impl Sync {
    pub(crate) fn arguments(self, place: &Place) -> [String; 5] {
        let link = place.link().to_str().unwrap().to_owned();
        ["sync".to_owned(), link, self.set.0.to_string(), self.retain.to_string(), self.durability.to_owned()]
    }

    /// Runs it under strace, and returns its calls from the opening of the folder on.
    pub(crate) fn trace(self, place: &Place) -> Trace {
        of_interest(Trace::of(PUBLISHER, &self.arguments(place), |_| ()))
    }

    /// Does so with a umask that takes nothing away.
    pub(crate) fn trace_under_umask_0(self, place: &Place) -> Trace {
        let shell = ["-c", "umask 0; exec \"$@\"", "sh", PUBLISHER].map(str::to_owned);
        let arguments: Vec<_> = shell.into_iter().chain(self.arguments(place)).collect();
        of_interest(Trace::of("sh", &arguments, |_| ()))
    }

    /// Runs it under strace, which does something to its calls.
    pub(crate) fn inject(self, place: &Place, fault: &str) -> Injected {
        strace::inject(PUBLISHER, &self.arguments(place), &[fault.to_owned()], |_| ())
    }
}

/// What a call says that opens the folder, once its path has been followed to it.
pub(crate) const OPENS_FOLDER: &str = ", \".\", O_RDONLY|O_CLOEXEC|O_DIRECTORY)";

fn of_interest(mut trace: Trace) -> Trace {
    trace.calls = trace.since(OPENS_FOLDER).to_vec();
    trace.calls.retain(|call: &Call| !strace::is_noise(call) && call.name != "exit_group");
    trace
}
