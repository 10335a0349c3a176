//! Canonical form of a policy: how is its meaning written so that equal meanings are equal texts?

use std::fmt::Display;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::config::profile::Profile;
use crate::config::rules::Rules;
use crate::network::rules::HostRule;
use crate::units::{show_duration, show_size};

/// Returns one `key = value` line for each thing that a decision can depend on. Strings are quoted,
/// so that no value can inject a line.
pub(crate) fn canonical_text(rules: &Rules) -> String {
    let mut out = Lines {
        text: String::from("version = 1\n"),
        prefix: String::new(),
    };
    if let Some(name) = &rules.default_profile {
        out.line("default_profile", format_args!("{name:?}"));
    }
    for (quota, amount) in rules.quotas.entries() {
        out.line(&format!("quotas.{quota}"), amount);
    }
    let mut bindings: Vec<_> = rules
        .bindings
        .iter()
        .map(|binding| (binding.subject.to_string(), binding))
        .collect();
    bindings.sort_by(|(left, _), (right, _)| left.cmp(right));
    for (subject, binding) in bindings {
        out.line(
            "bindings",
            format_args!("{subject:?} {:?}", binding.profiles),
        );
        for (quota, amount) in binding.quotas.entries() {
            out.line(
                &format!("bindings.quotas.{quota}"),
                format_args!("{subject:?} {amount}"),
            );
        }
    }
    for (name, profile) in &rules.profiles {
        out.prefix = format!("profiles.{name}.");
        write_profile(&mut out, profile);
    }
    out.text
}

struct Lines {
    text: String,
    prefix: String,
}

impl Lines {
    fn line(&mut self, key: &str, value: impl Display) {
        self.text
            .push_str(&format!("{}{key} = {value}\n", self.prefix));
    }
}

fn write_profile(out: &mut Lines, profile: &Profile) {
    out.line("languages", format_args!("{:?}", profile.languages));
    out.line(
        "tiers",
        format_args!(
            "{:?}",
            profile
                .tiers
                .iter()
                .map(|tier| tier.name())
                .collect::<Vec<_>>()
        ),
    );
    out.line("min_isolation", profile.min_isolation);
    out.line("clock_resolution", show_duration(profile.clock_resolution));
    if let Some(seed) = profile.seed {
        out.line("seed", seed);
    }
    for (name, amount) in profile.limits.entries() {
        out.line(&format!("limits.{name}"), amount);
    }
    for (severity, action) in profile.findings.entries() {
        out.line(
            &format!("findings.{severity}"),
            format_args!("{:?}", action.name()),
        );
    }
    write_mounts_and_environment(out, profile);
    write_network(out, profile);
    for (side, list) in [
        ("allow", &profile.tools.allow),
        ("deny", &profile.tools.deny),
    ] {
        write_names(
            out,
            &format!("tools.{side}"),
            list.iter().map(|rule| rule.pattern.to_string()),
        );
    }
    for (language, digest) in &profile.images {
        out.line(&format!("images.{language}"), digest);
    }
    if let Some(runtime) = &profile.runtime {
        out.line("runtime", runtime);
    }
    write_packages(out, profile);
}

fn write_mounts_and_environment(out: &mut Lines, profile: &Profile) {
    for mount in &profile.mounts {
        out.line(
            "mounts",
            format_args!(
                "{:?} {:?} write={}",
                mount.host, mount.guest, mount.writable
            ),
        );
    }
    for (name, value) in &profile.environment.set {
        // The value may be a secret, and this text is shown to users.
        out.line(
            &format!("environment.set.{name}"),
            format_args!(
                "sha256:{}",
                HEXLOWER.encode(&Sha256::digest(value.as_bytes()))
            ),
        );
    }
    let mut allowed: Vec<String> = profile
        .environment
        .allow
        .iter()
        .map(ToString::to_string)
        .collect();
    allowed.sort();
    out.line("environment.allow", format_args!("{allowed:?}"));
}

fn write_packages(out: &mut Lines, profile: &Profile) {
    for rules in &profile.packages {
        for (side, list) in [("allow", &rules.allow), ("deny", &rules.deny)] {
            write_names(
                out,
                &format!("{}.{side}", rules.section()),
                list.iter().map(|rule| rule.meaning(rules.ecosystem)),
            );
        }
        out.line(
            &format!("{}.dependencies", rules.section()),
            if rules.listed_only { "allowed" } else { "any" },
        );
        if let Some(index) = &rules.index {
            out.line(
                &format!("{}.index", rules.section()),
                format_args!("{index:?}"),
            );
        }
    }
}

fn write_network(out: &mut Lines, profile: &Profile) {
    let network = &profile.network;
    for (key, rules) in [
        ("network.allow", &network.allow),
        ("network.deny", &network.deny),
    ] {
        for rule in rules {
            out.line(key, show_rule(rule));
        }
    }
    let ranges: Vec<String> = network
        .private_ranges
        .iter()
        .map(ToString::to_string)
        .collect();
    out.line("network.private_ranges", format_args!("{ranges:?}"));
    out.line("network.response", show_size(network.limits.response));
    out.line("network.request", show_size(network.limits.request));
    out.line("network.redirects", network.limits.redirects);
    out.line("network.timeout", show_duration(network.limits.timeout));
}

fn show_rule(rule: &HostRule) -> String {
    let mut out = rule.host.to_string();
    let parts = [
        ("schemes", &rule.schemes),
        ("methods", &rule.methods),
        ("paths", &rule.paths),
    ];
    for (key, words) in parts
        .into_iter()
        .filter_map(|(key, words)| words.as_ref().map(|words| (key, words)))
    {
        out += &format!(" {key}={words:?}");
    }
    if let Some(ports) = &rule.ports {
        out += &format!(" ports={ports:?}");
    }
    out
}

fn write_names(out: &mut Lines, key: &str, names: impl Iterator<Item = String>) {
    let mut names: Vec<String> = names.collect();
    names.sort();
    out.line(key, format_args!("{names:?}"));
}
