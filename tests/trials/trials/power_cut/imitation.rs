//! A publisher that can do it in the wrong order: what the trial must find out.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use atomicdir_trials::Set;
use rustix::fs::{fsync, syncfs};

/// When the temporary link is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Before everything else, as atomicdir does.
    LinkBeforeBarrier,
    /// When everything else is on disk.
    LinkAfterBarrier,
}

/// Publishes a set, and calls back after each step.
pub(crate) fn publish(link: &Path, set: Set, order: Order, after: &mut dyn FnMut(&str)) {
    let name = link.file_name().unwrap().to_str().unwrap();
    let named = |kind: &str| format!(".{name}.{kind}-{:016}", set.0);
    let (generation, mark) = (link.with_file_name(named("gen")), link.with_file_name(named("tmp")));
    let folder = File::open(link.parent().unwrap()).unwrap();
    let make_mark = |after: &mut dyn FnMut(&str)| {
        symlink(named("gen"), &mark).unwrap();
        after("symlinkat");
    };
    if order == Order::LinkBeforeBarrier {
        make_mark(after);
    }
    fill(&generation, set);
    after("write");
    syncfs(&folder).unwrap();
    after("syncfs");
    if order == Order::LinkAfterBarrier {
        make_mark(after);
    }
    fs::rename(&mark, link).unwrap();
    after("renameat");
    fsync(&folder).unwrap();
    after("fsync");
}

fn fill(generation: &Path, set: Set) {
    let files = set.files();
    for (name, file) in Set::wanted(&files).unwrap().iter() {
        let path = generation.join(name.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, file.bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(file.attributes.mode.bits())).unwrap();
    }
    for directory in [".", "d", "d/e"] {
        let mode = Permissions::from_mode(Set::directory().mode.bits());
        fs::set_permissions(generation.join(directory), mode).unwrap();
    }
}
