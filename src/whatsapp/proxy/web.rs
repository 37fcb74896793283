//! HTTP through the proxy: the version lookup, and what the library downloads.

use std::sync::Arc;
use std::time::Duration;

use paird_actors::domain::CloseReason;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy as UreqProxy, ProxyProtocol};
use whatsapp_rust::http::{HttpClient, UreqHttpClient};

use crate::proxy_address::ProxyKind;

use super::{Proxy, ProxyAllow};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(12);
/// As in the library's own client: responses are small, or streamed.
const BUFFER: usize = 16 * 1024;
/// The library's own limit is meant for videos. Here, only the page with the version and
/// parts of an account's settings are fetched.
const LARGEST_BODY: u64 = 16 << 20;

/// Without a proxy, even if the environment sets one. A name's addresses share the time to
/// connect, and the first gets more than half of it.
pub(in crate::whatsapp) fn direct() -> UreqHttpClient {
    let config = small(None, 2).build();
    // As the sockets of such a build.
    let agent = match cfg!(feature = "sandbox") {
        true => filtered(config, Arc::new(ProxyAllow::this_machine())),
        false => Agent::new_with_config(config),
    };
    UreqHttpClient::with_agent(agent).with_max_body_bytes(LARGEST_BODY)
}

fn filtered(config: Config, allow: Arc<ProxyAllow>) -> Agent {
    Agent::with_parts(config, DefaultConnector::default(), AllowedAddresses { allow, all: DefaultResolver::default() })
}

/// Finds of a name's addresses those that may be dialled.
#[derive(Debug)]
struct AllowedAddresses {
    allow: Arc<ProxyAllow>,
    all: DefaultResolver,
}

impl Resolver for AllowedAddresses {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.all.resolve(uri, config, timeout)?;
        let mut permitted = self.all.empty();
        for address in self.allow.filter(addresses.iter().copied().collect())? {
            permitted.push(address);
        }
        Ok(permitted)
    }
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

pub(super) fn through(Proxy { address: proxy, login, allow }: &Proxy) -> Result<Arc<dyn HttpClient>, CloseReason> {
    let protocol = match proxy.kind {
        ProxyKind::Socks5 => ProxyProtocol::Socks5h,
        ProxyKind::Http => ProxyProtocol::Http,
    };
    let mut builder = UreqProxy::builder(protocol).host(&proxy.host.to_string()).port(proxy.port).resolve_target(false);
    if let Some(login) = login {
        builder = builder.username(login.user()).password(login.password());
    }
    let proxy = builder.build().map_err(|_| CloseReason::ProxyInvalid("it cannot be used for HTTP".to_owned()))?;
    let agent = filtered(small(Some(proxy), 1).build(), Arc::clone(allow));
    Ok(Arc::new(UreqHttpClient::with_agent(agent).with_max_body_bytes(LARGEST_BODY)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use whatsapp_rust::http::HttpRequest;

    use super::*;

    #[tokio::test]
    async fn a_page_that_does_not_end_is_not_read_into_memory() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/sw.js", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 4096]).unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
            let mut sent = 0;
            // Three times the limit, or until it hangs up.
            while sent < 3 * LARGEST_BODY && socket.write_all(&[b'x'; 65536]).is_ok() {
                sent += 65536;
            }
            sent
        });
        let answer = HttpClient::execute(&direct(), HttpRequest::get(url)).await;
        assert!(answer.is_err(), "it read all of it");
        assert!(served.join().unwrap() < 2 * LARGEST_BODY);
    }

    #[cfg(feature = "sandbox")]
    #[tokio::test]
    async fn a_sandbox_build_fetches_from_this_machine_alone() {
        let refused = HttpClient::execute(&direct(), HttpRequest::get("http://192.0.2.1/".to_owned())).await;
        let why = format!("{:#}", refused.err().unwrap());
        assert!(why.contains("192.0.2.1"), "{why}");
    }
}
