//! What the tests of secretdir share: real servers and canaries.
