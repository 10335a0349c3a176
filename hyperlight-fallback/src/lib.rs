//! Fallback tiers: what runs programs that WebAssembly cannot?
//!
//! [`Containers`] is a tier that runs programs in containers of Docker or of a compatible engine:
//! shell scripts, and Python, JavaScript or TypeScript where native code is needed. It is a
//! [`glovebox::Executor`] like the wasm tier: it takes its authority from the grant and returns the
//! same outcome.
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
//! A container ends with its run, also if this process is killed: its main process reads the
//! program from a stream that closes with this process, a watchdog timer inside ends a program that
//! goes on, and the engine removes exited containers (`--rm`). [`Containers::connect`] removes what
//! a crash of the engine leaves behind.

mod artifacts;
mod collector;
mod container;
mod docker;
mod egress;
mod engine;
mod executor;
mod images;
mod job;
mod owner;
mod package_folder;
mod plan;
mod pool;
mod protocol;
mod reply;
mod seccomp;
mod session;
mod transform;

pub use docker::remove_own_containers;
pub use engine::{Containers, ContainersBuilder, Diagnosis};
pub use images::{BuildError, FoundImage, ImageBase, build_images, list_images};
