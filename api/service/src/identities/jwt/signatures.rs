//! Signature verification of tokens: has the issuer's key signed this?
//!
//! By `ring`, which the service links for TLS anyway, and for asymmetric signatures only: what is
//! not linked cannot be confused. This service signs no tokens.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

/// Makes the library verify with this module; to be called before it verifies.
pub(super) fn install() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
        verifier_factory: verifier,
        // For thumbprints and for keys made of private ones, which nothing here asks for.
        key_utils: KeyUtils::new_unimplemented(),
    };
    // It may have been installed before.
    let _ = PROVIDER.install_default();
}

/// The two ways in which `ring` verifies.
#[derive(Clone, Copy)]
enum Scheme {
    /// Of a key that is a sequence of bytes.
    Bytes(&'static dyn VerificationAlgorithm),
    /// Of an RSA key.
    Rsa(&'static RsaParameters),
}

struct RingVerifier {
    algorithm: Algorithm,
    scheme: Scheme,
    key: DecodingKey,
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let (family, scheme) = match algorithm {
        Algorithm::ES256 => (
            AlgorithmFamily::Ec,
            Scheme::Bytes(&signature::ECDSA_P256_SHA256_FIXED),
        ),
        Algorithm::ES384 => (
            AlgorithmFamily::Ec,
            Scheme::Bytes(&signature::ECDSA_P384_SHA384_FIXED),
        ),
        Algorithm::EdDSA => (AlgorithmFamily::Ed, Scheme::Bytes(&signature::ED25519)),
        Algorithm::RS256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        // Those with a shared secret, with which a verifier could sign, and those yet to come.
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    if key.family() != family {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(RingVerifier {
        algorithm: *algorithm,
        scheme,
        key: key.clone(),
    }))
}

fn rsa(parameters: &'static RsaParameters) -> (AlgorithmFamily, Scheme) {
    (AlgorithmFamily::Rsa, Scheme::Rsa(parameters))
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match (self.scheme, self.key.kind()) {
            (Scheme::Bytes(algorithm), DecodingKeyKind::SecretOrDer(key)) => {
                UnparsedPublicKey::new(algorithm, key).verify(message, signature)
            }
            (Scheme::Rsa(parameters), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            _ => Err(ring::error::Unspecified),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::crypto::verify;
    use jsonwebtoken::jwk::Jwk;

    const RSA: &str = concat!(
        r#"{"kty":"RSA","n":"kjkZeHkgSBE21NkY6CKD1arHkeT4LIHaEt76BvCiXK8NcMi9NnaaJUVQu6FlEO"#,
        r#"-Af-gQ_OrMaUgYsQ0w6rfhbrnenX0KmZBXKY5fuOKcB6N8_x8qQEWva_gfY88rqV-iUuKHIw6pDE9jJG"#,
        r#"dzSpXvsDLwvt7vQOdpzjJehvUDdjBh5KVonfG-_sgnG-kVcQxVGXLAeUGJDVo0wI2bxeqZTencN-6It5"#,
        r#"3RL_9d4oiBBrL7fYwNAJfdA45bybB2W8iCokyh7OrAG8A1K-tFZBXClgj3-sdgaM0L6N6h1kanlLWH_V"#,
        r#"jxtLjaqScmEnMiS3IcYYnns1R86QgIMRwK6tlXAQ","e":"AQAB"}"#,
    );
    const P256: &str = concat!(
        r#"{"kty":"EC","crv":"P-256","x":"mlUAoaXguKQA29DvsP4O69z4FYXhPHCrJdcmZ6Iv0rs","y":"#,
        r#""9VNSvfKVXycLF_RtMyqIoIOFTJnOgR92F27s-GaUS6Q"}"#,
    );
    const P384: &str = concat!(
        r#"{"kty":"EC","crv":"P-384","x":"udyHyzi_cbkNbwowap9oP2G25wGYTm_GHQprv6ctpY-yAMI2a"#,
        r#"KypTTI74-hI-XxH","y":"te-8J1idzEAV1OABm1evIXaOXo8ml4OzEo1WljHekMBYFPqxnLwqNWiq8M"#,
        r#"uebYoQ"}"#,
    );
    const ED25519: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"J3RJn-ZTITl4BUuaEiDydUvzRcepDxzM1VBVDwkUymM"}"#;

    const MESSAGE: &[u8] = b"header.claims";

    /// Signatures of `MESSAGE`, made by another implementation.
    const SIGNED: [(Algorithm, &str, &str); 9] = [
        (
            Algorithm::RS256,
            RSA,
            concat!(
                "CuknqdHl_vTSySdlRhAr8XdkZ38mlmAmf_Ox2MhkjjcNosQ7mbgkU5Y0i0vgJwav0wk8Sa5UwJ_4RPyw",
                "cNym4UlsQX5TcurAenn0Gh6fwco6zbeDfwN3QYKMt7N6Hg5_uQE5ajsI1GDNBcodAsdcjkxtTH3c4dGq",
                "c7s4VqIE8XDBMvYop7DsZ1z_68hECLT6TNx-FSX6S_axVtfFcQVN0EKhRSuIHnd5BkB8OGa2vLhfJnl0",
                "d4Td3I8QJauHrTYblbGwMHsA__piaVXSqRs2W1fSCOA1NlZNhLks-4VbdNh8iEmXUKZEeK8LCznzEWOZ",
                "vDv9jn7DYtm4P75GsYw34g",
            ),
        ),
        (
            Algorithm::PS256,
            RSA,
            concat!(
                "XbxL35DgT0idZu-vTgJeLfOAiT0Gj7MphMtbtS1-qPYZMzty7GzTGiS4clXDT90KGqZawoKhTp6NhczP",
                "EUyLSs0CVp0pFl5Hkl56ZCW-ZPA1Qp_i1wLtrXhuDcMsfFkgJX7UG3Nf0WpW8sZ8vFkFoj9mB3NhdmHj",
                "v-0Qm1DzWH7xeRMljU6v-7PRhmSFA2qYHIjEYGMzVByu8kLIaSa4fs9ozdA7ET90E9t3bk7YIJMDXlCG",
                "u9WgtLTaUDxEv7doZCFqU8tCZWzSPbsa9NmIRMg4GTCHT3TAwPYYNlI6In2-Z2s2Iw6xf8L1r51b7pzi",
                "7GRkEyJEchCd8YyW9w24Hg",
            ),
        ),
        (
            Algorithm::RS384,
            RSA,
            concat!(
                "P94NArfcom0PB5P5sea-XIZtWIB0btwFXkW2shiioP90P6-AT6-fIDDFfT5_Js7PjRVjLr3Ksvnc-0Br",
                "mnh8qwxrJPY9LDFdROxupzM_PkitftxQnHfwINMhXEPZG-L366MDE5X3NnQxDeTg91F-8u6S8nyIcqov",
                "xiypVvEpwto-kRCsYei0-ObpPeXmUm6WJB0KsfvkISQRsffxmy5-yQHn3BmfKVYY-tq3z5jxtjl0x4Ey",
                "Y_ROSMT3F4kFNHCcQAfJIZXMeg28BA1ILBLLPwNhzrZeXhRLX2qHv-H5wcrjZ6Jv_Ik_gPTckStJYO23",
                "_ZbN1WLQCe-RLWKi7HphIQ",
            ),
        ),
        (
            Algorithm::PS384,
            RSA,
            concat!(
                "BV7xT32v58LTKB7Ls1N-5CnksEaZxhdVifJBuSGvbABWvzP_ZJLXH2PireZdU6A9MfZEXU9gjxRel0OI",
                "8FKMV6MmM0sci_AvP1xTfDH55XHO82Z_VJX4U841Ib6z2d1YxKHG62stj4MjVW8Kr-3kIAHECe9cMy39",
                "o6TWkEtfoCy3I2GjZVnzA9WN2hsGigUJJKxbo9okkUxnvtKDcWaI_x7unHM-3_AdrGreCMTEO7zvMe1G",
                "P_6BVWbZ2Q7iFXdi9AJEpNaPqM9-L7vgFAS4-BTFXphLDDzAQhb5KwFc99dNsVt0TxLbj2JwL7RpazLv",
                "4KrRAP5jrZfs7ETJ8nKPig",
            ),
        ),
        (
            Algorithm::RS512,
            RSA,
            concat!(
                "BznI5Fne5lhvDwnW5psbHEwbBVqBRpoK1PoNKS4Ang5CtyLUHbtWrHiQ1--qmet4xEYf9X-sAaErUjQy",
                "YFnJuiBxmo8ugZzFfdTxYo1k4jENmUP90gebV30eQzUOcMVf6GpaTzt1B6tm9vCAvSgcPbq9RdM-WWTJ",
                "kgNGFjJwxC1gpyacU-u2ZViXVtdiRVAizW845MrwmxP8cy8jwjIp_uRof7L67U6deUSSR745acNzfIER",
                "b-Ui-qM9k8pljMPm7JZbIQzIN--wg6iC-VQN3c38K1kqMe-vVWc3Jxwuhn6iUxgtBYFdtf5jeqwdghM6",
                "FrsAMDm-eNxaPvogDQh05g",
            ),
        ),
        (
            Algorithm::PS512,
            RSA,
            concat!(
                "S1my-Kd80_yzQZPOineXZn4nE1QA_HYHu4TDSTRpTIZ2SIL1cdV6AMb_Tz_HfGgsh2KJ89atk-Bo0sSp",
                "a50uUjEO9-DYIkP2oZdqbkaVzsnA87fe7RdZM_oXteUZd_UyQ6OsDkkqm1NwzlGB3cSgM1kUf7BZ-be9",
                "_SBp6NPQ8kY-z1dDpP5mSh7T71aRfyTL0cGc7-EF3I9w7Urfy02z1jznL9XjYohReXCMkHMk7LjY0dop",
                "MXq9oAbl7BoW5nUFK-4UF93C1VhUg90MFqi27-nOusidKqfLP4_sfwVdohB6sGdE2rKGhHr60uLgA3jY",
                "c6Um2fy985pQJ1N0SYeGmw",
            ),
        ),
        (
            Algorithm::ES256,
            P256,
            concat!(
                "msWIKvJy43e4zjb-V5GnzSJdcj8GY226qL2ccCOGrVzJ2pE40bJgB4VimttrrNfy8AIGFgR7_sPUZGtK",
                "MNQ7kA",
            ),
        ),
        (
            Algorithm::ES384,
            P384,
            concat!(
                "i1HFUOYYkyoK7_WsHqtxUAjGv9zigqVeC7gAHKdJ0F2zpHR8owW5O_w2LHXQBvLVfrF9jJU6MzfTEksX",
                "ROlB0Isn--rZBCrV7StQ11N0RMNam2ZDPVcj7WYtUaUtcwRk",
            ),
        ),
        (
            Algorithm::EdDSA,
            ED25519,
            concat!(
                "OetsNNzktRL5CJRRLUNn0Vqierp9MYL_zbyiBza3M2HCG0s5uVeMVsub-LgY5fkbkGTkmRDQ2ziT65GC",
                "vqi_DA",
            ),
        ),
    ];

    fn key(jwk: &str) -> DecodingKey {
        DecodingKey::from_jwk(&serde_json::from_str::<Jwk>(jwk).unwrap()).unwrap()
    }

    #[test]
    fn each_algorithm_accepts_its_own_signature_and_no_other() {
        install();
        for (algorithm, jwk, signed) in SIGNED {
            let key = key(jwk);
            assert!(
                verify(signed, MESSAGE, &key, algorithm).unwrap(),
                "{algorithm:?}"
            );
            assert!(
                !verify(signed, b"header.claimz", &key, algorithm).unwrap(),
                "{algorithm:?}: another message"
            );
            for (other, _, _) in SIGNED.iter().filter(|(other, _, _)| *other != algorithm) {
                let verified = verify(signed, MESSAGE, &key, *other);
                assert!(!verified.unwrap_or(false), "{algorithm:?} is not {other:?}");
            }
        }
    }

    #[test]
    fn a_shared_secret_verifies_nothing() {
        install();
        let secret = DecodingKey::from_secret(b"secret");
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert!(verify("AAAA", MESSAGE, &secret, algorithm).is_err());
        }
        assert!(verify(SIGNED[0].2, MESSAGE, &secret, SIGNED[0].0).is_err());
    }
}
