//! Limits of a profile: how much may a run use?

use crate::config::amount::parse_amount;
use crate::config::schema::RawLimits;
use crate::limits::Limits;
use crate::problem::Problems;

pub(super) fn validate_limits(limits: &mut Limits, raw: &RawLimits, problems: &mut Problems<'_>) {
    for (field, written) in raw.written() {
        if let Some(amount) = parse_amount((field.granted)(limits), &written, problems) {
            (field.set)(limits, amount);
        }
    }
}
