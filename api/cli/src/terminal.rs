//! Terminal output and escaping: how is untrusted text printed without escape-sequence injection?
//!
//! The only module that writes to standard output and standard error. A terminal interprets what it
//! is sent: escape sequences can rewrite what was printed before, change the title or type an
//! answer. So on a terminal, control characters of a guest are escaped. Into a pipe or a file the
//! bytes go unchanged.

use crate::exit::{Exit, Failure};
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

/// Escapes a stream of bytes for a terminal; keeps a UTF-8 sequence that is split between two
/// chunks.
#[derive(Debug, Default)]
pub(crate) struct Escaper {
    /// The beginning of an incomplete UTF-8 sequence; at most three bytes.
    pending: Vec<u8>,
}

impl Escaper {
    /// Returns the next chunk, with control characters other than line breaks and tabs escaped, and
    /// invalid UTF-8 as `\xNN`.
    pub(crate) fn escape(&mut self, piece: &[u8]) -> String {
        let mut bytes = std::mem::take(&mut self.pending);
        bytes.extend_from_slice(piece);
        let mut shown = String::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (valid, broken) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            let (text, after) = rest.split_at_checked(valid).unwrap_or((rest, &[]));
            std::str::from_utf8(text)
                .unwrap_or_default()
                .chars()
                .for_each(|character| push_output(&mut shown, character));
            let Some(broken) = broken else { break };
            let Some((bad, following)) = broken.and_then(|length| after.split_at_checked(length))
            else {
                self.pending = after.to_vec();
                break;
            };
            push_bytes(&mut shown, bad);
            rest = following;
        }
        shown
    }

    /// Returns what is left of a stream that ended in the middle of a character.
    pub(crate) fn finish(&mut self) -> String {
        let mut shown = String::new();
        push_bytes(&mut shown, &std::mem::take(&mut self.pending));
        shown
    }
}

fn push_output(shown: &mut String, character: char) {
    match character {
        '\n' | '\t' | '\r' => shown.push(character),
        character => push_plain(shown, character),
    }
}

fn push_plain(shown: &mut String, character: char) {
    // Writing to a string cannot fail.
    let _ = match u32::from(character) {
        code @ (0..=0x1f | 0x7f) => write!(shown, "\\x{code:02x}"),
        code @ 0x80..=0x9f => write!(shown, "\\u{{{code:x}}}"),
        _ => shown.write_char(character),
    };
}

fn push_bytes(shown: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(shown, "\\x{byte:02x}");
    }
}

/// Escapes an untrusted name, such as that of a file: one line, without control or invisible
/// characters.
pub(crate) fn name(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        // Bidirectional overrides and zero-width characters make one name look like another.
        match u32::from(character) {
            0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff => {
                shown.extend(character.escape_unicode())
            }
            _ => push_plain(&mut shown, character),
        }
    }
    shown
}

/// Escapes text of several lines that may contain untrusted parts: line breaks stay, everything
/// else is as in [`name`].
pub(crate) fn lines(text: &str) -> String {
    text.split('\n').map(name).collect::<Vec<_>>().join("\n")
}

/// Styles of the program's own text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    /// The prefix of an error message.
    Error,
    /// A check that passed.
    Good,
    /// A check that failed.
    Bad,
    /// A heading.
    Heading,
    /// Secondary information.
    Faint,
}

/// One of the two output streams of the program's own text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// Standard output.
    Out,
    /// Standard error.
    Error,
}

impl Place {
    /// Whether the stream is a terminal.
    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Error => io::stderr().is_terminal(),
        }
    }

    /// Whether colours are used: on a terminal, unless its user has disabled them.
    pub(crate) fn has_colour(self) -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "the two variables by which users configure the colours of terminal programs"
        )]
        let (refused, terminal) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
        self.is_terminal()
            && refused.is_none_or(|value| value.is_empty())
            && terminal.is_none_or(|value| value != "dumb")
    }

    /// Returns the text in the colour of its style, if colours are used.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Error => "1;31",
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Heading => "1",
            Paint::Faint => "2",
        };
        if self.has_colour() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Writes text and a line break to standard output.
pub(crate) fn print(text: &str) -> Result<Exit, Failure> {
    print_bytes(format!("{text}\n").as_bytes())
}

/// Writes bytes to standard output.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))?;
    Ok(Exit::SUCCESS)
}

/// Prints a note for the user to standard error. A closed standard error is no failure.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error message, and below it what would help.
pub(crate) fn complain(message: &str, advice: Option<&str>) {
    let mut text = format!(
        "{} {}",
        Place::Error.paint(Paint::Error, "glovebox:"),
        lines(message)
    );
    for line in advice.into_iter().flat_map(str::lines) {
        text.push_str(format!("\n  {}", name(line)).trim_end_matches(' '));
    }
    note(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut escaper = Escaper::default();
        let mut all: String = pieces.iter().map(|piece| escaper.escape(piece)).collect();
        all.push_str(&escaper.finish());
        all
    }

    #[test]
    fn output_keeps_text_and_shows_control_characters() {
        let cases: [(&[&[u8]], &str); 12] = [
            (&[b"plain\ttext\r\n"], "plain\ttext\r\n"),
            (
                &["Gr\u{fc}\u{df}e, \u{4f60}\u{597d} \u{1f9e4}".as_bytes()],
                "Gr\u{fc}\u{df}e, \u{4f60}\u{597d} \u{1f9e4}",
            ),
            (&[b"\x1b[2J\x1b]0;title\x07"], "\\x1b[2J\\x1b]0;title\\x07"),
            (&[b"a\x00b\x08c\x7f"], "a\\x00b\\x08c\\x7f"),
            (&["\u{9b}31m\u{85}".as_bytes()], "\\u{9b}31m\\u{85}"),
            (&[b"\x9b31m"], "\\x9b31m"),
            (&[b"\xff\xfe ok"], "\\xff\\xfe ok"),
            (&[b"\xe4\xbd", b"\xa0!"], "\u{4f60}!"),
            (&[b"\xf0", b"\x9f", b"\xa7", b"\xa4"], "\u{1f9e4}"),
            (&[b"\xc2", b"\x9b"], "\\u{9b}"),
            (&[b"end \xe4\xbd"], "end \\xe4\\xbd"),
            (&[b"\xe4", b"x"], "\\xe4x"),
        ];
        for (pieces, expected) in cases {
            assert_eq!(shown(pieces), expected, "{pieces:?}");
        }
    }

    #[test]
    fn no_piece_of_any_split_lets_a_control_character_through() {
        let hostile = "\u{1b}[31m\u{9b}5n \u{e9}\u{7f}\u{1f9e4}\u{80}".as_bytes();
        let whole = shown(&[hostile]);
        assert!(!whole.chars().any(char::is_control), "{whole}");
        for at in 0..=hostile.len() {
            let (first, second) = hostile.split_at(at);
            assert_eq!(shown(&[first, second]), whole, "split at {at}");
        }
    }

    #[test]
    fn names_are_one_plain_line() {
        assert_eq!(
            name("a\nb\x1b[1m\u{202e}c\td"),
            "a\\x0ab\\x1b[1m\\u{202e}c\\x09d"
        );
        assert_eq!(lines("one\ntwo\x1b"), "one\ntwo\\x1b");
        assert_eq!(name("r\u{e9}sum\u{e9}.txt"), "r\u{e9}sum\u{e9}.txt");
    }
}
