//! Quotas of a config: how much may a subject have over all of its runs?

use crate::config::amount::parse_amount;
use crate::config::schema::RawQuotas;
use crate::limits::Amount;
use crate::problem::Problems;
use crate::quotas::rules::QuotaRules;

pub(super) fn validate_quotas(raw: &RawQuotas, problems: &mut Problems<'_>) -> QuotaRules {
    let mut rules = QuotaRules::default();
    for (quota, raw) in raw.written() {
        match parse_amount(quota.amount(0), &raw, problems) {
            Some(Amount::Count(most) | Amount::Bytes(most)) => rules.set(quota, most),
            Some(Amount::Time(_)) | None => {}
        }
    }
    rules
}
