//! Package ecosystem: where do a language's packages come from, and how are they named?

/// A package ecosystem: the source of a language's packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Python's packages.
    Python,
    /// The packages of JavaScript and TypeScript.
    JavaScript,
}

impl Ecosystem {
    /// All ecosystems.
    pub const ALL: [Self; 2] = [Self::Python, Self::JavaScript];

    /// The key in a profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
        }
    }

    /// Returns the normalized name of a package.
    ///
    /// # Errors
    ///
    /// The reason why it is not a valid name.
    pub(crate) fn normalise(self, name: &str) -> Result<String, &'static str> {
        match self {
            Self::Python => python_name(name),
            Self::JavaScript => javascript_name(name),
        }
    }
}

/// Normalizes a Python name (PEP 503): lower case, and any run of `-`, `_` and `.` is one `-`.
fn python_name(name: &str) -> Result<String, &'static str> {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !plain || name.len() > 200 || !edge(name.as_bytes().first()) || !edge(name.as_bytes().last())
    {
        return Err(
            "a package is a plain name, such as `requests`, with no address, path or option, of ASCII letters, digits, `-`, `_` and `.`",
        );
    }
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    Ok(out)
}

/// Checks an npm name: lower case, with an optional scope: `@scope/name`.
fn javascript_name(name: &str) -> Result<String, &'static str> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
    };
    let plain = match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(name),
    };
    if plain && name.len() <= 200 && !matches!(name, "node_modules" | "favicon.ico") {
        Ok(name.to_owned())
    } else {
        Err(
            "a package is a plain name, such as `lodash` or `@scope/name`, with no address, path or option, of lower-case ASCII letters, \
             digits, `-`, `_` and `.`",
        )
    }
}
