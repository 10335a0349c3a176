//! Program survey: which packages does a program's text need?
//!
//! Inline metadata declares packages. Imports at the beginning are found by the parser of the
//! language, in the sandbox; most programs import nothing but well-known modules, and for them
//! nothing is parsed at all.

use crate::metadata::metadata;
use crate::workshop::{Memory, Workshop};
use glovebox::{
    Allowance, Controls, Error, Input, PackageTarget, Request, Sandbox, Status, Survey,
};
use glovebox_policy::packages::MissingModule;
use glovebox_policy::{InputFile, Language, Tier};
use pep440_rs::{Version, VersionSpecifiers};
use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Lists the first imports of a Python program.
const PYTHON_IMPORTS: &str = include_str!("imports.py");

/// Lists the imports of a JavaScript or TypeScript program.
const JAVASCRIPT_IMPORTS: &str = include_str!("imports.js");

/// Modules of the standard library that the wasm tier has.
const MODULES: &str = include_str!("modules.txt");

/// Modules whose package has another name.
const PROVIDERS: &str = glovebox_guests::PROVIDERS;

/// The largest program in bytes that is surveyed; a larger one fails at run time if it lacks a
/// module.
const MAX_SURVEYED_BYTES: usize = 4 << 20;

/// Files of the request that are surveyed with the program.
const MAX_OWN_FILES: usize = 100;

/// The time limit of a survey, whatever the request's own limits leave.
const LOOK: Duration = Duration::from_secs(5);

/// The fuel limit of a survey.
const LOOK_FUEL: u64 = 4_000_000_000;

/// The memory limit of a survey.
const LOOK_MEMORY: u64 = 1 << 30;

/// Imports that are considered; a message with more would be of no use.
const MAX_IMPORTS: usize = 1000;

/// Surveys programs.
#[derive(Default)]
pub(crate) struct Surveyor {
    sandbox: OnceCell<Sandbox>,
}

/// An import: the module, its line, whether it exists in the guest, whether a full standard library
/// has it, whether it comes before all other code, and what it names (`module:name` if it takes a
/// name out of a module).
type Import = (String, u32, bool, bool, bool, String);

impl Surveyor {
    pub(crate) async fn survey(
        &self,
        workshop: &Workshop,
        request: &Request,
        allowance: &Allowance,
    ) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        let Some(text) = text(request) else {
            return Ok(survey);
        };
        if request.language == "python" {
            self.read_metadata(workshop, text, &mut survey).await?;
        }
        let own = own_files(request);
        let mut own_texts = own
            .iter()
            .filter_map(|file| std::str::from_utf8(&file.content).ok());
        if !is_plain(&request.language, text)
            || !own_texts.all(|text| is_plain(&request.language, text))
        {
            let own = own.into_iter().cloned().collect();
            let imports = self.imports(workshop, request, own, allowance).await?;
            survey.imports = provided(&imports);
            match request.language.as_str() {
                "python" => judge_python(request, imports, &mut survey),
                _ => judge_javascript(request, imports, &mut survey),
            }
            survey.lacks.dedup_by(|next, one| next.0 == one.0);
            // A statement may take several names out of one module.
            survey.missing.dedup();
            survey.unfit.truncate(1);
        }
        Ok(survey)
    }

    async fn read_metadata(
        &self,
        workshop: &Workshop,
        text: &str,
        survey: &mut Survey,
    ) -> Result<(), Error> {
        let Some(metadata) = metadata(text)? else {
            return Ok(());
        };
        survey.packages = metadata.dependencies;
        if let Some(versions) = metadata.requires_python {
            let versions = VersionSpecifiers::from_str(&versions).map_err(|_| {
                Error::unsupported(
                    "`requires-python` in the `script` block is no list of versions".to_owned(),
                )
            })?;
            let places = self.sandbox(workshop).await?.package_targets("python");
            survey
                .lacks
                .extend(places.iter().filter_map(|place| unfit(place, &versions)));
        }
        Ok(())
    }

    /// Returns a program's imports, by the parser of its language.
    async fn imports(
        &self,
        workshop: &Workshop,
        request: &Request,
        own: Vec<InputFile>,
        allowance: &Allowance,
    ) -> Result<Vec<Import>, Error> {
        // If no time is left for it, the program fails at run time if it lacks a module.
        let Some(mut look) = allowance.look().await else {
            return Ok(Vec::new());
        };
        let mut ours = match request.language.as_str() {
            "python" => Request::new("python", PYTHON_IMPORTS),
            language => Request::new(language, JAVASCRIPT_IMPORTS),
        };
        ours.arguments.push(request.source.name.clone());
        ours.files = own;
        ours.subject = allowance.subject().clone();
        ours.wants.limits = look.limits(LOOK, LOOK_FUEL, LOOK_MEMORY);
        let input = Input::Bytes(request.source.content.to_vec().into());
        let controls = Controls {
            input,
            stop: allowance.stop().clone(),
            ..Controls::default()
        };
        let outcome = self
            .sandbox(workshop)
            .await?
            .run_with(ours, controls)
            .await?;
        look.used(&outcome.usage);
        drop(look);
        if outcome.status != Status::Succeeded {
            return Ok(Vec::new());
        }
        // Some modules print when they are imported.
        let said = outcome.stdout.text();
        let mut imports: Vec<Import> = said
            .lines()
            .last()
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or_default();
        imports.truncate(MAX_IMPORTS);
        Ok(imports)
    }

    async fn sandbox(&self, workshop: &Workshop) -> Result<&Sandbox, Error> {
        self.sandbox
            .get_or_try_init(|| async { workshop.sandbox(Tier::Wasm, None, Memory::default()) })
            .await
    }
}

