//! Archive download: from where is an archive fetched, and how is it verified?
//!
//! By this process itself, so that nothing is unpacked before it is checked: from the URL that the
//! index gave, over HTTPS alone, no more bytes than there is room for, and only if its digest
//! matches the lock.

use crate::disk::{MAX_BYTES, Need};
use crate::job::Job;
use crate::reach::Reach;
use crate::store::failed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cap_std::fs::Dir;
use glovebox::Error;
use glovebox_host::folder::Folder;
use reqwest::Url;
use sha2::digest::DynDigest;
use sha2::{Sha256, Sha384, Sha512};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Timeout of a server's connection, and of its next bytes.
const SERVER_TIMEOUT: Duration = Duration::from_secs(20);

/// Timeout of all archives of a set.
const SET_TIMEOUT: Duration = Duration::from_secs(600);

/// Maximum bytes of an archive.
pub(crate) const MAX_ARCHIVE_BYTES: u64 = 1 << 30;

/// Maximum redirects of one archive.
const MAX_REDIRECTS: usize = 5;

/// Maximum bytes of the `netrc` file, which holds credentials of private indexes.
const MAX_NETRC_BYTES: u64 = 256 << 10;

/// Fetches archives.
pub(crate) struct Downloads {
    tls: rustls::ClientConfig,
    keys: Keys,
}

/// The user's credentials of private indexes (`netrc`), as every tool reads them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Arc<str>);

/// Fetches the archives of one index.
pub(crate) struct FromIndex {
    client: reqwest::Client,
    reach: Reach,
    key: Option<(String, String)>,
}

/// One archive: its package, its URL, and its expected digest.
pub(crate) struct Archive<'a> {
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) digest: &'a str,
}

/// The file to which an archive is downloaded.
pub(crate) struct Destination<'a> {
    pub(crate) folder: &'a Dir,
    pub(crate) file: &'a str,
    /// The bytes that all archives of the set may still have.
    pub(crate) left: &'a AtomicU64,
}

/// A digest in computation, and its expected value.
struct Checked {
    hasher: Box<dyn DynDigest + Send>,
    expected: Vec<u8>,
}

impl Checked {
    /// Parses a digest such as `sha256:` and hexadecimal digits, or `sha512-` and base64.
    fn new(digest: &str) -> Option<Self> {
        let (name, expected) = match digest.split_once(':') {
            Some((name, digits)) => (name, from_hex(digits)?),
            None => {
                let (name, text) = digest.split_once('-')?;
                (name, STANDARD.decode(text).ok()?)
            }
        };
        let hasher: Box<dyn DynDigest + Send> = match name {
            "sha256" => Box::new(Sha256::default()),
            "sha384" => Box::new(Sha384::default()),
            "sha512" => Box::new(Sha512::default()),
            _ => return None,
        };
        (hasher.output_size() == expected.len()).then_some(Self { hasher, expected })
    }

    fn into_verdict(self) -> bool {
        *self.hasher.finalize() == *self.expected
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            Some(
                u8::try_from(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?).unwrap_or_default(),
            )
        })
        .collect()
}

impl Downloads {
    /// Trusts the certificate authorities of the system, and uses the proxies of the environment,
    /// as the resolvers do.
    pub(crate) fn new() -> Result<Self, Error> {
        let refused = |error: &dyn std::fmt::Display| {
            Error::packages(format!("there is no HTTP client: {error}"))
        };
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions();
        let tls = tls
            .map_err(|error| refused(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls,
            keys: Keys::new(),
        })
    }

    /// Creates the client of one index, which may redirect elsewhere.
    pub(crate) fn of_index(&self, index: Url) -> Result<FromIndex, Error> {
        let reach = Reach::new(index);
        let judge = reach.clone();
        let redirect =
            reqwest::redirect::Policy::custom(move |attempt| match judge.check(attempt.url()) {
                _ if attempt.previous().len() > MAX_REDIRECTS => {
                    attempt.error(format!("it leads on more than {MAX_REDIRECTS} times"))
                }
                Ok(()) => attempt.follow(),
                Err(why) => attempt.error(why),
            });
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .https_only(true)
            .connect_timeout(SERVER_TIMEOUT);
        let client = client
            .read_timeout(SERVER_TIMEOUT)
            .timeout(SET_TIMEOUT)
            .redirect(redirect)
            .referer(false)
            .dns_resolver(Arc::new(reach.clone()));
        let client = client
            .build()
            .map_err(|error| Error::packages(format!("there is no HTTP client: {error}")))?;
        let key = self.keys.of(reach.index());
        Ok(FromIndex { client, reach, key })
    }
}

impl FromIndex {
    /// Downloads an archive; its bytes are charged as they arrive. A mismatched or incomplete file
    /// is removed.
    pub(crate) async fn fetch(
        &self,
        archive: &Archive<'_>,
        into: &Destination<'_>,
        job: &Arc<Job>,
    ) -> Result<(), Error> {
        let fetched = self.fetch_to(archive, into, job).await;
        if fetched.is_err() {
            let _ = into.folder.remove_file(into.file);
        }
        fetched.map_err(|why| {
            Error::packages(format!(
                "`{}` could not be fetched: {why}",
                archive.name.escape_debug()
            ))
        })
    }

