//! The sections of a file, of a secret in a template, and of an import.

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

/// The maximum length of a separator in bytes.
pub(crate) const LONGEST_SEPARATOR: usize = 64;

/// One file: a secret, or a template with several secrets.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct FileSection {
    /// The source: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret in the source.
    pub(crate) secret: Option<String>,
    /// The version of the secret, in the form of the provider. If omitted, the current version.
    pub(crate) version: Option<String>,
    /// A field of a JSON secret: a top-level key, or a JSON pointer that begins with `/`. If omitted, the exact
    /// bytes.
    pub(crate) field: Option<String>,
    /// Join the texts of a JSON array with this separator. A separator that ends with a newline also follows the last text.
    #[schemars(length(max = LONGEST_SEPARATOR))]
    pub(crate) join: Option<String>,
    /// "newline" removes one newline at the end of the value, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "values::trim")]
    pub(crate) trim: Option<Trim>,
    /// Decode the value from this coding. A value that is not in this coding is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) decode: Option<Coding>,
    /// Take one part of a PEM bundle: the private key, the leaf certificate, its chain, or the leaf and then the chain.
    #[schemars(schema_with = "shapes::pem")]
    #[serde(deserialize_with = "values::pem")]
    pub(crate) pem: Option<Part>,
    /// Encode the value in this coding.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) encode: Option<Coding>,
    /// Leave the file out if the secret or its field is not found. The result lists it.
    #[schemars(extend("default" = false))]
    pub(crate) optional: Option<bool>,
    /// The exact content of the file if the secret or its field is not found. Never use it for secret values.
    pub(crate) default: Option<String>,
    /// Render the file from the template at this path, instead of `source` and `secret`. A relative path starts at the folder
    /// of this file.
    #[schemars(length(min = 1))]
    pub(crate) template: Option<String>,
    /// Render the file from this text, instead of a template file.
    pub(crate) template_text: Option<String>,
    /// The secrets that the template uses, by the names that it has for them. Only for a file that is rendered.
    #[schemars(skip)]
    pub(crate) secrets: Option<IgnoredAny>,
    /// Mode of this file, instead of `file-mode`.
    #[schemars(schema_with = "shapes::mode")]
    #[serde(deserialize_with = "values::mode")]
    pub(crate) mode: Option<Mode>,
    /// Owner of this file, instead of `owner` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group of this file, instead of `group` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) group: Option<Principal>,
}

impl FileSection {
    /// The keys that a file made of one secret must have.
    pub(crate) const REQUIRED_OF_A_SECRET: [&'static str; 2] = ["source", "secret"];

    /// The keys that only a file made of one secret may have.
    pub(crate) const OF_A_SECRET: [&'static str; 11] = [
        "source", "secret", "version", "field", "join", "trim", "decode", "pem", "encode", "optional",
        "default",
    ];

    /// The keys of a file made of a template, which has exactly one of them.
    pub(crate) const OF_A_TEMPLATE: [&'static str; 2] = ["template", "template-text"];

    /// The key for the secrets of a template.
    pub(crate) const SECRETS: &'static str = "secrets";

    /// Returns the transform of the value.
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
    /// The required keys depend on whether the file is made of a secret or of a template.
    const REQUIRED: &'static [&'static str] = &[];
}

/// One name in a template: a secret, or all secrets whose names begin with a prefix.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct TemplateSecretSection {
    /// The source: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret in the source.
    pub(crate) secret: Option<String>,
    /// The version of the secret, in the form of the provider. If omitted, the current version.
    pub(crate) version: Option<String>,
    /// A field of a JSON secret: a top-level key, or a JSON pointer that begins with `/`. If omitted, the exact
    /// bytes.
    pub(crate) field: Option<String>,
    /// Join the texts of a JSON array with this separator. A separator that ends with a newline also follows the last text.
    #[schemars(length(max = LONGEST_SEPARATOR))]
    pub(crate) join: Option<String>,
    /// "newline" removes one newline at the end of the value, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "values::trim")]
    pub(crate) trim: Option<Trim>,
    /// Decode the value from this coding. A value that is not in this coding is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) decode: Option<Coding>,
    /// Take one part of a PEM bundle: the private key, the leaf certificate, its chain, or the leaf and then the chain.
    #[schemars(schema_with = "shapes::pem")]
    #[serde(deserialize_with = "values::pem")]
    pub(crate) pem: Option<Part>,
    /// Leave the name undefined if the secret or its field is not found.
    #[schemars(extend("default" = false))]
    pub(crate) optional: Option<bool>,
    /// The value if the secret or its field is not found. Never use it for secret values.
    pub(crate) default: Option<String>,
    /// "json" parses the value as JSON, so the template can use its parts. If omitted, the value is a text.
    #[schemars(schema_with = "shapes::expand")]
    #[serde(deserialize_with = "values::expand")]
    pub(crate) expand: Option<Expand>,
    /// Make a map of all secrets whose names begin with this prefix. Instead of `secret`.
    pub(crate) prefix: Option<String>,
    /// Remove this text from the beginning of each name. All names must begin with it.
    pub(crate) strip_prefix: Option<String>,
    /// Take only names that match one of these patterns, after `strip-prefix`. `*` is any text without `/`, `**` any
    /// directories.
    #[schemars(length(min = 1))]
    pub(crate) include: Option<Vec<String>>,
    /// Leave out names that match one of these patterns.
    #[schemars(length(min = 1))]
    pub(crate) exclude: Option<Vec<String>>,
    /// Allow that nothing is found.
    #[schemars(extend("default" = false))]
    pub(crate) allow_empty: Option<bool>,
}

