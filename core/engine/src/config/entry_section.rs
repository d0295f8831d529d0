//! The sections of entries: a file, a secret of a template, an import.

use atomicdir::Mode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::owner::Principal;
use super::section::Section;
use super::values::Expand;
use super::{shapes, values};
use crate::pem::Part;
use crate::transform::{Transform, Trim};
use secretdir_helpers::coding::Coding;

/// How many bytes may stand between joined texts.
pub(crate) const LONGEST_SEPARATOR: usize = 64;

/// A secret, or a template with several, and how it becomes a file.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct FileSection {
    /// The source that is asked: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret in that source.
    pub(crate) secret: Option<String>,
    /// The version of the secret, as the provider understands it; without it the current one.
    pub(crate) version: Option<String>,
    /// A part of a JSON secret: a top-level key, or a JSON pointer if it begins with `/`. Without it the exact bytes.
    pub(crate) field: Option<String>,
    /// The value is a JSON array of texts, written with this between them. If it ends a line, it also ends the last text.
    #[schemars(length(max = LONGEST_SEPARATOR))]
    pub(crate) join: Option<String>,
    /// What is taken off the value: "newline" takes off one line end, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "values::trim")]
    pub(crate) trim: Option<Trim>,
    /// The value is text in this coding, and the file gets the bytes. What is not in it is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) decode: Option<Coding>,
    /// The value is text with PEM blocks, and the file gets one part of it: the private key, the leaf certificate, its chain, or the
    /// leaf and then the chain.
    #[schemars(schema_with = "shapes::pem")]
    #[serde(deserialize_with = "values::pem")]
    pub(crate) pem: Option<Part>,
    /// The file gets the bytes as text in this coding.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) encode: Option<Coding>,
    /// Whether the file is left out, and the outcome says so, if the secret or its field is not found.
    #[schemars(extend("default" = false))]
    pub(crate) optional: Option<bool>,
    /// What the file gets, exactly, if the secret or its field is not found. Not for what is secret.
    pub(crate) default: Option<String>,
    /// A template that the file is rendered from, instead of `source` and `secret`: its path, which counts from this file.
    #[schemars(length(min = 1))]
    pub(crate) template: Option<String>,
    /// The text of such a template itself.
    pub(crate) template_text: Option<String>,
    /// The secrets that the template uses, by the names that it has for them. Only for a file that is rendered.
    #[schemars(skip)]
    pub(crate) secrets: Option<IgnoredAny>,
    /// Mode of this file, instead of `file-mode`.
    #[schemars(schema_with = "shapes::mode")]
    #[serde(deserialize_with = "values::mode")]
    pub(crate) mode: Option<Mode>,
    /// User that this file belongs to, instead of `owner` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group that this file belongs to, instead of `group` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) group: Option<Principal>,
}

impl FileSection {
    /// The keys that a file must have that is made of one secret.
    pub(crate) const REQUIRED_OF_A_SECRET: [&'static str; 2] = ["source", "secret"];

    /// The keys that only such a file may have.
    pub(crate) const OF_A_SECRET: [&'static str; 11] = [
        "source", "secret", "version", "field", "join", "trim", "decode", "pem", "encode", "optional",
        "default",
    ];

    /// The keys of which a file has one that is rendered.
    pub(crate) const OF_A_TEMPLATE: [&'static str; 2] = ["template", "template-text"];

    /// The secrets of a template.
    pub(crate) const SECRETS: &'static str = "secrets";

    /// Returns what is done to the value.
    pub(crate) fn transform(&self) -> Transform {
        Transform {
            join: self.join.clone(),
            trim: self.trim,
            decode: self.decode,
            pem: self.pem,
            encode: self.encode,
        }
    }
}

impl Section for FileSection {
    /// That depends on what it is made of.
    const REQUIRED: &'static [&'static str] = &[];
}

/// What a template uses under one name: a secret, or all secrets whose names begin with a prefix.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct TemplateSecretSection {
    /// The source that is asked: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret in that source.
    pub(crate) secret: Option<String>,
    /// The version of the secret, as the provider understands it; without it the current one.
    pub(crate) version: Option<String>,
    /// A part of a JSON secret: a top-level key, or a JSON pointer if it begins with `/`. Without it the exact bytes.
    pub(crate) field: Option<String>,
    /// The value is a JSON array of texts, written with this between them. If it ends a line, it also ends the last text.
    #[schemars(length(max = LONGEST_SEPARATOR))]
    pub(crate) join: Option<String>,
    /// What is taken off the value: "newline" takes off one line end, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "values::trim")]
    pub(crate) trim: Option<Trim>,
    /// The value is text in this coding, and the template gets the bytes. Anything else is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) decode: Option<Coding>,
    /// The value is text with PEM blocks, and the template gets one part of it: the private key, the leaf certificate, its chain, or the
    /// leaf and then the chain.
    #[schemars(schema_with = "shapes::pem")]
    #[serde(deserialize_with = "values::pem")]
    pub(crate) pem: Option<Part>,
    /// Whether the name is undefined if the secret or its field is not found.
    #[schemars(extend("default" = false))]
    pub(crate) optional: Option<bool>,
    /// What the name stands for if the secret or its field is not found. Not for what is secret.
    pub(crate) default: Option<String>,
    /// What the value becomes: "json" makes it a value with parts. Without it, it is a text.
    #[schemars(schema_with = "shapes::expand")]
    #[serde(deserialize_with = "values::expand")]
    pub(crate) expand: Option<Expand>,
    /// What the names of the secrets begin with that become a map of names and texts. Instead of `secret`.
    pub(crate) prefix: Option<String>,
    /// What is taken off the beginning of each name. All must have it.
    pub(crate) strip_prefix: Option<String>,
    /// Patterns, one of which a name must match, after `strip-prefix`: `*` is any text without `/`, `**` any directories.
    #[schemars(length(min = 1))]
    pub(crate) include: Option<Vec<String>>,
    /// Patterns, none of which a name may match: what does is left out.
    #[schemars(length(min = 1))]
    pub(crate) exclude: Option<Vec<String>>,
    /// Whether it is no error if nothing is found.
    #[schemars(extend("default" = false))]
    pub(crate) allow_empty: Option<bool>,
}

