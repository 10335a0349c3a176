//! Container ownership: which process created a container, and is it still alive?

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// The label that marks a container as this project's, and identifies the process that created it.
pub(crate) const LABEL_OWNER: &str = "glovebox.owner";

/// Identifies this process so that another one on the same machine can check whether it is alive:
/// its id and its start time.
pub(crate) fn owner(engine: &str) -> String {
    format!("{}{}", machine(engine), owner_suffix())
}

/// Returns how the label of this process ends on this machine, whatever the engine.
pub(crate) fn owner_suffix() -> String {
    let process = std::process::id();
    format!("/{process}/{}", start_time(process).unwrap_or(0))
}

/// Identifies the machine and PID namespace. Liveness cannot be checked across machines or PID
/// namespaces.
fn machine(engine: &str) -> String {
    let boot = read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{}-{}-{engine}", boot.trim(), pid_namespace())
}

/// Returns the PID namespace of this process.
pub(crate) fn pid_namespace() -> String {
    std::fs::read_link("/proc/self/ns/pid")
        .map(|name| name.display().to_string())
        .unwrap_or_default()
}

/// Returns the start time of a process, in clock ticks since boot; `None` if there is no such
/// process.
pub(crate) fn start_time(process: u32) -> Option<u64> {
    let stat = read(&format!("/proc/{process}/stat"))?;
    // The command name, which may hold any byte, ends with the last parenthesis.
    stat.rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

/// Returns whether a process that started at that time has ended. Other users' processes may be
/// hidden from `/proc` (`hidepid`), and signals tell them from those that do not exist.
pub(crate) fn has_ended(process: u32, since: u64) -> bool {
    match start_time(process) {
        Some(found) => found != since,
        None => i32::try_from(process)
            .ok()
            .and_then(Pid::from_raw)
            .is_none_or(|process| test_kill_process(process) == Err(Errno::SRCH)),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the kernel's own account of processes; no path of a user is involved"
)]
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Returns whether the process that created a container has ended.
pub(crate) fn is_orphan(label: &str, ours: &str) -> bool {
    let parts = |label: &str| -> Option<(String, u32, u64)> {
        let mut parts = label.rsplitn(3, '/');
        let since = parts.next()?.parse().ok()?;
        let process = parts.next()?.parse().ok()?;
        Some((parts.next()?.to_owned(), process, since))
    };
    match (parts(label), parts(ours)) {
        // Processes of another machine, or of another PID namespace, are not visible from here.
        (Some((machine, process, since)), Some((our_machine, ..))) => {
            machine == our_machine && has_ended(process, since)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_containers_of_ended_processes_are_orphans() {
        let ours = owner("engine");
        assert!(!is_orphan(&ours, &ours));
        let (machine, rest) = ours.split_at(ours.find('/').unwrap());
        let process = std::process::id();
        assert!(
            is_orphan(&format!("{machine}/{process}/1"), &ours),
            "the number was used again"
        );
        assert!(
            is_orphan(&format!("{machine}/4194305/1"), &ours),
            "no such process"
        );
        for foreign in [
            "",
            "a",
            "a/b/c",
            &format!("11111111-2222-engine{rest}"),
            &format!("{machine}x/4194305/1"),
        ] {
            assert!(!is_orphan(foreign, &ours), "{foreign}");
        }
    }
}
