//! Tests of command-line parsing: are command lines read as users mean them?

use super::*;

fn run(line: &[&str]) -> Result<RunArguments, String> {
    let all = ["glovebox", "run"].into_iter().chain(line.iter().copied());
    match Cli::try_parse_from(all)
        .map_err(|error| error.to_string())?
        .command
    {
        Command::Run(arguments) => Ok(*arguments),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_option_is_explained() {
    fn check(command: &clap::Command) {
        assert!(
            command.get_about().is_some(),
            "`{}` has no description",
            command.get_name()
        );
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "`{}` of `{}` has no description",
                argument.get_id(),
                command.get_name()
            );
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[test]
fn a_whole_run_is_read() {
    let line = "report.py --language py --policy p.toml --profile web --json \
        --file data/in.csv=in/data.csv --file a=b=c --file dir/x.txt --artifact out/*.png=plots \
        --env A=1=2 --env B= --seed 7 --wall 500ms --memory 64MiB --fuel 1_000_000 \
        --audit log --metering epoch -- --year 2026 -";
    let line: Vec<&str> = line.split(' ').collect();
    let arguments = run(&line).unwrap();
    let request = arguments.request;
    assert_eq!(request.program, Some("report.py".into()));
    assert_eq!(request.language.as_deref(), Some("py"));
    assert_eq!(request.policy, Some("p.toml".into()));
    assert_eq!(request.profile.as_deref(), Some("web"));
    let files: Vec<(&str, &str)> = request
        .files
        .iter()
        .map(|file| (file.host.to_str().unwrap(), file.guest.as_str()))
        .collect();
    assert_eq!(
        files,
        [
            ("data/in.csv", "in/data.csv"),
            ("a=b", "c"),
            ("dir/x.txt", "x.txt")
        ]
    );
    assert_eq!(
        request.artifacts,
        [ArtifactRule {
            glob: "out/*.png".into(),
            folder: "plots".into()
        }]
    );
    let environment: Vec<(&str, &str)> = request
        .environment
        .iter()
        .map(|variable| (variable.name.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(environment, [("A", "1=2"), ("B", "")]);
    assert_eq!(
        (request.seed, request.wall),
        (Some(7), Some(Duration::from_millis(500)))
    );
    assert_eq!(
        (request.memory, request.fuel),
        (Some(64 << 20), Some(1_000_000))
    );
    assert_eq!(request.arguments, ["--year", "2026", "-"]);
    assert!(arguments.json);
    assert_eq!(
        (arguments.audit, arguments.metering),
        (Some("log".into()), Metering::Epoch)
    );
}

#[test]
fn standard_input_is_a_program() {
    assert_eq!(
        run(&["--language", "python", "-"]).unwrap().request.program,
        Some("-".into())
    );
    assert_eq!(run(&[]).unwrap().request.program, None);
}

#[test]
fn nonsense_is_refused_with_advice() {
    for (line, expected) in [
        (&["x.py", "--wall", "5"] as &[&str], "try `5s`"),
        (&["x.py", "--wall", "0s"], "zero never means unlimited"),
        (&["x.py", "--memory", "256MB"], "try `256MiB`"),
        (&["x.py", "--fuel", "lots"], "write a whole number"),
        (&["x.py", "--fuel", "0"], "zero never means unlimited"),
        (&["x.py", "--env", "HOME"], "write `NAME=VALUE`"),
        (&["x.py", "--file", "=x"], "write `HOST=GUEST`"),
        (&["x.py", "--file", "/"], "write `HOST=GUEST`"),
        (&["x.py", "--artifact", "*.png"], "write `GLOB=DIR`"),
        (&["x.py", "--jsn"], "--json"),
        (&["x.py", "argument"], "unexpected argument"),
    ] {
        let message = run(line).unwrap_err();
        assert!(message.contains(expected), "{line:?}: {message}");
    }
}

#[test]
fn unknown_limit_is_answered_by_the_limits_that_have_options() {
    for (option, is_answered) in [
        ("--processes", true),
        ("--host-calls=5", true),
        ("--limit", true),
        ("--limits=wall=5s", true),
        ("--files", false),
        ("--jsn", false),
    ] {
        let parsed = Cli::try_parse_from(["glovebox", "run", "x.py", option]);
        let message = name_limits(parsed.unwrap_err()).to_string();
        assert_eq!(
            message.contains("`--wall`, `--memory`, `--fuel`"),
            is_answered,
            "{option}: {message}"
        );
    }
}

#[test]
fn values_of_variables_do_not_show() {
    let arguments = run(&["x.py", "--env", "TOKEN=hunter2"]).unwrap();
    assert!(!format!("{arguments:?}").contains("hunter2"));
}
