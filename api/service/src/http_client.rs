//! Outgoing HTTP client: how does the service itself call the issuer of tokens, and webhooks?

use glovebox_wire::error::chain;
use reqwest::redirect::Policy;
use std::time::Duration;

/// Timeout for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns a client that calls exactly the configured addresses: it follows no redirect and uses no
/// proxy.
pub(crate) fn client() -> Result<reqwest::Client, String> {
    let client = reqwest::Client::builder()
        .timeout(RESPONSE_TIMEOUT)
        .redirect(Policy::none())
        .no_proxy();
    client.build().map_err(|error| chain(&error))
}
