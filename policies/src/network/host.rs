//! Host patterns: which hosts does a pattern match?
//!
//! Hosts are compared label by label in normalized form: lower case, internationalised names as
//! Punycode, no trailing dot, IP addresses as addresses. A requested host in any other spelling is
//! refused, because the HTTP client might read it differently.

use std::net::IpAddr;

/// A normalized host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

/// A host, its subdomains, or any host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostPattern {
    Any,
    Exact(Host),
    /// Subdomains of this name, at any depth, but not the name itself.
    Below(String),
}

/// Names of cloud metadata services. They must be named exactly; no wildcard matches them.
const METADATA_NAMES: [&str; 5] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Public suffixes below which anyone can register a name, so that `*` there is a hole. Top-level
/// domains are refused as well; this list holds the widest of the others and cannot be complete.
const SHARED_SUFFIXES: [&str; 34] = [
    "ac.uk",
    "amazonaws.com",
    "appspot.com",
    "azurewebsites.net",
    "blogspot.com",
    "cloudfront.net",
    "co.in",
    "co.jp",
    "co.kr",
    "co.nz",
    "co.uk",
    "co.za",
    "com.ar",
    "com.au",
    "com.br",
    "com.cn",
    "com.mx",
    "com.tr",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "net.au",
    "netlify.app",
    "ngrok.io",
    "onrender.com",
    "or.jp",
    "org.au",
    "org.uk",
    "pages.dev",
    "s3.amazonaws.com",
    "vercel.app",
    "web.app",
    "workers.dev",
];

impl Host {
    /// Parses the host of a request. Only case, one trailing dot and the brackets of an IPv6
    /// address are normalized.
    pub(crate) fn from_ask(text: &str) -> Result<Self, &'static str> {
        const AMBIGUOUS: &str = "the host is not in its one spelling (plain lower-case labels, Punycode, or an IP address in full)";
        let lower = text.to_ascii_lowercase();
        let plain = lower.strip_suffix('.').unwrap_or(&lower);
        if text.len() > 260 || plain.is_empty() {
            return Err("the host is empty or too long");
        }
        let bare = plain
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(plain);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        match Self::parse(plain) {
            Some(host @ Self::Name(_)) if host.to_string() == plain => Ok(host),
            _ => Err(AMBIGUOUS),
        }
    }

    /// Parses a host in any spelling, as a browser would, and normalizes it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bracketed = if text.contains(':') && !text.starts_with('[') {
            format!("[{text}]")
        } else {
            text.to_owned()
        };
        match url::Host::parse(&bracketed).ok()? {
            url::Host::Ipv4(address) => Some(Self::Address(address.into())),
            url::Host::Ipv6(address) => Some(Self::Address(address.into())),
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                is_name(name).then(|| Self::Name(name.to_owned()))
            }
        }
    }
}

/// Returns whether a name has plain labels only. Underscores occur in real names of services.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

impl HostPattern {
    /// Parses the host of an `allow` rule.
    pub(crate) fn parse_allow(text: &str) -> Result<Self, (String, Option<String>)> {
        let pattern = Self::parse(text)?;
        if let Self::Below(name) = &pattern
            && (!name.contains('.') || SHARED_SUFFIXES.contains(&name.as_str()))
        {
            let message = format!(
                "`*.{name}` would allow hosts of anybody: name a domain below `{name}`, or `*` for every host"
            );
            return Err((message, Some(format!("*.example.{name}"))));
        }
        Ok(pattern)
    }

