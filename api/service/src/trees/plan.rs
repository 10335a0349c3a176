//! Task graph: which task depends on which?

use crate::error::{Code, ServiceError};
use glovebox_wire::tree::{TaskRequest, TreeRequest};
use std::collections::HashMap;

/// Maximum tasks of one tree.
const MAX_TASKS: usize = 500;

/// Maximum dependencies of one tree.
const MAX_EDGES: usize = 5000;

/// Maximum automatic retries of a task.
const MAX_RETRIES: u64 = 10;

/// Tasks whose dependencies were checked for cycles.
pub(super) struct Plan {
    pub(super) tasks: Vec<TaskRequest>,
    pub(super) parallel: usize,
    /// The dependencies of each task.
    pub(super) parents: Vec<Vec<usize>>,
    /// The direct dependents of each task.
    children: Vec<Vec<usize>>,
}

impl Plan {
    /// # Errors
    ///
    /// If the dependencies have a cycle or are invalid.
    pub(super) fn new(request: TreeRequest) -> Result<Self, ServiceError> {
        let invalid = |text: String| Err(invalid(text));
        let TreeRequest { tasks, parallel } = request;
        if tasks.is_empty() || tasks.len() > MAX_TASKS {
            return invalid(format!(
                "a tree has 1 to {MAX_TASKS} tasks, not {}",
                tasks.len()
            ));
        }
        if parallel.is_some_and(|parallel| !(1..=1000).contains(&parallel)) {
            return invalid("`parallel` is 1 to 1000".to_owned());
        }
        let positions = positions(&tasks)?;
        let mut parents = Vec::new();
        let mut children = vec![Vec::new(); tasks.len()];
        let mut edges = 0;
        let mut last_child = vec![None; tasks.len()];
        for (at, task) in tasks.iter().enumerate() {
            let mut own = Vec::new();
            for name in &task.after {
                let Some(parent) = positions.get(name.as_str()).copied() else {
                    return invalid(format!(
                        "`{}` comes after `{}`, which is no task of the tree",
                        task.name,
                        name.escape_debug()
                    ));
                };
                // The same dependency may be named twice.
                let seen = last_child
                    .get_mut(parent)
                    .is_some_and(|last| last.replace(at) == Some(at));
                if !seen {
                    own.push(parent);
                    children
                        .get_mut(parent)
                        .into_iter()
                        .for_each(|children: &mut Vec<usize>| children.push(at));
                    edges += 1;
                }
            }
            parents.push(own);
        }
        if edges > MAX_EDGES {
            return invalid(format!(
                "a tree has at most {MAX_EDGES} dependencies, not {edges}"
            ));
        }
        let plan = Self {
            parallel: parallel
                .and_then(|parallel| usize::try_from(parallel).ok())
                .unwrap_or(usize::MAX),
            parents,
            children,
            tasks,
        };
        match plan.circle() {
            Some(at) => {
                let name = plan.tasks.get(at).map_or("", |task| task.name.as_str());
                invalid(format!(
                    "`{name}` waits for itself, by way of those that it comes after"
                ))
            }
            None => Ok(plan),
        }
    }

    /// Returns a task on a dependency cycle.
    fn circle(&self) -> Option<usize> {
        let mut waits: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut free: Vec<usize> = waits
            .iter()
            .enumerate()
            .filter(|(_, waits)| **waits == 0)
            .map(|(at, _)| at)
            .collect();
        while let Some(at) = free.pop() {
            for child in self.children.get(at).into_iter().flatten() {
                if let Some(waits) = waits.get_mut(*child) {
                    *waits -= 1;
                    if *waits == 0 {
                        free.push(*child);
                    }
                }
            }
        }
        waits.iter().position(|waits| *waits > 0)
    }

    /// Returns a task and all of its transitive dependents.
    pub(super) fn branch(&self, at: usize) -> Vec<usize> {
        let mut seen = vec![false; self.tasks.len()];
        let mut branch = Vec::new();
        let mut next = vec![at];
        while let Some(at) = next.pop() {
            if let Some(seen) = seen.get_mut(at)
                && !std::mem::replace(seen, true)
            {
                branch.push(at);
                next.extend(self.children.get(at).into_iter().flatten());
            }
        }
        branch
    }

