//! Eviction under memory pressure: what is given up first?
//!
//! First the events of ended executions, which are only cached in case a client asks for them again. Then idle sessions: first those of the
//! subject that asks, then those of the subjects with the most. No subject with less than a fair share loses one.

use super::Wanted;
use crate::http::App;
use crate::http::sessions::give_way;
use std::sync::{Arc, Weak};

/// Sets a callback that evicts events and idle sessions of a service under memory pressure.
pub(in crate::http) fn make_room(app: &Arc<App>) {
    let weak: Weak<App> = Arc::downgrade(app);
    app.memory.asks(Box::new(move |wanted: Wanted<'_>| {
        weak.upgrade()
            .is_some_and(|app| app.registry.give_way(&app.memory, wanted) || give_way(&app, wanted))
    }));
}
