//! Test support: what do the tests share?
//!
//! A case is a file. One helper runs it: [`attack::check`] for what must fail,
//! [`conformance::check`] for what must work, and [`programs::check`] for what must print what it
//! prints natively:
//!
//! ```no_run
//! glovebox_tests::attack::check("attacks/a_files/FS01-absolute-paths.py");
//! ```
//!
//! In reading order: [`case`] reads a file, [`place`] gives it a sandbox, [`world`] plants what an
//! attack would look for, [`vitals`] measures the process, [`attack`] judges; [`server`] is the
//! other side of `fetch`, [`tree`] finds the
//! repository's own files, and [`measure`] looks at their shape.

pub mod attack;
pub mod bombs;
pub mod case;
pub mod conformance;
pub mod engine;
pub mod imports;
pub mod measure;
pub mod place;
pub mod programs;
pub mod results;
pub mod server;
pub mod service;
pub mod session;
pub mod tree;
pub mod vitals;
pub mod world;
