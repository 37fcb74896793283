//! An account's own way out: every byte of its connections goes through its proxy, or
//! does not go. Names are resolved by the proxy; TLS to WhatsApp is inside the tunnel.

mod allow;
#[cfg(test)]
mod tests;
mod tunnel;
pub(super) mod web;

use std::sync::Arc;

pub(super) use allow::NotAllowed;
pub use allow::ProxyAllow;

use paird_actors::domain::CloseReason;
use tokio::net::TcpStream;
use whatsapp_rust::http::HttpClient;

use crate::credentials::ProxyLogin;
use crate::proxy_address::ProxyAddress;

/// A proxy and the login for it, ready to be dialled.
#[derive(Clone, Debug)]
pub struct Proxy {
    address: ProxyAddress,
    login: Option<ProxyLogin>,
    allow: Arc<ProxyAllow>,
}

impl Proxy {
    pub fn new(address: ProxyAddress, login: Option<ProxyLogin>, allow: Arc<ProxyAllow>) -> Self {
        Self { address, login, allow }
    }

    /// A stream to the host, which the proxy resolves.
    pub(super) async fn reach(&self, host: &str, port: u16) -> Result<TcpStream, CloseReason> {
        tunnel::reach(self, host, port).await
    }

    /// For what the protocol library fetches over HTTP.
    pub(super) fn http(&self) -> Result<Arc<dyn HttpClient>, CloseReason> {
        web::through(self)
    }
}
