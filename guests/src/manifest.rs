//! Bundle manifest: what describes the guests of a bundle?

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

/// The layout of bundles that this code reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// The file of a bundle that names all others.
pub(crate) const MANIFEST_FILE: &str = "manifest.json";

/// A bundle's table of contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The layout of the bundle; 1.
    pub format: u32,
    /// The key of the sources and tools of the guests; see [`crate::source_key`].
    pub key: String,
    /// One SHA-256 over the names and digests of every file, as hexadecimal digits.
    pub digest: String,
    /// The guests, in the order in which they are offered.
    pub guests: Vec<Guest>,
}

/// One guest: code, the memory that it starts with, and the files that it expects to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// Unique in the bundle, such as `python`.
    pub name: String,
    /// The interpreter and its version, such as `CPython 3.14.0`.
    pub version: String,
    /// The languages it evaluates.
    pub languages: Vec<Language>,
    /// A component without data segments. Guests may share one.
    pub component: Artefact,
    /// The memory that the component must find, a whole number of WebAssembly pages.
    pub image: Artefact,
    /// Read-only directories that the guest expects.
    pub trees: Vec<Tree>,
    /// The directory in which the guest expects the program's own files.
    pub workspace: String,
    /// The directory in which the guest looks for packages, an absolute path; it need not exist.
    pub packages: Option<String>,
    /// The script that turns its language into plain JavaScript, for interpreters outside of the
    /// guest; none for a language that needs no transform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<Artefact>,
    /// The compiler that this script loads for what it cannot do by itself, of the same kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler: Option<Artefact>,
}

/// A language, and how people call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// The canonical name, such as `javascript`.
    pub name: String,
    /// Other names, such as `js`.
    pub aliases: Vec<String>,
    /// Extensions of file names, without the dot.
    pub extensions: Vec<String>,
}

/// A read-only directory that a guest expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The path at which the guest sees it, absolute.
    pub guest_path: String,
    /// An uncompressed tar archive with paths relative to `guest_path`.
    pub archive: Artefact,
}

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artefact {
    /// Its name in the bundle's directory; never a path.
    pub file: String,
    /// SHA-256 of the content as hexadecimal digits.
    pub sha256: String,
    /// Length of the content in bytes.
    pub bytes: u64,
}

impl Manifest {
    /// Every file that the guests need, each once, in a stable order.
    pub fn artefacts(&self) -> Vec<&Artefact> {
        let mut seen = HashSet::new();
        self.guests
            .iter()
            .flat_map(|guest| {
                [&guest.component, &guest.image]
                    .into_iter()
                    .chain(guest.trees.iter().map(|tree| &tree.archive))
                    .chain(&guest.transform)
                    .chain(&guest.compiler)
            })
            .filter(|artefact| seen.insert(artefact.file.as_str()))
            .collect()
    }

    /// The digest that `digest` must hold.
    pub(crate) fn computed_digest(&self) -> String {
        let mut all = Sha256::new();
        for artefact in self.artefacts() {
            all.update(format!("{}\0{}\0", artefact.file, artefact.sha256));
        }
        HEXLOWER.encode(&all.finalize())
    }

    /// Says what makes the manifest unusable, if anything does.
    pub(crate) fn problem(&self) -> Option<String> {
        let mut names = HashSet::new();
        let mut spoken = HashSet::new();
        for guest in &self.guests {
            if !names.insert(guest.name.as_str()) {
                return Some(format!("two guests are called `{}`", guest.name));
            }
            for language in &guest.languages {
                for name in std::iter::once(&language.name).chain(&language.aliases) {
                    if !spoken.insert(name.as_str()) {
                        return Some(format!("two guests speak `{name}`"));
                    }
                }
            }
        }
        self.artefacts()
            .into_iter()
            .find(|artefact| !is_plain(&artefact.file))
            .map(|artefact| format!("`{}` is not a plain file name", artefact.file))
    }
}

/// A manifest must not lead outside its directory.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn artefact(file: &str, content: &[u8]) -> Artefact {
        Artefact {
            file: file.to_owned(),
            sha256: HEXLOWER.encode(&Sha256::digest(content)),
            bytes: content.len() as u64,
        }
    }

    pub(crate) fn guest(name: &str) -> Guest {
        Guest {
            name: name.to_owned(),
            version: "Example 1.0".to_owned(),
            languages: vec![Language {
                name: name.to_owned(),
                aliases: vec![format!("{name}-alias")],
                extensions: vec![format!("{name}x")],
            }],
            component: artefact("component.wasm", b"code"),
            image: artefact(&format!("{name}.image"), b"memory"),
            trees: Vec::new(),
            workspace: "/work".to_owned(),
            packages: None,
            transform: None,
            compiler: None,
        }
    }

    pub(crate) fn manifest(guests: Vec<Guest>) -> Manifest {
        let mut manifest = Manifest {
            format: FORMAT,
            key: "0123456789abcdef".to_owned(),
            digest: String::new(),
            guests,
        };
        manifest.digest = manifest.computed_digest();
        manifest
    }

    #[test]
    fn shared_files_count_once() {
        let files: Vec<String> = manifest(vec![guest("a"), guest("b")])
            .artefacts()
            .into_iter()
            .map(|artefact| artefact.file.clone())
            .collect();
        assert_eq!(files, ["component.wasm", "a.image", "b.image"]);
    }

    #[test]
    fn a_manifest_that_contradicts_itself_or_leads_outside_is_refused() {
        let check = |change: &dyn Fn(&mut Manifest), expected: &str| {
            let mut manifest = manifest(vec![guest("a"), guest("b")]);
            assert_eq!(manifest.problem(), None);
            change(&mut manifest);
            assert_eq!(manifest.problem().as_deref(), Some(expected));
        };
        check(
            &|m| m.guests[1].name = "a".to_owned(),
            "two guests are called `a`",
        );
        check(
            &|m| m.guests[1].languages[0].aliases = vec!["a".to_owned()],
            "two guests speak `a`",
        );
        check(
            &|m| m.guests[1].image.file = "../x".to_owned(),
            "`../x` is not a plain file name",
        );
        check(
            &|m| m.guests[0].image.file = "/etc/passwd".to_owned(),
            "`/etc/passwd` is not a plain file name",
        );
        check(
            &|m| m.guests[0].image.file = "..".to_owned(),
            "`..` is not a plain file name",
        );
    }
}
