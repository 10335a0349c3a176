//! Results of a run: how does a user see the pictures and documents that a program shows?
//!
//! Text goes to standard output. A picture is drawn where the terminal can draw one. All forms can
//! be saved to a directory; where they are not, a note says what there is.

use super::artifacts::save;
use crate::terminal::name;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox::{Artifact, BundleOrigin, Format, FormatContent, MimeBundle, Results};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// The plain form, which every result of Python and JavaScript has.
const PLAIN: &str = "text/plain";

/// The form of pictures that is drawn.
const PNG: &str = "image/png";

/// Bytes of base64 in one command of kitty's protocol.
const KITTY_CHUNK: usize = 4096;

/// Pixels of a picture that is drawn with sixels; protects the memory of this process.
const MAX_PIXELS: usize = 4 << 20;

/// The way in which a terminal draws pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawing {
    /// kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm,
    /// Sixels.
    Sixel,
}

impl Drawing {
    /// Returns what the terminal says of itself in its environment; it cannot be asked without
    /// reading its input, which is the program's.
    pub(super) fn of_terminal() -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the variables by which terminals name themselves"
        )]
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        Self::of(&variable("TERM"), &variable("TERM_PROGRAM"), |name| {
            !variable(name).is_empty()
        })
    }

    fn of(term: &str, program: &str, is_set: impl Fn(&str) -> bool) -> Option<Self> {
        // A multiplexer passes none of them on.
        if is_set("TMUX") || is_set("STY") {
            None
        } else if term == "xterm-kitty"
            || term == "xterm-ghostty"
            || program == "ghostty"
            || is_set("KITTY_WINDOW_ID")
        {
            Some(Self::Kitty)
        } else if matches!(program, "iTerm.app" | "WezTerm" | "vscode")
            || is_set("ITERM_SESSION_ID")
        {
            Some(Self::Iterm)
        } else if term.contains("sixel")
            || ["foot", "mlterm", "contour", "yaft"]
                .iter()
                .any(|known| term == *known || term.starts_with(&format!("{known}-")))
        {
            Some(Self::Sixel)
        } else {
            None
        }
    }

    /// Returns the control sequences that draw a PNG file, if it is one.
    pub(super) fn draw(self, png: &[u8]) -> Option<String> {
        let pixels = Pixels::of(png)?;
        let mut text = String::new();
        // Writing to a string cannot fail.
        match self {
            Self::Kitty => {
                let encoded = STANDARD.encode(png);
                let mut rest = encoded.as_str();
                let mut head = "a=T,f=100,q=2,";
                while !rest.is_empty() {
                    let (chunk, after) = rest.split_at(rest.len().min(KITTY_CHUNK));
                    let more = u8::from(!after.is_empty());
                    let _ = write!(text, "\x1b_G{head}m={more};{chunk}\x1b\\");
                    (rest, head) = (after, "");
                }
            }
            Self::Iterm => {
                let _ = write!(
                    text,
                    "\x1b]1337;File=inline=1;size={}:{}\x07",
                    png.len(),
                    STANDARD.encode(png)
                );
            }
            Self::Sixel => pixels.sixels(&mut text),
        }
        text.push('\n');
        Some(text)
    }
}

/// A decoded picture: what a program calls PNG may be anything, and only a picture goes to the
/// terminal.
struct Pixels {
    width: usize,
    /// Red, green, blue and opacity of each pixel.
    rgba: Vec<u8>,
}

/// Levels of each of the three colours in sixels.
const LEVELS: usize = 6;

