//! TLS to Postgres: `sslmode`, `sslrootcert`, `sslcrl`, `sslcert` and `sslkey` as libpq reads them.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::pool::DsnError;

/// The check of the server's certificate. `tokio_postgres` itself handles `disable`, `prefer`
/// and `require`, which decide whether to use TLS at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Encrypted but unverified, like libpq's `prefer` and `require`.
    Anyone,
    /// `verify-ca`, `verify-full`, or a root certificate given: chain and host name are checked.
    Verified { root: Option<PathBuf> },
}

/// The TLS settings of a connection string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TlsSettings {
    pub trust: Trust,
    /// A list of revoked certificates.
    pub revoked: Option<PathBuf>,
    /// The client certificate and its key.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

pub(super) fn connector(settings: &TlsSettings) -> Result<MakeRustlsConnect, DsnError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|wrong| DsnError::Tls(wrong.to_string()))?;
    let builder = match &settings.trust {
        Trust::Anyone => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
        Trust::Verified { root } => {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(root.as_deref())?), provider)
                .with_crls(settings.revoked.as_deref().map(revoked).transpose()?.unwrap_or_default())
                .build()
                .map_err(|wrong| DsnError::Tls(wrong.to_string()))?;
            builder.with_webpki_verifier(verifier)
        }
    };
    let config = match (&settings.certificate, &settings.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = all_of("sslcert", certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|wrong| unreadable("sslkey", key, &wrong))?;
            builder.with_client_auth_cert(chain, secret).map_err(|wrong| unreadable("sslcert", certificate, &wrong))?
        }
        (Some(_), None) => return Err(DsnError::Tls("sslcert needs sslkey beside it".to_owned())),
        (None, Some(_)) => return Err(DsnError::Tls("sslkey needs sslcert beside it".to_owned())),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn revoked(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, DsnError> {
    all_of("sslcrl", path)
}

/// All items of a file, at least one.
fn all_of<T: PemObject>(setting: &str, path: &Path) -> Result<Vec<T>, DsnError> {
    let items = T::pem_file_iter(path).map_err(|wrong| unreadable(setting, path, &wrong))?;
    let items: Vec<T> = items.collect::<Result<_, _>>().map_err(|wrong| unreadable(setting, path, &wrong))?;
    if items.is_empty() {
        return Err(unreadable(setting, path, &"there is none in it"));
    }
    Ok(items)
}

fn unreadable(setting: &str, path: &Path, wrong: &dyn Display) -> DsnError {
    DsnError::Tls(format!("{setting} {}: {wrong}", path.display()))
}

/// The given root alone, or else the system's and Mozilla's.
fn roots(root: Option<&Path>) -> Result<RootCertStore, DsnError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = root {
        for certificate in all_of::<CertificateDer<'static>>("sslrootcert", path)? {
            store.add(certificate).map_err(|wrong| unreadable("sslrootcert", path, &wrong))?;
        }
        return Ok(store);
    }
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    Ok(store)
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
