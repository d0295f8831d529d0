//! `[profiles.NAME]`: the changes to the configuration with `--profile NAME`.
//!
//! A profile is applied before anything is resolved, so a plan does not know about profiles:
//!
//! - A source, the commands of `[verify]` and `[on-change]` and the list of imports are replaced as a whole.
//! - Single keys of `[directory]`, `[gather]` and `[watch]` are replaced or added.
//! - A file is added or replaced, or removed with `false`.
//!
//! Problems are reported at their line in the profile.

use secretdir_provider::{KeyPath, Segment, Table, Value};

use super::Config;
use super::report::Report;
use super::section;
use crate::problem::{ConfigError, Problem};
use crate::registry::known;

/// The parts of a section that a profile can replace.
#[derive(Clone, Copy)]
enum Override {
    /// Single keys.
    Keys,
    /// The values below it, each as a whole.
    Entries,
    /// The section as a whole.
    Whole,
}

const SECTIONS: [(&str, Override); 8] = [
    ("directory", Override::Keys),
    ("files", Override::Entries),
    ("gather", Override::Keys),
    ("import", Override::Whole),
    ("on-change", Override::Whole),
    ("sources", Override::Entries),
    ("verify", Override::Whole),
    ("watch", Override::Keys),
];

/// The sections with values that `false` removes.
const REMOVABLE: [&str; 4] = ["files", "import", "on-change", "verify"];

impl Config {
    /// Returns the names of the profiles, in order.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        let profiles = self.table.get("profiles").and_then(|value| match value {
            Value::Table(table) => Some(table),
            _ => None,
        });
        profiles.into_iter().flat_map(|table| table.keys())
    }

    /// Applies a profile. [`resolve`](Self::resolve) reports the parts that cannot be applied, with all other problems.
    ///
    /// # Errors
    ///
    /// There is no such profile. The error lists the profiles that exist.
    pub fn with_profile(mut self, name: &str) -> Result<Self, ConfigError> {
        let profile = match self.table.get("profiles") {
            Some(Value::Table(profiles)) => profiles.get(name).cloned(),
            _ => None,
        };
        let Some(profile) = profile else {
            let message = format!("there is no profile `{name}`{}", known(name, self.profiles()));
            let mut report = Report::on(&self);
            report.error(&KeyPath::from("profiles"), message);
            return report.finish().map(|_| self);
        };
        self.profile = Some(name.to_owned());
        let at = [key("profiles"), key(name)];
        if let Value::Table(profile) = profile {
            for (section, value) in profile {
                self.apply_section(&at, &section, value);
            }
        }
        Ok(self)
    }

    /// Applies one section of a profile. Unknown sections of all profiles are reported elsewhere, whichever profile is
    /// used.
    fn apply_section(&mut self, at: &[Segment], section: &str, value: Value) {
        let Some((_, change)) = SECTIONS.iter().find(|(known, _)| *known == section) else { return };
        let from = [at, &[key(section)]].concat();
        match (change, value) {
            (Override::Keys | Override::Entries, Value::Table(entries)) => {
                for (name, value) in entries {
                    let (to, from) = ([key(section), key(&name)], [&from[..], &[key(&name)]].concat());
                    self.put(&to, &from, value);
                }
            }
            // A value that should be a table is reported when the section is parsed.
            (_, value) => self.put(&[key(section)], &from, value),
        }
    }

    /// Inserts a value at its new path, or removes the value there.
    fn put(&mut self, to: &[Segment], from: &[Segment], value: Value) {
        let (Some(Segment::Key(section)), name) = (to.first(), to.get(1)) else { return };
        let removed = value == Value::Boolean(false) && REMOVABLE.contains(&section.as_str());
        let table = match name {
            None => &mut self.table,
            Some(_) => {
                if !self.table.contains_key(section) {
                    self.table.insert(section, Table::new());
                }
                match self.table.get_mut(section) {
                    Some(Value::Table(below)) => below,
                    _ => return,
                }
            }
        };
        let Some(Segment::Key(last)) = to.last() else { return };
        if !removed {
            table.insert(last.clone(), value);
            self.positions.graft(from, to);
        } else if table.remove(last).is_none() {
            let path = KeyPath::from(from);
            let position = self.positions.of(&path);
            let message = "there is nothing to remove: the configuration has none";
            self.problems.push(Problem::new(&self.file, Some(position), path, message));
        }
    }
}

/// Reports profiles that are not tables, and unknown sections in them.
pub(crate) fn check(top: &Table, report: &mut Report<'_>) {
    let at = KeyPath::from("profiles");
    let Some(profiles) = top.get("profiles").and_then(|value| section::as_table(value, &at, report)) else {
        return;
    };
    for (name, value) in profiles {
        let at = at.clone().key(name);
        for section in section::as_table(value, &at, report).into_iter().flat_map(|table| table.keys()) {
            if !SECTIONS.iter().any(|(known, _)| *known == section) {
                let known = known(section, SECTIONS.iter().map(|(known, _)| *known));
                report.error(&at.clone().key(section), format!("unknown key{known}"));
            }
        }
    }
}

fn key(name: &str) -> Segment {
    Segment::Key(name.to_owned())
}
