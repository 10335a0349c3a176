//! A checkout with traps: what would run if anything of it were trusted?

use super::*;

/// Programs of the host that a tool might search for.
pub(crate) const PROGRAMS: [&str; 16] = [
    "python3",
    "python",
    "pip",
    "uv",
    "npm",
    "npx",
    "node",
    "cargo",
    "rustc",
    "rustup",
    "docker",
    "mmdebstrap",
    "git",
    "sh",
    "env",
    "zig",
];

/// Modules that Python or pip import by default.
pub(crate) const MODULES: [&str; 10] = [
    "pip",
    "json",
    "sitecustomize",
    "usercustomize",
    "encodings",
    "site",
    "importlib",
    "componentize_py",
    "ensurepip",
    "venv",
];

/// The URL of an unreachable index.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1/";

pub(crate) const SIX: &str =
    "# /// script\n# dependencies = [\"six\"]\n# ///\nimport six\nprint(six.__name__)\n";

/// A checkout with traps, and the folder of their marks.
pub(crate) struct Checkout {
    pub(crate) place: tempfile::TempDir,
    pub(crate) cache: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
}

impl Checkout {
    /// Creates a checkout; its traps are set in the environment as well. `cache` is the package
    /// cache, relative to the temporary folder; the installed guests are in it.
    pub(crate) fn new(cache: &str) -> Self {
        let this = Self::without_guests(cache);
        let installed = glovebox_guests::default_cache_dir().expect("there is a cache");
        for shared in ["guests", "compiled"] {
            symlink(installed.join(shared), this.cache.join(shared))
                .expect("the folder is writable");
        }
        this
    }

    pub(crate) fn without_guests(cache: &str) -> Self {
        let place = tempfile::tempdir().expect("a folder can be made");
        let mut this = Self {
            cache: place.path().join(cache),
            place,
            environment: Vec::new(),
        };
        fs::create_dir_all(this.marks()).expect("the folder is writable");
        fs::create_dir_all(this.path("src/deep")).expect("the folder is writable");
        fs::create_dir_all(&this.cache).expect("the folder is writable");
        this.programs();
        this.settings();
        for folder in ["", "src/deep/"] {
            this.write(&format!("{folder}main.py"), SIX);
            this.write(
                &format!("{folder}other.py"),
                "import six\nprint(six.__name__)\n",
            );
            this.write(
                &format!("{folder}main.js"),
                "console.log((await import('ms')).default(60000))\n",
            );
            this.write(
                &format!("{folder}policy.toml"),
                "version = 1\ndefault_profile = \"default\"\n",
            );
        }
        this
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path().join("checkout").join(name)
    }

    pub(crate) fn marks(&self) -> PathBuf {
        self.place.path().join("marks")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder"))
            .expect("the folder is writable");
        fs::write(path, text).expect("the folder is writable");
    }

