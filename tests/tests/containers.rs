//! Container tier: does its isolation hold, with a real engine?
//!
//! The oracles are outside: the engine's own client, files of the host, the process table.

use glovebox::{
    CancellationToken, Controls, Input, Limit, Outcome, Policy, Request, Sandbox, Status,
};
use glovebox_policy::InputFile;
use glovebox_tests::attack::show;
use glovebox_tests::engine::{docker, sandbox};
use glovebox_tests::place::{eventually, run, run_with, runtime};
use glovebox_tests::tree::program;
use std::time::{Duration, Instant};

fn policy(limits: &str, more: &str) -> Policy {
    let text = format!(
        "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n[profiles.t.limits]\nmemory = \"128MiB\"\n\
         workspace = \"8MiB\"\nprocesses = 40\noutput = \"64KiB\"\n{limits}\n{more}"
    );
    Policy::parse("test", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn plain() -> Option<Sandbox> {
    sandbox(policy("", ""))
}

fn shell(sandbox: &Sandbox, source: &str) -> Outcome {
    run(sandbox, Request::new("shell", source))
}

/// Asserts that no container of ours is left at the engine, after the time of its cleanup.
fn assert_nothing_is_left(label: &str) {
    let started = Instant::now();
    loop {
        let left = docker(&[
            "ps",
            "--all",
            "--quiet",
            "--filter",
            &format!("label=glovebox.owner{label}"),
        ]);
        if left.trim().is_empty() {
            return;
        }
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "containers are left: {left}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_script_does_what_scripts_do() {
    let Some(sandbox) = plain() else { return };
    let mut request = Request::new(
        "shell",
        "uname -s; whoami; pwd; echo \"$1 $WORD\"; cat; cat in/put.txt; echo out > result.txt; echo err >&2; exit 3",
    );
    request.arguments = vec!["first arg".to_owned()];
    request.environment = vec![("WORD".to_owned(), "wörd".to_owned())];
    request.files = vec![InputFile {
        path: "in/put.txt".to_owned(),
        content: b"from a file\n".as_slice().into(),
    }];
    request.artifacts = vec!["*.txt".to_owned()];
    let controls = Controls {
        input: Input::from("from the input\n"),
        ..Controls::default()
    };
    let outcome = run_with(&sandbox, request, controls);
    assert_eq!(
        outcome.stdout.text(),
        "Linux\nnobody\n/work\nfirst arg wörd\nfrom the input\nfrom a file\n",
        "{}",
        show(&outcome)
    );
    assert_eq!(
        (
            outcome.stderr.text().as_ref(),
            outcome.status,
            outcome.exit_code
        ),
        ("err\n", Status::Failed, Some(3))
    );
    assert_eq!(outcome.tier.map(|tier| tier.name()), Some("container"));
    assert!(
        outcome
            .tier_reason
            .contains("`wasm` does not run the language"),
        "{}",
        outcome.tier_reason
    );
    let artifacts: Vec<_> = outcome
        .artifacts
        .iter()
        .map(|one| (one.path.as_str(), one.content.as_slice()))
        .collect();
    assert_eq!(artifacts, [("result.txt", b"out\n".as_slice())]);
    assert!(outcome.usage.cpu > Duration::ZERO && outcome.usage.peak_memory > 0);
}

/// Each probe prints what it got; it must get nothing. (FS, NET and PR rows of the catalogue)
#[test]
fn a_program_has_no_way_out() {
    let Some(sandbox) = plain() else { return };
    let cases = [
        ("cat /etc/shadow", "Permission denied"),
        ("echo x > /etc/x", "Read-only file system"),
        ("touch /program/../usr/x", "Read-only file system"),
        (
            "timeout 3 bash -c ': < /dev/tcp/1.1.1.1/80'",
            "Network is unreachable",
        ),
        (
            "timeout 3 bash -c ': < /dev/tcp/172.17.0.1/22'",
            "Network is unreachable",
        ),
        ("ls /var/run/docker.sock", "No such file"),
        ("unshare -m true", "Operation not permitted"),
        ("unshare -U true", "Operation not permitted"),
        ("mknod /work/null c 1 3", "Operation not permitted"),
        ("/usr/sbin/chroot / true", "Operation not permitted"),
        ("kill -9 1; echo alive >&2", "alive"),
        ("echo b > /proc/sysrq-trigger", "/proc/sysrq-trigger: "),
        (
            "echo x > /proc/sys/kernel/core_pattern",
            "Read-only file system",
        ),
        ("mkdir /sys/fs/cgroup/x", "cannot create directory"),
    ];
    for (probe, expected) in cases {
        let outcome = shell(&sandbox, probe);
        assert!(
            outcome.stderr.text().contains(expected),
            "{probe}: {}",
            show(&outcome)
        );
    }
    let outcome = shell(
        &sandbox,
        "grep -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status; ls /dev; ls /sys/class/net; hostname",
    );
    let facts = outcome.stdout.text().into_owned();
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(
            facts.contains(&format!("{set}:\t0000000000000000")),
            "{facts}"
        );
    }
    assert!(
        facts.contains("NoNewPrivs:\t1") && facts.contains("Seccomp:\t2"),
        "{facts}"
    );
    for device in ["kvm", "mem", "fuse", "sda"] {
        assert!(!facts.lines().any(|line| line == device), "{facts}");
    }
    assert!(
        facts.contains("\nlo\n") && !facts.contains("eth0") && facts.contains("glovebox"),
        "{facts}"
    );
    let secret = "CANARY_of_the_host";
    assert!(
        !shell(&sandbox, "env; cat /proc/1/environ; cat /proc/self/environ")
            .stdout
            .text()
            .contains(secret)
    );
    assert_nothing_is_left("");
}

#[test]
fn limits_end_a_run_with_their_own_words() {
    let Some(sandbox) = sandbox(policy(
        "wall = \"10s\"\nfuel = 2_000_000_000\nfiles = 100",
        "",
    )) else {
        return;
    };
    let cases = [
        ("a=x; while :; do a=$a$a; done", Limit::Memory),
        ("while :; do :; done", Limit::Fuel),
        ("yes", Limit::Output),
        ("head -c 20000000 /dev/zero > big", Limit::Workspace),
        (
            "for i in $(seq 200); do : > f$i || exit 1; done",
            Limit::Files,
        ),
    ];
    for (source, limit) in cases {
        let outcome = shell(&sandbox, source);
        assert_eq!(
            (outcome.status, outcome.reached_limit()),
            (Status::Limited, Some(limit)),
            "{source}: {}",
            show(&outcome)
        );
        // The canary after each.
        assert_eq!(
            shell(&sandbox, "echo 42").stdout.text(),
            "42\n",
            "after {source}"
        );
    }
    // The shell retries for some seconds before it gives up, so the clock may be first.
    let outcome = shell(&sandbox, ":(){ :|:& };:; sleep 1; exit 1");
    assert!(
        matches!(
            outcome.reached_limit(),
            Some(Limit::Processes | Limit::Wall)
        ),
        "{}",
        show(&outcome)
    );
    assert_eq!(shell(&sandbox, "echo 42").stdout.text(), "42\n");
    let mut request = Request::new("shell", "trap '' TERM INT HUP; while :; do sleep 1; done");
    request.wants.limits.wall = Some(Duration::from_secs(1));
    let started = Instant::now();
    let outcome = run(&sandbox, request);
    assert_eq!(outcome.reached_limit(), Some(Limit::Wall));
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "a program that ignores signals is killed"
    );
    // The input files take more blocks than they have bytes.
    let mut request = Request::new("shell", "true");
    request.wants.limits.workspace = Some(16 << 10);
    request.files = (0..10)
        .map(|number| InputFile {
            path: format!("f{number}"),
            content: b"x".as_slice().into(),
        })
        .collect();
    let outcome = run(&sandbox, request);
    assert_eq!(
        outcome.reached_limit(),
        Some(Limit::Workspace),
        "{}",
        show(&outcome)
    );
    assert_nothing_is_left("");
}

#[test]
fn stop_or_disconnect_ends_a_container_run() {
    let Some(sandbox) = plain() else { return };
    let stop = CancellationToken::new();
    let controls = Controls {
        stop: stop.clone(),
        ..Controls::default()
    };
    runtime().spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.cancel();
    });
    let outcome = run_with(
        &sandbox,
        Request::new("shell", "echo started; sleep 60"),
        controls,
    );
    assert_eq!(
        (outcome.status, outcome.stdout.text().as_ref()),
        (Status::Cancelled, "started\n"),
        "{}",
        show(&outcome)
    );
    let dropped = runtime().block_on(async {
        tokio::time::timeout(
            Duration::from_secs(2),
            sandbox.run(Request::new("shell", "sleep 60")),
        )
        .await
        .is_err()
    });
    assert!(dropped);
    assert_nothing_is_left("");
}

