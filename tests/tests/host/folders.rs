//! Folder permissions: is a file used that another user could have written, or is the state of a
//! service readable by another user?
//!
//! Each case takes a valid folder, changes its owner or its mode, and checks that the program
//! refuses it, names it and says how to fix it; the twin is the same command before the change.
//! Cases that need another user run if the tests run as root.

use glovebox_tests::service::{Access, RUN, Service, python};
use glovebox_tests::tree::program;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

const NOBODY: u32 = 65534;

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).expect("we are root");
}

/// A cache of its own, with the guests and the machine code of this machine in it.
fn cache() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a folder can be made");
    let cache = place.path().join("above/cache");
    let installed = glovebox_guests::installed()
        .expect("the cache is ours")
        .expect("the guests are installed");
    let from = glovebox_guests::default_cache_dir().expect("there is a cache");
    copy(
        installed.directory(),
        &cache.join("guests").join(glovebox_guests::source_key()),
    );
    copy(&from.join("compiled"), &cache.join("compiled"));
    for folder in ["above", "above/cache", "above/cache/guests"] {
        mode(&place.path().join(folder), 0o755);
    }
    (place, cache)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is writable");
    mode(to, 0o700);
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("the folder is writable");
    }
}

fn run(cache: &Path, arguments: &[&str], source: &str) -> Output {
    let mut command = Command::new(program());
    command
        .arg("run")
        .args(arguments)
        .arg("-")
        .env("GLOVEBOX_CACHE", cache);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let _ = child
        .stdin
        .take()
        .expect("it has an input")
        .write_all(source.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn javascript(cache: &Path) -> Output {
    run(cache, &["--language", "javascript"], "console.log(6 * 7)")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The machine code of a cache.
fn machine_code(cache: &Path) -> Vec<PathBuf> {
    fs::read_dir(cache.join("compiled"))
        .expect("it is there")
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// Files and folders of a cache, and how each is opened to others: by its mode, or by its owner.
fn changes(place: &Path, cache: &Path, bundle: &Path) -> Vec<(PathBuf, Option<u32>)> {
    let mut rows = vec![
        (place.join("above"), Some(0o777)),
        (place.join("above"), Some(0o775)),
        (cache.to_owned(), Some(0o777)),
        (cache.join("compiled"), Some(0o777)),
        (cache.join("compiled"), Some(0o770)),
        (cache.join("guests"), Some(0o777)),
        (bundle.to_owned(), Some(0o777)),
        (bundle.join("manifest.json"), Some(0o666)),
        (bundle.join("javascript.image"), Some(0o666)),
        (bundle.join("python-stdlib.tar"), Some(0o620)),
    ];
    if is_root() {
        let folders = [
            place.join("above"),
            cache.to_owned(),
            cache.join("compiled"),
            cache.join("guests"),
            bundle.to_owned(),
        ];
        rows.extend(folders.map(|path| (path, None)));
        rows.extend(
            ["manifest.json", "javascript.image", "python-stdlib.tar"]
                .map(|file| (bundle.join(file), None)),
        );
    }
    rows
}

#[test]
fn guests_and_machine_code_that_others_can_change_are_not_used() {
    let (place, cache) = cache();
    let bundle = cache.join("guests").join(glovebox_guests::source_key());
    let rows = changes(place.path(), &cache, &bundle);
    assert_eq!(text(&javascript(&cache).stdout), "42\n");
    for (path, changed) in rows {
        let usual = fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o7777;
        match changed {
            Some(changed) => mode(&path, changed),
            None => give_away(&path),
        }
        let output = javascript(&cache);
        let said = text(&output.stderr);
        let mends = if changed.is_some() {
            "chmod go-w"
        } else {
            "chown 0"
        };
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(125), ""),
            "{}: {said}",
            path.display()
        );
        assert!(
            said.contains(&format!("{mends} '{}'", path.display())),
            "{}: {said}",
            path.display()
        );
        mode(&path, usual);
        if is_root() {
            chown(&path, Some(0), Some(0)).expect("we are root");
        }
        assert_eq!(
            text(&javascript(&cache).stdout),
            "42\n",
            "{}: {}",
            path.display(),
            text(&javascript(&cache).stderr)
        );
    }
    // Every file of machine code, so that the loaded one is among them.
    machine_code(&cache)
        .iter()
        .for_each(|file| mode(file, 0o666));
    let output = javascript(&cache);
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(125), ""),
        "{}",
        text(&output.stderr)
    );
}

