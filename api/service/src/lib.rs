//! Service core: what does the sandbox offer to many clients at once, whatever protocol they speak?
//!
//! [`Service`] opens the state folder and owns the rest: [`Executions`], [`Sessions`] and [`Trees`]
//! run programs, [`Identities`] says which subject calls, and [`Config`] what an operator can set.
//! Below them lie the queues of `scheduler`, the database in `records`, storage quotas in `quotas`,
//! and the memory account. Front doors translate: a request becomes a call, and a [`ServiceError`]
//! their own signal.

mod alerts;
mod audit_log;
mod audit_search;
mod blobs;
mod config;
mod contents;
mod detached;
mod error;
mod events;
mod executions;
mod heavy;
mod http_client;
mod identities;
mod key_admin;
mod maintenance;
mod memory;
mod metrics;
mod policies;
mod queue;
mod quotas;
mod records;
mod refusals;
mod scheduler;
mod scope;
mod service;
mod sessions;
mod shutdown;
mod start_error;
mod state_folder;
mod subject_quotas;
mod supervisor;
pub mod telemetry;
mod trees;
mod trusted;
mod usage;

pub use alerts::Alerts;
pub use audit_log::{NAME_FILE as AUDIT_NAME_FILE, read_key as audit_key};
pub use audit_search::AuditSearch;
pub use config::{
    AlertRule, AuditConfig, Config, ConfigError, ContainerConfig, Jwt, Retention, ServiceLimits,
    Telemetry, Tls,
};
pub use error::{Code, ServiceError};
pub use events::{Event, EventLog};
pub use executions::{
    ActiveExecution, CancelOnDrop, Claim, Claimed, Earlier, ExecutionQuery, Executions, Follow,
    Found, Handle, NewExecution, OnDisconnect,
};
pub use heavy::{HeavyWork, Turn};
pub use identities::{Anonymous, Caller, Identities, NewKey};
pub use key_admin::{KeyInfo, Keys};
pub use memory::{Memory, MemoryCharge, NoMemory, parsed_bytes};
pub use metrics::Metrics;
pub use policies::Policies;
pub use quotas::Quotas;
pub use records::rows::ExecutionRow;
pub use refusals::Refusals;
pub use scope::{Scope, UnknownScope};
pub use service::{Background, Service, Subjects, UsageFilter};
pub use sessions::{
    DirectoryPage, NewEvaluation, NewSession, PackageChange, Reset, SessionReservation, SessionUse,
    Sessions, Workspace,
};
pub use start_error::StartError;
pub use state_folder::State;
pub use subject_quotas::SubjectQuotas;
pub use trees::{Branch, CancelTreeOnDrop, ListedTree, NewTree, TreeHandle, Trees};
pub use trusted::open_trusted;
