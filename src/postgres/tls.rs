//! TLS to Postgres: `sslmode` and `sslrootcert` as libpq reads them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
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

pub(super) fn connector(trust: &Trust) -> Result<MakeRustlsConnect, DsnError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|wrong| DsnError::Tls(wrong.to_string()))?;
    let config = match trust {
        Trust::Anyone => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
        Trust::Verified { root } => builder.with_root_certificates(roots(root.as_deref())?).with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// The given root alone, or else the system's and Mozilla's.
fn roots(root: Option<&Path>) -> Result<RootCertStore, DsnError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = root {
        let unreadable = |wrong: String| DsnError::Tls(format!("sslrootcert {}: {wrong}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|wrong| unreadable(wrong.to_string()))? {
            let certificate = certificate.map_err(|wrong| unreadable(wrong.to_string()))?;
            store.add(certificate).map_err(|wrong| unreadable(wrong.to_string()))?;
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