#[test]
fn processes_that_a_program_leaves_behind_end_with_it() {
    let Some(sandbox) = plain() else { return };
    let outcome = shell(
        &sandbox,
        "(setsid sleep 1000 &) ; (setsid bash -c 'trap \"\" TERM; while :; do sleep 1; done' &) ; echo done",
    );
    assert_eq!(
        (outcome.status, outcome.stdout.text().as_ref()),
        (Status::Succeeded, "done\n"),
        "{}",
        show(&outcome)
    );
    assert!(
        outcome.usage.wall < Duration::from_secs(20),
        "{:?}",
        outcome.usage.wall
    );
    // A sparse file is larger than any workspace, and takes no room in it.
    let mut request = Request::new("shell", "echo small > a; truncate -s 100G b");
    request.artifacts = vec!["*".to_owned()];
    let outcome = run(&sandbox, request);
    assert_eq!(
        (outcome.status, outcome.artifacts_truncated),
        (Status::Succeeded, true),
        "{}",
        show(&outcome)
    );
    assert!(
        outcome
            .artifacts
            .iter()
            .all(|artifact| artifact.path == "a")
    );
    // A program that kills all that it can kill does not reach its waiter.
    let outcome = shell(&sandbox, "kill -9 -1; echo on");
    assert_eq!(
        (outcome.status, outcome.stdout.text().as_ref()),
        (Status::Succeeded, "on\n"),
        "{}",
        show(&outcome)
    );
    assert_nothing_is_left("");
}

