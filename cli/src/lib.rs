//! Gathers secrets from pluggable sources into one directory, flipped atomically.
