//! Checks of a configuration: which values conflict, and which addresses are not safe to call?

mod problem;

use super::{AlertRule, Config, ConfigError, Jwt};
use glovebox_wire::records::AlertKind;
use toml::de::{DeTable, DeValue};

impl Config {
    /// Checks what no value can tell by itself.
    pub(super) fn check(&self) -> Result<(), Misfit> {
        let limits = &self.limits;
        if let (Some(memory), Some(of_subject)) = (limits.memory, limits.memory_per_subject)
            && of_subject > memory
        {
            let message = format!(
                "`limits.memory_per_subject` is {of_subject} bytes, which is more than `limits.memory`, {memory}"
            );
            return Err(Misfit::at(&["limits", "memory_per_subject"], message));
        }
        if let Some(jwt) = &self.jwt {
            jwt.check()?;
        }
        for (number, rule) in self.alerts.iter().enumerate() {
            rule.check()
                .map_err(|misfit| misfit.within(&["alerts", &number.to_string()]))?;
        }
        for (number, origin) in self.origins.iter().enumerate() {
            if origin == "*"
                || origin == "null"
                || !origin.starts_with("http")
                || origin.ends_with('/')
            {
                let message = format!(
                    "`{origin}` is no origin; write `https://console.example.org`, without a path"
                );
                return Err(Misfit::at(&["origins", &number.to_string()], message));
            }
        }
        Ok(())
    }
}

impl Jwt {
    fn check(&self) -> Result<(), Misfit> {
        // Everything that could be read as a URL is one; a file has no scheme.
        if self.jwks.contains("://") {
            check_address("jwt.jwks", &self.jwks)
                .map_err(|message| Misfit::at(&["jwt", "jwks"], message))?;
        }
        for (name, value) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if value.is_empty() {
                let message = format!("`jwt.{name}` is empty: without it any token would do");
                return Err(Misfit::at(&["jwt", name], message));
            }
        }
        Ok(())
    }
}

impl AlertRule {
    fn check(&self) -> Result<(), Misfit> {
        let wrong = |key: &str, text: &str| {
            let name = self.name.escape_debug();
            Err(Misfit::at(&[key], format!("the alert `{name}` {text}")))
        };
        if !(1..=10_000).contains(&self.count) {
            return wrong("count", "counts to 1 at least, and to 10000 at most");
        }
        if self.severity.is_some() && self.on != AlertKind::Finding {
            return wrong("severity", "has a `severity`, which only findings have");
        }
        match &self.webhook {
            Some(webhook) => check_address("webhook", webhook)
                .map_err(|message| Misfit::at(&["webhook"], message)),
            None if self.secret_file.is_some() => {
                wrong("secret_file", "has a secret and no webhook to sign for")
            }
            None => Ok(()),
        }
    }
}

/// A value that does not fit the rest of the config.
pub(super) struct Misfit {
    /// The keys and indexes that lead to it.
    path: Vec<String>,
    message: String,
}

impl Misfit {
    fn at(path: &[&str], message: String) -> Self {
        Self {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            message,
        }
    }

    /// Returns the error, with the position of the value in the text.
    pub(super) fn locate(self, text: &str) -> ConfigError {
        let (line, column) = position(text, &self.path);
        ConfigError::Value {
            line,
            column,
            message: self.message,
        }
    }

    fn within(mut self, path: &[&str]) -> Self {
        let outer = path.iter().map(|key| (*key).to_owned());
        self.path = outer.chain(self.path).collect();
        self
    }
}

/// Returns line and column, both from 1, of a value, or of the innermost one around it that the
/// text has.
fn position(text: &str, path: &[String]) -> (usize, usize) {
    let Ok(table) = DeTable::parse(text) else {
        return (1, 1);
    };
    let mut steps = path.iter();
    let mut at = steps
        .next()
        .and_then(|key| table.get_ref().get(key.as_str()));
    let mut start = 0;
    while let Some(value) = at {
        start = value.span().start;
        at = steps.next().and_then(|key| match value.get_ref() {
            DeValue::Table(table) => table.get(key.as_str()),
            DeValue::Array(array) => array.get(key.parse::<usize>().ok()?),
            _ => None,
        });
    }
    line_and_column(text, start)
}

/// Returns line and column, both from 1, of a byte of a text.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count());
    (line, column + 1)
}

/// Refuses plaintext URLs, whose traffic could be read or changed in transit.
///
/// # Errors
///
/// The reason why it cannot be used.
fn check_address(name: &str, address: &str) -> Result<(), String> {
    let wrong = |what: &str| format!("`{name}` is `{}`: {what}", address.escape_debug());
    let parsed = url::Url::parse(address)
        .map_err(|error| wrong(&format!("that is no address ({error})")))?;
    if address.contains('\\') {
        return Err(wrong("a backslash is read in different ways"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(wrong(
            "a user name or password in an address is refused, because it reads like the host",
        ));
    }
    let is_loopback = match parsed.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if parsed.scheme() == "https" || (parsed.scheme() == "http" && is_loopback) {
        return Ok(());
    }
    Err(wrong(
        "write an `https` address; `http` is taken on this machine only",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(cases: &[(&str, &str)]) {
        for (wrong, says) in cases {
            let error = Config::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn value_that_conflicts_with_others_is_refused_with_its_position() {
        check_refused(&[
            (
                "[limits]\nmemory = \"1GiB\"\nmemory_per_subject = \"2GiB\"",
                "line 3, column 22: `limits.memory_per_subject` is 2147483648 bytes, which is more than",
            ),
            (
                "origins = [\"https://a.example.org\",\n  \"*\"]",
                "line 2, column 3: `*` is no origin",
            ),
            (
                "[jwt]\nissuer = \"i\"\naudience = \"\"\njwks = \"k.json\"",
                "any token would do",
            ),
            (
                "[[alerts]]\nname = \"x\"\non = \"denied\"\ncount = 0",
                "line 4, column 9: the alert `x` counts to 1 at least",
            ),
        ]);
    }

    #[test]
    fn address_of_keys_is_encrypted_or_local() {
        for jwks in [
            "https://example.org/k",
            "http://127.0.0.1:8080/k",
            "http://127.9.9.9/k",
            "http://[::1]:1/k",
            "http://localhost/k",
            "keys.json",
        ] {
            let text = format!("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"{jwks}\"");
            assert!(Config::parse(&text).is_ok(), "{jwks}");
        }
    }

    #[test]
    fn plaintext_or_ambiguous_address_is_refused() {
        check_refused(&[
            (
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://example.org/k\"",
                "on this machine only",
            ),
            (
                "[[alerts]]\nname = \"x\"\non = \"denied\"\nwebhook = \"http://127.0.0.1.example.org/\"",
                "on this machine only",
            ),
            (
                "[[alerts]]\nname = \"x\"\non = \"denied\"\nwebhook = \"hooks.example.org\"",
                "no address",
            ),
            (
                "[[alerts]]\nname = \"x\"\non = \"denied\"\nwebhook = \"file:///etc/passwd\"",
                "on this machine only",
            ),
            (
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://127.0.0.1:x@example.org/k\"",
                "user name or password",
            ),
            (
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://localhost@example.org/k\"",
                "user name or password",
            ),
            (
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"https://user:secret@example.org/k\"",
                "user name or password",
            ),
            (
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://127.0.0.1\\\\@example.org/k\"",
                "backslash",
            ),
            (
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://127.0.0.1:80.example.org/k\"",
                "no address",
            ),
        ]);
    }
}
