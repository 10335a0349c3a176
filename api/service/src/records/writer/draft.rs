//! Draft of a transaction: which records are pending, and by which statements are they written?

use crate::records::rows::{ArtifactRow, ExecutionRow, SessionRow, TreeRow};
use crate::records::time::DAY_MS;
use glovebox_wire::records::UsageDay;
use glovebox_wire::sha256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Maximum records of one transaction.
pub(super) const BATCH: usize = 256;

/// Approximate bytes of an artifact's row.
const ARTIFACT_BYTES: usize = 300;

/// Time for which a record without a waiter may stay unwritten.
pub(super) const LAZY: Duration = Duration::from_millis(100);

// SQLite numbers the parameters of a statement in the order in which they first occur, whatever
// their numbers.

const PUT_EXECUTION: &str = "INSERT INTO executions (id, subject, session, language, profile, status, created_ms, started_ms, ended_ms, result, bytes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
     profile = excluded.profile, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, result = excluded.result, bytes = excluded.bytes \
     WHERE executions.ended_ms IS NULL OR excluded.ended_ms IS NOT NULL";

const PUT_ARTIFACT: &str = "INSERT INTO artifacts (execution, path_sha256, path, sha256, bytes) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const PUT_SESSION: &str = "INSERT INTO sessions (id, subject, language, profile, created_ms, ended_ms, end_reason) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms, end_reason = excluded.end_reason";

const PUT_TREE: &str = "INSERT INTO task_trees (id, subject, status, created_ms, ended_ms, plan, nodes, revision, bytes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET status = excluded.status, ended_ms = excluded.ended_ms, \
     plan = excluded.plan, nodes = excluded.nodes, revision = excluded.revision, bytes = excluded.bytes \
     WHERE task_trees.revision < excluded.revision";

const CHANGE_TREE: &str = "UPDATE task_trees SET status = $1, ended_ms = $2, nodes = $3, revision = $4 WHERE id = $5 AND revision < $4";

const ADD_USAGE: &str = "INSERT INTO usage_by_day (subject, day_ms, executions, denied, limited, wall_us, cpu_us, fuel, output_bytes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subject, day_ms) DO UPDATE SET \
     executions = usage_by_day.executions + excluded.executions, denied = usage_by_day.denied + excluded.denied, \
     limited = usage_by_day.limited + excluded.limited, wall_us = usage_by_day.wall_us + excluded.wall_us, \
     cpu_us = usage_by_day.cpu_us + excluded.cpu_us, fuel = usage_by_day.fuel + excluded.fuel, \
     output_bytes = usage_by_day.output_bytes + excluded.output_bytes";

/// A record to write.
// Journal lines may outlive a version: a field that is added to a row needs a default.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Write {
    /// An execution, and the usage to add to its subject's once it has ended.
    Execution(
        #[serde(serialize_with = "write_row", deserialize_with = "read_row")] Arc<ExecutionRow>,
        Option<Box<UsageDay>>,
    ),
    Session(Box<SessionRow>),
    Tree(Box<TreeRow>),
    /// Usage that belongs to no execution, with its id.
    Usage(String, Box<UsageDay>),
    /// Nothing: its acknowledgement means that everything before it is written.
    Barrier,
}

/// Writes a shared row as the row itself.
fn write_row<S: Serializer>(row: &Arc<ExecutionRow>, serializer: S) -> Result<S::Ok, S::Error> {
    ExecutionRow::serialize(row, serializer)
}

fn read_row<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<ExecutionRow>, D::Error> {
    ExecutionRow::deserialize(deserializer).map(Arc::new)
}

impl Write {
    /// Returns its approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Execution(row, _) => {
                row.result.as_ref().map_or(0, String::len) + row.artifacts.len() * ARTIFACT_BYTES
            }
            Self::Tree(row) => row.plan.as_ref().map_or(0, String::len) + row.nodes.len(),
            Self::Session(_) | Self::Usage(..) | Self::Barrier => 0,
        }
    }
}

/// Channel for the result of a write.
pub(super) type Done = oneshot::Sender<Result<(), String>>;

/// A parameter of a statement.
pub(super) enum Parameter {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Parameter {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Parameter {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Parameter {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A statement with its parameters.
pub(super) type Statement = (&'static str, Vec<Parameter>);

/// The acknowledgement of a write.
pub(crate) enum Acknowledgement {
    /// Not at all.
    None,
    /// It is already, because the record is in the journal.
    Sent,
    /// By its result, on a channel.
    Channel(Done),
}

/// The waiters for the result of a write.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) channels: Vec<Done>,
    pub(super) are_acknowledged: bool,
}

impl Waiting {
    pub(super) fn add(&mut self, acknowledgement: Acknowledgement) {
        match acknowledgement {
            Acknowledgement::None => {}
            Acknowledgement::Sent => self.are_acknowledged = true,
            Acknowledgement::Channel(done) => self.channels.push(done),
        }
    }

