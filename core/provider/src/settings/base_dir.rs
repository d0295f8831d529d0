//! The folder that relative paths start at.

use std::path::{Path, PathBuf};

/// Characters that a shell, a service manager or a template engine would expand at the beginning of a path.
const EXPANDED_ELSEWHERE: [char; 3] = ['~', '$', '%'];

const RELATIVE_TO_NOTHING: &str = "is relative, but this configuration is not a file in a folder: write the whole path, \
     or put the configuration into a file";

/// The folder of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BaseDir {
    /// The folder of its file.
    Folder(PathBuf),
    /// There is none: the configuration came through a pipe or a descriptor.
    Nowhere,
}

impl BaseDir {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder,
            Self::Nowhere => Path::new("/"),
        }
    }

    /// Resolves a path, or says what is wrong with it, without quoting it.
    pub(super) fn locate(&self, path: &str) -> Result<PathBuf, String> {
        if path.is_empty() {
            return Err("must not be empty; `.` is the folder of the configuration".to_owned());
        }
        check(path)?;
        match self {
            Self::Nowhere if Path::new(path).is_relative() => Err(RELATIVE_TO_NOTHING.to_owned()),
            _ => Ok(self.path().join(path)),
        }
    }

    /// Resolves the name of a program, or says what is wrong with it. A name without a slash is looked up in PATH.
    pub(super) fn program(&self, program: &str) -> Result<PathBuf, String> {
        if program.is_empty() {
            return Err("names no program; expected one and its arguments".to_owned());
        }
        if program.contains('/') {
            return self.locate(program);
        }
        check(program).map(|()| PathBuf::from(program))
    }
}

fn check(path: &str) -> Result<(), String> {
    if path.contains('\0') {
        return Err("must not hold a NUL character".to_owned());
    }
    match path.chars().next().filter(|first| EXPANDED_ELSEWHERE.contains(first)) {
        None => Ok(()),
        Some(first) => Err(format!(
            "begins with `{first}`, and nothing in a path is expanded: write the whole path, or put `./` before a name \
             that really begins so"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_expanded_and_a_name_may_still_begin_so() {
        let folder = BaseDir::Folder("/etc/app".into());
        for path in ["~/", "~/x", "~user/x", "$HOME/x", "${HOME}/x", "%t/x", "%h"] {
            let error = folder.locate(path).unwrap_err();
            assert!(error.contains("write the whole path") && !error.contains(path), "{path}: {error}");
        }
        for (path, located) in [
            ("./~x", "/etc/app/./~x"),
            ("a/$b", "/etc/app/a/$b"),
            ("a~", "/etc/app/a~"),
            ("/~/x", "/~/x"),
            (".", "/etc/app/."),
        ] {
            assert_eq!(folder.locate(path).unwrap().as_os_str(), located);
        }
        for path in ["", "a\0b"] {
            assert!(folder.locate(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn without_a_folder_a_path_is_absolute() {
        for path in ["x", "./x", "."] {
            let error = BaseDir::Nowhere.locate(path).unwrap_err();
            assert!(error.starts_with("is relative"), "{error}");
        }
        assert_eq!(BaseDir::Nowhere.locate("/x").unwrap(), Path::new("/x"));
    }

    #[test]
    fn a_program_with_a_slash_is_a_path() {
        let folder = BaseDir::Folder("/etc/app".into());
        for (program, located) in [("cat", "cat"), ("./hook", "/etc/app/./hook"), ("/bin/cat", "/bin/cat")] {
            assert_eq!(folder.program(program).unwrap().as_os_str(), located);
        }
        for program in ["", "~/hook", "$HOOK", "%h/hook", "a\0"] {
            assert!(folder.program(program).is_err(), "{program:?}");
        }
        assert_eq!(BaseDir::Nowhere.program("cat").unwrap(), Path::new("cat"));
        assert!(BaseDir::Nowhere.program("./hook").is_err());
    }
}
