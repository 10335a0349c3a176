//! Search of the audit log: which records match a query?
//!
//! The log is read backwards from its end, so the newest records cost the same however long it is.
//! One query reads a bounded part of it and returns the cursor at which the next one goes on.

use crate::error::{Code, ServiceError};
use crate::identities::Caller;
use crate::scope::Scope;
use cap_std::fs::{Dir, File, FileExt as _};
use glovebox::{AUDIT_SEGMENT, CancellationToken, FairSlots, audit_segment_start};
use glovebox_wire::records::{AuditList, AuditQuery};
use glovebox_wire::timestamp;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that are read at once.
const BLOCK: u64 = 256 << 10;

/// Maximum bytes that one query reads.
const MOST: u64 = 64 << 20;

/// Maximum length of a record's line; longer ones are skipped.
const MAX_LINE: usize = 16 << 20;

/// Concurrent searches; the subjects take turns, and none has all of the slots.
const SEARCHES: usize = 2;

/// Searches the audit log. Cheap to clone.
#[derive(Clone)]
pub struct AuditSearch {
    slots: FairSlots,
    state: Arc<Dir>,
}

impl AuditSearch {
    pub(crate) fn new(state: Arc<Dir>) -> Self {
        Self {
            slots: FairSlots::new(SEARCHES),
            state,
        }
    }

    /// Returns the newest records that match a query: the caller's own, or those of all subjects
    /// with the scope `audit`. `limit` is the maximum number of records.
    ///
    /// # Errors
    ///
    /// If the caller may not, the cursor is unknown, or the log cannot be read.
    pub async fn search(
        &self,
        caller: &Caller,
        mut query: AuditQuery,
        limit: u32,
    ) -> Result<AuditList, ServiceError> {
        let before = query.cursor.as_deref().map(read_cursor).transpose()?;
        if caller.needs(Scope::Audit).is_err() {
            caller.needs(Scope::Run)?;
            let subject = caller.subject.as_str();
            if query
                .subject
                .as_deref()
                .is_some_and(|asked| asked != subject)
            {
                return Err(ServiceError::new(
                    Code::Forbidden,
                    "the records of others need the scope `audit`",
                ));
            }
            query.subject = Some(subject.to_owned());
        }
        let slot = self.slots.acquire(&caller.subject).await;
        // A client that disconnects needs no result: the search is cancelled.
        let gone = CancellationToken::new();
        let _stop = gone.clone().drop_guard();
        let state = Arc::clone(&self.state);
        let found = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let page = Page {
                limit: limit as usize,
                before,
            };
            search(&state, &query, page, &|| gone.is_cancelled())
        });
        let found = found
            .await
            .map_err(|error| ServiceError::internal(&error))?
            .map_err(|error| ServiceError::internal(&error))?;
        Ok(AuditList {
            records: found.records,
            next_cursor: found.next.map(|offset| format!("at-{offset}")),
        })
    }
}

fn read_cursor(text: &str) -> Result<u64, ServiceError> {
    let offset = text
        .strip_prefix("at-")
        .and_then(|offset| offset.parse().ok());
    offset.ok_or_else(|| ServiceError::not_found("page; `cursor` is none that this list has given"))
}

/// A part of the records: the newest ones before a position.
#[derive(Clone, Copy)]
struct Page {
    limit: usize,
    before: Option<u64>,
}

/// The result of a query.
#[derive(Debug)]
struct Matches {
    records: Vec<Value>,
    /// The position before which the next query goes on; `None` at the start of the log.
    next: Option<u64>,
}