    /// Returns all tasks.
    pub(super) fn branches(&self) -> Vec<usize> {
        (0..self.tasks.len()).collect()
    }

    /// Returns the index of a task.
    pub(super) fn find(&self, name: &str) -> Result<usize, ServiceError> {
        self.tasks
            .iter()
            .position(|task| task.name == name)
            .ok_or_else(|| ServiceError::not_found("task"))
    }

    /// Returns the tasks as they are stored: without environment variables, which are often
    /// secrets.
    pub(super) fn kept(&self) -> TreeRequest {
        self.request(TaskRequest::without_environment)
    }

    /// Returns what is needed to report on the tasks: all but their programs.
    pub(super) fn outline(&self) -> TreeRequest {
        self.request(TaskRequest::outline)
    }

    fn request(&self, task: impl Fn(&TaskRequest) -> TaskRequest) -> TreeRequest {
        TreeRequest {
            tasks: self.tasks.iter().map(task).collect(),
            parallel: u64::try_from(self.parallel)
                .ok()
                .filter(|parallel| *parallel <= 1000),
        }
    }
}

fn invalid(text: String) -> ServiceError {
    ServiceError::new(Code::Invalid, text)
}

/// Checks each task by itself; returns their indexes by name.
///
/// # Errors
///
/// If one is invalid, or two have the same name.
fn positions(tasks: &[TaskRequest]) -> Result<HashMap<&str, usize>, ServiceError> {
    let mut positions = HashMap::new();
    for (at, task) in tasks.iter().enumerate() {
        let is_name = (1..=64).contains(&task.name.len())
            && task
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !is_name {
            return Err(invalid(format!(
                "`{}` is no task's name: letters, digits, `_` and `-`, 64 at most",
                task.name.escape_debug()
            )));
        }
        if positions.insert(task.name.as_str(), at).is_some() {
            return Err(invalid(format!("two tasks are called `{}`", task.name)));
        }
        if task.retries.is_some_and(|retries| retries > MAX_RETRIES) {
            return Err(invalid(format!(
                "`{}` is to be tried again more than {MAX_RETRIES} times",
                task.name
            )));
        }
        if task.execution.stdin_open() {
            return Err(invalid(format!(
                "`{}` has `stdin_open`, which tasks of a tree cannot have",
                task.name
            )));
        }
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(edges: &[(&str, &[&str])]) -> Result<Plan, String> {
        let tasks: Vec<_> =
            edges.iter().map(|(name, after)| json!({ "name": name, "after": after, "execution": { "language": "python" } })).collect();
        Plan::new(serde_json::from_value(json!({ "tasks": tasks })).unwrap())
            .map_err(|error| error.detail().to_owned())
    }

    #[test]
    fn tasks_have_an_order_or_are_refused() {
        let diamond = plan(&[
            ("d", &["b", "c"]),
            ("b", &["a"]),
            ("c", &["a", "a"]),
            ("a", &[]),
        ])
        .unwrap();
        let mut branch = diamond.branch(3);
        branch.sort_unstable();
        assert_eq!(branch, [0, 1, 2, 3]);
        assert_eq!(
            (diamond.branch(1), diamond.parents[0].len()),
            (vec![1, 0], 2)
        );
        for (edges, says) in [
            (&[][..], "1 to 500"),
            (&[("a", &["a"][..])][..], "waits for itself"),
            (
                &[
                    ("a", &["b"][..]),
                    ("b", &["c"][..]),
                    ("c", &["a"][..]),
                    ("d", &[][..]),
                ][..],
                "waits for itself",
            ),
            (&[("a", &["x"][..])][..], "no task of the tree"),
            (&[("a", &[][..]), ("a", &[][..])][..], "two tasks"),
            (&[("../a", &[][..])][..], "no task's name"),
            (&[("", &[][..])][..], "no task's name"),
        ] {
            let error = plan(edges).err().unwrap();
            assert!(error.contains(says), "{error}");
        }
    }
}
