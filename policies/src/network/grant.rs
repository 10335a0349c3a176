//! Egress filter: may this program reach that host, at this address, with this request?
//!
//! The only place for that decision. It is called twice for every exchange and every redirect: with
//! the request before its name is resolved ([`NetworkGrant::check_request`]), and with each address
//! that is really connected to ([`NetworkGrant::check_address`]), because a name can resolve to any
//! address (DNS rebinding, SSRF).

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::address;
use super::ask::HttpAsk;
use super::host::{Host, HostPattern};
use super::path;
use super::rules::NetworkLimits;
use crate::config::profile::Profile;
use crate::denial::Denial;
use crate::rule::RuleName;
use crate::text::{quoted, toml_string, toml_strings};

/// The network part of a grant.
#[derive(Clone)]
pub struct NetworkGrant {
    profile: Arc<Profile>,
    /// The hosts that the request kept; `None` keeps all.
    kept: Option<Vec<HostPattern>>,
}

impl NetworkGrant {
    pub(crate) fn new(profile: Arc<Profile>, kept: Option<Vec<HostPattern>>) -> Self {
        Self { profile, kept }
    }

    /// Returns whether nothing at all can be reached, so that a runtime need not offer a network.
    pub fn is_empty(&self) -> bool {
        self.profile.network.allow.is_empty() || self.kept.as_ref().is_some_and(Vec::is_empty)
    }

    /// The limits of one exchange.
    pub fn limits(&self) -> &NetworkLimits {
        &self.profile.network.limits
    }

    /// Judges one HTTP request, of a program or of a redirect, before its host is resolved. If the
    /// host is an IP address, that is judged too.
    ///
    /// # Errors
    ///
    /// The denial, if no rule allows it, a rule denies it, or host or path are ambiguous.
    pub fn check_request(&self, ask: &HttpAsk) -> Result<RuleName, Denial> {
        let asked = ask.to_string();
        let host = self.host(&ask.host, &asked)?;
        let path = path::canonical(&ask.path);
        let rules = &self.profile.network;
        if let Some(deny) = rules
            .deny
            .iter()
            .find(|rule| rule.denies(ask, &host, path.as_deref()))
        {
            return Err(deny.denial(asked));
        }
        let Some(allow) = rules
            .allow
            .iter()
            .find(|rule| rule.allows(ask, &host, path.as_deref()))
        else {
            return Err(self.nothing_allows(ask, &host, path.err(), asked));
        };
        self.check_kept(&host, &asked)?;
        if let Host::Address(address) = host {
            self.check_address(&ask.host, address)?;
        }
        Ok(allow.rule.clone())
    }

    /// Judges a `CONNECT` tunnel before anything is sent through it: is there a request to this
    /// host and port that [`Self::check_request`] would allow? Each request is judged again, with
    /// its method and path.
    ///
    /// # Errors
    ///
    /// The denial, as of [`Self::check_request`].
    pub fn check_tunnel(&self, host: &str, port: u16) -> Result<RuleName, Denial> {
        let asked = format!("tunnel to {}", quoted(&format!("{host}:{port}")));
        let parsed = self.host(host, &asked)?;
        let ask = HttpAsk {
            scheme: "https".to_owned(),
            host: host.to_owned(),
            port,
            method: "GET".to_owned(),
            path: "/".to_owned(),
        };
        let rules = &self.profile.network;
        if let Some(deny) = rules
            .deny
            .iter()
            .find(|rule| rule.denies_tunnel(&ask, &parsed))
        {
            return Err(deny.denial(asked));
        }
        let Some(allow) = rules
            .allow
            .iter()
            .find(|rule| rule.allows_tunnel(&ask, &parsed))
        else {
            return Err(self.nothing_allows(&ask, &parsed, None, asked));
        };
        self.check_kept(&parsed, &asked)?;
        if let Host::Address(address) = parsed {
            self.check_address(host, address)?;
        }
        Ok(allow.rule.clone())
    }

    /// Judges an address that a host was resolved to. Pass the very address that is then connected
    /// to, and never resolve again (TOCTOU).
    ///
    /// IPv4-mapped IPv6 addresses are judged as IPv4 addresses.
    ///
    /// # Errors
    ///
    /// The denial, if no rule allows the host, or the address is private, special or of a metadata
    /// service and the profile does not name it.
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<RuleName, Denial> {
        let asked = format!("address {address} of host {}", quoted(host));
        let parsed = self.host(host, &asked)?;
        let rules = &self.profile.network;
        let at = Host::Address(address::unwrap_mapped(address));
        if let Some(deny) = rules
            .deny
            .iter()
            .find(|rule| rule.denies_host(&parsed) || rule.denies_host(&at))
        {
            return Err(deny.denial(asked));
        }
        if !rules.allow.iter().any(|rule| rule.host.matches(&parsed)) {
            return Err(self.host_missing(&parsed, asked));
        }
        self.check_kept(&parsed, &asked)?;
        match address::refused(address, &rules.private_ranges) {
            None if address::is_public(address) => Ok(RuleName::new("addresses.public")),
            None => Ok(RuleName::new(
                self.profile.key.rule("network.private_ranges"),
            )),
            Some((class, needed)) => Err(self.not_named(&class, needed, asked)),
        }
    }

