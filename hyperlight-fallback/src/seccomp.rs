//! Which system calls may a program in a container make?
//!
//! A list of what ordinary programs use; everything else is refused. It is tighter than what engines allow by themselves: nothing that
//! makes namespaces, looks into other processes, loads programs into the kernel, keeps keys, or submits work beside the calls themselves,
//! and sockets of the few families that lead nowhere but into the container.

use glovebox_host::folder::Folder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Calls that are allowed whatever their arguments are.
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
    set_thread_area set_tid_address setuid shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat
    sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
    timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice
    wait4 waitid write writev bind
";

/// Flags of `clone` that make namespaces.
const NAMESPACES: u64 = 0x7e02_0000;

/// Families of sockets: of the file system, of both kinds of addresses, and the one by which the C library asks for interfaces.
const FAMILIES: [u64; 4] = [1, 2, 10, 16];

/// The error for a call that is said not to exist, so that the C library takes the older one.
const NO_SUCH_CALL: u32 = 38;

/// The profile, as engines take it.
pub(crate) fn profile() -> String {
    let names: Vec<&str> = ALLOWED.split_whitespace().collect();
    let allow = |names: Value, args: Value| json!({ "names": names, "action": "SCMP_ACT_ALLOW", "args": args });
    let mut calls = vec![
        allow(json!(names), json!([])),
        allow(json!(["clone"]), json!([{ "index": 0, "value": NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }])),
        // Its flags lie in memory, where no filter sees them.
        json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": NO_SUCH_CALL, "args": [] }),
        // The ordinary personality, and asking for it.
        allow(json!(["personality"]), json!([{ "index": 0, "value": 0, "valueTwo": 0, "op": "SCMP_CMP_EQ" }])),
        allow(json!(["personality"]), json!([{ "index": 0, "value": 0xffff_ffff_u32, "valueTwo": 0, "op": "SCMP_CMP_EQ" }])),
    ];
    calls.extend(
        FAMILIES.map(|family| allow(json!(["socket"]), json!([{ "index": 0, "value": family, "valueTwo": 0, "op": "SCMP_CMP_EQ" }]))),
    );
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

/// The list as a file, for an engine on this machine that reads none but those. One for all processes of this version.
pub(crate) fn file() -> io::Result<PathBuf> {
    let cache = glovebox_guests::default_cache_dir().ok_or_else(|| io::Error::other("there is no directory for caches"))?;
    let profile = profile();
    let digest: String = Sha256::digest(&profile).iter().map(|byte| format!("{byte:02x}")).collect();
    // Whoever could change the list could take the filter away.
    let folder = Folder::create(&cache.join("containers")).map_err(io::Error::other)?.path().to_owned();
    let path = folder.join(format!("seccomp-{digest}.json"));
    // Anew each time: what lies there may have been changed.
    let mut file = tempfile::NamedTempFile::new_in(&folder)?;
    file.write_all(profile.as_bytes())?;
    file.persist(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_out_is_on_no_list() {
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
