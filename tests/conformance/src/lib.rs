//! The tests that every secretdir provider must pass.
