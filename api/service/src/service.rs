//! Service: how is it put together, and how does it end?

use crate::alerts::Alerts;
use crate::audit_log::{self, AuditLog};
use crate::audit_search::{self, AuditSearch};
use crate::blobs::Blobs;
use crate::config::Config;
use crate::contents::Contents;
use crate::detached::DetachedChanges;
use crate::error::{Code, ServiceError};
use crate::executions::{ExecutionCore, Executions, LocalDispatcher};
use crate::heavy::HeavyWork;
use crate::identities::{Caller, Identities};
use crate::maintenance::Maintenance;
use crate::memory::{self, Memory, Wanted};
use crate::metrics::{Gauges, Metrics};
use crate::policies::{Policies, PolicyCore};
use crate::queue::Queue;
use crate::quotas::{Disk, Quotas, StoredBytes};
use crate::records::{Purpose, Records, now_ms};
use crate::refusals::Refusals;
use crate::scheduler::Processors;
use crate::sessions::{SessionCore, SessionLimits, Sessions};
use crate::shutdown::Shutdown;
use crate::start_error::StartError;
use crate::state_folder::{State, lock_folder, state_folder};
use crate::subject_quotas::{MachineSizes, SubjectQuotas, settings};
use crate::supervisor;
use crate::trees::{TreeCore, Trees};
use cap_std::fs::Dir;
use glovebox::{AuditSink, JsonLines, MemoryAccount, Sandbox, SandboxBuilder};
use glovebox_host::lock::LockedFile;
use glovebox_wire::records::UsageList;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Pause between two looks at executions that have not ended, at shutdown.
const DRAIN_INTERVAL: Duration = Duration::from_millis(20);

/// A service that is ready to run programs.
pub struct Service {
    /// The executions.
    pub executions: Executions,
    /// The sessions.
    pub sessions: Sessions,
    /// The task trees.
    pub trees: Trees,
    /// The policy in force, and the tiers.
    pub policies: Policies,
    /// The credentials of callers.
    pub identities: Identities,
    /// The search of the audit log.
    pub audit: AuditSearch,
    /// The alerts that have fired.
    pub alerts: Arc<Alerts>,
    /// The storage quotas.
    pub quotas: Arc<Quotas>,
    /// The quotas of each subject.
    pub of_subjects: Arc<SubjectQuotas>,
    /// The refusals by quotas.
    pub refusals: Refusals,
    /// The memory account.
    pub memory: Arc<Memory>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The threads on which large requests are parsed.
    pub heavy: HeavyWork,
    sandbox: Sandbox,
    queue: Queue,
    records: Records,
    shutdown: Shutdown,
    maintenance: Maintenance,
    audit_log: Arc<AuditLog>,
    host_failed: Arc<Notify>,
    drain: Duration,
    /// Locks the state folder against other processes.
    _lock: LockedFile,
}

/// The parts of a service that are opened first.
struct Opened {
    state: Arc<Dir>,
    records: Records,
    audit_log: AuditLog,
    memory: Arc<Memory>,
    sandbox: Sandbox,
    contents: Contents,
    quotas: Arc<Quotas>,
    of_subjects: Arc<SubjectQuotas>,
}

impl Opened {
    async fn open(
        state: &State,
        config: &Config,
        sandbox: SandboxBuilder,
        dir: Dir,
    ) -> Result<Self, StartError> {
        let failed = |error| StartError::State(state.folder.clone(), error);
        let records =
            Records::open(config.database.as_deref(), &state.folder, Purpose::Serve).await?;
        let audit_log = audit_log::open(state, &dir, config, &records).await?;
        let disk = Disk::new(&dir, &config.limits).map_err(failed)?;
        let sizes = MachineSizes {
            memory: memory::total(&config.limits),
            disk: disk.whole,
        };
        let of_subjects = SubjectQuotas::new(
            sandbox.current_policy().clone(),
            settings(&config.limits, sizes),
        );
        let memory = Memory::new(sizes.memory, Arc::clone(&of_subjects));
        let sandbox = sandbox
            .memory(Arc::clone(&memory) as Arc<dyn MemoryAccount>)
            .audit(Arc::clone(&audit_log.log) as Arc<dyn AuditSink>)
            .max_running(None)
            .build()?;
        let interrupted = records.mark_interrupted().await?;
        if interrupted > 0 {
            tracing::warn!(
                executions = interrupted,
                "the process before this one ended in the middle of executions; they are marked `interrupted`"
            );
        }
        let stored = StoredBytes {
            audited: records.audited(now_ms()).await?,
            audit_on_disk: audit_search::bytes(&dir).map_err(failed)?,
            kept: records.kept().await?,
        };
        let of_each = Arc::clone(&of_subjects);
        Ok(Self {
            contents: Contents::new(Blobs::new(&dir).map_err(failed)?, records.clone()),
            quotas: Quotas::new(&config.limits, disk, of_each, stored),
            state: Arc::new(dir),
            records,
            audit_log,
            memory,
            sandbox,
            of_subjects,
        })
    }
}

