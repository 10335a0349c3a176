//! Language transform: with what does a container turn a language into that of its interpreter?
//!
//! With the scripts of the installed guests, so that a language is the same in every tier. They run
//! in the container, beside the program. The compiler is large, so it is sent only with programs
//! that may need it: the text is searched for that here, and parsed there.

use glovebox::Error;
use glovebox_guests::{Artefact, Bundle, Guest, installed};
use glovebox_policy::InputFile;
use std::io::Read as _;
use std::sync::{Arc, OnceLock};

/// The language that is transformed.
const TRANSFORMED: &str = "typescript";

/// Maximum bytes of a script; protects this process's memory from a damaged installation.
const MAX_SCRIPT: u64 = 8 << 20;

/// The extensions of files that may be, or may import, TypeScript.
const EXTENSIONS: [&str; 8] = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"];

/// A script: its path relative to the program folder, and its content.
pub(crate) type Script = (&'static str, Arc<[u8]>);

/// The scripts of the installed guests; each is read when a program first needs it.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    transform: OnceLock<Arc<[u8]>>,
    compiler: OnceLock<Arc<[u8]>>,
}

impl Scripts {
    /// Returns whether there are scripts for a language.
    pub(crate) fn has(language: &str) -> bool {
        language == TRANSFORMED
    }

    /// Returns the transform.
    pub(crate) fn transform(&self) -> Result<Script, Error> {
        let script = read_once(&self.transform, |guest| guest.transform.as_ref())?;
        Ok((".guest/sucrase.js.gz", script))
    }

    /// Returns the compiler.
    pub(crate) fn compiler(&self) -> Result<Script, Error> {
        let script = read_once(&self.compiler, |guest| guest.compiler.as_ref())?;
        Ok((".guest/compiler.js.gz", script))
    }
}

/// The files that a program may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Importable {
    /// Those of its request.
    Request,
    /// Also others, such as those of mounts and packages.
    Others,
}

/// Returns whether a program may come to a text that the transform cannot do: its own, a file of
/// its workspace, or one that it imports from elsewhere, such as a mount.
pub(crate) fn may_need_compiler(
    program: &[u8],
    files: &[InputFile],
    importable: Importable,
) -> bool {
    let files = files.iter().filter(|file| {
        let mut extensions = EXTENSIONS.iter();
        extensions.any(|extension| file.path.ends_with(extension))
    });
    let texts = files.map(|file| file.content.as_ref());
    texts.chain([program]).any(|text| {
        let text = String::from_utf8_lossy(text);
        needs_compiler(&text) || imports_unknown(&text, importable)
    })
}

/// Finds at least what `needsCompiler` of the guest's `transform.js` finds.
fn needs_compiler(text: &str) -> bool {
    let is_followed = |word: &str, by: fn(char) -> bool| {
        let mut parts = text.split(word).skip(1);
        parts.any(|rest| rest.starts_with(by))
    };
    text.contains("accessor")
        || ["namespace", "module"]
            .iter()
            .any(|word| is_followed(word, |next| next.is_whitespace() || next == '/'))
        || is_followed("@", |next| {
            next.is_alphanumeric() || !next.is_ascii() || "_$([\\".contains(next)
        })
}

/// Returns whether a text may import files that are not known: they are made while the program
/// runs, or there are others than those of the request.
fn imports_unknown(text: &str, importable: Importable) -> bool {
    let mut after_import = text.split("import").skip(1);
    ["require", "createRequire"]
        .iter()
        .any(|word| text.contains(word))
        || after_import.any(|rest| rest.trim_start().starts_with(['(', '/']))
        || (importable == Importable::Others
            && ["import", "export"].iter().any(|word| text.contains(word)))
}

fn read_once(
    script: &OnceLock<Arc<[u8]>>,
    of: fn(&Guest) -> Option<&Artefact>,
) -> Result<Arc<[u8]>, Error> {
    if let Some(read) = script.get() {
        return Ok(Arc::clone(read));
    }
    let read = read(of).map_err(Error::executor)?;
    Ok(Arc::clone(script.get_or_init(|| Arc::from(read))))
}

/// Reads a script; the error is the reason why there is none.
fn read(of: fn(&Guest) -> Option<&Artefact>) -> Result<Vec<u8>, String> {
    let missing = || {
        format!(
            "containers run `{TRANSFORMED}` with the transform of the guests, and there is none: `glovebox guests build` makes them"
        )
    };
    let bundle = installed()
        .map_err(|error| error.to_string())?
        .ok_or_else(missing)?;
    let guest = bundle.guest_for_language(TRANSFORMED);
    let script = guest.and_then(|(guest, _)| of(guest)).ok_or_else(missing)?;
    read_artefact(&bundle, script)
}

fn read_artefact(bundle: &Bundle, script: &Artefact) -> Result<Vec<u8>, String> {
    let file = bundle.file(script).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let place = bundle.path(script);
    file.take(MAX_SCRIPT + 1)
        .read_to_end(&mut text)
        .map_err(|error| format!("cannot read `{}`: {error}", place.display()))?;
    if text.len() as u64 > MAX_SCRIPT {
        return Err(format!(
            "`{}` has more than {MAX_SCRIPT} bytes",
            place.display()
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> InputFile {
        InputFile {
            path: path.to_owned(),
            content: text.as_bytes().into(),
        }
    }

    #[test]
    fn programs_that_may_need_the_compiler_are_found() {
        for (needs, text) in [
            (true, "@sealed class A {}"),
            (true, "@(make()) class A {}"),
            (true, "@ünï class A {}"),
            (true, "class A { accessor x = 1 }"),
            (true, "class A { accessor\t#x = 1 }"),
            (true, "namespace A { export const x = 1 }"),
            (true, "namespace\nA.B { }"),
            (true, "module/* old */ A { }"),
            (true, "await import(`./${name}`)"),
            (true, "import /* later */ ('./a.ts')"),
            (true, "const a = require('./a')"),
            (true, "import { createRequire } from 'node:module'"),
            (false, "import fs from 'node:fs'; const at = 'a @ b'"),
            (false, "module.exports = namespaces"),
            (false, "export const x: number = 1"),
        ] {
            assert_eq!(
                may_need_compiler(text.as_bytes(), &[], Importable::Request),
                needs,
                "{text}"
            );
        }
    }

    #[test]
    fn files_that_may_need_the_compiler_are_found() {
        let importing = b"import { A } from './a.ts'";
        let decorated = "@sealed export class A {}";
        for (needs, path, text, importable) in [
            (true, "a.ts", decorated, Importable::Request),
            (true, "lib/a.mts", decorated, Importable::Request),
            (false, "a.ts", "export class A {}", Importable::Request),
            (false, "a.txt", decorated, Importable::Request),
            (true, "a.txt", "", Importable::Others),
        ] {
            let files = [file(path, text)];
            let found = may_need_compiler(importing, &files, importable);
            assert_eq!(found, needs, "{path} {text}");
        }
        assert!(!may_need_compiler(
            b"console.log(1)",
            &[],
            Importable::Others
        ));
    }
}
