//! Help texts: which examples and tables stand below the help of a command?

pub(super) const OVERVIEW: &str = "\
Examples:
  glovebox run hello.py                     run a program, without access to files or network
  glovebox run --json --wall 2s suspect.js  limit its wall-clock time, print the outcome as JSON
  glovebox policy explain suspect.js        explain what the policy would decide; run nothing
  glovebox audit verify runs.jsonl          verify the hash chain of an audit log
  glovebox doctor                           test which tiers work on this machine

Exit codes: `glovebox help run`.";

pub(super) const SERVE: &str = "\
Examples:
  With API keys:
    glovebox serve --state /var/lib/glovebox
    KEY=$(glovebox keys create ci --state /var/lib/glovebox)
    curl http://127.0.0.1:8300/v1/executions -H \"Authorization: Bearer $KEY\" \\
         -H 'Content-Type: application/json' -d '{\"language\": \"python\", \"source\": \"6 * 7\"}'

  Without keys, on loopback addresses only:
    glovebox serve --state /var/lib/glovebox --insecure-local

  On all IPv4 addresses, with a configuration file:
    glovebox serve --state /var/lib/glovebox --listen 0.0.0.0:8300 --config glovebox.toml

  Verify the audit log of the service:
    glovebox audit verify /var/lib/glovebox

The routes are documented at `/docs` and in `/openapi.json`. On SIGTERM the service waits for
running executions, for up to `limits.drain` (20 s), and then cancels them. The log goes to standard
error; RUST_LOG sets the level (default: info).";

pub(super) const KEYS: &str = "\
Examples:
  glovebox keys create ci --state /var/lib/glovebox --expires 720h
  glovebox keys create operator --scope run --scope audit --state /var/lib/glovebox
  glovebox keys list --state /var/lib/glovebox
  glovebox keys revoke 0123456789abcdef --state /var/lib/glovebox";

pub(super) const IMAGES: &str = "\
Examples:
  glovebox images build shell     build the image for `--language shell`
  glovebox images build           build all images
  glovebox images list            list the digests by which a policy pins them";

pub(super) const PACKAGES: &str = "\
Examples:
  glovebox packages resolve 'requests==2.32.*' rich     print exact versions and the tier
  glovebox packages prefetch rich                       fetch into the cache, for `run --offline`
  glovebox packages prefetch --for report.py            fetch the dependencies of a script (PEP 723)
  glovebox packages prefetch --language javascript zod

Packages are prebuilt archives, verified by digest; their code runs in the sandbox only. Packages
with native code, such as numpy, need a container engine. Packages that the policy does not allow
are not looked up.";

pub(super) const RUN: &str = "\
Examples:
  glovebox run hello.py
  glovebox run report.py --file data.csv --artifact '*.png=plots' -- --year 2026
  printf 'console.log(6 * 7)' | glovebox run --language javascript -

The exit code is the program's own, or 124 limited, 125 Glovebox failed, 126 denied, 130 cancelled,
134 crashed. `--help` has the details.";

pub(super) const RUN_LONG: &str = "\
Examples:
  Run a program. It sees an empty workspace, its arguments and standard input, and nothing else:
    glovebox run hello.py

  Pass a file, save results, pass arguments:
    glovebox run report.py --file data.csv --artifact '*.png=plots' -- --year 2026

  Read the program from standard input:
    printf 'console.log(6 * 7)' | glovebox run --language javascript -

  Name its packages, or declare them in a `# /// script` block (PEP 723) of the program:
    glovebox run --package rich --package 'requests==2.32.*' table.py

  Set limits below those of the policy, and print the full outcome as JSON:
    glovebox run --json --wall 2s --memory 64MiB --fuel 2_000_000_000 suspect.py

  Use a policy file, and append the decision and the end of the run to an audit log:
    glovebox run --policy team.toml --profile web --audit runs.jsonl fetch.py

