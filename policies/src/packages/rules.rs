//! Package rules of a profile: which packages does it allow?

use std::collections::HashSet;
use std::sync::LazyLock;

use super::ecosystem::Ecosystem;
use super::requirement::Requirement;
use super::versions::Versions;
use crate::denial::Denial;
use crate::rule::{ProfileKey, RuleName};
use crate::text::{closest, is_lookalike, quoted, toml_strings};

/// One entry of an allow or deny list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageRule {
    pub(crate) rule: RuleName,
    names: Names,
    versions: Versions,
}

/// The packages that an entry matches.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Names {
    One(String),
    /// `@known`: the widely used packages.
    Known,
    /// `*`
    All,
}

/// The name of the list of widely used packages in a rule; no package can have that name.
const KNOWN: &str = "@known";

impl Names {
    fn matches(&self, ecosystem: Ecosystem, name: &str) -> bool {
        match self {
            Self::One(own) => own == name,
            Self::Known => is_known(ecosystem, name),
            Self::All => true,
        }
    }
}

/// Returns the widely used packages, one for each line of the list, in alphabetical order.
fn known(ecosystem: Ecosystem) -> impl Iterator<Item = &'static str> {
    let text = match ecosystem {
        Ecosystem::Python => include_str!("../../presets/packages/python.txt"),
        Ecosystem::JavaScript => include_str!("../../presets/packages/javascript.txt"),
    };
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn is_known(ecosystem: Ecosystem, name: &str) -> bool {
    // Cached: every decision about a package looks names up here.
    static KNOWN: LazyLock<[HashSet<&str>; 2]> =
        LazyLock::new(|| Ecosystem::ALL.map(|ecosystem| known(ecosystem).collect()));
    let [python, javascript] = &*KNOWN;
    match ecosystem {
        Ecosystem::Python => python.contains(name),
        Ecosystem::JavaScript => javascript.contains(name),
    }
}

/// The rules of a profile for the packages of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageRules {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) allow: Vec<PackageRule>,
    pub(crate) deny: Vec<PackageRule>,
    pub(crate) index: Option<String>,
    /// If true, dependencies of an allowed package have to be allowed by name as well.
    pub(crate) listed_only: bool,
}

/// The state of a package when it is judged.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// Requested directly; its version is not resolved yet.
    Wanted,
    /// Requested directly, and resolved to this version.
    Chosen(&'a str),
    /// A dependency of another package.
    Dependency(&'a str),
}

impl Asked<'_> {
    /// Formats the package for a message.
    fn shown(self, name: &str) -> String {
        match self {
            Self::Wanted => format!("package {}", quoted(name)),
            Self::Chosen(version) => {
                format!("package {} in version {}", quoted(name), quoted(version))
            }
            Self::Dependency(version) => format!(
                "package {} in version {}, on which another depends",
                quoted(name),
                quoted(version)
            ),
        }
    }
}

impl PackageRules {
    pub(crate) fn none(ecosystem: Ecosystem) -> Self {
        Self {
            ecosystem,
            allow: Vec::new(),
            deny: Vec::new(),
            index: None,
            listed_only: false,
        }
    }

    /// The section of a profile that holds them.
    pub(crate) fn section(&self) -> String {
        format!("packages.{}", self.ecosystem.name())
    }

    /// Parses an entry of a list.
    pub(crate) fn read(&self, rule: String, text: &str) -> Result<PackageRule, String> {
        let rule = RuleName::new(rule);
        let names = match text {
            "*" => Names::All,
            KNOWN => Names::Known,
            _ if text.contains('*') && !text.contains(['=', '@']) => {
                return Err("`*` may only stand alone".to_owned());
            }
            _ => {
                let requirement = Requirement::parse(self.ecosystem, text)?;
                return match requirement.extras.as_slice() {
                    [] => Ok(PackageRule {
                        rule,
                        names: Names::One(requirement.name),
                        versions: requirement.versions,
                    }),
                    _ => Err("a rule names a package, not its extras".to_owned()),
                };
            }
        };
        Ok(PackageRule {
            rule,
            names,
            versions: Versions::parse(self.ecosystem, "")?,
        })
    }

    /// Returns the allowed versions of packages that are allowed in some versions only, as
    /// requirements.
    pub(crate) fn constraints(&self) -> Vec<String> {
        let one = |rule: &PackageRule| match &rule.names {
            Names::One(name) if !rule.versions.text().is_empty() => Some(name.clone()),
            _ => None,
        };
        let is_only = |name: &str| {
            self.allow
                .iter()
                .filter(|rule| rule.names.matches(self.ecosystem, name))
                .count()
                == 1
        };
        self.allow
            .iter()
            .filter(|rule| one(rule).is_some_and(|name| is_only(&name)))
            .map(|rule| rule.shown(self.ecosystem))
            .collect()
    }

