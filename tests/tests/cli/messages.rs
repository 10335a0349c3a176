//! Messages of commands that fail: do they name the setting, and what would work?

use super::text;
use glovebox_tests::tree::program;
use std::process::{Command, Stdio};

/// The files that the commands name.
const FILES: [(&str, &str); 10] = [
    ("a.py", "print(1)"),
    ("a.js", "console.log(1)"),
    ("a.sh", "echo 1"),
    (
        "cobol.toml",
        "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"default\"\n\
         languages = [\"@wasm\", \"shell\", \"cobol\"]\n",
    ),
    (
        "mount.toml",
        "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"offline\"\n\
         mounts = [{ host = \"/srv/glovebox-has-no-such-folder\", guest = \"/data\" }]\n",
    ),
    ("key.toml", "[limits]\nmemroy = \"16GiB\"\n"),
    ("size.toml", "[limits]\nmemory = 16\n"),
    ("empty.pem", ""),
    (
        "certificate.toml",
        "[tls]\ncertificate = \"none.pem\"\nkey = \"empty.pem\"\n",
    ),
    (
        "private.toml",
        "[tls]\ncertificate = \"empty.pem\"\nkey = \"none.pem\"\n",
    ),
];

/// A command, its exit code, what it says, and what it does not say.
type Case = (
    &'static str,
    i32,
    &'static [&'static str],
    &'static [&'static str],
);

/// Runs commands, one after the other, in a folder with the files and without a container engine.
fn check(cases: &[Case]) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, content) in FILES {
        std::fs::write(folder.path().join(name), content).expect("the folder is writable");
    }
    let socket = folder.path().join("none.sock");
    for (arguments, code, says, lacks) in cases {
        let output = Command::new(program())
            .args(arguments.split(' '))
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments}: {said}");
        for part in *says {
            assert!(said.contains(part), "{arguments} lacks {part:?}: {said}");
        }
        for part in *lacks {
            assert!(!said.contains(part), "{arguments} has {part:?}: {said}");
        }
    }
}

#[test]
fn denial_says_what_would_help() {
    check(&[
        (
            "run a.sh",
            126,
            &["'apt-get install docker.io'", "or name it in DOCKER_HOST`)"],
            &["…"],
        ),
        (
            "run --language cobol a.py",
            126,
            &["no tier runs `cobol`", "`javascript`, `python`, `shell`"],
            &["to allow it", "docker"],
        ),
        (
            "run --policy cobol.toml --language cobol a.py",
            126,
            &["no tier runs `cobol`", "`javascript`, `python`, `shell`"],
            &["docker"],
        ),
        (
            "policy explain --language cobol a.py",
            126,
            &["# no policy change can allow this: no tier runs `cobol`"],
            &["languages = [", "docker"],
        ),
        (
            "run --profile nope a.py",
            126,
            &[
                "`local` may use `agent`, `default`, `deny-all`, `judge`, `offline`",
                "`[profiles.nope]`",
            ],
            &["no policy change"],
        ),
        (
            "run --profile defualt a.py",
            126,
            &["did you mean `default`?"],
            &["no policy change"],
        ),
        (
            "policy explain --profile nope a.py",
            126,
            &["# `local` may use `agent`"],
            &["no policy change"],
        ),
        (
            "packages resolve --profile nope six",
            126,
            &["`local` may use `agent`"],
            &[],
        ),
    ]);
}

#[test]
fn failure_of_a_run_says_what_would_help() {
    check(&[
        (
            "run --policy mount.toml a.py",
            125,
            &["`guest = \"/data\"`", "`glovebox policy explain`"],
            &[],
        ),
        (
            "run --offline --language javascript --package lodash@4.0.1 a.js",
            125,
            &[
                "the run is offline, and `lodash@4.0.1` is not in the package cache",
                "`glovebox packages prefetch --language javascript lodash@4.0.1`",
            ],
            &[],
        ),
    ]);
}

#[test]
fn config_of_a_service_is_answered_by_its_place_and_key() {
    check(&[
        (
            "serve --state s --listen 127.0.0.1:0 --config key.toml",
            2,
            &[
                "key.toml:2:1: ",
                "`limits.memroy`",
                "did you mean `memory`?",
            ],
            &["running_per_subject"],
        ),
        (
            "serve --state s --listen 127.0.0.1:0 --config size.toml",
            2,
            &["size.toml:2:10: `limits.memory` is a size", "16GiB"],
            &["expected a string"],
        ),
        (
            "serve --state s --listen 127.0.0.1:0 --config certificate.toml",
            125,
            &[
                "`none.pem`",
                "`tls.certificate` of the config names that file",
            ],
            &[],
        ),
        (
            "serve --state s --listen 127.0.0.1:0 --config private.toml",
            125,
            &["`none.pem`", "`tls.key` of the config names that file"],
            &[],
        ),
    ]);
}

#[test]
fn state_folder_that_is_created_for_keys_is_reported() {
    check(&[
        (
            "keys create ci --state made",
            0,
            &["created the state folder `made`"],
            &[],
        ),
        ("keys list --state made", 0, &["key:ci"], &["created"]),
        ("keys list --state other", 0, &["`other`"], &[]),
    ]);
}

#[test]
fn unknown_limit_is_answered_by_those_with_options() {
    check(&[
        (
            "run --processes 5 a.py",
            2,
            &["`--wall`, `--memory`, `--fuel`"],
            &[],
        ),
        ("run --limit wall=5s a.py", 2, &["`--wall`"], &[]),
        ("run --files a.py", 2, &["'--file'"], &["`--fuel`"]),
    ]);
}
