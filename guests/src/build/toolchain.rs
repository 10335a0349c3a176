//! Toolchain: from where are compilers and third-party sources fetched?
//!
//! From package registries by their own clients, each checked against a digest that is pinned in
//! `guests/toolchain` or `guests/sources`.

use super::process::run;
use super::sources::{source_text, write_sources};
use super::steps::{Inputs, Network, Step, Steps};
use anyhow::{Context as _, Result, bail, ensure};
use glovebox_host::program::Program;
use glovebox_host::tools;
use sha2::{Digest as _, Sha512};
use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The version of the fetching steps; raised when their results are stored in another way.
const FETCH_VERSION: &str = "1";

const PYTHON_ADVICE: &str = "making the guests needs Python 3.9 or newer with pip, such as by `apt-get install python3-pip`";
const NPM_ADVICE: &str = "making the JavaScript guests needs npm, such as by `apt-get install npm`";
const CARGO_ADVICE: &str = "making the JavaScript guest needs cargo";

/// The file that pins the npm packages.
const NPM_PINS: &str = "toolchain/npm.txt";

/// Largest npm package of which some files are taken, in bytes.
const ARCHIVE_LIMIT: u64 = 512 << 20;

/// Largest npm package that is unpacked, in bytes.
const PACKAGE_LIMIT: u64 = 64 << 20;

/// An npm package that was fetched.
pub(super) struct Package {
    pub(super) name: String,
    /// Its files.
    pub(super) directory: PathBuf,
}

/// Fetches everything, so that a missing tool is found before minutes of work.
pub(super) fn fetch(steps: &Steps<'_>) -> Result<()> {
    python_packages(steps)?;
    time_zones(steps)?;
    npm_packages(steps)?;
    super::node_library::library(steps)?;
    super::locales::locales(steps)?;
    engine_sources(steps)?;
    sqlite_sources(steps)?;
    compression_sources(steps)?;
    Ok(())
}

/// The interpreter that runs the Python tools, by its real path: they get an environment without a
/// search path.
pub(super) fn python() -> Result<Program> {
    let script = "import sys; print(sys.executable if sys.version_info >= (3, 9) else '')";
    let out = run(
        tools::python().context(PYTHON_ADVICE)?.args(["-c", script]),
        PYTHON_ADVICE,
    )?;
    ensure!(
        !out.trim().is_empty(),
        "`python3` is too old; {PYTHON_ADVICE}"
    );
    Ok(Program::absolute(out.trim())?)
}

/// A directory with the packages of `requirements.txt`.
pub(super) fn python_packages(steps: &Steps<'_>) -> Result<PathBuf> {
    let pins = source_text("toolchain/requirements.txt")?;
    pip_packages(steps, ("tools", "fetching the compilers (110 MB)"), pins)
}

/// A directory with the package `tzdata`. It is apart from the compilers, because it is replaced
/// more often.
pub(super) fn time_zones(steps: &Steps<'_>) -> Result<PathBuf> {
    let pins = source_text("toolchain/timezones.txt")?;
    pip_packages(steps, ("zones", "fetching the time zones"), pins)
}

/// A directory with the Python packages that `pins` lists.
fn pip_packages(
    steps: &Steps<'_>,
    (name, detail): (&'static str, &'static str),
    pins: &str,
) -> Result<PathBuf> {
    let inputs = Inputs::new(FETCH_VERSION)
        .text(pins)
        .text(env::consts::ARCH);
    steps.run(
        Step {
            name,
            detail,
            inputs,
            network: Network::Needed,
        },
        |new| {
            let python = python()?;
            let has_pip = run(
                tools::isolated(&python).args(["-m", "pip", "--version"]),
                PYTHON_ADVICE,
            );
            has_pip.with_context(|| {
                format!("`{}` has no pip; {PYTHON_ADVICE}", python.path().display())
            })?;
            let list = new.join("requirements.txt");
            fs::write(&list, pins)?;
            let mut pip = tools::isolated(&python);
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "--no-warn-script-location",
            ]);
            pip.args([
                "--no-deps",
                "--require-hashes",
                "--only-binary",
                ":all:",
                "--no-compile",
            ]);
            pip.arg("--target").arg(new).arg("--requirement").arg(&list);
            run(&pip, PYTHON_ADVICE).map(drop)
        },
    )
}

