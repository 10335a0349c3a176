//! Who gives way when there is no memory left?
//!
//! What is only kept for those who might ask for it again: the events of executions that have ended. Then idle sessions: first those of whoever
//! wants more, then those of the subjects with the most. Nobody with less than a fair share loses one.

use super::Wanted;
use crate::http::App;
use crate::http::sessions::give_way;
use std::sync::{Arc, Weak};

/// Has an account forget events and end idle sessions of a service when it has nothing left.
pub(in crate::http) fn make_room(app: &Arc<App>) {
    let weak: Weak<App> = Arc::downgrade(app);
    app.memory.asks(Box::new(move |wanted: Wanted<'_>| {
        weak.upgrade().is_some_and(|app| app.registry.give_way(&app.memory, wanted) || give_way(&app, wanted))
    }));
}
