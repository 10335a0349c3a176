//! Diagnosis of the host: which tiers work on this machine, and what can be done about the rest?
//!
//! A tier is tried by running programs in it: that a device or a file exists proves little.

pub(crate) mod attempt;
pub(crate) mod diagnosis;

use crate::cli::DoctorArguments;
use crate::compose::{self, Composition};
use crate::exit::{Exit, Failure};
use crate::installation::{COMPILER, Installation};
use crate::runtime::runtime;
use crate::terminal::{self, Paint, Place, name};
use attempt::attempt;
use diagnosis::{
    Diagnosis, GuestsDiagnosis, LanguageDiagnosis, MachineDiagnosis, TierDiagnosis, ToolDiagnosis,
};
use glovebox::Policy;
use glovebox_guests::{default_cache_dir, embedded};
use glovebox_host::tools;
use glovebox_policy::{Home, LANGUAGES};
use glovebox_wire::error::chain;
use glovebox_wire::to_harmless_json;

/// Programs that building guests needs, and how to install them.
const TOOLS: [(&str, &str); 3] = [
    (
        "python3",
        "install Python 3.9 or newer with pip, such as by `apt-get install python3 python3-pip`",
    ),
    ("npm", "install npm, such as by `apt-get install npm`"),
    ("cargo", "install Rust, which brings cargo"),
];

/// Runs `glovebox doctor`.
pub(crate) fn doctor(arguments: &DoctorArguments) -> Result<Exit, Failure> {
    let diagnosis = examine()?;
    terminal::print(&if arguments.json {
        to_harmless_json(&diagnosis)
    } else {
        describe(&diagnosis)
    })?;
    Ok(if diagnosis.works {
        Exit::SUCCESS
    } else {
        Exit::UNMET
    })
}

fn examine() -> Result<Diagnosis, Failure> {
    let (installation, problem) = match Installation::look() {
        Ok(installation) => (installation, None),
        Err(failure) => (None, Some(failure)),
    };
    let mut advice = Vec::new();
    if let Some(failure) = problem {
        failure.report();
    }
    let wasm = match &installation {
        Some(installation) => wasm(installation)?,
        None => TierDiagnosis {
            tier: "wasm",
            works: false,
            detail: "there are no guests to run programs in".to_owned(),
            languages: Vec::new(),
        },
    };
    if installation.is_none() {
        advice.push(
            "run `glovebox guests build`: it builds the guests, which takes some minutes, once"
                .to_owned(),
        );
    } else if wasm.languages.iter().any(|language| !language.works) || !wasm.works {
        advice.push(
            "run `glovebox guests verify`: it says whether the guests are damaged".to_owned(),
        );
    }
    let build_tools: Vec<ToolDiagnosis> = TOOLS
        .iter()
        .map(|(tool, _)| ToolDiagnosis {
            name: tool,
            version: version_of(tool),
        })
        .collect();
    if installation.is_none() {
        let missing = build_tools
            .iter()
            .zip(TOOLS)
            .filter(|(tool, _)| tool.version.is_none());
        advice.extend(missing.map(|(_, (_, how))| format!("to build the guests, {how}")));
    }
    let works = wasm.works;
    let mut tiers = vec![wasm];
    for (tier, more) in compose::diagnose_tiers()? {
        tiers.push(tier);
        advice.extend(more);
    }
    advice.extend(compiler_advice()?);
    let machine = machine();
    if !machine.tells_dirty_pages {
        advice.push(
            "runs start faster on Linux 6.7 and newer, whose kernel reports dirty pages (`PAGEMAP_SCAN`); here all pages of a run are discarded"
                .to_owned(),
        );
    }
    Ok(Diagnosis {
        version: env!("CARGO_PKG_VERSION"),
        works,
        tiers,
        machine,
        guests: GuestsDiagnosis {
            cache: default_cache_dir().map(|cache| cache.display().to_string()),
            carried: embedded().is_some(),
            installed: installation
                .iter()
                .flat_map(|found| found.bundle().guests())
                .map(|guest| format!("{} ({})", guest.name, guest.version))
                .collect(),
        },
        build_tools,
        advice,
    })
}

/// Tests the wasm tier: every language twice, because the first run has to load the guest.
fn wasm(installation: &Installation) -> Result<TierDiagnosis, Failure> {
    let runtime = runtime()?;
    let built = Composition::new(installation, Policy::builtin()).build(&runtime);
    let sandbox = match built {
        Ok(sandbox) => sandbox,
        Err(failure) => {
            failure.report();
            return Ok(TierDiagnosis {
                tier: "wasm",
                works: false,
                detail: "the guests cannot be loaded".to_owned(),
                languages: Vec::new(),
            });
        }
    };
    let mut languages = Vec::new();
    let guests = LANGUAGES
        .iter()
        .filter(|language| language.home == Home::Guest);
    for (language, program) in guests.map(|language| (language.name, language.check)) {
        if installation.bundle().guest_for_language(language).is_none() {
            languages.push(LanguageDiagnosis {
                language: language.to_owned(),
                works: false,
                run_ms: None,
                problem: Some("no guest runs it".to_owned()),
            });
            continue;
        }
        let first = runtime.block_on(attempt(&sandbox, language, program));
        languages.push(if first.works {
            runtime.block_on(attempt(&sandbox, language, program))
        } else {
            first
        });
    }
    runtime.shutdown_background();
    let works = languages.iter().all(|language| language.works);
    let detail = if works {
        "programs run inside WebAssembly guests, without a system call of their own"
    } else {
        "not every language works"
    };
    Ok(TierDiagnosis {
        tier: "wasm",
        works,
        detail: detail.to_owned(),
        languages,
    })
}

