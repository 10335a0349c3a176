//! Time of records: when is now, and how long is a day?

use std::time::{SystemTime, UNIX_EPOCH};

/// One day, the unit of usage accounting.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Returns the current time, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| {
            i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
        })
}
