//! Maps requests to the files and imports that need them. The maps are built once for all failures of a run.

use std::collections::HashMap;

use secretdir_provider::{SecretRequest, SourceErrorKind};

use crate::plan::{Content, IfAbsent, Imported, Plan, PlannedImport, RequestId, SecretUse, Selection};

/// The files and imports that need each request of a plan.
pub(super) struct Affected<'p> {
    plan: &'p Plan,
    ids: HashMap<(usize, &'p SecretRequest), RequestId>,
    files: HashMap<RequestId, Vec<File<'p>>>,
    /// The first import of the keys of each secret.
    imports: HashMap<RequestId, &'p Selection>,
}

/// A file, and its use of a secret.
#[derive(Clone, Copy)]
pub(super) struct File<'p> {
    pub(super) name: &'p str,
    content: &'p Content,
    used: &'p SecretUse,
}

impl<'p> Affected<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut affected = Self { plan, ids: HashMap::new(), files: HashMap::new(), imports: HashMap::new() };
        for (source, planned) in plan.sources.iter().enumerate() {
            for (request, asked) in planned.requests.iter().enumerate() {
                affected.ids.insert((source, asked), RequestId { source, request });
            }
        }
        for (name, file) in plan.files.iter() {
            for used in file.content.uses() {
                let file = File { name: name.as_str(), content: &file.content, used };
                affected.files.entry(used.id).or_default().push(file);
            }
        }
        for import in &plan.imports {
            if let Imported::Keys(id) = import.selection.what {
                affected.imports.entry(id).or_insert(&import.selection);
            }
        }
        affected
    }

    /// Returns the files that cannot be written because a request failed, each once. If the secret was not found, only the
    /// files that require it are returned.
    pub(super) fn files(
        &self,
        source: usize,
        request: &SecretRequest,
        kind: SourceErrorKind,
    ) -> Vec<File<'p>> {
        let is_needed =
            |file: &File<'_>| kind != SourceErrorKind::NotFound || file.used.if_absent == IfAbsent::Fail;
        let id = self.ids.get(&(source, request));
        let files = id.and_then(|id| self.files.get(id)).into_iter().flatten();
        let mut files: Vec<_> = files.copied().filter(is_needed).collect();
        // The uses of one file are adjacent.
        files.dedup_by_key(|file| file.name);
        files
    }

    /// Returns the first import, or the first map of a template, that needs a request.
    pub(super) fn selection(&self, source: usize, request: &SecretRequest) -> Option<&'p Selection> {
        let keys = self.ids.get(&(source, request)).and_then(|id| self.imports.get(id)).copied();
        let is_below = |selection: &Selection| match &selection.what {
            Imported::Keys(_) => false,
            Imported::Below { source: of, prefix } => {
                *of == source && request.name().starts_with(prefix) && request.version().is_none()
            }
        };
        let makes_file = |import: &&PlannedImport| import.makes_file_of(&self.plan.files, request.name());
        let imports = self.plan.imports.iter().filter(makes_file).map(|import| &import.selection);
        let templates = self.plan.template_selections();
        let templates = templates.filter(|selection| selection.naming.wants(request.name()));
        keys.or_else(|| imports.chain(templates).find(|selection| is_below(selection)))
    }
}

impl File<'_> {
    /// Returns the name of the secret in the template, or `None` if the file is not a template.
    pub(super) fn place(&self) -> Option<String> {
        self.content.name_of(|used| used == self.used)
    }
}
