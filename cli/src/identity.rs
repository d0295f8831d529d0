//! The name, version and build of a command.

use crate::builtins;

/// The commit that this crate is built from, if it is known.
const COMMIT: Option<&str> = option_env!("SECRETDIR_COMMIT");

/// The name and version of a command, chosen by the project that builds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Default for Identity {
    fn default() -> Self {
        Self { name: "secretdir", version: env!("CARGO_PKG_VERSION") }
    }
}

impl Identity {
    /// Returns the version, and one line for each detail that a bug report should contain.
    pub(crate) fn long_version(self) -> String {
        let stock = Self::default();
        let below = (self != stock).then(|| format!("{}: {}", stock.name, stock.version));
        let commit = COMMIT.map(|commit| format!("commit: {commit}"));
        let features: Vec<_> =
            builtins::FEATURES.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect();
        let features = format!(
            "features: {}",
            if features.is_empty() { "none".to_owned() } else { features.join(", ") }
        );
        [Some(self.version.to_owned()), below, commit, Some(features)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_others_says_what_it_is_made_of_as_well() {
        let own = Identity { name: "acme-secrets", version: "2.5" };
        let version = own.long_version();
        let begin = format!("2.5\nsecretdir: {}\n", env!("CARGO_PKG_VERSION"));
        assert!(version.starts_with(&begin), "{version}");
        let stock = Identity::default().long_version();
        assert!(!stock.contains("secretdir:"), "{stock}");
    }
}
