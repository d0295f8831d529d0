//! The man pages. clap makes them from the arguments. This module adds the sections that readers look for, and a page
//! about the configuration.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use secretdir_engine::Registry;
use serde_json::Value;

use crate::help;
use crate::identity::Identity;
use crate::setting::{Need, Setting, followed};

/// A complete man page.
pub(crate) struct Page {
    pub(crate) file_name: String,
    pub(crate) text: Vec<u8>,
}

const FILES: &[(&str, &str)] = &[
    ("secretdir.toml", "The configuration, unless --config or SECRETDIR_CONFIG names another file."),
    (
        "LINK",
        "The symbolic link that users read through: `path` of [directory] in the configuration. It names the current set.",
    ),
    (".LINK.gen-*", "Beside the link: the current set, and older ones until `retain` is over."),
    (".LINK.state", "Beside the link: the lock, and notes about the sets. No value is in it."),
];

const EXAMPLES: &[(&str, &str)] = &[
    ("secretdir init env file", "Write a configuration to start from, for two kinds of sources."),
    ("secretdir check --fetch", "Check the configuration and the sources, without publishing."),
    ("secretdir sync --config /etc/secretdir/app.toml", "Publish once: at boot, or from a timer."),
    (
        "secretdir watch --metrics /var/lib/node_exporter/app.prom",
        "Keep the set current, and write metrics for Prometheus.",
    ),
    ("secretdir exec -- myprogram", "Run a program with the current set."),
];

/// Returns the pages of the command, of each subcommand, and of the configuration.
pub(crate) fn pages(identity: Identity, registry: &Registry) -> io::Result<Vec<Page>> {
    // The help has no room for the variables, but a page has.
    let command = identity.command().mut_args(|argument| argument.hide_env(false).hide_env_values(true));
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let source = format!("{} {}", command.get_name(), command.get_version().unwrap_or_default());
    let commands: Vec<_> = command.get_subcommands().cloned().collect();
    let mut pages = Vec::new();
    for command in commands {
        pages.push(of_command(command, &source, identity.name)?);
    }
    pages.push(whole(command, &source)?);
    pages.push(configuration(identity, &source, registry)?);
    Ok(pages)
}

/// Returns the page of the command itself. The text after the options of its help becomes sections.
fn whole(command: Command, source: &str) -> io::Result<Page> {
    let (man, mut text) = begun(command, source)?;
    man.render_subcommands_section(&mut text)?;
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    help::EXIT_STATUS.iter().for_each(|(code, meaning)| tagged(&mut roff, code, meaning));
    roff.control("PP", []).text([roman(help::UNTOUCHED)]);
    roff.control("SH", ["ENVIRONMENT"]);
    help::VARIABLES.iter().for_each(|(name, meaning)| tagged(&mut roff, name, meaning));
    roff.control("SH", ["FILES"]);
    FILES.iter().for_each(|(name, meaning)| tagged(&mut roff, name, meaning));
    roff.control("SH", ["EXAMPLES"]);
    EXAMPLES.iter().for_each(|(command, meaning)| tagged(&mut roff, command, meaning));
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("secretdir.toml"), roman("(5)")]);
    roff.to_writer(&mut text)?;
    Ok(Page { file_name: format!("man1/{}", man.get_filename()), text })
}

/// Returns the page of one command. The text behind its options becomes a section.
fn of_command(command: Command, source: &str, whole: &str) -> io::Result<Page> {
    let notes = command.get_after_help().map(ToString::to_string);
    let (man, mut text) = begun(command, source)?;
    let mut roff = Roff::new();
    if let Some(notes) = notes {
        roff.control("SH", ["NOTES"]).control("nf", []);
        for line in notes.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold(whole), roman("(1), "), bold("secretdir.toml"), roman("(5)")]);
    roff.to_writer(&mut text)?;
    Ok(Page { file_name: format!("man1/{}", man.get_filename()), text })
}

/// Begins the page of a command: up to its options.
fn begun(mut command: Command, source: &str) -> io::Result<(Man, Vec<u8>)> {
    // The synopsis of clap_mangen shows options without their values.
    let usage = command.render_usage().to_string();
    let man = Man::new(command).source(source);
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text([bold(usage.trim_start_matches("Usage: "))]);
    roff.to_writer(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    Ok((man, text))
}

/// Returns the page about the configuration, from the schema's description of each key.
fn configuration(identity: Identity, source: &str, registry: &Registry) -> io::Result<Page> {
    let schema = secretdir_engine::schema(registry);
    let mut roff = Roff::new();
    roff.control("TH", ["secretdir.toml", "5", "", source, ""]);
    roff.control("SH", ["NAME"]);
    roff.text([roman("secretdir.toml - the configuration of secretdir: sources, secrets and files")]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([
        roman("The file is TOML. Relative paths start at its folder. "),
        bold(format!("{} check", identity.name)),
        roman(" reports each mistake with its line."),
    ]);
    let tables = schema.get("properties").and_then(Value::as_object);
    for (name, table) in tables.into_iter().flatten() {
        section(&mut roff, name, &followed(table, &schema), &schema);
    }
    roff.control("SH", ["PROVIDERS"]);
    for provider in registry.providers() {
        let settings = secretdir_engine::settings_schema(provider);
        roff.control("SS", [format!("[sources.NAME], provider = \"{}\"", provider.name()).as_str()]);
        settings.iter().flat_map(Setting::all).for_each(|setting| key(&mut roff, &setting));
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold(identity.name), roman("(1)")]);
    let mut text = Vec::new();
    roff.to_writer(&mut text)?;
    Ok(Page { file_name: "man5/secretdir.toml.5".to_owned(), text })
}

/// Describes a table of the configuration. If its names are free, its entries are described.
fn section(roff: &mut Roff, name: &str, table: &Value, schema: &Value) {
    roff.control("SH", [format!("[{name}]").as_str()]);
    let description = crate::setting::one_line(table.get("description"));
    if !description.is_empty() {
        roff.text([roman(description)]);
    }
    for setting in Setting::all(&entry(table, schema)) {
        key(roff, &setting);
    }
}

/// Returns the schema with the keys: of the table itself, or of the entries of a table with free names.
fn entry(table: &Value, schema: &Value) -> Value {
    let inner = ["/additionalProperties", "/items"].into_iter().find_map(|pointer| table.pointer(pointer));
    match inner.filter(|inner| inner.is_object() && table.get("properties").is_none()) {
        Some(inner) => followed(inner, schema),
        None => table.clone(),
    }
}

fn key(roff: &mut Roff, setting: &Setting) {
    let need = match &setting.need {
        Need::Required => "required".to_owned(),
        Need::Default(value) => format!("default {value}"),
        Need::Optional => "optional".to_owned(),
    };
    roff.control("TP", []);
    roff.text(vec![bold(setting.name.as_str()), roman(" ("), italic(need), roman(")")]);
    roff.text([roman(setting.description.as_str())]);
}

fn tagged(roff: &mut Roff, tag: &str, text: &str) {
    roff.control("TP", []);
    roff.text(vec![bold(tag)] as Vec<Inline>);
    roff.text([roman(text)]);
}