/// Returns the modules that packages have to provide, if anything does.
fn provided(imports: &[Import]) -> Vec<String> {
    let elsewhere = imports
        .iter()
        .filter_map(|(name, _, is_there, is_standard, _, whole)| {
            let is_own = name.starts_with(['.', '/', '#']);
            let whole = match whole.strip_prefix("npm:") {
                Some(specifier) => without_version(specifier),
                None => whole.clone(),
            };
            (!is_there && !is_standard && !is_own).then_some(whole)
        });
    let mut elsewhere: Vec<String> = elsewhere.collect();
    elsewhere.sort_unstable();
    elsewhere.dedup();
    elsewhere
}

/// Returns the module of a specifier after `npm:`: `name@1.2/part` is `name/part`.
fn without_version(specifier: &str) -> String {
    let specifier = specifier.trim_start_matches('/');
    let package = package_of(specifier);
    let (scope, name) = match package.strip_prefix('@') {
        Some(scoped) => ("@", scoped),
        None => ("", package),
    };
    let name = name.split('@').next().unwrap_or_default();
    let part = specifier.strip_prefix(package).unwrap_or_default();
    format!("{scope}{name}{part}")
}

fn judge_python(request: &Request, imports: Vec<Import>, survey: &mut Survey) {
    let asks_for_none = request.wants.packages.is_empty() && survey.packages.is_empty();
    let own = own_modules(request);
    let mut is_certain = true;
    for (module, line, is_there, is_standard, is_first, _) in imports {
        // Code of its own may do anything, including making other modules importable.
        is_certain &= is_first && !own.contains(module.as_str());
        if !is_certain {
            judge_later((module, is_there, is_standard), survey);
            continue;
        }
        match (is_there, is_standard) {
            (true, _) => {}
            (false, true) => survey.lacks.push((
                Tier::Wasm,
                format!("has no module `{}`", module.escape_debug()),
            )),
            // The modules of requested packages are not known yet.
            (false, false) if asks_for_none => {
                let package = provider(&module).to_owned();
                survey.missing.push(MissingModule {
                    module,
                    line,
                    package,
                });
            }
            (false, false) => {}
        }
    }
}

/// Judges an import that may never be reached: it is a reason for another tier if the standard
/// library of the guest does not have it.
fn judge_later((module, is_there, is_standard): (String, bool, bool), survey: &mut Survey) {
    if is_standard && !is_there {
        let why = format!("has no module `{}`", module.escape_debug());
        survey.unfit.push((Tier::Wasm, why));
    }
}

