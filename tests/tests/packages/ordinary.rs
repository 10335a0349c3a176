//! Ordinary packages: do programs get what they need, from the registries that are in use?

use super::*;

#[test]
fn a_pure_package_runs_in_the_wasm_tier_and_needs_no_network_afterwards() {
    let mut machine = Machine::new();
    let table = "from rich.console import Console\nfrom rich.table import Table\nt = Table(title='T')\nt.add_column('a')\nt.add_row('1')\nConsole().print(t)\n";
    let printed = machine.run(&["--package", "rich"], "table.py", table);
    assert!(
        printed.contains("┃ a ┃") && printed.contains("│ 1 │"),
        "{printed}"
    );
    machine.unplug();
    let outcome = machine.outcome(&["--package", "rich"], "table.py", table);
    assert_eq!(
        (&outcome["status"], &outcome["tier"]),
        (&"succeeded".into(), &"wasm".into()),
        "{outcome}"
    );
    let locked = outcome["packages"].as_array().expect("there is a lock");
    assert!(
        locked.iter().any(|package| package["name"] == "rich"),
        "{outcome}"
    );
    for package in locked {
        let digest = package["digest"].as_str().unwrap_or_default();
        assert!(
            digest.len() == 7 + 64
                && digest.starts_with("sha256:")
                && package["file"]
                    .as_str()
                    .unwrap_or_default()
                    .ends_with("-none-any.whl"),
            "{outcome}"
        );
    }
    assert_eq!(
        machine.run(&["--offline", "--package", "rich"], "table.py", table),
        printed
    );
    let output = machine.glovebox(&["run", "--offline", "--package", "flask", "table.py"]);
    assert_eq!(output.status.code(), Some(125), "{}", text(&output.stderr));
    let output = machine.glovebox(&["run", "--package", "flask", "table.py"]);
    assert_eq!(
        output.status.code(),
        Some(125),
        "without a network: {}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr).contains("could not be asked"),
        "{}",
        text(&output.stderr)
    );
    assert!(text(&machine.glovebox(&["packages", "list"]).stdout).contains("rich "));
    assert!(machine.glovebox(&["packages", "clean"]).status.success());
    assert_eq!(machine.trees(), 0);
}

/// The limits of what compiles a package follow from the package.
#[test]
fn a_package_of_thousands_of_files_is_compiled() {
    let machine = Machine::new();
    let program = "from faker import Faker\nprint(type(Faker().name()).__name__)\n";
    assert_eq!(
        machine.run(&["--package", "faker"], "names.py", program),
        "str\n"
    );
}

#[test]
fn a_program_says_itself_what_it_needs() {
    let machine = Machine::new();
    let script = "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\"six>=1.16,<2\"]\n# ///\nimport six\nprint(six.PY3)\n";
    assert_eq!(machine.run(&[], "inline.py", script), "True\n");
    let script = "import { chunk } from 'npm:lodash-es@^4.17';\nconst size: number = 2;\nconsole.log(chunk([1, 2, 3], size));\n";
    assert_eq!(
        machine.run(&[], "inline.ts", script),
        "[ [ 1, 2 ], [ 3 ] ]\n"
    );
    let script = "const _ = require('lodash');\nconst { z } = require('zod');\nconsole.log(_.sum([1, 2]), z.string().parse('x'));\n";
    assert_eq!(
        machine.run(
            &["--package", "lodash@4", "--package", "zod"],
            "common.cjs",
            script
        ),
        "3 x\n"
    );
    // Missing modules of the first imports are reported before the run, with the package to
    // request.
    for (name, source, package) in [
        ("a.py", "import os\nimport yaml\nprint('ran')", "pyyaml"),
        (
            "b.py",
            "'doc'\nfrom PIL import Image\nprint('ran')",
            "pillow",
        ),
        (
            "c.mjs",
            "console.log('ran');\nimport x from 'lodash-es/chunk.js';",
            "lodash-es",
        ),
    ] {
        let outcome = machine.outcome(&[], name, source);
        assert_eq!(
            (&outcome["status"], &outcome["stdout"]),
            (&"denied".into(), &"".into()),
            "{outcome}"
        );
        assert!(
            outcome["denial"]["reason"]
                .as_str()
                .unwrap_or_default()
                .contains(&format!("`{package}`")),
            "{outcome}"
        );
    }
    // Optional imports, and those that may exist by then, are not reported.
    for (name, source) in [
        (
            "a.py",
            "try:\n    import yaml\nexcept ImportError:\n    print('ran')",
        ),
        (
            "b.py",
            "import sys, types\nsys.modules['yaml'] = types.ModuleType('yaml')\nimport yaml\nprint('ran')",
        ),
        ("c.py", "def f():\n    import yaml\nprint('ran')"),
        (
            "d.mjs",
            "if (0) await import('lodash-es');\nconsole.log('ran');",
        ),
    ] {
        assert_eq!(machine.run(&[], name, source), "ran\n", "{source}");
    }
}

