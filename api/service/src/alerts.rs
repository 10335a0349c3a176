//! Alert rules and webhooks: which events of a subject are too frequent, and how does the operator
//! learn of them?
//!
//! Rules of the config count events by subject in a sliding window. A rule that fires is written to
//! the log, listed for operators and posted to a webhook; it does not fire again for that subject
//! until the window has passed.

use crate::config::AlertRule;
use crate::http_client::client;
use crate::records::now_ms;
use data_encoding::HEXLOWER;
use glovebox::{Outcome, Status};
use glovebox_policy::{Severity, Subject};
use glovebox_wire::error::chain;
use glovebox_wire::records::{Alert, AlertKind};
use glovebox_wire::timestamp;
use glovebox_wire::to_json;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};

/// Maximum number of alerts that are listed.
const LISTED: usize = 1000;

/// Capacity of the webhook queue.
const WAITING: usize = 1000;

/// Concurrent webhook calls.
const CALLS: usize = 64;

/// Backoff before the retries of a failed webhook call.
const RETRY_BACKOFF: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];

/// The alert rules and their event counts.
pub struct Alerts {
    rules: Vec<AlertRule>,
    state: Mutex<AlertState>,
    webhooks: Option<mpsc::Sender<(usize, Alert)>>,
}

#[derive(Default)]
struct AlertState {
    /// Times of events, by rule and subject.
    seen: HashMap<(usize, String), Seen>,
    alerts: VecDeque<Alert>,
    number: u64,
}

#[derive(Default)]
struct Seen {
    times: VecDeque<Instant>,
    silent_until: Option<Instant>,
}

impl Alerts {
    /// Validates the rules. Errors are reported before the service starts.
    pub(crate) fn new(rules: Vec<AlertRule>) -> Result<Self, String> {
        let mut secrets = Vec::new();
        for rule in &rules {
            let read = |path: &std::path::PathBuf| {
                read_secret(path).map_err(|error| format!("`{}`: {error}", path.display()))
            };
            secrets.push(rule.secret_file.as_ref().map(read).transpose()?);
        }
        let webhooks = if rules.iter().any(|rule| rule.webhook.is_some()) {
            let (sender, waiting) = mpsc::channel(WAITING);
            let targets = rules
                .iter()
                .zip(secrets)
                .map(|(rule, secret)| (rule.webhook.clone(), secret))
                .collect();
            tokio::spawn(post_all(client()?, targets, waiting));
            Some(sender)
        } else {
            None
        };
        Ok(Self {
            rules,
            state: Mutex::default(),
            webhooks,
        })
    }

    /// Counts the outcome of an execution.
    pub(crate) fn ended(&self, subject: &Subject, outcome: &Outcome) {
        if self.rules.is_empty() {
            return;
        }
        let is_found = |least| {
            outcome
                .findings
                .iter()
                .any(|finding| finding.severity >= least)
        };
        for (at, rule) in self.rules.iter().enumerate() {
            let happened = match rule.on {
                AlertKind::Denied => outcome.status == Status::Denied,
                AlertKind::Limited => outcome.limit.is_some(),
                AlertKind::Crashed => outcome.status == Status::Crashed,
                AlertKind::Failed => outcome.status == Status::Failed,
                AlertKind::Finding => is_found(rule.severity.unwrap_or(Severity::Low)),
                AlertKind::Error | AlertKind::Tier => false,
            };
            if happened {
                self.count(at, subject.as_str(), Some(outcome.id.to_string()), None);
            }
        }
    }