/// The resolver that another user put into the store is not run.
#[test]
fn a_resolver_that_others_can_change_is_not_run() {
    let (place, cache) = cache();
    let mark = place.path().join("mark");
    let version = include_str!("../../../runtime/packages/requirements.txt")
        .lines()
        .find_map(|line| line.strip_prefix("uv=="));
    let version = version.expect("it is pinned").trim_end_matches([' ', '\\']);
    let folder = cache.join(format!("packages/tools/uv-{version}/bin"));
    fs::create_dir_all(&folder).expect("the folder is writable");
    let uv = folder.join("uv");
    fs::write(
        &uv,
        format!("#!/bin/sh\n: > '{}'\nexit 2\n", mark.display()),
    )
    .expect("the folder is writable");
    mode(&uv, 0o755);
    let attempt = || {
        let _ = fs::remove_file(&mark);
        let output = run(
            &cache,
            &["--language", "python", "--package", "six"],
            "print(1)",
        );
        assert_ne!(output.status.code(), Some(0));
        (mark.exists(), text(&output.stderr))
    };
    for path in [
        uv.clone(),
        folder.clone(),
        folder.parent().expect("it has one").to_owned(),
        cache.join("packages/tools"),
        cache.join("packages"),
    ] {
        assert!(attempt().0, "a store of our own is used");
        let usual = fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o7777;
        mode(&path, 0o777);
        let (ran, said) = attempt();
        assert!(
            !ran && said.contains(&path.display().to_string()),
            "{}: {said}",
            path.display()
        );
        mode(&path, usual);
        if is_root() {
            give_away(&path);
            let (ran, said) = attempt();
            assert!(
                !ran && said.contains("belongs to user 65534"),
                "{}: {said}",
                path.display()
            );
            chown(&path, Some(0), Some(0)).expect("we are root");
        }
    }
}

/// Machine code whose executable sections are replaced by instructions that end the process.
fn poisoned(code: &[u8]) -> Vec<u8> {
    let number = |at: usize, bytes: usize| {
        (0..bytes)
            .rev()
            .fold(0, |value, byte| value << 8 | usize::from(code[at + byte]))
    };
    let (table, count, names) = (number(40, 8), number(60, 2), number(62, 2));
    let section = |index: usize| table + 64 * index;
    let names = number(section(names) + 24, 8);
    let mut poisoned = code.to_vec();
    for index in 0..count {
        let name = names + number(section(index), 4);
        if code[name..].starts_with(b".text\0") {
            let (start, size) = (
                number(section(index) + 24, 8),
                number(section(index) + 32, 8),
            );
            poisoned[start..start + size].fill(0xCC);
        }
    }
    assert_ne!(poisoned, code, "it has code");
    poisoned
}

/// While the content of the file keeps changing, the code that runs is the code that was verified
/// (TOCTOU).
#[test]
fn machine_code_that_is_swapped_is_never_run() {
    let (place, cache) = cache();
    assert_eq!(text(&javascript(&cache).stdout), "42\n");
    let pairs: Vec<(PathBuf, [PathBuf; 2])> = machine_code(&cache)
        .into_iter()
        .map(|file| {
            let name = file
                .file_name()
                .expect("it has a name")
                .to_string_lossy()
                .into_owned();
            let [good, evil] =
                ["good", "evil"].map(|kind| place.path().join(format!("{kind}-{name}")));
            fs::copy(&file, &good).expect("the folder is writable");
            fs::write(&evil, poisoned(&fs::read(&file).expect("it is ours")))
                .expect("the folder is writable");
            mode(&evil, 0o666);
            (file, [good, evil])
        })
        .collect();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let third = place.path().join("third");
            while !over.load(Ordering::Relaxed) {
                for (file, kinds) in &pairs {
                    for kind in kinds {
                        // Atomic replacement: the file always exists.
                        let _ = fs::hard_link(kind, &third).and_then(|()| fs::rename(&third, file));
                        let _ = fs::remove_file(&third);
                    }
                }
            }
        });
        for _ in 0..20 {
            let output = javascript(&cache);
            assert_eq!(output.status.signal(), None, "code of another was run");
        }
        over.store(true, Ordering::Relaxed);
    });
}

