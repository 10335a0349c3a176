//! Which packages does a profile allow?

use std::collections::HashSet;
use std::sync::LazyLock;

use super::versions::Versions;
use super::{Ecosystem, Requirement};
use crate::config::profile::Place;
use crate::denial::{Denial, RuleName};
use crate::text::{closest, is_lookalike, quoted, toml_strings};

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageRule {
    pub(crate) rule: RuleName,
    names: Names,
    versions: Versions,
}

/// The packages that a line of a list is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Names {
    One(String),
    /// `@known`: those that everybody knows.
    Known,
    /// `*`
    All,
}

/// How a rule names the packages that everybody knows; no package can be called that.
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

/// The packages that everybody knows, one on a line, in the order of their names.
fn known(ecosystem: Ecosystem) -> impl Iterator<Item = &'static str> {
    let text = match ecosystem {
        Ecosystem::Python => include_str!("../../presets/packages/python.txt"),
        Ecosystem::JavaScript => include_str!("../../presets/packages/javascript.txt"),
    };
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn is_known(ecosystem: Ecosystem, name: &str) -> bool {
    // Every decision about a package asks this.
    static KNOWN: LazyLock<[HashSet<&str>; 2]> = LazyLock::new(|| Ecosystem::ALL.map(|ecosystem| known(ecosystem).collect()));
    let [python, javascript] = &*KNOWN;
    match ecosystem {
        Ecosystem::Python => python.contains(name),
        Ecosystem::JavaScript => javascript.contains(name),
    }
}

/// What a profile says about the packages of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageRules {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) allow: Vec<PackageRule>,
    pub(crate) deny: Vec<PackageRule>,
    pub(crate) index: Option<String>,
    /// Whether what an allowed package depends on has to be allowed by name as well.
    pub(crate) listed_only: bool,
}