/// The packages of `npm.txt`, in its order: the entry first.
pub(super) fn npm_packages(steps: &Steps<'_>) -> Result<Vec<Package>> {
    let wanted = pins()?;
    let inputs = Inputs::new(FETCH_VERSION).text(source_text(NPM_PINS)?);
    let directory = steps.run(
        Step {
            name: "transform",
            detail: "fetching the npm packages",
            inputs,
            network: Network::Needed,
        },
        |new| {
            npm_pack(&wanted, new)?;
            for pin in &wanted {
                unpack(&pin.take_archive(new)?, &new.join(flat_name(pin.name)))?;
            }
            Ok(())
        },
    )?;
    Ok(wanted
        .into_iter()
        .map(|pin| Package {
            name: pin.name.to_owned(),
            directory: directory.join(flat_name(pin.name)),
        })
        .collect())
}

/// The archive of one npm package.
pub(super) fn npm_archive(pin: &Pin, new: &Path) -> Result<Vec<u8>> {
    npm_pack(std::slice::from_ref(pin), new)?;
    pin.take_archive(new)
}

/// Fetches the archives of npm packages into a directory.
fn npm_pack(pins: &[Pin], directory: &Path) -> Result<()> {
    let mut npm = tools::npm(directory).context(NPM_ADVICE)?;
    npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]);
    npm.arg(directory);
    npm.args(
        pins.iter()
            .map(|pin| format!("{}@{}", pin.name, pin.version)),
    );
    run(&npm, NPM_ADVICE).map(drop)
}

/// One pinned npm package.
pub(super) struct Pin {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// SHA-512 of the archive, as npm writes it.
    pub(super) integrity: &'static str,
}

impl Pin {
    /// Parses a package, its version and its integrity: `NAME@VERSION sha512-...`.
    pub(super) fn parse(line: &'static str) -> Result<Self> {
        let (package, integrity) = line
            .split_once(' ')
            .with_context(|| format!("`{line}` lacks an integrity"))?;
        let (name, version) = package
            .rsplit_once('@')
            .with_context(|| format!("`{line}` lacks a version"))?;
        Ok(Self {
            name,
            version,
            integrity,
        })
    }

    /// Takes its archive out of a directory, if it is the one that was pinned.
    fn take_archive(&self, directory: &Path) -> Result<Vec<u8>> {
        let Self {
            name,
            version,
            integrity,
        } = self;
        let file = directory.join(format!("{}-{version}.tgz", flat_name(name)));
        let packed =
            fs::read(&file).with_context(|| format!("`npm pack` left no `{}`", file.display()))?;
        let found = format!("sha512-{}", base64(&Sha512::digest(&packed)));
        ensure!(
            found == *integrity,
            "npm package `{name}` is not the one that was pinned: it has {found}, not {integrity}"
        );
        fs::remove_file(&file)?;
        Ok(packed)
    }
}

/// The pinned npm packages, the entry first.
pub(super) fn pins() -> Result<Vec<Pin>> {
    let lines = source_text(NPM_PINS)?
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Pin::parse).collect()
}

/// A directory with the sources of the JavaScript engine.
pub(super) fn engine_sources(steps: &Steps<'_>) -> Result<PathBuf> {
    let detail = "fetching the sources of the JavaScript engine";
    crate_sources(steps, ("engine", detail), ("rquickjs-sys", "quickjs"))
}

/// A directory with the sources of SQLite.
pub(super) fn sqlite_sources(steps: &Steps<'_>) -> Result<PathBuf> {
    let detail = "fetching the sources of SQLite";
    crate_sources(steps, ("sqlite", detail), ("libsqlite3-sys", "sqlite3"))
}

/// Directories with the sources of bzip2, xz and Zstandard.
pub(super) fn compression_sources(steps: &Steps<'_>) -> Result<[PathBuf; 3]> {
    let fetch = |step, detail, package| crate_sources(steps, (step, detail), package);
    Ok([
        fetch(
            "bzip2",
            "fetching the sources of bzip2",
            ("bzip2-sys", "bzip2-1.0.8"),
        )?,
        fetch("xz", "fetching the sources of xz", ("liblzma-sys", "."))?,
        fetch(
            "zstandard",
            "fetching the sources of Zstandard",
            ("zstd-sys", "zstd/lib"),
        )?,
    ])
}

