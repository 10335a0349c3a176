//! Write-ahead journal: how do records survive the end of the process before they are in the
//! database?
//!
//! Each record is one line of JSON with its sequence number, appended by one write, which costs a
//! tenth of a commit. There are two files: while the lines of one are carried over into the
//! database, new ones go to the other. The database stores the number up to which it has
//! everything, in the same transaction, so every line is carried over exactly once.

use super::draft::Write;
use crate::records::time::now_ms;
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

/// The journal files, in the directory of the database.
const NAMES: [&str; 2] = ["journal-a.jsonl", "journal-b.jsonl"];

/// Capacity of the line buffer that is kept for the next line.
const SPARE: usize = 64 << 10;

/// A line of the journal.
#[derive(Deserialize)]
struct Entry {
    number: u64,
    write: Write,
}

/// The journal, with both of its files.
pub(super) struct Journal {
    halves: [Half; 2],
    current: usize,
    last: u64,
    line: Vec<u8>,
}

struct Half {
    file: Arc<File>,
    /// The offset of the next line; bytes beyond it were never acknowledged.
    bytes: u64,
    /// The sequence number of its last line.
    last: u64,
}

impl Half {
    /// Opens a journal file, and reads its entries.
    #[expect(clippy::disallowed_methods, reason = "the operator named this folder")]
    fn open(folder: &Path, name: &str) -> io::Result<(Self, Vec<Entry>)> {
        let path = folder.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        let (mut entries, mut unread, mut line) = (Vec::new(), 0, Vec::new());
        let mut reader = BufReader::new(&file);
        while reader.read_until(b'\n', &mut line)? > 0 {
            match serde_json::from_slice::<Entry>(&line) {
                Ok(entry) => entries.push(entry),
                // A partial line was never acknowledged.
                Err(_) if !line.ends_with(b"\n") => {}
                Err(_) => unread += 1,
            }
            line.clear();
        }
        if unread > 0 {
            let kept = path.with_extension(format!("unread-{}", now_ms()));
            std::fs::copy(&path, &kept)?;
            tracing::error!(lines = unread, kept = %kept.display(), "lines of the journal cannot be read, and are kept for a look at them");
        }
        let last = entries.iter().map(|entry| entry.number).max().unwrap_or(0);
        Ok((
            Self {
                bytes: file.metadata()?.len(),
                file: Arc::new(file),
                last,
            },
            entries,
        ))
    }
}

/// Serializes a record for the journal, without its sequence number.
pub(super) fn text(write: &Write) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(write)?)
}

impl Journal {
    /// Opens the journal in a directory; returns the records that the database, which has
    /// everything up to number `applied`, does not have yet. Nothing may be appended before they
    /// are in the database and the journal is cleared.
    pub(super) fn open(folder: &Path, applied: u64) -> io::Result<(Self, Vec<Write>)> {
        let [first, second] = NAMES;
        let ((first, mut entries), (second, others)) =
            (Half::open(folder, first)?, Half::open(folder, second)?);
        entries.extend(others);
        entries.retain(|entry| entry.number > applied);
        entries.sort_by_key(|entry| entry.number);
        let last = applied.max(first.last).max(second.last);
        let journal = Self {
            halves: [first, second],
            current: 0,
            last,
            line: Vec::new(),
        };
        Ok((
            journal,
            entries.into_iter().map(|entry| entry.write).collect(),
        ))
    }

    /// Deletes all entries.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        for half in &mut self.halves {
            half.file.set_len(0)?;
            half.bytes = 0;
        }
        Ok(())
    }

    /// Appends the [`text`] of a record. When this returns, the record survives this process; after
    /// an error, no part of it is in the journal.
    pub(super) fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let number = self.last + 1;
        self.line.clear();
        write!(self.line, "{{\"number\":{number},\"write\":")?;
        self.line.extend_from_slice(text);
        self.line.extend_from_slice(b"}\n");
        let [first, second] = &mut self.halves;
        let half = if self.current == 0 { first } else { second };
        // The remains of a failed write are overwritten, or are no complete line.
        half.file.write_all_at(&self.line, half.bytes)?;
        half.bytes += self.line.len() as u64;
        half.last = number;
        self.last = number;
        self.line.shrink_to(SPARE);
        Ok(())
    }

    /// Returns the number of the last record. Later records go to the other file, if that is free.
    pub(super) fn seal(&mut self) -> u64 {
        let other = 1 - self.current;
        if self.halves.get(other).is_some_and(|half| half.bytes == 0) {
            self.current = other;
        }
        self.last
    }

    /// Returns the inactive file, if the database has all of its records. It is truncated without
    /// blocking the active one.
    pub(super) fn carried_over(&self, number: u64) -> Option<Arc<File>> {
        let half = self.halves.get(1 - self.current)?;
        (half.bytes > 0 && half.last <= number).then(|| Arc::clone(&half.file))
    }

    /// Makes the inactive file available again; it was truncated.
    pub(super) fn emptied(&mut self) {
        if let Some(half) = self.halves.get_mut(1 - self.current) {
            half.bytes = 0;
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look into files of their own"
)]
mod tests {
    use super::*;
    use crate::records::rows::ExecutionRow;
    use glovebox_wire::records::UsageDay;

