//! IP address classification, the SSRF guard: is this address on the public internet?
//!
//! Everything but plain global unicast is refused unless the policy names it: loopback, private,
//! link-local, shared, multicast, reserved, documentation, and IPv6 forms that embed an IPv4
//! address. Metadata services hand out credentials, so they must be named alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Addresses of metadata and credential services of clouds.
const METADATA: [IpAddr; 13] = [
    v4(169, 254, 169, 254),
    v4(169, 254, 170, 2),
    v4(169, 254, 170, 23),
    v4(169, 254, 169, 253),
    v4(169, 254, 169, 123),
    v4(169, 254, 0, 23),
    v4(169, 254, 42, 42),
    v4(100, 100, 100, 200),
    v4(168, 63, 129, 16),
    v4(192, 0, 0, 192),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Special ranges of IPv4, by the IANA special-purpose address registry.
const SPECIAL_V4: [(Ipv4Net, &str); 17] = [
    (net4(0, 0, 0, 0, 8), "an address of this network"),
    (net4(10, 0, 0, 0, 8), "private"),
    (
        net4(100, 64, 0, 0, 10),
        "shared by a provider (carrier-grade NAT)",
    ),
    (net4(127, 0, 0, 0, 8), "loopback"),
    (net4(169, 254, 0, 0, 16), "link-local"),
    (net4(172, 16, 0, 0, 12), "private"),
    (net4(192, 0, 0, 0, 24), "reserved for protocols"),
    (net4(192, 0, 2, 0, 24), "for documentation"),
    (net4(192, 88, 99, 0, 24), "a 6to4 relay"),
    (net4(192, 168, 0, 0, 16), "private"),
    (net4(198, 18, 0, 0, 15), "for benchmarks"),
    (net4(198, 51, 100, 0, 24), "for documentation"),
    (net4(203, 0, 113, 0, 24), "for documentation"),
    (net4(224, 0, 0, 0, 4), "multicast"),
    (net4(255, 255, 255, 255, 32), "broadcast"),
    (net4(240, 0, 0, 0, 4), "reserved"),
    (net4(192, 31, 196, 0, 24), "an anycast sink"),
];

/// Special ranges of IPv6; addresses outside `2000::/3` are refused even if they are not here.
const SPECIAL_V6: [(Ipv6Net, &str); 16] = [
    (net6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified"),
    (net6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback"),
    (
        net6([0, 0, 0, 0, 0, 0, 0, 0], 96),
        "an IPv4-compatible address",
    ),
    (
        net6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96),
        "an IPv4-translated address",
    ),
    (
        net6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),
        "a NAT64 address",
    ),
    (
        net6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
        "a local NAT64 address",
    ),
    (net6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "a sink"),
    (
        net6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        "for documentation",
    ),
    (
        net6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
        "for protocols and tunnels (Teredo, ORCHID)",
    ),
    (net6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "a 6to4 address"),
    (net6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "for documentation"),
    (
        net6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),
        "for segment routing",
    ),
    (
        net6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
        "private (unique local)",
    ),
    (net6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (net6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site-local"),
    (net6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
];

/// The part of IPv6 that is global unicast.
const GLOBAL_V6: Ipv6Net = net6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn net4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn net6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Returns whether an address is on the public internet, so that no policy has to name it.
pub fn is_public(address: IpAddr) -> bool {
    refused(address, &[]).is_none()
}

/// Converts an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) to IPv4; a socket connects to the same.
pub(crate) fn unwrap_mapped(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Returns the reason why an address is refused, and the range that a policy would have to name;
/// `None` if it is public or named.
pub(crate) fn refused(address: IpAddr, named: &[IpNet]) -> Option<(String, String)> {
    let address = unwrap_mapped(address);
    let own = classify(address)
        .filter(|_| !is_named(address, named))
        .map(|class| (class.to_owned(), IpNet::from(address).to_string()));
    // A tunnel leads to the embedded address, so that has to be allowed too.
    own.or_else(|| {
        embedded(address).into_iter().find_map(|inner| {
            let (class, needed) = refused(IpAddr::V4(inner), named)?;
            Some((format!("{class} (inside {address})"), needed))
        })
    })
}

/// Returns the special range of an address; `None` for the public internet.
fn classify(address: IpAddr) -> Option<&'static str> {
    if METADATA.contains(&address) {
        return Some("a metadata service");
    }
    match address {
        IpAddr::V4(v4) => SPECIAL_V4
            .iter()
            .find(|(net, _)| net.contains(&v4))
            .map(|(_, class)| *class),
        IpAddr::V6(v6) => {
            let known = SPECIAL_V6
                .iter()
                .find(|(net, _)| net.contains(&v6))
                .map(|(_, class)| *class);
            known.or((!GLOBAL_V6.contains(&v6)).then_some("not global unicast"))
        }
    }
}

/// Returns whether a policy names the address: alone if it is a metadata service, else by any range
/// around it.
pub(crate) fn is_named(address: IpAddr, named: &[IpNet]) -> bool {
    let alone = METADATA.contains(&address);
    named
        .iter()
        .any(|net| net.contains(&address) && (!alone || net.prefix_len() == net.max_prefix_len()))
}

/// Returns the IPv4 addresses embedded in an IPv6 address: compatible, translated, NAT64, 6to4,
/// Teredo and ISATAP.
fn embedded(address: IpAddr) -> Vec<Ipv4Addr> {
    let IpAddr::V6(v6) = address else {
        return Vec::new();
    };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    let mut found = Vec::new();
    if v6.is_unspecified() || v6.is_loopback() {
        return found;
    }
    if matches!(
        [a, b, c, d, e, f],
        [0, 0, 0, 0, 0, 0] | [0, 0, 0, 0, 0xffff, 0]
    ) || (a, b) == (0x64, 0xff9b)
    {
        found.push(join(g, h));
    }
    if a == 0x2002 {
        found.push(join(b, c));
    }
    if (a, b) == (0x2001, 0) {
        // Teredo: the server's address as it is, the client's inverted.
        found.extend([join(c, d), join(!g, !h)]);
    }
    if matches!(e, 0 | 0x200) && f == 0x5efe {
        found.push(join(g, h));
    }
    found
}

/// Parses a range that a policy names: it must lie inside one special range, so that it is clear
/// what it opens.
pub(crate) fn parse_private_range(text: &str) -> Result<IpNet, (String, Option<String>)> {
    let shown = crate::text::quoted(text);
    let net = match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
        (Ok(net), _) => net,
        (_, Ok(address)) => {
            return Err((
                format!("{shown} is an address, not a range"),
                Some(IpNet::from(address).to_string()),
            ));
        }
        _ => {
            return Err((
                format!("{shown} is not a range of addresses"),
                Some("10.1.2.0/24".to_owned()),
            ));
        }
    };
    if net.trunc() != net {
        return Err((
            format!("{shown} has bits set after its prefix"),
            Some(net.trunc().to_string()),
        ));
    }
    if let IpNet::V6(v6) = net
        && v6.addr().to_ipv4_mapped().is_some()
    {
        return Err((
            format!("{shown} is an IPv4 range inside IPv6; write it as IPv4"),
            None,
        ));
    }
    let special = match net {
        IpNet::V4(net) => SPECIAL_V4.iter().any(|(special, _)| special.contains(&net)),
        IpNet::V6(net) => SPECIAL_V6.iter().any(|(special, _)| special.contains(&net)),
    };
    // A single one may be a metadata service, or an address of the machine itself, which has to be
    // named even if it is public.
    let alone = net.prefix_len() == net.max_prefix_len();
    if special || alone {
        return Ok(net);
    }
    let reason = "does not lie inside one private or special range; public addresses need no naming, but for this machine's own, one by one";
    Err((format!("{shown} {reason}"), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_global_unicast_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "100.63.255.255",
            "172.32.0.1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "10.0.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.170.2",
            "100.64.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2606:4700::5efe:7f00:1",
            "2606:4700::200:5efe:a00:1",
            "4000::1",
            "64:ff9b::101:101",
            "fec0::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn naming_opens_exactly_that() {
        let allowed = |address: &str, named: &[&str]| {
            let named: Vec<IpNet> = named
                .iter()
                .map(|net| parse_private_range(net).unwrap())
                .collect();
            refused(address.parse().unwrap(), &named).is_none()
        };
        assert!(allowed("10.1.2.3", &["10.1.2.0/24"]) && !allowed("10.1.3.3", &["10.1.2.0/24"]));
        assert!(allowed("::ffff:10.1.2.3", &["10.1.2.0/24"]));
        assert!(
            !allowed("169.254.169.254", &["169.254.0.0/16"])
                && allowed("169.254.169.254", &["169.254.169.254/32"])
        );
        assert!(
            allowed("64:ff9b::101:101", &["64:ff9b::/96"])
                && !allowed("64:ff9b::7f00:1", &["64:ff9b::/96"])
        );
        for bad in [
            "0.0.0.0/0",
            "8.8.8.0/24",
            "10.0.0.0/7",
            "10.1.2.3/24",
            "10.1.2.3",
            "::/0",
            "2000::/3",
            "::ffff:10.0.0.0/104",
            "x",
            "192.0.0.0/8",
        ] {
            assert!(parse_private_range(bad).is_err(), "{bad}");
        }
    }
}
