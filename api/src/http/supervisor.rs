//! Health checks of the tiers: does every tier still work?
//!
//! Each tier that worked at the start is probed at intervals, and at once when the host has failed a run. A tier that does not answer is
//! taken out of use, so that programs go to another one or are refused with the reason instead of failing one by one; it is probed until it
//! works again.

use super::App;
use super::config::AlertKind;
use glovebox::policy::Tier;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Interval of health checks.
const EVERY: Duration = Duration::from_secs(10);

/// Interval of health checks of a tier that is out of use.
const AGAIN: Duration = Duration::from_secs(2);

/// Checks the tiers for as long as the service runs.
pub(super) async fn watch(app: Arc<App>) {
    let facts = app.sandbox.facts();
    let mut works: BTreeMap<Tier, bool> = facts
        .tiers
        .iter()
        .filter(|tier| tier.unavailable.is_none())
        .map(|tier| (tier.tier, true))
        .collect();
    loop {
        let pause = if works.values().all(|works| *works) {
            EVERY
        } else {
            AGAIN
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = app.host_failed.notified() => {}
        }
        for (tier, worked) in &mut works {
            let name = tier.name();
            match (app.sandbox.probe(*tier).await, *worked) {
                (Err(error), true) => {
                    let reason = error.to_string();
                    tracing::error!(
                        tier = name,
                        reason,
                        "a tier does not work any more and is out of use"
                    );
                    app.alerts.happened(
                        AlertKind::Tier,
                        name,
                        None,
                        "it does not work any more and is out of use",
                    );
                    app.sandbox.set_unavailable(*tier, Some(reason));
                    *worked = false;
                }
                (Ok(()), false) => {
                    tracing::info!(tier = name, "a tier works again");
                    app.alerts
                        .happened(AlertKind::Tier, name, None, "it works again");
                    app.sandbox.set_unavailable(*tier, None);
                    *worked = true;
                }
                _ => {}
            }
        }
    }
}
