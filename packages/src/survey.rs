//! What does a program's text say that it needs?
//!
//! Inline metadata asks for packages. Imports that come before anything else are found by the parser of the language, in the sandbox; most
//! programs import nothing but what everybody knows to be there, and for them nothing is asked at all.

use crate::workshop::{Workshop, succeeded};
use glovebox::{Controls, Error, Input, PackageTarget, Request, Sandbox, Survey};
use glovebox_policy::Tier;
use glovebox_policy::packages::MissingModule;
use pep440_rs::{Version, VersionSpecifiers};
use serde::Deserialize;
use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::LazyLock;
use tokio::sync::OnceCell;

/// Lists a program's first imports.
const IMPORTS: &str = include_str!("imports.py");

/// Modules of the standard library that the wasm tier has.
const MODULES: &str = include_str!("modules.txt");

/// Modules whose package has another name.
const PROVIDERS: &str = include_str!("providers.txt");

/// Bytes of inline metadata that are read; protects this process from its parser.
const MAX_METADATA: usize = 64 << 10;

/// Bytes of a program that is looked at; a larger one says at run time what it lacks.
const MAX_PROGRAM: usize = 4 << 20;

/// Looks at programs.
#[derive(Default)]
pub(crate) struct Surveyor {
    sandbox: OnceCell<Sandbox>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    #[serde(default)]
    dependencies: Vec<String>,
    requires_python: Option<String>,
}

/// One import: the module, its line, whether it is there, and whether a full standard library has it.
type Import = (String, u32, bool, bool);

impl Surveyor {
    pub(crate) async fn survey(&self, workshop: &Workshop, request: &Request) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        let Some(text) = text(request) else { return Ok(survey) };
        if let Some(metadata) = metadata(text)? {
            survey.packages = metadata.dependencies;
            if let Some(versions) = metadata.requires_python {
                let versions = VersionSpecifiers::from_str(&versions)
                    .map_err(|_| Error::Invalid("`requires-python` in the `script` block is no list of versions".to_owned()))?;
                survey
                    .lacks
                    .extend(self.sandbox(workshop).await?.package_targets("python").iter().filter_map(|place| unfit(place, &versions)));
            }
        }
        if only_known_imports(text) {
            return Ok(survey);
        }
        let sandbox = self.sandbox(workshop).await?;
        let controls = Controls { input: Input::Bytes(request.source.content.to_vec().into()), ..Controls::default() };
        let outcome = succeeded(sandbox.run_with(Request::new("python", IMPORTS), controls).await?)?;
        let value = outcome.value.and_then(|value| value.json).unwrap_or_default();
        let imports: Vec<Import> = serde_json::from_str(&value).unwrap_or_default();
        let asks_for_none = request.wants.packages.is_empty() && survey.packages.is_empty();
        let own = own_modules(request);
        for (module, line, is_there, is_standard) in imports {
            if own.contains(module.as_str()) {
                // It may do anything, also make others importable.
                break;
            }
            match (is_there, is_standard) {
                (true, _) => {}
                (false, true) => survey.lacks.push((Tier::Wasm, format!("has no module `{}`", module.escape_debug()))),
                // Of packages that were asked for it is not known yet which modules they have.
                (false, false) if asks_for_none => {
                    let package = provider(&module).to_owned();
                    survey.missing.push(MissingModule { module, line, package });
                }
                (false, false) => {}
            }
        }
        survey.lacks.dedup_by(|next, one| next.0 == one.0);
        Ok(survey)
    }

    async fn sandbox(&self, workshop: &Workshop) -> Result<&Sandbox, Error> {
        self.sandbox.get_or_try_init(|| async { workshop.sandbox(Tier::Wasm, None) }).await
    }
}

fn unfit(place: &PackageTarget, versions: &VersionSpecifiers) -> Option<(Tier, String)> {
    let version = Version::from_str(&place.interpreter).ok()?;
    // A bound such as `>=3.11.4` is met by the newest of its line.
    let newest = Version::from_str(&format!("{version}.99")).ok()?;
    let fits = versions.contains(&version) || versions.contains(&newest);
    (!fits).then(|| (place.tier, format!("runs Python {version}, and the program asks for {versions}")))
}

