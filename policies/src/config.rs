//! Policy configuration: how does a TOML text become a policy?
//!
//! In three steps: [`parse`] parses the text into the plain structures of [`schema`] (syntax,
//! unknown keys, types), [`validate`] makes profiles of those (units, ranges, names, inheritance),
//! and [`presets`] holds the built-in profiles.

pub(crate) mod amount;
pub(crate) mod parse;
pub(crate) mod presets;
pub(crate) mod profile;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod spanned;
pub(crate) mod validate;
