//! Seccomp filter: which system calls may a program in a container make?
//!
//! An allow list of what ordinary programs use; everything else is refused. It is stricter than the
//! engines' default profiles: no system calls for namespaces, `ptrace`, BPF or kernel modules,
//! keyrings, or `io_uring`, and only socket families that reach nothing outside the container.

use crate::protocol::has_egress;
use glovebox_host::folder::Folder;
use glovebox_policy::Grant;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// System calls that are allowed with any arguments.
const ALLOWED: &str = "
    accept accept4 access alarm arch_prctl brk cachestat capget capset chdir chmod chown clock_getres clock_gettime clock_nanosleep close
    close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd
    eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl
    fdatasync fgetxattr flistxattr flock fork fstat fstatfs fsync ftruncate futex futex_waitv futex_wait futex_wake futex_requeue getcpu
    getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
    getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid
    getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl ioprio_get kill lchown lgetxattr link linkat listen
    listxattr llistxattr lseek lstat madvise map_shadow_stack membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2
    mmap mprotect mremap mseal msync munlock munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
    poll ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom
    recvmmsg recvmsg rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
    rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
    sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity sched_yield seccomp select sendfile sendmmsg sendmsg
    sendto setgid setgroups setitimer setpgid setpriority setresgid setresuid setreuid setregid setrlimit set_robust_list setsid setsockopt
    set_thread_area set_tid_address setuid shutdown sigaltstack signalfd signalfd4 splice stat statfs statx symlink symlinkat
    sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
    timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice
    wait4 waitid write writev bind
";

/// Flags of `clone` that make namespaces.
const CLONE_NEW_FLAGS: u64 = 0x7e02_0000;

/// Unix domain sockets, `AF_UNIX`.
const AF_UNIX: u32 = 1;

/// Socket families that reach only the container's own loopback: `AF_INET` and `AF_INET6`.
const LOOPBACK_FAMILIES: [u32; 2] = [2, 10];

/// The family and protocol with which the C library lists interfaces and addresses: `AF_NETLINK`
/// with `NETLINK_ROUTE`, and no other protocol.
const NETLINK_ROUTE: (u32, u32) = (16, 0);

/// Socket types that stay connected in a `socketpair`: `SOCK_STREAM` and `SOCK_SEQPACKET`. A
/// `SOCK_DGRAM` socket can send to any address.
const SOCKETPAIR_TYPES: (u32, u32) = (1, 5);

/// The mask of a socket's type, without its flags.
const SOCK_TYPE_MASK: u32 = 0xf;

/// The sockets that a program may create. Neither a read-only mount nor a missing network stops a
/// program from connecting to a Unix domain socket in a mounted directory, and through it to
/// services of the host. Over a Unix domain socket a program can also pass file descriptors; the
/// receiver closes those that it did not expect, and closing a TCP socket with `SO_LINGER` blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sockets {
    /// All sockets, Unix domain sockets with a path included.
    All,
    /// No sockets that can connect to a path.
    NoUnixPaths,
}

impl Sockets {
    /// Returns what the programs of a grant may create.
    pub(crate) fn of_program(grant: &Grant) -> Self {
        if grant.mounts().is_empty() && !has_egress(grant) {
            Self::All
        } else {
            Self::NoUnixPaths
        }
    }

    /// Returns what their container may create: its egress relay needs a Unix domain socket.
    pub(crate) fn of_container(grant: &Grant) -> Self {
        if has_egress(grant) {
            Self::All
        } else {
            Self::of_program(grant)
        }
    }
}

/// The error number `ENOSYS`, so that the C library falls back to the older system call.
const ENOSYS: u32 = 38;

/// The seccomp profile in the engines' JSON format.
pub(crate) fn profile(sockets: Sockets) -> String {
    let names: Vec<&str> = ALLOWED.split_whitespace().collect();
    let allow = |names: Value, args: Value| json!({ "names": names, "action": "SCMP_ACT_ALLOW", "args": args });
    let mut calls = vec![
        allow(json!(names), json!([])),
        allow(
            json!(["clone"]),
            json!([{ "index": 0, "value": CLONE_NEW_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }]),
        ),
        // The flags of `clone3` are in memory, which a seccomp filter cannot read.
        json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS, "args": [] }),
        // The default personality, and querying it.
        allow(
            json!(["personality"]),
            json!([{ "index": 0, "value": 0, "valueTwo": 0, "op": "SCMP_CMP_EQ" }]),
        ),
        allow(
            json!(["personality"]),
            json!([{ "index": 0, "value": 0xffff_ffff_u32, "valueTwo": 0, "op": "SCMP_CMP_EQ" }]),
        ),
    ];
    let equal = |index: u32, value: u32| json!({ "index": index, "value": value, "valueTwo": 0, "op": "SCMP_CMP_EQ" });
    calls.extend(
        LOOPBACK_FAMILIES.map(|family| allow(json!(["socket"]), json!([equal(0, family)]))),
    );
    calls.push(allow(
        json!(["socket"]),
        json!([equal(0, NETLINK_ROUTE.0), equal(2, NETLINK_ROUTE.1)]),
    ));
    if sockets == Sockets::All {
        calls.push(allow(json!(["socket"]), json!([equal(0, AF_UNIX)])));
        calls.push(allow(json!(["socketpair"]), json!([equal(0, AF_UNIX)])));
    } else {
        let masked = |kind: u32| json!({ "index": 1, "value": SOCK_TYPE_MASK, "valueTwo": kind, "op": "SCMP_CMP_MASKED_EQ" });
        calls.extend([SOCKETPAIR_TYPES.0, SOCKETPAIR_TYPES.1].map(|kind| {
            allow(
                json!(["socketpair"]),
                json!([equal(0, AF_UNIX), masked(kind)]),
            )
        }));
    }
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "archMap": [
            { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": [] },
            { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": [] },
        ],
        "syscalls": calls,
    })
    .to_string()
}

