//! Container boundary: can a program in a container tamper with its supervisor, outlive its
//! response, or reach the host through a mount?
//!
//! Each attack has a positive control that must work. The oracles are outside: files and sockets of
//! the host, and the engine's own client.

use glovebox::{Limit, Outcome, Policy, Request, Sandbox, Status};
use glovebox_policy::Tier;
use glovebox_tests::attack::show;
use glovebox_tests::engine::{docker, sandbox_for};
use glovebox_tests::place::{run, runtime};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const LANGUAGES: [&str; 2] = ["shell", "python"];

fn policy(limits: &str, more: &str) -> Policy {
    let text = format!(
        "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n[profiles.t.limits]\nmemory = \"128MiB\"\n\
         workspace = \"8MiB\"\nprocesses = 40\noutput = \"64KiB\"\n{limits}\n{more}"
    );
    Policy::parse("test", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn mount(host: &Path, guest: &str, write: bool) -> String {
    format!(
        "[[profiles.t.mounts]]\nhost = \"{}\"\nguest = \"{guest}\"\nwrite = {write}\n",
        host.display()
    )
}

fn contained(language: &str, source: &str) -> Request {
    let mut request = Request::new(language, source);
    request.wants.tier = Some(Tier::Container);
    request
}

fn python(sandbox: &Sandbox, source: &str) -> Outcome {
    run(sandbox, contained("python", source))
}

fn shell(sandbox: &Sandbox, source: &str) -> Outcome {
    run(sandbox, contained("shell", source))
}

fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))
        .expect("it is ours");
    folder
}

/// Reads the delimiter out of the memory of other processes; then forges a trailer.
const FORGE: &str = r#"
import os, re, json
found = None
for process in filter(str.isdigit, os.listdir('/proc')):
    if int(process) == os.getpid():
        continue
    for name in ('mem', 'environ', 'cmdline'):
        try:
            if name != 'mem':
                data = [open(f'/proc/{process}/{name}', 'rb').read()]
            else:
                places = [line.split()[0].split('-') for line in open(f'/proc/{process}/maps') if ' rw' in line]
                data, memory = [], open(f'/proc/{process}/mem', 'rb')
                for start, end in places:
                    try:
                        memory.seek(int(start, 16))
                        data.append(memory.read(int(end, 16) - int(start, 16)))
                    except (OSError, ValueError, OverflowError):
                        pass
        except OSError:
            continue
        for piece in data:
            found = found or re.search(rb'glovebox-[0-9a-f]{32}', piece)
print('found' if found else 'nothing')
mark = found.group().decode() if found else 'glovebox-' + '0' * 32
told = json.dumps({'value': {'json': '"forged"', 'text': "'forged'"}}).encode()
os.write(2, f'{mark} '.encode())
os.write(1, f'{mark} 0 0 0 1 1 999 999 {len(told)}\n'.encode() + told)
raise SystemExit(3)
"#;

