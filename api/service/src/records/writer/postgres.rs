//! PostgreSQL writer: how are records written to a database over the network?
//!
//! By one task, which commits all records that arrived during the previous commit.

use super::draft::{
    Acknowledgement, BATCH, Draft, LAZY, Parameter, Record, Statement, Write, usage,
};
use sqlx::AnyPool;
use tokio::sync::mpsc;

/// Capacity of the write queue; a full queue blocks its senders (backpressure).
const WAITING: usize = 4096;

/// Sends records to the task.
pub(crate) type Sender = mpsc::Sender<(Write, Acknowledgement)>;

/// Spawns the task; it ends with the last sender.
pub(super) fn start(pool: AnyPool) -> Sender {
    let (sender, waiting) = mpsc::channel(WAITING);
    tokio::spawn(write(pool, waiting));
    sender
}

async fn write(pool: AnyPool, mut waiting: mpsc::Receiver<(Write, Acknowledgement)>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut draft = Draft::default();
    loop {
        let received = tokio::time::timeout(LAZY, waiting.recv_many(&mut batch, BATCH)).await;
        let is_open = received.is_ok_and(|received| received > 0) || !waiting.is_closed();
        if !is_open {
            // The remaining records have no waiter, and are written all the same.
            draft.add(
                Write::Barrier,
                Acknowledgement::Channel(tokio::sync::oneshot::channel().0),
            );
        }
        for (write, acknowledgement) in batch.drain(..) {
            draft.add(write, acknowledgement);
        }
        commit(&pool, draft.due()).await;
        if !is_open {
            return;
        }
    }
}

/// Writes records: one that the database refuses does not fail the others.
async fn commit(pool: &AnyPool, records: Vec<Record>) {
    if records.is_empty() {
        return;
    }
    let used = usage(&records);
    let all: Vec<_> = records
        .iter()
        .flat_map(|record| &record.statements)
        .chain(&used)
        .collect();
    let Err(error) = transact(pool, &all).await else {
        records
            .into_iter()
            .for_each(|mut record| record.tell(&Ok(())));
        return;
    };
    tracing::error!(%error, "records could not be written together; they are written one by one");
    for mut record in records {
        let used = usage([&record]);
        let statements: Vec<_> = record.statements.iter().chain(&used).collect();
        let written = transact(pool, &statements)
            .await
            .map_err(|error| error.to_string());
        record.tell(&written);
    }
}

/// Executes the statements as one transaction.
async fn transact(pool: &AnyPool, statements: &[&Statement]) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    for (sql, values) in statements {
        let mut query = sqlx::query(*sql);
        for value in values {
            query = match value {
                Parameter::Text(text) => query.bind(text.clone()),
                Parameter::Number(number) => query.bind(*number),
            };
        }
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
