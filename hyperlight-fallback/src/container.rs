//! What does the engine have to be told so that a grant holds?
//!
//! A pure function from a grant to the engine's own description of a container, compared field by field in a test. Everything that is not
//! granted is off, and nothing that somebody requests widens it.

use crate::seccomp::{self, Sockets};
use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountBindOptions, MountBindOptionsPropagationEnum, MountType,
    ResourcesUlimits,
};
use glovebox::{Error, resolve_mount};
use glovebox_policy::Grant;
use std::collections::HashMap;
use std::path::Path;

/// The unprivileged user and group that programs run as, `nobody` in most images.
const PROGRAM_USER: &str = "65534";

/// The unprivileged user and group of the relay to the way out, so that no program can use it for more than it is there for.
const RELAY_USER: &str = "65533";

/// Whom the waiter runs as, so that programs cannot touch it.
const WAITER_USER: &str = "0:0";

/// All that the waiter may do which other processes may not: become the users above, take from them what it may do itself, and end them.
const WAITER_CAPABILITIES: [&str; 4] = ["KILL", "SETGID", "SETPCAP", "SETUID"];

/// Names a container as ours, and the process that made it.
pub(crate) const LABEL_OWNER: &str = "glovebox.owner";

/// Bytes for the program, its arguments and its environment, besides those that the grant allows.
const CONTROL_BYTES: u64 = 64 << 10;

/// Bytes for temporary files outside the workspace.
const TEMPORARY_BYTES: u64 = 64 << 20;

/// What the interpreter, its waiter and the engine's own process need besides the program's memory.
const OVERHEAD_BYTES: u64 = 32 << 20;

/// The waiter, the engine's first process, and what starts and watches the program.
const OWN_PROCESSES: u64 = 8;

/// Connections at once through the way out.
const EGRESS_PROCESSES: u64 = 32;

/// The waiter, which is the main process.
const WAITER: &str = include_str!("waiter.sh");

/// How containers differ from host to host, as the operator sets it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Another OCI runtime that the engine knows, such as `runsc`.
    pub(crate) runtime: Option<String>,
    /// Who makes the containers.
    pub(crate) owner: String,
    /// Whether the engine is Podman, which takes the list of system calls from a file, knows other options for memory file systems, and
    /// has no first process of its own; the files.
    pub(crate) podman: Option<seccomp::Files>,
}

/// What of this host a container sees besides what its grant says, none of which it can change: the directory, and where it is seen.
pub(crate) type Extra<'a> = (&'a Path, &'a str);

/// Where the granted directories really lie, in the order of the grant. What this machine does not have may be on the engine's.
pub(crate) fn places(grant: &Grant) -> Result<Vec<String>, Error> {
    let place = |mount: &glovebox_policy::Mount| {
        let found = resolve_mount(mount)?;
        Ok(found.map_or_else(|| mount.host.clone(), |place| place.display().to_string()))
    };
    grant.mounts().iter().map(place).collect()
}

/// The bytes of memory that a container may have. The workspace lies in memory, so both share one limit; each of them is held by itself as well.
pub(crate) fn memory_of(grant: &Grant) -> u64 {
    let limits = grant.limits();
    limits.memory.saturating_add(limits.workspace).saturating_add(OVERHEAD_BYTES)
}