impl Pixels {
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(
            png::Transformations::normalize_to_color8() | png::Transformations::ALPHA,
        );
        decoder.set_limits(png::Limits {
            bytes: MAX_PIXELS * 8,
        });
        let mut reader = decoder.read_info().ok()?;
        let mut pixels = vec![
            0;
            reader
                .output_buffer_size()
                .filter(|bytes| *bytes <= MAX_PIXELS * 4)?
        ];
        let frame = reader.next_frame(&mut pixels).ok()?;
        pixels.truncate(frame.buffer_size());
        let rgba = match frame.color_type {
            png::ColorType::Rgba => pixels,
            png::ColorType::GrayscaleAlpha => pixels
                .chunks_exact(2)
                .flat_map(|pixel| match pixel {
                    [grey, opacity] => [*grey, *grey, *grey, *opacity],
                    _ => [0; 4],
                })
                .collect(),
            _ => return None,
        };
        let width = usize::try_from(frame.width).ok()?;
        Some(Self { width, rgba })
    }

    /// Writes it as sixels: rows of six pixels each, colour by colour, on white.
    fn sixels(&self, text: &mut String) {
        let height = self.rgba.len() / 4 / self.width.max(1);
        let _ = write!(text, "\x1bPq\"1;1;{};{height}", self.width);
        let percent = |level: usize| level * 100 / (LEVELS - 1);
        for colour in 0..LEVELS.pow(3) {
            let (red, rest) = (colour / LEVELS.pow(2), colour % LEVELS.pow(2));
            let _ = write!(
                text,
                "#{colour};2;{};{};{}",
                percent(red),
                percent(rest / LEVELS),
                percent(rest % LEVELS)
            );
        }
        let colours: Vec<usize> = self.rgba.chunks_exact(4).map(colour_of).collect();
        for band in colours.chunks(6 * self.width.max(1)) {
            let used: BTreeSet<usize> = band.iter().copied().collect();
            for colour in used {
                let _ = write!(text, "#{colour}");
                self.row(text, band, colour);
                text.push('$');
            }
            text.push('-');
        }
        text.push_str("\x1b\\");
    }

    /// Writes the pixels of one colour in a row of six, with repetitions counted.
    fn row(&self, text: &mut String, band: &[usize], colour: usize) {
        let sixel = |column: usize| {
            let pixels = band.iter().skip(column).step_by(self.width.max(1));
            let set = pixels
                .enumerate()
                .filter(|(_, pixel)| **pixel == colour)
                .map(|(at, _)| 1_u8 << at);
            char::from(b'?' + set.sum::<u8>())
        };
        let mut run = (sixel(0), 0);
        for column in 0..=self.width {
            let next = (column < self.width).then(|| sixel(column));
            if next == Some(run.0) {
                run.1 += 1;
            } else {
                let _ = write!(text, "!{}{}", run.1, run.0);
                run = (next.unwrap_or('?'), 1);
            }
        }
    }
}

fn colour_of(pixel: &[u8]) -> usize {
    let [red, green, blue, opacity] = pixel else {
        return 0;
    };
    let level = |part: &u8| {
        let on_white = (usize::from(*part) * usize::from(*opacity)
            + 255 * (255 - usize::from(*opacity)))
            / 255;
        (on_white * (LEVELS - 1) + 127) / 255
    };
    (level(red) * LEVELS + level(green)) * LEVELS + level(blue)
}

/// Returns what is written to standard output for a result: control sequences of a picture, or the
/// text of one that was displayed. The value of a last expression is not output.
pub(super) fn shown(bundle: &MimeBundle, drawing: Option<Drawing>) -> Option<ShownResult> {
    let picture = drawing
        .zip(bundle.data.get(PNG))
        .and_then(|(drawing, content)| drawing.draw(content.as_bytes()));
    match (picture, bundle.data.get(PLAIN)) {
        (Some(picture), _) => Some(ShownResult::Picture(picture)),
        (None, Some(FormatContent::Text(text))) if bundle.origin == BundleOrigin::Display => {
            Some(ShownResult::Text(format!("{text}\n")))
        }
        _ => None,
    }
}

/// Text that is written for a result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ShownResult {
    /// Our own control sequences.
    Picture(String),
    /// Text of the program, to be escaped.
    Text(String),
}

/// A form of a result that was saved, or why it was not.
pub(super) type SavedResult = Result<PathBuf, String>;

/// Saves every form of every result to a directory of the host.
pub(super) fn save_all(folder: &Path, results: &Results) -> Vec<SavedResult> {
    let numbered = results.bundles.iter().zip(1..);
    numbered
        .flat_map(|(bundle, number)| {
            let mut names = BTreeSet::new();
            bundle.data.as_slice().iter().map(move |format| {
                let mut path = format!("result-{number}.{}", extension(&format.media_type));
                if !names.insert(path.clone()) {
                    let extension = extension(&format.media_type);
                    path = format!("result-{number}-{}.{extension}", names.len());
                    names.insert(path.clone());
                }
                save_format(folder, path, format)
            })
        })
        .collect()
}

fn save_format(folder: &Path, path: String, format: &Format) -> SavedResult {
    let file = Artifact {
        path,
        content: format.content.as_bytes().to_vec(),
    };
    save(folder, &file).map_err(|reason| format!("`{}`: {reason}", file.path))
}

fn extension(media_type: &str) -> &'static str {
    match media_type {
        PLAIN => "txt",
        PNG => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "text/html" => "html",
        "text/markdown" => "md",
        "text/latex" => "tex",
        "text/csv" => "csv",
        "application/pdf" => "pdf",
        "application/javascript" => "js",
        other if other == "application/json" || other.ends_with("+json") => "json",
        other if other.starts_with("text/") => "txt",
        _ => "bin",
    }
}

