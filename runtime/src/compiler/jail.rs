//! Jail of the compiler process (seccomp filter, Landlock, rlimits): what may it do?
//!
//! Read its standard input, compute, allocate a limited amount of memory, and write its standard
//! output. The jail is closed before the first byte of the module is read. The resource limits
//! always hold; what else a kernel or a container does not offer is reported as a [`Gaps`].

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::io;

/// Nice value of the process; running programs come before compilations.
const NICE: i32 = 10;

/// Open files: the three standard streams.
const MAX_FILES: u64 = 3;

/// Address space that the process may gain besides the memory for compiling: thread stacks, and
/// what the allocator maps ahead.
const SLACK_BYTES: u64 = 32 << 20;

/// Parts of the jail that this machine does not offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps(pub(super) u8);

impl Gaps {
    const PARTS: [(u8, &'static str); 5] = [
        (1, "no_new_privs cannot be set"),
        (2, "there is no Landlock (Linux 5.13 and newer)"),
        (4, "there is no seccomp filter"),
        (8, "it may outlive its parent (PR_SET_PDEATHSIG)"),
        (16, "its priority cannot be lowered"),
    ];

    fn note<T, E>(&mut self, part: u8, result: Result<T, E>) {
        if result.is_err() {
            self.0 |= part;
        }
    }

    /// Returns the names of the missing parts.
    pub(super) fn describe(self) -> Vec<&'static str> {
        Self::PARTS
            .iter()
            .filter(|(part, _)| self.0 & part != 0)
            .map(|(_, text)| *text)
            .collect()
    }
}

/// Applies what every thread inherits, and what needs files: to be called before there are other
/// threads.
pub(super) fn enter(parent: u32, cpu_seconds: u64) -> io::Result<Gaps> {
    let mut gaps = Gaps::default();
    gaps.note(
        8,
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)),
    );
    // The parent may have exited before the death signal was set.
    if rustix::process::getppid()
        .is_none_or(|now| now.as_raw_nonzero().get().cast_unsigned() != parent)
    {
        return Err(io::Error::other("the process that asked has ended"));
    }
    // The OOM killer takes this process first.
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's own file about this process"
    )]
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::chdir("/")?;
    gaps.note(16, rustix::process::setpriority_process(None, NICE));
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Cpu, cpu_seconds)?;
    gaps.note(1, rustix::thread::set_no_new_privs(true));
    Ok(gaps)
}

/// Returns the bytes of address space in use.
pub(super) fn address_space() -> io::Result<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's own file about this process"
    )]
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = statm
        .split(' ')
        .next()
        .and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| io::Error::other("`/proc/self/statm` is not as expected"))?;
    Ok(pages.saturating_mul(rustix::param::page_size() as u64))
}

/// Denies files and network (Landlock), as a second layer below the seccomp filter. Holds for this
/// thread and those that it starts.
pub(super) fn leave_files(gaps: &mut Gaps) {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V6))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V6)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    let is_enforced = restricted.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced);
    gaps.note(2, is_enforced.then_some(()).ok_or(()));
}

/// Applies the rest: from here on this process can only compute. `base` is the address space that
/// it has without its program.
pub(super) fn close(gaps: &mut Gaps, base: u64, memory: u64) -> io::Result<()> {
    limit(
        Resource::As,
        base.saturating_add(memory).saturating_add(SLACK_BYTES),
    )?;
    limit(Resource::Nproc, 0)?;
    limit(Resource::Nofile, MAX_FILES)?;
    match filter() {
        Ok(filter) => gaps.note(4, seccompiler::apply_filter_all_threads(&filter)),
        // No seccomp filter is known for this processor.
        Err(_) => gaps.note(4, Err::<(), ()>(())),
    }
    Ok(())
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = rustix::process::getrlimit(resource)
        .maximum
        .map_or(most, |already| already.min(most));
    rustix::process::setrlimit(
        resource,
        Rlimit {
            current: Some(most),
            maximum: Some(most),
        },
    )
    .map_err(io::Error::from)
}

/// Builds the seccomp filter: the system calls of a program that reads, computes and writes; any
/// other one kills the process.
fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let is = |argument: u8, value: u64| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
    };
    let only = |condition| SeccompRule::new(vec![condition]);
    // Memory is never made executable: the machine code is only written as bytes.
    let without_exec = || {
        SeccompCondition::new(
            2,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::MaskedEq(libc::PROT_EXEC.unsigned_abs().into()),
            0,
        )
    };
    let mut rules = vec![
        (libc::SYS_read, vec![only(is(0, 0)?)?]),
        (libc::SYS_write, vec![only(is(0, 1)?)?, only(is(0, 2)?)?]),
        // Anonymous only: a file descriptor that this process inherited must not be read by mapping
        // it.
        (
            libc::SYS_mmap,
            vec![SeccompRule::new(vec![
                without_exec()?,
                is(4, u32::MAX.into())?,
            ])?],
        ),
        (libc::SYS_mprotect, vec![only(without_exec()?)?]),
        // The allocator names its mappings with it, for debuggers.
        (
            libc::SYS_prctl,
            vec![only(is(0, libc::PR_SET_VMA.unsigned_abs().into())?)?],
        ),
        // An aborting program raises its signal with it.
        (
            libc::SYS_tgkill,
            vec![only(is(0, std::process::id().into())?)?],
        ),
    ];
    let harmless = [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
        libc::SYS_getrusage,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_getcpu,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    rules.extend(harmless.map(|call| (call, Vec::new())));
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(
        rules.into_iter().collect(),
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        architecture,
    )?
    .try_into()
}