    /// Parses a host, `*.domain` or `*`. The error is a message and a suggestion.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let shown = crate::text::quoted(text);
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.len() > 260 {
            return Err((format!("{shown} is too long for a host"), None));
        }
        if let Some((_, rest)) = text.split_once("://") {
            let host = rest
                .split(['/', '?', '#'])
                .next()
                .filter(|host| Host::parse(host).is_some());
            return Err((
                format!("{shown} is a URL, not a host"),
                host.map(str::to_owned),
            ));
        }
        let (domain, below) = text
            .strip_prefix("*.")
            .map_or((text, false), |domain| (domain, true));
        if domain.contains('*') {
            return Err((
                format!("{shown} has a `*` that is not a whole first label"),
                None,
            ));
        }
        let host = Host::parse(domain).ok_or_else(|| not_a_host(domain, &shown))?;
        match host {
            Host::Name(name) if below => Ok(Self::Below(name)),
            Host::Address(_) if below => {
                Err((format!("{shown} puts `*` before an IP address"), None))
            }
            Host::Address(address) if text.trim_matches(['[', ']']).parse() != Ok(address) => {
                Err((
                    format!("{shown} is an unusual spelling of an IP address"),
                    Some(address.to_string()),
                ))
            }
            host => Ok(Self::Exact(host)),
        }
    }

    pub(crate) fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exact(exact), host) => exact == host,
            (_, Host::Name(name)) if METADATA_NAMES.contains(&name.as_str()) => false,
            (Self::Any, _) => true,
            (Self::Below(domain), Host::Name(name)) => is_below(name, domain),
            (Self::Below(_), Host::Address(_)) => false,
        }
    }

    /// Returns whether a `deny` rule with this pattern denies the host. Unlike
    /// [`HostPattern::matches`] it has no exceptions.
    pub(crate) fn denies(&self, host: &Host) -> bool {
        matches!(self, Self::Any)
            || self.matches(host)
            || matches!((self, host), (Self::Below(domain), Host::Name(name)) if is_below(name, domain))
    }

    /// Returns whether this pattern matches every host that `other` matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (pattern, Self::Exact(host)) => pattern.matches(host),
            (Self::Any, _) => true,
            (Self::Below(domain), Self::Below(name)) => name == domain || is_below(name, domain),
            _ => false,
        }
    }
}

fn not_a_host(text: &str, shown: &str) -> (String, Option<String>) {
    let with_port = text
        .rsplit_once(':')
        .filter(|(host, port)| port.parse::<u16>().is_ok() && Host::parse(host).is_some());
    match with_port {
        Some((host, _)) => (
            format!("{shown} has a port, which belongs into `ports`"),
            Some(host.to_owned()),
        ),
        None => (format!("{shown} is not a host name or an IP address"), None),
    }
}

/// Returns whether `name` is a subdomain of `domain`: whole labels, never a suffix of text.
fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(host) => write!(f, "{host}"),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, host: &str) -> bool {
        Host::from_ask(host).is_ok_and(|host| HostPattern::parse(pattern).unwrap().matches(&host))
    }

    #[test]
    fn whole_labels_in_one_spelling() {
        for (pattern, host) in [
            ("api.example.org", "API.Example.org."),
            ("*.example.org", "a.b.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*", "203.0.113.9"),
            ("::1", "[0:0::1]"),
        ] {
            assert!(matches(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("*.example.org", "example.org"),
            ("*.example.org", "evilexample.org"),
            ("example.org", "example.org.evil"),
            ("example.org", "еxample.org"),
            ("example.org", "ｅxample.org"),
            ("example.org", "example.org.."),
            ("*", "2130706433"),
            ("*", "0x7f.1"),
            ("*", "127.1"),
            ("*", "0251.0376.0251.0376"),
            ("*", "metadata.google.internal"),
            ("*", "a%2ecom"),
            ("*", "::1%lo"),
            ("*", ""),
        ] {
            assert!(!matches(pattern, host), "{pattern} {host}");
        }
    }

    #[test]
    fn patterns_that_would_mislead_are_refused() {
        for text in [
            "*.com",
            "*.co.uk",
            "a.*.org",
            "*example.org",
            "https://example.org",
            "example.org:443",
            "127.1",
            "a b",
            "",
            "*.10.0.0.1",
            ".",
        ] {
            assert!(HostPattern::parse_allow(text).is_err(), "{text}");
        }
    }
}
