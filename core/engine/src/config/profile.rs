//! `[profiles.NAME]`: what is different where this configuration is used with `--profile NAME`.
//!
//! A profile is laid over the rest before anything is resolved, so that a plan does not know of it: a source, the
//! commands of `[verify]` and `[on-change]` and the list of imports are replaced as a whole, `[directory]`, `[gather]` and `[watch]` get single keys, a file
//! is added, replaced, or with `false` removed. What is wrong is reported at the line where it stands.

use secretdir_provider::{KeyPath, Segment, Table, Value};

use super::Config;
use super::report::Report;
use super::section;
use crate::problem::{ConfigError, Problem};
use crate::registry::known;

/// What of a section a profile changes.
#[derive(Clone, Copy)]
enum Override {
    /// Single keys.
    Keys,
    /// Tables below it, each as a whole.
    Entries,
    /// All of it.
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

/// Whether something can be taken away by `false`.
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

    /// Lays a profile over the rest. What cannot be laid over is told by [`resolve`](Self::resolve), with all else that is
    /// wrong.
    ///
    /// # Errors
    ///
    /// There is no such profile, which is said with those that there are.
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
                self.lay(&at, &section, value);
            }
        }
        Ok(self)
    }

    /// Lays one section of a profile over that of the configuration. One that nobody knows is reported with all the profiles,
    /// whichever is used.
    fn lay(&mut self, at: &[Segment], section: &str, value: Value) {
        let Some((_, change)) = SECTIONS.iter().find(|(known, _)| *known == section) else { return };
        let from = [at, &[key(section)]].concat();
        match (change, value) {
            (Override::Keys | Override::Entries, Value::Table(entries)) => {
                for (name, value) in entries {
                    let (to, from) = ([key(section), key(&name)], [&from[..], &[key(&name)]].concat());
                    self.put(&to, &from, value);
                }
            }
            // Something else than a table is reported where the section is read.
            (_, value) => self.put(&[key(section)], &from, value),
        }
    }

    /// Puts a value where it counts, or takes away what is there.
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
            let message = "there is nothing to take away: the configuration has none";
            self.problems.push(Problem::new(&self.file, Some(position), path, message));
        }
    }
}

/// Reports profiles that are no tables, and sections in them that nobody knows.
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
