//! HTTP through the proxy: the version lookup, and what the library downloads.

use std::sync::Arc;
use std::time::Duration;

use paird_actors::domain::CloseReason;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;
use ureq::{Proxy as UreqProxy, ProxyProtocol};
use whatsapp_rust::http::{HttpClient, UreqHttpClient};

use crate::credentials::ProxyLogin;
use crate::proxy_address::{ProxyAddress, ProxyKind};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(12);
/// As the library's own: what is fetched is small, or streamed.
const BUFFER: usize = 16 * 1024;

/// Without a proxy, whatever the environment says. A name's addresses share the time to
/// connect, the first of them more than half of it.
pub(in crate::whatsapp) fn direct() -> UreqHttpClient {
    UreqHttpClient::with_agent(small(None, 2).build().into())
}

fn small(proxy: Option<UreqProxy>, idle: usize) -> ConfigBuilder<AgentScope> {
    Config::builder()
        .proxy(proxy)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .max_idle_connections(idle)
        .max_idle_connections_per_host(idle)
}

pub(super) fn through(proxy: &ProxyAddress, login: Option<&ProxyLogin>) -> Result<Arc<dyn HttpClient>, CloseReason> {
    let protocol = match proxy.kind {
        ProxyKind::Socks5 => ProxyProtocol::Socks5h,
        ProxyKind::Http => ProxyProtocol::Http,
    };
    let mut builder = UreqProxy::builder(protocol).host(&proxy.host.to_string()).port(proxy.port).resolve_target(false);
    if let Some(login) = login {
        builder = builder.username(login.user()).password(login.password());
    }
    let proxy = builder.build().map_err(|_| CloseReason::ProxyInvalid("it cannot be used for HTTP".to_owned()))?;
    Ok(Arc::new(UreqHttpClient::with_agent(small(Some(proxy), 1).build().into())))
}