/// The parts that several components share.
struct Components {
    alerts: Arc<Alerts>,
    metrics: Arc<Metrics>,
    queue: Queue,
    processors: Arc<Processors>,
    detached: DetachedChanges,
    heavy: HeavyWork,
    shutdown: Shutdown,
    host_failed: Arc<Notify>,
}

impl Components {
    fn new(opened: &Opened, config: &Config) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            alerts: Arc::new(Alerts::new(config.alerts.clone()).map_err(StartError::Client)?),
            queue: Queue::new(
                &config.limits,
                Arc::clone(&opened.quotas),
                Arc::clone(&opened.of_subjects),
                Arc::clone(&metrics),
            ),
            metrics,
            processors: Processors::new(processors),
            detached: DetachedChanges::new(),
            heavy: HeavyWork::new(),
            shutdown: Shutdown::default(),
            host_failed: Arc::default(),
        })
    }

    fn executions(&self, opened: &Opened) -> Executions {
        Executions::new(ExecutionCore {
            dispatcher: Arc::new(LocalDispatcher(opened.sandbox.clone())),
            queue: self.queue.clone(),
            processors: Arc::clone(&self.processors),
            records: opened.records.clone(),
            contents: opened.contents.clone(),
            quotas: Arc::clone(&opened.quotas),
            memory: Arc::clone(&opened.memory),
            alerts: Arc::clone(&self.alerts),
            metrics: Arc::clone(&self.metrics),
            host_failed: Arc::clone(&self.host_failed),
            detached: self.detached.clone(),
            shutdown: self.shutdown.clone(),
            registry: Default::default(),
        })
    }

    fn sessions(&self, opened: &Opened, config: &Config, executions: &Executions) -> Sessions {
        Sessions::new(SessionCore {
            sandbox: opened.sandbox.clone(),
            executions: executions.clone(),
            queue: self.queue.clone(),
            processors: Arc::clone(&self.processors),
            records: opened.records.clone(),
            quotas: Arc::clone(&opened.quotas),
            of_subjects: Arc::clone(&opened.of_subjects),
            memory: Arc::clone(&opened.memory),
            detached: self.detached.clone(),
            shutdown: self.shutdown.clone(),
            limits: SessionLimits::from(&config.limits),
            open: Mutex::default(),
            opening: Mutex::default(),
            evicted: Default::default(),
        })
    }

    fn trees(&self, opened: &Opened, executions: &Executions) -> Trees {
        Trees::new(TreeCore {
            executions: executions.clone(),
            records: opened.records.clone(),
            contents: opened.contents.clone(),
            quotas: Arc::clone(&opened.quotas),
            memory: Arc::clone(&opened.memory),
            detached: self.detached.clone(),
            heavy: self.heavy.clone(),
            shutdown: self.shutdown.clone(),
            of_subjects: Arc::clone(&opened.of_subjects),
            live: Default::default(),
        })
    }

    fn policies(&self, opened: &Opened) -> Policies {
        Policies::new(PolicyCore {
            sandbox: opened.sandbox.clone(),
            queue: self.queue.clone(),
            processors: Arc::clone(&self.processors),
            records: opened.records.clone(),
            of_subjects: Arc::clone(&opened.of_subjects),
            shutdown: self.shutdown.clone(),
        })
    }
}

/// Has events of ended executions and then idle sessions give way under memory pressure: first
/// those of the subject that asks, then those of the subjects with the most. No subject with less
/// than a fair share loses one.
fn evict_under_pressure(memory: &Memory, executions: &Executions, sessions: &Sessions) {
    let (executions, sessions) = (executions.downgrade(), sessions.downgrade());
    memory.asks(Box::new(move |wanted: Wanted<'_>| {
        Executions::upgrade(&executions).is_some_and(|executions| executions.evict(wanted))
            || Sessions::upgrade(&sessions).is_some_and(|sessions| sessions.evict(wanted))
    }));
}

