//! A command with placeholders for the name and the version of the secret.

use secretdir_helpers::nearest;
use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

/// The placeholder for the name of the secret.
const SECRET: &str = "{secret}";

/// The placeholder for its version.
const VERSION: &str = "{version}";

/// A program and its arguments. Some of them have a placeholder for the name, and perhaps for the version.
///
/// No shell parses them: each argument stays one argument, whatever is inserted.
#[derive(Debug, PartialEq)]
pub(crate) struct CommandTemplate {
    program: String,
    arguments: Vec<String>,
}

impl CommandTemplate {
    /// Makes a template. The error says what is wrong with it.
    pub(crate) fn new(program: String, arguments: Vec<String>) -> Result<Self, String> {
        if arguments.is_empty() && program.contains(char::is_whitespace) {
            return Err("the program and its arguments are one string, which no shell splits; \
                 write each as a separate string: [\"tool\", \"show\", \"{secret}\"]"
                .to_owned());
        }
        if [SECRET, VERSION].iter().any(|place| program.contains(place)) {
            return Err("the program cannot contain a placeholder; only its arguments can".to_owned());
        }
        if let Some((written, meant)) = misspelt(&arguments) {
            return Err(format!("`{{{written}}}` is not a placeholder; did you mean `{meant}`?"));
        }
        if !arguments.iter().any(|argument| argument.contains(SECRET)) {
            return Err("no argument has the placeholder `{secret}`".to_owned());
        }
        Ok(Self { program, arguments })
    }

    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// Checks that a request fits the placeholders of the template.
    pub(crate) fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        let has_version = self.arguments.iter().any(|argument| argument.contains(VERSION));
        match request.version() {
            Some(_) if !has_version => Err(SourceError::new(SourceErrorKind::Unsupported)
                .with_cause("the command has no placeholder `{version}`")),
            None if has_version => {
                Err(invalid("the command has a placeholder for a version, but no `version` is set"))
            }
            version => self.check_words(request.name(), version),
        }
    }

    fn check_words(&self, name: &str, version: Option<&str>) -> Result<(), SourceError> {
        for (what, word, place) in [("name", Some(name), SECRET), ("version", version, VERSION)] {
            let Some(word) = word else { continue };
            if word.is_empty() {
                return Err(invalid(format!("the {what} is empty")));
            }
            if word.contains('\0') {
                return Err(invalid(format!("the {what} holds a NUL character")));
            }
            if word.starts_with('-') && self.could_be_an_option(place) {
                let error =
                    invalid(format!("the command would take the {what} for an option: it begins with `-`"));
                return Err(error.with_hint(format!(
                    "put \"--\" before \"{place}\" in the command, if the program supports that"
                )));
            }
        }
        Ok(())
    }

    /// Returns whether an argument begins with this placeholder, and no `--` before it ends the options.
    fn could_be_an_option(&self, place: &str) -> bool {
        self.arguments
            .iter()
            .take_while(|argument| *argument != "--")
            .any(|argument| argument.starts_with(place))
    }

    /// Returns the arguments for a request, which must have passed [`check`](Self::check).
    pub(crate) fn arguments(&self, request: &SecretRequest) -> Vec<String> {
        self.arguments.iter().map(|argument| fill(argument, request)).collect()
    }
}

/// Finds a word in braces that is a misspelt placeholder. Other braces are text for the program, so it must be near one that is
/// missing, with the same first letter.
fn misspelt(arguments: &[String]) -> Option<(&str, &'static str)> {
    let missing = |placeholder: &&str| !arguments.iter().any(|argument| argument.contains(*placeholder));
    let missing: Vec<_> = [SECRET, VERSION].into_iter().filter(missing).collect();
    let words = arguments.iter().flat_map(|argument| argument.split('{').skip(1));
    let mut words = words.filter_map(|rest| rest.split_once('}')).map(|(word, _)| word);
    words.find_map(|word| {
        let of_letter = missing.iter().filter(|known| known.get(1..2) == word.get(..1));
        let known =
            of_letter.copied().find(|known| nearest(word, [known.trim_matches(['{', '}'])]).is_some());
        known.map(|known| (word, known))
    })
}

