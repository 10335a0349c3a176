//! Container tier on the command line: how are its images built and listed, and does it work here?

use crate::cli::ImagesCommand;
use crate::doctor::attempt::attempt_request;
use crate::doctor::diagnosis::TierDiagnosis;
use crate::exit::{Exit, Failure};
use crate::installation::Installation;
use crate::runtime::runtime;
use crate::terminal;
use glovebox::{Executor as _, Metering, Request, Sandbox};
use glovebox_fallback::{BuildError, Containers, ImageBase, build_images, list_images};
use glovebox_policy::{Language, Tier};
use glovebox_wire::error::chain;
use std::sync::Arc;

/// Runs `glovebox images ..`.
pub(crate) fn images(command: &ImagesCommand) -> Result<Exit, Failure> {
    let failed = |error: BuildError| {
        Failure::host(chain(&error))
            .advise("`glovebox doctor` says what else may be missing for containers")
    };
    let runtime = runtime()?;
    match command {
        ImagesCommand::Build {
            languages,
            no_registry,
        } => {
            let base = if *no_registry {
                ImageBase::Packages
            } else {
                ImageBase::Any
            };
            runtime
                .block_on(build_images(languages, base, terminal::note))
                .map_err(failed)?;
            terminal::print("the images are ready")
        }
        ImagesCommand::List => {
            let found = runtime.block_on(list_images()).map_err(failed)?;
            let age = |is_current| {
                if is_current {
                    ""
                } else {
                    "  made by another version: build it again"
                }
            };
            let lines = found.iter().map(|image| {
                format!(
                    "{:<11} {:<24} {}{}",
                    image.language,
                    image.name,
                    image.digest,
                    age(image.is_current)
                )
            });
            match found.as_slice() {
                [] => terminal::print("there are none; `glovebox images build` makes them"),
                _ => terminal::print(&lines.collect::<Vec<_>>().join("\n")),
            }
        }
    }
}

/// Tests the container tier: every language that has an image.
pub(crate) fn diagnose() -> Result<(TierDiagnosis, Vec<String>), Failure> {
    let runtime = runtime()?;
    let found = Arc::new(runtime.block_on(Containers::connect()));
    let facts = found.facts();
    let diagnosis = runtime.block_on(found.diagnosis());
    let engine = format!(
        "an engine of version {}, control groups {}, runtime {}",
        diagnosis.version.as_deref().unwrap_or("unknown"),
        diagnosis.cgroup.as_deref().unwrap_or("unknown"),
        diagnosis.runtime.as_deref().unwrap_or("unknown")
    );
    let advice: Vec<String> = diagnosis
        .advice
        .iter()
        .map(|advice| format!("for containers: {advice}"))
        .collect();
    let detail = facts.unavailable.clone().unwrap_or(engine);
    let mut tier = TierDiagnosis {
        tier: "container",
        works: facts.unavailable.is_none(),
        detail,
        languages: Vec::new(),
    };
    if tier.works {
        let sandbox = Sandbox::builder().executor(found);
        let sandbox = Installation::find()
            .and_then(|installation| installation.guests(Metering::Fuel))
            .and_then(|guests| {
                sandbox
                    .guests(guests)
                    .build()
                    .map_err(|error| Failure::from(&error))
            });
        if let Ok(sandbox) = sandbox {
            for language in facts.languages {
                let program = Language::find(&language).map_or("", |known| known.check);
                let mut request = Request::new(language.as_str(), program);
                request.wants.tier = Some(Tier::Container);
                tier.languages
                    .push(runtime.block_on(attempt_request(&sandbox, &language, request)));
            }
            tier.works = tier.languages.iter().any(|language| language.works);
        }
    }
    runtime.shutdown_background();
    Ok((tier, advice))
}
