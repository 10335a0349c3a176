//! Tools: which functions outside of the sandbox can a program call, and what answers them?
//!
//! A [`ToolProvider`] lists and calls them; secrets that a tool needs stay in it. The sandbox asks
//! the grant, counts and records each call before the provider sees it.

use crate::host::error::CallError;
use crate::outcome::RunId;
use async_trait::async_trait;
use glovebox_policy::{Grant, Subject};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// A source of tools for the programs of a sandbox, in every tier.
///
/// A [`Sandbox`](crate::Sandbox) has one; [`Sandbox::set_tools`](crate::Sandbox::set_tools)
/// replaces it while programs run.
#[async_trait]
pub trait ToolProvider: Send + Sync {
    /// Returns the tools for a grant. Those that the grant does not allow need not be left out: the
    /// sandbox filters the list.
    fn tools(&self, grant: &Grant) -> Vec<ToolSpec>;

    /// Makes one call, which the grant allows, and returns its result as JSON text of at most
    /// 16 MiB.
    ///
    /// Dropped when its run ends, and its result has no receiver after [`ToolCall::deadline`].
    ///
    /// # Errors
    ///
    /// The error that the program sees. A tool that is not provided is [`CallError::Invalid`].
    async fn call(&self, call: ToolCall<'_>) -> Result<String, CallError>;
}

/// The description of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolSpec {
    /// The name, as policies write it: `tool` or `server/tool`.
    pub name: String,
    /// The description of the tool, for the author of a program.
    pub description: String,
    /// JSON Schema of its arguments, as JSON text; none if it is not known.
    pub input_schema: Option<String>,
    /// JSON Schema of its result, as JSON text; none if it is not known.
    pub output_schema: Option<String>,
}

/// One call of a tool.
#[derive(Debug)]
#[non_exhaustive]
pub struct ToolCall<'a> {
    /// The run or session that makes it.
    pub run: RunId,
    /// Its subject.
    pub subject: &'a Subject,
    /// The name of the tool.
    pub name: &'a str,
    /// The arguments as JSON text, at most 16 MiB. From the program, unparsed and untrusted.
    pub arguments: String,
    /// The end of the run's wall-clock time.
    pub deadline: Instant,
    /// The number of the call among the host calls of its run, from 1.
    pub number: u64,
}

impl ToolCall<'_> {
    /// Returns a key that no other call has. An upstream that knows it can recognise a repeated
    /// request for this call.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}-{}", self.run, self.number)
    }
}

/// A function of the embedder that a program may call by name, if its grant allows that name.
#[async_trait]
pub trait Tool: Send + Sync {
    /// Answers one call.
    ///
    /// `arguments` and the result are JSON texts. The arguments come from the program, are
    /// untrusted, and are at most 16 MiB.
    ///
    /// # Errors
    ///
    /// A message for the author of the program.
    async fn call(&self, arguments: String) -> Result<String, String>;
}

/// The tools of [`SandboxBuilder::tool`](crate::SandboxBuilder::tool), by name.
#[derive(Clone, Default)]
pub(crate) struct NamedTools(BTreeMap<String, Arc<dyn Tool>>);

impl NamedTools {
    pub(crate) fn insert(&mut self, name: String, tool: Arc<dyn Tool>) {
        self.0.insert(name, tool);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for NamedTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[async_trait]
impl ToolProvider for NamedTools {
    fn tools(&self, _: &Grant) -> Vec<ToolSpec> {
        let spec = |name: &String| ToolSpec {
            name: name.clone(),
            ..ToolSpec::default()
        };
        self.0.keys().map(spec).collect()
    }

    async fn call(&self, call: ToolCall<'_>) -> Result<String, CallError> {
        let Some(tool) = self.0.get(call.name) else {
            return Err(CallError::Invalid(format!(
                "the tool `{}` is granted, but no tool provider offers it",
                call.name.escape_debug()
            )));
        };
        tool.call(call.arguments).await.map_err(CallError::Failed)
    }
}
