//! Outgoing HTTP client: how does the service itself call the issuer of tokens, and webhooks?

use crate::error::chain;
use reqwest::redirect::Policy;
use std::time::Duration;

/// How long they may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls exactly the addresses of the config: no redirect and no proxy leads elsewhere.
pub(super) fn client() -> Result<reqwest::Client, String> {
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy();
    client.build().map_err(|error| chain(&error))
}