impl TemplateSecretSection {
    /// The keys that only a single secret may have.
    pub(crate) const OF_A_SECRET: [&'static str; 6] =
        ["version", "field", "optional", "default", "expand", "secret"];

    /// The keys that only a prefix may have.
    pub(crate) const OF_A_PREFIX: [&'static str; 5] =
        ["strip-prefix", "include", "exclude", "allow-empty", "prefix"];

    /// The keys that turn a value into text.
    pub(crate) const OF_A_TEXT: [&'static str; 2] = ["join", "pem"];

    /// Returns the transform of the value.
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
    /// The source: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret to expand.
    pub(crate) secret: Option<String>,
    /// The version of the secret, in the form of the provider. If omitted, the current version.
    pub(crate) version: Option<String>,
    /// "json" makes one file of each top-level key of the secret.
    #[schemars(schema_with = "shapes::expand")]
    #[serde(deserialize_with = "values::expand")]
    pub(crate) expand: Option<Expand>,
    /// Make a file of each secret whose name begins with this prefix, under its own name. Instead of `secret`.
    pub(crate) prefix: Option<String>,
    /// Write the files to this subdirectory. If omitted, they are in the published directory itself.
    #[schemars(length(min = 1))]
    pub(crate) into: Option<String>,
    /// Remove this text from the beginning of each name. All names must begin with it.
    pub(crate) strip_prefix: Option<String>,
    /// Take only names that match one of these patterns, after `strip-prefix`. `*` is any text without `/`, `**` any
    /// directories.
    #[schemars(length(min = 1))]
    pub(crate) include: Option<Vec<String>>,
    /// Leave out names that match one of these patterns.
    #[schemars(length(min = 1))]
    pub(crate) exclude: Option<Vec<String>>,
    /// Allow that nothing is found.
    #[schemars(extend("default" = false))]
    pub(crate) allow_empty: Option<bool>,
    /// Join the texts of each JSON array with this separator. A separator that ends with a newline also follows the last text.
    #[schemars(length(max = LONGEST_SEPARATOR))]
    pub(crate) join: Option<String>,
    /// "newline" removes one newline at the end of each value, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "values::trim")]
    pub(crate) trim: Option<Trim>,
    /// Decode each value from this coding. A value that is not in this coding is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) decode: Option<Coding>,
    /// Take one part of each PEM bundle: the private key, the leaf certificate, its chain, or the leaf and then the chain.
    #[schemars(schema_with = "shapes::pem")]
    #[serde(deserialize_with = "values::pem")]
    pub(crate) pem: Option<Part>,
    /// Encode each value in this coding.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "values::coding")]
    pub(crate) encode: Option<Coding>,
    /// Mode of these files, instead of `file-mode`.
    #[schemars(schema_with = "shapes::mode")]
    #[serde(deserialize_with = "values::mode")]
    pub(crate) mode: Option<Mode>,
    /// Owner of these files, instead of `owner` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group of these files, instead of `group` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) group: Option<Principal>,
}

impl ImportSection {
    /// Returns the transform of each value.
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
