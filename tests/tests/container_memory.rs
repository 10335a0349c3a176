//! Container memory accounting: is a container's memory in the account of all runs?
//!
//! The oracle is the memory account, which is the test's own.

use glovebox::policy::Subject;
use glovebox::{Limit, MemoryAccount, Outcome, Policy, Request, Sandbox, Status};
use glovebox_tests::attack::show;
use glovebox_tests::engine::sandbox_within;
use glovebox_tests::place::{eventually, runtime};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The memory limit of a container: its memory, its workspace and its overhead.
const CONTAINER: u64 = (64 + 8 + 32) << 20;

#[derive(Debug)]
struct Account {
    most: u64,
    /// Current and peak.
    used: Mutex<(u64, u64)>,
}

impl Account {
    fn new(most: u64) -> Arc<Self> {
        Arc::new(Self {
            most,
            used: Mutex::default(),
        })
    }

    fn used(&self) -> (u64, u64) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryAccount for Account {
    fn try_grow(&self, _: &Subject, bytes: u64) -> Result<(), String> {
        let (used, peak) = &mut *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let after = *used + bytes;
        if after > self.most {
            return Err(format!("the account has {} bytes", self.most));
        }
        (*used, *peak) = (after, (*peak).max(after));
        Ok(())
    }

    fn shrink(&self, _: &Subject, bytes: u64) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).0 -= bytes;
    }
}

fn policy() -> Policy {
    let text = "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n[profiles.t.limits]\nmemory = \"64MiB\"\n\
        workspace = \"8MiB\"\nprocesses = 40\noutput = \"64KiB\"\nvalue = \"64KiB\"\n";
    Policy::parse("test", text).unwrap_or_else(|problems| panic!("{problems}"))
}

async fn shell(sandbox: Sandbox, source: &'static str) -> Outcome {
    sandbox
        .run(Request::new("shell", source))
        .await
        .expect("the host works")
}

#[test]
fn a_container_has_its_memory_before_it_is_made_and_until_it_is_gone() {
    // Enough for one and a half containers.
    let account = Account::new(CONTAINER + CONTAINER / 2);
    let Some(sandbox) = sandbox_within(Arc::clone(&account) as Arc<dyn MemoryAccount>, policy())
    else {
        return;
    };
    let both = runtime().block_on(async {
        let runs = ["sleep 1; echo one", "sleep 1; echo two"]
            .map(|source| tokio::spawn(shell(sandbox.clone(), source)));
        let mut outcomes = Vec::new();
        for run in runs {
            outcomes.push(run.await.expect("no panic"));
        }
        outcomes
    });
    // The second one waited for the first.
    assert!(
        both.iter()
            .all(|outcome| outcome.status == Status::Succeeded),
        "{} {}",
        show(&both[0]),
        show(&both[1])
    );
    let (_, peak) = account.used();
    assert!(
        (CONTAINER..=CONTAINER + CONTAINER / 2).contains(&peak),
        "{peak}"
    );
    eventually(Duration::from_secs(30), "everything is given back", || {
        account.used().0 == 0
    });
}

#[test]
fn a_container_that_there_is_no_memory_for_is_refused_with_the_reason() {
    let account = Account::new(CONTAINER / 2);
    let Some(sandbox) = sandbox_within(Arc::clone(&account) as Arc<dyn MemoryAccount>, policy())
    else {
        return;
    };
    let outcome = runtime().block_on(shell(sandbox, "echo never"));
    assert_eq!(
        (outcome.status, outcome.reached_limit()),
        (Status::Limited, Some(Limit::Memory)),
        "{}",
        show(&outcome)
    );
    assert!(
        outcome
            .crash
            .as_deref()
            .is_some_and(|why| why.contains("the account has")),
        "{}",
        show(&outcome)
    );
    assert_eq!(account.used().0, 0);
}