    /// Judges an address of the machine that the runtime itself runs on. What listens there may
    /// trust local clients, so even a public one has to be named.
    ///
    /// # Errors
    ///
    /// The denial, if the profile does not name the address.
    pub fn check_own_address(&self, host: &str, address: IpAddr) -> Result<(), Denial> {
        let address = address::unwrap_mapped(address);
        if address::is_named(address, &self.profile.network.private_ranges) {
            return Ok(());
        }
        let asked = format!("address {address} of host {}", quoted(host));
        Err(self.not_named(
            "one of this machine's own",
            IpNet::from(address).to_string(),
            asked,
        ))
    }

    fn not_named(&self, class: &str, needed: String, asked: String) -> Denial {
        let ranges = self
            .profile
            .network
            .private_ranges
            .iter()
            .map(ToString::to_string)
            .chain([needed]);
        let fix = self
            .profile
            .key
            .fix("network", &[("private_ranges", toml_strings(ranges))]);
        let reason = format!(
            "the address is {class}, and such addresses are refused unless the profile names them"
        );
        Denial::new(
            self.profile.key.rule("network.private_ranges"),
            asked,
            reason,
            fix,
        )
    }

    fn host(&self, text: &str, asked: &str) -> Result<Host, Denial> {
        Host::from_ask(text).map_err(|reason| {
            Denial::invalid_request(&self.profile.key.rule("network"), asked, reason)
        })
    }

    fn check_kept(&self, host: &Host, asked: &str) -> Result<(), Denial> {
        match &self.kept {
            Some(kept) if !kept.iter().any(|pattern| pattern.matches(host)) => {
                let reason = "the request itself kept a smaller part of the network";
                Err(Denial::new(
                    "request.wants.network",
                    asked,
                    reason,
                    "# the policy allows this: the request has to keep the host",
                ))
            }
            _ => Ok(()),
        }
    }

    fn host_missing(&self, host: &Host, asked: String) -> Denial {
        let key = &self.profile.key;
        let reason = match self.profile.network.allow.len() {
            0 => format!("profile `{}` allows no network", key.name),
            _ => format!("no host that profile `{}` allows matches", key.name),
        };
        let fix = key.fix_element("network.allow", &[("host", toml_string(&host.to_string()))]);
        Denial::new(key.rule("network.allow"), asked, reason, fix)
    }

    /// The denial if no rule allows the request: it names the part of the request that kept the
    /// nearest rule from matching.
    fn nothing_allows(
        &self,
        ask: &HttpAsk,
        host: &Host,
        ambiguous: Option<&'static str>,
        asked: String,
    ) -> Denial {
        let key = &self.profile.key;
        let rules = &self.profile.network.allow;
        let Some(near) = rules.iter().find(|rule| rule.host.matches(host)) else {
            let mut denial = self.host_missing(host, asked);
            denial.fix = key.fix_element("network.allow", &ask.rule_lines(host));
            return denial;
        };
        if let Some(reason) = ambiguous.filter(|_| near.paths.is_some()) {
            return Denial::invalid_request(near.rule.as_str(), asked, reason);
        }
        let reason = format!(
            "`{}` allows the host, but not this {}",
            near.rule,
            near.mismatch(ask)
        );
        Denial::new(
            near.rule.as_str(),
            asked,
            reason,
            key.fix_element("network.allow", &ask.rule_lines(host)),
        )
    }
}

impl std::fmt::Debug for NetworkGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rules: Vec<&str> = self
            .profile
            .network
            .allow
            .iter()
            .map(|rule| rule.rule.as_str())
            .collect();
        f.debug_struct("NetworkGrant")
            .field("allow", &rules)
            .field("kept", &self.kept)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Facts, Policy, Request, Verdict};

    #[test]
    fn a_public_address_of_this_machine_has_to_be_named() {
        for (named, is_fine) in [
            ("", false),
            ("private_ranges = [\"8.8.4.4/32\"]", true),
            ("private_ranges = [\"10.0.0.0/8\"]", false),
        ] {
            let text = format!(
                "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"offline\"\n[profiles.p.network]\n{named}\n\
                 [[profiles.p.network.allow]]\nhost = \"*\"\n"
            );
            let policy = Policy::parse("p", &text).unwrap();
            let Verdict::Admit(grant) = policy.admit(
                &Request::new("python", ""),
                &Facts::wasm(["python".to_owned()]),
            ) else {
                panic!()
            };
            let address = "8.8.4.4".parse().unwrap();
            assert!(
                grant.network().check_address("a.example", address).is_ok(),
                "it is public"
            );
            let judged = grant.network().check_own_address("a.example", address);
            assert_eq!(judged.is_ok(), is_fine, "{named}: {judged:?}");
        }
    }
}