    /// Judges one package.
    pub(crate) fn check(
        &self,
        key: &ProfileKey,
        name: &str,
        asked: Asked<'_>,
    ) -> Result<RuleName, Denial> {
        let what = asked.shown(name);
        let name = match self.ecosystem.normalise(name) {
            Ok(name) => name,
            Err(reason) => {
                return Err(Denial::invalid_request(
                    &key.rule(&self.section()),
                    what,
                    reason,
                ));
            }
        };
        if let Some(deny) = self
            .deny
            .iter()
            .find(|rule| self.denies(rule, &name, asked))
        {
            let denied = quoted(&deny.shown(self.ecosystem));
            let fix = format!("# remove {denied} from `{}`", deny.rule);
            return Err(Denial::new(
                deny.rule.as_str(),
                what,
                format!("{denied} is denied, and deny beats allow"),
                fix,
            ));
        }
        let mut allowing = self
            .allow
            .iter()
            .filter(|rule| self.allows(rule, &name, asked));
        // An entry by name says that the package is meant.
        let by_name = allowing.clone().find(|rule| rule.names != Names::All);
        if let Some(allow) = by_name.or_else(|| allowing.next()) {
            // Typosquatting: a name that is one slip away from a well-known one may be an
            // attacker's package.
            let is_suspect = allow.names == Names::All && !matches!(asked, Asked::Dependency(_));
            let Some(known) = is_suspect.then(|| self.lookalike(&name)).flatten() else {
                return Ok(allow.rule.clone());
            };
            let reason = format!(
                "it looks like `{known}`, and nothing but `*` allows it; if it is meant, allow it by its name"
            );
            let rule = key.rule(&format!("{}.allow", self.section()));
            return Err(Denial::new(rule, what, reason, self.fix(key, &name)));
        }
        if matches!(asked, Asked::Dependency(_)) && !self.listed_only && !self.is_named(&name) {
            // An allowed package may have its dependencies, unless the profile says otherwise.
            return Ok(RuleName::new(
                key.rule(&format!("{}.dependencies", self.section())),
            ));
        }
        Err(self.not_allowed(key, &name, what))
    }

    fn allows(&self, rule: &PackageRule, name: &str, asked: Asked<'_>) -> bool {
        rule.names.matches(self.ecosystem, name)
            && match asked {
                Asked::Wanted => true,
                Asked::Chosen(version) | Asked::Dependency(version) => {
                    rule.versions.contains(version)
                }
            }
    }

    fn denies(&self, rule: &PackageRule, name: &str, asked: Asked<'_>) -> bool {
        rule.names.matches(self.ecosystem, name)
            && match asked {
                // Which version is meant shows when it is resolved.
                Asked::Wanted => rule.versions.text().is_empty(),
                Asked::Chosen(version) | Asked::Dependency(version) => {
                    rule.versions.touches(version)
                }
            }
    }

    /// Returns whether some rule allows the package, in whichever versions.
    fn is_named(&self, name: &str) -> bool {
        self.allow
            .iter()
            .any(|rule| rule.names.matches(self.ecosystem, name))
    }

    /// The denial if no rule allows the package.
    fn not_allowed(&self, key: &ProfileKey, name: &str, what: String) -> Denial {
        let reason = match self.allow.len() {
            0 => format!(
                "profile `{}` allows no packages of {}",
                key.name,
                self.ecosystem.name()
            ),
            _ if self.is_named(name) => {
                format!("profile `{}` allows other versions of it only", key.name)
            }
            _ => {
                let meant = closest(name, self.names())
                    .map(|name| format!("; did you mean `{name}`?"))
                    .unwrap_or_default();
                format!("profile `{}` does not allow it{meant}", key.name)
            }
        };
        let rule = key.rule(&format!("{}.allow", self.section()));
        Denial::new(rule, what, reason, self.fix(key, name))
    }

    /// Returns the well-known package that another name can be mistaken for (typosquatting).
    pub(crate) fn lookalike(&self, name: &str) -> Option<&'static str> {
        let is_other = !is_known(self.ecosystem, name);
        known(self.ecosystem).find(|known| is_other && is_lookalike(name, known))
    }

    /// Returns all names that are allowed explicitly.
    fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for rule in &self.allow {
            match &rule.names {
                Names::One(name) => names.push(name.as_str()),
                Names::Known => known(self.ecosystem).for_each(|known| names.push(known)),
                Names::All => {}
            }
        }
        names
    }

    /// Returns the line that would allow one more package.
    fn fix(&self, key: &ProfileKey, name: &str) -> String {
        let others = self
            .allow
            .iter()
            .map(|rule| rule.shown(self.ecosystem))
            .filter(|other| other != name);
        key.fix(
            &self.section(),
            &[("allow", toml_strings(others.chain([name.to_owned()])))],
        )
    }
}

impl PackageRule {
    /// Formats the entry as it is written in a config.
    pub(crate) fn shown(&self, ecosystem: Ecosystem) -> String {
        match &self.names {
            Names::One(name) => Requirement {
                ecosystem,
                name: name.clone(),
                extras: Vec::new(),
                versions: self.versions.clone(),
            }
            .to_string(),
            Names::Known => KNOWN.to_owned(),
            Names::All => "*".to_owned(),
        }
    }

    /// Formats the meaning of the entry for the canonical text.
    pub(crate) fn meaning(&self, ecosystem: Ecosystem) -> String {
        match &self.names {
            // The members of the list are part of the meaning.
            Names::Known => format!("{KNOWN}:{}", known(ecosystem).collect::<Vec<_>>().join(",")),
            _ => self.shown(ecosystem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_packages_have_one_spelling_and_stand_once() {
        for ecosystem in Ecosystem::ALL {
            let names: Vec<_> = known(ecosystem).collect();
            assert!(
                names.len() > 50 && names.is_sorted_by(|one, next| one < next),
                "{ecosystem:?}"
            );
            for name in names {
                assert_eq!(ecosystem.normalise(name).as_deref(), Ok(name));
            }
        }
    }
}
