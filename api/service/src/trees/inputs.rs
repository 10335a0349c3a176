//! Inputs of a task: what do the tasks before it leave it?

use super::TreeCore;
use super::tree::Tree;
use crate::error::{Code, ServiceError};
use crate::memory::MemoryCharge;
use crate::records::rows::{ArtifactRow, ExecutionRow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox_wire::request::{ExecutionRequest, FileBody};
use glovebox_wire::tree::TaskRequest;

/// Maximum bytes of inputs that a task gets from its dependencies.
const MAX_INPUTS: usize = 64 << 20;

/// Returns a task with the outputs of its dependencies, and the memory charged for them: once here,
/// and once as what runs.
pub(super) async fn gather(
    core: &TreeCore,
    tree: &Tree,
    at: usize,
    task: &TaskRequest,
) -> Result<(ExecutionRequest, MemoryCharge), ServiceError> {
    let mut execution = task.execution.clone();
    let mut charge = core
        .memory
        .take(&tree.subject, execution.size().saturating_mul(2))?;
    for parent in tree.plan.parents.get(at).into_iter().flatten() {
        let room = MAX_INPUTS.saturating_sub(execution.file_bytes());
        execution.add_files(outputs(core, tree, *parent, room, &mut charge).await?);
    }
    Ok((execution, charge))
}

/// Returns the outputs of a task, as input files of its dependents.
async fn outputs(
    core: &TreeCore,
    tree: &Tree,
    parent: usize,
    room: usize,
    charge: &mut MemoryCharge,
) -> Result<Vec<FileBody>, ServiceError> {
    let Some(task) = tree.plan.tasks.get(parent) else {
        return Ok(Vec::new());
    };
    let node = tree.lock().nodes.get(parent).cloned();
    let Some(node) = node else {
        return Ok(Vec::new());
    };
    let path = |name: &str| format!("inputs/{}/{name}", task.name);
    let mut files = vec![FileBody::text(path("status"), node.status.to_string())];
    let Some(id) = node.execution else {
        return Ok(files);
    };
    // A momentary lock of the database must not fail the tree.
    core.records
        .settle()
        .await
        .map_err(|error| ServiceError::internal(&error))?;
    let Some(row) = core.records.execution(tree.subject.as_str(), &id).await? else {
        return Ok(files);
    };
    files.extend(output_files(&row, &path));
    let artifacts = core.records.artifacts(&id).await?;
    let before: usize = files.iter().map(FileBody::size).sum();
    let bytes = |artifact: &ArtifactRow| usize::try_from(artifact.bytes).unwrap_or(usize::MAX);
    let all = artifacts
        .iter()
        .map(bytes)
        .fold(before, usize::saturating_add);
    if all > room {
        let detail = format!(
            "the tasks before it left more than {MAX_INPUTS} bytes; have them leave less, or leave it elsewhere"
        );
        return Err(ServiceError::new(Code::Invalid, detail));
    }
    // Charged before they are read.
    charge.grow(all.saturating_mul(2))?;
    for artifact in artifacts {
        let blobs = core.contents.blobs.clone();
        let content = tokio::task::spawn_blocking(move || blobs.get(&artifact.sha256))
            .await
            .map_err(|error| ServiceError::internal(&error))?;
        let content = content.map_err(|error| ServiceError::internal(&error))?;
        files.push(FileBody::base64(
            path(&format!("files/{}", artifact.path)),
            STANDARD.encode(content),
        ));
    }
    Ok(files)
}

/// Returns the output of an execution as files.
fn output_files(row: &ExecutionRow, path: &impl Fn(&str) -> String) -> Vec<FileBody> {
    let result: serde_json::Value = row
        .result
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let text = |name: &str| {
        result
            .get(name)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    };
    let stdout = match text("stdout_base64") {
        Some(base64) => FileBody::base64(path("stdout"), base64),
        None => FileBody::text(path("stdout"), text("stdout").unwrap_or_default()),
    };
    let value = result
        .pointer("/value/json")
        .filter(|value| !value.is_null());
    std::iter::once(stdout)
        .chain(value.map(|value| FileBody::text(path("value.json"), value.to_string())))
        .collect()
}
