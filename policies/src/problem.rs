//! Diagnostics of a config: what is wrong, and where?

use std::fmt;
use std::ops::Range;

/// The maximum number of problems in one report.
pub const MAX_PROBLEMS: usize = 50;

/// One problem in a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The origin of the text: a file name, or the name that the caller gave it.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The message, in one line.
    pub message: String,
    /// The likely replacement.
    pub suggestion: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.origin, self.line, self.column, self.message
        )?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

/// A config was refused; no part of it is in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    /// All problems, in the order of the text; at least one, at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
}

/// Collects problems while a config is parsed.
pub(crate) struct Problems<'a> {
    origin: &'a str,
    text: &'a str,
    /// Byte offsets of line starts, so that finding a line stays fast in a large file.
    line_starts: Vec<usize>,
    found: Vec<(usize, Problem)>,
}

impl<'a> Problems<'a> {
    pub(crate) fn new(origin: &'a str, text: &'a str) -> Self {
        let starts = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(index, _)| index + 1);
        Self {
            origin,
            text,
            line_starts: std::iter::once(0).chain(starts).collect(),
            found: Vec::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) {
        if self.found.len() >= MAX_PROBLEMS {
            return;
        }
        let (line, column) = self.locate(span.start);
        let problem = Problem {
            origin: self.origin.to_owned(),
            line,
            column,
            message: message.into(),
            suggestion,
        };
        if !self.found.iter().any(|(_, known)| *known == problem) {
            self.found.push((span.start, problem));
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= MAX_PROBLEMS
    }

    /// Returns the error, if there are any problems.
    pub(crate) fn into_result(mut self) -> Result<(), ConfigError> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(start, _)| *start);
        Err(ConfigError {
            problems: self.found.into_iter().map(|(_, problem)| problem).collect(),
        })
    }

    /// Converts an offset to line and column, both from 1.
    pub(crate) fn locate(&self, offset: usize) -> (usize, usize) {
        let line = self
            .line_starts
            .partition_point(|start| *start <= offset)
            .max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}
