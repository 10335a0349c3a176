//! Network rules of a profile: do they match a request?
//!
//! An `allow` rule matches only if every part matches exactly. A `deny` rule matches in case of
//! doubt: methods and paths case-insensitively, and ambiguous paths always.

use std::collections::BTreeSet;
use std::time::Duration;

use ipnet::IpNet;

use super::ask::HttpAsk;
use super::host::{Host, HostPattern};
use super::path;
use crate::denial::Denial;
use crate::rule::RuleName;

/// Limits of one HTTP exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkLimits {
    /// Bytes of one response, headers included and after decompression.
    pub response: u64,
    /// Bytes of one request, headers included.
    pub request: u64,
    /// Maximum number of redirects.
    pub redirects: u32,
    /// Timeout of one exchange, redirects included.
    pub timeout: Duration,
}

/// The network part of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkRules {
    pub(crate) allow: Vec<HostRule>,
    pub(crate) deny: Vec<HostRule>,
    pub(crate) private_ranges: Vec<IpNet>,
    pub(crate) limits: NetworkLimits,
}

impl NetworkRules {
    pub(crate) fn nothing() -> Self {
        let limits = NetworkLimits {
            response: 0,
            request: 0,
            redirects: 0,
            timeout: Duration::ZERO,
        };
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            private_ranges: Vec::new(),
            limits,
        }
    }
}

/// One rule. A missing part matches anything, except the ports of an `allow` rule, which default to
/// the scheme's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostRule {
    pub(crate) rule: RuleName,
    pub(crate) host: HostPattern,
    pub(crate) schemes: Option<BTreeSet<String>>,
    pub(crate) ports: Option<BTreeSet<u16>>,
    pub(crate) methods: Option<BTreeSet<String>>,
    pub(crate) paths: Option<BTreeSet<String>>,
}

impl HostRule {
    /// Returns whether the rule, as one of `allow`, matches.
    pub(crate) fn allows(
        &self,
        ask: &HttpAsk,
        host: &Host,
        path: Result<&str, &&'static str>,
    ) -> bool {
        self.host.matches(host)
            && self.allows_scheme(ask)
            && self.allows_port(ask)
            && self.allows_method(ask)
            && self.paths.as_ref().is_none_or(|paths| {
                path.is_ok_and(|path| paths.iter().any(|prefix| path::starts_with(path, prefix)))
            })
    }

    /// Returns whether some request through a tunnel to that host and port may match this `allow`
    /// rule.
    pub(crate) fn allows_tunnel(&self, ask: &HttpAsk, host: &Host) -> bool {
        self.host.matches(host) && self.allows_scheme(ask) && self.allows_port(ask)
    }

    fn allows_scheme(&self, ask: &HttpAsk) -> bool {
        self.schemes
            .as_ref()
            .is_some_and(|schemes| schemes.contains(&ask.scheme))
    }

    fn allows_port(&self, ask: &HttpAsk) -> bool {
        match &self.ports {
            Some(ports) => ports.contains(&ask.port),
            None => matches!(
                (ask.scheme.as_str(), ask.port),
                ("https", 443) | ("http", 80)
            ),
        }
    }

    fn allows_method(&self, ask: &HttpAsk) -> bool {
        self.methods
            .as_ref()
            .is_some_and(|methods| methods.contains(&ask.method))
    }

    /// The first part of the request that keeps this `allow` rule from matching although its host
    /// does.
    pub(crate) fn mismatch(&self, ask: &HttpAsk) -> &'static str {
        if !self.allows_scheme(ask) {
            "scheme"
        } else if !self.allows_port(ask) {
            "port"
        } else if !self.allows_method(ask) {
            "method"
        } else {
            "path"
        }
    }

    /// Returns whether the rule, as one of `deny`, matches.
    pub(crate) fn denies(
        &self,
        ask: &HttpAsk,
        host: &Host,
        path: Result<&str, &&'static str>,
    ) -> bool {
        let any_case = |names: &BTreeSet<String>, name: &str| {
            names.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        self.host.denies(host)
            && self
                .schemes
                .as_ref()
                .is_none_or(|schemes| any_case(schemes, &ask.scheme))
            && self
                .ports
                .as_ref()
                .is_none_or(|ports| ports.contains(&ask.port))
            && self
                .methods
                .as_ref()
                .is_none_or(|methods| any_case(methods, &ask.method))
            && self.paths.as_ref().is_none_or(|paths| {
                path.map_or(true, |path| {
                    paths.iter().any(|prefix| denied_below(path, prefix))
                })
            })
    }

    /// Returns whether the rule, as one of `deny`, denies every request that could be sent through
    /// a tunnel to that host and port.
    pub(crate) fn denies_tunnel(&self, ask: &HttpAsk, host: &Host) -> bool {
        let is_all = self.methods.is_none() && self.paths.is_none();
        is_all && self.denies(ask, host, Ok("/"))
    }

    /// Returns whether the rule, as one of `deny`, denies every request to that host.
    pub(crate) fn denies_host(&self, host: &Host) -> bool {
        self.is_whole() && self.host.denies(host)
    }

    /// Returns whether the rule, as one of `deny`, denies every request to every host of the
    /// pattern.
    pub(crate) fn denies_pattern(&self, pattern: &HostPattern) -> bool {
        let covered = match pattern {
            HostPattern::Exact(host) => self.host.denies(host),
            pattern => self.host.covers(pattern),
        };
        self.is_whole() && covered
    }

    fn is_whole(&self) -> bool {
        self.schemes.is_none()
            && self.ports.is_none()
            && self.methods.is_none()
            && self.paths.is_none()
    }

    /// Returns the denial by this `deny` rule.
    pub(crate) fn denial(&self, asked: impl Into<String>) -> Denial {
        let reason = format!("`{}` is denied here, and deny beats allow", self.host);
        Denial::new(
            self.rule.as_str(),
            asked,
            reason,
            format!("# remove or narrow `{}`", self.rule),
        )
    }
}

/// Returns whether a canonical path is at or below a denied one, case-insensitively and with or
/// without the rule's trailing slash.
fn denied_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix
        .strip_suffix('/')
        .unwrap_or(prefix)
        .to_ascii_lowercase();
    path::starts_with(&path.to_ascii_lowercase(), &prefix)
}
