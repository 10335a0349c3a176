//! Policy configuration: how does a TOML text become a policy?
//!
//! In three steps: [`read`] parses the text into the plain structures of [`raw`] (syntax, unknown keys, types), [`build`] validates those
//! into profiles (units, ranges, names, inheritance), and [`presets`] holds the built-in profiles.

pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod parse;
pub(crate) mod presets;
pub(crate) mod profile;
pub(crate) mod schema;
pub(crate) mod validate;
