//! Mounts of containers: is a mount the directory that was checked, and can an image open the
//! engine's disk?
//!
//! The race is made by a proxy in front of the engine, which replaces the directory between its
//! check and the engine's use of its path.

use glovebox::Request;
use glovebox_tests::attack::show;
use glovebox_tests::engine::{docker, sandbox};
use glovebox_tests::place::{run, runtime};
use glovebox_tests::tree::program;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

/// The engine's own socket.
const ENGINE: &str = "/var/run/docker.sock";

/// The change that a proxy makes before the engine is asked for a container.
type Change = Arc<dyn Fn() + Send + Sync>;

/// Forwards one direction of a connection to the engine.
fn forward(mut from: UnixStream, mut to: UnixStream, change: Option<&Change>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length) = from.read(&mut buffer) {
        let chunk = buffer.get(..length).unwrap_or_default();
        if let Some(change) = change
            && String::from_utf8_lossy(chunk).contains("/containers/create")
        {
            change();
        }
        if chunk.is_empty() || to.write_all(chunk).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Listens in front of the engine.
fn proxy(socket: &Path, change: Change) {
    let listener = UnixListener::bind(socket).expect("a socket can be made");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let engine = UnixStream::connect(ENGINE).expect("the engine listens");
            let copies = (client.try_clone(), engine.try_clone());
            let (Ok(client_copy), Ok(engine_copy)) = copies else {
                return;
            };
            let change = Arc::clone(&change);
            std::thread::spawn(move || forward(client, engine, Some(&change)));
            std::thread::spawn(move || forward(engine_copy, client_copy, None));
        }
    });
}

/// A directory that a policy mounts, and another one beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let place = Self { folder };
        for (name, content) in [("open/data", "granted\n"), ("secret", "secret\n")] {
            std::fs::create_dir_all(place.path(name)).expect("the folder is ours");
            std::fs::write(place.path(name).join("file"), content).expect("it is ours");
        }
        std::fs::write(place.path("main.sh"), "cat /data/file").expect("it is ours");
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n\
             [[profiles.t.mounts]]\nhost = \"{}\"\nguest = \"/data\"\n",
            place.path("open/data").display()
        );
        std::fs::write(place.path("policy.toml"), policy).expect("it is ours");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program, with the change just before its container is created.
    fn run(&self, change: Change) -> Output {
        proxy(&self.path("engine.sock"), change);
        let socket = format!("unix://{}", self.path("engine.sock").display());
        Command::new(program())
            .args(["run", "--policy"])
            .arg(self.path("policy.toml"))
            .arg(self.path("main.sh"))
            .env("DOCKER_HOST", socket)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program starts")
    }
}

#[test]
fn directory_that_is_replaced_before_it_is_mounted_is_refused() {
    if sandbox(glovebox::Policy::builtin()).is_none() {
        return;
    }
    let unchanged: fn(&Place) = |_| {};
    let link: fn(&Place) = |place| {
        std::fs::rename(place.path("open/data"), place.path("open/moved")).expect("it is there");
        symlink(place.path("secret"), place.path("open/data")).expect("a link can be made");
    };
    let above: fn(&Place) = |place| {
        std::fs::rename(place.path("secret"), place.path("data")).expect("it is there");
        std::fs::rename(place.path("open"), place.path("moved")).expect("it is there");
        symlink(place.folder.path(), place.path("open")).expect("a link can be made");
    };
    let exchange: fn(&Place) = |place| {
        std::fs::rename(place.path("open/data"), place.path("open/moved")).expect("it is there");
        std::fs::rename(place.path("secret"), place.path("open/data")).expect("it is there");
    };
    for (name, change, is_run) in [
        ("unchanged", unchanged, true),
        ("link", link, false),
        ("link above", above, false),
        ("exchange", exchange, false),
    ] {
        let place = Arc::new(Place::new());
        let same = Arc::clone(&place);
        let output = place.run(Arc::new(move || change(&same)));
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        if is_run {
            assert_eq!(
                (&*stdout, output.status.code()),
                ("granted\n", Some(0)),
                "{stderr}"
            );
        } else {
            assert_eq!(
                (&*stdout, output.status.code()),
                ("", Some(125)),
                "{name}: {stderr}"
            );
            assert!(
                stderr.contains("another directory took its place"),
                "{name}: {stderr}"
            );
        }
    }
}