impl TemplateSecretSection {
    /// The keys that only one secret has.
    pub(crate) const OF_A_SECRET: [&'static str; 6] =
        ["version", "field", "optional", "default", "expand", "secret"];

    /// The keys that only a prefix has.
    pub(crate) const OF_A_PREFIX: [&'static str; 5] =
        ["strip-prefix", "include", "exclude", "allow-empty", "prefix"];

    /// The keys that make a text of a value.
    pub(crate) const OF_A_TEXT: [&'static str; 2] = ["join", "pem"];

    /// Returns what is done to the value.
    pub(crate) fn transform(&self) -> Transform {
        Transform {
            join: self.join.clone(),
            trim: self.trim,
            decode: self.decode,
            pem: self.pem,
            encode: None,
        }
    }
}

impl Section for TemplateSecretSection {
    const REQUIRED: &'static [&'static str] = &["source"];
}

/// Many files at once: one for each key of a JSON secret, or one for each secret below a prefix.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct ImportSection {
    /// The source that is asked: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret that is expanded.
    pub(crate) secret: Option<String>,
    /// The version of that secret, as the provider understands it; without it the current one.
    pub(crate) version: Option<String>,
    /// How the secret becomes many files: "json" makes one of each top-level key.
    #[schemars(schema_with = "shapes::expand")]
    #[serde(deserialize_with = "values::expand")]
    pub(crate) expand: Option<Expand>,
    /// What the names of the secrets begin with that become files, each under its own name. Instead of `secret`.
    pub(crate) prefix: Option<String>,
    /// The directory that the files are in, below that which is published; without it that one itself.
    #[schemars(length(min = 1))]
    pub(crate) into: Option<String>,
    /// What is taken off the beginning of each name. All must have it.
    pub(crate) strip_prefix: Option<String>,
    /// Patterns, one of which a name must match, after `strip-prefix`: `*` is any text without `/`, `**` any directories.
    #[schemars(length(min = 1))]
    pub(crate) include: Option<Vec<String>>,
    /// Patterns, none of which a name may match: what does is left out.
    #[schemars(length(min = 1))]
    pub(crate) exclude: Option<Vec<String>>,
    /// Whether it is no error if nothing is found.
    #[schemars(extend("default" = false))]
    pub(crate) allow_empty: Option<bool>,
    /// Each value is a JSON array of texts, written with this between them. If it ends a line, it also ends the last text.
    #[schemars(length(max = LONGEST_SEPARATOR))]
    pub(crate) join: Option<String>,
    /// What is taken off each value: "newline" takes off one line end, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "values::trim")]
    pub(crate) trim: Option<Trim>,
    /// Each value is text in this coding, and the file gets the bytes. What is not in it is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) decode: Option<Coding>,
    /// Each value is text with PEM blocks, and the file gets one part of it: the private key, the leaf certificate, its chain, or the
    /// leaf and then the chain.
    #[schemars(schema_with = "shapes::pem")]
    #[serde(deserialize_with = "values::pem")]
    pub(crate) pem: Option<Part>,
    /// Each file gets the bytes as text in this coding.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) encode: Option<Coding>,
    /// Mode of these files, instead of `file-mode`.
    #[schemars(schema_with = "shapes::mode")]
    #[serde(deserialize_with = "values::mode")]
    pub(crate) mode: Option<Mode>,
    /// User that these files belong to, instead of `owner` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group that these files belong to, instead of `group` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) group: Option<Principal>,
}

impl ImportSection {
    /// Returns what is done to each value.
    pub(crate) fn transform(&self) -> Transform {
        Transform {
            join: self.join.clone(),
            trim: self.trim,
            decode: self.decode,
            pem: self.pem,
            encode: self.encode,
        }
    }
}

impl Section for ImportSection {
    const REQUIRED: &'static [&'static str] = &["source"];
}
