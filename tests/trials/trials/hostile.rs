//! A hostile tree.
