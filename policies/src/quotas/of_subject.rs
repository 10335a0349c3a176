//! Quotas of one subject: may it have more?

use super::rules::{Quota, QuotaRules};
use super::settings::QuotaSettings;
use crate::config::rules::{Binding, Rules};
use crate::denial::Denial;
use crate::explanation::QuotaOfSubject;
use crate::limits::Amount;
use crate::request::Subject;
use crate::rule::RuleName;
use crate::text::{toml_string, toml_strings};

/// The quotas of one subject: those of its binding, else those of every subject, else the settings
/// of the service. Made by [`Policy::quotas`](crate::Policy::quotas) alone.
#[derive(Clone, Copy)]
pub struct Quotas<'a> {
    subject: &'a Subject,
    everybody: &'a QuotaRules,
    binding: Option<&'a Binding>,
    settings: Option<&'a QuotaSettings>,
}

/// The place that sets a quota.
#[derive(Clone, Copy)]
enum QuotaSource<'a> {
    Binding(&'a Binding),
    Everybody,
    Setting(&'static str),
}

impl<'a> Quotas<'a> {
    pub(crate) fn new(rules: &'a Rules, subject: &'a Subject) -> Self {
        Self {
            subject,
            everybody: &rules.quotas,
            binding: rules.quota_binding(subject),
            settings: None,
        }
    }

    /// Applies the settings of a service where the policy sets no quota.
    #[must_use]
    pub fn or(self, settings: &'a QuotaSettings) -> Self {
        Self {
            settings: Some(settings),
            ..self
        }
    }

    /// The subject that they belong to.
    pub fn subject(&self) -> &'a Subject {
        self.subject
    }

    /// Returns a quota in its unit; `None` if nothing sets it.
    pub fn get(&self, quota: Quota) -> Option<u64> {
        self.find(quota).map(|(most, _)| most)
    }

    /// Returns every quota that is set, with the rule or the setting that sets it.
    pub fn explained(&self) -> Vec<QuotaOfSubject> {
        Quota::ALL
            .iter()
            .filter_map(|quota| {
                let (most, source) = self.find(*quota)?;
                Some(QuotaOfSubject {
                    name: quota.name(),
                    most: quota.amount(most),
                    rule: source.rule(*quota),
                })
            })
            .collect()
    }

    /// Judges whether the subject may have `more` of something while it has `used` already, both in
    /// the unit of the quota. The one place for that decision.
    ///
    /// # Errors
    ///
    /// The denial, if that is more than its quota.
    pub fn check(&self, quota: Quota, used: u64, more: u64) -> Result<(), Denial> {
        let total = used.saturating_add(more);
        match self.find(quota) {
            Some((most, source)) if total > most => {
                Err(self.denial((quota, quota.amount(most), source), total))
            }
            _ => Ok(()),
        }
    }

    fn denial(
        &self,
        (quota, most, source): (Quota, Amount, QuotaSource<'a>),
        total: u64,
    ) -> Denial {
        let of = match most {
            Amount::Count(_) => "",
            Amount::Bytes(_) | Amount::Time(_) => "of ",
        };
        let wanted = quota.amount(total);
        let (title, subject) = (quota.title(), self.subject);
        let grants = match source {
            QuotaSource::Binding(_) | QuotaSource::Everybody => "policy",
            QuotaSource::Setting(_) => "service",
        };
        let fix = if quota.is_possible(total) {
            source.fix(quota, wanted)
        } else {
            "# no policy change can allow this: ask for less".to_owned()
        };
        Denial::new(
            source.rule(quota).as_str(),
            format!("{wanted} {of}{title} for subject `{subject}`"),
            format!("the {grants} grants at most {most}"),
            fix,
        )
    }

    fn find(&self, quota: Quota) -> Option<(u64, QuotaSource<'a>)> {
        if let Some(binding) = self.binding
            && let Some(most) = binding.quotas.get(quota)
        {
            return Some((most, QuotaSource::Binding(binding)));
        }
        if let Some(most) = self.everybody.get(quota) {
            return Some((most, QuotaSource::Everybody));
        }
        let (most, setting) = self.settings?.get(quota)?;
        Some((most, QuotaSource::Setting(setting)))
    }
}

impl QuotaSource<'_> {
    fn rule(self, quota: Quota) -> RuleName {
        RuleName::new(match self {
            Self::Binding(binding) => format!(
                "bindings.{}.quotas.{quota}",
                toml_string(&binding.subject.to_string())
            ),
            Self::Everybody => format!("quotas.{quota}"),
            Self::Setting(setting) => setting.to_owned(),
        })
    }

    /// Returns the TOML that grants this much. A binding is written whole, because it is replaced.
    fn fix(self, quota: Quota, wanted: Amount) -> String {
        let line = |quota: Quota, amount: Amount| format!("{quota} = {}", amount.to_toml());
        match self {
            Self::Binding(binding) => {
                let quotas: Vec<String> = binding
                    .quotas
                    .entries()
                    .map(|(other, most)| line(other, if other == quota { wanted } else { most }))
                    .collect();
                format!(
                    "[[bindings]]\nsubject = {}\nprofiles = {}\nquotas = {{ {} }}",
                    toml_string(&binding.subject.to_string()),
                    toml_strings(&binding.profiles),
                    quotas.join(", ")
                )
            }
            Self::Everybody | Self::Setting(_) => format!("[quotas]\n{}", line(quota, wanted)),
        }
    }
}

impl std::fmt::Debug for Quotas<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quotas")
            .field("subject", self.subject)
            .field("quotas", &self.explained())
            .finish()
    }
}
