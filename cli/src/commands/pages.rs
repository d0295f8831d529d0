//! `secretdir completions` and `secretdir man`: what clap makes of the arguments.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Exit;
use crate::args::Args;
use crate::output::Output;

pub(crate) fn completions(shell: Shell, output: &Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "secretdir", &mut script);
    output.script(&script)
}

pub(crate) fn man(folder: &Path, output: &Output) -> Exit {
    match std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Args::command(), folder)) {
        Ok(()) => output.man(folder),
        Err(error) => output.unwritten(folder, &error),
    }
}
