//! `secretdir completions` and `secretdir man`: what clap makes of the arguments.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use clap_complete::Shell;
use clap_mangen::Man;
use secretdir_engine::{ErrorReport, escape};

use super::kind_of_unwritten;
use crate::Exit;
use crate::args::Identity;
use crate::host::CliHost;
use crate::output::{Output, written};

pub(crate) fn completions(shell: Shell, identity: Identity, output: &Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut identity.command(), identity.name, &mut script);
    output.answer(&written::script(&script))
}

/// Writes the man pages, which everyone may read whom the user's umask lets.
pub(crate) fn man(folder: &Path, identity: Identity, host: &CliHost, output: &Output) -> Exit {
    let written = host.umask.during(|| {
        fs::create_dir_all(folder)?;
        pages(identity).try_for_each(|page| write(&page, folder))
    });
    match written {
        Ok(()) => output.answer(&written::man_pages(folder)),
        Err(error) => output.failed(&[unwritten(folder, &error)], &[]),
    }
}

fn unwritten(folder: &Path, error: &io::Error) -> ErrorReport {
    let folder_name = folder.display().to_string();
    let message = format!("the man pages cannot be written into {}: {error}", escape(&folder_name));
    ErrorReport::from_message(kind_of_unwritten(error), message).at_path(folder)
}

/// Returns the page of each command, then that of the whole.
fn pages(identity: Identity) -> impl Iterator<Item = Man> {
    // Help has no room for the variables, and a page has.
    let command = identity.command().mut_args(|argument| argument.hide_env(false).hide_env_values(true));
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let source = format!("{} {}", command.get_name(), command.get_version().unwrap_or_default());
    let all: Vec<_> = command.get_subcommands().cloned().collect();
    all.into_iter().chain([command]).map(move |command| Man::new(command).source(&source))
}

/// Writes a page, or takes away what stands there of it.
fn write(page: &Man, folder: &Path) -> io::Result<()> {
    let mut text = Vec::new();
    page.render(&mut text)?;
    let path = folder.join(page.get_filename());
    File::create(&path)?.write_all(&text).inspect_err(|_| {
        // Half a page is worth nothing. If it cannot be removed either, that is for the same reason.
        let _ = fs::remove_file(&path);
    })
}