/// A directory with the C sources of a folder of a crate that `sources/Cargo.lock` pins.
fn crate_sources(
    steps: &Steps<'_>,
    (step, detail): (&'static str, &'static str),
    (name, folder): (&str, &str),
) -> Result<PathBuf> {
    let inputs = Inputs::new(FETCH_VERSION).text(name).sources("sources");
    steps.run(
        Step {
            name: step,
            detail,
            inputs,
            network: Network::Needed,
        },
        |new| {
            let package = new.join("package");
            write_sources("sources", &package)?;
            let cargo = |arguments: &[&str]| -> Result<String> {
                let mut cargo = tools::cargo().context(CARGO_ADVICE)?;
                // Not started in there: it would take settings from every directory above.
                run(
                    cargo
                        .args(arguments)
                        .arg("--manifest-path")
                        .arg(package.join("Cargo.toml")),
                    CARGO_ADVICE,
                )
            };
            cargo(&["fetch", "--quiet", "--locked"])?;
            let metadata: serde_json::Value = serde_json::from_str(&cargo(&[
                "metadata",
                "--offline",
                "--locked",
                "--format-version",
                "1",
            ])?)?;
            let manifest = metadata
                .pointer("/packages")
                .and_then(|packages| packages.as_array())
                .and_then(|packages| {
                    packages
                        .iter()
                        .find(|package| package.get("name").is_some_and(|found| found == name))
                })
                .and_then(|package| package.get("manifest_path")?.as_str())
                .with_context(|| format!("cargo reports no path of `{name}`"))?;
            let sources = Path::new(manifest).with_file_name(folder);
            copy_code(&sources, new)?;
            fs::remove_dir_all(&package)?;
            Ok(())
        },
    )
}

/// Copies the C sources below a folder.
fn copy_code(from: &Path, to: &Path) -> Result<()> {
    let entries =
        fs::read_dir(from).with_context(|| format!("cannot read `{}`", from.display()))?;
    for entry in entries {
        let (path, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        let is_code = path
            .extension()
            .is_some_and(|extension| extension == "c" || extension == "h");
        if path.is_dir() {
            copy_code(&path, &target)?;
        } else if is_code {
            fs::create_dir_all(to)?;
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

/// The tool that compiles C, after [`python_packages`].
pub(super) fn c_compiler(packages: &Path) -> Result<Program> {
    Ok(Program::absolute(packages.join("ziglang").join("zig"))?)
}

/// Returns the name of a package in the file name of its archive, as `npm pack` writes it.
pub(super) fn flat_name(name: &str) -> String {
    name.trim_start_matches('@').replace('/', "-")
}

/// Unpacks an npm package: regular files only, without their common first folder.
fn unpack(packed: &[u8], directory: &Path) -> Result<()> {
    let archive = flate2::read::GzDecoder::new(packed).take(PACKAGE_LIMIT);
    unpack_archive(archive, directory, |_| true)
}

/// Unpacks those files of a larger npm package that are wanted.
pub(super) fn unpack_some(
    packed: &[u8],
    directory: &Path,
    wanted: impl Fn(&Path) -> bool,
) -> Result<()> {
    let archive = flate2::read::GzDecoder::new(packed).take(ARCHIVE_LIMIT);
    unpack_archive(archive, directory, wanted)
}

fn unpack_archive(
    archive: impl Read,
    directory: &Path,
    wanted: impl Fn(&Path) -> bool,
) -> Result<()> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.into_owned();
        let inside: PathBuf = path.components().skip(1).collect();
        if !inside
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)))
        {
            bail!(
                "an npm package has a file outside its folder: `{}`",
                path.display()
            );
        }
        if !wanted(&inside) {
            continue;
        }
        let target = directory.join(inside);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        std::io::copy(&mut entry, &mut File::create(&target)?)?;
    }
    Ok(())
}

/// Returns one file of an npm package.
pub(super) fn unpack_one(packed: &[u8], wanted: &Path) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed).take(ARCHIVE_LIMIT));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path.components().skip(1).eq(wanted.components()) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            return Ok(content);
        }
    }
    bail!("the npm package has no `{}`", wanted.display())
}

/// Base64 with padding, as npm writes digests.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = DIGITS
                .get(bits >> (18 - 6 * place) & 63)
                .copied()
                .unwrap_or(b'=');
            text.push(char::from(if place <= group.len() { digit } else { b'=' }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_what_npm_writes() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{7f}?>", "fz8+"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text, "{bytes}");
        }
    }

    #[test]
    fn every_npm_package_has_a_version_and_an_integrity() {
        let pins = pins().unwrap();
        assert_eq!(pins[0].name, "sucrase");
        for pin in pins {
            assert!(
                pin.version.starts_with(|c: char| c.is_ascii_digit()),
                "{}",
                pin.name
            );
            assert!(
                pin.integrity.starts_with("sha512-") && pin.integrity.len() == 95,
                "{}",
                pin.name
            );
        }
    }

    #[test]
    fn packed_files_are_called_after_their_scope() {
        assert_eq!(
            flat_name("@jridgewell/gen-mapping"),
            "jridgewell-gen-mapping"
        );
        assert_eq!(flat_name("sucrase"), "sucrase");
    }
}
