//! What a publish takes of memory.
