//! Package requirement: which package does a program need, in which versions?
//!
//! A requirement is a plain name and a version range: never a URL, a path, an option or a command.

use std::fmt;

use super::ecosystem::Ecosystem;
use super::versions::Versions;

/// A required package, and the versions that satisfy it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    pub(super) ecosystem: Ecosystem,
    pub(super) name: String,
    pub(super) extras: Vec<String>,
    pub(super) versions: Versions,
}

impl Requirement {
    /// Parses `name`, `name==2.32.*` or `name[extra]>=1,<2` for Python, `name`, `name@^1.2` or
    /// `@scope/name@1` for JavaScript.
    ///
    /// # Errors
    ///
    /// The problem: URLs, paths, options, environment markers and anything else that is not a name
    /// with versions.
    pub fn parse(ecosystem: Ecosystem, text: &str) -> Result<Self, String> {
        if text.len() > 500 {
            return Err("a requirement has at most 500 characters".to_owned());
        }
        let text = text.trim();
        let (name, extras, versions) = match ecosystem {
            Ecosystem::Python => {
                let end = text
                    .find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
                    .unwrap_or(text.len());
                let (name, rest) = text.split_at(end);
                let rest = rest.trim_start();
                match rest.strip_prefix('[').map(|rest| rest.split_once(']')) {
                    Some(Some((extras, versions))) => (name, extras, versions),
                    Some(None) => return Err("the bracket of its extras is not closed".to_owned()),
                    None => (name, "", rest),
                }
            }
            Ecosystem::JavaScript => match text.char_indices().skip(1).find(|(_, c)| *c == '@') {
                Some((at, _)) => {
                    let (name, versions) = text.split_at(at);
                    let versions = versions.strip_prefix('@').unwrap_or_default();
                    if versions.is_empty() {
                        return Err("its versions are missing after the `@`".to_owned());
                    }
                    (name, "", versions)
                }
                None => (text, "", ""),
            },
        };
        let name = ecosystem.normalise(name)?;
        let extras = extras
            .split(',')
            .map(str::trim)
            .filter(|extra| !extra.is_empty());
        let extras = extras
            .map(|extra| ecosystem.normalise(extra))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            ecosystem,
            name,
            extras,
            versions: Versions::parse(ecosystem, versions)?,
        })
    }

    /// The normalized name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The extras (optional features) of a Python package.
    pub fn extras(&self) -> &[String] {
        &self.extras
    }

    /// The version range; empty for any version.
    pub fn versions(&self) -> &str {
        self.versions.text()
    }
}

/// The spelling of the language's package manager.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.extras.is_empty() {
            write!(f, "[{}]", self.extras.join(","))?;
        }
        match (self.ecosystem, self.versions.text()) {
            (_, "") => Ok(()),
            (Ecosystem::Python, versions) => f.write_str(versions),
            (Ecosystem::JavaScript, versions) => write!(f, "@{versions}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_a_name_and_versions() {
        let good = [
            (Ecosystem::Python, "requests", "requests"),
            (
                Ecosystem::Python,
                " Foo__Bar.-baz == 2.32.* ",
                "foo-bar-baz==2.32.*",
            ),
            (
                Ecosystem::Python,
                "httpx[http2, Socks] >=0.27,<1",
                "httpx[http2,socks]>=0.27,<1",
            ),
            (Ecosystem::Python, "x~=1.2", "x~=1.2"),
            (Ecosystem::JavaScript, "lodash", "lodash"),
            (
                Ecosystem::JavaScript,
                "@scope/name@^1.2",
                "@scope/name@^1.2",
            ),
            (Ecosystem::JavaScript, "lodash@4.17.21", "lodash@4.17.21"),
        ];
        for (ecosystem, text, shown) in good {
            assert_eq!(
                Requirement::parse(ecosystem, text).unwrap().to_string(),
                shown
            );
        }
        for bad in [
            "",
            "-x",
            "--index-url",
            "x @ https://h/x.whl",
            "git+ssh://host/x",
            "file:///etc/passwd",
            "../x",
            "/x",
            "x; rm -rf /",
            "x; python_version > '3'",
            "x==",
            "x==1; y",
            "x[",
            "x[../y]",
            "réquests",
            "x>=1 --pre",
            "x==1\n--index-url=h",
            "x\0",
            "x===1 y",
        ] {
            assert!(
                Requirement::parse(Ecosystem::Python, bad).is_err(),
                "{bad:?}"
            );
        }
        for bad in [
            "",
            "@",
            "@x",
            "@x/",
            "x@",
            "x@git+ssh://h",
            "x@file:../y",
            "x@npm:y@1",
            "x@https://h/x.tgz",
            "user/repo",
            "Lodash",
            "x@latest",
            "../x",
            ".x",
            "x@1 --registry h",
            "@a/b/c",
            "x@1;2",
        ] {
            assert!(
                Requirement::parse(Ecosystem::JavaScript, bad).is_err(),
                "{bad:?}"
            );
        }
    }
}
