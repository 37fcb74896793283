//! The same over TLS: the cost of an account as against the real WhatsApp.

use std::{path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::{
    figures::{Figures, Target},
    fleet::Fleet,
    process::settled,
    say,
};

pub async fn measure(accounts: usize, figures: &mut Figures) {
    let mut fleet = Fleet::empty().await;
    let authority = fleet.dir.join("authority.pem");
    fleet.whatsapp = terminate(&fleet.whatsapp, &authority).await;
    let authority = authority.display().to_string();
    let trusting = [("SSL_CERT_FILE", authority.as_str())];
    let daemon = fleet.daemon(&trusting).await;
    let base = settled(daemon.pid()).await;
    fleet.grow_to(accounts).await;
    fleet.all_connected().await;
    assert!(daemon.terminate().await.success());
    say(format_args!("restoring {accounts} accounts over TLS"));
    let daemon = fleet.daemon(&trusting).await;
    fleet.all_connected().await;
    let each = (settled(daemon.pid()).await - base) / accounts as f64;
    let what = format!("resident for an idle account over TLS, of {accounts} restored");
    figures.add(what, "KiB", Some(Target::AtMost(240.0)), vec![each]);
    fleet.end([daemon]).await;
}

/// Puts TLS before a plain address. The authority that vouches for it is written down.
async fn terminate(plain: &str, authority: &Path) -> String {
    let (address, path) = plain.strip_prefix("ws://").unwrap().split_once('/').unwrap();
    let (address, path) = (address.to_owned(), path.to_owned());
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(authority, issuer.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone(), issuer.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((from, _)) = listener.accept().await {
            let (acceptor, address) = (acceptor.clone(), address.clone());
            tokio::spawn(async move {
                let mut from = acceptor.accept(from).await.ok()?;
                let mut to = TcpStream::connect(address).await.ok()?;
                tokio::io::copy_bidirectional(&mut from, &mut to).await.ok()
            });
        }
    });
    format!("wss://{here}/{path}")
}
