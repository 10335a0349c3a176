//! How does a TOML text become a policy?
//!
//! In three steps: [`read`] turns text into the plain structures of [`raw`] (syntax, unknown keys, types), [`build`] turns those
//! into profiles (units, ranges, names, inheritance), and [`presets`] gives the profiles that are always there.

pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod parse;
pub(crate) mod presets;
pub(crate) mod profile;
pub(crate) mod schema;
pub(crate) mod validate;
