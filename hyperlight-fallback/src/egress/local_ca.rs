//! Local certificate authority: how does the egress proxy see requests over TLS?
//!
//! It terminates TLS with certificates of its own, which only the container trusts.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Maximum cached certificates of one container; one for each host that it opened a tunnel to.
const MAX_CERTIFICATES: usize = 64;

/// The local certificate authority (CA), which issues server certificates to the containers of this
/// process alone.
pub(crate) struct LocalCa {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    /// The key of all server certificates.
    key: KeyPair,
}

/// The cached TLS configurations of one container by host, the most recent last.
pub(crate) type ConfigCache = VecDeque<(String, Arc<ServerConfig>)>;

impl LocalCa {
    /// Creates the CA; its key never leaves this process.
    pub(crate) fn new() -> Result<Self, String> {
        let failed = |error: rcgen::Error| format!("cannot create a certificate: {error}");
        let key = KeyPair::generate().map_err(failed)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = distinguished_name("Glovebox egress");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        // Python since 3.13 refuses a chain without what RFC 5280 demands of it: the use of the CA's
        // key, and its identifier in what it signed.
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        let (pem, certificate) = (certificate.pem(), certificate.der().clone());
        let servers = KeyPair::generate().map_err(failed)?;
        Ok(Self {
            issuer: Issuer::new(parameters, key),
            certificate,
            pem,
            key: servers,
        })
    }

    /// Returns the CA certificate, for the container's trust store.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the TLS configuration of a server with this host's name, cached in `configs`.
    pub(crate) fn config(
        &self,
        host: &str,
        configs: &Mutex<ConfigCache>,
    ) -> Result<Arc<ServerConfig>, String> {
        let mut configs = configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = configs.iter().find(|(known, _)| known == host) {
            return Ok(Arc::clone(config));
        }
        let mut parameters =
            CertificateParams::new(vec![host.to_owned()]).map_err(|error| error.to_string())?;
        parameters.distinguished_name = distinguished_name(host);
        parameters.use_authority_key_identifier_extension = true;
        let certificate = parameters
            .signed_by(&self.key, &self.issuer)
            .map_err(|error| error.to_string())?;
        let chain = vec![CertificateDer::from(certificate), self.certificate.clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config
            .map_err(|error| error.to_string())?
            .with_no_client_auth();
        let mut config = config
            .with_single_cert(
                chain,
                PrivatePkcs8KeyDer::from(self.key.serialize_der()).into(),
            )
            .map_err(|error| error.to_string())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        if configs.len() >= MAX_CERTIFICATES {
            configs.pop_front();
        }
        configs.push_back((host.to_owned(), Arc::clone(&config)));
        Ok(config)
    }
}

fn distinguished_name(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}
