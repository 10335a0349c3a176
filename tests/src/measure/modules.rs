//! Module graph: which modules of a crate depend on each other in a circle?

use super::Source;
use std::collections::{BTreeMap, BTreeSet};

/// The modules that each module of a crate names, by their path below its root; the root is the
/// empty path.
pub type Modules = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Returns which modules of a crate name each other; `sources` are its files by their path below
/// the folder of its root.
pub fn graph<'a>(sources: impl Iterator<Item = (&'a str, &'a Source)>) -> Modules {
    let all: BTreeMap<Vec<String>, &Source> = sources
        .map(|(path, source)| (module(path), source))
        .collect();
    let mut graph = Modules::new();
    for (own, source) in &all {
        let named = source
            .paths
            .iter()
            .filter_map(|path| resolve(own, path, &all));
        graph
            .entry(own.clone())
            .or_default()
            .extend(named.filter(|used| used != own));
    }
    graph
}

fn module(path: &str) -> Vec<String> {
    match path.trim_end_matches(".rs") {
        "lib" | "main" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

/// Returns the innermost module that a path names, as seen from a module.
fn resolve<T>(
    own: &[String],
    path: &[String],
    all: &BTreeMap<Vec<String>, T>,
) -> Option<Vec<String>> {
    let mut at = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => own.to_vec(),
        child => {
            let at = [own, &[child.to_owned()]].concat();
            return all.contains_key(&at).then_some(at);
        }
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => {
                at.pop();
            }
            next => {
                at.push(next.to_owned());
                if !all.contains_key(&at) {
                    at.pop();
                    break;
                }
            }
        }
    }
    Some(at)
}

/// Returns the groups of modules each of which reaches all others of its group.
#[must_use]
pub fn circles(graph: &Modules) -> Vec<Vec<String>> {
    let reach = |from: &Vec<String>| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            for next in graph.get(at).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = graph.keys().map(|from| (from, reach(from))).collect();
    let mut groups = BTreeSet::new();
    for (from, seen) in &reached {
        let group: Vec<String> = seen
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(from)))
            .map(|module| module.join("::"))
            .collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}
