//! Outgoing HTTP client: how does the service itself call the issuer of tokens, and webhooks?

use crate::error::chain;
use reqwest::redirect::Policy;
use std::time::Duration;

/// Timeout for a response.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns a client that calls exactly the configured addresses: it follows no redirect and uses no proxy.
pub(super) fn client() -> Result<reqwest::Client, String> {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(Policy::none())
        .no_proxy();
    client.build().map_err(|error| chain(&error))
}
