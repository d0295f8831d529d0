//! Completes the names of profiles. The profiles depend on the configuration, but a script is written only once. So the
//! script calls the command at completion time. The names that it prints come from a file: no shell may evaluate them.

use clap_complete::Shell;

/// The placeholder in a script for the profiles.
pub(crate) const MARK: &str = "PROFILES";

/// The code with which a script completes profiles.
pub(crate) struct Dynamic {
    /// The text with the mark as clap writes it, and its replacement.
    mark: (&'static str, &'static str),
    /// A function that prints or adds the profiles of the configuration in the words of the command line.
    function: &'static str,
}

const BASH: Dynamic = Dynamic {
    mark: (r#"COMPREPLY=($(compgen -W "PROFILES" -- "${cur}"))"#, r#"_COMMAND_profiles "${cur}""#),
    function: r#"
_COMMAND_profiles() {
    local i file profile config=()
    COMPREPLY=()
    for ((i = 1; i < ${#COMP_WORDS[@]}; i++)); do
        if [[ ${COMP_WORDS[i]} == --config ]]; then
            file=${COMP_WORDS[i + 1]}
            if [[ $file == = ]]; then file=${COMP_WORDS[i + 2]}; fi
            config=(--config "${file/#\~\//$HOME/}")
        fi
    done
    while IFS= read -r profile; do
        if [[ $profile == "$1"* ]]; then COMPREPLY+=("$(printf %q "$profile")"); fi
    done < <(COMMAND check --all-profiles "${config[@]}" 2>/dev/null | sed -n 's/^ok: profile `\(.*\)`:.*/\1/p')
}
"#,
};

const ZSH: Dynamic = Dynamic {
    mark: (":NAME:(PROFILES)", ":NAME:_COMMAND_profiles"),
    function: r#"
_COMMAND_profiles() {
    local -a config profiles
    if [[ -n ${opt_args[--config]} ]]; then config=(--config "${(Q)opt_args[--config]}"); fi
    profiles=(${(f)"$(COMMAND check --all-profiles $config 2>/dev/null | sed -n 's/^ok: profile `\(.*\)`:.*/\1/p')"})
    compadd -a profiles
}
"#,
};

const FISH: Dynamic = Dynamic {
    mark: ("\"PROFILES\\t''\"", "\"(__COMMAND_profiles)\""),
    function: r#"
function __COMMAND_profiles
    set -l words (commandline -opc)
    set -l config
    if set -l at (contains -i -- --config $words)
        set config --config $words[(math $at + 1)]
    else if set -l file (string replace -f -- --config= '' $words)
        set config --config $file[-1]
    end
    COMMAND check --all-profiles $config 2>/dev/null | string replace -rf '^ok: profile `(.*)`:.*' '$1'
end
"#,
};

impl Dynamic {
    /// Returns the code for a shell. `None` if scripts for this shell complete no profiles.
    pub(crate) fn of(shell: Shell) -> Option<Self> {
        match shell {
            Shell::Bash => Some(BASH),
            Shell::Zsh => Some(ZSH),
            Shell::Fish => Some(FISH),
            _ => None,
        }
    }

    /// Inserts the function into a script before its first use, and the calls at the marks.
    pub(crate) fn completed(&self, script: &[u8], name: &str) -> Vec<u8> {
        let script = String::from_utf8_lossy(script);
        let (mark, call) = self.mark;
        // zsh recognises its scripts by the first line.
        let (first, rest) = script.split_once('\n').unwrap_or_default();
        let [function, call] = [self.function, call].map(|text| text.replace("COMMAND", name));
        format!("{first}\n{function}{}", rest.replace(mark, &call)).into_bytes()
    }
}
