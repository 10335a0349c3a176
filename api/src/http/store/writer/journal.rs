//! What is on its way to the database: how does it survive the end of the process?
//!
//! Each record is one line of JSON with its number, appended by one write, which costs a tenth of a commit. The lines are in two files: while
//! what is in one of them is carried over into the database, new ones go to the other. The database remembers the number up to which it has
//! everything, in the same transaction, so every line is carried over exactly once.

use super::Write;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The files, in the folder of the database.
const NAMES: [&str; 2] = ["journal-a.jsonl", "journal-b.jsonl"];

/// Bytes of a line that are kept for the next one.
const SPARE: usize = 64 << 10;

/// A line, as it is written.
#[derive(Serialize)]
struct Line<'a> {
    number: u64,
    write: &'a Write,
}

/// A line, as it is read.
#[derive(Deserialize)]
struct Entry {
    number: u64,
    write: Write,
}

/// Both files.
pub(super) struct Journal {
    halves: [Half; 2],
    current: usize,
    last: u64,
    line: Vec<u8>,
}

struct Half {
    path: PathBuf,
    file: File,
    /// Where the next line goes; whatever is behind was never acknowledged.
    bytes: u64,
    /// The number of its last line.
    last: u64,
}

impl Half {
    fn clear(&mut self) -> io::Result<()> {
        if self.bytes > 0 {
            self.file.set_len(0)?;
            self.bytes = 0;
        }
        Ok(())
    }
}

impl Journal {
    /// Opens the journal in a folder; gives what the database, which has everything up to a number, does not have yet. Nothing may be added
    /// before it is there and the journal is cleared.
    #[expect(clippy::disallowed_methods, reason = "the operator named this folder")]
    pub(super) fn open(folder: &Path, applied: u64) -> io::Result<(Self, Vec<Write>)> {
        let mut left = Vec::new();
        let mut open = |name| {
            let path = folder.join(name);
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            let mut half = Half { bytes: file.metadata()?.len(), path, file, last: 0 };
            for line in BufReader::new(&half.file).split(b'\n') {
                match serde_json::from_slice::<Entry>(&line?) {
                    Ok(entry) => {
                        half.last = half.last.max(entry.number);
                        left.extend((entry.number > applied).then_some(entry));
                    }
                    // One that was not written to its end was not acknowledged; one that the disk lost is told at least.
                    Err(error) => {
                        tracing::warn!(file = %half.path.display(), %error, "a line of the journal is no record, and is left out")
                    }
                }
            }
            Ok::<_, io::Error>(half)
        };
        let halves = [open(NAMES[0])?, open(NAMES[1])?];
        left.sort_by_key(|entry| entry.number);
        let last = halves.iter().map(|half| half.last).fold(applied, u64::max);
        Ok((Self { halves, current: 0, last, line: Vec::new() }, left.into_iter().map(|entry| entry.write).collect()))
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.halves.iter_mut().try_for_each(Half::clear)
    }

    /// Adds a record. When this returns, it survives this process; after an error nothing of it is there.
    pub(super) fn append(&mut self, write: &Write) -> io::Result<()> {
        let number = self.last + 1;
        self.line.clear();
        serde_json::to_writer(&mut self.line, &Line { number, write })?;
        self.line.push(b'\n');
        let [first, second] = &mut self.halves;
        let half = if self.current == 0 { first } else { second };
        // What a failed write has left is written over, or is no whole line.
        half.file.write_all_at(&self.line, half.bytes)?;
        half.bytes += self.line.len() as u64;
        half.last = number;
        self.last = number;
        self.line.shrink_to(SPARE);
        Ok(())
    }

    /// The number of the last record. What comes from now on goes to the other file, if that is free.
    pub(super) fn seal(&mut self) -> u64 {
        let other = 1 - self.current;
        if self.halves.get(other).is_some_and(|half| half.bytes == 0) {
            self.current = other;
        }
        self.last
    }

