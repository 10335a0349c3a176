//! How do records get into the database?
//!
//! Whatever waits is written as one transaction, so a record costs its share of a commit and not a commit. Who has to be sure waits until
//! the commit is done, or, where the database is a file, until the record is in a journal beside it, which costs less still. What nobody
//! waits for is written a little later: most executions have ended by then, and only their end is written.

mod journal;
mod postgres;
mod sqlite;

use super::{DAY_MS, ExecutionRow, SessionRow, TreeRow, UsageRow};
use crate::wire::sha256;
use serde::{Deserialize, Serialize};
use sqlx::AnyPool;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Records that one transaction takes at most.
const BATCH: usize = 256;

/// What the row of an artifact takes, roughly.
const ARTIFACT_BYTES: usize = 300;

/// How long what nobody waits for may stay unwritten.
const LAZY: Duration = Duration::from_millis(100);

// SQLite counts a statement's values in the order in which they first occur, whatever their numbers.

const PUT_EXECUTION: &str = "INSERT INTO executions (id, subject, session, language, profile, status, created_ms, started_ms, ended_ms, result) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
     profile = excluded.profile, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, result = excluded.result \
     WHERE executions.ended_ms IS NULL OR excluded.ended_ms IS NOT NULL";

const PUT_ARTIFACT: &str =
    "INSERT INTO artifacts (execution, path_sha256, path, sha256, bytes) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const PUT_SESSION: &str = "INSERT INTO sessions (id, subject, language, profile, created_ms, ended_ms, end_reason) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms, end_reason = excluded.end_reason";

const PUT_TREE: &str = "INSERT INTO task_trees (id, subject, status, created_ms, ended_ms, plan, nodes, revision) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";

const CHANGE_TREE: &str = "UPDATE task_trees SET status = $1, ended_ms = $2, nodes = $3, revision = $4 WHERE id = $5 AND revision < $4";

const ADD_USAGE: &str = "INSERT INTO usage_by_day (subject, day_ms, executions, denied, limited, wall_us, cpu_us, fuel, output_bytes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subject, day_ms) DO UPDATE SET \
     executions = usage_by_day.executions + excluded.executions, denied = usage_by_day.denied + excluded.denied, \
     limited = usage_by_day.limited + excluded.limited, wall_us = usage_by_day.wall_us + excluded.wall_us, \
     cpu_us = usage_by_day.cpu_us + excluded.cpu_us, fuel = usage_by_day.fuel + excluded.fuel, \
     output_bytes = usage_by_day.output_bytes + excluded.output_bytes";

/// What is to be written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Write {
    /// An execution, and what is added to its subject's usage when it has ended.
    Execution(Box<ExecutionRow>, Option<Box<UsageRow>>),
    Session(Box<SessionRow>),
    Tree(Box<TreeRow>),
    /// Nothing: whoever waits for it knows that everything before it is written.
    Barrier,
}

impl Write {
    /// Roughly its bytes.
    fn size(&self) -> usize {
        match self {
            Self::Execution(row, _) => row.result.as_ref().map_or(0, String::len) + row.artifacts.len() * ARTIFACT_BYTES,
            Self::Tree(row) => row.plan.as_ref().map_or(0, String::len) + row.nodes.len(),
            Self::Session(_) | Self::Barrier => 0,
        }
    }
}

/// Told how the write went.
type Done = oneshot::Sender<Result<(), String>>;