impl Service {
    /// Opens the state folder and builds the sandbox.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn open(
        state: State,
        config: &Config,
        sandbox: SandboxBuilder,
    ) -> Result<Self, StartError> {
        let failed = |error| StartError::State(state.folder.clone(), error);
        let dir = state_folder(&state.folder).map_err(failed)?;
        let lock = lock_folder(&state.folder, &dir)?;
        let opened = Opened::open(&state, config, sandbox, dir).await?;
        let shared = Components::new(&opened, config)?;
        let executions = shared.executions(&opened);
        let sessions = shared.sessions(&opened, config, &executions);
        let trees = shared.trees(&opened, &executions);
        let policies = shared.policies(&opened);
        evict_under_pressure(&opened.memory, &executions, &sessions);
        let identities = Identities::new(
            config,
            opened.records.clone(),
            Arc::clone(&opened.of_subjects),
            state.anonymous,
        )
        .map_err(StartError::Client)?;
        let maintenance = Maintenance {
            executions: executions.clone(),
            sessions: sessions.clone(),
            trees: trees.clone(),
            identities: identities.clone(),
            alerts: Arc::clone(&shared.alerts),
            records: opened.records.clone(),
            contents: opened.contents,
            quotas: Arc::clone(&opened.quotas),
            audit: Arc::clone(&opened.audit_log.log),
            state: Arc::clone(&opened.state),
            retention: config.retention.clone(),
        };
        Ok(Self {
            executions,
            sessions,
            trees,
            policies,
            identities,
            audit: AuditSearch::new(opened.state),
            alerts: shared.alerts,
            refusals: Refusals::new(opened.sandbox.clone(), Arc::clone(&opened.quotas)),
            quotas: opened.quotas,
            of_subjects: opened.of_subjects,
            memory: opened.memory,
            metrics: shared.metrics,
            heavy: shared.heavy,
            sandbox: opened.sandbox,
            queue: shared.queue,
            records: opened.records,
            shutdown: shared.shutdown,
            maintenance,
            audit_log: Arc::new(opened.audit_log),
            host_failed: shared.host_failed,
            drain: config.limits.drain,
            _lock: lock,
        })
    }

    /// Starts what runs beside the requests: maintenance, health checks of the tiers, and storing
    /// the head of the audit log.
    #[must_use]
    pub fn start_background(&self) -> Background {
        let audit_log = Arc::clone(&self.audit_log);
        Background {
            maintenance: tokio::spawn(self.maintenance.clone().run()),
            supervisor: tokio::spawn(supervisor::watch(
                self.sandbox.clone(),
                Arc::clone(&self.alerts),
                Arc::clone(&self.host_failed),
            )),
            heads: tokio::spawn(async move { audit_log.keep_heads().await }),
        }
    }

    /// Accepts nothing new from here on, waits for what runs, and cancels what does not end in
    /// time.
    pub async fn drain(&self) {
        self.shutdown.begin();
        let deadline = tokio::time::Instant::now() + self.drain;
        while !self.executions.unfinished().is_empty() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(DRAIN_INTERVAL).await;
        }
        for active in self.executions.unfinished() {
            active.cancel();
            let _ = active.finished().await;
        }
        self.trees.end().await;
        self.sessions.end_all().await;
    }

    /// Writes all records, once no client is served any more.
    pub async fn close(&self, background: Background) {
        background.end();
        self.audit_log.keep_head(None).await;
        let audit: &JsonLines = &self.audit_log.log;
        self.quotas.audited(&audit.take_written());
        self.maintenance.store_audited().await;
        tracing::info!(head = %audit.head(), "the audit log ends");
        self.records.close().await;
    }

    /// # Errors
    ///
    /// If the service cannot do its work: it is shutting down, no tier works, or the database takes
    /// no records.
    pub async fn check_ready(&self) -> Result<(), ServiceError> {
        if self.shutdown.has_begun() {
            return Err(ServiceError::new(
                Code::ShuttingDown,
                "the service is about to end",
            ));
        }
        let facts = self.sandbox.facts();
        if facts.tiers.iter().all(|tier| tier.unavailable.is_some()) {
            return Err(ServiceError::new(Code::NotReady, "no tier works"));
        }
        if !self.records.answers().await {
            return Err(ServiceError::new(
                Code::NotReady,
                "the database does not answer, or takes no records",
            ));
        }
        Ok(())
    }

    /// Returns all metrics in the OpenMetrics text format.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let (running, queued) = self.queue.numbers();
        self.metrics.text(&Gauges {
            running,
            queued,
            sessions: self.sessions.count(),
            kept_bytes: self.quotas.all(),
            alerts: self.alerts.fired(),
            sandbox: &self.sandbox,
        })
    }

    /// Returns usage by day, and what the caller keeps.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn usage(
        &self,
        caller: &Caller,
        query: UsageFilter,
    ) -> Result<UsageList, ServiceError> {
        let subject = caller.subject.as_str();
        let of_subject = (query.subjects == Subjects::Caller).then_some(subject);
        let usage = self
            .records
            .usage(of_subject, query.since_ms, query.until_ms)
            .await?;
        let (kept_bytes, kept_limit_bytes) = self.quotas.of(&caller.subject);
        Ok(UsageList {
            usage,
            kept_bytes,
            kept_limit_bytes,
        })
    }
}

/// The subjects of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// The caller alone.
    Caller,
    /// All of them.
    All,
}

/// The period and the subjects of usage.
#[derive(Clone, Copy, Debug)]
pub struct UsageFilter {
    /// The subjects.
    pub subjects: Subjects,
    /// Start of the period, in milliseconds since 1970.
    pub since_ms: i64,
    /// End of the period (exclusive), in milliseconds since 1970.
    pub until_ms: i64,
}

/// The tasks that run beside the requests.
pub struct Background {
    maintenance: JoinHandle<()>,
    supervisor: JoinHandle<()>,
    heads: JoinHandle<()>,
}

impl Background {
    /// Stops maintenance and health checks, once nothing runs any more.
    pub fn stop(&self) {
        self.maintenance.abort();
        self.supervisor.abort();
    }

    fn end(self) {
        self.stop();
        self.heads.abort();
    }
}
