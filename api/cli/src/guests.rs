//! Guests on the command line: how are they built, listed and verified?

use crate::cli::{GuestsCommand, Metering};
use crate::exit::{Exit, Failure};
use crate::installation::{Installation, cache_dir};
use crate::terminal::{self, Paint, Place, name};
use glovebox_guests::build::{BuildOptions, Progress, build};
use glovebox_guests::{Bundle, embedded};
use glovebox_policy::units::show_size;
use glovebox_wire::error::chain;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tick interval of a progress bar, so that users see that work goes on.
const TICK: Duration = Duration::from_millis(100);

/// Runs `glovebox guests ..`.
pub(crate) fn guests(command: &GuestsCommand) -> Result<Exit, Failure> {
    match command {
        GuestsCommand::List => list(),
        GuestsCommand::Build {
            offline,
            only,
            metering,
        } => make(*offline, only.as_deref(), metering),
        GuestsCommand::Verify => verify(),
        GuestsCommand::Path => terminal::print(
            &Installation::find()?
                .bundle()
                .directory()
                .display()
                .to_string(),
        ),
    }
}

fn list() -> Result<Exit, Failure> {
    let installation = Installation::find()?;
    let bundle = installation.bundle();
    let mut rows = vec![Place::Out.paint(Paint::Faint, &bundle.directory().display().to_string())];
    for guest in bundle.guests() {
        let languages: Vec<String> = guest
            .languages
            .iter()
            .map(|language| format!("{} (.{})", language.name, language.extensions.join(", .")))
            .collect();
        let files = [&guest.component, &guest.image]
            .into_iter()
            .chain(guest.trees.iter().map(|tree| &tree.archive));
        let bytes: u64 = files.map(|file| file.bytes).sum();
        rows.push(format!(
            "{:<12} {:<24} {:<32} {:.1} MiB",
            name(&guest.name),
            name(&guest.version),
            name(&languages.join(", ")),
            mebibytes(bytes)
        ));
    }
    terminal::print(&rows.join("\n"))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "shown with one digit behind the point"
)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn verify() -> Result<Exit, Failure> {
    let installation = Installation::find()?;
    let bundle = installation.bundle();
    let started = Instant::now();
    match bundle.verify() {
        Ok(()) => {
            let files = bundle.manifest().artefacts();
            let bytes = files.iter().map(|file| file.bytes).sum();
            let amount = if bytes < 1 << 20 {
                show_size(bytes)
            } else {
                format!("{:.1} MiB", mebibytes(bytes))
            };
            terminal::print(&format!(
                "{} files, {amount}: all as they were installed ({})",
                files.len(),
                seconds(started.elapsed())
            ))
        }
        Err(error) => {
            let advice = format!(
                "remove `{}` and run `glovebox guests build`",
                bundle.directory().display()
            );
            terminal::complain(&chain(&error), Some(&advice));
            Ok(Exit::UNMET)
        }
    }
}

fn make(offline: bool, only: Option<&str>, metering: &[Metering]) -> Result<Exit, Failure> {
    let cache = cache_dir()?;
    let started = Instant::now();
    let progress = Shown::new();
    let bundle = bundle(&cache, offline, only, &progress)?;
    let installation = Installation::of(bundle, cache);
    for metering in metering {
        compile(&installation, (*metering).into(), &progress)?;
    }
    let directory = installation.bundle().directory().display();
    if only.is_some() {
        return terminal::print(&format!(
            "made `{directory}` ({}); it is not installed",
            seconds(started.elapsed())
        ));
    }
    terminal::print(&format!(
        "the guests are ready in `{directory}` ({})",
        seconds(started.elapsed())
    ))
}

fn bundle(
    cache: &Path,
    offline: bool,
    only: Option<&str>,
    progress: &Shown,
) -> Result<Bundle, Failure> {
    if only.is_none()
        && let Some(carried) = embedded()
    {
        return carried
            .unpack(cache)
            .map_err(|error| Failure::host(chain(&error)));
    }
    let options = BuildOptions {
        cache: cache.to_owned(),
        offline,
        only: only.map(str::to_owned),
    };
    build(&options, progress).map_err(|error| {
        let advice = "what was finished is kept; `glovebox doctor` says which tools are missing";
        Failure::host(format!("the guests could not be made: {error:#}")).advise(advice)
    })
}

/// Compiles the guests for this machine, and reports how long each took.
fn compile(
    installation: &Installation,
    metering: glovebox::Metering,
    progress: &Shown,
) -> Result<(), Failure> {
    let mut current: Option<(String, Instant)> = None;
    let done = |current: Option<(String, Instant)>| {
        if let Some((guest, since)) = current {
            progress.finished(&guest, since.elapsed());
        }
    };
    installation.compiled(metering, |guest| {
        done(current.take());
        let step = format!("compile {guest}");
        progress.step(
            &step,
            &format!("compiling for this machine ({})", metering.name()),
        );
        current = Some((step, Instant::now()));
    })?;
    done(current);
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Shows the progress of a build: progress bars on a terminal, plain lines elsewhere.
struct Shown {
    bars: Option<MultiProgress>,
    running: Mutex<HashMap<String, Running>>,
}

struct Running {
    detail: String,
    bar: Option<ProgressBar>,
}

impl Shown {
    fn new() -> Self {
        Self {
            bars: Place::Error.is_terminal().then(MultiProgress::new),
            running: Mutex::default(),
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        match &self.bars {
            // A closed standard error is no failure of the build.
            Some(bars) => drop(bars.println(text)),
            None => terminal::note(text),
        }
    }
}

impl Progress for Shown {
    fn step(&self, step: &str, detail: &str) {
        let detail = name(detail);
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} ({elapsed})")
            {
                bar.set_style(style);
            }
            bar.set_prefix(name(step));
            bar.set_message(detail.clone());
            bar.enable_steady_tick(TICK);
            bar
        });
        if bar.is_none() {
            self.say(&format!("{}: {detail}", name(step)));
        }
        self.running()
            .insert(step.to_owned(), Running { detail, bar });
    }

    fn message(&self, step: &str, text: &str) {
        self.say(&format!("{}: {}", name(step), name(text)));
    }

    fn finished(&self, step: &str, took: Duration) {
        let running = self.running().remove(step);
        let detail = running
            .as_ref()
            .map(|running| running.detail.clone())
            .unwrap_or_default();
        if let Some(bar) = running.and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
        let text = if self.bars.is_some() {
            format!("{}: {detail}: {}", name(step), seconds(took))
        } else {
            format!("{}: done in {}", name(step), seconds(took))
        };
        self.say(&text);
    }
}