#[test]
fn fifty_runs_at_once_do_not_mix() {
    let Some(sandbox) = sandbox(policy("concurrency = 50", "")) else {
        return;
    };
    let outcomes = runtime().block_on(async {
        let runs = (0..50).map(|number| {
            let sandbox = sandbox.clone();
            tokio::spawn(async move {
                sandbox
                    .run(Request::new(
                        "shell",
                        format!("echo {number} > f; sleep 0.2; cat f; ls"),
                    ))
                    .await
            })
        });
        let mut outcomes = Vec::new();
        for run in runs.collect::<Vec<_>>() {
            outcomes.push(run.await.expect("no panic").expect("the engine holds"));
        }
        outcomes
    });
    for (number, outcome) in outcomes.iter().enumerate() {
        assert_eq!(
            outcome.stdout.text(),
            format!("{number}\nf\n"),
            "{}",
            show(outcome)
        );
    }
    assert_nothing_is_left("");
}

/// Without the tier, a denial says how to enable it.
#[test]
fn without_an_engine_shell_is_denied_and_the_rest_works() {
    let sandbox = Sandbox::builder()
        .policy(policy("", ""))
        .build()
        .expect("the guests are installed");
    let outcome = shell(&sandbox, "true");
    assert_eq!(outcome.status, Status::Denied);
    assert_eq!(
        run(&sandbox, Request::new("python", "print(1)"))
            .stdout
            .text(),
        "1\n"
    );
}

