//! Many writers at one link.