#[test]
fn native_code_goes_to_a_container_and_says_why() {
    let languages = ["python", "javascript"];
    if engine::sandbox_for(&languages, glovebox::Policy::builtin()).is_none() {
        return;
    }
    let machine = Machine::new();
    machine.write(
        "sum.py",
        "import numpy as np\nprint(np.arange(6).reshape(2, 3).sum())",
    );
    let output = machine.glovebox(&["run", "--package", "numpy", "sum.py"]);
    assert_eq!(text(&output.stdout), "15\n", "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("`wasm` cannot run `numpy`, which has native code"),
        "{}",
        text(&output.stderr)
    );
    let outcome = machine.outcome(
        &["--package", "numpy"],
        "sum.py",
        "import numpy\nopen(numpy.__file__, 'a')",
    );
    assert_eq!(
        (&outcome["tier"], &outcome["status"]),
        (&"container".into(), &"failed".into()),
        "{outcome}"
    );
    assert!(
        outcome["stderr"]
            .as_str()
            .unwrap_or_default()
            .contains("Permission denied"),
        "{outcome}"
    );
    let outcome = machine.outcome(
        &["--package", "numpy", "--tier", "wasm"],
        "sum.py",
        "import numpy",
    );
    assert_eq!(outcome["status"], "denied", "{outcome}");
    // Modules of a full standard library, and versions that the guest does not have.
    let outcome = machine.outcome(
        &[],
        "sizes.py",
        "import ctypes\nprint(ctypes.sizeof(ctypes.c_long))",
    );
    assert_eq!(
        (&outcome["tier"], &outcome["stdout"]),
        (&"container".into(), &"8\n".into()),
        "{outcome}"
    );
    assert!(
        outcome["tier_reason"]
            .as_str()
            .unwrap_or_default()
            .contains("has no module `ctypes`"),
        "{outcome}"
    );
    let outcome = machine.outcome(
        &[],
        "http.mjs",
        "import http from 'node:http';\nconsole.log(typeof http.request)",
    );
    assert_eq!(
        (&outcome["tier"], &outcome["stdout"]),
        (&"container".into(), &"function\n".into()),
        "{outcome}"
    );
}

