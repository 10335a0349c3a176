//! Policy engine of a sandbox: what may an untrusted program do?
//!
//! One policy, written as TOML, and one pure decision function. There is no runtime, file, socket,
//! clock or environment variable in this crate: the same input has the same decision on every
//! machine, so it can be tested as a table.
//!
//! ```
//! use glovebox_policy::{Facts, Policy, Request, Verdict};
//!
//! let policy = Policy::parse("policy.toml", r#"
//!     version = 1
//!     default_profile = "web"
//!
//!     [profiles.web]
//!     extends = "offline"
//!     limits = { wall = "5s", memory = "128MiB" }
//!
//!     [[profiles.web.network.allow]]
//!     host = "api.example.org"
//! "#)?;
//! let facts = Facts::wasm(["python"]);
//!
//! // Nothing but what the profile grants ...
//! let request = Request::new("python", "print(6 * 7)");
//! let Verdict::Admit(grant) = policy.admit(&request, &facts) else { unreachable!() };
//! assert_eq!(grant.limits().memory, 128 << 20);
//!
//! // ... late checks are made by the grant ...
//! use glovebox_policy::network::ask::HttpAsk;
//! assert!(grant.network().check_request(&HttpAsk::from_url("GET", "https://api.example.org/v1")?).is_ok());
//! assert!(grant.network().check_address("api.example.org", "169.254.169.254".parse()?).is_err());
//!
//! // ... and a denial names the rule and the line that would allow it.
//! let mut greedy = Request::new("python", "print(6 * 7)");
//! greedy.wants.limits.memory = Some(1 << 30);
//! let Verdict::Deny(denial) = policy.admit(&greedy, &facts) else { unreachable!() };
//! assert_eq!(denial.rule, "profiles.web.limits.memory");
//! assert_eq!(denial.fix, "[profiles.web.limits]\nmemory = \"1GiB\"");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In reading order: [`Request`] and [`Facts`] go into [`Policy::admit`], a [`Verdict`] with a
//! [`Grant`] or a [`Denial`] comes out; [`network`] makes the late checks; [`quotas`] bound a
//! subject over all of its runs; [`cases`] evaluates decision tables.

pub mod bounds;
mod canonical;
pub mod cases;
mod config;
mod decision;
mod denial;
mod explanation;
mod facts;
mod findings;
mod grant;
mod languages;
pub mod limits;
mod mounts;
mod names;
pub mod network;
pub mod packages;
mod policy;
mod problem;
pub mod quotas;
pub mod request;
mod rule;
mod text;
mod tier;
mod tools;
pub mod units;
mod verdict;

pub use bounds::{Bound, OutOfBounds};
pub use config::parse::MAX_TEXT;
pub use denial::Denial;
pub use explanation::{Explanation, QuotaOfSubject, Step, StepResult};
pub use facts::{Facts, TierFacts};
pub use findings::{Finding, Severity};
pub use grant::Grant;
pub use languages::{Home, LANGUAGES, Language};
pub use limits::{Limit, LimitHit, LimitSource, LimitWishes, Limits};
pub use mounts::{Mount, check_mount};
pub use network::ask::HttpAsk;
pub use network::grant::NetworkGrant;
pub use network::rules::NetworkLimits;
pub use packages::{Ecosystem, PackageGrant, Requirement};
pub use policy::Policy;
pub use problem::{ConfigError, MAX_PROBLEMS, Problem};
pub use quotas::{Quota, QuotaSettings, Quotas};
pub use request::{InputFile, NetworkWish, Request, Source, Subject, SubjectError, Wants};
pub use rule::RuleName;
pub use text::closest;
pub use tier::{Isolation, Tier};
pub use verdict::Verdict;
