//! Why a program that is there cannot be started: the kernel says "not found" of one whose interpreter is missing.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// How much of a script the kernel reads to find its interpreter.
const HEAD: u64 = 256;

/// What a person can do about a script that was written on Windows.
pub const CARRIAGE_RETURNS: &str = "its lines end in carriage returns: save it with the line ends of Unix";

/// What a program that is there needs, and what is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// The interpreter that a script names.
    #[error("its interpreter `{}` was not found", .0.display().to_string().escape_debug())]
    Interpreter(PathBuf),
    /// Of a script that cannot be read, of an interpreter that itself has none, of a binary.
    #[error("it is there, but the interpreter or loader that it needs was not found")]
    Loader,
}

impl Missing {
    /// Returns what a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Interpreter(path) if path.as_os_str().as_bytes().ends_with(b"\r") => CARRIAGE_RETURNS,
            Self::Interpreter(_) => "install what runs it, or correct its first line",
            Self::Loader => "install what runs it",
        }
    }
}

/// Returns what a person can do about a program that is there and cannot be started.
pub fn hint(cause: &io::Error) -> Option<&'static str> {
    if cause.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) {
        return Some("let its first line name its interpreter, such as `#!/bin/sh`");
    }
    (cause.kind() == ErrorKind::PermissionDenied).then_some(
        "make it executable for the user who runs this (chmod +x), on a filesystem that is not mounted noexec",
    )
}

/// Returns what a program lacks that the kernel did not find: `None` if it is not there itself.
pub fn missing(program: &OsStr) -> Option<Missing> {
    Some(lacking(&found(program, std::env::var_os("PATH"))?))
}

/// Returns what a file lacks that is there and that the kernel did not find.
pub fn lacking(file: &Path) -> Missing {
    let named = interpreter(file).filter(|interpreter| !interpreter.exists());
    named.map_or(Missing::Loader, Missing::Interpreter)
}

/// Says whether the first line of a script ends as on Windows: the kernel takes that for a part of its last word.
pub fn ends_in_return(script: &Path) -> bool {
    first_line(script).is_some_and(|line| line.ends_with(b"\r"))
}

/// Looks for a program where `execvp` does.
fn found(program: &OsStr, folders: Option<OsString>) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    std::env::split_paths(&folders?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Reads the interpreter that the first line of a script names.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let line = first_line(script)?;
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    Some(PathBuf::from(OsString::from_vec(words.next()?.to_vec())))
}

/// Reads what follows `#!` in the first line of a script.
fn first_line(script: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(script).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    Some(line.to_vec())
}
