//! Version ranges (PEP 440, npm semver): which versions of a package match?

use std::str::FromStr as _;

use pep440_rs::{Version as PythonVersion, VersionSpecifiers};
use semver::{Version, VersionReq};

use super::ecosystem::Ecosystem;

/// A version range, with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versions {
    text: String,
    set: Set,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Set {
    Any,
    Python(VersionSpecifiers),
    JavaScript(VersionReq),
}

impl Versions {
    /// Parses a version range in the ecosystem's syntax; an empty text is any version.
    pub(crate) fn parse(ecosystem: Ecosystem, text: &str) -> Result<Self, String> {
        let plain: String = text.chars().filter(|c| *c != ' ').collect();
        if plain.is_empty() {
            // `name@` and `name==` are incomplete, but only the first is empty here.
            return Ok(Self {
                text: plain,
                set: Set::Any,
            });
        }
        if !plain.is_ascii()
            || plain
                .chars()
                .any(|c| c.is_ascii_control() || "/:;@\\'\"|&`$(){}#%?".contains(c))
        {
            return Err(
                "versions are numbers and comparisons, with no address, path, option or marker"
                    .to_owned(),
            );
        }
        match ecosystem {
            // A space within parts two things that belong together no more.
            Ecosystem::Python => VersionSpecifiers::from_str(text.trim())
                .map(|set| Self {
                    text: plain,
                    set: Set::Python(set),
                })
                .map_err(|_| "versions are comparisons, such as `==2.32.*` or `>=1,<2`".to_owned()),
            Ecosystem::JavaScript => javascript(&plain)
                .map(|set| Self {
                    text: plain,
                    set: Set::JavaScript(set),
                })
                .ok_or_else(|| {
                    "versions are a number or comparisons, such as `1.2.3`, `^1.2` or `>=1, <2`"
                        .to_owned()
                }),
        }
    }

    /// The text; empty for any version.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether a version, or the release that it is a pre-release of, matches: a denied
    /// version is denied in its pre-releases too.
    pub(crate) fn touches(&self, version: &str) -> bool {
        let without_draft = |version: &str| {
            Version::parse(version)
                .map(|version| Version::new(version.major, version.minor, version.patch))
        };
        self.contains(version)
            || match &self.set {
                Set::JavaScript(set) => {
                    without_draft(version).is_ok_and(|version| set.matches(&version))
                }
                Set::Any | Set::Python(_) => false,
            }
    }

    /// Returns whether a version matches. An invalid version matches no range but that of all.
    pub(crate) fn contains(&self, version: &str) -> bool {
        match &self.set {
            Set::Any => true,
            Set::Python(set) => {
                PythonVersion::from_str(version).is_ok_and(|version| set.contains(&version))
            }
            Set::JavaScript(set) => {
                Version::parse(version).is_ok_and(|version| set.matches(&version))
            }
        }
    }
}

/// Parses npm's syntax: a bare number is a prefix (`1.2` is `1.2.x`).
fn javascript(text: &str) -> Option<VersionReq> {
    let comparisons = text.split(',').map(|comparison| {
        let bare = comparison.starts_with(|c: char| c.is_ascii_digit());
        let whole = comparison
            .split(['-', '+'])
            .next()
            .unwrap_or_default()
            .split('.')
            .count()
            == 3;
        match (bare, whole) {
            (true, true) if !comparison.contains(['*', 'x', 'X']) => format!("={comparison}"),
            (true, _) => format!("={}", comparison.trim_end_matches(['*', 'x', 'X', '.'])),
            _ => comparison.to_owned(),
        }
    });
    VersionReq::parse(&comparisons.collect::<Vec<_>>().join(",")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_or_out() {
        let cases = [
            (Ecosystem::Python, "==2.32.*", "2.32.5", true),
            (Ecosystem::Python, "==2.32.*", "2.33.0", false),
            (Ecosystem::Python, ">=1,<2", "1.9", true),
            (Ecosystem::Python, ">=1,<2", "2.0", false),
            (Ecosystem::Python, "", "anything", true),
            (Ecosystem::Python, ">=1", "anything", false),
            (Ecosystem::JavaScript, "4", "4.17.21", true),
            (Ecosystem::JavaScript, "4.17", "4.18.0", false),
            (Ecosystem::JavaScript, "4.17.x", "4.17.3", true),
            (Ecosystem::JavaScript, "4.17.1", "4.17.21", false),
            (Ecosystem::JavaScript, "^1.2", "1.9.0", true),
            (Ecosystem::JavaScript, "^1.2", "2.0.0", false),
            (Ecosystem::JavaScript, ">=1,<2", "1.5.0", true),
        ];
        for (ecosystem, set, version, inside) in cases {
            assert_eq!(
                Versions::parse(ecosystem, set).unwrap().contains(version),
                inside,
                "{set} {version}"
            );
        }
        let denied = Versions::parse(Ecosystem::JavaScript, "<2").unwrap();
        assert!(
            denied.touches("1.5.0-rc.1")
                && !denied.contains("1.5.0-rc.1")
                && !denied.touches("2.1.0-rc.1")
        );
    }
}
