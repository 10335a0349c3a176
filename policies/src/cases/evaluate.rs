//! Evaluation of one case: is the decision the expected one?

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::schema::RawCase;
use crate::config::amount::{RawAmount, Scalar, parse_amount};
use crate::config::spanned::Spanned;
use crate::denial::Denial;
use crate::facts::{Facts, TierFacts};
use crate::grant::Grant;
use crate::limits::{Amount, LimitField, Limits};
use crate::network::ask::HttpAsk;
use crate::packages::needs::{ResolvedPackage, TierNeeds};
use crate::policy::Policy;
use crate::problem::{ConfigError, Problems};
use crate::request::{InputFile, NetworkWish, Request, Subject, Wants};
use crate::rule::RuleName;
use crate::text::quoted;
use crate::tier::{Isolation, Tier};
use crate::verdict::Verdict;

/// The result of the policy or of its parser.
pub(super) enum Answer {
    /// The request was admitted, and what was asked of the grant, if anything, was allowed by that
    /// rule.
    Admitted {
        grant: Box<Grant>,
        late: Option<RuleName>,
        limits: Vec<(&'static LimitField, Amount)>,
    },
    Denied(Denial),
    Invalid(ConfigError),
    Valid,
}

/// Evaluates the case; `None` if the case itself is malformed.
pub(super) fn answer(
    case: &RawCase,
    policy: &Policy,
    problems: &mut Problems<'_>,
) -> Option<Answer> {
    if case.expect.get() == "valid" {
        return Some(Answer::Valid);
    }
    if !matches!(case.expect.get().as_str(), "admit" | "deny" | "invalid") {
        problems.add(
            &case.expect.span(),
            "`expect` is `admit`, `deny`, `valid` or `invalid`",
            None,
        );
        return None;
    }
    let request = request(case, problems)?;
    let facts = facts(case, problems)?;
    let limits = amounts(&case.limits, problems)?;
    let grant = match policy.admit(&request, &facts) {
        Verdict::Admit(grant) => grant,
        Verdict::Deny(denial) => return Some(Answer::Denied(denial)),
    };
    Some(match late(case, &grant, problems)? {
        Ok(late) => Answer::Admitted {
            grant,
            late,
            limits,
        },
        Err(denial) => Answer::Denied(denial),
    })
}

/// Asks the grant the case's one late check; the outer `None` if that check is malformed.
fn late(
    case: &RawCase,
    grant: &Grant,
    problems: &mut Problems<'_>,
) -> Option<Result<Option<RuleName>, Denial>> {
    let verdict = if let Some(http) = &case.http {
        let Some((method, url)) = http.get().split_once(' ') else {
            problems.add(
                &http.span(),
                "`http` is a method, a space and a URL",
                Some("GET https://example.org/".to_owned()),
            );
            return None;
        };
        let tunnel = url
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        match tunnel.filter(|_| method == "CONNECT") {
            Some((host, port)) => grant.network().check_tunnel(host, port),
            None => {
                HttpAsk::from_url(method, url).and_then(|ask| grant.network().check_request(&ask))
            }
        }
    } else if let Some(address) = &case.address {
        let parsed = address
            .get()
            .split_once(' ')
            .and_then(|(host, ip)| Some((host, ip.parse::<IpAddr>().ok()?)));
        let Some((host, ip)) = parsed else {
            problems.add(
                &address.span(),
                "`address` is a host, a space and an IP address",
                Some("example.org 192.0.2.1".to_owned()),
            );
            return None;
        };
        grant.network().check_address(host, ip)
    } else if let Some(tool) = &case.tool {
        grant.check_tool(tool)
    } else if let Some(running) = case.running {
        grant.check_concurrency(running)
    } else {
        return Some(Ok(None));
    };
    Some(verdict.map(Some))
}

fn request(case: &RawCase, problems: &mut Problems<'_>) -> Option<Request> {
    let mut request = Request::new(
        case.language.as_deref().unwrap_or("python"),
        case.source.as_deref().unwrap_or("1"),
    );
    if let Some(subject) = &case.subject {
        request.subject = Subject::new(subject.get().as_str())
            .map_err(|error| problems.add(&subject.span(), error.to_string(), None))
            .ok()?;
    }
    request.profile.clone_from(&case.profile);
    request.arguments.clone_from(&case.arguments);
    request.environment = case
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let files = case.files.iter();
    request.files = files
        .map(|(path, content)| InputFile {
            path: path.clone(),
            content: content.as_bytes().into(),
        })
        .collect();
    request.artifacts.clone_from(&case.artifacts);
    request.seed = case.wants.seed;
    request.wants = wants(case, problems)?;
    Some(request)
}

fn wants(case: &RawCase, problems: &mut Problems<'_>) -> Option<Wants> {
    let raw = &case.wants;
    let mut wants = Wants {
        mounts: raw.mounts.clone(),
        network: raw.network.as_ref().map(|hosts| match hosts.as_slice() {
            [] => NetworkWish::Nothing,
            hosts => NetworkWish::Hosts(hosts.to_vec()),
        }),
        tools: raw.tools.clone(),
        packages: raw.packages.clone(),
        ..Wants::default()
    };
    // Wishes are untrusted and may be zero, which an amount of a config may not.
    for (name, value) in &raw.limits {
        let field = field(name, problems)?;
        let zero = matches!(value.get(), Scalar::Integer(0));
        let amount = if zero {
            zero_like(field)
        } else {
            read_amount(field, value, problems)?
        };
        (field.wish)(&mut wants.limits, amount);
    }
    if let Some(tier) = &raw.tier {
        wants.tier = Some(tier_named(tier, problems)?);
    }
    if let Some(level) = &raw.min_isolation {
        let known = Isolation::from_name(level.get());
        if known.is_none() {
            problems.add(
                &level.span(),
                format!("{} is not a level of isolation", quoted(level.get())),
                None,
            );
        }
        wants.min_isolation = Some(known?);
    }
    Some(wants)
}

fn facts(case: &RawCase, problems: &mut Problems<'_>) -> Option<Facts> {
    let mut facts = Facts::wasm(["python", "javascript", "typescript", "wasm"]);
    if let Some(offers) = &case.offers {
        facts.tiers.clear();
        for (name, languages) in offers {
            let tier = tier_named(name, problems)?;
            let unavailable = case.unavailable.get(name.get()).cloned();
            facts.tiers.push(TierFacts {
                unavailable,
                runtimes: case.runtimes.clone(),
                ..TierFacts::new(tier, languages)
            });
        }
    }
    for (name, packages) in &case.resolved {
        let package = |text: &String| {
            let (name, version) = text.split_once(' ').unwrap_or((text, "0"));
            ResolvedPackage {
                name: name.to_owned(),
                version: version.to_owned(),
                digest: String::new(),
            }
        };
        let packages = packages.iter().map(package).collect();
        facts.needs.tiers.push(TierNeeds {
            tier: tier_named(name, problems)?,
            packages,
            lacks: None,
        });
    }
    for (name, lacks) in &case.lacks {
        let needs = TierNeeds {
            tier: tier_named(name, problems)?,
            packages: Vec::new(),
            lacks: Some(lacks.clone()),
        };
        facts.needs.tiers.push(needs);
    }
    for (name, why) in &case.unfit {
        let tier = tier_named(name, problems)?;
        facts.needs.unfit.push((tier, why.clone()));
    }
    Some(facts)
}

fn tier_named(name: &Spanned<String>, problems: &mut Problems<'_>) -> Option<Tier> {
    let tier = Tier::from_name(name.get());
    if tier.is_none() {
        problems.add(
            &name.span(),
            format!("{} is not a tier", quoted(name.get())),
            None,
        );
    }
    tier
}

fn field(name: &Spanned<String>, problems: &mut Problems<'_>) -> Option<&'static LimitField> {
    let field = LimitField::of_name(name.get());
    if field.is_none() {
        problems.add(
            &name.span(),
            format!("there is no limit {}", quoted(name.get())),
            None,
        );
    }
    field
}

fn zero_like(field: &LimitField) -> Amount {
    (field.granted)(&Limits::unset())
}

fn read_amount(
    field: &LimitField,
    value: &Spanned<Scalar>,
    problems: &mut Problems<'_>,
) -> Option<Amount> {
    parse_amount(
        zero_like(field),
        &RawAmount {
            value: value.get(),
            span: value.span(),
        },
        problems,
    )
}

type Amounts = Vec<(&'static LimitField, Amount)>;

fn amounts(
    raw: &BTreeMap<Spanned<String>, Spanned<Scalar>>,
    problems: &mut Problems<'_>,
) -> Option<Amounts> {
    let read = raw.iter().map(|(name, value)| {
        let field = field(name, problems)?;
        Some((field, read_amount(field, value, problems)?))
    });
    read.collect()
}

impl Answer {
    fn word(&self) -> &'static str {
        match self {
            Self::Admitted { .. } => "admit",
            Self::Denied(_) => "deny",
            Self::Invalid(_) => "invalid",
            Self::Valid => "valid",
        }
    }

    /// The expectations that this answer does not meet.
    pub(super) fn failures(&self, case: &RawCase) -> Vec<String> {
        let expected = case.expect.get();
        if self.word() != expected {
            let got = match self {
                Self::Denied(denial) => denial.to_string(),
                Self::Invalid(error) => error.to_string().replace('\n', "; "),
                Self::Admitted { .. } | Self::Valid => self.word().to_owned(),
            };
            return vec![format!("expected {expected}, got {got}")];
        }
        let mut failures = Failures(Vec::new());
        match self {
            Self::Admitted {
                grant,
                late,
                limits,
            } => {
                failures.check_rules(
                    case,
                    late.as_ref().map_or(grant.rules(), std::slice::from_ref),
                );
                failures.check_grant(case, grant);
                for (field, amount) in limits {
                    let got = (field.granted)(grant.limits());
                    failures.check_equal(field.name(), &amount.to_string(), &got.to_string());
                }
            }
            Self::Denied(denial) => {
                failures.check_rules(case, &[RuleName::new(denial.rule.as_str())]);
                failures.check_part("reason with", &case.message, &denial.reason);
                failures.check_part("fix with", &case.fix, &denial.fix);
            }
            Self::Invalid(error) => {
                failures.check_part("problem with", &case.message, &error.to_string());
            }
            Self::Valid => {}
        }
        failures.0
    }
}

/// The expectations of a case that were not met, one line for each.
struct Failures(Vec<String>);

impl Failures {
    fn check_grant(&mut self, case: &RawCase, grant: &Grant) {
        if let Some(tier) = &case.tier {
            self.check_equal("tier", tier, grant.tier().name());
        }
        if case.seed.is_some() {
            let (expected, got) = (format!("{:?}", case.seed), format!("{:?}", grant.seed()));
            self.check_equal("seed", &expected, &got);
        }
        if let Some(variables) = &case.variables {
            let got: BTreeMap<String, String> = grant.environment().iter().cloned().collect();
            self.check_equal("variables", &format!("{variables:?}"), &format!("{got:?}"));
        }
        self.check_part("reason", &case.message, grant.tier_reason());
    }

    /// Checks that the expected rule is one of those that decided.
    fn check_rules(&mut self, case: &RawCase, got: &[RuleName]) {
        let Some(rule) = &case.rule else { return };
        if !got.iter().any(|name| name == rule.as_str()) {
            let got: Vec<&str> = got.iter().map(RuleName::as_str).collect();
            self.add("rule", rule, &got.join(", "));
        }
    }

    fn check_equal(&mut self, what: &str, expected: &str, got: &str) {
        if expected != got {
            self.add(what, expected, got);
        }
    }

    /// Checks that the expected text, if there is one, is a part of what was got.
    fn check_part(&mut self, what: &str, expected: &Option<String>, got: &str) {
        if let Some(expected) = expected
            && !got.contains(expected.as_str())
        {
            self.add(what, expected, got);
        }
    }

    fn add(&mut self, what: &str, expected: &str, got: &str) {
        self.0.push(format!(
            "expected {what} {}, got {}",
            quoted(expected),
            quoted(got)
        ));
    }
}
