//! What stands beside a link.

use std::path::Path;

/// Returns the names in a folder, sorted, with the random part of ours left out.
#[track_caller]
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| match name.rsplit_once('-') {
            Some((kind, id)) if id.len() == 16 => kind.to_owned(),
            _ => name,
        })
        .collect();
    names.sort();
    names
}