/// The text of a program that is looked at.
fn text(request: &Request) -> Option<&str> {
    let is_looked_at = request.language == "python" && request.source.content.len() <= MAX_PROGRAM;
    std::str::from_utf8(&request.source.content).ok().filter(|_| is_looked_at)
}

/// Whether a glance shows that a program needs nothing.
pub(crate) fn says_nothing(request: &Request) -> bool {
    text(request).is_none_or(|text| !text.contains("# /// script") && only_known_imports(text))
}

/// The inline metadata of a script (PEP 723).
fn metadata(text: &str) -> Result<Option<Metadata>, Error> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_end() != "# /// script" {
            continue;
        }
        // The block ends at the last of its closing lines that comments lead up to.
        let rest = lines.clone().take_while(|line| line.trim_end() == "#" || line.starts_with("# "));
        let block: Vec<&str> = rest.collect();
        if let Some(end) = block.iter().rposition(|line| line.trim_end() == "# ///") {
            let content = block.iter().take(end).map(|line| line.strip_prefix("# ").unwrap_or_default());
            blocks.push(content.collect::<Vec<_>>().join("\n"));
            lines.nth(end);
        }
    }
    let invalid = |why: &str| Error::Invalid(format!("the `# /// script` block of the program cannot be used: {why}"));
    match blocks.as_slice() {
        [] => Ok(None),
        [block] if block.len() > MAX_METADATA => Err(invalid("it is too long")),
        [block] => toml::from_str(block).map(Some).map_err(|error| invalid(error.message())),
        _ => Err(invalid("there are several")),
    }
}

/// Whether a look at the lines already shows that nothing but well-known modules is imported. It may say no where a parser would say yes.
fn only_known_imports(text: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| MODULES.lines().collect());
    let is_known =
        |name: &str| KNOWN.contains(name.trim_start().split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default());
    // Statements of a module begin a line or follow a semicolon; nobody has to know here what is a text or a comment.
    text.split(['\n', '\r', ';', '\x0c']).map(str::trim_start).all(|line| {
        if let Some(names) = line.strip_prefix("import").filter(|rest| rest.starts_with([' ', '\t', '\\'])) {
            names.split(',').all(is_known)
        } else if let Some(name) = line.strip_prefix("from").filter(|rest| rest.starts_with([' ', '\t', '\\', '.'])) {
            is_known(name)
        } else {
            true
        }
    })
}

/// Modules that come with the request.
fn own_modules(request: &Request) -> HashSet<&str> {
    let folder = request.source.name.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    let inside = request.files.iter().filter_map(|file| file.path.trim_start_matches("./").strip_prefix(folder.as_str()));
    inside.map(|path| path.split('/').next().unwrap_or(path)).map(|name| name.split('.').next().unwrap_or(name)).collect()
}

/// The package that probably has a module.
fn provider(module: &str) -> &str {
    let pairs = PROVIDERS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
    pairs.clone().find(|(known, _)| *known == module).map_or(module, |(_, package)| package)
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
        for without in ["", "# /// script\n# dependencies = []\n", "x = '# /// script'\n", "# /// other\n# a = 1\n# ///\n"] {
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

    #[test]
    fn a_look_at_the_lines_never_misses_an_import() {
        for known in [
            "",
            "print(1)",
            "import os",
            "import os, sys",
            "from os.path import join",
            "import json as j; x = 1",
            "imported = 1",
            "  import re",
        ] {
            assert!(only_known_imports(known), "{known}");
        }
        for unknown in [
            "import numpy",
            "import os, numpy",
            "from numpy import x",
            "x = 1; import numpy",
            "import\tnumpy",
            "import \\\n numpy",
            "from . import x",
            "from.x import y",
            "import os as o, numpy as n",
            "import numpy.linalg",
        ] {
            assert!(!only_known_imports(unknown), "{unknown}");
        }
    }

    #[test]
    fn a_module_is_in_the_package_that_everybody_gets_it_from() {
        for (module, package) in [("PIL", "pillow"), ("cv2", "opencv-python-headless"), ("numpy", "numpy")] {
            assert_eq!(provider(module), package);
        }
    }
}
