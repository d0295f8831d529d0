//! `secretdir completions` and `secretdir man`: texts that are made from the arguments.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use clap::Arg;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;
use secretdir_engine::{ErrorReport, Registry, escape};

use super::kind_of_unwritten;
use super::manual::{self, Page};
use super::profiles;
use crate::Exit;
use crate::host::CliHost;
use crate::identity::Identity;
use crate::output::{Output, written};

pub(crate) fn completions(shell: Shell, identity: Identity, registry: &Registry, output: &Output) -> Exit {
    let mut script = Vec::new();
    // The command itself has a better error for an unknown provider than a list of possible values.
    let known = |argument: Arg| argument.value_parser(PossibleValuesParser::new(registry.names()));
    let mut command = identity
        .command()
        .mut_subcommand("init", |init| init.mut_arg("sources", known))
        .mut_subcommand("providers", |providers| providers.mut_arg("name", known));
    let dynamic = profiles::Dynamic::of(shell);
    if dynamic.is_some() {
        let marked = |argument: Arg| argument.value_parser(PossibleValuesParser::new([profiles::MARK]));
        command = command.mut_arg("profile", marked);
    }
    clap_complete::generate(shell, &mut command, identity.name, &mut script);
    let script = match dynamic {
        Some(dynamic) => dynamic.completed(&script, identity.name),
        None => script,
    };
    output.answer(&written::script(&script))
}

/// Writes the man pages. The umask of the user decides who may read them.
pub(crate) fn man(
    folder: &Path,
    identity: Identity,
    registry: &Registry,
    host: &CliHost,
    output: &Output,
) -> Exit {
    let written = host.umask.during(|| {
        fs::create_dir_all(folder)?;
        manual::pages(identity, registry)?.iter().try_for_each(|page| write(page, folder))
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

/// Writes a page, or removes the incomplete file.
fn write(page: &Page, folder: &Path) -> io::Result<()> {
    let path = folder.join(&page.file_name);
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    File::create(&path)?.write_all(&page.text).inspect_err(|_| {
        // An incomplete page is useless. If it cannot be removed either, the reason is the same.
        let _ = fs::remove_file(&path);
    })
}