/// The test runner replaces descriptors, and what it runs asserts, captures and patches.
#[test]
fn tests_run_inside_with_what_they_capture_and_cover() {
    let machine = Machine::new();
    let program = r#"
import coverage, io, pytest
open("halves.py", "w").write("def half(x):\n    if x % 2:\n        raise ValueError('odd')\n    return x // 2\n")
open("test_code.py", "w").write('''
import os, halves, pytest
@pytest.fixture
def four():
    yield 4
@pytest.mark.parametrize("x", [2, 3, 4])
def test_half(x, four):
    assert halves.half(four) == x
def test_output(capfd):
    os.write(1, b"raw")
    print("text")
    assert capfd.readouterr().out == "rawtext\\n"
def test_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_text("x")
    assert os.path.exists("f")
''')
watch = coverage.Coverage(source_pkgs=["halves"], data_file=None, config_file=False)
watch.start()
ended = pytest.main(["test_code.py"])
watch.stop()
print("ended", int(ended), round(watch.report(file=io.StringIO())))
"#;
    let printed = machine.run(
        &["--package", "pytest", "--package", "coverage"],
        "tests.py",
        program,
    );
    for part in ["assert 2 == 3", "2 failed, 3 passed", "ended 1 75"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

/// Programs that import something later, and the tier that this chooses.
const LATER_IMPORTS: &[(&str, &str, &str)] = &[
    (
        "a.py",
        "x = 1\nimport ctypes\nprint(ctypes.sizeof(ctypes.c_long))",
        "container",
    ),
    (
        "b.py",
        "def f():\n    from ctypes import util\nprint(8)",
        "container",
    ),
    (
        "c.py",
        "import importlib\nctypes = importlib.import_module('ctypes')\nprint(8)",
        "container",
    ),
    ("d.py", "import own\nprint(8)", "container"),
    (
        "e.py",
        "try:\n    import ctypes\nexcept ImportError:\n    ctypes = None\nprint(8)",
        "wasm",
    ),
    (
        "f.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ctypes\nprint(8)",
        "wasm",
    ),
    (
        "l.py",
        "import sys\nif sys.platform == 'win32':\n    import msvcrt\nelif sys.platform.startswith('win'):\n    import winreg\nprint(8)",
        "wasm",
    ),
    (
        "m.py",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import readline\nprint(8)",
        "wasm",
    ),
    (
        "n.js",
        "// see require('cluster')\nconst text = \"require('cluster')\"; /* import('net') */ try { require('worker_threads') } catch {}\nconsole.log(8);",
        "wasm",
    ),
    (
        "g.js",
        "const { execSync } = require('child_process');\nconsole.log(`${execSync('echo 8')}`.trim());",
        "container",
    ),
    (
        "h.js",
        "async function f() { await import('node:child_process'); }\nconsole.log(8);",
        "container",
    ),
    (
        "i.js",
        "const own = require('./own.cjs');\nconsole.log(8);",
        "container",
    ),
    (
        "j.js",
        "const path = require('path'); const own = require(`./${'own'}.cjs`);\nconsole.log(8);",
        "wasm",
    ),
];

#[test]
fn later_import_of_a_program_chooses_its_tier() {
    let languages = ["python", "javascript"];
    if engine::sandbox_for(&languages, glovebox::Policy::builtin()).is_none() {
        return;
    }
    let machine = Machine::new();
    machine.write("own.py", "import ctypes");
    machine.write("own.cjs", "exports.spawn = require('child_process').spawn;");
    let file = ["--file", "own.py", "--file", "own.cjs"];
    for (name, source, tier) in LATER_IMPORTS {
        let outcome = machine.outcome(&file, name, source);
        // Which module `j.js` asks for is known only when it runs.
        let stdout = if *name == "j.js" { "" } else { "8\n" };
        assert_eq!(
            (&outcome["tier"], &outcome["stdout"]),
            (&(*tier).into(), &stdout.into()),
            "{source}: {outcome}"
        );
    }
    // Where the policy grants no other tier, it may try.
    let outcome = machine.outcome(
        &["--tier", "wasm"],
        "b.py",
        "def f():\n    from ctypes import util\nprint(8)",
    );
    assert_eq!(outcome["stdout"], "8\n", "{outcome}");
}

#[test]
fn survey_of_a_program_runs_none_of_its_files() {
    let machine = Machine::new();
    // Nothing of a program's files runs before the program does.
    machine.write(
        "tabnanny.py",
        "import os\nprint('once', flush=True)\nos._exit(0)",
    );
    let outcome = machine.outcome(
        &["--file", "tabnanny.py"],
        "k.py",
        "x = 1\nimport tabnanny\nimport no_such_module",
    );
    assert_eq!(
        (&outcome["stdout"], &outcome["status"]),
        (&"once\n".into(), &"succeeded".into()),
        "{outcome}"
    );
}

#[test]
fn charts_and_tables_of_a_session_come_back_as_results() {
    let languages = ["python", "javascript"];
    let Some(sandbox) = engine::sandbox_for(&languages, glovebox::Policy::builtin()) else {
        return;
    };
    drop(sandbox);
    let machine = Machine::new();
    let program = "import matplotlib.pyplot as plt\nimport pandas as pd\nfor n in (1, 2):\n    plt.plot([0, n])\n    plt.show()\nprint(plt.get_fignums())\nplt.plot([3])\ndf = pd.DataFrame({'a': [1, 2]})\ndf";
    let outcome = machine.outcome(
        &[
            "--package",
            "matplotlib",
            "--package",
            "pandas",
            "--results",
            "charts",
        ],
        "chart.py",
        program,
    );
    assert_eq!(
        (&outcome["stdout"], &outcome["stderr"]),
        (&"[]\n".into(), &"".into()),
        "{outcome}"
    );
    let results = outcome["results"].as_array().expect("there are results");
    let origins: Vec<&str> = results
        .iter()
        .filter_map(|result| result["origin"].as_str())
        .collect();
    assert_eq!(origins, ["display", "display", "value", "display"]);
    let pictures: Vec<Vec<u8>> = [1, 2, 4]
        .iter()
        .map(|number| {
            std::fs::read(machine.path(&format!("charts/result-{number}.png")))
                .expect("it is saved")
        })
        .collect();
    assert!(
        pictures
            .iter()
            .all(|picture| picture.starts_with(b"\x89PNG"))
    );
    // The second chart has one line: `show` ends a chart.
    assert_ne!(pictures.first(), pictures.get(1));
    let table = &results[2]["data"];
    assert!(
        table["text/html"]
            .as_str()
            .is_some_and(|html| html.contains("<td>2</td>")),
        "{table}"
    );
    assert_eq!(
        table["application/vnd.dataresource+json"]["data"][1]["a"], 2,
        "{table}"
    );
}
