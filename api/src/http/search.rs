//! Where in the audit log is what somebody looks for?
//!
//! The log is read backwards from its end, so the newest records cost nothing however long it is. One question reads a bounded part of it
//! and says where the next one has to go on.

use super::info::{AuditQuery, shown_time};
use cap_std::fs::{File, FileExt as _};
use serde_json::Value;
use std::io;

/// Bytes that are read at once.
const BLOCK: u64 = 256 << 10;

/// Bytes that one question reads at most.
const MOST: u64 = 64 << 20;

/// The longest line that a record may be; a longer one is passed over.
const MAX_LINE: usize = 16 << 20;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) records: Vec<Value>,
    /// Where the records before them end; none at the start of the log.
    pub(super) next: Option<u64>,
}

/// The newest records before a place in the log that fit.
pub(super) fn search(
    file: &File,
    query: &AuditQuery,
    (limit, before): (usize, Option<u64>),
    is_over: impl Fn() -> bool,
) -> io::Result<Found> {
    let end = file.metadata()?.len().min(before.unwrap_or(u64::MAX));
    let mut records = Vec::new();
    // The part of a line that the blocks after this one begin with.
    let mut rest: Vec<u8> = Vec::new();
    let mut start = end;
    let least = end.saturating_sub(MOST);
    while start > 0 && !is_over() {
        let length = BLOCK.min(start);
        start -= length;
        let mut block = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut block, start)?;
        block.extend_from_slice(&rest);
        let mut line_end = block.len();
        while let Some(at) = block.get(..line_end).and_then(|part| part.iter().rposition(|byte| *byte == b'\n')) {
            if let Some(record) = block.get(at + 1..line_end).and_then(|line| fitting(line, query)) {
                records.push(record);
                if records.len() == limit {
                    return Ok(Found { records, next: Some(start + at as u64 + 1).filter(|next| *next > 0) });
                }
            }
            line_end = at;
        }
        block.truncate(line_end);
        rest = if block.len() > MAX_LINE { Vec::new() } else { block };
        if start <= least && start > 0 && rest.len() < MAX_LINE {
            // The line that is cut off here is read whole next time.
            return Ok(Found { records, next: Some(start + rest.len() as u64).filter(|next| *next > 0) });
        }
    }
    records.extend(fitting(&rest, query));
    Ok(Found { records, next: None })
}

fn fitting(line: &[u8], query: &AuditQuery) -> Option<Value> {
    let text = std::str::from_utf8(line).ok().filter(|text| !text.is_empty())?;
    // Cheaper than to read the records of others.
    if query.subject.as_ref().is_some_and(|subject| !text.contains(subject.as_str())) {
        return None;
    }
    if query.text.as_ref().is_some_and(|wanted| !text.contains(wanted.as_str())) {
        return None;
    }
    let mut record: Value = serde_json::from_str(text).ok()?;
    let is =
        |name: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| record.get(name).and_then(Value::as_str) == Some(wanted));
    let time = record.get("time_ms").and_then(Value::as_i64).unwrap_or(0);
    let names_rule = |wanted: &String| {
        record.get("rule").and_then(Value::as_str) == Some(wanted)
            || record.get("allowed_by").and_then(Value::as_str) == Some(wanted)
            || record.get("rules").and_then(Value::as_array).is_some_and(|rules| rules.iter().any(|rule| rule.as_str() == Some(wanted)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn pages_give_every_record_once_and_the_newest_first() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let records: Vec<String> = (0..3000)
            .map(|number| format!(r#"{{"subject":"key:{}","time_ms":{number},"note":"{}"}}"#, number % 3, "x".repeat(number % 700)))
            .collect();
        file.write_all((records.join("\n") + "\n").as_bytes()).unwrap();
        let log = File::from_std(file.reopen().unwrap());
        let query = AuditQuery {
            subject: Some("key:1".to_owned()),
            run: None,
            event: None,
            rule: None,
            text: None,
            since_ms: Some(100),
            until_ms: None,
            cursor: None,
            limit: None,
        };
        let (mut before, mut times) = (None, Vec::new());
        loop {
            let found = search(&log, &query, (7, before), || false).unwrap();
            times.extend(found.records.iter().map(|record| record["time_ms"].as_u64().unwrap()));
            before = found.next;
            if before.is_none() {
                break;
            }
        }
        let expected: Vec<u64> = (100..3000).rev().filter(|number| number % 3 == 1).collect();
        assert_eq!(times, expected);
        // A place in the middle of a line gives no half of it.
        assert!(search(&log, &query, (7, Some(1001)), || false).unwrap().records.len() <= 7);
    }
}
