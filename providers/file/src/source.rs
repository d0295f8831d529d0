//! Answers requests from the files below a root.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;

use secretdir_provider::{
    Answers, Listed, RunContext, Secret, SecretRequest, SecretSource, SourceError, async_trait,
};

use crate::beneath::{self, Refusal, Root, RunRoot};
use crate::error::{self, FileFault, Location};
use crate::name::NameFault;
use crate::yield_now::{FILES_PER_YIELD, yield_now};
use crate::{list, read};

pub(crate) struct FileSource {
    root: PathBuf,
}

impl FileSource {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns the root of a run.
    fn root_of(&self, run: &RunContext) -> Result<Arc<Root>, SourceError> {
        run.state::<RunRoot>().get(&self.root).map_err(|errno| error::of_root(&self.root, errno))
    }

    fn answer(&self, root: &Root, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.check(request)?;
        let name = request.name();
        read_below(root.as_fd(), name).map_err(|fault| match fault {
            // The former target of a link may be half removed. A file that is gone from it is not one that never
            // existed.
            FileFault::Open(Refusal::Absent | Refusal::LeadsNowhere) if !root.is_at(&self.root) => {
                error::replaced(&self.root)
            }
            _ => error::of_file(Location::Below { root: &self.root, name }, fault),
        })
    }
}

#[async_trait]
impl SecretSource for FileSource {
    fn local_paths(&self) -> Vec<PathBuf> {
        vec![self.root.clone()]
    }

    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        if request.version().is_some() {
            return Err(error::no_versions());
        }
        match NameFault::of(request.name()) {
            Some(fault) => Err(error::bad_name(fault)),
            None => Ok(()),
        }
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        match NameFault::of_prefix(prefix) {
            Some(fault) => Err(error::bad_prefix(fault)),
            None => Ok(()),
        }
    }

    /// If the root is a link that is flipped meanwhile, all answers of a run come from its target at the start.
    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.answer(&*self.root_of(run)?, request)
    }

    /// Reads one file after the other, which blocks. Reading several at once would not be faster.
    async fn fetch_all(&self, run: &RunContext, requests: &[SecretRequest], answers: &Answers) {
        for (position, request) in requests.iter().enumerate() {
            answers.put(position, self.fetch(run, request).await);
            if (position + 1) % FILES_PER_YIELD == 0 {
                yield_now().await;
            }
        }
    }

    async fn list(&self, run: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        self.check_prefix(prefix)?;
        let listed = list::below(&self.root, run, prefix).await?;
        run.state::<RunRoot>().keep(listed.root).map_err(|_| error::replaced(&self.root))?;
        Ok(listed.names.into_iter().map(Listed::new).collect())
    }
}

