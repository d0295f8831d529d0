//! Texts of `--help` and the man pages, besides the options.

/// The meaning of each exit code.
pub(crate) const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "published, or unchanged"),
    ("1", "unexpected error, or the result cannot be written"),
    ("2", "usage or configuration"),
    ("3", "a source failed, or its answer cannot become a file"),
    ("4", "publishing failed"),
    ("5", "busy: another run holds the lock"),
    ("6", "published, but a later step failed: durability, path or on-change command"),
    ("7", "the verify command refused the new set"),
    ("10", "diff: a file would change, or the on-change command would run"),
    ("11", "status --fresh: the last success is older than the limit"),
    ("12", "status --fresh: nothing is published"),
    ("125", "exec: the program was not started"),
    ("126", "exec: the program cannot be run"),
    ("127", "exec: the program was not found"),
];

/// What the exit codes say about the published set.
pub(crate) const UNTOUCHED: &str =
    "After 1 to 5, 7 and all codes from 10 on, the published set is as it was before.";

/// The variables that the command reads.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("SECRETDIR_CONFIG", "the same as --config"),
    ("SECRETDIR_PROFILE", "the same as --profile"),
    ("RUST_LOG", "details that -v prints, such as `secretdir_engine=trace`"),
];

/// Returns the text after the options in the help of the whole command.
pub(crate) fn exits() -> String {
    let codes = EXIT_STATUS.iter().map(|(code, meaning)| format!("  {code:<2} {meaning}"));
    let variables = VARIABLES.iter().map(|(name, meaning)| format!("  {name:<17}  {meaning}"));
    let lines = |lines: Vec<String>| lines.join("\n");
    format!(
        "Exit codes:\n{}\n\n{UNTOUCHED}\n\nEnvironment:\n{}",
        lines(codes.collect()),
        lines(variables.collect())
    )
}

pub(crate) const PIN: &str = "\
The program replaces this process. SECRETDIR_PATH is the folder of the current
set. That folder is kept until the program and all processes that inherited its
file descriptors exit, whatever is published meanwhile. A program that closes
unknown descriptors loses this protection.

The exit code is that of the program, or 125, 126 or 127 if it did not start.";

pub(crate) const SIGNALS: &str = "\
Signals:
  SIGHUP   read the configuration again, and run
  SIGUSR1  run now
  SIGTERM, SIGINT, SIGQUIT  end within seconds; published files stay

A run that fails changes nothing, and the next one tries again. The exit code
is 0 at the end. It is 2 to 5 if `watch` cannot begin, such as 5 if another one
keeps the same link current.";