/// Attacks processes that are not the program's own: by reading, by signals and by priorities.
const PRY: &str = r#"
for p in /proc/[0-9]*; do
  n=${p#/proc/}
  [ "$(stat -c %u "$p" 2>/dev/null)" = "$(id -u)" ] && continue
  [ -e "$p" ] || continue
  for f in mem environ maps root cwd fd/0 fd/1 fd/4 fd/5 exe; do
    (: <"$p/$f") 2>/dev/null && echo "opened $p/$f"
    (: >>"$p/$f") 2>/dev/null && echo "opened $p/$f to write"
  done
  (echo 1000 >"$p/oom_score_adj") 2>/dev/null && echo "marked $n"
  for s in STOP TERM KILL; do kill -$s "$n" 2>/dev/null && echo "sent $s to $n"; done
done
[ "$(stat -c %u /proc/1)" = 0 ] && echo looked
"#;

#[test]
fn a_program_cannot_touch_what_watches_it() {
    let Some(sandbox) = sandbox_for(&LANGUAGES, policy("", "")) else {
        return;
    };
    let outcome = python(&sandbox, FORGE);
    let said = outcome.stdout.text().into_owned();
    assert!(
        said.starts_with("nothing\n") && said.contains("999 999"),
        "what it says is output: {}",
        show(&outcome)
    );
    assert_eq!(
        (outcome.status, outcome.exit_code, outcome.value.is_none()),
        (Status::Failed, Some(3), true),
        "{}",
        show(&outcome)
    );
    assert!(
        outcome.usage.cpu > Duration::from_millis(5) && outcome.usage.peak_memory > 1 << 20,
        "{:?}",
        outcome.usage
    );
    let outcome = shell(&sandbox, PRY);
    assert_eq!(
        (outcome.stdout.text().as_ref(), outcome.status),
        ("looked\n", Status::Succeeded),
        "{}",
        show(&outcome)
    );
    // What a program may do: use its streams, by any path, and exit in any way, with its exit code.
    let cases = [
        (
            "shell",
            "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin; exit 3",
            "out\n",
            3,
        ),
        (
            "python",
            "import fcntl, os\nfor n in 1, 2: fcntl.fcntl(n, fcntl.F_SETFL, os.O_NONBLOCK)\nprint('out', flush=True)\nos._exit(3)",
            "out\n",
            3,
        ),
        (
            "shell",
            "(trap '' TERM; while :; do echo more; done) >/dev/null & echo out; exit 3",
            "out\n",
            3,
        ),
        (
            "shell",
            "rm -f /program/.completion; ln -sf /etc/passwd /program/.completion; mv /program/.completion /program/x; echo out; exit 3",
            "out\n",
            3,
        ),
        ("shell", "exec >&- 2>&-; exit 3", "", 3),
        (
            "shell",
            "kill -9 $PPID; kill -9 1; sleep 0.1; echo out; exit 3",
            "out\n",
            3,
        ),
    ];
    for (language, source, expected, code) in cases {
        let outcome = run(&sandbox, contained(language, source));
        let found = (outcome.stdout.text().into_owned(), outcome.exit_code);
        assert_eq!(
            found,
            (expected.to_owned(), Some(code)),
            "{source}: {}",
            show(&outcome)
        );
    }
}

/// If the container is killed from outside, nothing inside reports its usage; it is charged all the
/// same.
#[test]
fn usage_of_a_run_counts_however_it_ends() {
    let Some(sandbox) = sandbox_for(
        &LANGUAGES,
        policy("wall = \"2s\"\nfuel = 60_000_000_000", ""),
    ) else {
        return;
    };
    let busy = shell(&sandbox, "while :; do :; done");
    assert_eq!(
        (busy.status, busy.reached_limit()),
        (Status::Limited, Some(Limit::Wall)),
        "{}",
        show(&busy)
    );
    let idle = shell(&sandbox, "sleep 20");
    assert_eq!(idle.reached_limit(), Some(Limit::Wall), "{}", show(&idle));
    assert!(
        busy.usage.cpu > idle.usage.cpu * 2 && busy.usage.cpu > Duration::from_millis(300),
        "{:?} {:?}",
        busy.usage,
        idle.usage
    );
    assert!(busy.usage.peak_memory > 0);
}

/// Returns the most containers with this mount that the engine shows at once, while `concurrency`
/// runs go on.
fn most_at_once(concurrency: usize) -> Option<usize> {
    let folder = open_folder();
    let granted = mount(folder.path(), "/out", true);
    let sandbox = sandbox_for(
        &LANGUAGES,
        policy(&format!("concurrency = {concurrency}"), &granted),
    )?;
    let (is_over, most) = (AtomicBool::new(false), AtomicUsize::new(0));
    let volume = format!("volume={}", folder.path().display());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                most.fetch_max(
                    docker(&["ps", "--quiet", "--filter", &volume])
                        .lines()
                        .count(),
                    Ordering::Relaxed,
                );
            }
        });
        runtime().block_on(async {
            // It claims to be done, and leaves a background process behind.
            let clingy = "trap '' TERM; (setsid sh -c 'while :; do echo x >>/out/beats; done' &) ; sleep 0.3; echo done";
            let runs = (0..6).map(|_| {
                let sandbox = sandbox.clone();
                tokio::spawn(async move { sandbox.run(contained("shell", clingy)).await })
            });
            for run in runs.collect::<Vec<_>>() {
                let outcome = run.await.expect("no panic").expect("the engine holds");
                assert_eq!(outcome.stdout.text(), "done\n", "{}", show(&outcome));
            }
        });
        is_over.store(true, Ordering::Relaxed);
    });
    let beats = || {
        std::fs::read(folder.path().join("beats"))
            .expect("they were there")
            .len()
    };
    let before = beats();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(beats(), before, "nothing goes on behind an answer");
    Some(most.load(Ordering::Relaxed))
}

