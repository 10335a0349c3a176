//! The host: does nothing run or get used that others could have changed?

mod checkout;
mod folders;
mod programs;
mod scripts;

use glovebox_tests::tree::program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
