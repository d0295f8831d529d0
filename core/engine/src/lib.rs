//! Gathers secrets as a TOML file maps them and publishes them as one directory.