    /// Empties the files whose records the database has: those up to a number.
    pub(super) fn applied(&mut self, number: u64) {
        for half in &mut self.halves {
            if half.last > number {
                continue;
            }
            if let Err(error) = half.clear() {
                tracing::warn!(file = %half.path.display(), %error, "the journal could not be emptied, and goes on as it is");
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests look into files of their own")]
mod tests {
    use super::super::super::{ExecutionRow, UsageRow};
    use super::*;
    use std::io::Write as _;

    fn write(name: &str) -> Write {
        let row = ExecutionRow { id: name.to_owned(), result: Some("{\"stdout\":\"a\\nb\"}".to_owned()), ..ExecutionRow::default() };
        Write::Execution(Box::new(row), Some(Box::new(UsageRow { executions: 1, ..UsageRow::default() })))
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

    /// A folder with a journal of `a` to `d`, of which the database has the first two.
    fn used() -> (tempfile::TempDir, u64) {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, left) = Journal::open(folder.path(), 0).unwrap();
        assert!(left.is_empty());
        ["a", "b"].iter().for_each(|name| journal.append(&write(name)).unwrap());
        let last = journal.seal();
        ["c", "d"].iter().for_each(|name| journal.append(&write(name)).unwrap());
        (folder, last)
    }

    #[test]
    fn what_the_database_does_not_have_is_found_again_in_order() {
        let (folder, last) = used();
        for (applied, expected) in [(0, vec!["a", "b", "c", "d"]), (1, vec!["b", "c", "d"]), (last, vec!["c", "d"]), (4, vec![])] {
            let (_, left) = Journal::open(folder.path(), applied).unwrap();
            assert_eq!(names(&left), expected, "{applied}");
        }
        let (_, left) = Journal::open(folder.path(), 3).unwrap();
        let Some(Write::Execution(row, Some(usage))) = left.first() else { panic!("{left:?}") };
        assert_eq!((row.result.as_deref(), usage.executions), (Some("{\"stdout\":\"a\\nb\"}"), 1));
    }

    #[test]
    fn a_line_that_was_not_written_to_its_end_is_left_out() {
        for tail in ["{\"number\":5,\"write\"", "\0\0\0\0", "{}\n{}\n", "{\"number\":5,\"write\":{\"execution\":[{}, null]}}\n"] {
            let (folder, last) = used();
            let path = folder.path().join(NAMES[1]);
            OpenOptions::new().append(true).open(&path).unwrap().write_all(tail.as_bytes()).unwrap();
            let (mut journal, left) = Journal::open(folder.path(), last).unwrap();
            assert_eq!(names(&left), ["c", "d"], "{tail}");
            journal.clear().unwrap();
            journal.append(&write("e")).unwrap();
            assert_eq!(names(&Journal::open(folder.path(), 4).unwrap().1), ["e"], "{tail}");
        }
    }

    #[test]
    fn it_is_emptied_as_it_is_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), 0).unwrap();
        let bytes = || NAMES.map(|name| folder.path().join(name).metadata().unwrap().len());
        let mut most = 0;
        for round in 0..100 {
            ["a", "b"].iter().for_each(|name| journal.append(&write(name)).unwrap());
            let last = journal.seal();
            // Somebody goes on while it is carried over.
            journal.append(&write("c")).unwrap();
            journal.applied(last);
            most = most.max(bytes().iter().sum());
            assert_eq!(last, 2 + 3 * round);
        }
        assert!(most < 1000, "{most}");
        let last = journal.seal();
        journal.applied(last);
        assert_eq!(bytes(), [0, 0]);
    }

    #[test]
    fn what_could_not_be_added_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), 0).unwrap();
        journal.append(&write("a")).unwrap();
        let whole = std::mem::replace(&mut journal.halves[0].file, File::open(folder.path().join(NAMES[0])).unwrap());
        assert!(journal.append(&write("b")).is_err(), "the file is open for reading alone");
        journal.halves[0].file = whole;
        journal.append(&write("c")).unwrap();
        assert_eq!(names(&Journal::open(folder.path(), 0).unwrap().1), ["a", "c"]);
    }
}
