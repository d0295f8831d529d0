//! What stands beside a link.

use std::fs;
use std::path::Path;

/// Returns the names in a folder, sorted, with the random part of ours left out. In place of a state directory, such as
/// `.app.state`, stand the names in it: `state/lock`.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for name in listed(folder) {
        if name.ends_with(".state") {
            let inside = listed(&folder.join(&name));
            names.extend(inside.iter().map(|name| format!("state/{}", without_id(name))));
        } else {
            names.push(without_id(&name).to_owned());
        }
    }
    names.sort();
    names
}

fn listed(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn without_id(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((kind, id)) if id.len() == 16 => kind,
        _ => name,
    }
}
