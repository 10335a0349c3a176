//! Package requirements: which packages does a program need, and which may it have?
//!
//! A requirement is a plain name and a version range: never a URL, a path, an option or a command. It is judged before anything is
//! resolved, and its resolution is judged again, version by version, together with the request itself.

pub(crate) mod rules;
pub(crate) mod versions;

use std::fmt;
use std::sync::Arc;

use crate::config::profile::Profile;
use crate::denial::Denial;
use crate::tier::Tier;
use versions::Versions;

/// A package ecosystem: the source of a language's packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Python's packages.
    Python,
    /// The packages of JavaScript and TypeScript.
    JavaScript,
}

impl Ecosystem {
    /// All ecosystems.
    pub const ALL: [Self; 2] = [Self::Python, Self::JavaScript];

    /// Returns the ecosystem of a language; `None` if it has none.
    pub fn of_language(language: &str) -> Option<Self> {
        match language {
            "python" => Some(Self::Python),
            "javascript" | "typescript" => Some(Self::JavaScript),
            _ => None,
        }
    }

    /// The key in a profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
        }
    }

    /// Returns the normalized name of a package.
    ///
    /// # Errors
    ///
    /// The reason why it is not a valid name.
    pub(crate) fn normalise(self, name: &str) -> Result<String, &'static str> {
        match self {
            Self::Python => python_name(name),
            Self::JavaScript => javascript_name(name),
        }
    }
}

/// Normalizes a Python name (PEP 503): lower case, and any run of `-`, `_` and `.` is one `-`.
fn python_name(name: &str) -> Result<String, &'static str> {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !plain || name.len() > 200 || !edge(name.as_bytes().first()) || !edge(name.as_bytes().last())
    {
        return Err(
            "a package is a plain name, such as `requests`, with no address, path or option, of ASCII letters, digits, `-`, `_` and `.`",
        );
    }
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    Ok(out)
}

/// Checks an npm name: lower case, with an optional scope: `@scope/name`.
fn javascript_name(name: &str) -> Result<String, &'static str> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
    };
    let plain = match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(name),
    };
    if plain && name.len() <= 200 && !matches!(name, "node_modules" | "favicon.ico") {
        Ok(name.to_owned())
    } else {
        Err(
            "a package is a plain name, such as `lodash` or `@scope/name`, with no address, path or option, of lower-case ASCII letters, \
             digits, `-`, `_` and `.`",
        )
    }
}

/// A required package, and the versions that satisfy it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    ecosystem: Ecosystem,
    name: String,
    extras: Vec<String>,
    versions: Versions,
}

impl Requirement {
    /// Parses `name`, `name==2.32.*` or `name[extra]>=1,<2` for Python, `name`, `name@^1.2` or `@scope/name@1` for JavaScript.
    ///
    /// # Errors
    ///
    /// The problem: URLs, paths, options, environment markers and anything else that is not a name with versions.
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

/// Authority to resolve the packages of a request, before the result is known. Made by
/// [`Policy::admit_packages`](crate::Policy::admit_packages) alone.
#[derive(Clone)]
pub struct PackageGrant {
    pub(crate) profile: Arc<Profile>,
    pub(crate) language: String,
    pub(crate) ecosystem: Ecosystem,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) tiers: Vec<Tier>,
}

impl PackageGrant {
    /// The ecosystem of the packages.
    pub fn ecosystem(&self) -> Ecosystem {
        self.ecosystem
    }

    /// The language of the program.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The requested packages.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The version constraints of the policy, for packages that it allows in some versions only. They hold for dependencies too.
    pub fn constraints(&self) -> Vec<String> {
        self.profile.packages(self.ecosystem).constraints()
    }

    /// The only index that may be used; `None` for the package manager's default.
    pub fn index(&self) -> Option<&str> {
        self.profile.packages(self.ecosystem).index.as_deref()
    }

    /// The candidate tiers, as far as they are known yet, in order of preference.
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }
}

impl fmt::Debug for PackageGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageGrant")
            .field("profile", &self.profile.place.name)
            .field("ecosystem", &self.ecosystem)
            .field("requirements", &self.requirements)
            .field("tiers", &self.tiers)
            .finish()
    }
}

/// The needs of a program besides its request, gathered by the caller: the decision itself does no I/O.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The resolved packages by tier. A tier that is missing here was not resolved for.
    pub tiers: Vec<TierNeeds>,
    /// Modules that the program imports and that no package provides.
    pub missing: Vec<MissingModule>,
}

/// The needs of a program in one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierNeeds {
    /// The tier.
    pub tier: Tier,
    /// Every package that would be installed, with transitive dependencies.
    pub packages: Vec<ResolvedPackage>,
    /// The reason why the tier cannot run it, such as ``cannot run `numpy`, which has native code``.
    pub lacks: Option<String>,
}

/// One version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// The normalized name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The digest of its archive, such as `sha256:...`.
    pub digest: String,
}

/// An imported module that nothing provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingModule {
    /// The module's name in the program.
    pub module: String,
    /// The line of the import; 0 if unknown.
    pub line: u32,
    /// The package that probably provides it.
    pub package: String,
}

impl MissingModule {
    pub(crate) fn denial(&self) -> Denial {
        let (module, package) = (
            crate::text::quoted(&self.module),
            crate::text::quoted(&self.package),
        );
        let asked = match self.line {
            0 => format!("import of {module}"),
            line => format!("import of {module} in line {line}"),
        };
        let reason = format!(
            "no module of that name is in the sandbox or among the request's files; ask for the package {package} \
             (`--package {}`, `packages` in a request, or a `# /// script` block)",
            self.package.escape_debug()
        );
        Denial::invalid_request("request.wants.packages", asked, reason)
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
