//! Why a program that is there cannot be started: the kernel says "not found" of one whose interpreter is missing.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

/// How much of a script the kernel reads to find its interpreter.
const HEAD: u64 = 256;

/// Where `execvp` looks without a PATH.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// What a person can do about a script that was written on Windows.
pub const CARRIAGE_RETURNS: &str = "its lines end with carriage returns: save it with Unix line ends";

/// What a program that is there needs, and what is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// The interpreter that a script names.
    #[error("its interpreter `{}` was not found", .0.display().to_string().escape_debug())]
    Interpreter(PathBuf),
    /// Of a script that cannot be read, of an interpreter that itself has none, of a binary.
    #[error("it exists, but the interpreter or loader that it needs was not found")]
    Loader,
}

impl Missing {
    /// Returns what a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Interpreter(path) if path.as_os_str().as_bytes().ends_with(b"\r") => CARRIAGE_RETURNS,
            Self::Interpreter(_) => "install its interpreter, or correct its first line",
            Self::Loader => "install what runs it",
        }
    }
}

/// Returns what a person can do about a program that is there and cannot be started.
pub fn hint(cause: &io::Error) -> Option<&'static str> {
    if cause.kind() == ErrorKind::IsADirectory {
        return Some("name a program in it");
    }
    if cause.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) {
        return Some("name its interpreter in its first line, such as `#!/bin/sh`");
    }
    (cause.kind() == ErrorKind::PermissionDenied).then_some(
        "make it executable for the current user (chmod +x), on a filesystem that is not mounted noexec",
    )
}

/// Returns why a program cannot be started, of which the kernel says this: it says of a directory only that nobody may execute it.
pub fn why(program: &OsStr, cause: io::Error) -> io::Error {
    let is_directory = program.as_bytes().contains(&b'/') && Path::new(program).is_dir();
    if is_directory { Errno::ISDIR.into() } else { cause }
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

/// Finds out whether a program could be started in a folder, without doing it. Of a binary only the beginning is looked at.
///
/// # Errors
///
/// What the kernel would say: it is not there, or its interpreter is not; this user may not execute it; it is a text without an
/// interpreter. And that it is a directory.
pub fn ensure_startable(program: &OsStr, folder: &Path) -> io::Result<()> {
    if program.as_bytes().contains(&b'/') {
        return ensure_file_startable(&folder.join(program), folder);
    }
    // As `execvp` does: it goes on where it finds nothing that it may execute, and hands a text without an interpreter to a shell.
    let folders = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let mut error = Errno::NOENT.into();
    for file in std::env::split_paths(&folders).map(|entry| folder.join(entry).join(program)) {
        match ensure_file_startable(&file, folder) {
            Err(refused) if is(&refused, Errno::ACCESS) => error = refused,
            Err(refused) if is(&refused, Errno::ISDIR) => error = Errno::ACCESS.into(),
            Err(refused) if !is(&refused, Errno::NOEXEC) => {}
            Ok(()) | Err(_) => return Ok(()),
        }
    }
    Err(error)
}

fn ensure_file_startable(file: &Path, folder: &Path) -> io::Result<()> {
    ensure_executable(file)?;
    // One that may be executed and not read is taken to be good.
    let Ok(head) = head(file) else { return Ok(()) };
    match interpreter_in(&head) {
        Some(interpreter) => ensure_executable(&folder.join(interpreter)).map_err(|error| {
            let is_directory = is(&error, Errno::ISDIR);
            if is_directory { Errno::ACCESS.into() } else { error }
        }),
        None if is_text(&head) => Err(Errno::NOEXEC.into()),
        None => Ok(()),
    }
}

/// Ensures that this user may execute a file, with the capabilities of this process.
fn ensure_executable(file: &Path) -> io::Result<()> {
    let found = std::fs::metadata(file)?;
    if found.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !found.is_file() {
        return Err(Errno::ACCESS.into());
    }
    Ok(accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS)?)
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// Says whether a program is a script whose first line ends as on Windows: the kernel takes that for a part of its last word.
pub fn ends_in_return(program: &OsStr) -> bool {
    let head = found(program, std::env::var_os("PATH")).and_then(|script| head(&script).ok());
    head.is_some_and(|head| first_line(&head).is_some_and(|line| line.ends_with(b"\r")))
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
    interpreter_in(&head(script).ok()?)
}

/// Finds the interpreter that the first line of a script names: that behind `env`, if it ends as on Windows, as nobody has one.
fn interpreter_in(head: &[u8]) -> Option<PathBuf> {
    let mut words =
        first_line(head)?.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let first = words.next()?;
    let of_env = words.next().filter(|word| first.ends_with(b"/env") && word.ends_with(b"\r"));
    Some(PathBuf::from(OsString::from_vec(of_env.unwrap_or(first).to_vec())))
}

/// Finds what follows `#!` in the first line of a script.
fn first_line(head: &[u8]) -> Option<&[u8]> {
    head.strip_prefix(b"#!")?.split(|byte| matches!(byte, b'\n' | 0)).next()
}

/// Says whether a file begins as no binary does.
fn is_text(head: &[u8]) -> bool {
    !head.starts_with(b"\x7fELF") && !head.contains(&0)
}

fn head(file: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(file)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}
