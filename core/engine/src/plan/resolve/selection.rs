//! Resolves the secrets that imports and templates select: a prefix, and patterns for the names below it.

use std::path::Path;

use glob::Pattern;
use secretdir_provider::KeyPath;

use super::entry::Entries;
use crate::catch_panic;
use crate::plan::selection::{Imported, Naming};
use crate::report::describe;

/// The selected names, as the configuration writes them.
pub(super) struct Names<'s> {
    pub(super) prefix: Option<&'s str>,
    pub(super) strip_prefix: Option<&'s str>,
    pub(super) include: Option<&'s [String]>,
    pub(super) exclude: Option<&'s [String]>,
}

impl Entries<'_, '_> {
    /// Selects the secrets of a source whose names begin with a prefix.
    pub(super) fn below(&mut self, name: &str, prefix: String, at: &KeyPath) -> Option<Imported> {
        let source = self.source(name, at)?;
        if self.lists_what_is_published(source, &prefix) {
            let message = "the link of [directory] is below the root of this source: each run would import the files that the run before has published";
            return self.refuse(at, "prefix", message);
        }
        match self.sources.list(source, &prefix) {
            Ok(()) => Some(Imported::Below { source, prefix }),
            Err(error) => {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                let message =
                    format!("source `{name}` cannot list below `{prefix}`: {}{hint}", describe(&error));
                self.refuse(at, "prefix", &message)
            }
        }
    }

    /// Returns whether published files are below a prefix, as far as paths show. Symbolic links on the way may lead
    /// elsewhere.
    fn lists_what_is_published(&self, source: usize, prefix: &str) -> bool {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let link = absolute(&self.directory.link);
        let roots = self.sources.planned().get(source).map(|planned| {
            catch_panic::call(planned.provider, || planned.source.local_paths()).unwrap_or_default()
        });
        roots.into_iter().flatten().any(|root| {
            let below = link.strip_prefix(absolute(&root)).ok().and_then(Path::to_str);
            below.is_some_and(|below| below.starts_with(prefix) || prefix.starts_with(&format!("{below}/")))
        })
    }

    /// Resolves the wanted names. `into` is put before each name.
    pub(super) fn naming(&mut self, names: &Names<'_>, into: String, at: &KeyPath) -> Option<Naming> {
        let strip_prefix = names.strip_prefix.unwrap_or_default();
        let fits = |prefix: &str| prefix.starts_with(strip_prefix) || strip_prefix.starts_with(prefix);
        if !names.prefix.is_none_or(fits) {
            return self.refuse(at, "strip-prefix", "does not fit `prefix`: no name can begin with both");
        }
        let include = self.patterns(names.include, "include", at);
        let exclude = self.patterns(names.exclude, "exclude", at);
        Some(Naming { into, strip_prefix: strip_prefix.to_owned(), include: include?, exclude: exclude? })
    }

    fn patterns(&mut self, patterns: Option<&[String]>, key: &str, at: &KeyPath) -> Option<Vec<Pattern>> {
        match patterns {
            None => Some(Vec::new()),
            Some([]) => self.refuse(at, key, "is empty; omit it"),
            Some(patterns) => {
                let at = at.clone().key(key);
                let read = patterns.iter().enumerate().map(|(number, text)| self.pattern(text, number, &at));
                read.collect::<Vec<_>>().into_iter().collect()
            }
        }
    }

    fn pattern(&mut self, text: &str, number: usize, at: &KeyPath) -> Option<Pattern> {
        let message = match Pattern::new(text) {
            Ok(_) if text.replace("[{]", "").replace("[}]", "").contains(['{', '}']) => {
                "has `{` or `}` in it: write each choice as a separate pattern; a literal brace is `[{]` or `[}]`"
            }
            Ok(pattern) => return Some(pattern),
            Err(error) => &format!("is not a valid pattern: {}", error.msg),
        };
        let element = at.clone().index(number);
        self.report.error(&element, message);
        None
    }

    pub(super) fn refuse<T>(&mut self, at: &KeyPath, key: &str, message: &str) -> Option<T> {
        self.report.error(&at.clone().key(key), message);
        None
    }
}
