//! Task graph: which task depends on which?

use super::tree::Node;
use crate::error::{Code, ServiceError};
use glovebox_wire::tree::{Progress, TaskRequest, TaskState, TreeRequest};
use std::collections::{HashMap, HashSet};

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
    /// The tasks, each after all of its dependencies.
    order: Vec<usize>,
}

impl Plan {
    /// # Errors
    ///
    /// If the dependencies have a cycle or are invalid.
    pub(super) fn new(request: TreeRequest) -> Result<Self, ServiceError> {
        let invalid = |text: String| Err(invalid(text));
        let TreeRequest {
            mut tasks,
            parallel,
        } = request;
        if tasks.is_empty() || tasks.len() > MAX_TASKS {
            return invalid(format!(
                "a tree has 1 to {MAX_TASKS} tasks, not {}",
                tasks.len()
            ));
        }
        if parallel.is_some_and(|parallel| !(1..=1000).contains(&parallel)) {
            return invalid("`parallel` is 1 to 1000".to_owned());
        }
        for task in &mut tasks {
            // Repeated names would be repeated in every response.
            let mut seen = HashSet::new();
            task.after.retain(|name| seen.insert(name.clone()));
        }
        let positions = positions(&tasks)?;
        let mut parents = Vec::new();
        let mut children = vec![Vec::new(); tasks.len()];
        let mut edges = 0;
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
                own.push(parent);
                children
                    .get_mut(parent)
                    .into_iter()
                    .for_each(|children: &mut Vec<usize>| children.push(at));
                edges += 1;
            }
            parents.push(own);
        }
        if edges > MAX_EDGES {
            return invalid(format!(
                "a tree has at most {MAX_EDGES} dependencies, not {edges}"
            ));
        }
        let mut plan = Self {
            order: Vec::new(),
            parallel: parallel
                .and_then(|parallel| usize::try_from(parallel).ok())
                .unwrap_or(usize::MAX),
            parents,
            children,
            tasks,
        };
        match plan.order() {
            Err(at) => {
                let name = plan.tasks.get(at).map_or("", |task| task.name.as_str());
                invalid(format!(
                    "`{name}` waits for itself, by way of those that it comes after"
                ))
            }
            Ok(order) => {
                plan.order = order;
                Ok(plan)
            }
        }
    }

    /// Returns the tasks in a topological order.
    ///
    /// # Errors
    ///
    /// A task on a dependency cycle.
    fn order(&self) -> Result<Vec<usize>, usize> {
        let mut waits: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut free: Vec<usize> = waits
            .iter()
            .enumerate()
            .filter(|(_, waits)| **waits == 0)
            .map(|(at, _)| at)
            .collect();
        let mut order = Vec::with_capacity(self.tasks.len());
        while let Some(at) = free.pop() {
            order.push(at);
            for child in self.children.get(at).into_iter().flatten() {
                if let Some(waits) = waits.get_mut(*child) {
                    *waits -= 1;
                    if *waits == 0 {
                        free.push(*child);
                    }
                }
            }
        }
        match waits.iter().position(|waits| *waits > 0) {
            Some(at) => Err(at),
            None => Ok(order),
        }
    }

    /// Returns the progress of each task's branch: itself and all of its transitive dependents.
    pub(super) fn branch_progress(&self, nodes: &[Node]) -> Vec<Progress> {
        let mut branches = vec![TaskSet::default(); self.tasks.len()];
        for at in self.order.iter().rev() {
            let mut branch = TaskSet::default();
            branch.add(*at);
            for child in self.children.get(*at).into_iter().flatten() {
                branches
                    .get(*child)
                    .into_iter()
                    .for_each(|below| branch.join(below));
            }
            branches
                .get_mut(*at)
                .into_iter()
                .for_each(|all| *all = branch);
        }
        let with = |is_it: &dyn Fn(&Node) -> bool| {
            let mut tasks = TaskSet::default();
            let found = nodes.iter().enumerate().filter(|(_, node)| is_it(node));
            found.for_each(|(at, _)| tasks.add(at));
            tasks
        };
        let running = with(&|node| node.status == TaskState::RUNNING);
        let ended = with(&Node::is_over);
        let succeeded = with(&|node| node.status == TaskState::SUCCEEDED);
        let progress = |branch: &TaskSet| Progress {
            total: branch.common(branch),
            running: branch.common(&running),
            ended: branch.common(&ended),
            succeeded: branch.common(&succeeded),
        };
        branches.iter().map(progress).collect()
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

/// A set of tasks, as bits.
#[derive(Clone, Copy, Default)]
struct TaskSet([u64; MAX_TASKS.div_ceil(64)]);

impl TaskSet {
    fn add(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn join(&mut self, other: &Self) {
        let words = self.0.iter_mut().zip(other.0);
        words.for_each(|(word, other)| *word |= other);
    }

    /// Returns the number of tasks that are in both.
    fn common(&self, other: &Self) -> usize {
        let words = self.0.iter().zip(other.0);
        words
            .map(|(word, other)| (word & other).count_ones() as usize)
            .sum()
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
        assert_eq!(diamond.tasks[2].after, ["a"]);
        let nodes = [
            TaskState::Waiting,
            TaskState::RUNNING,
            TaskState::SUCCEEDED,
            TaskState::SUCCEEDED,
        ]
        .map(|status| Node {
            status,
            ..Node::waiting()
        });
        let branches = diamond.branch_progress(&nodes).into_iter();
        let counts: Vec<_> = branches
            .map(|progress| {
                [
                    progress.total,
                    progress.running,
                    progress.ended,
                    progress.succeeded,
                ]
            })
            .collect();
        assert_eq!(
            counts,
            [[1, 0, 0, 0], [2, 1, 0, 0], [2, 0, 1, 1], [4, 1, 2, 2]]
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