#[test]
fn a_place_is_taken_until_the_container_is_gone() {
    let Some(alone) = most_at_once(1) else { return };
    assert_eq!(alone, 1);
    let Some(together) = most_at_once(4) else {
        return;
    };
    assert!((2..=4).contains(&together), "{together}");
}

/// A file system mounted below a directory, which is unmounted at the end of the test.
struct Submount<'a>(&'a Path);

impl<'a> Submount<'a> {
    fn new(place: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(place).expect("the folder is ours");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "mode=777", "glovebox-test"])
            .arg(place)
            .status();
        let is_mounted = status.is_ok_and(|status| status.success());
        if !is_mounted {
            eprintln!("SKIPPED: this user may not mount anything");
        }
        is_mounted.then_some(Self(place))
    }
}

impl Drop for Submount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_mount_is_the_directory_and_nothing_that_is_mounted_below_it() {
    let folder = open_folder();
    let sub = folder.path().join("sub");
    for write in [false, true] {
        let Some(sandbox) = sandbox_for(
            &LANGUAGES,
            policy("", &mount(folder.path(), "/data", write)),
        ) else {
            return;
        };
        let Some(_mounted) = Submount::new(&sub) else {
            return;
        };
        std::fs::write(folder.path().join("top.txt"), "top\n").expect("the folder is ours");
        std::fs::write(sub.join("inside.txt"), "inside").expect("the folder is ours");
        let source = "cat /data/top.txt; ls /data/sub; touch /data/sub/written; echo x >/data/sub/inside.txt; touch /data/new && echo written";
        let outcome = shell(&sandbox, source);
        let expected = if write { "top\nwritten\n" } else { "top\n" };
        assert_eq!(outcome.stdout.text(), expected, "{}", show(&outcome));
        assert_eq!(
            std::fs::read_to_string(sub.join("inside.txt")).expect("it is there"),
            "inside"
        );
        assert!(!sub.join("written").exists());
        assert_eq!(folder.path().join("new").exists(), write);
    }
}

/// Tries every way to a Unix domain socket with a path, and uses what programs need without one.
const SOCKETS: &str = r#"
import os, socket, subprocess, multiprocessing
def attempt(what, make):
    try:
        make()
        print(what, 'reached')
    except OSError as error:
        print(what, error.errno)
def stream(): socket.socket(socket.AF_UNIX).connect('/data/stream')
def datagram(): socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', '/data/datagram')
def pair():
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b'x', '/data/datagram')
def raw():
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)
    one.sendto(b'x', '/data/datagram')
def connected():
    one, _ = socket.socketpair()
    one.connect('/data/stream')
for what in (stream, datagram, pair, raw): attempt(what.__name__, what)
try:
    connected()
    print('connected reached')
except OSError:
    print('connected refused')
one, other = socket.socketpair()
one.send(b'hi')
print(other.recv(2), subprocess.run(['echo', 'there'], capture_output=True).stdout)
receiver, sender = multiprocessing.Pipe()
sender.send('piped')
print(receiver.recv(), socket.socket(socket.AF_INET).fileno() > 0, open('/data/file').read())
"#;

