//! The file provider of secretdir: secrets from files under a root directory.
