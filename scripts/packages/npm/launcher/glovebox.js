#!/usr/bin/env node
// Starts the binary `glovebox` of this platform, which is in an optional dependency of this package.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const { optionalDependencies = {} } = require("./package.json");

// The exit code of `glovebox` where it fails itself.
const FAILED = 125;

const SCOPE = "@glovebox/";
const platform = `${process.platform}-${process.arch}`;

function fail(...lines) {
  process.stderr.write(`glovebox: ${lines.join("\n  ")}\n`);
  process.exit(FAILED);
}

function locate() {
  const name = SCOPE + platform;
  if (!(name in optionalDependencies)) {
    const others = Object.keys(optionalDependencies).map((other) => other.slice(SCOPE.length));
    fail(`no package for \`${platform}\`; there is one for ${others.join(", ")}`);
  }
  try {
    const program = require.resolve(`${name}/bin/glovebox`);
    fs.accessSync(program, fs.constants.X_OK);
    return program;
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") {
      fail(`cannot start the binary of \`${name}\`: ${error.message}`);
    }
    return fail(
      `the package \`${name}\` is not installed`,
      "it is an optional dependency: install without `--omit=optional`, on a system with glibc",
    );
  }
}

function hasTerminal() {
  try {
    fs.closeSync(fs.openSync("/dev/tty", "r+"));
    return true;
  } catch {
    return false;
  }
}

// Runs the binary as a child, which gets the signals of this process and whose end is its end.
function runAsChild(program, args) {
  let child;
  const forward = (signal) => child.kill(signal);
  // A terminal sends SIGINT to both processes, and the second SIGINT does not let a run end properly.
  const interrupt = hasTerminal() ? () => {} : forward;
  const handlers = { SIGHUP: forward, SIGINT: interrupt, SIGQUIT: forward, SIGTERM: forward };
  for (const [signal, handler] of Object.entries(handlers)) {
    process.on(signal, handler);
  }
  child = spawn(program, args, { stdio: "inherit" });
  child.on("error", (error) => fail(`cannot start \`${program}\`: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) {
      process.exit(code);
    }
    for (const [handled, handler] of Object.entries(handlers)) {
      process.off(handled, handler);
    }
    // Not every signal ends this process.
    process.exitCode = 128 + os.constants.signals[signal];
    process.kill(process.pid, signal);
  });
}

const program = locate();
const args = process.argv.slice(2);
if (process.execve) {
  process.execve(program, [program, ...args]);
} else {
  runAsChild(program, args);
}