    /// Returns the text of a program that leaves a mark.
    pub(crate) fn executable(&self, name: &str) -> String {
        let mark = self.marks().join(name.replace('/', "-"));
        self.write(
            name,
            &format!("#!/bin/sh\n: > '{}'\nexit 0\n", mark.display()),
        );
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755))
            .expect("it is ours");
        self.path(name).display().to_string()
    }

    pub(crate) fn programs(&mut self) {
        for folder in [
            "",
            "bin/",
            ".venv/bin/",
            "venv/bin/",
            "node_modules/.bin/",
            "toolchain/bin/",
            "src/deep/",
            "src/deep/.venv/bin/",
        ] {
            for program in PROGRAMS {
                self.executable(&format!("{folder}{program}"));
            }
        }
        for folder in [".venv", "venv", "src/deep/.venv"] {
            self.write(
                &format!("{folder}/pyvenv.cfg"),
                "home = /usr/bin\nversion_info = 3.14.0\ninclude-system-site-packages = true\n",
            );
        }
        for folder in ["", "src/deep/", "modules/"] {
            for module in MODULES {
                let mark = self
                    .marks()
                    .join(format!("{}{module}.py", folder.replace('/', "-")));
                self.write(
                    &format!("{folder}{module}.py"),
                    &format!("open({:?}, 'w')\n", mark.display().to_string()),
                );
            }
        }
        for hook in [
            "post-checkout",
            "pre-commit",
            "reference-transaction",
            "fsmonitor",
        ] {
            self.executable(&format!(".git/hooks/{hook}"));
        }
        self.write(".git/HEAD", "ref: refs/heads/main\n");
        self.write(
            ".git/config",
            &format!(
                "[core]\n\tfsmonitor = {}\n",
                self.path(".git/hooks/fsmonitor").display()
            ),
        );
        let mark = self.marks().join("preload.js");
        self.write(
            "preload.js",
            &format!(
                "require('fs').writeFileSync({:?}, '')\n",
                mark.display().to_string()
            ),
        );
        let mark = self.marks().join("shell-startup");
        self.write("startup.sh", &format!(": > '{}'\n", mark.display()));
    }

    pub(crate) fn settings(&mut self) {
        let trap = self.path("bin/python3").display().to_string();
        let preload = format!("--require={}", self.path("preload.js").display());
        let npm = format!(
            "registry={NOWHERE}\nscript-shell={trap}\ngit={trap}\nshell={trap}\nnode-options={preload}\nprefix=/nonexistent\n"
        );
        let uv = format!(
            "index-url = \"{NOWHERE}\"\npython-preference = \"managed\"\n[pip]\nindex-url = \"{NOWHERE}\"\npython = \"{trap}\"\n"
        );
        let project = format!(
            "[build-system]\nrequires = [\"trap\"]\nbuild-backend = \"json\"\nbackend-path = [\".\"]\n[project]\nname = \"trap\"\n\
             version = \"1\"\n[tool.uv]\nindex-url = \"{NOWHERE}\"\n[tool.uv.pip]\npython = \"{trap}\"\n"
        );
        let package = json!({ "name": "trap", "version": "1.0.0", "workspaces": ["**"], "scripts": { "preinstall": trap, "install": trap, "prepare": trap },
            "volta": { "node": "0.0.1" }, "packageManager": "npm@0.0.1" });
        let rust = format!(
            "[toolchain]\npath = \"{}\"\n",
            self.path("toolchain").display()
        );
        let cargo = format!(
            "[build]\nrustc = \"{trap}\"\nrustc-wrapper = \"{trap}\"\n[alias]\nfetch = \"!{trap}\"\n[source.crates-io]\nreplace-with = \"no\"\n[source.no]\nregistry = \"{NOWHERE}\"\n"
        );
        for folder in ["", "src/deep/"] {
            for (name, text) in [
                (".npmrc", npm.as_str()),
                ("uv.toml", &uv),
                ("pyproject.toml", &project),
                ("pip.conf", &format!("[global]\nindex-url = {NOWHERE}\n")),
                (".python-version", "trap\n"),
                (".tool-versions", "python trap\nnodejs trap\n"),
                (".nvmrc", "trap\n"),
                ("package.json", &package.to_string()),
                ("rust-toolchain.toml", &rust),
                (".cargo/config.toml", &cargo),
                (".env", &format!("UV_PYTHON={trap}\n")),
            ] {
                self.write(&format!("{folder}{name}"), text);
            }
        }
        let path = |name: &str| self.path(name).display().to_string();
        let usual = std::env::var("PATH").expect("there are programs");
        self.environment = vec![
            ("GLOVEBOX_CACHE".into(), self.cache.display().to_string()),
            (
                "PATH".into(),
                format!(".::bin:node_modules/.bin:../../bin:{usual}:"),
            ),
            ("VIRTUAL_ENV".into(), path(".venv")),
            ("CONDA_PREFIX".into(), path("venv")),
            ("PYTHONPATH".into(), path("modules")),
            ("PYTHONHOME".into(), path("modules")),
            ("PYTHONSTARTUP".into(), path("modules/json.py")),
            ("PYENV_VERSION".into(), "trap".into()),
            ("UV_PYTHON".into(), trap.clone()),
            ("UV_CONFIG_FILE".into(), path("uv.toml")),
            ("UV_DEFAULT_INDEX".into(), NOWHERE.into()),
            ("UV_INDEX_URL".into(), NOWHERE.into()),
            ("PIP_CONFIG_FILE".into(), path("pip.conf")),
            ("PIP_INDEX_URL".into(), NOWHERE.into()),
            ("PIP_PYTHON".into(), trap.clone()),
            ("NODE_OPTIONS".into(), preload),
            ("NODE_PATH".into(), path("modules")),
            ("NPM_CONFIG_USERCONFIG".into(), path(".npmrc")),
            ("npm_config_script_shell".into(), trap.clone()),
            ("npm_config_registry".into(), NOWHERE.into()),
            ("CARGO".into(), path("bin/cargo")),
            ("RUSTC".into(), path("bin/rustc")),
            ("RUSTC_WRAPPER".into(), trap.clone()),
            ("RUSTUP_TOOLCHAIN".into(), path("toolchain")),
            ("BASH_ENV".into(), path("startup.sh")),
            ("ENV".into(), path("startup.sh")),
            ("PERL5LIB".into(), path("modules")),
            ("GIT_CONFIG_GLOBAL".into(), path(".git/config")),
        ];
    }

    pub(crate) fn command(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.path(folder))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Returns the traps that ran.
    pub(crate) fn marked(&self) -> BTreeSet<String> {
        let marks = fs::read_dir(self.marks()).expect("the folder is there");
        marks
            .map(|mark| {
                mark.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }

    /// Runs a command, asserts that no trap ran and that it succeeded, and returns its output.
    pub(crate) fn check(&self, folder: &str, arguments: &[&str]) -> String {
        let output = self
            .command(folder, arguments)
            .output()
            .expect("the program starts");
        assert_eq!(
            self.marked(),
            BTreeSet::new(),
            "`{}` ran these: {}",
            arguments.join(" "),
            said(&output)
        );
        assert!(
            output.status.success(),
            "`{}`: {}",
            arguments.join(" "),
            said(&output)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{:?}\n{}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Returns what `doctor` reports about the tools, in an empty folder.
pub(crate) fn tools(diagnosis: &str) -> Value {
    serde_json::from_str::<Value>(diagnosis).expect("JSON")["build_tools"].clone()
}

/// Runs the commands that look at the machine; the output is the same as in another folder.
pub(crate) fn same_as_elsewhere(checkout: &Checkout, folder: &str) {
    // An engine may or may not be there; the output is the same as elsewhere.
    let elsewhere = Command::new(program())
        .args(["images", "list"])
        .current_dir("/")
        .output()
        .expect("the program starts");
    let here = checkout
        .command(folder, &["images", "list"])
        .output()
        .expect("the program starts");
    assert_eq!(
        (here.status.code(), &here.stdout),
        (elsewhere.status.code(), &elsewhere.stdout),
        "{}",
        said(&here)
    );
    let elsewhere = Command::new(program())
        .args(["doctor", "--json"])
        .current_dir("/")
        .output()
        .expect("the program starts");
    assert_eq!(
        tools(&checkout.check(folder, &["doctor", "--json"])),
        tools(&String::from_utf8_lossy(&elsewhere.stdout))
    );
}

/// Runs every command in a folder of the checkout.
pub(crate) fn every_command(checkout: &Checkout, folder: &str) {
    assert_eq!(checkout.check(folder, &["run", "main.py"]), "six\n");
    assert_eq!(
        checkout.check(folder, &["run", "--package", "six", "other.py"]),
        "six\n"
    );
    assert_eq!(
        checkout.check(
            folder,
            &["run", "--offline", "--package", "six", "other.py"]
        ),
        "six\n"
    );
    assert_eq!(
        checkout.check(folder, &["run", "--package", "ms", "main.js"]),
        "1m\n"
    );
    checkout.check(folder, &["packages", "resolve", "--upgrade", "six"]);
    checkout.check(
        folder,
        &["packages", "prefetch", "--upgrade", "--for", "main.py"],
    );
    checkout.check(
        folder,
        &[
            "packages",
            "resolve",
            "--upgrade",
            "--language",
            "javascript",
            "ms",
        ],
    );
    assert!(
        checkout
            .check(folder, &["packages", "list"])
            .contains("six")
    );
    for arguments in [
        &["guests", "list"][..],
        &["guests", "verify"],
        &["guests", "path"],
        &["guests", "build", "--offline"],
        &["policy", "check", "policy.toml"],
        &["policy", "explain", "main.py"],
        &["policy", "show", "default"],
        &["policy", "schema"],
        &["completions", "bash"],
        &["keys", "create", "ci", "--state", "state"],
        &["keys", "list", "--state", "state"],
    ] {
        checkout.check(folder, arguments);
    }
    same_as_elsewhere(checkout, folder);
    serve(checkout, folder);
    assert_eq!(checkout.marked(), BTreeSet::new());
}

/// A service that is started in a folder answers a request that needs a package.
pub(crate) fn serve(checkout: &Checkout, folder: &str) {
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--insecure-local",
        "--state",
        "served",
    ];
    let mut service = checkout
        .command(folder, &arguments)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut log = BufReader::new(service.stderr.take().expect("it has a log"))
        .lines()
        .map_while(Result::ok);
    let address = log.find_map(|line| {
        Some(
            line.split_once("serving on http://")?
                .1
                .split(',')
                .next()?
                .to_owned(),
        )
    });
    let rest = std::thread::spawn(move || log.collect::<Vec<_>>());
    let body =
        json!({ "language": "python", "source": "import packaging\nprint(packaging.__name__)", "packages": ["packaging"] }).to_string();
    let answer = address.map(|address| {
        let mut stream = std::net::TcpStream::connect(&address).expect("it listens");
        let head = format!("POST /v1/executions HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n");
        let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all((head + &length).as_bytes()).expect("it reads");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    });
    service.kill().expect("it runs");
    let _ = service.wait();
    let log = rest.join().expect("no panic").join("\n");
    assert!(
        answer
            .as_deref()
            .is_some_and(|answer| answer.contains("\"packaging\\n\"")),
        "{answer:?}\n{log}"
    );
}
