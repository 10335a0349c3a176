//! Search path hijacking: is anything of the current directory, or of its parents, executed on the
//! host?
//!
//! Every command runs in a checkout full of traps: programs, modules and settings that the host's
//! tools search for. Each leaves a mark outside when it runs; the oracle is that there is none, and
//! the twin that the commands work as elsewhere. Settings that name an unreachable index are
//! detected by a command that fails.

use super::checkout::*;
use super::*;

fn is_root() -> bool {
    let process = fs::metadata("/proc/self").expect("there is a process");
    process.uid() == 0
}

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).expect("it is ours")
}

/// Gives a file to another user, or to all where that is not permitted.
fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(65534), Some(65534)).expect("root may")
    } else {
        mode(path, 0o777)
    }
}

impl Checkout {
    /// Makes `NAME/bin/npm`, which leaves a mark, and prints a version that does not exist.
    fn fake_npm(&self, name: &str) -> PathBuf {
        let above = self.place.path().join(name);
        fs::create_dir_all(above.join("bin")).expect("the folder is writable");
        let npm = above.join("bin/npm");
        fs::write(
            &npm,
            format!(
                "#!/bin/sh\n: > '{}'\necho 9.9.9\n",
                self.marks().join(name).display()
            ),
        )
        .expect("it is writable");
        for path in [&above, &above.join("bin"), &npm] {
            mode(path, 0o755);
        }
        above
    }

    /// The version of npm that is found in a `PATH`.
    fn npm_version(&self, path: &str) -> Value {
        let output = self
            .command("", &["doctor", "--json"])
            .env("PATH", path)
            .output()
            .expect("the program starts");
        let tools = tools(&String::from_utf8_lossy(&output.stdout));
        let npm = tools
            .as_array()
            .and_then(|tools| tools.iter().find(|tool| tool["name"] == "npm").cloned());
        npm.expect("it is looked for")["version"].clone()
    }

    /// Folders into which others could have put `npm`, each in another way.
    fn open_folders(&self) -> Vec<PathBuf> {
        type Change<'a> = (&'a str, &'a dyn Fn(&Path));
        let changes: [Change<'_>; 6] = [
            ("open", &|above| mode(&above.join("bin"), 0o777)),
            ("open-above", &|above| mode(above, 0o777)),
            ("open-file", &|above| mode(&above.join("bin/npm"), 0o777)),
            ("of-nobody", &|above| give_away(&above.join("bin"))),
            ("below-sticky", &|above| {
                mode(above, 0o1777);
                give_away(&above.join("bin"));
            }),
            ("linked", &|above| {
                fs::rename(above.join("bin"), above.join("real")).expect("it is ours");
                symlink("real", above.join("bin")).expect("the folder is writable");
                give_away(&above.join("real"));
            }),
        ];
        changes
            .iter()
            .map(|(name, change)| {
                let above = self.fake_npm(name);
                change(&above);
                above.join("bin")
            })
            .collect()
    }
}

#[test]
fn files_of_the_current_directory_do_not_run_on_the_host() {
    let checkout = Checkout::new("cache");
    every_command(&checkout, "");
}

#[test]
fn files_above_the_current_directory_or_the_cache_do_not_run_on_the_host() {
    let checkout = Checkout::new("checkout/src/.cache/glovebox");
    every_command(&checkout, "src/deep");
}

/// A folder of `PATH` is used only if no other user can put a program into it: neither now, nor by
/// its parents, nor through a symlink.
#[test]
fn programs_that_others_could_have_put_there_do_not_run() {
    let checkout = Checkout::new("cache");
    let usual = std::env::var("PATH").expect("there are programs");
    let places = checkout.open_folders();
    let listed = places
        .iter()
        .map(|bin| bin.display().to_string())
        .collect::<Vec<_>>()
        .join(":");
    let elsewhere = checkout.npm_version(&usual);
    assert_eq!(
        checkout.npm_version(&format!("{listed}:{usual}")),
        elsewhere
    );
    assert_eq!(checkout.marked(), BTreeSet::new());
    // If there is no other, the error says which were skipped, and why.
    let output = checkout
        .command(
            "",
            &["packages", "resolve", "--language", "javascript", "ms"],
        )
        .env("PATH", &listed)
        .output();
    let said = said(&output.expect("the program starts"));
    for name in [
        "open",
        "open-above",
        "open-file/bin/npm",
        "of-nobody",
        "below-sticky",
        "linked",
    ] {
        assert!(
            said.contains(&checkout.place.path().join(name).display().to_string()),
            "{name}: {said}"
        );
    }
    assert!(said.contains("can be written by others"), "{said}");
    assert_eq!(checkout.marked(), BTreeSet::new());
    // The twin: one of ours, also through a symlink of ours.
    let own = checkout.fake_npm("own");
    symlink("own", own.with_file_name("link")).expect("the folder is writable");
    assert_eq!(
        checkout.npm_version(&format!(
            "{}:{usual}",
            own.with_file_name("link").join("bin").display()
        )),
        "9.9.9"
    );
    assert!(checkout.marked().contains("own"));
}

/// A script is as trusted as what runs it, and so is what that looks up: one file in a folder of
/// ours belongs to another user.
#[test]
fn scripts_are_not_run_by_programs_of_others() {
    if !is_root() {
        return;
    }
    let checkout = Checkout::new("cache");
    let usual = std::env::var("PATH").expect("there are programs");
    let elsewhere = checkout.npm_version(&usual);
    let mixed = checkout.fake_npm("mixed").join("bin");
    fs::remove_file(mixed.join("npm")).expect("it is there");
    for name in ["node", "bash", "sh", "env", "python3"] {
        let file = mixed.join(name);
        fs::write(
            &file,
            format!(
                "#!/bin/sh\n: > '{}'\nexit 1\n",
                checkout.marks().join(name).display()
            ),
        )
        .expect("it is writable");
        mode(&file, 0o755);
        give_away(&file);
    }
    let path = format!("{}:{usual}", mixed.display());
    assert_eq!(checkout.npm_version(&path), elsewhere);
    let resolved = checkout
        .command("", &["packages", "resolve", "six"])
        .env("PATH", &path)
        .output()
        .expect("the program starts");
    assert_eq!(checkout.marked(), BTreeSet::new());
    assert!(resolved.status.success() && String::from_utf8_lossy(&resolved.stdout).contains("six"));
}

/// The traps work: the same tools run them if they are started carelessly.
#[test]
fn the_traps_of_the_checkout_work() {
    let checkout = Checkout::new("cache");
    let usual = std::env::var("PATH").expect("there are programs");
    let command = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(checkout.path(""))
            .env("PATH", &usual)
            .env_remove("PYENV_VERSION");
        let _ = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    };
    command("/usr/bin/python3", &["-m", "pip", "--version"]);
    command("/bin/sh", &["-c", "PATH=\".:$PATH\"; mmdebstrap"]);
    command("cargo", &["--version"]);
    let marked = checkout.marked();
    assert!(
        marked.contains("mmdebstrap") && marked.iter().any(|trap| trap.ends_with(".py")),
        "{marked:?}"
    );
    assert!(Path::new(&checkout.path("preload.js")).exists());
}

#[test]
#[ignore = "fetches 110 MB and compiles for minutes"]
fn files_above_the_cache_do_not_run_while_guests_are_made() {
    let checkout = Checkout::without_guests("checkout/src/.cache/glovebox");
    checkout.check("src/deep", &["guests", "build"]);
    assert_eq!(checkout.check("src/deep", &["run", "main.py"]), "six\n");
}