/// What is known of a package when it is judged.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// Somebody wants it; its version is not known yet.
    Wanted,
    /// Somebody wants it, and this is what it comes to.
    Chosen(&'a str),
    /// Another package depends on it.
    Dependency(&'a str),
}

impl PackageRules {
    pub(crate) fn none(ecosystem: Ecosystem) -> Self {
        Self { ecosystem, allow: Vec::new(), deny: Vec::new(), index: None, listed_only: false }
    }

    /// The key in a profile.
    pub(crate) fn key(&self) -> String {
        format!("packages.{}", self.ecosystem.name())
    }

    /// Reads a line of a list.
    pub(crate) fn read(&self, rule: String, text: &str) -> Result<PackageRule, String> {
        let rule = RuleName::new(rule);
        let names = match text {
            "*" => Names::All,
            KNOWN => Names::Known,
            _ if text.contains('*') && !text.contains(['=', '@']) => return Err("`*` may only stand alone".to_owned()),
            _ => {
                let requirement = Requirement::parse(self.ecosystem, text)?;
                return match requirement.extras.as_slice() {
                    [] => Ok(PackageRule { rule, names: Names::One(requirement.name), versions: requirement.versions }),
                    _ => Err("a rule names a package, not its extras".to_owned()),
                };
            }
        };
        Ok(PackageRule { rule, names, versions: Versions::parse(self.ecosystem, "")? })
    }

    /// The versions that are allowed of packages that are allowed in some versions only, as requirements.
    pub(crate) fn constraints(&self) -> Vec<String> {
        let one = |rule: &PackageRule| match &rule.names {
            Names::One(name) if !rule.versions.text().is_empty() => Some(name.clone()),
            _ => None,
        };
        let is_only = |name: &str| self.allow.iter().filter(|rule| rule.names.matches(self.ecosystem, name)).count() == 1;
        self.allow.iter().filter(|rule| one(rule).is_some_and(|name| is_only(&name))).map(|rule| rule.shown(self.ecosystem)).collect()
    }

    /// Judges one package.
    pub(crate) fn check(&self, place: &Place, name: &str, asked: Asked<'_>) -> Result<RuleName, Denial> {
        let what = match asked {
            Asked::Wanted => format!("package {}", quoted(name)),
            Asked::Chosen(version) => format!("package {} in version {}", quoted(name), quoted(version)),
            Asked::Dependency(version) => format!("package {} in version {}, on which another depends", quoted(name), quoted(version)),
        };
        let name = match self.ecosystem.normalise(name) {
            Ok(name) => name,
            Err(reason) => return Err(Denial::invalid_request(&place.rule(&self.key()), what, reason)),
        };
        let matches = |rule: &PackageRule, whatever_version: bool| {
            rule.names.matches(self.ecosystem, &name)
                && match asked {
                    Asked::Wanted => whatever_version || rule.versions.text().is_empty(),
                    Asked::Chosen(version) | Asked::Dependency(version) => rule.versions.contains(version),
                }
        };
        let denies = |rule: &PackageRule| match asked {
            Asked::Wanted => matches(rule, false),
            Asked::Chosen(version) | Asked::Dependency(version) => {
                rule.names.matches(self.ecosystem, &name) && rule.versions.touches(version)
            }
        };
        if let Some(deny) = self.deny.iter().find(|rule| denies(rule)) {
            let denied = quoted(&deny.shown(self.ecosystem));
            let fix = format!("# remove {denied} from `{}`", deny.rule);
            return Err(Denial::new(deny.rule.as_str(), what, format!("{denied} is denied, and deny beats allow"), fix));
        }
        let rule = place.rule(&format!("{}.allow", self.key()));
        if let Some(allow) = self.allow.iter().find(|rule| matches(rule, true)) {
            // A name that is one slip away from a well-known one is how other people's code gets in.
            let is_suspect = allow.names == Names::All && !matches!(asked, Asked::Dependency(_));
            return match is_suspect.then(|| self.lookalike(&name)).flatten() {
                Some(known) => {
                    let reason = format!("it looks like `{known}`, and nothing but `*` allows it; if it is meant, allow it by its name");
                    Err(Denial::new(rule, what, reason, self.fix(place, &name)))
                }
                None => Ok(allow.rule.clone()),
            };
        }
        let is_named = self.allow.iter().any(|rule| rule.names.matches(self.ecosystem, &name));
        if matches!(asked, Asked::Dependency(_)) && !self.listed_only && !is_named {
            // Whoever allows a package allows what it needs, unless the profile says otherwise.
            return Ok(RuleName::new(place.rule(&format!("{}.dependencies", self.key()))));
        }
        let reason = match self.allow.len() {
            0 => format!("profile `{}` allows no packages of {}", place.name, self.ecosystem.name()),
            _ if is_named => format!("profile `{}` allows other versions of it only", place.name),
            _ => {
                let meant = closest(&name, self.names()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
                format!("profile `{}` does not allow it{meant}", place.name)
            }
        };
        Err(Denial::new(rule, what, reason, self.fix(place, &name)))
    }

    /// The well-known package that another name can be mistaken for.
    pub(crate) fn lookalike(&self, name: &str) -> Option<&'static str> {
        let is_other = !is_known(self.ecosystem, name);
        known(self.ecosystem).find(|known| is_other && is_lookalike(name, known))
    }

    /// All names that are allowed by name.
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

    /// The line that would allow one more package.
    fn fix(&self, place: &Place, name: &str) -> String {
        let others = self.allow.iter().map(|rule| rule.shown(self.ecosystem)).filter(|other| other != name);
        place.fix(&self.key(), &[("allow", toml_strings(others.chain([name.to_owned()])))])
    }
}

impl PackageRule {
    /// As it is written.
    pub(crate) fn shown(&self, ecosystem: Ecosystem) -> String {
        match &self.names {
            Names::One(name) => {
                Requirement { ecosystem, name: name.clone(), extras: Vec::new(), versions: self.versions.clone() }.to_string()
            }
            Names::Known => KNOWN.to_owned(),
            Names::All => "*".to_owned(),
        }
    }

    /// What it means, in one text.
    pub(crate) fn meaning(&self, ecosystem: Ecosystem) -> String {
        match &self.names {
            // The list belongs to the meaning.
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
            assert!(names.len() > 50 && names.is_sorted_by(|one, next| one < next), "{ecosystem:?}");
            for name in names {
                assert_eq!(ecosystem.normalise(name).as_deref(), Ok(name));
            }
        }
    }
}