/// The command line decides from the same facts as the library, whichever rule chooses the tier.
#[test]
fn the_command_line_runs_a_program_in_the_tier_of_its_profile() {
    if plain().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (policy, source) = (folder.path().join("p.toml"), folder.path().join("a.py"));
    std::fs::write(&source, "print(1)").expect("the folder is writable");
    for (tiers, tier) in [
        ("\"container\"", "container"),
        ("\"container\", \"wasm\"", "container"),
        ("\"wasm\", \"container\"", "wasm"),
    ] {
        let text = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\ntiers = [{tiers}]\n"
        );
        std::fs::write(&policy, text).expect("the folder is writable");
        let output = std::process::Command::new(program())
            .args(["run", "--json", "--policy"])
            .args([&policy, &source])
            .output()
            .expect("the program starts");
        let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(
            (&outcome["tier"], &outcome["stdout"]),
            (&tier.into(), &"1\n".into()),
            "{tiers}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// A process that is killed leaves its container behind; the next process that starts removes it.
#[test]
fn containers_of_a_killed_process_are_removed_by_the_next() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};
    if plain().is_none() {
        return;
    }
    let start = |source: &str| {
        let mut command = Command::new(glovebox_tests::tree::program());
        command
            .args(["run", "--language", "shell", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        child
            .stdin
            .take()
            .expect("it has an input")
            .write_all(source.as_bytes())
            .expect("it reads");
        child
    };
    let mut killed = start("echo started; sleep 25");
    let mut line = String::new();
    BufReader::new(killed.stdout.take().expect("it has an output"))
        .read_line(&mut line)
        .expect("it says something");
    assert_eq!(line, "started\n");
    let owned = format!("/{}/", killed.id());
    let left = || {
        docker(&["ps", "--all", "--format", "{{.Label \"glovebox.owner\"}}"])
            .lines()
            .filter(|label| label.contains(&owned))
            .count()
    };
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ends");
    assert_eq!(left(), 1, "the container goes on");
    assert!(start("true").wait().expect("it ends").success());
    eventually(Duration::from_secs(20), "the container is left", || {
        left() == 0
    });
}

/// Idle containers serve one run each, and none is left when the tier is dropped.
#[test]
fn a_pool_serves_runs_and_goes_away() {
    if plain().is_none() {
        return;
    }
    let label = || {
        docker(&[
            "ps",
            "--all",
            "--quiet",
            "--filter",
            "label=glovebox.owner",
            "--filter",
            "status=paused",
        ])
        .lines()
        .count()
    };
    runtime().block_on(async {
        let containers = glovebox_fallback::Containers::builder()
            .idle(2)
            .connect()
            .await;
        let policy = policy("", "");
        let sandbox = Sandbox::builder()
            .policy(policy)
            .executor(std::sync::Arc::new(containers))
            .build()
            .expect("the guests are installed");
        for round in 0..4 {
            let outcome = sandbox
                .run(Request::new(
                    "shell",
                    format!(
                        "ls /work /tmp; echo {round} > /work/f; echo {round} > /tmp/f; echo {round}"
                    ),
                ))
                .await;
            let outcome = outcome.expect("the engine holds");
            assert_eq!(
                outcome.stdout.text(),
                format!("/tmp:\n\n/work:\n{round}\n"),
                "{}",
                show(&outcome)
            );
            let started = Instant::now();
            while label() < 2 {
                assert!(
                    started.elapsed() < Duration::from_secs(20),
                    "the pool is not filled"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        assert_eq!(label(), 2);
    });
    eventually(Duration::from_secs(20), "idle containers are left", || {
        label() == 0
    });
}

/// A policy can pin the only image that a container may start from.
#[test]
fn an_image_can_be_pinned_by_its_digest() {
    if plain().is_none() {
        return;
    }
    let digest = docker(&["inspect", "--format", "{{.Id}}", "glovebox/shell:latest"]);
    let pinned = |digest: &str| policy("", &format!("[profiles.t.images]\nshell = \"{digest}\"\n"));
    let sandbox_of = |digest: &str| sandbox(pinned(digest)).expect("there is an engine");
    assert_eq!(
        shell(&sandbox_of(digest.trim()), "echo ran").stdout.text(),
        "ran\n"
    );
    let other = sandbox_of(&format!("sha256:{}", "0".repeat(64)));
    let refused = runtime().block_on(other.run(Request::new("shell", "echo ran")));
    assert!(refused.is_err_and(|error| error.to_string().contains("the policy pins the image")));
}

/// System calls for container escapes, or with a history of kernel vulnerabilities, are refused;
/// ordinary ones are not. (PR06 to PR08)
#[cfg(target_arch = "x86_64")]
#[test]
fn system_calls_are_filtered() {
    let Some(sandbox) = glovebox_tests::engine::sandbox_for(&["python"], policy("", "")) else {
        return;
    };
    let calls = [
        ("unshare", 272, "0x10000000, 0"),
        ("unshare of a mount", 272, "0x20000, 0"),
        ("setns", 308, "0, 0"),
        ("ptrace", 101, "0, 0, 0, 0"),
        ("process_vm_readv", 310, "1, 0, 0, 0, 0, 0"),
        ("kcmp", 312, "1, 1, 0, 0, 0"),
        ("bpf", 321, "0, 0, 0"),
        ("perf_event_open", 298, "0, 0, -1, -1, 0"),
        ("io_uring_setup", 425, "1, 0"),
        ("userfaultfd", 323, "0"),
        ("keyctl", 250, "0, 0, 0, 0, 0"),
        ("add_key", 248, "0, 0, 0, 0, 0"),
        ("mount", 165, "0, 0, 0, 0, 0"),
        ("open_by_handle_at", 304, "0, 0, 0"),
        ("pidfd_getfd", 438, "0, 0, 0"),
        ("a socket of AF_VSOCK", 41, "40, 1, 0"),
        ("a socket of AF_ALG", 41, "38, 5, 0"),
        ("a socket of AF_PACKET", 41, "17, 3, 0"),
        ("a socket of NETLINK_KOBJECT_UEVENT", 41, "16, 3, 15"),
        ("a socket of NETLINK_GENERIC", 41, "16, 3, 16"),
        ("clone with a namespace", 56, "0x10000000 | 17, 0, 0, 0, 0"),
    ];
    let probes: String = calls
        .iter()
        .map(|(what, number, arguments)| format!("call({what:?}, {number}, {arguments})\n"))
        .collect();
    let source = format!(
        "import ctypes, os, subprocess, threading\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         def call(what, *arguments):\n    ctypes.set_errno(0)\n    \
         result = libc.syscall(*map(ctypes.c_long, arguments))\n    print(what, result, ctypes.get_errno())\n\
         {probes}import socket\nprint(socket.if_nameindex(), socket.socketpair()[0].family.name)\nthread = threading.Thread(target=print, args=('thread',))\nthread.start()\nthread.join()\n\
         print(subprocess.run(['uname', '-s'], capture_output=True).stdout, os.getpid() > 0)\n"
    );
    let mut request = Request::new("python", source);
    request.wants.tier = Some(glovebox_policy::Tier::Container);
    let outcome = run(&sandbox, request);
    let expected: String = calls
        .iter()
        .map(|(what, ..)| format!("{what} -1 1\n"))
        .collect();
    assert_eq!(
        outcome.stdout.text(),
        format!("{expected}[(1, 'lo')] AF_UNIX\nthread\nb'Linux\\n' True\n"),
        "{}",
        show(&outcome)
    );
}
