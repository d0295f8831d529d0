//! The env provider of secretdir: secrets from environment variables.
