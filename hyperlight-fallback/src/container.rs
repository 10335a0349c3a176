//! Container configuration: which settings make the engine enforce a grant?
//!
//! A pure function from a grant to the engine's create request (`ContainerCreateBody`), compared
//! field by field in a test. Default deny: everything that is not granted is off, and nothing in a
//! request can widen it.

use crate::owner::LABEL_OWNER;
use crate::package_folder::PackageFolders;
use crate::protocol::{MAX_INPUT, completion_limit, has_egress};
use crate::seccomp::{self, Sockets};
use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountBindOptions,
    MountBindOptionsPropagationEnum, MountType, ResourcesUlimits,
};
use glovebox::{Error, ResolvedMount, resolve_mount};
use glovebox_host::own;
use glovebox_policy::Grant;
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// The unprivileged user and group that programs run as, `nobody` in most images.
const PROGRAM_USER: &str = "65534";

/// The unprivileged user and group of the egress relay, separate so that no program can control it.
const RELAY_USER: &str = "65533";

/// The user of the init script, so that programs cannot signal or trace it.
const INIT_USER: &str = "0:0";

/// The capabilities of the init script, which no other process has: to switch to the users above,
/// to drop their capabilities, and to kill their processes.
const INIT_CAPABILITIES: [&str; 4] = ["KILL", "SETGID", "SETPCAP", "SETUID"];

/// Bytes of `/program` on top of what the grant allows for the program, its arguments and its
/// environment: the driver, and the transform and the compiler of a language.
const CONTROL_BYTES: u64 = 4 << 20;

/// Bytes of a mount's identity in `/program`, at most: two numbers and their delimiters.
const MOUNT_IDENTITY: usize = 48;

/// Size of the temporary file systems outside the workspace, in bytes.
const TEMPORARY_BYTES: u64 = 64 << 20;

/// Memory overhead of the interpreter, the init script and the engine's init process, on top of the
/// program's memory.
const OVERHEAD_BYTES: u64 = 32 << 20;

/// Processes of the init script, of the engine's init, and of what starts and watches the program.
const OWN_PROCESSES: u64 = 8;

/// Maximum concurrent connections through the egress relay; each is a process.
const EGRESS_PROCESSES: u64 = 32;

/// The init script, which is the container's main process.
const INIT: &str = concat!(
    include_str!("report.sh"),
    include_str!("session.sh"),
    include_str!("init.sh")
);

/// Per-host container settings of the operator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// An alternative OCI runtime that is configured in the engine, such as `runsc`.
    pub(crate) runtime: Option<String>,
    /// The process that creates the containers, for [`LABEL_OWNER`].
    pub(crate) owner: String,
    /// The seccomp profiles as files if the engine is Podman, `None` if it is Docker. Podman reads
    /// seccomp profiles from files, knows other tmpfs options, and has no init process.
    pub(crate) podman: Option<seccomp::Files>,
    /// The folders of packages of sessions, if those can change.
    pub(crate) folders: Option<PackageFolders>,
}

/// An additional read-only bind mount, besides those of the grant: the directory on the host, and
/// its mount point.
pub(crate) type ExtraMount<'a> = (&'a Path, &'a str);

/// The source of a granted bind mount.
pub(crate) struct MountSource {
    pub(crate) path: String,
    /// The checked directory, kept open so that its inode number stays its own. None if the path
    /// does not exist here: it may exist on the engine's host.
    pub(crate) checked: Option<ResolvedMount>,
}

/// Resolves and checks the granted directories, in the order of the grant.
pub(crate) fn mount_sources(grant: &Grant) -> Result<Vec<MountSource>, Error> {
    // Other tiers register the cache where they open it, and there may be none.
    if let Some(cache) = glovebox_guests::default_cache_dir().filter(|_| !grant.mounts().is_empty())
    {
        own::protect(&cache);
    }
    let source = |mount: &glovebox_policy::Mount| {
        let checked = resolve_mount(mount)?;
        let path = checked.as_ref().map_or_else(
            || mount.host.clone(),
            |checked| checked.path.display().to_string(),
        );
        Ok(MountSource { path, checked })
    };
    grant.mounts().iter().map(source).collect()
}

