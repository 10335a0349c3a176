//! HTTP request target: which URL does a program want to fetch?

use url::Url;

use super::host::Host;
use crate::denial::Denial;
use crate::text::{quoted, toml_string, toml_strings};

/// One HTTP request of a program or a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAsk {
    /// `https` or `http`.
    pub scheme: String,
    /// The normalized host: lower case, Punycode, or an IP address.
    pub host: String,
    /// The port; the scheme's default if the URL names none.
    pub port: u16,
    /// The method, such as `GET`. Case-sensitive.
    pub method: String,
    /// The path, with or without the query.
    pub path: String,
}

impl HttpAsk {
    /// Parses a URL exactly as it is then connected to. A program's URL and the target of a
    /// redirect (after joining it with the URL it came from) both go through here.
    ///
    /// # Errors
    ///
    /// A denial for any URL that parsers are known to read differently: user info, backslashes,
    /// white space and control characters, percent-encoded or internationalised hosts, unusual
    /// spellings of IP addresses; and for schemes other than `http` and `https`.
    pub fn from_url(method: &str, url: &str) -> Result<Self, Denial> {
        let invalid_request = |reason: &str| {
            Denial::invalid_request(
                "network.url",
                format!("{} {}", quoted(method), quoted(url)),
                reason,
            )
        };
        if url.len() > 16_384 {
            return Err(invalid_request("the URL is too long"));
        }
        if url
            .bytes()
            .any(|byte| byte <= b' ' || byte == b'\\' || byte >= 0x7f)
        {
            return Err(invalid_request(
                "the URL has white space, a control character, a backslash or a character outside ASCII",
            ));
        }
        let parsed = Url::parse(url).map_err(|_| invalid_request("the URL cannot be read"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(invalid_request("only http and https are offered"));
        }
        let authority = written_authority(url)
            .ok_or_else(|| invalid_request("the URL has no `//` and host after its scheme"))?;
        if authority.contains('@') {
            return Err(invalid_request("the URL has a user name or password"));
        }
        let host = parsed.host_str().unwrap_or_default().to_owned();
        let port = parsed
            .port_or_known_default()
            .filter(|port| *port != 0)
            .ok_or_else(|| invalid_request("the URL has no usable port"))?;
        let written = Host::from_ask(strip_port(authority)).map_err(invalid_request)?;
        if Host::from_ask(&host) != Ok(written) {
            return Err(invalid_request("the URL's host can be read in two ways"));
        }
        let path = parsed.query().map_or_else(
            || parsed.path().to_owned(),
            |query| format!("{}?{query}", parsed.path()),
        );
        Ok(Self {
            scheme: parsed.scheme().to_owned(),
            host,
            port,
            method: method.to_owned(),
            path,
        })
    }

    /// Returns the lines of a rule that allows exactly this scheme, host, port and method.
    pub(crate) fn rule_lines(&self, host: &Host) -> Vec<(&'static str, String)> {
        vec![
            ("host", toml_string(&host.to_string())),
            ("schemes", toml_strings([&self.scheme])),
            ("ports", format!("[{}]", self.port)),
            ("methods", toml_strings([&self.method])),
        ]
    }
}

/// The authority of a URL as written: the text between `//` and the path.
fn written_authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once(':')?;
    rest.strip_prefix("//")?.split(['/', '?', '#']).next()
}

/// The authority without `:port`; an IPv6 address keeps its brackets.
fn strip_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// The request without its query, which may hold secrets.
impl std::fmt::Display for HttpAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        f.write_str(&quoted(&format!(
            "{} {}://{host}:{}{path}",
            self.method, self.scheme, self.port
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_only() {
        let ask = HttpAsk::from_url("GET", "https://API.example.org/a/../b?q=1#f").unwrap();
        assert_eq!(
            (ask.host.as_str(), ask.port, ask.path.as_str()),
            ("api.example.org", 443, "/b?q=1")
        );
        assert_eq!(
            HttpAsk::from_url("GET", "http://[2606:4700::1]:8080/")
                .unwrap()
                .port,
            8080
        );
        for url in [
            "http://allowed@169.254.169.254/",
            "http://a%2Ecom%40evil/",
            "http://allowed.com:80@x/",
            "http://ALLOWED.com\\.evil/",
            "http://allowed.com\t.evil/",
            "http://allowed.com\n/",
            "http://еxample.org/",
            "http:/example.org/",
            "http:example.org",
            "http:///example.org/",
            "file:///etc/passwd",
            "gopher://x/",
            "ftp://x/",
            "http://2852039166/",
            "http://0251.0376.0251.0376/",
            "http://0xa9fea9fe/",
            "http://127.1/",
            "http://[::1%25lo]/",
            "http://x:0/",
            "http://x:99999/",
            "//x/",
            "x",
            "",
            "http://x..y/",
            "http://@x/",
            "data:text/plain,x",
            "http://%6c/",
            "http://１２７.0.0.1/",
        ] {
            assert!(HttpAsk::from_url("GET", url).is_err(), "{url}");
        }
    }
}
