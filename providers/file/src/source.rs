//! Answers requests from the files below a root.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;

use rustix::io::Errno;
use secretdir_provider::{
    FetchContext, Retry, Secret, SecretRequest, SecretSource, SourceError, async_trait,
};

use crate::beneath::{self, Refusal, Root, RunRoot};
use crate::error::{self, FileFault, Place};
use crate::name::NameFault;
use crate::turn::let_others_run;
use crate::{list, read};

#[derive(Debug)]
pub(crate) struct FileSource {
    root: PathBuf,
    run_root: RunRoot,
}

impl FileSource {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, run_root: RunRoot::default() }
    }

    fn open_root(&self) -> Result<Root, Errno> {
        Root::open(&self.root)
    }

    fn answer(&self, root: &Root, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.check(request)?;
        let name = request.name();
        read_below(root.as_fd(), name).map_err(|fault| match fault {
            // What is superseded may be half removed: what is not there any more is not what was never there.
            FileFault::Open(Refusal::Absent | Refusal::LeadsNowhere) if !root.is_at(&self.root) => {
                error::replaced(&self.root)
            }
            _ => error::of_file(Place::Below { root: &self.root, name }, fault),
        })
    }
}

#[async_trait]
impl SecretSource for FileSource {
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

    async fn fetch(&self, _: &FetchContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        let root = self.open_root().map_err(|errno| error::of_root(&self.root, errno))?;
        self.answer(&root, request)
    }

    /// Opens the root once for all, unless the run has it open from a listing: where it is a link that is flipped
    /// meanwhile, all answers come from the directory that it named at the start.
    async fn fetch_all(
        &self,
        context: &FetchContext,
        requests: &[SecretRequest],
    ) -> Vec<Result<Secret, SourceError>> {
        let root = self.run_root.take(context.deadline()).map_or_else(|| self.open_root(), Ok);
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            answers.push(match &root {
                Ok(root) => self.answer(root, request).and_then(|secret| context.admit(secret)),
                Err(errno) => Err(error::of_root(&self.root, *errno)),
            });
            let_others_run().await;
        }
        if let Ok(root) = root
            && answers.iter().any(may_be_asked_again)
        {
            // Nothing else is kept of this run, so there is nothing to differ from.
            drop(self.run_root.keep(context.deadline(), root));
        }
        answers
    }

    async fn list(&self, context: &FetchContext, prefix: &str) -> Result<Vec<String>, SourceError> {
        self.check_prefix(prefix)?;
        let listed = list::below(&self.root, context, prefix).await?;
        let kept = self.run_root.keep(context.deadline(), listed.root);
        kept.map_err(|_| error::replaced(&self.root))?;
        Ok(listed.names)
    }
}

/// The engine then asks for this one alone, and keeps the answers to the others.
fn may_be_asked_again(answer: &Result<Secret, SourceError>) -> bool {
    answer.as_ref().is_err_and(|error| error.retry() != Retry::No)
}

fn read_below(root: BorrowedFd<'_>, name: &str) -> Result<Secret, FileFault> {
    let file = beneath::open(root, name).map_err(FileFault::Open)?;
    let mut bytes = read::whole(&file)?;
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs;
    use std::num::NonZeroUsize;
    use std::os::unix::fs::symlink;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::{Duration, Instant};

    use secretdir_provider::{Retry, SourceErrorKind};
    use tempfile::TempDir;

    use super::*;

    fn context() -> FetchContext {
        FetchContext::new(Instant::now() + Duration::from_secs(60), NonZeroUsize::MIN)
    }

    /// Polls to the end a future that never has to wait.
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

    /// Makes a generation of two files, both with the same bytes.
    fn generation(folder: &TempDir, name: &str) {
        let directory = folder.path().join(name);
        fs::create_dir(&directory).unwrap();
        for file in ["a", "b"] {
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
        let (context, requests) = (context(), ["a", "b"].map(SecretRequest::new));
        let mut both = pin!(source.fetch_all(&context, &requests));
        // The first turn ends between the two files.
        assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        symlink(".app.gen-2", folder.path().join("new")).unwrap();
        fs::rename(folder.path().join("new"), &link).unwrap();

        let answers = finish(both);
        let values: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap().expose_secret()).collect();
        assert_eq!(values, [b".app.gen-1", b".app.gen-1"]);
        let after = finish(source.fetch(&context, &requests[0])).unwrap();
        assert_eq!(after.expose_secret(), b".app.gen-2");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_root_that_is_removed_meanwhile_is_not_one_without_the_secret() {
        let folder = TempDir::new().unwrap();
        generation(&folder, "root");
        let source = FileSource::new(folder.path().join("root"));
        let (context, requests) = (context(), ["a", "b"].map(SecretRequest::new));
        let mut both = pin!(source.fetch_all(&context, &requests));
        assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        fs::remove_dir_all(folder.path().join("root")).unwrap();
        let answers = finish(both);
        assert!(answers[0].is_ok());
        assert_eq!(answers[1].as_ref().unwrap_err().kind(), SourceErrorKind::Unavailable);

        fs::create_dir_all(folder.path().join("root/below")).unwrap();
        let mut listing = pin!(source.list(&context, ""));
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
        let answers = finish(source.fetch_all(&context(), &["a", "b"].map(SecretRequest::new)));
        assert_eq!(answers.len(), 2);
        for answer in answers {
            let error = answer.unwrap_err();
            assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Unavailable, Retry::No));
            assert!(error.source().unwrap().to_string().ends_with("none\""));
            assert!(error.hint().is_some());
        }
    }
}