fn judge_javascript(request: &Request, imports: Vec<Import>, survey: &mut Survey) {
    let has_folder = request
        .files
        .iter()
        .any(|file| file.path.split('/').any(|name| name == "node_modules"));
    let mut bare = Vec::new();
    for (name, line, is_there, is_standard, is_first, _) in imports {
        if !is_first {
            judge_later((name, is_there, is_standard), survey);
        } else if let Some(specifier) = name.strip_prefix("npm:") {
            // An invalid package name is denied by the policy, so that the cost of the survey is in
            // the outcome.
            survey
                .packages
                .push(npm_package(specifier).unwrap_or_else(|| name.clone()));
        } else if is_standard && !is_there {
            survey.lacks.push((
                Tier::Wasm,
                format!("has no module `{}`", name.escape_debug()),
            ));
        } else if !is_there && !name.starts_with(['.', '/', '#']) && !name.contains(':') {
            bare.push((name, line));
        }
    }
    if survey.packages.is_empty() && request.wants.packages.is_empty() && !has_folder {
        for (module, line) in bare {
            let package = package_of(&module).to_owned();
            survey.missing.push(MissingModule {
                module,
                line,
                package,
            });
        }
    }
}

/// Returns the package of a module's name: `@scope/name/part` is in `@scope/name`.
fn package_of(module: &str) -> &str {
    let parts = if module.starts_with('@') { 2 } else { 1 };
    match module.match_indices('/').nth(parts - 1) {
        Some((at, _)) => module.split_at(at).0,
        None => module,
    }
}

/// Returns the requirement of a specifier after `npm:`, such as `name@1.2/part`; none if the name
/// is missing.
fn npm_package(specifier: &str) -> Option<String> {
    let package = package_of(specifier.trim_start_matches('/'));
    let name = if package.starts_with('@') {
        package.split_once('/')?.1
    } else {
        package
    };
    (!name.is_empty()).then(|| package.to_owned())
}

fn unfit(place: &PackageTarget, versions: &VersionSpecifiers) -> Option<(Tier, String)> {
    let version = Version::from_str(&place.interpreter).ok()?;
    // A bound such as `>=3.11.4` is met by the newest patch release.
    let newest = Version::from_str(&format!("{version}.99")).ok()?;
    let fits = versions.contains(&version) || versions.contains(&newest);
    (!fits).then(|| {
        (
            place.tier,
            format!("runs Python {version}, and the program asks for {versions}"),
        )
    })
}

/// Returns the text of a program that is surveyed.
fn text(request: &Request) -> Option<&str> {
    let is_known = Language::ecosystem_of(&request.language).is_some();
    let is_looked_at = is_known && request.source.content.len() <= MAX_SURVEYED_BYTES;
    std::str::from_utf8(&request.source.content)
        .ok()
        .filter(|_| is_looked_at)
}

/// Returns whether a quick scan of a program's text shows that it imports only well-known modules.
fn is_plain(language: &str, text: &str) -> bool {
    if language == "python" {
        only_known_imports(text)
    } else {
        only_own_imports(text)
    }
}

/// Returns whether every string after `from`, `import` or `require` names a file or a module of the
/// guest. It may miss one that a comment separates from the keyword, which then fails at run time.
fn only_own_imports(text: &str) -> bool {
    const THERE: [&str; 12] = [
        "fs",
        "fs/promises",
        "path",
        "os",
        "util",
        "url",
        "events",
        "assert",
        "crypto",
        "buffer",
        "process",
        "timers/promises",
    ];
    let is_own = |rest: &str| {
        let rest = rest.trim_start();
        let rest = rest.strip_prefix('(').unwrap_or(rest).trim_start();
        let Some(quote) = rest
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\'' | '`'))
        else {
            return true;
        };
        let name = rest.split(quote).nth(1).unwrap_or_default();
        name.starts_with(['.', '/']) || THERE.contains(&name.strip_prefix("node:").unwrap_or(name))
    };
    ["from", "import", "require"].iter().all(|word| {
        text.match_indices(word)
            .all(|(at, _)| is_own(text.split_at(at + word.len()).1))
    })
}