/// The description of a container for runs of this grant in this image, with its directories at these places.
pub(crate) fn describe(grant: &Grant, places: &[String], image: &str, extra: &[Extra<'_>], settings: &Settings) -> ContainerCreateBody {
    let limits = grant.limits();
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let memory = number(memory_of(grant));
    // Where there is a way out, every connection through it is a process of ours.
    let own_processes = if grant.network().is_empty() { OWN_PROCESSES } else { OWN_PROCESSES + EGRESS_PROCESSES };
    let told = crate::job::completion_limit(grant);
    let control = limits.source.saturating_add(limits.arguments).saturating_add(told).saturating_add(CONTROL_BYTES);
    let is_podman = settings.podman.is_some();
    let inodes = |files: u64| if is_podman { String::new() } else { format!(",nr_inodes={files}") };
    // Podman knows no owner but the container's user, who is not the program.
    let programs = if is_podman { "mode=0777".to_owned() } else { format!("mode=0700,uid={PROGRAM_USER}") };
    let files = inodes(limits.files + 1);
    let mut tmpfs = HashMap::from([
        ("/work".to_owned(), format!("rw,exec,nosuid,nodev,size={}{files},{programs}", limits.workspace)),
        ("/program".to_owned(), format!("rw,noexec,nosuid,nodev,size={control}{},mode=0755", inodes(64))),
        ("/tmp".to_owned(), format!("rw,exec,nosuid,nodev,size={TEMPORARY_BYTES}{files},mode=1777")),
    ]);
    if is_podman {
        // By itself it makes these writable although the system is to be read-only.
        for place in ["/run", "/var/tmp"] {
            tmpfs.insert(place.to_owned(), "ro,noexec,nosuid,nodev,size=65536".to_owned());
        }
    }
    let ulimit = |name: &str, value: i64| ResourcesUlimits { name: Some(name.to_owned()), soft: Some(value), hard: Some(value) };
    let host = HostConfig {
        network_mode: Some("none".to_owned()),
        readonly_rootfs: Some(true),
        privileged: Some(false),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(WAITER_CAPABILITIES.map(str::to_owned).to_vec()),
        security_opt: Some(security_options(settings, Sockets::of_container(grant))),
        pids_limit: Some(number(limits.processes.saturating_add(own_processes))),
        memory: Some(memory),
        // Together with swap: no more than without.
        memory_swap: Some(memory),
        nano_cpus: Some(1_000_000_000),
        ulimits: Some(vec![ulimit("core", 0), ulimit("memlock", 64 << 10)]),
        tmpfs: Some(tmpfs),
        shm_size: Some(1 << 20),
        mounts: Some(grant.mounts().iter().zip(places).map(mount).chain(extra.iter().map(extra_mount)).collect()),
        ipc_mode: Some("private".to_owned()),
        oom_score_adj: Some(500),
        init: Some(settings.podman.is_none()),
        auto_remove: Some(true),
        // What a program writes is ours to keep, and must not fill the engine's disk.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        // What a policy says comes before what the operator prefers.
        runtime: grant.runtime().map(str::to_owned).or_else(|| settings.runtime.clone()),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(image.to_owned()),
        hostname: Some("glovebox".to_owned()),
        user: Some(WAITER_USER.to_owned()),
        entrypoint: Some(Vec::new()),
        cmd: Some(["bash", "-c", WAITER, "waiter", PROGRAM_USER, RELAY_USER].map(str::to_owned).to_vec()),
        env: Some(vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_owned()]),
        working_dir: Some("/".to_owned()),
        // Whoever has an engine stop a container means it.
        stop_signal: Some("SIGKILL".to_owned()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        tty: Some(false),
        network_disabled: Some(true),
        labels: Some(HashMap::from([(LABEL_OWNER.to_owned(), settings.owner.clone())])),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

fn security_options(settings: &Settings, sockets: Sockets) -> Vec<String> {
    let mut options = vec!["no-new-privileges:true".to_owned()];
    options.push(match &settings.podman {
        None => format!("seccomp={}", seccomp::profile(sockets)),
        Some(files) => format!("seccomp={}", files.of(sockets).display()),
    });
    options
}

fn mount((granted, place): (&glovebox_policy::Mount, &String)) -> Mount {
    bind(place.clone(), granted.guest.clone(), granted.writable)
}

/// Many runs share packages, so none may change them.
fn extra_mount((host, guest): &Extra<'_>) -> Mount {
    bind(host.display().to_string(), (*guest).to_owned(), false)
}

/// A directory of the host and of its own file system alone. What else is mounted below it is left out: older engines make only the top of a
/// mount read-only, and nobody who granted a directory has to think of what may be mounted there one day.
fn bind(host: String, guest: String, writable: bool) -> Mount {
    Mount {
        target: Some(guest),
        source: Some(host),
        typ: Some(MountType::BIND),
        read_only: Some(!writable),
        bind_options: Some(MountBindOptions {
            propagation: Some(MountBindOptionsPropagationEnum::RPRIVATE),
            non_recursive: Some(true),
            ..Default::default()
        }),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_policy::{Facts, Policy, Request, Tier, TierFacts, Verdict};

    const POLICY: &str = r#"
version = 1
default_profile = "p"
[profiles.p]
extends = "default"
runtime = "runsc"
[[profiles.p.mounts]]
host = "/data"
guest = "/data"
[[profiles.p.mounts]]
host = "/out"
guest = "/out"
write = true
[profiles.p.limits]
memory = "100MiB"
workspace = "10MiB"
files = 50
processes = 20
source = "1MiB"
arguments = "64KiB"
"#;

    fn grant(policy: &str) -> Box<Grant> {
        let policy = Policy::parse("test", policy).unwrap();
        let facts = Facts {
            tiers: vec![TierFacts { runtimes: vec!["runsc".to_owned()], ..TierFacts::new(Tier::Container, ["shell"]) }],
            ..Facts::default()
        };
        match policy.admit(&Request::new("shell", "true"), &facts) {
            Verdict::Admit(grant) => grant,
            Verdict::Deny(denial) => panic!("{denial:?}"),
        }
    }

    /// Every field that is sent, so that none changes unseen.
    #[test]
    fn a_container_is_described_field_by_field() {
        let settings = Settings { runtime: Some("runc".to_owned()), owner: "me".to_owned(), podman: None };
        let body = describe(
            &grant(POLICY),
            &["/disk/data".to_owned(), "/out".to_owned()],
            "image",
            &[(Path::new("/cache/tree"), "/packages")],
            &settings,
        );
        let mut json = serde_json::to_value(&body).unwrap();
        assert_eq!(json["Cmd"][2], WAITER);
        json["Cmd"][2] = "waiter".into();
        assert_eq!(json["HostConfig"]["SecurityOpt"][1], format!("seccomp={}", seccomp::profile(Sockets::NotOfFiles)));
        json["HostConfig"]["SecurityOpt"][1] = "filter".into();
        let mounts = serde_json::json!([
            { "Target": "/data", "Source": "/disk/data", "Type": "bind", "ReadOnly": true, "BindOptions": { "Propagation": "rprivate", "NonRecursive": true } },
            { "Target": "/out", "Source": "/out", "Type": "bind", "ReadOnly": false, "BindOptions": { "Propagation": "rprivate", "NonRecursive": true } },
            {
                "Target": "/packages", "Source": "/cache/tree", "Type": "bind", "ReadOnly": true,
                "BindOptions": { "Propagation": "rprivate", "NonRecursive": true }
            }
        ]);
        let expected = serde_json::json!({
            "Hostname": "glovebox", "User": "0:0", "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": false,
            "OpenStdin": true, "StdinOnce": true, "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["bash", "-c", "waiter", "waiter", "65534", "65533"],
            "Image": "image", "WorkingDir": "/", "StopSignal": "SIGKILL", "Entrypoint": [], "NetworkDisabled": true, "Labels": { "glovebox.owner": "me" },
            "HostConfig": {
                "NetworkMode": "none", "ReadonlyRootfs": true, "Privileged": false, "CapDrop": ["ALL"],
                "CapAdd": ["KILL", "SETGID", "SETPCAP", "SETUID"],
                "SecurityOpt": ["no-new-privileges:true", "filter"], "PidsLimit": 28, "Memory": 148_897_792, "MemorySwap": 148_897_792,
                "NanoCpus": 1_000_000_000,
                "Ulimits": [{ "Name": "core", "Soft": 0, "Hard": 0 }, { "Name": "memlock", "Soft": 65536, "Hard": 65536 }],
                "Tmpfs": {
                    "/work": "rw,exec,nosuid,nodev,size=10485760,nr_inodes=51,mode=0700,uid=65534",
                    "/program": "rw,noexec,nosuid,nodev,size=7471104,nr_inodes=64,mode=0755",
                    "/tmp": "rw,exec,nosuid,nodev,size=67108864,nr_inodes=51,mode=1777"
                },
                "ShmSize": 1_048_576,
                "Mounts": mounts,
                "IpcMode": "private", "OomScoreAdj": 500, "Init": true, "AutoRemove": true, "LogConfig": { "Type": "none" },
                "Runtime": "runsc"
            }
        });
        assert_eq!(json, expected, "{json:#}");
    }
}
