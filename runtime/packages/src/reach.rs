//! Reachable package servers (SSRF protection): from which servers may an archive come, and which
//! receives the user's credentials?
//!
//! The pages of an index name the URLs of archives, which need not be at the index: those of PyPI
//! are at another host. But the author of such a page must not reach through it what only this
//! machine reaches (server-side request forgery): servers on this machine, in its network, or the
//! metadata of its cloud. So an archive comes from the host that the policy names, or from a public
//! address. For a private index, its neighbours are allowed as well: names in the same domain, for
//! which no other owner has certificates, or, if the policy names it by its address, addresses of
//! the same kind. Names are resolved here and each address is checked before the connection, at
//! every redirect.
//!
//! Credentials go to the origin that the policy names, by scheme, host and port, and nowhere else.

use glovebox_host::address::is_of_this_machine;
use glovebox_policy::network::address::is_public;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The proxy variables of an HTTPS client.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The host of PyPI's archives. It is trusted as PyPI itself is, at whatever address: mirrors stand
/// in for both by their names, and by certificates that this machine trusts.
const PYPI_FILES: &str = "files.pythonhosted.org";

/// Labels of the shortest domain name that an organisation can register.
const OWNED_DOMAIN_LABELS: usize = 2;

/// The allowed servers of one index.
#[derive(Clone, Debug)]
pub(crate) struct Reach(Arc<AllowedServers>);

#[derive(Debug)]
struct AllowedServers {
    index: Url,
    host: String,
    proxies: Vec<String>,
    is_own: fn(IpAddr) -> bool,
}

/// The reason why a host cannot be reached.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The kind of a private address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Loopback,
    Network,
}

impl Kind {
    /// Returns none for public addresses, and for those where no index is: metadata, link-local and
    /// multicast addresses.
    fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            address if address.is_loopback() => Some(Self::Loopback),
            IpAddr::V4(v4) => v4.is_private().then_some(Self::Network),
            // Clouds have their metadata at unique local addresses as well.
            IpAddr::V6(v6) => (v6.is_unique_local()
                && !matches!(v6.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..]))
            .then_some(Self::Network),
        }
    }
}

/// Returns the normalized host of a URL.
fn host(url: &Url) -> Option<String> {
    Some(plain(url.host_str()?))
}

fn plain(host: &str) -> String {
    host.trim_end_matches('.')
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase()
}

/// Returns the address of a host that is an IP literal.
fn address(host: &str) -> Option<IpAddr> {
    match host.parse() {
        Ok(address) => Some(address),
        Err(_) => (host == "localhost").then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    }
}

impl Reach {
    pub(crate) fn new(index: Url) -> Self {
        Self::with(index, is_of_this_machine)
    }