/// Returns the device and inode numbers of these directories; none for one that was not checked.
pub(crate) fn identities(sources: &[MountSource]) -> io::Result<Vec<Option<(u64, u64)>>> {
    let checked = sources.iter().map(|source| source.checked.as_ref());
    checked
        .map(|checked| checked.map(ResolvedMount::identity).transpose())
        .collect()
}

/// Returns the memory limit of the container in bytes. The workspace is a tmpfs, so it and the
/// program share this limit; each also has a limit of its own.
pub(crate) fn memory_limit(grant: &Grant) -> u64 {
    let limits = grant.limits();
    limits
        .memory
        .saturating_add(limits.workspace)
        .saturating_add(OVERHEAD_BYTES)
}

/// Builds the create request of a container for runs of this grant from this image, with its bind
/// mounts from `sources`.
pub(crate) fn describe(
    grant: &Grant,
    sources: &[MountSource],
    image: &str,
    extra: &[ExtraMount<'_>],
    settings: &Settings,
) -> ContainerCreateBody {
    let granted = grant.mounts().iter().zip(sources);
    let mounts = granted
        .map(|(mount, source)| bind(source.path.clone(), mount.guest.clone(), mount.writable))
        // Read-only: many runs share the packages, so none may change them.
        .chain(extra.iter().copied().map(bind_extra))
        .collect();
    ContainerCreateBody {
        image: Some(image.to_owned()),
        hostname: Some("glovebox".to_owned()),
        user: Some(INIT_USER.to_owned()),
        entrypoint: Some(Vec::new()),
        cmd: Some(
            ["bash", "-c", INIT, "init", PROGRAM_USER, RELAY_USER]
                .map(str::to_owned)
                .to_vec(),
        ),
        env: Some(vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_owned()]),
        working_dir: Some("/".to_owned()),
        // Stopping a container means killing it: no graceful shutdown.
        stop_signal: Some("SIGKILL".to_owned()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        tty: Some(false),
        network_disabled: Some(true),
        // An image's own one would run as root, beside the program.
        healthcheck: Some(HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        }),
        labels: Some(HashMap::from([(
            LABEL_OWNER.to_owned(),
            settings.owner.clone(),
        )])),
        host_config: Some(host_config(grant, mounts, settings)),
        ..ContainerCreateBody::default()
    }
}

/// Adds a read-only bind mount to a create request.
pub(crate) fn add_mount(body: &mut ContainerCreateBody, extra: ExtraMount<'_>) {
    let host_config = body.host_config.get_or_insert_default();
    let mounts = host_config.mounts.get_or_insert_default();
    mounts.push(bind_extra(extra));
}

fn bind_extra((host, guest): ExtraMount<'_>) -> Mount {
    bind(host.display().to_string(), guest.to_owned(), false)
}

/// Builds the part of the request that confines the container.
fn host_config(grant: &Grant, mounts: Vec<Mount>, settings: &Settings) -> HostConfig {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let memory = number(memory_limit(grant));
    // Every connection through the egress relay is a process of ours.
    let own_processes = if has_egress(grant) {
        OWN_PROCESSES + EGRESS_PROCESSES
    } else {
        OWN_PROCESSES
    };
    let ulimit = |name: &str, value: i64| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(value),
        hard: Some(value),
    };
    HostConfig {
        network_mode: Some("none".to_owned()),
        readonly_rootfs: Some(true),
        privileged: Some(false),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(INIT_CAPABILITIES.map(str::to_owned).to_vec()),
        security_opt: Some(security_options(settings, Sockets::of_container(grant))),
        pids_limit: Some(number(
            grant.limits().processes.saturating_add(own_processes),
        )),
        memory: Some(memory),
        // The sum of memory and swap: equal to memory, so that there is no swap.
        memory_swap: Some(memory),
        nano_cpus: Some(1_000_000_000),
        ulimits: Some(vec![ulimit("core", 0), ulimit("memlock", 64 << 10)]),
        tmpfs: Some(tmpfs(grant, settings)),
        shm_size: Some(1 << 20),
        mounts: Some(mounts),
        ipc_mode: Some("private".to_owned()),
        oom_score_adj: Some(500),
        init: Some(settings.podman.is_none()),
        auto_remove: Some(true),
        // Output is collected by this process, and must not fill the engine's disk.
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        // The policy takes precedence over the operator's setting.
        runtime: grant
            .runtime()
            .map(str::to_owned)
            .or_else(|| settings.runtime.clone()),
        ..HostConfig::default()
    }
}

