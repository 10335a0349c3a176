//! Task graph: which task depends on which?

use super::super::body::{ExecutionRequest, number};
use super::super::bounded::{After, Named, Tasks, objects, texts};
use super::super::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// Maximum tasks of one tree.
const MAX_TASKS: usize = 500;

/// Maximum dependencies of one tree.
const MAX_EDGES: usize = 5000;

/// Maximum automatic retries of a task.
const MAX_RETRIES: u64 = 10;

/// Executions that depend on one another.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TaskTreeRequest, example = json!({ "tasks": [
    { "name": "fetch", "execution": { "language": "python", "source": "print(6 * 7)" } },
    { "name": "use", "after": ["fetch"], "execution": { "language": "javascript",
      "source": "console.log(require('fs').readFileSync('inputs/fetch/stdout', 'utf8'))" } },
] }))]
pub(in crate::http) struct TreeRequest {
    /// The tasks, in any order.
    #[schema(required = true, min_items = 1, max_items = 500)]
    #[serde(deserialize_with = "objects::<_, Tasks, _>")]
    pub(super) tasks: Vec<TaskBody>,
    /// Maximum number of tasks that run at once, from 1 to 1000; by default, only the subject's limits apply.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 1, maximum = 1000)]
    pub(super) parallel: Option<u64>,
}

/// One task.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TaskRequest)]
pub(in crate::http) struct TaskBody {
    /// The name by which other tasks refer to it: letters, digits, `_` and `-`.
    #[schema(required = true, default = json!(null), pattern = "^[A-Za-z0-9_-]{1,64}$")]
    pub(super) name: String,
    /// The program. For every task on which it depends, its workspace has `inputs/NAME/status`, `inputs/NAME/stdout`,
    /// `inputs/NAME/value.json` if there is a value, and its artifacts in `inputs/NAME/files`.
    #[schema(required = true)]
    pub(super) execution: ExecutionRequest,
    /// The tasks that have to end before it begins (dependencies).
    #[serde(deserialize_with = "texts::<_, After>")]
    pub(super) after: Vec<String>,
    /// The effect on other tasks if it does not succeed.
    pub(super) on_failure: OnFailure,
    /// Number of automatic retries.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 0, maximum = 10)]
    pub(super) retries: Option<u64>,
}

impl Named for TaskBody {
    fn name(&self) -> &str {
        &self.name
    }
}

/// The effect on other tasks when one does not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum OnFailure {
    /// Its dependents are skipped; the others go on.
    #[default]
    Skip,
    /// All tasks are stopped.
    Stop,
    /// Its dependents run all the same.
    Continue,
}

/// Tasks whose dependencies were checked for cycles.
pub(super) struct Plan {
    pub(super) tasks: Vec<TaskBody>,
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
    pub(super) fn new(request: TreeRequest) -> Result<Self, Problem> {
        let invalid = |text: String| Err(Problem::new(Code::Invalid, text));
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
        let mut places = HashMap::new();
        for (at, task) in tasks.iter().enumerate() {
            let is_name = (1..=64).contains(&task.name.len())
                && task
                    .name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            if !is_name {
                return invalid(format!(
                    "`{}` is no task's name: letters, digits, `_` and `-`, 64 at most",
                    task.name.escape_debug()
                ));
            }
            if places.insert(task.name.as_str(), at).is_some() {
                return invalid(format!("two tasks are called `{}`", task.name));
            }
            if task.retries.is_some_and(|retries| retries > MAX_RETRIES) {
                return invalid(format!(
                    "`{}` is to be tried again more than {MAX_RETRIES} times",
                    task.name
                ));
            }
            if task.execution.stdin_open {
                return invalid(format!(
                    "`{}` has `stdin_open`, which tasks of a tree cannot have",
                    task.name
                ));
            }
        }
        let mut parents = Vec::new();
        let mut children = vec![Vec::new(); tasks.len()];
        let mut edges = 0;
        let mut last_child = vec![None; tasks.len()];
        for (at, task) in tasks.iter().enumerate() {
            let mut own = Vec::new();
            for name in &task.after {
                let Some(parent) = places.get(name.as_str()).copied() else {
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
    pub(super) fn find(&self, name: &str) -> Result<usize, Problem> {
        self.tasks
            .iter()
            .position(|task| task.name == name)
            .ok_or_else(|| Problem::not_found("task"))
    }

    /// Returns the tasks as they are stored: without environment variables, which are often secrets.
    pub(super) fn kept(&self) -> TreeRequest {
        let mut tasks = self.tasks.clone();
        for task in &mut tasks {
            task.execution.environment.clear();
        }
        self.request(tasks)
    }

    /// Returns what is needed to report on the tasks: all but their programs.
    pub(super) fn outline(&self) -> TreeRequest {
        let task = |task: &TaskBody| TaskBody {
            execution: ExecutionRequest {
                language: task.execution.language.clone(),
                ..ExecutionRequest::default()
            },
            name: task.name.clone(),
            after: task.after.clone(),
            ..*task
        };
        self.request(self.tasks.iter().map(task).collect())
    }

    fn request(&self, tasks: Vec<TaskBody>) -> TreeRequest {
        TreeRequest {
            tasks,
            parallel: u64::try_from(self.parallel)
                .ok()
                .filter(|parallel| *parallel <= 1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(edges: &[(&str, &[&str])]) -> Result<Plan, String> {
        let tasks: Vec<_> =
            edges.iter().map(|(name, after)| json!({ "name": name, "after": after, "execution": { "language": "python" } })).collect();
        Plan::new(serde_json::from_value(json!({ "tasks": tasks })).unwrap())
            .map_err(|problem| problem.detail())
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
