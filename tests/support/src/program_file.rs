//! Programs that a test writes and runs.
//!
//! Another thread of the test may start a process while a file is open for writing; that process has it open, too, until it becomes
//! its program, and the kernel runs no file that somebody may write to ("Text file busy"). So another process writes it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a program, with mode 0755.
pub fn write_program(path: &Path, text: &str) {
    let mut sh = Command::new("sh");
    sh.args(["-c", r#"cat > "$1" && chmod 0755 "$1""#, "sh"]).arg(path).stdin(Stdio::piped());
    let mut child = sh.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{} cannot be written", path.display());
}

/// Copies a program, with mode 0755.
pub fn copy_program(from: &Path, to: &Path) {
    let mut sh = Command::new("sh");
    let copied =
        sh.args(["-c", r#"cp "$1" "$2" && chmod 0755 "$2""#, "sh"]).arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{} cannot be copied", from.display());
}
