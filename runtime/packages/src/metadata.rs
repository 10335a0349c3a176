//! Inline script metadata (PEP 723): which packages does a Python program declare?

use glovebox::Error;
use serde::Deserialize;

/// The largest inline metadata in bytes; protects this process from its parser.
const MAX_METADATA: usize = 64 << 10;

/// The metadata of a script.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) dependencies: Vec<String>,
    pub(crate) requires_python: Option<String>,
}

/// Parses the inline metadata of a script (PEP 723).
pub(crate) fn metadata(text: &str) -> Result<Option<Metadata>, Error> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_end() != "# /// script" {
            continue;
        }
        // The block ends at the last closing line that is reached through comment lines.
        let rest = lines
            .clone()
            .take_while(|line| line.trim_end() == "#" || line.starts_with("# "));
        let block: Vec<&str> = rest.collect();
        let end = block.iter().rposition(|line| line.trim_end() == "# ///");
        if let Some(end) = end {
            let content = block
                .iter()
                .take(end)
                .map(|line| line.strip_prefix("# ").unwrap_or_default());
            blocks.push(content.collect::<Vec<_>>().join("\n"));
        }
        // An unterminated comment block has no end further on either; searching again from each
        // line could take quadratic time.
        if let Some(last) = end.or(block.len().checked_sub(1)) {
            lines.nth(last);
        }
    }
    let invalid = |why: &str| {
        Error::unsupported(format!(
            "the `# /// script` block of the program cannot be used: {why}"
        ))
    };
    match blocks.as_slice() {
        [] => Ok(None),
        [block] if block.len() > MAX_METADATA => Err(invalid("it is too long")),
        [block] => toml::from_str(block)
            .map(Some)
            .map_err(|error| invalid(error.message())),
        _ => Err(invalid("there are several")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_metadata_is_read_as_it_is_specified() {
        let script = "#!/usr/bin/env python3\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"requests<3\",\n#   \"rich\",\n# ]\n# ///\n\nimport requests\n";
        let found = metadata(script).unwrap().unwrap();
        assert_eq!(found.dependencies, ["requests<3", "rich"]);
        assert_eq!(found.requires_python.as_deref(), Some(">=3.11"));
        for without in [
            "",
            "# /// script\n# dependencies = []\n",
            "x = '# /// script'\n",
            "# /// other\n# a = 1\n# ///\n",
        ] {
            assert!(metadata(without).unwrap().is_none(), "{without}");
        }
        for bad in [
            "# /// script\n# dependencies = \"x\"\n# ///\n",
            "# /// script\n# x = \n# ///\n",
            "# /// script\n# ///\n\n# /// script\n# ///\n",
        ] {
            assert!(metadata(bad).is_err(), "{bad}");
        }
    }
}
