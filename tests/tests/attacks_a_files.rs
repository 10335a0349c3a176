//! Class A, file system escapes: does a guest reach or change files that are not its own?

use glovebox::policy::InputFile;
use glovebox::{Request, Status};
use glovebox_tests::attack::{alone, handed_out, show};
use glovebox_tests::place::{canary, run, runtime, sandbox};
use glovebox_tests::world::World;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

include!(concat!(env!("OUT_DIR"), "/attacks_a_files.rs"));

/// The host itself swaps a folder for a symlink to outside while the guest opens a file in it
/// (TOCTOU): the worst accomplice of a guest.
#[test]
fn fs10_folder_swapped_for_a_link_during_an_open() {
    let _alone = alone();
    let world = World::plant();
    let sandbox = sandbox("wall = \"3s\"\nfuel = 3_000_000_000", &world.mounts());
    let folder = world.path().join("mounts/write");
    std::fs::write(folder.join("sub/secret.txt"), "own").expect("a file can be written");
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let outside = world.path().join("outside");
    let swapper = std::thread::spawn(move || {
        let mut swaps = 0_u32;
        while !flag.load(Ordering::Relaxed) {
            std::fs::rename(folder.join("sub"), folder.join("aside"))
                .expect("a folder can be moved");
            symlink(&outside, folder.join("sub")).expect("a link can be made");
            std::thread::yield_now();
            std::fs::remove_file(folder.join("sub")).expect("a link can be removed");
            std::fs::rename(folder.join("aside"), folder.join("sub"))
                .expect("a folder can be moved");
            swaps += 1;
        }
        swaps
    });
    let source = r#"
own = other = 0
for _ in range(3000):
    try:
        with open("/write/sub/secret.txt") as file:
            text = file.read()
        if text == "own":
            own += 1
        else:
            print("got", text)
    except OSError:
        other += 1
print("own", own > 0)
"#;
    let outcome = run(&sandbox, Request::new("python", source));
    stop.store(true, Ordering::Relaxed);
    let swaps = swapper.join().expect("the swapper ends");
    assert!(swaps > 10, "{swaps} swaps");
    let shown = handed_out(&outcome);
    assert!(!shown.contains(world.secret()), "{}", show(&outcome));
    assert!(
        shown.contains("own True"),
        "the folder itself can be read between two swaps: {}",
        show(&outcome)
    );
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

#[test]
fn fs23_input_files_stay_in_the_workspace() {
    let sandbox = sandbox("", "");
    let with = |paths: &[&str]| {
        let mut request = Request::new("python", "import os\nprint(sorted(os.listdir()))");
        request.files = paths
            .iter()
            .map(|path| InputFile {
                path: (*path).to_owned(),
                content: Arc::from(*b"x"),
            })
            .collect();
        run(&sandbox, request)
    };
    let fine = with(&["a.txt", "sub/b.txt"]);
    assert_eq!(fine.stdout.text(), "['a.txt', 'sub']\n", "{}", show(&fine));
    for bad in [
        "../x",
        "/etc/x",
        "a/../../x",
        "./x",
        "a//b",
        "a/",
        "",
        ".",
        "..",
        "a\0b",
        "x/../y",
    ] {
        let outcome = with(&[bad]);
        assert_eq!(
            outcome.status,
            Status::Denied,
            "`{}`: {}",
            bad.escape_debug(),
            show(&outcome)
        );
    }
    assert_eq!(
        with(&["a", "a"]).status,
        Status::Denied,
        "the same name twice"
    );
    assert_eq!(
        with(&["a", "a/b"]).status,
        Status::Denied,
        "a file that is also a folder"
    );
}

#[test]
fn fs24_input_files_over_the_quota_are_refused() {
    let sandbox = sandbox("workspace = \"1MiB\"\nfiles = 10", "");
    let with = |count: usize, bytes: usize| {
        let mut request = Request::new("python", "print('ran')");
        request.files = (0..count)
            .map(|number| InputFile {
                path: format!("f{number}"),
                content: vec![0; bytes].into(),
            })
            .collect();
        run(&sandbox, request)
    };
    assert_eq!(with(5, 100 << 10).status, Status::Succeeded);
    for outcome in [with(11, 1), with(1, 2 << 20), with(9, 200 << 10)] {
        assert!(
            matches!(outcome.status, Status::Denied | Status::Limited),
            "{}",
            show(&outcome)
        );
        assert_eq!(outcome.stdout.text(), "", "nothing ran");
    }
}

#[test]
fn fs26_artifacts_are_the_guests_own_regular_files() {
    let world = World::plant();
    let sandbox = sandbox("", &world.mounts());
    let source = r#"
import os
open("real.txt", "w").write("mine")
os.makedirs("sub")
open("sub/deep.txt", "w").write("deep")
for target in ["/etc/passwd", "/read/data.txt", "../usr/lib/python3.14/this.py", "../read/data.txt", "../../etc/passwd", "real.txt", "sub", "../tmp/t.txt"]:
    open("/tmp/t.txt", "w").write("elsewhere")
    try:
        os.symlink(target, "link%d.txt" % len(os.listdir(".")))
    except OSError:
        pass
"#;
    let mut request = Request::new("python", source);
    request.artifacts = vec![
        "*.txt".to_owned(),
        "**/*.txt".to_owned(),
        "/etc/*".to_owned(),
        "../*".to_owned(),
        "/read/*".to_owned(),
    ];
    let outcome = run(&sandbox, request);
    // A pattern that leads outside may be denied as a whole.
    if outcome.status != Status::Denied {
        assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
        let paths: Vec<&str> = outcome
            .artifacts
            .iter()
            .map(|artifact| artifact.path.as_str())
            .collect();
        assert_eq!(
            paths,
            ["real.txt", "sub/deep.txt"],
            "links are not followed"
        );
    }
    let mut request = Request::new("python", source);
    request.artifacts = vec!["**/*.txt".to_owned()];
    let outcome = run(&sandbox, request);
    let found: Vec<(&str, &[u8])> = outcome
        .artifacts
        .iter()
        .map(|artifact| (artifact.path.as_str(), artifact.content.as_slice()))
        .collect();
    assert_eq!(
        found,
        [("real.txt", &b"mine"[..]), ("sub/deep.txt", b"deep")],
        "{}",
        show(&outcome)
    );
}

#[test]
fn fs14_artifact_names_come_back_unchanged() {
    let sandbox = sandbox("", "");
    let names = [
        "new\nline",
        "emoji\u{1F600}",
        "rtl\u{202e}exe",
        "dot.",
        "space ",
        "caf\u{e9}",
        "cafe\u{301}",
        "-rf",
        "CON",
        "\u{1b}[31m",
    ];
    let mut request = Request::new(
        "python",
        "import sys\nfor name in sys.argv[1:]:\n    open(name, 'w').write(name)",
    );
    request.arguments = names.iter().map(|name| (*name).to_owned()).collect();
    request.artifacts = vec!["*".to_owned()];
    let outcome = run(&sandbox, request);
    let mut found: Vec<(String, Vec<u8>)> = outcome
        .artifacts
        .iter()
        .map(|artifact| (artifact.path.clone(), artifact.content.clone()))
        .collect();
    found.sort();
    let mut expected: Vec<(String, Vec<u8>)> = names
        .iter()
        .map(|name| ((*name).to_owned(), name.as_bytes().to_vec()))
        .collect();
    expected.sort();
    assert_eq!(found, expected, "{}", show(&outcome));
}

#[test]
fn fs25_pipes_in_a_mount_do_not_hang() {
    let _alone = alone();
    let world = World::plant();
    let pipe = world.path().join("mounts/read/pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("`mkfifo` runs");
    assert!(made.success());
    let sandbox = sandbox("wall = \"2s\"", &world.mounts());
    let source = "for flags in 'r', 'rb', 'w':\n    try:\n        open('/read/pipe', flags).read()\n        print('got')\n    except OSError:\n        print('denied')\n";
    let outcome = runtime().block_on(async {
        tokio::time::timeout(
            std::time::Duration::from_secs(4),
            sandbox.run(Request::new("python", source)),
        )
        .await
    });
    let outcome = outcome
        .expect("the run ends in time")
        .expect("the host works");
    assert_eq!(
        outcome.stdout.text(),
        "denied\n".repeat(3),
        "{}",
        show(&outcome)
    );
}