/// A value of a statement.
enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A statement with its values.
type Statement = (&'static str, Vec<Value>);

/// The statements of one record, which are all carried out or none, and those who wait for it.
struct Record {
    id: String,
    statements: Vec<Statement>,
    waits: Vec<Done>,
}

impl Record {
    fn execution(row: ExecutionRow, waits: Vec<Done>) -> Self {
        let id = row.id.clone();
        let artifact = |artifact: super::ArtifactRow| {
            let digest = sha256(&artifact.path);
            (PUT_ARTIFACT, vec![id.clone().into(), digest.into(), artifact.path.into(), artifact.sha256.into(), artifact.bytes.into()])
        };
        let mut statements: Vec<Statement> = row.artifacts.into_iter().map(artifact).collect();
        let values = vec![
            row.id.into(),
            row.subject.into(),
            row.session.into(),
            row.language.into(),
            row.profile.into(),
            row.status.into(),
            row.created_ms.into(),
            row.started_ms.into(),
            row.ended_ms.into(),
            row.result.into(),
        ];
        statements.push((PUT_EXECUTION, values));
        Self { id, statements, waits }
    }

    fn session(row: SessionRow, waits: Vec<Done>) -> Self {
        let id = row.id.clone();
        let values = vec![
            row.id.into(),
            row.subject.into(),
            row.language.into(),
            row.profile.into(),
            row.created_ms.into(),
            row.ended_ms.into(),
            row.end_reason.into(),
        ];
        Self { id, statements: vec![(PUT_SESSION, values)], waits }
    }

    fn tree(row: TreeRow, waits: Vec<Done>) -> Self {
        let id = row.id.clone();
        let statement = match row.plan {
            Some(plan) => {
                let (created, ended, revision) = (row.created_ms.into(), row.ended_ms.into(), row.revision.into());
                (
                    PUT_TREE,
                    vec![row.id.into(), row.subject.into(), row.status.into(), created, ended, plan.into(), row.nodes.into(), revision],
                )
            }
            None => (CHANGE_TREE, vec![row.status.into(), row.ended_ms.into(), row.nodes.into(), row.revision.into(), row.id.into()]),
        };
        Self { id, statements: vec![statement], waits }
    }

    fn usage(row: UsageRow) -> Self {
        let values = vec![
            row.subject.into(),
            row.day_ms.into(),
            row.executions.into(),
            row.denied.into(),
            row.limited.into(),
            row.wall_us.into(),
            row.cpu_us.into(),
            row.fuel.into(),
            row.output_bytes.into(),
        ];
        Self { id: "usage".to_owned(), statements: vec![(ADD_USAGE, values)], waits: Vec::new() }
    }

    /// Tells those who wait how it went, once.
    fn tell(&mut self, result: &Result<(), String>) {
        if let Err(error) = result {
            tracing::error!(id = self.id, error, "a record could not be written");
        }
        for waits in self.waits.drain(..) {
            // Whoever has stopped waiting does not need to know.
            let _ = waits.send(result.clone());
        }
    }
}

/// What was handed over and is not written yet: of every execution only its newest state.
#[derive(Default)]
struct Draft {
    executions: HashMap<String, Drafted<ExecutionRow>>,
    trees: HashMap<String, Drafted<TreeRow>>,
    sessions: Vec<Record>,
    usage: BTreeMap<(String, i64), UsageRow>,
    /// Those who wait for everything.
    barriers: Vec<Done>,
}

struct Drafted<T> {
    row: T,
    since: Instant,
    waits: Vec<Done>,
}

impl<T> Drafted<T> {
    fn new(row: T) -> Self {
        Self { row, since: Instant::now(), waits: Vec::new() }
    }
}

impl Draft {
    fn add(&mut self, write: Write, done: Option<Done>) {
        match write {
            Write::Execution(row, usage) => {
                if let Some(usage) = usage {
                    self.add_usage(*usage);
                }
                let drafted = self.executions.entry(row.id.clone()).or_insert_with(|| Drafted::new(ExecutionRow::default()));
                // What has ended does not run again, whatever comes late.
                if row.ended_ms.is_some() || drafted.row.ended_ms.is_none() {
                    drafted.row = *row;
                }
                drafted.waits.extend(done);
            }
            Write::Tree(row) => {
                let drafted = self.trees.entry(row.id.clone()).or_insert_with(|| Drafted::new((*row).clone()));
                // The plan comes once, whatever comes before or after it.
                let plan = drafted.row.plan.take().or_else(|| row.plan.clone());
                if row.revision > drafted.row.revision {
                    drafted.row = *row;
                }
                drafted.row.plan = plan;
                drafted.waits.extend(done);
            }
            Write::Session(row) => self.sessions.push(Record::session(*row, done.into_iter().collect())),
            Write::Barrier => self.barriers.extend(done),
        }
    }

    fn add_usage(&mut self, row: UsageRow) {
        let day_ms = row.day_ms - row.day_ms.rem_euclid(DAY_MS);
        let sum = self.usage.entry((row.subject.clone(), day_ms));
        let sum = sum.or_insert_with(|| UsageRow { subject: row.subject, day_ms, ..UsageRow::default() });
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
        add(&mut sum.executions, row.executions);
        add(&mut sum.denied, row.denied);
        add(&mut sum.limited, row.limited);
        add(&mut sum.wall_us, row.wall_us);
        add(&mut sum.cpu_us, row.cpu_us);
        add(&mut sum.fuel, row.fuel);
        add(&mut sum.output_bytes, row.output_bytes);
    }

    /// Everything, whoever waits for it.
    fn all(&mut self) -> Vec<Record> {
        self.take(true)
    }

    /// What has to be written now: what somebody waits for, with what was used by it, and what has waited long enough.
    fn due(&mut self) -> Vec<Record> {
        self.take(false)
    }

    fn take(&mut self, is_all: bool) -> Vec<Record> {
        let is_closing = is_all || !self.barriers.is_empty();
        let is_due = |since: Instant| is_closing || since.elapsed() >= LAZY;
        let executions = self.executions.extract_if(|_, drafted| !drafted.waits.is_empty() || is_due(drafted.since));
        let mut records: Vec<Record> = executions.map(|(_, drafted)| Record::execution(drafted.row, drafted.waits)).collect();
        let trees = self.trees.extract_if(|_, drafted| !drafted.waits.is_empty() || is_due(drafted.since));
        records.extend(trees.map(|(_, drafted)| Record::tree(drafted.row, drafted.waits)));
        records.append(&mut self.sessions);
        if is_closing || !records.is_empty() {
            // In the same transaction as the executions that it is of.
            records.extend(std::mem::take(&mut self.usage).into_values().map(Record::usage));
        }
        if !self.barriers.is_empty() {
            records.push(Record { id: "barrier".to_owned(), statements: Vec::new(), waits: std::mem::take(&mut self.barriers) });
        }
        records
    }
}

/// Takes records to the database.
#[derive(Clone)]
pub(super) enum Writer {
    /// The threads that hand records over write them, one for all that wait.
    Sqlite(Arc<sqlite::Sqlite>),
    /// A task writes them.
    Task(postgres::Sender),
}

impl Writer {
    /// Writes to a SQLite database that is there already, with its journal in a folder, from which it first takes what is not in it yet.
    pub(super) fn sqlite(folder: &Path, path: &Path) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        sqlite::Sqlite::open(folder, path).map(Self::Sqlite)
    }

    /// Writes through a pool of connections.
    pub(super) fn task(pool: AnyPool) -> Self {
        Self::Task(postgres::start(pool))
    }

    /// Leaves the database as small as it can be; nothing is handed over any more.
    pub(super) fn close(&self) {
        if let Self::Sqlite(sqlite) = self {
            sqlite.close();
        }
    }

    /// Hands a record over that survives this process from now on; gives it back where that takes more than a moment.
    pub(super) fn note(&self, write: Write) -> Option<Write> {
        match self {
            Self::Sqlite(sqlite) => sqlite.note(write),
            Self::Task(_) => Some(write),
        }
    }

    /// Whether what was acknowledged may not be in the database yet.
    pub(super) fn is_behind(&self) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.is_behind(),
            Self::Task(_) => false,
        }
    }

    /// Hands a record over.
    pub(super) async fn send(&self, write: Write, done: Option<Done>) -> Result<(), String> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.send(write, done);
                Ok(())
            }
            Self::Task(sender) => sender.send((write, done)).await.map_err(|_| "the store has closed".to_owned()),
        }
    }
}