    fn with(index: Url, is_own: fn(IpAddr) -> bool) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the proxies that the client uses"
        )]
        let set = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
        let proxies = set
            .filter_map(|proxy| {
                host(
                    &Url::parse(&proxy)
                        .or_else(|_| Url::parse(&format!("http://{proxy}")))
                        .ok()?,
                )
            })
            .collect();
        let host = host(&index).unwrap_or_default();
        Self(Arc::new(AllowedServers {
            index,
            host,
            proxies,
            is_own,
        }))
    }

    /// Returns the index that the policy names.
    pub(crate) fn index(&self) -> &Url {
        &self.0.index
    }

    /// Returns whether the credentials of the index are for this URL as well.
    pub(crate) fn has_key(&self, url: &Url) -> bool {
        url.origin() == self.0.index.origin()
    }

    /// Checks whether an archive may be fetched from a URL.
    ///
    /// # Errors
    ///
    /// The reason why nothing may be fetched from there.
    pub(crate) fn check(&self, url: &Url) -> Result<(), String> {
        if url.scheme() != "https" {
            return Err("the index does not have it at an `https` address".to_owned());
        }
        let host = host(url).ok_or("its address has no host")?;
        if self.0.proxies.contains(&host) && host != self.0.host {
            return Err(format!(
                "the index has it at `{}`, which is the proxy",
                host.escape_debug()
            ));
        }
        match address(&host) {
            Some(address) => self.judge(&host, address),
            None => Ok(()),
        }
    }

    /// Returns whether the environment names a proxy.
    pub(crate) fn has_proxy(&self) -> bool {
        !self.0.proxies.is_empty()
    }

    /// Resolves a host and checks its addresses.
    ///
    /// # Errors
    ///
    /// If there are none, or one is not allowed.
    pub(crate) async fn lookup(&self, name: &str) -> Result<Vec<SocketAddr>, Failure> {
        let host = plain(name);
        #[expect(clippy::disallowed_methods, reason = "what is found is judged below")]
        let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
        // A proxy resolves the names of others itself, and only the environment chooses it.
        if !self.0.proxies.contains(&host) {
            for one in &found {
                self.judge(&host, one.ip()).map_err(Failure::from)?;
            }
        }
        Ok(found)
    }

    fn judge(&self, host: &str, address: IpAddr) -> Result<(), String> {
        if self.allows(host, address) {
            return Ok(());
        }
        let kind = if is_public(address) {
            "an address of this machine"
        } else {
            "no public address"
        };
        Err(format!(
            "the index has it at `{}`, and {address} is {kind}; archives come from the host of the index (`{}`), its neighbours or \
             public addresses",
            host.escape_debug(),
            self.0.host.escape_debug()
        ))
    }

    fn allows(&self, host: &str, found: IpAddr) -> bool {
        if host == self.0.host || host == PYPI_FILES {
            return true;
        }
        // A server of this machine may trust local clients, however public its address is.
        if is_public(found) {
            return !(self.0.is_own)(found);
        }
        let Some(kind) = Kind::of(found) else {
            return false;
        };
        match address(&self.0.host) {
            Some(index) => address(host).is_some() && Kind::of(index) == Some(kind),
            None => kind == Kind::Network && is_neighbour(&self.0.host, host),
        }
    }
}

