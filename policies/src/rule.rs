//! Rule names: which line of a policy decides, and where would another have to be added?

use std::fmt;

use crate::text::{toml_key, toml_string};

/// The name of the rule that decided something, such as `profiles.offline.languages`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(String);

impl RuleName {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for RuleName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for RuleName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// The origin of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A policy's text, which can change it.
    Policy,
    /// Built in: a policy has to extend it before it can change it.
    Preset,
}

/// The key of a profile in a config: it names the profile's rules, and the tables where a line that
/// changes one has to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileKey {
    pub(crate) name: String,
    origin: Origin,
    /// The prefix of the profile's rule names. Allocated once, because every decision names rules.
    prefix: String,
}

impl ProfileKey {
    pub(crate) fn new(name: String, origin: Origin) -> Self {
        let prefix = format!("profiles.{}.", toml_key(&name));
        Self {
            name,
            origin,
            prefix,
        }
    }

    fn is_preset(&self) -> bool {
        self.origin == Origin::Preset
    }

    /// The rule of a key of this profile.
    pub(crate) fn rule(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// The TOML that sets keys in a section of this profile; an empty section is the profile
    /// itself.
    pub(crate) fn fix(&self, section: &str, lines: &[(&str, String)]) -> String {
        let name = toml_key(&self.name);
        let mut out = String::new();
        if self.is_preset() {
            out = format!("[profiles.{name}]\nextends = {}\n", toml_string(&self.name));
        }
        if !section.is_empty() {
            out += &format!("[profiles.{name}.{section}]\n");
        } else if !self.is_preset() {
            out = format!("[profiles.{name}]\n");
        }
        out + &lines
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The TOML that adds an element to an array of tables of this profile.
    pub(crate) fn fix_element(&self, section: &str, lines: &[(&str, String)]) -> String {
        let name = toml_key(&self.name);
        let extends = if self.is_preset() {
            format!("[profiles.{name}]\nextends = {}\n", toml_string(&self.name))
        } else {
            String::new()
        };
        let lines = lines
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect::<Vec<_>>()
            .join("\n");
        format!("{extends}[[profiles.{name}.{section}]]\n{lines}")
    }
}
