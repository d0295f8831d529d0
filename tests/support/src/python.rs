//! The Python of the tests.

use std::path::{Path, PathBuf};

/// Finds the Python of the environment that holds moto.
pub fn python() -> PathBuf {
    programs().join("python")
}

/// Returns the folder with the programs of that environment, such as `aws`.
pub fn programs() -> PathBuf {
    let tools = std::env::var_os("SECRETDIR_TEST_TOOLS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools"), PathBuf::from);
    let binaries = tools.join("venv/bin");
    assert!(
        binaries.join("moto_server").is_file(),
        "moto_server is not in {}: run tests/run, which installs what the tests need",
        binaries.display()
    );
    binaries
}
