//! Health checks of the tiers: does every tier still work?
//!
//! Each tier that worked at the start is probed at intervals, and at once when the host has failed
//! a run. A tier that does not answer is taken out of use, so that programs go to another one or
//! are refused with the reason instead of failing one by one; it is probed until it works again.

use crate::alerts::Alerts;
use glovebox::Sandbox;
use glovebox_policy::Tier;
use glovebox_wire::records::AlertKind;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Interval of health checks.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// Interval of health checks of a tier that is out of use.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Checks the tiers for as long as the service runs.
pub(crate) async fn watch(sandbox: Sandbox, alerts: Arc<Alerts>, host_failed: Arc<Notify>) {
    let facts = sandbox.facts();
    let mut works: BTreeMap<Tier, bool> = facts
        .tiers
        .iter()
        .filter(|tier| tier.unavailable.is_none())
        .map(|tier| (tier.tier, true))
        .collect();
    loop {
        let pause = if works.values().all(|works| *works) {
            PROBE_INTERVAL
        } else {
            RETRY_INTERVAL
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = host_failed.notified() => {}
        }
        for (tier, worked) in &mut works {
            let name = tier.name();
            match (sandbox.probe(*tier).await, *worked) {
                (Err(error), true) => {
                    let reason = error.to_string();
                    tracing::error!(
                        tier = name,
                        reason,
                        "a tier does not work any more and is out of use"
                    );
                    alerts.happened(
                        AlertKind::Tier,
                        name,
                        None,
                        "it does not work any more and is out of use",
                    );
                    sandbox.set_unavailable(*tier, Some(reason));
                    *worked = false;
                }
                (Ok(()), false) => {
                    tracing::info!(tier = name, "a tier works again");
                    alerts.happened(AlertKind::Tier, name, None, "it works again");
                    sandbox.set_unavailable(*tier, None);
                    *worked = true;
                }
                _ => {}
            }
        }
    }
}