/// Replaces the placeholders in an argument in one pass: inserted text is not searched again.
fn fill(argument: &str, request: &SecretRequest) -> String {
    let mut filled = String::new();
    let mut rest = argument;
    while let Some(start) = rest.find('{') {
        let (before, after) = rest.split_at(start);
        filled.push_str(before);
        rest = if let Some(after) = after.strip_prefix(SECRET) {
            filled.push_str(request.name());
            after
        } else if let Some(after) = after.strip_prefix(VERSION) {
            filled.push_str(request.version().unwrap_or_default());
            after
        } else {
            filled.push('{');
            after.strip_prefix('{').unwrap_or_default()
        };
    }
    filled + rest
}

fn invalid(cause: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause.into())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;

    use super::*;

    fn template(arguments: &[&str]) -> CommandTemplate {
        CommandTemplate::new("tool".to_owned(), arguments.iter().map(|word| (*word).to_owned()).collect())
            .unwrap()
    }

    fn refusal(arguments: &[&str], request: &SecretRequest) -> String {
        template(arguments).check(request).unwrap_err().source().unwrap().to_string()
    }

    #[test]
    fn a_name_and_a_version_go_where_their_places_are() {
        let request = SecretRequest::new("a{version}b").with_version("{secret}");
        let template = template(&["show", "--id={secret}", "{version}{secret}", "{{secret}", "{x}", "{"]);
        assert_eq!(
            template.arguments(&request),
            ["show", "--id=a{version}b", "{secret}a{version}b", "{a{version}b", "{x}", "{"]
        );
    }

    #[test]
    fn a_template_needs_a_place_for_the_name() {
        let new = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            CommandTemplate::new("tool".to_owned(), arguments).err()
        };
        for (arguments, told) in [
            (["x", "{sercet}"], "`{sercet}` is not a placeholder; did you mean `{secret}`?"),
            (["{secret}", "a {verison} b"], "`{verison}` is not a placeholder; did you mean `{version}`?"),
            (["{name}", "{}"], "no argument has the placeholder `{secret}`"),
        ] {
            assert_eq!(new(&arguments).as_deref(), Some(told));
        }
        for other in ["{secrets}", "{section}", "{print $1}", "{a,b}", "{v}", "{}", "{"] {
            assert_eq!(new(&["{secret}", other]), None, "{other}");
        }
        assert!(CommandTemplate::new("{secret}".to_owned(), vec!["{secret}".to_owned()]).is_err());
        for line in ["vault kv get", "vault kv get {secret}"] {
            assert!(CommandTemplate::new(line.to_owned(), Vec::new()).unwrap_err().contains("one string"));
        }
        assert!(CommandTemplate::new("./my tool".to_owned(), vec!["{secret}".to_owned()]).is_ok());
    }

    #[test]
    fn a_word_that_the_program_would_take_for_an_option_is_refused() {
        let dash = SecretRequest::new("-rf");
        assert!(refusal(&["{secret}"], &dash).contains("begins with `-`"));
        assert!(template(&["--id={secret}"]).check(&dash).is_ok());
        assert!(template(&["--", "{secret}"]).check(&dash).is_ok());
        let version = SecretRequest::new("x").with_version("-1");
        assert!(refusal(&["--id={secret}", "{version}"], &version).contains("the version"));
    }

    #[test]
    fn a_version_needs_its_place_and_a_place_its_version() {
        let versioned = SecretRequest::new("x").with_version("1");
        assert_eq!(
            template(&["{secret}"]).check(&versioned).unwrap_err().kind(),
            SourceErrorKind::Unsupported
        );
        assert!(template(&["{secret}", "{version}"]).check(&versioned).is_ok());
        assert!(
            refusal(&["{secret}", "{version}"], &SecretRequest::new("x")).contains("but no `version` is set")
        );
    }

    #[test]
    fn words_that_no_process_can_be_given_are_refused() {
        assert_eq!(refusal(&["{secret}"], &SecretRequest::new("")), "the name is empty");
        assert_eq!(refusal(&["{secret}"], &SecretRequest::new("a\0b")), "the name holds a NUL character");
    }

    proptest! {
        #[test]
        fn whatever_the_name_is_each_argument_stays_one(name in "[^\0]{1,40}", before in "[^{]{0,9}", after in "[^{]{0,9}") {
            let argument = format!("{before}{{secret}}{after}");
            let filled = fill(&argument, &SecretRequest::new(name.clone()));
            prop_assert_eq!(filled, format!("{before}{name}{after}"));
        }
    }
}
