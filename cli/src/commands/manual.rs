//! The man pages: those that clap makes of the arguments, with the sections that readers look for, and one on the configuration.

use std::io;

use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use secretdir_engine::Registry;
use serde_json::Value;

use crate::help;
use crate::identity::Identity;
use crate::setting::{Need, Setting, followed};

/// A page, complete.
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

/// Returns the page of each command, that of the whole, and that of the configuration.
pub(crate) fn pages(identity: Identity, registry: &Registry) -> io::Result<Vec<Page>> {
    // Help has no room for the variables, and a page has.
    let command = identity.command().mut_args(|argument| argument.hide_env(false).hide_env_values(true));
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let source = format!("{} {}", command.get_name(), command.get_version().unwrap_or_default());
    let commands: Vec<_> = command.get_subcommands().cloned().collect();
    let mut pages = Vec::new();
    for command in commands {
        let man = Man::new(command).source(&source);
        let mut text = Vec::new();
        man.render(&mut text)?;
        pages.push(Page { file_name: man.get_filename(), text });
    }
    pages.push(whole(Man::new(command).source(&source))?);
    pages.push(configuration(identity, &source, registry)?);
    Ok(pages)
}

/// Returns the page of the whole. What stands behind the options of its help has sections of its own here.
fn whole(man: Man) -> io::Result<Page> {
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
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
    Ok(Page { file_name: man.get_filename(), text })
}

/// Returns the page on the configuration: what the schema says of each key.
fn configuration(identity: Identity, source: &str, registry: &Registry) -> io::Result<Page> {
    let schema = secretdir_engine::schema(registry);
    let mut roff = Roff::new();
    roff.control("TH", ["secretdir.toml", "5", "", source, ""]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(
        "secretdir.toml - which secrets are published, where they come from, and as which files",
    )]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([
        roman("The file is TOML. Relative paths start at its folder. "),
        bold(format!("{} check", identity.name)),
        roman(" says what is wrong with it, each mistake with its line."),
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
    Ok(Page { file_name: "secretdir.toml.5".to_owned(), text })
}

/// Describes a table of the configuration. Those whose names are free have one of their entries described.
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

/// Returns what has the keys: the table itself, or the entries of one whose names are free.
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