    fn write(name: &str) -> Write {
        let row = ExecutionRow {
            id: name.to_owned(),
            result: Some("{\"stdout\":\"a\\nb\"}".to_owned()),
            ..ExecutionRow::default()
        };
        Write::Execution(
            Arc::new(row),
            Some(Box::new(UsageDay {
                executions: 1,
                ..UsageDay::default()
            })),
        )
    }

    fn add(journal: &mut Journal, name: &str) -> io::Result<()> {
        journal.append(&text(&write(name)).unwrap())
    }

    fn names(writes: &[Write]) -> Vec<&str> {
        fn name(write: &Write) -> &str {
            match write {
                Write::Execution(row, _) => &row.id,
                _ => "another kind",
            }
        }
        writes.iter().map(name).collect()
    }

    /// Returns a directory with a journal of `a` to `d`, of which the database has the first two.
    fn used() -> (tempfile::TempDir, u64) {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, left) = Journal::open(folder.path(), 0).unwrap();
        assert!(left.is_empty());
        ["a", "b"]
            .iter()
            .for_each(|name| add(&mut journal, name).unwrap());
        let last = journal.seal();
        ["c", "d"]
            .iter()
            .for_each(|name| add(&mut journal, name).unwrap());
        (folder, last)
    }

    #[test]
    fn unapplied_records_are_replayed_in_order() {
        let (folder, last) = used();
        for (applied, expected) in [
            (0, vec!["a", "b", "c", "d"]),
            (1, vec!["b", "c", "d"]),
            (last, vec!["c", "d"]),
            (4, vec![]),
        ] {
            let (_, left) = Journal::open(folder.path(), applied).unwrap();
            assert_eq!(names(&left), expected, "{applied}");
        }
        let (_, left) = Journal::open(folder.path(), 3).unwrap();
        let Some(Write::Execution(row, Some(usage))) = left.first() else {
            panic!("{left:?}")
        };
        assert_eq!(
            (row.result.as_deref(), usage.executions),
            (Some("{\"stdout\":\"a\\nb\"}"), 1)
        );
    }

    #[test]
    fn a_line_that_was_not_written_to_its_end_is_left_out() {
        for tail in [
            "{\"number\":5,\"write\"",
            "\0\0\0\0",
            "{}\n{}\n",
            "{\"number\":5,\"write\":{\"execution\":[{}, null]}}\n",
        ] {
            let (folder, last) = used();
            let path = folder.path().join(NAMES[1]);
            OpenOptions::new()
                .append(true)
                .open(&path)
                .unwrap()
                .write_all(tail.as_bytes())
                .unwrap();
            let (mut journal, left) = Journal::open(folder.path(), last).unwrap();
            assert_eq!(names(&left), ["c", "d"], "{tail}");
            journal.clear().unwrap();
            add(&mut journal, "e").unwrap();
            assert_eq!(
                names(&Journal::open(folder.path(), 4).unwrap().1),
                ["e"],
                "{tail}"
            );
        }
    }

    #[test]
    fn journal_is_emptied_as_it_is_applied() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), 0).unwrap();
        let bytes = || NAMES.map(|name| folder.path().join(name).metadata().unwrap().len());
        let mut most = 0;
        for round in 0..100 {
            ["a", "b"]
                .iter()
                .for_each(|name| add(&mut journal, name).unwrap());
            let last = journal.seal();
            // More records arrive while it is carried over.
            add(&mut journal, "c").unwrap();
            assert_eq!(last, 2 + 3 * round);
            assert!(
                journal.carried_over(last - 1).is_none(),
                "the database does not have all of it"
            );
            journal.carried_over(last).unwrap().set_len(0).unwrap();
            journal.emptied();
            most = most.max(bytes().iter().sum());
        }
        assert!(most < 1000, "{most}");
        assert_eq!(names(&Journal::open(folder.path(), 299).unwrap().1), ["c"]);
    }

    #[test]
    fn unreadable_journal_is_kept_for_inspection() {
        let (folder, last) = used();
        let path = folder.path().join(NAMES[1]);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"number\":5,\"write\":{\"of another version\":1}}\n")
            .unwrap();
        let (mut journal, left) = Journal::open(folder.path(), last).unwrap();
        assert_eq!(names(&left), ["c", "d"]);
        journal.clear().unwrap();
        let names = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let kept: Vec<_> = names
            .filter(|path| path.to_string_lossy().contains("unread"))
            .collect();
        assert!(
            kept.len() == 1
                && std::fs::read_to_string(&kept[0])
                    .unwrap()
                    .contains("of another version"),
            "{kept:?}"
        );
    }

    #[test]
    fn failed_append_leaves_no_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), 0).unwrap();
        add(&mut journal, "a").unwrap();
        let readable = Arc::new(File::open(folder.path().join(NAMES[0])).unwrap());
        let whole = std::mem::replace(&mut journal.halves[0].file, readable);
        assert!(
            add(&mut journal, "b").is_err(),
            "the file is open for reading alone"
        );
        journal.halves[0].file = whole;
        add(&mut journal, "c").unwrap();
        assert_eq!(
            names(&Journal::open(folder.path(), 0).unwrap().1),
            ["a", "c"]
        );
    }
}
