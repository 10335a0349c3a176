//! The tiers that take over where WebAssembly cannot go.
//!
//! [`Containers`] is a tier that runs programs in containers of a Docker engine, or of one that speaks its interface: shell scripts, and
//! Python or JavaScript where native code is needed. It is a [`glovebox::Executor`] like the wasm tier: it takes its authority from the
//! grant and answers with the same outcome.
//!
//! ```no_run
//! use glovebox::{Request, Sandbox};
//! use glovebox_fallback::Containers;
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let containers = Arc::new(Containers::connect().await);
//! let sandbox = Sandbox::builder().executor(containers).build()?;
//! let outcome = sandbox.run(Request::new("shell", "uname -s; whoami")).await?;
//! assert_eq!(outcome.stdout.text(), "Linux\nnobody\n");
//! # Ok(())
//! # }
//! ```
//!
//! A container ends with its run, also where this process is killed: its main process reads the program from a stream that ends with us, a
//! program that goes on is stopped by a clock inside, and the engine removes what has ended. What an engine's crash leaves is removed by
//! [`Containers::connect`].

mod collector;
mod container;
mod egress;
mod engine;
mod executor;
mod images;
mod job;
mod pool;
mod seccomp;

pub use engine::{Containers, ContainersBuilder, Diagnosis};
pub use images::{BuildError, FoundImage, ImageBase, build_images, list_images};
