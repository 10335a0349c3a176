//! The load itself: who does what, and is everything right and given back afterwards?

use super::client::*;
use super::programs::*;
use super::resources::*;
use super::*;

/// A work queue that clients share.
struct Lane {
    jobs: Vec<(Kind, u64)>,
    next: AtomicUsize,
}

impl Lane {
    fn take(&self) -> Option<(Kind, u64)> {
        self.jobs
            .get(self.next.fetch_add(1, Ordering::Relaxed))
            .copied()
    }
}

/// The mix so many times, numbered from `first` on: sessions, containers, and everything else.
fn lanes(rounds: usize, first: u64, has_engine: bool) -> [Lane; 3] {
    let mut lanes: [Vec<(Kind, u64)>; 3] = Default::default();
    let mut number = first;
    let mut executions = 0;
    for (mut kind, count) in MIX {
        let lane = match kind {
            Kind::Session => 0,
            Kind::Whole(Program::Shell) => 1,
            _ => 2,
        };
        if lane == 1 && !has_engine {
            kind = Kind::Whole(Program::Hello("python"));
        }
        for _ in 0..count * rounds {
            lanes[lane].push((kind, number));
            number += 1;
            executions += if kind == Kind::Session {
                SESSION.len()
            } else {
                1
            };
        }
    }
    assert_eq!(executions * ROUNDS, EXECUTIONS * rounds);
    let mut seed = SEED;
    lanes.map(|mut jobs| {
        for last in (1..jobs.len()).rev() {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            jobs.swap(last, usize::try_from(seed % (last as u64 + 1)).unwrap_or(0));
        }
        Lane {
            jobs,
            next: AtomicUsize::new(0),
        }
    })
}

/// Runs each client on a thread of its own. All their connections are closed afterwards.
fn with_clients(
    service: &Service,
    holders: &[Holder],
    tally: &Mutex<Tally>,
    act: impl Fn(usize, &mut Client<'_>) + Sync,
) {
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let act = &act;
            scope.spawn(move || {
                let mut client = Client::new(service, &holders[number % holders.len()]);
                act(number, &mut client);
                tally
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(client.tally);
            });
        }
    });
}

/// Executes everything in the queues.
fn work(service: &Service, holders: &[Holder], tally: &Mutex<Tally>, lanes: &[Lane; 3]) {
    with_clients(service, holders, tally, |client_number, client| {
        let own = match client_number {
            number if number < SESSION_CLIENTS => 0,
            number if number < SESSION_CLIENTS + SHELL_CLIENTS => 1,
            _ => 2,
        };
        while let Some((kind, number)) = lanes[own].take().or_else(|| lanes[2].take()) {
            if let Err(reason) = client.perform(kind, number) {
                client
                    .tally
                    .wrong
                    .push(format!("{kind:?} {number}: {reason}"));
            }
        }
    });
}

/// Reaches the maximum concurrency of everything: the service caches some of it, which is no leak.
fn fill(service: &Service, holders: &[Holder], tally: &Mutex<Tally>) {
    for language in ["python", "javascript", "typescript"] {
        with_clients(service, holders, tally, |number, client| {
            let beside = if number < SESSION_CLIENTS {
                Beside::Session
            } else {
                Beside::None
            };
            if let Err(reason) = client.large_and_slow(language, beside) {
                client.tally.wrong.push(format!("{language}: {reason}"));
            }
        });
    }
}

fn assert_right(tally: &Mutex<Tally>) {
    let wrong = std::mem::take(&mut tally.lock().unwrap_or_else(PoisonError::into_inner).wrong);
    assert!(
        wrong.is_empty(),
        "{} results are wrong, such as {:#?}",
        wrong.len(),
        wrong.iter().take(5).collect::<Vec<_>>()
    );
}