    async fn fetch_to(
        &self,
        archive: &Archive<'_>,
        Destination { folder, file, left }: &Destination<'_>,
        job: &Arc<Job>,
    ) -> Result<(), String> {
        let mut checked =
            Checked::new(archive.digest).ok_or("its digest is not SHA-256, SHA-384 or SHA-512")?;
        let url = Url::parse(archive.url)
            .map_err(|_| "the index does not have it at an `https` address")?;
        self.reach.check(&url)?;
        let plain = |error: reqwest::Error| chain(&error.without_url());
        let mut request = self.client.get(url.clone());
        if let Some((login, password)) = self.key.as_ref().filter(|_| self.reach.has_key(&url)) {
            request = request.basic_auth(login, Some(password));
        }
        let mut response = request
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(plain)?;
        let too_large = || {
            format!(
                "an archive may have {} MiB and all of a set {} MiB, and this is more",
                MAX_ARCHIVE_BYTES >> 20,
                MAX_BYTES >> 20
            )
        };
        let announced = response.content_length().unwrap_or_default();
        if announced > MAX_ARCHIVE_BYTES.min(left.load(Ordering::Relaxed)) {
            return Err(too_large());
        }
        let need = Need {
            bytes: announced,
            entries: 1,
        };
        job.blocking(move |job| job.store.make_disk(need, &|| job.go_on()))
            .await
            .map_err(|error| error.to_string())?;
        let place = |error: std::io::Error| failed(Path::new(file))(error).to_string();
        let mut output = folder.create(file).map_err(place)?;
        let mut length = 0_usize;
        while let Some(bytes) = response.chunk().await.map_err(plain)? {
            length = bytes.len().saturating_add(length);
            let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes.len() as u64)
            });
            if length as u64 > MAX_ARCHIVE_BYTES || taken.is_err() {
                return Err(too_large());
            }
            job.spend(bytes.len() as u64)
                .map_err(|error| error.to_string())?;
            checked.hasher.update(&bytes);
            output.write_all(&bytes).map_err(place)?;
        }
        if checked.into_verdict() {
            Ok(())
        } else {
            Err("its digest differs from the locked one".to_owned())
        }
    }
}

/// Formats an error with its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

impl Keys {
    /// Reads the user's `netrc`, if no other user can have written it; empty if there is none.
    pub(crate) fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "where every tool looks for the keys of private indices"
        )]
        let home = std::env::var_os("HOME")
            .map(std::path::PathBuf::from)
            .filter(|home| home.is_absolute());
        let opened = home.and_then(|home| Folder::of_programs(&home).ok()?.file(".netrc").ok());
        let mut text = Vec::new();
        let _ = opened.map(|opened| {
            std::io::Read::read_to_end(&mut std::io::Read::take(opened, MAX_NETRC_BYTES), &mut text)
        });
        Self(String::from_utf8(text).unwrap_or_default().into())
    }

    /// Returns the name and password for the host of an index.
    pub(crate) fn of(&self, index: &Url) -> Option<(String, String)> {
        let (login, password) = key(&self.0, index.host_str()?)?;
        Some((login.to_owned(), password.to_owned()))
    }
}

/// Returns the name and password for a host.
fn key<'a>(keys: &'a str, host: &str) -> Option<(&'a str, &'a str)> {
    let mut words = keys.split_whitespace();
    let mut found = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if let (true, Some(login), Some(password)) = found {
                    return Some((login, password));
                }
                found = (word == "machine" && words.next() == Some(host), None, None);
            }
            "login" => found.1 = words.next(),
            "password" => found.2 = words.next(),
            _ => {}
        }
    }
    found.0.then_some(())?;
    Some((found.1?, found.2?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_computed_by_its_own_kind() {
        for digest in [
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn",
            "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==",
        ] {
            let mut checked = Checked::new(digest).unwrap();
            checked.hasher.update(b"abc");
            assert!(checked.into_verdict(), "{digest}");
            assert!(!Checked::new(digest).unwrap().into_verdict(), "{digest}");
        }
        for digest in [
            "",
            "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "md5:900150983cd24fb0d6963f7d28e17f72",
            "sha256:",
            "sha256:ba78",
            "sha256:zz",
            "sha512-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ] {
            assert!(Checked::new(digest).is_none(), "{digest}");
        }
    }

    #[test]
    fn a_key_is_for_its_own_host_alone() {
        let keys = "machine a.example login x password y\nmachine b.example\n  login z\n  password w\ndefault login d password e\n";
        assert_eq!(key(keys, "a.example"), Some(("x", "y")));
        assert_eq!(key(keys, "b.example"), Some(("z", "w")));
        assert_eq!(key(keys, "c.example"), None);
        assert_eq!(key("", "a.example"), None);
    }
}
