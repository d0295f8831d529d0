//! Finds out why an existing program cannot be started. If its interpreter is missing, the kernel only reports "not
//! found".

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

/// How many bytes of a script the kernel reads to find its interpreter.
const HEAD: u64 = 256;

/// The search path of `execvp` if PATH is not set.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The hint for a script with Windows line ends.
pub const CARRIAGE_RETURNS: &str = "its lines end with carriage returns: save it with Unix line ends";

/// The missing part that an existing program needs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// The interpreter that a script names.
    #[error("its interpreter `{}` was not found", .0.display().to_string().escape_debug())]
    Interpreter(PathBuf),
    /// An unknown interpreter or loader. The script cannot be read, its interpreter lacks one itself, or the program is
    /// a binary.
    #[error("it exists, but the interpreter or loader that it needs was not found")]
    Loader,
}

impl Missing {
    /// Returns a hint for the user.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Interpreter(path) if path.as_os_str().as_bytes().ends_with(b"\r") => CARRIAGE_RETURNS,
            Self::Interpreter(_) => "install its interpreter, or correct its first line",
            Self::Loader => "install what runs it",
        }
    }
}

/// Returns a hint about an existing program that cannot be started.
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

/// Returns the real error for a program that cannot be started. If it is a directory, the kernel only reports
/// "permission denied".
pub fn why(program: &OsStr, cause: io::Error) -> io::Error {
    let is_directory = program.as_bytes().contains(&b'/') && Path::new(program).is_dir();
    if is_directory { Errno::ISDIR.into() } else { cause }
}

/// Returns the part that a program lacks after the kernel reported "not found". `None` if the program itself is
/// missing.
pub fn missing(program: &OsStr) -> Option<Missing> {
    Some(lacking(&found(program, std::env::var_os("PATH"))?))
}

/// Returns the part that an existing file lacks after the kernel reported "not found".
pub fn lacking(file: &Path) -> Missing {
    let named = interpreter(file).filter(|interpreter| !interpreter.exists());
    named.map_or(Missing::Loader, Missing::Interpreter)
}

/// Checks whether a program could be started in a folder, without starting it. Only the beginning of a binary is read.
///
/// # Errors
///
/// The error that the kernel would report:
///
/// - The program or its interpreter does not exist.
/// - This user may not execute it.
/// - It is a text without an interpreter.
///
/// The path of a directory is reported as a directory.
pub fn ensure_startable(program: &OsStr, folder: &Path) -> io::Result<()> {
    if program.as_bytes().contains(&b'/') {
        return ensure_file_startable(&folder.join(program), folder);
    }
    // This follows `execvp`. It tries the next folder if a file is missing or not executable. It passes a text without
    // an interpreter to a shell.
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
    // A file that may be executed but not read is assumed to be startable.
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

/// Says whether the first line of a script ends with a carriage return. The kernel takes it as a part of the last word.
pub fn ends_in_return(program: &OsStr) -> bool {
    let head = found(program, std::env::var_os("PATH")).and_then(|script| head(&script).ok());
    head.is_some_and(|head| first_line(&head).is_some_and(|line| line.ends_with(b"\r")))
}

/// Searches for a program in the folders of PATH, as `execvp` does.
fn found(program: &OsStr, folders: Option<OsString>) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    std::env::split_paths(&folders?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Reads the interpreter in the first line of a script.
fn interpreter(script: &Path) -> Option<PathBuf> {
    interpreter_in(&head(script).ok()?)
}

/// Returns the interpreter in the first line of a script. After `env`, a program that ends with a carriage return
/// counts as the interpreter, because no program has such a name.
fn interpreter_in(head: &[u8]) -> Option<PathBuf> {
    let mut words =
        first_line(head)?.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let first = words.next()?;
    let of_env = words.next().filter(|word| first.ends_with(b"/env") && word.ends_with(b"\r"));
    Some(PathBuf::from(OsString::from_vec(of_env.unwrap_or(first).to_vec())))
}

/// Returns the text after `#!` in the first line of a script.
fn first_line(head: &[u8]) -> Option<&[u8]> {
    head.strip_prefix(b"#!")?.split(|byte| matches!(byte, b'\n' | 0)).next()
}

/// Says whether a file looks like a text: it has no ELF header and no NUL.
fn is_text(head: &[u8]) -> bool {
    !head.starts_with(b"\x7fELF") && !head.contains(&0)
}

fn head(file: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(file)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}