/// Returns the tmpfs mounts by path: all that is writable besides the grant's own mounts.
fn tmpfs(grant: &Grant, settings: &Settings) -> HashMap<String, String> {
    let limits = grant.limits();
    let is_podman = settings.podman.is_some();
    let inodes = |files: u64| {
        if is_podman {
            String::new()
        } else {
            format!(",nr_inodes={files}")
        }
    };
    let mounts = grant.mounts().iter();
    let control = mounts
        .map(|mount| (mount.guest.len() + MOUNT_IDENTITY) as u64)
        .sum::<u64>()
        .saturating_add(limits.source)
        .saturating_add(limits.arguments)
        .saturating_add(completion_limit(grant))
        .saturating_add(MAX_INPUT as u64)
        .saturating_add(CONTROL_BYTES);
    // Podman can set no owner of a tmpfs but the container's user, which is not the program's.
    let access = if is_podman {
        "mode=0777".to_owned()
    } else {
        format!("mode=0700,uid={PROGRAM_USER}")
    };
    let (files, workspace) = (inodes(limits.files + 1), limits.workspace);
    let mut mounts = HashMap::from([
        (
            "/work".to_owned(),
            format!("rw,exec,nosuid,nodev,size={workspace}{files},{access}"),
        ),
        (
            "/program".to_owned(),
            format!(
                "rw,noexec,nosuid,nodev,size={control}{},mode=0755",
                inodes(64)
            ),
        ),
        ("/tmp".to_owned(), temporary(&files)),
    ]);
    if is_podman {
        // Podman mounts these writable by default, even with a read-only root file system.
        for path in ["/run", "/var/tmp"] {
            mounts.insert(
                path.to_owned(),
                "ro,noexec,nosuid,nodev,size=65536".to_owned(),
            );
        }
    }
    mounts
}

/// Returns the options of a temporary file system that all users of a container may write to.
fn temporary(inodes: &str) -> String {
    format!("rw,exec,nosuid,nodev,size={TEMPORARY_BYTES}{inodes},mode=1777")
}

/// Mounts a temporary file system at each volume that an image declares. For a volume without a
/// mount, the engine creates a directory on its disk, whose size nothing limits.
///
/// # Errors
///
/// If a volume has no absolute, normalized path.
pub(crate) fn cover_volumes(
    body: &mut ContainerCreateBody,
    volumes: &[String],
) -> Result<(), String> {
    let Some(host) = &mut body.host_config else {
        return Ok(());
    };
    for volume in volumes {
        let segments = volume.split('/').filter(|segment| !segment.is_empty());
        let path = segments.fold(String::new(), |path, segment| format!("{path}/{segment}"));
        let is_normal = volume.starts_with('/')
            && !path.is_empty()
            && !path.contains([':', ','])
            && path
                .split('/')
                .all(|segment| !matches!(segment, "." | ".."));
        if !is_normal {
            return Err(format!(
                "the image declares the volume `{}`, which is not an absolute path without `.`, `..`, `:` and `,`",
                volume.escape_debug()
            ));
        }
        let is_inside = |own: &&str| path != **own && Path::new(&path).starts_with(own);
        if let Some(own) = ["/work", "/program"].iter().find(|own| is_inside(own)) {
            return Err(format!(
                "the image declares the volume `{}` inside `{own}`, which holds the program",
                volume.escape_debug()
            ));
        }
        let mut mounts = host.mounts.iter().flatten();
        if mounts.any(|mount| mount.target.as_ref() == Some(&path)) {
            continue;
        }
        let covers = host.tmpfs.get_or_insert_default();
        let inodes = ",nr_inodes=1024";
        covers.entry(path).or_insert_with(|| temporary(inodes));
    }
    Ok(())
}

fn security_options(settings: &Settings, sockets: Sockets) -> Vec<String> {
    let mut options = vec!["no-new-privileges:true".to_owned()];
    options.push(match &settings.podman {
        None => format!("seccomp={}", seccomp::profile(sockets)),
        Some(files) => format!("seccomp={}", files.of(sockets).display()),
    });
    options
}