Language:
  Without `--language`, the suffix of FILE decides: `.py`; `.js`, `.mjs`, `.cjs`; `.ts`, `.mts`,
  `.cts`; `.wasm`; `.sh`, `.bash`. For other names, the magic number of WebAssembly, the `#!` line
  or keywords of Python and JavaScript decide.

Output:
  Standard output and standard error are forwarded while the program runs, unchanged into a pipe or
  a file. On a terminal, control characters other than line breaks and tabs are escaped (`\\x1b`),
  so that a program can't control the terminal.

Exit codes:
  The program's own if it ended by itself: 0, or 1 after an uncaught exception, or what it
  asked for. Otherwise:
    2  the command line is invalid, or a file that it names can't be used
  124  a limit ended the run
  125  Glovebox itself failed; standard error has the reason
  126  the policy denied the request; nothing ran
  130  the run was cancelled, by SIGINT (Ctrl-C) or SIGTERM
  134  the guest crashed; the host was not affected
  141  the reader of the output closed it
  A program can exit with these codes, too; `status` in `--json` distinguishes them.

JSON:
  `--json` prints one object: id, status (succeeded, failed, denied, limited, cancelled, crashed),
  exit_code, stdout, stderr, stdout_truncated, stderr_truncated, exception {type, message,
  traceback}, limit, limit_granted, limit_source (request, profile, built_in), denial {rule, asked,
  reason, fix}, crash, artifacts [{path, bytes, sha256, saved_to}], artifacts_truncated, tier,
  tier_reason, packages [{name, version, file, digest}], findings [{rule, line, severity, message}],
  usage {wall_ms, cpu_ms, fuel, peak_memory_bytes, output_bytes, workspace_bytes, files,
  host_calls}, policy {profile, digest, rules}, value {json, text}, results [{origin (value or
  display), data {MIME_TYPE: text, JSON or base64}}], results_truncated. `limit` is a key of a policy,
  such as `wall` or `memory`, or `table`, `host_allocation` or `compile`. `stdout_base64` and
  `stderr_base64` have the full output if it is not UTF-8, or if its JSON text would take more than
  twice its bytes (plus 4 KiB); `stdout` or `stderr` is empty if text and base64 together would.";

pub(super) const POLICY: &str = "\
Examples:
  glovebox policy show default > policy.toml            start from a built-in profile
  glovebox policy check policy.toml                     report every error, with line and column
  glovebox policy explain --policy policy.toml hello.py explain a decision, step by step
  glovebox policy test --policy policy.toml cases.toml  compare its decisions with a table
  glovebox policy schema > policy.schema.json           completion and checks in an editor";

pub(super) const CHECK: &str = "\
Example:
  glovebox policy check team.toml web.toml";

pub(super) const RESOLVE: &str = "\
Example:
  glovebox packages resolve 'requests==2.32.*' rich";

pub(super) const AUDIT: &str = "\
Examples:
  glovebox audit verify ./state
  glovebox audit verify --key-file audit.key ./state";

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
  glovebox guests build    build them; minutes the first time, then a no-op
  glovebox guests list     list the installed guests, with versions and languages
  glovebox guests verify   verify the digest of every file";

pub(super) const BUILD: &str = "\
Needs `python3` with pip, `npm` and `cargo`, and the network the first time. All downloads are
verified by digest. The guests are stored in the first of these directories that is set:
  1. `$GLOVEBOX_CACHE`
  2. `$XDG_CACHE_HOME/glovebox`
  3. `~/.cache/glovebox`

Examples:
  glovebox guests build
  glovebox guests build --offline                           use earlier downloads only
  glovebox guests build --metering fuel --metering epoch    compile for both metering modes";

pub(super) const DOCTOR: &str = "\
Each tier is tested by running a program. Exits with 0 if the `wasm` tier works, else with 1.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  glovebox completions bash > ~/.local/share/bash-completion/completions/glovebox
  glovebox completions zsh > \"${fpath[1]}/_glovebox\"
  glovebox completions fish > ~/.config/fish/completions/glovebox.fish";