/// The workspace belongs to the program, and the process that compares mounts cannot look into it.
#[test]
fn mounts_inside_the_workspace_are_compared_too() {
    let place = Place::new();
    for guest in ["/data", "/work/data", "/work/deep/er"] {
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n\
             [[profiles.t.mounts]]\nhost = \"{}\"\nguest = \"{guest}\"\n",
            place.path("open/data").display()
        );
        let policy = glovebox::Policy::parse("test", &policy).expect("it is valid");
        let Some(sandbox) = sandbox(policy) else {
            return;
        };
        let outcome = run(&sandbox, Request::new("shell", format!("cat {guest}/file")));
        assert_eq!(outcome.stdout.text(), "granted\n", "{}", show(&outcome));
    }
}

/// Machine code in the cache is executed by the next process, so no program may write there.
#[test]
fn own_files_of_glovebox_are_not_mounted() {
    let cache = glovebox_guests::default_cache_dir().expect("there is one");
    let above = cache.parent().expect("it has a parent").to_owned();
    let link = tempfile::tempdir().expect("a folder can be made");
    symlink(&cache, link.path().join("link")).expect("a link can be made");
    for (host, write, is_mounted) in [
        (cache.clone(), false, false),
        (cache.join("guests"), true, false),
        (link.path().join("link"), false, false),
        (above.clone(), true, false),
        (above, false, true),
    ] {
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n\
             [[profiles.t.mounts]]\nhost = \"{}\"\nguest = \"/data\"\nwrite = {write}\n",
            host.display()
        );
        let policy = glovebox::Policy::parse("test", &policy).expect("it is valid");
        let Some(sandbox) = sandbox(policy) else {
            return;
        };
        for request in [
            Request::new("shell", "ls -d /data"),
            Request::new("python", "import os\nos.listdir('/data')\nprint('/data')"),
        ] {
            let what = format!("{} {write} {}", host.display(), request.language);
            match runtime().block_on(sandbox.run(request)) {
                Ok(outcome) => assert!(
                    is_mounted && outcome.stdout.text() == "/data\n",
                    "{what}: {}",
                    show(&outcome)
                ),
                Err(error) => assert!(
                    !is_mounted && error.to_string().contains("keeps its own files in"),
                    "{what}: {error}"
                ),
            }
        }
    }
}

/// Makes an image with volumes from the one for shell, and returns its digest.
fn image_with_volumes() -> String {
    let mut build = Command::new("docker")
        .args(["build", "--quiet", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client is there");
    let mut input = build.stdin.take().expect("it has an input");
    let recipe = "FROM glovebox/shell:latest\nVOLUME /var/store /data/\n";
    input.write_all(recipe.as_bytes()).expect("it reads");
    drop(input);
    let output = build.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn volumes_of_an_image_take_no_disk() {
    if sandbox(glovebox::Policy::builtin()).is_none() {
        return;
    }
    let digest = image_with_volumes();
    assert!(digest.starts_with("sha256:"), "{digest}");
    let before = docker(&["volume", "ls", "--quiet"]);
    let policy = format!(
        "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n\
         [profiles.t.limits]\nmemory = \"256MiB\"\n[profiles.t.images]\nshell = \"{digest}\"\n"
    );
    let policy = glovebox::Policy::parse("test", &policy).expect("it is valid");
    let sandbox = sandbox(policy).expect("there is an engine");
    // The benign twin writes less than a temporary file system holds.
    let source = "for d in /var/store /data; do\n\
                  head -c 1M /dev/zero >$d/little && echo wrote $d\n\
                  head -c 100M /dev/zero >$d/much 2>/dev/null || echo full $d; done\n\
                  stat -f -c %T /var/store /data";
    let outcome = run(&sandbox, Request::new("shell", source));
    let _ = docker(&["image", "rm", &digest]);
    let expected = "wrote /var/store\nfull /var/store\nwrote /data\nfull /data\ntmpfs\ntmpfs\n";
    assert_eq!(outcome.stdout.text(), expected, "{}", show(&outcome));
    assert_eq!(docker(&["volume", "ls", "--quiet"]), before);
}