/// A non-recursive bind mount. Submounts are left out: older engines make only the top of a
/// recursive mount read-only, and a grant of a directory must not include file systems that are
/// mounted below it later.
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
            tiers: vec![TierFacts {
                runtimes: vec!["runsc".to_owned()],
                ..TierFacts::new(Tier::Container, ["shell"])
            }],
            ..Facts::default()
        };
        match policy.admit(&Request::new("shell", "true"), &facts) {
            Verdict::Admit(grant) => grant,
            Verdict::Deny(denial) => panic!("{denial:?}"),
        }
    }

    fn source(path: &str) -> MountSource {
        MountSource {
            path: path.to_owned(),
            checked: None,
        }
    }

    #[test]
    fn volumes_of_an_image_are_temporary() {
        let covered = |volumes: &[&str]| {
            let sources = ["/disk/data", "/out"].map(source);
            let mut body = describe(&grant(POLICY), &sources, "image", &[], &Settings::default());
            let volumes: Vec<_> = volumes.iter().map(|path| (*path).to_owned()).collect();
            cover_volumes(&mut body, &volumes).map(|()| {
                let host = body.host_config.unwrap_or_default();
                let tmpfs = host.tmpfs.unwrap_or_default();
                let own = ["/work", "/program", "/tmp"];
                let mut more: Vec<_> = tmpfs
                    .into_iter()
                    .filter(|(path, _)| !own.contains(&path.as_str()))
                    .collect();
                more.sort();
                more
            })
        };
        let options = "rw,exec,nosuid,nodev,size=67108864,nr_inodes=1024,mode=1777";
        let one = |path: &str| (path.to_owned(), options.to_owned());
        // What a mount or a temporary file system of ours covers already stays as it is.
        for (volumes, expected) in [
            (&[][..], vec![]),
            (&["/var/lib/db", "/cache//", "/tmp", "/data", "/out/"], {
                vec![one("/cache"), one("/var/lib/db")]
            }),
        ] {
            assert_eq!(covered(volumes), Ok(expected), "{volumes:?}");
        }
        for wrong in [
            "", "/", "relative", "/a/../b", "/a/./b", "/a:ro", "/a,b", "/work/a",
        ] {
            assert!(covered(&[wrong]).is_err(), "{wrong}");
        }
    }

    /// Compares every field of the create request, so that none changes unseen.
    #[test]
    fn a_container_is_described_field_by_field() {
        let settings = Settings {
            runtime: Some("runc".to_owned()),
            owner: "me".to_owned(),
            podman: None,
            ..Settings::default()
        };
        let body = describe(
            &grant(POLICY),
            &["/disk/data", "/out"].map(source),
            "image",
            &[(Path::new("/cache/tree"), "/packages")],
            &settings,
        );
        let mut json = serde_json::to_value(&body).unwrap();
        assert_eq!(json["Cmd"][2], INIT);
        json["Cmd"][2] = "script".into();
        assert_eq!(
            json["HostConfig"]["SecurityOpt"][1],
            format!("seccomp={}", seccomp::profile(Sockets::NoUnixPaths))
        );
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
            "Healthcheck": { "Test": ["NONE"] }, "OpenStdin": true, "StdinOnce": true, "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["bash", "-c", "script", "init", "65534", "65533"],
            "Image": "image", "WorkingDir": "/", "StopSignal": "SIGKILL", "Entrypoint": [], "NetworkDisabled": true, "Labels": { "glovebox.owner": "me" },
            "HostConfig": {
                "NetworkMode": "none", "ReadonlyRootfs": true, "Privileged": false, "CapDrop": ["ALL"],
                "CapAdd": ["KILL", "SETGID", "SETPCAP", "SETUID"],
                "SecurityOpt": ["no-new-privileges:true", "filter"], "PidsLimit": 28, "Memory": 148_897_792, "MemorySwap": 148_897_792,
                "NanoCpus": 1_000_000_000,
                "Ulimits": [{ "Name": "core", "Soft": 0, "Hard": 0 }, { "Name": "memlock", "Soft": 65536, "Hard": 65536 }],
                "Tmpfs": {
                    "/work": "rw,exec,nosuid,nodev,size=10485760,nr_inodes=51,mode=0700,uid=65534",
                    "/program": "rw,noexec,nosuid,nodev,size=45154409,nr_inodes=64,mode=0755",
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