#[test]
fn sockets_in_a_mount_are_out_of_reach() {
    let folder = open_folder();
    let stream = UnixListener::bind(folder.path().join("stream")).expect("a socket can be made");
    let datagram =
        UnixDatagram::bind(folder.path().join("datagram")).expect("a socket can be made");
    for name in ["stream", "datagram"] {
        std::fs::set_permissions(
            folder.path().join(name),
            std::fs::Permissions::from_mode(0o777),
        )
        .expect("it is ours");
    }
    stream.set_nonblocking(true).expect("it can");
    datagram.set_nonblocking(true).expect("it can");
    std::fs::write(folder.path().join("file"), "read").expect("the folder is ours");
    let network = "[profiles.t.network]\nprivate_ranges = [\"127.0.0.0/8\"]\n[[profiles.t.network.allow]]\nhost = \"127.0.0.1\"\n";
    for (more, write) in [("", false), ("", true), (network, false)] {
        let Some(sandbox) = sandbox_for(
            &LANGUAGES,
            policy(
                "",
                &format!("{}{more}", mount(folder.path(), "/data", write)),
            ),
        ) else {
            return;
        };
        let outcome = python(&sandbox, SOCKETS);
        let expected = "stream 1\ndatagram 1\npair 1\nraw 1\nconnected refused\nb'hi' b'there\\n'\npiped True read\n";
        assert_eq!(outcome.stdout.text(), expected, "{}", show(&outcome));
        assert!(
            stream.accept().is_err() && datagram.recv(&mut [0; 1]).is_err(),
            "nobody came"
        );
        if !more.is_empty() {
            // Egress works all the same, and its relay cannot be killed by the program.
            let asked = "curl -s -o /dev/null -w '%{http_code}' http://example.org/; for p in /proc/[0-9]*; do grep -qs socat $p/comm && kill -9 ${p#/proc/} && echo killed; done; echo; \
                         curl -s -o /dev/null -w '%{http_code}' http://example.org/; curl -s --unix-socket /data/stream http://x/ || echo \" $?\"";
            let outcome = shell(&sandbox, asked);
            let said = outcome.stdout.text().into_owned();
            assert!(said == "403\n403 7\n", "{}", show(&outcome));
            assert!(stream.accept().is_err(), "nobody came");
        }
    }
    // Without bind mounts, programs may use Unix domain sockets among themselves.
    let Some(sandbox) = sandbox_for(&LANGUAGES, policy("", "")) else {
        return;
    };
    let among = "import socket\nserver = socket.socket(socket.AF_UNIX)\nserver.bind('/work/s')\nserver.listen()\n\
                 client = socket.socket(socket.AF_UNIX)\nclient.connect('/work/s')\nprint('among themselves')";
    assert_eq!(python(&sandbox, among).stdout.text(), "among themselves\n");
}

/// In every tier: symlinks are resolved when the directory is opened.
#[test]
fn a_link_to_what_must_not_be_mounted_is_refused_where_it_is_opened() {
    let folder = open_folder();
    std::fs::create_dir(folder.path().join("good")).expect("the folder is ours");
    std::fs::write(folder.path().join("good/file"), "read\n").expect("the folder is ours");
    for (name, target) in [
        ("run", "/run"),
        ("deep", "/run/lock"),
        ("above", "/var/lib"),
        ("process", "/proc/self"),
        ("root", "/"),
    ] {
        symlink(target, folder.path().join(name)).expect("a link can be made");
    }
    symlink(folder.path().join("good"), folder.path().join("fine")).expect("a link can be made");
    for (name, is_fine) in [
        ("good", true),
        ("fine", true),
        ("run", false),
        ("deep", false),
        ("above", false),
        ("process", false),
        ("root", false),
    ] {
        let Some(sandbox) = sandbox_for(
            &LANGUAGES,
            policy("", &mount(&folder.path().join(name), "/data", false)),
        ) else {
            return;
        };
        for request in [
            contained("shell", "cat /data/file"),
            Request::new("python", "print(open('/data/file').read(), end='')"),
        ] {
            let outcome = runtime().block_on(sandbox.run(request));
            match outcome {
                Ok(outcome) => assert!(
                    is_fine && outcome.stdout.text() == "read\n",
                    "{name}: {}",
                    show(&outcome)
                ),
                Err(error) => assert!(
                    !is_fine && error.to_string().contains("symbolic link"),
                    "{name}: {error}"
                ),
            }
        }
    }
}