fn read_below(root: BorrowedFd<'_>, name: &str) -> Result<Secret, FileFault> {
    let file = beneath::open(root, name).map_err(FileFault::Open)?;
    Ok(Secret::new(read::whole(&file)?))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs;
    use std::num::NonZeroUsize;
    use std::os::unix::fs::symlink;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use secretdir_provider::{Retry, SourceErrorKind};
    use tempfile::TempDir;

    use super::*;

    fn context() -> RunContext {
        RunContext::builder().timeout(Duration::from_secs(60)).concurrency(NonZeroUsize::MIN).build()
    }

    /// Polls a future that never waits to its end.
    fn finish<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
        }
    }

    fn fetch(folder: &TempDir, name: &str) -> Result<Secret, SourceError> {
        finish(FileSource::new(folder.path().to_owned()).fetch(&context(), &SecretRequest::new(name)))
    }

    /// Returns one name more than the files that are read before a yield.
    fn names() -> impl Iterator<Item = String> {
        (0..=FILES_PER_YIELD).map(|number| number.to_string())
    }

    fn requests() -> Vec<SecretRequest> {
        names().map(SecretRequest::new).collect()
    }

    /// Makes a generation of such files, all with the same bytes.
    fn generation(folder: &TempDir, name: &str) {
        let directory = folder.path().join(name);
        fs::create_dir(&directory).unwrap();
        for file in names() {
            fs::write(directory.join(file), name).unwrap();
        }
    }

    #[test]
    fn a_root_that_is_flipped_meanwhile_gives_one_generation() {
        let folder = TempDir::new().unwrap();
        generation(&folder, ".app.gen-1");
        generation(&folder, ".app.gen-2");
        let link = folder.path().join("app");
        symlink(".app.gen-1", &link).unwrap();

        let source = FileSource::new(link.clone());
        let (run, requests) = (context(), requests());
        let mut both = pin!(secretdir_conformance::fetch_all(&source, &run, &requests));
        // The first poll ends before the last file.
        assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        symlink(".app.gen-2", folder.path().join("new")).unwrap();
        fs::rename(folder.path().join("new"), &link).unwrap();

        let answers = finish(both);
        let of = |answer: &Result<Secret, SourceError>| answer.as_ref().unwrap().expose_secret().to_owned();
        assert!(answers.iter().all(|answer| of(answer) == b".app.gen-1"));
        assert_eq!(of(&finish(source.fetch(&run, &requests[0]))), b".app.gen-1");
        assert_eq!(of(&finish(source.fetch(&context(), &requests[0]))), b".app.gen-2");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_root_that_is_removed_meanwhile_is_not_one_without_the_secret() {
        let folder = TempDir::new().unwrap();
        generation(&folder, "root");
        let source = FileSource::new(folder.path().join("root"));
        let (run, requests) = (context(), requests());
        let mut both = pin!(secretdir_conformance::fetch_all(&source, &run, &requests));
        assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        fs::remove_dir_all(folder.path().join("root")).unwrap();
        let answers = finish(both);
        assert!(answers[0].is_ok());
        assert_eq!(answers[FILES_PER_YIELD].as_ref().unwrap_err().kind(), SourceErrorKind::Unavailable);

        fs::create_dir_all(folder.path().join("root/below")).unwrap();
        let run = context();
        let mut listing = pin!(source.list(&run, ""));
        assert!(listing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        fs::remove_dir_all(folder.path().join("root")).unwrap();
        assert_eq!(finish(listing).unwrap_err().kind(), SourceErrorKind::Unavailable);
    }

    // There is no `mknodat` on Apple's systems.
    #[cfg(not(target_vendor = "apple"))]
    #[test]
    fn what_is_no_regular_file_is_named_and_not_read() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("directory")).unwrap();
        let make = |name: &str, file_type| {
            mknodat(CWD, folder.path().join(name), file_type, Mode::RUSR, 0).unwrap();
        };
        make("fifo", FileType::Fifo);
        make("socket", FileType::Socket);
        for (name, word) in [("directory", "a directory"), ("fifo", "a FIFO"), ("socket", "a socket")] {
            let error = fetch(&folder, name).unwrap_err();
            let cause = error.source().unwrap().to_string();
            assert_eq!(error.kind(), SourceErrorKind::InvalidData);
            assert!(cause.contains(&format!("is {word}")), "{cause}");
        }
    }

    #[test]
    fn a_bad_name_is_refused_by_the_fetch_too() {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("a"), "value").unwrap();
        for name in ["b/../a", "./a", "b//../a"] {
            assert_eq!(fetch(&folder, name).unwrap_err().kind(), SourceErrorKind::InvalidRequest, "{name}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_unavailable_wherever_it_is_on_the_way() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("file"), "value").unwrap();
        for (link, target) in
            [("key", "..data/key"), ("..data", "none"), ("circle", "circle"), ("folder", "circle")]
        {
            symlink(target, folder.path().join(link)).unwrap();
        }
        for name in ["key", "..data/key", "..data", "circle", "circle/key", "folder/key"] {
            let error = fetch(&folder, name).unwrap_err();
            assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Unavailable, Retry::No), "{name}");
            assert!(error.source().unwrap().to_string().contains("symbolic link"), "{name}");
        }
        for name in ["none", "file/x"] {
            assert_eq!(fetch(&folder, name).unwrap_err().kind(), SourceErrorKind::NotFound, "{name}");
        }
    }

    #[test]
    fn a_root_that_is_not_there_is_unavailable_for_each_request() {
        let folder = TempDir::new().unwrap();
        let source = FileSource::new(folder.path().join("none"));
        let answers = finish(secretdir_conformance::fetch_all(
            &source,
            &context(),
            &["a", "b"].map(SecretRequest::new),
        ));
        assert_eq!(answers.len(), 2);
        for answer in answers {
            let error = answer.unwrap_err();
            assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Unavailable, Retry::No));
            assert!(error.source().unwrap().to_string().ends_with("none\""));
            assert!(error.hint().is_some());
        }
    }
}