/// Returns a note about the results that a user has not seen, if there are any.
pub(super) fn unseen(results: &Results, drawing: Option<Drawing>) -> Option<String> {
    let mut types = BTreeSet::new();
    let mut count = 0;
    for bundle in &results.bundles {
        let picture = drawing.zip(bundle.data.get(PNG));
        let is_drawn =
            picture.is_some_and(|(drawing, content)| drawing.draw(content.as_bytes()).is_some());
        let rich = bundle.data.as_slice().iter();
        let rich: Vec<String> = rich
            .filter(|format| format.media_type != PLAIN)
            .map(|format| name(&format.media_type))
            .collect();
        if !is_drawn && !rich.is_empty() {
            count += 1;
            types.extend(rich);
        }
    }
    (count > 0).then(|| {
        let types: Vec<String> = types.into_iter().collect();
        format!(
            "glovebox: results with forms other than text: {count} ({}); `--results DIR` saves them",
            types.join(", ")
        )
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files of the tests")]
mod tests {
    use super::*;

    fn picture() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 3, 7);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[255; 3 * 7 * 3]).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn bundle(origin: &str, data: &str) -> MimeBundle {
        MimeBundle::parse(&format!("{{\"origin\":\"{origin}\",\"data\":{{{data}}}}}")).unwrap()
    }

    #[test]
    fn terminal_is_recognised_by_its_environment() {
        let none = |_: &str| false;
        for (term, program, drawing) in [
            ("xterm-kitty", "", Some(Drawing::Kitty)),
            ("xterm-256color", "iTerm.app", Some(Drawing::Iterm)),
            ("foot", "", Some(Drawing::Sixel)),
            ("foot-extra", "", Some(Drawing::Sixel)),
            ("xterm-256color", "", None),
            ("footloose", "", None),
            ("dumb", "", None),
        ] {
            assert_eq!(
                Drawing::of(term, program, none),
                drawing,
                "{term} {program}"
            );
        }
        assert_eq!(Drawing::of("xterm-kitty", "", |name| name == "TMUX"), None);
    }

    #[test]
    fn only_pictures_are_drawn() {
        let png = picture();
        for (drawing, start, end) in [
            (Drawing::Kitty, "\x1b_Ga=T,f=100,q=2,m=0;iVBOR", "\x1b\\\n"),
            (Drawing::Iterm, "\x1b]1337;File=inline=1;size=", "\x07\n"),
            (
                Drawing::Sixel,
                "\x1bPq\"1;1;3;7#0;2;0;0;0#1;2;0;0;20",
                "#215!3~$-#215!3@$-\x1b\\\n",
            ),
        ] {
            let drawn = drawing.draw(&png).unwrap();
            assert!(
                drawn.starts_with(start) && drawn.ends_with(end),
                "{drawn:?}"
            );
            for broken in [&png[..40], b"\x1b[2J", b""] {
                assert_eq!(drawing.draw(broken), None);
            }
        }
    }

    #[test]
    fn displayed_text_is_output_and_a_value_is_not() {
        let text = "\"text/plain\":\"a\\u001b\",\"text/html\":\"<b>\"";
        assert_eq!(
            shown(&bundle("display", text), None),
            Some(ShownResult::Text("a\u{1b}\n".to_owned()))
        );
        assert_eq!(shown(&bundle("value", text), None), None);
        let data = format!("\"image/png\":\"{}\"", STANDARD.encode(picture()));
        assert_eq!(shown(&bundle("value", &data), None), None);
        assert!(matches!(
            shown(&bundle("value", &data), Some(Drawing::Iterm)),
            Some(ShownResult::Picture(_))
        ));
    }

    #[test]
    fn every_form_is_saved_under_a_name_of_its_own() {
        let host = tempfile::tempdir().unwrap();
        let results = Results {
            bundles: vec![
                bundle(
                    "display",
                    "\"text/plain\":\"a\",\"text/x\":\"b\",\"x/y\":\"Yw==\",\"x/z\":\"ZA==\"",
                ),
                bundle(
                    "value",
                    "\"application/json\":[1],\"image/svg+xml\":\"<svg/>\"",
                ),
            ],
            truncated: false,
        };
        let saved = save_all(host.path(), &results);
        let mut files: Vec<(String, String)> = saved
            .into_iter()
            .map(|path| {
                let path = path.unwrap();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, content)| (name.as_str(), content.as_str()))
            .collect();
        assert_eq!(
            files,
            [
                ("result-1-1.txt", "b"),
                ("result-1-3.bin", "d"),
                ("result-1.bin", "c"),
                ("result-1.txt", "a"),
                ("result-2.json", "[1]"),
                ("result-2.svg", "<svg/>"),
            ]
        );
        let note = unseen(&results, None).unwrap();
        assert!(
            note.contains("text: 2") && note.contains("image/svg+xml"),
            "{note}"
        );
        let plain = Results {
            bundles: vec![bundle("display", "\"text/plain\":\"a\"")],
            truncated: false,
        };
        assert_eq!(unseen(&plain, None), None);
    }
}
