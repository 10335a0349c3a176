//! Resources of the service: what does its process hold?

use super::client::*;
use super::*;

pub(crate) fn listed(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

pub(crate) fn named(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Returns the number of containers that belong to a process.
pub(crate) fn containers(process: u32) -> usize {
    let ours = format!("/{process}/");
    let labels = engine::docker(&["ps", "--all", "--format", "{{.Label \"glovebox.owner\"}}"]);
    labels.lines().filter(|label| label.contains(&ours)).count()
}

/// Whether there is a container engine, whose containers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Containers {
    /// It answers.
    Counted,
    /// There is none.
    Absent,
}

/// Resources by kind, and their numbers.
pub(crate) type Held = BTreeMap<String, usize>;

/// Returns the resources of a service's process: file descriptors and threads by their kind, files
/// of its state, temporary ones, and containers.
pub(crate) fn held(service: &Service, tier: Containers) -> Held {
    let process = service.process();
    let mut names = Vec::new();
    for file in listed(format!("/proc/{process}/fd")) {
        // It may be closed by now.
        let Ok(target) = fs::read_link(file) else {
            continue;
        };
        let target = target.to_string_lossy();
        names.push(match target.split_once(":[") {
            _ if target.contains("glovebox.sqlite") => "file of the database".to_owned(),
            Some((kind @ ("socket" | "pipe"), _)) => format!("file: {kind}"),
            _ => format!("file: {target}"),
        });
    }
    for thread in listed(format!("/proc/{process}/task")) {
        let Ok(name) = fs::read_to_string(thread.join("comm")) else {
            continue;
        };
        names.push(if name.starts_with("sqlx") {
            "thread of the database".to_owned()
        } else {
            format!("thread: {}", name.trim())
        });
    }
    names.extend(
        listed(service.state())
            .iter()
            .map(|path| format!("state: {}", named(path))),
    );
    let unfinished = listed(service.state().join("blobs"))
        .into_iter()
        .filter(|path| named(path).starts_with("unfinished"));
    let of_the_process = format!("-{process}-");
    let is_temporary = |path: &PathBuf| {
        named(path).starts_with("glovebox-") && named(path).contains(&of_the_process)
    };
    let temporary = listed(std::env::temp_dir())
        .into_iter()
        .filter(is_temporary);
    names.extend(
        unfinished
            .chain(temporary)
            .map(|path| format!("temporary: {}", path.display())),
    );
    let mut held = Held::new();
    for name in names {
        *held.entry(name).or_default() += 1;
    }
    if tier == Containers::Counted {
        held.insert("container".to_owned(), containers(process));
    }
    held
}

/// Returns the resources that grew beyond their tolerance.
pub(crate) fn beyond(now: &Held, before: &Held) -> Vec<String> {
    let more = |(name, count): (&String, &usize)| {
        let most = match name.as_str() {
            "file of the database" => (DATABASE + WRITERS) * 3,
            "thread of the database" => DATABASE,
            "container" => POOL,
            _ => before.get(name).copied().unwrap_or(0),
        };
        (*count > most).then(|| format!("{name}: {count} where {most} may be"))
    };
    now.iter().filter_map(more).collect()
}

/// Returns the anonymous resident memory of a process, in bytes: file-backed pages, such as those
/// of guests' images, which every instance maps anew, belong to the page cache, and are counted
/// once for each mapping that has touched them.
pub(crate) fn resident(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap_or("0");
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .expect("the system says how much")
        << 10
}

/// Polls until the actual value equals the expected one.
pub(crate) fn agree<T: Debug + PartialEq>(what: &str, mut look: impl FnMut() -> (T, T)) {
    let until = Instant::now() + SETTLE;
    loop {
        let (found, expected) = look();
        if found == expected {
            return;
        }
        assert!(
            Instant::now() < until,
            "{what}: {found:?} was found, and {expected:?} expected"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Returns the gauges of the service: running and queued executions, and open sessions.
pub(crate) fn gauges(service: &Service) -> [String; 3] {
    let text = service.get("/metrics").text();
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or("none")
            .trim()
            .to_owned()
    };
    [
        "glovebox_executions_running ",
        "glovebox_executions_queued ",
        "glovebox_sessions_open ",
    ]
    .map(value)
}

/// Returns every kept execution of a subject.
pub(crate) fn records(service: &Service, holder: &Holder) -> Vec<Value> {
    let mut client = Client::new(service, holder);
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client
            .ask(200, &Call::get(&format!("{RUN}?limit={PAGE}{cursor}")))
            .expect("a page");
        found.extend(page["executions"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Returns the usage of all subjects: executions, and the denied and limited ones among them.
pub(crate) fn usage(service: &Service) -> [u64; 3] {
    let usage = service.get("/v1/usage?all=true").json();
    let days = usage["usage"].as_array().cloned().unwrap_or_default();
    ["executions", "denied", "limited"]
        .map(|name| days.iter().filter_map(|day| day[name].as_u64()).sum())
}