/// Returns what the jail lacks in which untrusted WebAssembly is compiled.
fn compiler_advice() -> Result<Vec<String>, Failure> {
    let runtime = runtime()?;
    let tried = runtime.block_on(glovebox::compiler_gaps(std::path::Path::new(COMPILER)));
    runtime.shutdown_background();
    let what = "the compiler of WebAssembly programs";
    Ok(match tried {
        Ok(gaps) if gaps.is_empty() => Vec::new(),
        Ok(gaps) => vec![format!(
            "{what} is jailed by resource limits, and in part only by the kernel: {}",
            gaps.join("; ")
        )],
        Err(error) => vec![format!(
            "{what} does not work, so the language `wasm` does not: {}",
            chain(&error)
        )],
    })
}

fn machine() -> MachineDiagnosis {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's own account of its release"
    )]
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .ok()
        .map(|release| release.trim().to_owned());
    MachineDiagnosis {
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        kernel,
        cores: std::thread::available_parallelism()
            .ok()
            .map(std::num::NonZero::get),
        tells_dirty_pages: glovebox::kernel_tells_dirty_pages(),
    }
}

/// Returns the version that a tool reports; `None` if it does not run.
fn version_of(tool: &str) -> Option<String> {
    // In an empty directory, npm finds no project to read.
    let empty = tempfile::tempdir_in(glovebox_host::program::temporary()).ok()?;
    let start = match tool {
        // Python without pip is of no use here.
        "python3" => tools::python().ok().map(|mut python| {
            python.args(["-m", "pip"]);
            python
        }),
        "npm" => tools::npm(empty.path()).ok(),
        _ => tools::cargo().ok(),
    };
    let output = start?.arg("--version").command().output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim();
    // pip also prints its directory, which is of no interest.
    let line = line.split(" from ").next().unwrap_or(line);
    output.status.success().then(|| line.to_owned())
}

fn describe(diagnosis: &Diagnosis) -> String {
    let heading = |text: &str| Place::Out.paint(Paint::Heading, text);
    let mut text = heading(&format!("glovebox {}", diagnosis.version));
    for (title, lines) in [
        ("tiers", describe_tiers(&diagnosis.tiers)),
        ("machine", describe_machine(&diagnosis.machine)),
        ("guests", describe_guests(&diagnosis.guests)),
        (
            "tools to build guests",
            describe_tools(&diagnosis.build_tools),
        ),
        ("recommended actions", describe_advice(&diagnosis.advice)),
    ] {
        text.push_str("\n\n");
        text.push_str(&heading(title));
        for line in lines {
            text.push('\n');
            text.push_str(&line);
        }
    }
    text
}

/// Returns the word for a check's result, as wide as its opposite.
fn mark(works: bool) -> String {
    if works {
        Place::Out.paint(Paint::Good, "works  ")
    } else {
        Place::Out.paint(Paint::Bad, "missing")
    }
}

fn describe_tiers(tiers: &[TierDiagnosis]) -> Vec<String> {
    let mut lines = Vec::new();
    for tier in tiers {
        lines.push(format!(
            "  {} {:<10} {}",
            mark(tier.works),
            tier.tier,
            name(&tier.detail)
        ));
        for language in &tier.languages {
            let time = language
                .run_ms
                .map(|time| format!("run in a fresh sandbox in {time:.2} ms"));
            let what = time
                .or_else(|| language.problem.clone())
                .unwrap_or_default();
            lines.push(format!(
                "  {}   {:<10} {}",
                mark(language.works),
                name(&language.language),
                name(&what)
            ));
        }
    }
    lines
}

fn describe_machine(machine: &MachineDiagnosis) -> Vec<String> {
    let kernel = name(machine.kernel.as_deref().unwrap_or("unknown"));
    let cores = machine.cores.map_or_else(
        || "an unknown number of".to_owned(),
        |cores| cores.to_string(),
    );
    let tells = if machine.tells_dirty_pages {
        "reports"
    } else {
        "does not report"
    };
    vec![
        format!("  {}, kernel {kernel}", machine.platform),
        format!("  {cores} cores"),
        format!("  the kernel {tells} dirty pages (`PAGEMAP_SCAN`)"),
    ]
}

fn describe_guests(guests: &GuestsDiagnosis) -> Vec<String> {
    let cache = guests.cache.as_deref();
    let carried = if guests.carried {
        "this binary carries its guests"
    } else {
        "this binary carries no guests"
    };
    let mut lines = vec![
        format!(
            "  cache {}",
            name(cache.unwrap_or("nowhere: there is no home directory"))
        ),
        format!("  {carried}"),
    ];
    let installed = guests.installed.iter();
    lines.extend(installed.map(|guest| format!("  installed: {}", name(guest))));
    lines
}

fn describe_tools(tools: &[ToolDiagnosis]) -> Vec<String> {
    let describe = |tool: &ToolDiagnosis| {
        format!(
            "  {} {:<10} {}",
            mark(tool.version.is_some()),
            tool.name,
            name(tool.version.as_deref().unwrap_or_default())
        )
        .trim_end()
        .to_owned()
    };
    tools.iter().map(describe).collect()
}

fn describe_advice(advice: &[String]) -> Vec<String> {
    if advice.is_empty() {
        return vec!["  none".to_owned()];
    }
    advice
        .iter()
        .map(|advice| format!("  - {advice}"))
        .collect()
}