/// Returns whether two names are in one domain.
fn is_neighbour(index: &str, host: &str) -> bool {
    let Some((_, domain)) = index.split_once('.') else {
        return false;
    };
    let is_below = || {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    domain.split('.').count() >= OWNED_DOMAIN_LABELS && is_below()
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            Ok::<Addrs, Failure>(Box::new(this.lookup(name.as_str()).await?.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_come_from_the_index_its_neighbours_and_public_addresses() {
        let public = "93.184.216.34";
        for (index, host, address, is_allowed) in [
            // PyPI, whose files are elsewhere, and pages that name this machine, its network or its
            // cloud.
            ("pypi.org", "files.pythonhosted.org", public, true),
            ("pypi.org", "files.pythonhosted.org", "2606:4700::1", true),
            ("pypi.org", "files.pythonhosted.org", "10.0.0.1", true),
            ("pypi.org", "x.files.pythonhosted.org", "10.0.0.1", false),
            ("pypi.org", "localhost", "127.0.0.1", false),
            ("pypi.org", "evil.example", "127.0.0.1", false),
            ("pypi.org", "evil.example", "::1", false),
            ("pypi.org", "evil.example", "::ffff:10.0.0.1", false),
            ("pypi.org", "evil.example", "10.0.0.1", false),
            ("pypi.org", "evil.example", "0.0.0.0", false),
            (
                "pypi.org",
                "metadata.google.internal",
                "169.254.169.254",
                false,
            ),
            ("pypi.org", "evil.example", "fd00:ec2::254", false),
            ("pypi.org", "evil.example", "168.63.129.16", false),
            ("pypi.org", "intranet.org", "10.0.0.1", false),
            // A private index and its neighbours.
            ("pypi.corp.example", "pypi.corp.example", "10.0.0.1", true),
            (
                "pypi.corp.example",
                "files.corp.example",
                "192.168.1.1",
                true,
            ),
            ("pypi.corp.example", "corp.example", "fd12::1", true),
            (
                "pypi.corp.example",
                "files.elsewhere.example",
                "10.0.0.1",
                false,
            ),
            ("pypi.corp.example", "notcorp.example", "10.0.0.1", false),
            (
                "pypi.corp.example",
                "files.corp.example",
                "127.0.0.1",
                false,
            ),
            (
                "pypi.corp.example",
                "files.corp.example",
                "169.254.169.254",
                false,
            ),
            (
                "pypi.corp.example",
                "files.corp.example",
                "100.100.100.200",
                false,
            ),
            ("pypi", "pypi", "10.0.0.1", true),
            ("pypi", "jenkins", "10.0.0.1", false),
            // An index that the policy names by its address.
            ("127.0.0.1", "127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "localhost", "127.0.0.1", true),
            ("localhost", "[::1]", "::1", true),
            ("127.0.0.1", "evil.example", "127.0.0.1", false),
            ("127.0.0.1", "10.0.0.1", "10.0.0.1", false),
            ("10.0.0.1", "10.0.0.2", "10.0.0.2", true),
            ("10.0.0.1", "127.0.0.1", "127.0.0.1", false),
            ("127.0.0.1", "169.254.169.254", "169.254.169.254", false),
        ] {
            let reach = Reach::new(Url::parse(&format!("https://{index}:8443/simple/")).unwrap());
            assert_eq!(
                reach.allows(&plain(host), address.parse().unwrap()),
                is_allowed,
                "{index} {host} {address}"
            );
        }
    }

    #[test]
    fn public_addresses_of_this_machine_are_refused() {
        let (own, other) = ("93.184.216.34", "93.184.216.35");
        let is_own = |address: IpAddr| address.to_string() == "93.184.216.34";
        for (index, host, address, is_allowed) in [
            ("pypi.org", "evil.example", own, false),
            ("pypi.org", "evil.example", other, true),
            ("pypi.corp.example", "files.corp.example", own, false),
            ("pypi.corp.example", "pypi.corp.example", own, true),
            (own, own, own, true),
            (other, own, own, false),
        ] {
            let index = Url::parse(&format!("https://{index}/simple/")).unwrap();
            let judged = Reach::with(index, is_own).judge(host, address.parse().unwrap());
            assert_eq!(judged.is_ok(), is_allowed, "{host} {address}: {judged:?}");
            if let Err(message) = judged {
                assert!(message.contains("of this machine"), "{message}");
            }
        }
    }

    #[test]
    fn an_address_is_judged_however_it_is_written() {
        let reach = Reach::new(Url::parse("https://pypi.org/simple/").unwrap());
        for good in [
            "https://files.pythonhosted.org/a.whl",
            "https://pypi.org/a.whl",
            "https://1.1.1.1/a.whl",
            "https://[2606:4700::1]/a.whl",
        ] {
            reach.check(&Url::parse(good).unwrap()).unwrap();
        }
        for bad in [
            "http://files.pythonhosted.org/a.whl",
            "file:///etc/passwd",
            "https://127.1/a.whl",
            "https://0x7f000001/a.whl",
            "https://2130706433/a.whl",
            "https://LOCALHOST./a.whl",
            "https://[::ffff:127.0.0.1]/a.whl",
            "https://[::]/a.whl",
            "https://169.254.169.254/latest/meta-data/a.whl",
            "https://[64:ff9b::a9fe:a9fe]/a.whl",
        ] {
            assert!(reach.check(&Url::parse(bad).unwrap()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_key_is_for_one_origin() {
        let reach = Reach::new(Url::parse("https://pypi.corp.example/simple/").unwrap());
        for (url, has_key) in [
            ("https://pypi.corp.example/files/a.whl", true),
            ("https://pypi.corp.example:443/files/a.whl", true),
            ("https://pypi.corp.example:8443/files/a.whl", false),
            ("http://pypi.corp.example/files/a.whl", false),
            ("https://files.corp.example/a.whl", false),
            ("https://pypi.corp.example.evil.example/a.whl", false),
        ] {
            assert_eq!(reach.has_key(&Url::parse(url).unwrap()), has_key, "{url}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_where_they_are_resolved() {
        let resolve = async |index: &str| {
            let reach = Reach::new(Url::parse(&format!("https://{index}/")).unwrap());
            reach
                .resolve("localhost".parse().unwrap())
                .await
                .map(Iterator::count)
        };
        assert!(
            resolve("pypi.org")
                .await
                .unwrap_err()
                .to_string()
                .contains("no public address")
        );
        assert!(resolve("localhost").await.unwrap() > 0);
    }
}
