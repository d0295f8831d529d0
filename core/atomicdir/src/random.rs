//! The randomness for IDs.
//!
//! An ID must be new, but need not be secret. The permissions of the parent protect the files, not names that are hard
//! to guess. If a name is taken, another one is tried, and no file of others is touched.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::{Id, platform};

/// The maximum number of names to try before the randomness counts as broken. With 95 random bits, the second name is
/// practically always free.
const TRIES: u32 = 100;

/// A function that fills a buffer with random bytes, 16 for each name.
///
/// All clones of the [`Options`](crate::Options) share it.
#[derive(Clone)]
pub(crate) struct Random(Arc<Fill>);

/// A function that fills a whole buffer with random bytes, or fails.
type Fill = dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync;

impl Random {
    /// Takes a function that fills a buffer. Any thread may call it.
    pub(crate) fn new(fill: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Makes something under a new random name with this prefix. If a name is taken, it tries another one.
    ///
    /// # Errors
    ///
    /// The first failure of the closure. [`AlreadyExists`](io::ErrorKind::AlreadyExists) is an error only after 100
    /// attempts. Also any failure to get random bytes.
    pub(crate) fn fresh<T, E: Into<io::Error>>(
        &self,
        prefix: &str,
        mut make: impl FnMut(&str, &Id) -> Result<T, E>,
    ) -> io::Result<(Id, T)> {
        let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..TRIES {
            let mut bytes = [0; 16];
            (self.0)(&mut bytes)?;
            let id = Id::of(u128::from_le_bytes(bytes));
            match make(&format!("{prefix}{id}"), &id).map_err(Into::into) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
                made => return made.map(|made| (id, made)),
            }
        }
        Err(taken)
    }
}

impl Default for Random {
    /// The randomness of the operating system.
    fn default() -> Self {
        Self::new(platform::random)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn names_of_the_system_s_randomness_differ() {
        let names: BTreeSet<_> = (0..100)
            .map(|_| {
                let (id, name) =
                    Random::default().fresh("x-", |name, _| io::Result::Ok(name.to_owned())).unwrap();
                assert_eq!(name, format!("x-{id}"));
                name
            })
            .collect();
        assert_eq!(names.len(), 100);
    }

    #[test]
    fn a_name_that_is_taken_is_tried_again_with_another_but_not_for_ever() {
        let draws = Mutex::new(0);
        let random = Random::new(move |bytes| {
            let mut draws = draws.lock().unwrap();
            *draws += 1;
            bytes.fill(if *draws < 3 { 0 } else { 1 });
            Ok(())
        });
        let zeros = "0".repeat(16);
        let taken = || io::Error::from(io::ErrorKind::AlreadyExists);
        let unless_zeros = |_: &str, id: &Id| if id.as_str() == zeros { Err(taken()) } else { Ok(()) };
        let (id, ()) = random.fresh("", unless_zeros).unwrap();
        assert_ne!(id.as_str(), zeros);

        let mut tries = 0;
        let error = random.fresh("", |_, _| {
            tries += 1;
            Err::<(), _>(taken())
        });
        assert_eq!((error.unwrap_err().kind(), tries), (io::ErrorKind::AlreadyExists, TRIES));
    }

    #[test]
    fn any_other_failure_is_not_tried_again() {
        let mut tries = 0;
        let error = Random::default().fresh("", |_, _| {
            tries += 1;
            Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert_eq!((error.unwrap_err().kind(), tries), (io::ErrorKind::StorageFull, 1));
        let broken = Random::new(|_| Err(io::ErrorKind::Unsupported.into()));
        let error = broken.fresh("", |_, _| io::Result::Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