    /// Whether any waiter still listens.
    pub(super) fn is_awaited(&self) -> bool {
        self.channels.iter().any(|done| !done.is_closed())
    }
}

/// The statements of one record, which are executed atomically, its usage, and its waiters.
pub(super) struct Record {
    pub(super) id: String,
    pub(super) statements: Vec<Statement>,
    pub(super) usage: Option<Box<UsageDay>>,
    pub(super) waiting: Waiting,
}

impl Record {
    pub(super) fn execution(
        row: Arc<ExecutionRow>,
        usage: Option<Box<UsageDay>>,
        waiting: Waiting,
    ) -> Self {
        let row = Arc::unwrap_or_clone(row);
        let id = row.id.clone();
        let artifact = |artifact: ArtifactRow| {
            let digest = sha256(&artifact.path);
            (
                PUT_ARTIFACT,
                vec![
                    id.clone().into(),
                    digest.into(),
                    artifact.path.into(),
                    artifact.sha256.into(),
                    artifact.bytes.into(),
                ],
            )
        };
        let mut statements: Vec<Statement> = row.artifacts.into_iter().map(artifact).collect();
        let values = vec![
            row.id.into(),
            row.subject.into(),
            row.session.into(),
            row.language.into(),
            row.profile.into(),
            row.status.name().to_owned().into(),
            row.created_ms.into(),
            row.started_ms.into(),
            row.ended_ms.into(),
            row.result.into(),
            row.bytes.into(),
        ];
        statements.push((PUT_EXECUTION, values));
        Self {
            id,
            statements,
            usage,
            waiting,
        }
    }

    pub(super) fn session(row: SessionRow, waiting: Waiting) -> Self {
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
        Self {
            id,
            statements: vec![(PUT_SESSION, values)],
            usage: None,
            waiting,
        }
    }

    pub(super) fn tree(row: TreeRow, waiting: Waiting) -> Self {
        let id = row.id.clone();
        let statement = match row.plan {
            Some(plan) => {
                let (created, ended, revision) = (
                    row.created_ms.into(),
                    row.ended_ms.into(),
                    row.revision.into(),
                );
                (
                    PUT_TREE,
                    vec![
                        row.id.into(),
                        row.subject.into(),
                        row.status.name().to_owned().into(),
                        created,
                        ended,
                        plan.into(),
                        row.nodes.into(),
                        revision,
                        row.bytes.into(),
                    ],
                )
            }
            None => (
                CHANGE_TREE,
                vec![
                    row.status.name().to_owned().into(),
                    row.ended_ms.into(),
                    row.nodes.into(),
                    row.revision.into(),
                    row.id.into(),
                ],
            ),
        };
        Self {
            id,
            statements: vec![statement],
            usage: None,
            waiting,
        }
    }

    /// Returns a record without statements.
    pub(super) fn barrier(waiting: Waiting) -> Self {
        Self {
            id: "barrier".to_owned(),
            statements: Vec::new(),
            usage: None,
            waiting,
        }
    }

    /// Sends the result to all waiters, once.
    pub(super) fn tell(&mut self, result: &Result<(), String>) {
        if let Err(error) = result {
            tracing::error!(id = self.id, error, "a record could not be written");
        }
        for done in self.waiting.channels.drain(..) {
            // A waiter that is gone needs no result.
            let _ = done.send(result.clone());
        }
    }
}

/// Returns the statements that add the usage of several records. All writers use the same order, so
/// that no two transactions deadlock.
pub(super) fn usage<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Statement> {
    let mut sums: BTreeMap<(&str, i64), UsageDay> = BTreeMap::new();
    for row in records
        .into_iter()
        .filter_map(|record| record.usage.as_deref())
    {
        let day_ms = row.day_ms - row.day_ms.rem_euclid(DAY_MS);
        let sum = sums.entry((&row.subject, day_ms)).or_default();
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
        add(&mut sum.executions, row.executions);
        add(&mut sum.denied, row.denied);
        add(&mut sum.limited, row.limited);
        add(&mut sum.wall_us, row.wall_us);
        add(&mut sum.cpu_us, row.cpu_us);
        add(&mut sum.fuel, row.fuel);
        add(&mut sum.output_bytes, row.output_bytes);
    }
    let statement = |((subject, day_ms), sum): ((&str, i64), UsageDay)| {
        let values = vec![
            subject.to_owned().into(),
            day_ms.into(),
            sum.executions.into(),
            sum.denied.into(),
            sum.limited.into(),
            sum.wall_us.into(),
            sum.cpu_us.into(),
            sum.fuel.into(),
            sum.output_bytes.into(),
        ];
        (ADD_USAGE, values)
    };
    sums.into_iter().map(statement).collect()
}

/// Pending records: of every execution only its newest state.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) executions: HashMap<String, Drafted<Arc<ExecutionRow>>>,
    pub(super) trees: HashMap<String, Drafted<TreeRow>>,
    /// Sessions, and usage of no execution.
    pub(super) others: Vec<Record>,
    /// Waiters for everything.
    pub(super) barriers: Waiting,
}

pub(super) struct Drafted<T> {
    pub(super) row: T,
    pub(super) usage: Option<Box<UsageDay>>,
    pub(super) since: Instant,
    pub(super) waiting: Waiting,
}

impl<T> Drafted<T> {
    pub(super) fn new(row: T) -> Self {
        Self {
            row,
            usage: None,
            since: Instant::now(),
            waiting: Waiting::default(),
        }
    }