/// Returns the newest matching records before a position in the log. A position is the number of
/// bytes of the whole log before it, whatever segments they are in now.
fn search(
    state: &Dir,
    query: &AuditQuery,
    page: Page,
    is_over: &dyn Fn() -> bool,
) -> io::Result<Matches> {
    let (complete, current, current_start) = segments(state)?;
    let oldest = complete.first().map_or(current_start, |(start, _)| *start);
    let mut found = Matches {
        records: Vec::new(),
        next: page.before,
    };
    let mut budget = MOST;
    let older = complete
        .iter()
        .rev()
        .map(|(start, name)| (*start, state.open(name)));
    for (start, file) in std::iter::once((current_start, Ok(current))).chain(older) {
        let file = match file {
            // Deleted by retention meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        let bytes = file.metadata()?.len();
        let end = found
            .next
            .map_or(bytes, |next| next.saturating_sub(start).min(bytes));
        if end == 0 {
            continue;
        }
        let room = page.limit - found.records.len();
        let (mut records, rest) = search_file(
            &file,
            query,
            Part { limit: room, end },
            &mut budget,
            is_over,
        )?;
        found.records.append(&mut records);
        found.next = Some(start + rest).filter(|next| *next > oldest);
        if rest > 0 || found.records.len() == page.limit || budget == 0 || is_over() {
            return Ok(found);
        }
    }
    found.next = None;
    Ok(found)
}

/// A complete segment: its position in the log, and its name.
type Complete = (u64, String);

/// Returns the complete segments, the oldest first.
fn complete_segments(state: &Dir) -> io::Result<Vec<Complete>> {
    let mut complete = Vec::new();
    for entry in state.entries()? {
        let name = entry?.file_name();
        if let Some((start, name)) = name
            .to_str()
            .and_then(|name| Some((audit_segment_start(name)?, name)))
        {
            complete.push((start, name.to_owned()));
        }
    }
    complete.sort();
    Ok(complete)
}

/// Returns the bytes of all segments.
pub(crate) fn bytes(state: &Dir) -> io::Result<u64> {
    let mut all = 0;
    for name in complete_segments(state)?
        .iter()
        .map(|(_, name)| name.as_str())
        .chain([AUDIT_SEGMENT])
    {
        match state.metadata(name) {
            Ok(found) => all += found.len(),
            // Moved away, or not begun.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Deletes segments older than `age`, except for the newest complete one, from which the log
/// continues; returns how many.
pub(crate) fn forget(state: &Dir, age: Duration) -> io::Result<usize> {
    let mut complete = complete_segments(state)?;
    complete.pop();
    let mut gone = 0;
    for (_, name) in complete {
        let removed = || {
            let written = state.metadata(&name)?.modified()?.into_std();
            let is_old = written.elapsed().is_ok_and(|elapsed| elapsed > age);
            if is_old {
                state.remove_file(&name).map(|()| true)
            } else {
                Ok(false)
            }
        };
        match removed() {
            Ok(true) => gone += 1,
            Ok(false) => break,
            // An operator has moved it away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(gone)
}

/// Returns the complete segments, the oldest first, the active one, and the position at which that
/// begins.
fn segments(state: &Dir) -> io::Result<(Vec<Complete>, File, u64)> {
    loop {
        let complete = complete_segments(state)?;
        let current = state.open(AUDIT_SEGMENT);
        // The active segment may have been rotated meanwhile.
        if complete_segments(state)?.last() != complete.last() {
            continue;
        }
        let start = match complete.last() {
            Some((start, name)) => start + state.metadata(name)?.len(),
            None => 0,
        };
        return Ok((complete, current?, start));
    }
}

/// The part of a file to search.
struct Part {
    limit: usize,
    end: u64,
}

/// Returns the newest matching records before a position in a file, and the position up to which it
/// was read.
fn search_file(
    file: &File,
    query: &AuditQuery,
    part: Part,
    budget: &mut u64,
    is_over: &dyn Fn() -> bool,
) -> io::Result<(Vec<Value>, u64)> {
    let mut records = Vec::new();
    // The part of a line with which the following blocks begin.
    let mut rest: Vec<u8> = Vec::new();
    let mut start = part.end;
    while start > 0 && !is_over() {
        let length = BLOCK.min(start);
        start -= length;
        *budget = budget.saturating_sub(length);
        let mut block = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut block, start)?;
        block.extend_from_slice(&rest);
        let mut line_end = block.len();
        while let Some(at) = block
            .get(..line_end)
            .and_then(|part| part.iter().rposition(|byte| *byte == b'\n'))
        {
            if let Some(record) = block
                .get(at + 1..line_end)
                .and_then(|line| fitting(line, query))
            {
                records.push(record);
                if records.len() == part.limit {
                    return Ok((records, start + at as u64 + 1));
                }
            }
            line_end = at;
        }
        block.truncate(line_end);
        rest = if block.len() > MAX_LINE {
            Vec::new()
        } else {
            block
        };
        if *budget == 0 && start > 0 && rest.len() < MAX_LINE {
            // The line that is cut off here is read whole by the next query.
            return Ok((records, start + rest.len() as u64));
        }
    }
    records.extend(fitting(&rest, query));
    Ok((records, 0))
}

fn fitting(line: &[u8], query: &AuditQuery) -> Option<Value> {
    let text = std::str::from_utf8(line)
        .ok()
        .filter(|text| !text.is_empty())?;
    // Cheaper than parsing the records of other subjects.
    if query
        .subject
        .as_ref()
        .is_some_and(|subject| !text.contains(subject.as_str()))
    {
        return None;
    }
    if query
        .text
        .as_ref()
        .is_some_and(|wanted| !text.contains(wanted.as_str()))
    {
        return None;
    }
    let mut record: Value = serde_json::from_str(text).ok()?;
    let is = |name: &str, wanted: &Option<String>| {
        wanted
            .as_ref()
            .is_none_or(|wanted| record.get(name).and_then(Value::as_str) == Some(wanted))
    };
    let time = record.get("time_ms").and_then(Value::as_i64).unwrap_or(0);
    let names_rule = |wanted: &String| {
        record.get("rule").and_then(Value::as_str) == Some(wanted)
            || record.get("allowed_by").and_then(Value::as_str) == Some(wanted)
            || record
                .get("rules")
                .and_then(Value::as_array)
                .is_some_and(|rules| rules.iter().any(|rule| rule.as_str() == Some(wanted)))
    };
    let fits = is("subject", &query.subject)
        && is("run", &query.run)
        && is("event", &query.event)
        && query.rule.as_ref().is_none_or(names_rule)
        && query.since_ms.is_none_or(|since| time >= since)
        && query.until_ms.is_none_or(|until| time < until);
    if !fits {
        return None;
    }
    shown_time(&mut record);
    Some(record)
}

/// Adds the time of a record in readable form.
fn shown_time(record: &mut Value) {
    if let Some(ms) = record.get("time_ms").and_then(Value::as_i64)
        && let Some(record) = record.as_object_mut()
    {
        record.insert("time".to_owned(), timestamp(ms).into());
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look into folders of their own"
)]
mod tests {
    use super::*;

    fn page(limit: usize, before: u64) -> Page {
        Page {
            limit,
            before: Some(before),
        }
    }

    /// Returns the times of all records that a query finds, page by page.
    fn times(state: &Dir, query: &AuditQuery, limit: usize) -> Vec<u64> {
        let (mut before, mut times) = (None, Vec::new());
        loop {
            let found = search(state, query, Page { limit, before }, &|| false).unwrap();
            assert!(found.records.len() <= limit);
            times.extend(
                found
                    .records
                    .iter()
                    .map(|record| record["time_ms"].as_u64().unwrap()),
            );
            before = found.next;
            if before.is_none() {
                return times;
            }
        }
    }

    #[test]
    fn pages_give_every_record_once_and_the_newest_first() {
        let records: Vec<String> = (0..3000)
            .map(|number| {
                format!(
                    r#"{{"subject":"key:{}","time_ms":{number},"note":"{}"}}"#,
                    number % 3,
                    "x".repeat(number % 700)
                ) + "\n"
            })
            .collect();
        let query = AuditQuery {
            subject: Some("key:1".to_owned()),
            since_ms: Some(100),
            ..AuditQuery::default()
        };
        let expected: Vec<u64> = (100..3000).rev().filter(|number| number % 3 == 1).collect();
        // In one segment, in three, and with the last one just begun.
        for cuts in [vec![], vec![1000, 1001], vec![3000]] {
            let folder = tempfile::tempdir().unwrap();
            let (mut from, mut start) = (0, 0);
            for cut in cuts.iter().copied().chain([records.len()]) {
                let text = records[from..cut].concat();
                let is_last = from >= *cuts.last().unwrap_or(&0);
                let name = if is_last {
                    AUDIT_SEGMENT.to_owned()
                } else {
                    format!("audit-{start:020}.jsonl")
                };
                std::fs::write(folder.path().join(name), &text).unwrap();
                (from, start) = (cut, start + text.len());
            }
            let state = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
            for limit in [7, 500] {
                assert_eq!(times(&state, &query, limit), expected, "{cuts:?} {limit}");
            }
            // A position in the middle of a line yields no partial record.
            assert!(
                search(&state, &query, page(7, 1001), &|| false)
                    .unwrap()
                    .records
                    .len()
                    <= 7
            );
            assert!(
                search(&state, &query, page(7, u64::MAX), &|| false)
                    .unwrap()
                    .records
                    .len()
                    == 7
            );
        }
    }

    #[test]
    fn removed_segment_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("audit-00000000000000005000.jsonl"),
            "{\"time_ms\":1}\n",
        )
        .unwrap();
        std::fs::write(folder.path().join(AUDIT_SEGMENT), "{\"time_ms\":2}\n").unwrap();
        let state = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        let all = AuditQuery::default();
        assert_eq!(times(&state, &all, 1), [2, 1]);
        assert_eq!(
            search(&state, &all, page(9, 4000), &|| false)
                .unwrap()
                .records
                .len(),
            0
        );
    }

    #[test]
    fn old_segments_are_forgotten_but_for_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let (old, day) = (
            std::time::SystemTime::now() - Duration::from_secs(3 * 86_400),
            Duration::from_secs(86_400),
        );
        let write = |name: &str, is_old: bool| {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
        };
        write("audit-00000000000000000000.jsonl", true);
        write("audit-00000000000000000100.jsonl", true);
        write("audit-00000000000000000200.jsonl", false);
        write("audit-00000000000000000300.jsonl", true);
        write(AUDIT_SEGMENT, true);
        write("audit-of-somebody-else.jsonl", true);
        let state = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        assert_eq!(forget(&state, 9 * day).unwrap(), 0);
        assert_eq!(forget(&state, day).unwrap(), 2);
        let left: Vec<_> = complete_segments(&state)
            .unwrap()
            .into_iter()
            .map(|(start, _)| start)
            .collect();
        assert_eq!(left, [200, 300]);
        assert!(state.exists(AUDIT_SEGMENT) && state.exists("audit-of-somebody-else.jsonl"));
    }
}