/// Returns whether a scan of the lines shows that only well-known modules are imported. It may
/// return false where a parser would not.
fn only_known_imports(text: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| MODULES.lines().collect());
    let is_known = |name: &str| {
        KNOWN.contains(
            name.trim_start()
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .next()
                .unwrap_or_default(),
        )
    };
    if text.contains("import_module") || text.contains("__import__") {
        return false;
    }
    // Statements begin a line or follow a semicolon; strings and comments need not be recognised
    // here.
    text.split(['\n', '\r', ';', '\x0c'])
        .map(str::trim_start)
        .all(|line| {
            if let Some(names) = line
                .strip_prefix("import")
                .filter(|rest| rest.starts_with([' ', '\t', '\\']))
            {
                names.split(',').all(is_known)
            } else if let Some(name) = line
                .strip_prefix("from")
                .filter(|rest| rest.starts_with([' ', '\t', '\\', '.']))
            {
                is_known(name)
            } else {
                true
            }
        })
}

/// Returns the files of the request that may be modules of its program, as many as are surveyed.
fn own_files(request: &Request) -> Vec<&InputFile> {
    let endings: &[&str] = if request.language == "python" {
        &[".py"]
    } else {
        &[".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"]
    };
    let is_code = |file: &&InputFile| endings.iter().any(|ending| file.path.ends_with(ending));
    let mut left = MAX_SURVEYED_BYTES;
    let code = request.files.iter().filter(is_code).take(MAX_OWN_FILES);
    code.take_while(|file| {
        let fits = left.checked_sub(file.content.len());
        left = fits.unwrap_or(0);
        fits.is_some()
    })
    .collect()
}

/// Returns the modules that come with the request.
fn own_modules(request: &Request) -> HashSet<&str> {
    let folder = request
        .source
        .name
        .rsplit_once('/')
        .map(|(folder, _)| format!("{folder}/"))
        .unwrap_or_default();
    let inside = request.files.iter().filter_map(|file| {
        file.path
            .trim_start_matches("./")
            .strip_prefix(folder.as_str())
    });
    inside
        .map(|path| path.split('/').next().unwrap_or(path))
        .map(|name| name.split('.').next().unwrap_or(name))
        .collect()
}

/// Returns the package that probably provides a module.
fn provider(module: &str) -> &str {
    let pairs = PROVIDERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '));
    pairs
        .clone()
        .find(|(known, _)| *known == module)
        .map_or(module, |(_, package)| package)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_look_at_javascript_sees_what_is_imported() {
        for plain in [
            "",
            "import x from './y.js'",
            "import * as fs from \"node:fs\"",
            "const from = 'x'; from + 1",
            "import './side.js'",
            "import(x)",
        ] {
            assert!(only_own_imports(plain), "{plain}");
        }
        for other in [
            "import x from 'lodash'",
            "import 'npm:x'",
            "import {\n a\n} from\n 'npm:x@1'",
            "export * from \"zod\"",
            "import http from 'node:http'",
        ] {
            assert!(!only_own_imports(other), "{other}");
        }
        for (specifier, package) in [
            ("zod", "zod"),
            ("zod@4/mini", "zod@4"),
            ("@a/b@^1/c", "@a/b@^1"),
            ("/x", "x"),
        ] {
            assert_eq!(npm_package(specifier).as_deref(), Some(package));
        }
        assert_eq!((npm_package("@a"), npm_package("")), (None, None));
        assert_eq!(
            (package_of("a/b"), package_of("@a/b/c"), package_of("a")),
            ("a", "@a/b", "a")
        );
    }

    #[test]
    fn a_module_is_in_the_package_that_everybody_gets_it_from() {
        for (module, package) in [
            ("PIL", "pillow"),
            ("cv2", "opencv-python-headless"),
            ("numpy", "numpy"),
        ] {
            assert_eq!(provider(module), package);
        }
    }
}