    /// Whether it has to be written now.
    fn is_due(&self, is_all: bool) -> bool {
        is_all || !self.waiting.channels.is_empty() || self.since.elapsed() >= LAZY
    }
}

impl Draft {
    pub(super) fn add(&mut self, write: Write, acknowledgement: Acknowledgement) {
        match write {
            Write::Execution(row, usage) => {
                let drafted = self
                    .executions
                    .entry(row.id.clone())
                    .or_insert_with(|| Drafted::new(Arc::clone(&row)));
                // An ended execution does not run again: a late update must not revive it.
                if row.ended_ms.is_some() || drafted.row.ended_ms.is_none() {
                    drafted.row = row;
                }
                drafted.usage = usage.or(drafted.usage.take());
                drafted.waiting.add(acknowledgement);
            }
            Write::Tree(row) => {
                let drafted = self
                    .trees
                    .entry(row.id.clone())
                    .or_insert_with(|| Drafted::new((*row).clone()));
                // The plan is sent once, whatever update comes before or after it, and a later plan
                // is shorter. The bytes belong to the plan.
                let plans = [
                    (drafted.row.plan.take(), drafted.row.bytes),
                    (row.plan.clone(), row.bytes),
                ];
                let plan = plans
                    .into_iter()
                    .filter_map(|(plan, bytes)| Some((plan?, bytes)))
                    .min_by_key(|(plan, _)| plan.len());
                if row.revision > drafted.row.revision {
                    drafted.row = *row;
                }
                (drafted.row.plan, drafted.row.bytes) = plan
                    .map_or((None, drafted.row.bytes), |(plan, bytes)| {
                        (Some(plan), bytes)
                    });
                drafted.waiting.add(acknowledgement);
            }
            Write::Session(row) => {
                let mut waiting = Waiting::default();
                waiting.add(acknowledgement);
                self.others.push(Record::session(*row, waiting));
            }
            Write::Usage(id, usage) => {
                let mut waiting = Waiting::default();
                waiting.add(acknowledgement);
                self.others.push(Record {
                    id,
                    statements: Vec::new(),
                    usage: Some(usage),
                    waiting,
                });
            }
            Write::Barrier => self.barriers.add(acknowledgement),
        }
    }

    /// Takes everything, awaited or not.
    pub(super) fn all(&mut self) -> Vec<Record> {
        self.take(true)
    }

    /// Takes what has to be written now: records that have a waiter, and those that are old enough.
    pub(super) fn due(&mut self) -> Vec<Record> {
        self.take(!self.barriers.channels.is_empty())
    }

    fn take(&mut self, is_all: bool) -> Vec<Record> {
        let executions = self
            .executions
            .extract_if(|_, drafted| drafted.is_due(is_all));
        let execution = |(_, drafted): (String, Drafted<Arc<ExecutionRow>>)| {
            Record::execution(drafted.row, drafted.usage, drafted.waiting)
        };
        let mut records: Vec<Record> = executions.map(execution).collect();
        let trees = self.trees.extract_if(|_, drafted| drafted.is_due(is_all));
        records.extend(trees.map(|(_, drafted)| Record::tree(drafted.row, drafted.waiting)));
        records.append(&mut self.others);
        if !self.barriers.channels.is_empty() {
            records.push(Record::barrier(std::mem::take(&mut self.barriers)));
        }
        records
    }
}