/// Returns the BPF filter that restricts a program to [`Sockets::NoUnixPaths`] in a container that
/// is not so restricted: the number of `prctl`, and the filter in hexadecimal.
pub(crate) fn filter() -> (u32, String) {
    // The architecture, and the numbers of `socket`, `socketpair` and `prctl`. On another
    // architecture than this one the filter kills every program.
    let [architecture, socket, socketpair, prctl] = if cfg!(target_arch = "aarch64") {
        [0xc000_00b7, 198, 199, 167]
    } else {
        [0xc000_003e, 41, 53, 157]
    };
    const LOAD: u16 = 0x20;
    const AND: u16 = 0x54;
    const IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const KILL: u32 = 0x8000_0000;
    const ALLOW: u32 = 0x7fff_0000;
    const NOT_PERMITTED: u32 = 0x0005_0001;
    // BPF instructions: code, jump offsets if true and if false, and the operand. Offsets are those
    // of `struct seccomp_data`.
    let program: [(u16, u8, u8, u32); 18] = [
        (LOAD, 0, 0, 4),
        (IF_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
        (IF_EQUAL, 2, 0, socket),
        (IF_EQUAL, 4, 0, socketpair),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, 16),
        (IF_EQUAL, 7, 0, AF_UNIX),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, 16),
        (IF_EQUAL, 0, 4, AF_UNIX),
        (LOAD, 0, 0, 24),
        (AND, 0, 0, SOCK_TYPE_MASK),
        (IF_EQUAL, 2, 0, SOCKETPAIR_TYPES.0),
        (IF_EQUAL, 1, 0, SOCKETPAIR_TYPES.1),
        (RETURN, 0, 0, NOT_PERMITTED),
        (RETURN, 0, 0, ALLOW),
    ];
    let bytes = program.into_iter().flat_map(|(code, yes, no, operand)| {
        let ([first, second], [a, b, c, d]) = (code.to_ne_bytes(), operand.to_ne_bytes());
        [first, second, yes, no, a, b, c, d]
    });
    (prctl, bytes.map(|byte| format!("{byte:02x}")).collect())
}

/// The profiles as files, for an engine on this machine that reads them only from files (Podman).
#[derive(Clone, Debug)]
pub(crate) struct Files {
    all: PathBuf,
    no_unix_paths: PathBuf,
}

impl Files {
    /// Writes them; shared by all processes of this version.
    pub(crate) fn write() -> io::Result<Self> {
        Ok(Self {
            all: file(Sockets::All)?,
            no_unix_paths: file(Sockets::NoUnixPaths)?,
        })
    }

    /// Returns the file of one profile.
    pub(crate) fn of(&self, sockets: Sockets) -> &Path {
        match sockets {
            Sockets::All => &self.all,
            Sockets::NoUnixPaths => &self.no_unix_paths,
        }
    }
}

fn file(sockets: Sockets) -> io::Result<PathBuf> {
    let cache = glovebox_guests::default_cache_dir()
        .ok_or_else(|| io::Error::other("there is no directory for caches"))?;
    let profile = profile(sockets);
    let digest: String = Sha256::digest(&profile)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    // Write access to the profile would allow disabling the filter, so the folder is private.
    let folder = Folder::create(&cache.join("containers"))
        .map_err(io::Error::other)?
        .path()
        .to_owned();
    let path = folder.join(format!("seccomp-{digest}.json"));
    // Written anew each time: an existing file may have been changed.
    let mut file = tempfile::NamedTempFile::new_in(&folder)?;
    file.write_all(profile.as_bytes())?;
    file.persist(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_system_calls_are_not_allowed() {
        let names: Vec<&str> = ALLOWED.split_whitespace().collect();
        for call in [
            "add_key",
            "bpf",
            "chroot",
            "clone3",
            "fsopen",
            "init_module",
            "io_uring_setup",
            "kcmp",
            "keyctl",
            "mount",
            "move_mount",
            "name_to_handle_at",
            "open_by_handle_at",
            "perf_event_open",
            "pidfd_getfd",
            "pivot_root",
            "process_vm_readv",
            "ptrace",
            "request_key",
            "setns",
            "socket",
            "socketpair",
            "umount2",
            "unshare",
            "userfaultfd",
            "memfd_secret",
            "quotactl",
            "reboot",
            "swapon",
        ] {
            assert!(!names.contains(&call), "{call}");
        }
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), names.len());
    }
}