/// Compares the records of all subjects with usage, and with what the clients know.
fn check_records(
    service: &Service,
    holders: &[Holder],
    mut ended: BTreeMap<String, u64>,
    left: u64,
) {
    let mut kept: Vec<Value> = Vec::new();
    agree(
        "executions that are not finished, and usage against records",
        || {
            kept = holders
                .iter()
                .flat_map(|holder| records(service, holder))
                .collect();
            let count = |is_one: &dyn Fn(&Value) -> bool| {
                kept.iter().filter(|execution| is_one(execution)).count() as u64
            };
            // An execution that was never started has no usage.
            let begun = count(&|execution| !execution["started_at"].is_null());
            let with = |status: &str| count(&|execution| execution["status"] == status);
            (
                (count(&is_unfinished), usage(service)),
                (0, [begun, with("denied"), with("limited")]),
            )
        },
    );
    let mut by_status: BTreeMap<String, u64> = BTreeMap::new();
    for execution in &kept {
        *by_status
            .entry(execution["status"].as_str().unwrap_or("none").to_owned())
            .or_default() += 1;
    }
    // Some of the abandoned executions had not even begun; the others are cancelled, and none has
    // another outcome.
    let (cancelled, known) = (
        by_status.remove("cancelled").unwrap_or(0),
        ended.remove("cancelled").unwrap_or(0),
    );
    assert_eq!(
        by_status, ended,
        "what is kept, and what the clients were told"
    );
    assert!(
        (known..=known + left).contains(&cancelled),
        "{cancelled} cancelled, {known} known, {left} left"
    );
}

/// Nothing runs, waits or is open any more.
fn check_idle(service: &Service, holders: &[Holder]) {
    agree("what runs, waits and is open", || {
        (gauges(service), ["0", "0", "0"].map(str::to_owned))
    });
    for holder in holders {
        let sessions = Client::new(service, holder).ask(200, &Call::get(SESSIONS));
        assert_eq!(sessions, Ok(json!({ "sessions": [] })));
    }
}

#[test]
fn ten_thousand_mixed_executions_give_right_results_and_leave_nothing() {
    let has_engine = engine::sandbox(Policy::builtin()).is_some();
    // Fewer run than there are clients, so that the others are queued, and caches soon reach their
    // size.
    let config = format!(
        "[limits]\nrunning = 16\nrunning_per_subject = 8\nhead_time = \"60s\"\n[containers]\nenabled = {has_engine}\npool = {POOL}\n"
    );
    let mut service = Service::with_keys(&config);
    let holder = |number: usize| {
        let name = format!("load-{number}");
        (format!("key:{name}"), service.make_key(&[name.as_str()]))
    };
    let holders: Vec<Holder> = (0..KEYS).map(holder).collect();
    let operator = service.make_key(&["operator", "--scope", "audit"]);
    service.use_key(&operator);
    let process = service.process();
    let tally = Mutex::new(Tally::default());

    fill(&service, &holders, &tally);
    work(&service, &holders, &tally, &lanes(1, 10_000, has_engine));
    assert_right(&tally);
    // The final requests are made now, too: pages of records are among the largest responses.
    let listed_before: usize = holders
        .iter()
        .map(|holder| records(&service, holder).len())
        .sum();
    assert!(
        listed_before > KEYS * PAGE,
        "{listed_before} executions are kept, which fill no pages"
    );
    std::thread::sleep(IDLE_THREADS_END);
    if has_engine {
        eventually(
            SETTLE,
            "the pool of containers is not as it should be",
            || containers(process) == POOL,
        );
    }
    let tier = if has_engine {
        Containers::Counted
    } else {
        Containers::Absent
    };
    let (held_before, resident_before) = (held(&service, tier), resident(process));

    let started = Instant::now();
    work(
        &service,
        &holders,
        &tally,
        &lanes(ROUNDS, 100_000, has_engine),
    );
    let took = started.elapsed();
    assert_right(&tally);

    check_idle(&service, &holders);
    let Tally { ended, left, .. } = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    check_records(&service, &holders, ended, left);
    agree("what the process holds", || {
        (beyond(&held(&service, tier), &held_before), Vec::new())
    });
    agree("bytes that it has grown by", || {
        let grown = resident(process).saturating_sub(resident_before);
        (if grown > GROWTH { grown } else { 0 }, 0)
    });
    let verified = Command::new(program())
        .args(["audit", "verify"])
        .arg(service.state())
        .status();
    assert!(
        verified.is_ok_and(|status| status.success()),
        "the audit log is not whole"
    );
    let (from, to) = (resident_before >> 20, resident(process) >> 20);
    eprintln!(
        "{EXECUTIONS} executions in {:.1} s; resident before {from} MiB, after {to} MiB",
        took.as_secs_f64()
    );
}
