//! Help texts: which examples and tables stand below the help of a command?

pub(super) const OVERVIEW: &str = "\
Examples:
  glovebox run hello.py                     run a program; it sees nothing of this machine
  glovebox run --json --wall 2s suspect.js  say what it did as JSON, after two seconds at most
  glovebox policy explain suspect.js        say what it would be allowed to do
  glovebox doctor                           say what this machine offers

`glovebox help run` has the exit codes.";

pub(super) const SERVE: &str = "\
Examples:
  glovebox serve --state /var/lib/glovebox --insecure-local      for this machine, without keys
  glovebox serve --state /var/lib/glovebox --listen 0.0.0.0:8300 --config glovebox.toml

  curl http://127.0.0.1:8300/v1/executions -H 'Content-Type: application/json' \\
       -d '{\"language\": \"python\", \"source\": \"6 * 7\"}'

The routes are at `/docs` and in `/openapi.json`. SIGTERM lets what runs come to its end first.
The log goes to standard error; RUST_LOG says how much of it.";

pub(super) const KEYS: &str = "\
Examples:
  glovebox keys create ci --state /var/lib/glovebox --expires 720h
  glovebox keys create operator --scope run --scope audit --state /var/lib/glovebox
  glovebox keys list --state /var/lib/glovebox
  glovebox keys revoke 0123456789abcdef --state /var/lib/glovebox";

pub(super) const IMAGES: &str = "\
Examples:
  glovebox images build shell     for scripts in `--language shell`
  glovebox images build           for everything that can run in a container
  glovebox images list            the digests by which a policy pins them";

pub(super) const PACKAGES: &str = "\
Examples:
  glovebox packages resolve 'requests==2.32.*' rich     what would be fetched, and for which tier
  glovebox packages prefetch numpy                      fetch it now; `run --offline` finds it
  glovebox packages prefetch --for report.py            what a script's own metadata asks for
  glovebox packages prefetch --language javascript zod

Packages are ready-made archives, checked by digest; nothing in them runs outside the sandbox.
What a policy does not allow is not looked up.";

pub(super) const RUN: &str = "\
Examples:
  glovebox run hello.py
  glovebox run report.py --file data.csv --artifact '*.png=plots' -- --year 2026
  printf 'console.log(6 * 7)' | glovebox run --language javascript -

The exit code is the program's own, or 124 limit, 125 Glovebox failed, 126 denied, 130 cancelled,
134 crashed. `--help` tells more.";

pub(super) const RUN_LONG: &str = "\
Examples:
  Run a program. It sees an empty workspace, its arguments and standard input, and nothing else:
    glovebox run hello.py

  Hand it a file, take its results, give it arguments:
    glovebox run report.py --file data.csv --artifact '*.png=plots' -- --year 2026

  Run a program that another program wrote; `-` is standard input:
    printf 'console.log(6 * 7)' | glovebox run --language javascript -

  Give it packages; or let it say itself what it needs, in a `# /// script` block:
    glovebox run --package rich --package 'requests==2.32.*' table.py

  Limit it further than the policy does, and have the whole story as JSON:
    glovebox run --json --wall 2s --memory 64MiB --fuel 2_000_000_000 suspect.py

  Decide by a policy of your own, and keep a log of what was decided:
    glovebox run --policy team.toml --profile web --audit runs.jsonl fetch.py

Output:
  Standard output and standard error are passed on as they come: byte for byte into a pipe or a
  file. On a terminal, control characters other than line breaks and tabs are shown escaped
  (`\\x1b`), so that a program can't drive it.

Exit codes:
  The program's own, where it got to its end: 0, or 1 after an uncaught exception, or what it
  asked for. Else:
    2  invalid command line, or a file that it names can't be used
  124  a limit ended the run
  125  Glovebox itself failed; standard error says why
  126  the policy refused; nothing ran
  130  cancelled, by Ctrl-C or SIGTERM
  134  the program broke its interpreter; nothing else was harmed
  141  the reader of the output closed it
  A program can end with these numbers, too; `status` in `--json` tells them apart.

JSON:
  `--json` prints one object: id, status (succeeded, failed, denied, limited, cancelled, crashed),
  exit_code, stdout, stderr, stdout_truncated, stderr_truncated, exception {type, message,
  traceback}, limit, limit_granted, limit_source (request, profile, built_in), denial {rule, asked,
  reason, fix}, crash, artifacts [{path, bytes, sha256, saved_to}], artifacts_truncated, tier,
  tier_reason, packages [{name, version, file, digest}], findings [{rule, line, severity, message}],
  usage {wall_ms, cpu_ms, fuel, peak_memory_bytes, output_bytes, workspace_bytes, files,
  host_calls}, policy {profile, digest, rules}, value {json, text}. `limit` is a key of a policy,
  such as `wall` or `memory`, or `table`, `host_allocation` or `compile`. Output that is not UTF-8
  is there whole as stdout_base64 or stderr_base64, too; without stdout or stderr where both would
  be long.";

pub(super) const POLICY: &str = "\
Examples:
  glovebox policy show default > policy.toml            start from a built-in profile
  glovebox policy check policy.toml                     say everything that is wrong with it
  glovebox policy explain --policy policy.toml hello.py say how it decides, step by step
  glovebox policy test --policy policy.toml cases.toml  hold it to a table of expected decisions
  glovebox policy schema > policy.schema.json           completion and checks in an editor";

pub(super) const EXPLAIN: &str = "\
Examples:
  glovebox policy explain hello.py
  glovebox policy explain --policy team.toml --profile web --memory 2GiB fetch.py";

pub(super) const TEST: &str = "\
A table of cases is TOML:
  [[case]]
  name = \"everyday scripts run\"
  language = \"python\"
  expect = \"admit\"

  [[case]]
  name = \"nothing reaches the network\"
  http = \"GET https://example.org/\"
  expect = \"deny\"

Example:
  glovebox policy test --policy team.toml cases.toml";

pub(super) const GUESTS: &str = "\
Examples:
  glovebox guests build    make them: some minutes the first time, nothing afterwards
  glovebox guests list     what is there, and which languages it speaks
  glovebox guests verify   whether it is still what was installed";

pub(super) const BUILD: &str = "\
Needs `python3` with pip, `npm` and `cargo`, and the network the first time. Everything that is
fetched is checked against a digest. The guests lie in `$GLOVEBOX_CACHE`, or else
`$XDG_CACHE_HOME/glovebox`, or else `~/.cache/glovebox`.

Examples:
  glovebox guests build
  glovebox guests build --offline                           from what was fetched before
  glovebox guests build --metering fuel --metering epoch    compile for both ways of counting";

pub(super) const DOCTOR: &str = "\
Every tier is tried by running a program in it. Ends with 0 if programs can run, else with 1.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  glovebox completions bash > ~/.local/share/bash-completion/completions/glovebox
  glovebox completions zsh > \"${fpath[1]}/_glovebox\"
  glovebox completions fish > ~/.config/fish/completions/glovebox.fish";
