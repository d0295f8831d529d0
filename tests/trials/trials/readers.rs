//! Readers against a publisher that never rests.