/// Returns everything below a folder that another user may read, write or enter.
fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("it is ours").flatten() {
        let about = entry.metadata().expect("it is there");
        if about.permissions().mode() & 0o077 != 0 {
            found.push(entry.path());
        }
        if about.is_dir() {
            found.extend(open_to_others(&entry.path()));
        }
    }
    found
}

#[test]
fn state_of_a_service_is_for_its_user_alone() {
    for premade in [false, true] {
        let folder = Arc::new(TempDir::new().expect("a folder can be made"));
        let state = folder.path().join("state");
        if premade {
            fs::create_dir_all(state.join("blobs")).expect("the folder is writable");
            mode(&state, 0o755);
            mode(&state.join("blobs"), 0o755);
        }
        let service = Service::start(&folder, "", Access::Local);
        let mut request = python("open('made.txt', 'w').write('secret')\nprint('secret')");
        request["artifacts"] = serde_json::json!(["*"]);
        assert_eq!(service.run(RUN, &request)["status"], "succeeded");
        assert_eq!(
            fs::metadata(&state)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
        let mut open = open_to_others(&state);
        // An existing folder keeps its mode; other users cannot reach it any more.
        open.retain(|path| !(premade && *path == state.join("blobs")));
        assert_eq!(open, Vec::<PathBuf>::new());
        let log = service.log.lock().expect("nobody panics").clone();
        assert_eq!(
            log.contains("others could look into the state folder (mode 0755)"),
            premade,
            "{log}"
        );
    }
}

#[test]
fn a_state_folder_that_others_can_change_is_refused() {
    let attempt = |state: &Path| {
        // A valid one is served until it is stopped, so the twin is a command that only opens it.
        let keys = Command::new(program())
            .args(["keys", "list", "--state"])
            .arg(state)
            .output()
            .expect("the program starts");
        let mut serve = Command::new("timeout");
        serve
            .arg("10")
            .arg(program())
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--insecure-local",
                "--state",
            ])
            .arg(state);
        (keys, serve)
    };
    type Change = fn(&Path);
    let rows: [(Change, &str, bool); 8] = [
        (
            |state| mode(&state.join("glovebox.sqlite"), 0o666),
            "chmod go-w",
            false,
        ),
        (
            |state| give_away(&state.join("glovebox.sqlite")),
            "belongs to user 65534",
            true,
        ),
        (
            |state| {
                fs::create_dir(state.join("blobs")).expect("the folder is writable");
                mode(&state.join("blobs"), 0o777);
            },
            "chmod go-w",
            false,
        ),
        (|state| mode(state, 0o777), "chmod go-w", false),
        (|state| mode(state, 0o1777), "name a folder in it", false),
        (
            |state| mode(state.parent().expect("it has one"), 0o777),
            "chmod go-w",
            false,
        ),
        (give_away, "belongs to user 65534", true),
        (
            |state| give_away(state.parent().expect("it has one")),
            "belongs to user 65534",
            true,
        ),
    ];
    for (change, says, needs_root) in rows {
        if needs_root && !is_root() {
            continue;
        }
        let place = tempfile::tempdir().expect("a folder can be made");
        let state = place.path().join("above/state");
        fs::create_dir_all(&state).expect("the folder is writable");
        let (good, _) = attempt(&state);
        assert!(good.status.success(), "{}", text(&good.stderr));
        change(&state);
        let (keys, mut serve) = attempt(&state);
        for output in [keys, serve.output().expect("the program starts")] {
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(125), "{said}");
            assert!(said.contains(says), "{said}");
        }
    }
}