    /// Counts another event of a subject or a tier.
    pub(crate) fn happened(
        &self,
        kind: AlertKind,
        subject: &str,
        execution: Option<String>,
        detail: &str,
    ) {
        for (at, _) in self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.on == kind)
        {
            self.count(at, subject, execution.clone(), Some(detail.to_owned()));
        }
    }

    fn count(&self, at: usize, subject: &str, execution: Option<String>, detail: Option<String>) {
        let Some(rule) = self.rules.get(at) else {
            return;
        };
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = state.seen.entry((at, subject.to_owned())).or_default();
        if seen.silent_until.is_some_and(|until| now < until) {
            return;
        }
        seen.times.push_back(now);
        while seen.times.len() > rule.count
            || seen
                .times
                .front()
                .is_some_and(|first| now.duration_since(*first) > rule.within)
        {
            seen.times.pop_front();
        }
        if seen.times.len() < rule.count {
            return;
        }
        let count = seen.times.len();
        seen.times.clear();
        seen.silent_until = Some(now + rule.within);
        state.number += 1;
        let alert = Alert {
            number: state.number,
            name: rule.name.clone(),
            on: rule.on,
            subject: subject.to_owned(),
            count,
            within_s: rule.within.as_secs(),
            at: timestamp(now_ms()),
            execution,
            detail,
        };
        state.alerts.push_back(alert.clone());
        if state.alerts.len() > LISTED {
            state.alerts.pop_front();
        }
        drop(state);
        tracing::warn!(
            alert = alert.name,
            subject = alert.subject,
            count = alert.count,
            within_s = alert.within_s,
            "an alert fired"
        );
        if rule.webhook.is_some()
            && let Some(webhooks) = &self.webhooks
            && webhooks.try_send((at, alert)).is_err()
        {
            tracing::error!(
                alert = rule.name,
                "too many webhooks wait to be called; this one is left out"
            );
        }
    }

    /// Returns how many alerts have fired.
    pub(crate) fn fired(&self) -> u64 {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .number
    }

    /// Returns alerts after a sequence number, the oldest first.
    #[must_use]
    pub fn after(&self, number: u64) -> Vec<Alert> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .alerts
            .iter()
            .filter(|alert| alert.number > number)
            .cloned()
            .collect()
    }

    /// Drops counts that no rule needs any more.
    pub(crate) fn forget(&self) {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen.retain(|(at, _), seen| {
            let within = self
                .rules
                .get(*at)
                .map_or(Duration::ZERO, |rule| rule.within);
            seen.silent_until.is_some_and(|until| now < until)
                || seen
                    .times
                    .back()
                    .is_some_and(|last| now.duration_since(*last) <= within)
        });
    }
}

/// Reads the secret that signs webhook calls.
#[expect(clippy::disallowed_methods, reason = "the operator named this file")]
fn read_secret(path: &std::path::Path) -> std::io::Result<Arc<[u8]>> {
    let secret = std::fs::read(path)?;
    Ok(secret.trim_ascii().into())
}

type Target = (Option<String>, Option<Arc<[u8]>>);

/// Calls webhooks, each until it succeeds or its retries are exhausted.
async fn post_all(
    client: reqwest::Client,
    targets: Vec<Target>,
    mut waiting: mpsc::Receiver<(usize, Alert)>,
) {
    let calls = Arc::new(Semaphore::new(CALLS));
    while let Some((at, alert)) = waiting.recv().await {
        let Some((Some(url), secret)) = targets.get(at) else {
            continue;
        };
        let Ok(permit) = Arc::clone(&calls).acquire_owned().await else {
            return;
        };
        let (client, url, secret) = (client.clone(), url.clone(), secret.clone());
        tokio::spawn(async move {
            let _held = permit;
            for pause in RETRY_BACKOFF.map(Some).into_iter().chain([None]) {
                let error = match post(&client, &url, secret.as_deref(), &alert).await {
                    Ok(()) => return,
                    Err(error) => error,
                };
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => {
                        tracing::error!(alert = alert.name, error, "a webhook could not be called")
                    }
                }
            }
        });
    }
}

async fn post(
    client: &reqwest::Client,
    url: &str,
    secret: Option<&[u8]>,
    alert: &Alert,
) -> Result<(), String> {
    let body = to_json(alert);
    let mut request = client.post(url).header("content-type", "application/json");
    if let Some(secret) = secret {
        let mut code = Hmac::<Sha256>::new_from_slice(secret).map_err(|error| error.to_string())?;
        code.update(body.as_bytes());
        let code = HEXLOWER.encode(&code.finalize().into_bytes());
        request = request.header("x-glovebox-signature", format!("sha256={code}"));
    }
    let response = request
        .body(body)
        .send()
        .await
        .map_err(|error| chain(&error))?;
    response
        .error_for_status()
        .map(drop)
        .map_err(|error| chain(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rule_fires_once_in_its_window() {
        let config = crate::Config::parse(
            "[[alerts]]\nname = \"tiers\"\non = \"tier\"\ncount = 3\nwithin = \"1m\"",
        )
        .unwrap();
        let alerts = Alerts::new(config.alerts).unwrap();
        for _ in 0..10 {
            alerts.happened(AlertKind::Tier, "container", None, "gone");
            alerts.happened(AlertKind::Tier, "wasm", None, "gone");
            alerts.happened(AlertKind::Error, "other", None, "not counted");
        }
        let fired = alerts.after(0);
        let shown: Vec<_> = fired
            .iter()
            .map(|alert| (alert.number, alert.subject.as_str(), alert.count))
            .collect();
        assert_eq!(shown, [(1, "container", 3), (2, "wasm", 3)]);
        assert_eq!(alerts.after(1).len(), 1);
        alerts.forget();
        assert_eq!(
            alerts.state.lock().unwrap().seen.len(),
            2,
            "a rule that is silent is remembered"
        );
    }
}
