//! Test case format: how is a case written?
//!
//! A case is a program whose first comment lines are a title and a TOML header. In an attack,
//! comment lines that start with `---` divide the file into parts: `twin` (the positive control),
//! `attack`, and `next` for a subsequent run.

use std::collections::BTreeMap;

/// A file of `attacks`, `conformance` or `programs`.
#[derive(Debug)]
pub struct Case {
    /// The path relative to the tests' folder.
    pub path: String,
    /// Its language: `python`, `javascript`, `typescript` or `wasm` (as text).
    pub language: &'static str,
    /// The header.
    pub header: toml::Table,
    /// The whole text.
    pub text: String,
    /// The parts of an attack by their names.
    pub parts: BTreeMap<String, String>,
}

impl Case {
    /// Parses a case.
    ///
    /// # Panics
    ///
    /// If the file is not a valid case.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let file = crate::tree::tests_folder().join(path);
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
        let (language, comment) = match file.extension().and_then(|extension| extension.to_str()) {
            Some("py") => ("python", "#"),
            Some("js") => ("javascript", "//"),
            Some("ts") => ("typescript", "//"),
            Some("wat") => ("wasm", ";;"),
            _ => panic!("`{path}` is in no language"),
        };
        let note = |line: &str| {
            line.strip_prefix(comment)
                .map(|rest| rest.trim().to_owned())
        };
        let header: Vec<String> = text
            .lines()
            .skip(1)
            .map_while(note)
            .take_while(|line| !line.starts_with("---"))
            .collect();
        let header = header
            .join("\n")
            .parse()
            .unwrap_or_else(|error| panic!("the header of `{path}`: {error}"));
        let mut parts: BTreeMap<String, String> = BTreeMap::new();
        let mut current = None;
        for line in text.lines() {
            if let Some(name) = note(line)
                .and_then(|note| note.strip_prefix("---").map(|name| name.trim().to_owned()))
            {
                parts.insert(name.clone(), String::new());
                current = Some(name);
            } else if let Some(part) = current.as_ref().and_then(|name| parts.get_mut(name)) {
                part.push_str(line);
                part.push('\n');
            }
        }
        Self {
            path: path.to_owned(),
            language,
            header,
            text,
            parts,
        }
    }

    /// A list of texts of the header; empty where it is missing.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<String> {
        let list = self.header.get(key).and_then(toml::Value::as_array);
        list.map(|list| {
            list.iter()
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default()
    }

    /// A text of the header.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.header.get(key).and_then(toml::Value::as_str)
    }

    /// A switch of the header.
    #[must_use]
    pub fn is(&self, key: &str) -> bool {
        self.header
            .get(key)
            .and_then(toml::Value::as_bool)
            .unwrap_or(false)
    }

    /// A table of texts of the header.
    #[must_use]
    pub fn pairs(&self, key: &str) -> Vec<(String, String)> {
        let table = self.header.get(key).and_then(toml::Value::as_table);
        let pair = |(name, value): (&String, &toml::Value)| {
            Some((name.clone(), value.as_str()?.to_owned()))
        };
        table
            .map(|table| table.iter().filter_map(pair).collect())
            .unwrap_or_default()
    }

    /// The header's limits as lines of a policy.
    #[must_use]
    pub fn limits(&self) -> String {
        let Some(limits) = self.header.get("limits").and_then(toml::Value::as_table) else {
            return String::new();
        };
        limits
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(text) => format!("{name} = \"{text}\"\n"),
                None => format!(
                    "{name} = {}\n",
                    value.as_integer().expect("a limit is a text or a number")
                ),
            })
            .collect()
    }
}
