//! HTTP through the proxy: the version lookup, and what the library downloads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use paird_actors::domain::CloseReason;
use tokio::runtime::Handle;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy as UreqProxy, ProxyProtocol};
use wacore::net::StreamingHttpResponse;
use whatsapp_rust::anyhow;
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse, UreqHttpClient};

use crate::proxy_address::ProxyKind;

use super::{super::happy_eyeballs, Proxy, ProxyAllow};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(12);
/// How long a server may be silent: each request keeps a thread until its end.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_mins(5);
/// As in the library's own client: responses are small, or streamed.
const BUFFER: usize = 16 * 1024;
/// The library's own limit is meant for videos. Here, only the page with the version, parts of an
/// account's settings and its phone's history are fetched.
const LARGEST_BODY: u64 = 16 << 20;

/// Without a proxy, even if the environment sets one.
pub(in crate::whatsapp) fn direct() -> WebClient {
    // As the sockets of such a build.
    let allow = cfg!(feature = "sandbox").then(|| Arc::new(ProxyAllow::this_machine()));
    WebClient::new(agent(small(None, 2).build(), allow))
}

/// The library's own client, with limits.
pub(in crate::whatsapp) struct WebClient(UreqHttpClient);

impl WebClient {
    fn new(agent: Agent) -> Self {
        Self(UreqHttpClient::with_agent(agent).with_max_body_bytes(LARGEST_BODY))
    }
}

#[async_trait]
impl HttpClient for WebClient {
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, anyhow::Error> {
        self.0.execute(readdressed(request)).await
    }

    fn supports_streaming(&self) -> bool {
        self.0.supports_streaming()
    }

    fn execute_streaming(&self, request: HttpRequest) -> Result<StreamingHttpResponse, anyhow::Error> {
        self.0.execute_streaming(readdressed(request))
    }
}

/// The library asks every media host by HTTPS, and the sandbox's has no certificate.
fn readdressed(request: HttpRequest) -> HttpRequest {
    const HERE: &str = "://127.0.0.1:";
    match request.url.strip_prefix("https") {
        Some(rest) if cfg!(feature = "sandbox") && rest.starts_with(HERE) => {
            HttpRequest { url: format!("http{rest}"), ..request }
        }
        Some(_) | None => request,
    }
}

fn agent(config: Config, allow: Option<Arc<ProxyAllow>>) -> Agent {
    Agent::with_parts(config, DefaultConnector::default(), LiveAddresses { allow, all: DefaultResolver::default() })
}

/// Resolves a name to the addresses that may be dialled, with the first one that answers at the
/// front: the connector tries them one by one and gives most of its time to the first.
#[derive(Debug)]
struct LiveAddresses<R> {
    /// `None` permits all.
    allow: Option<Arc<ProxyAllow>>,
    all: R,
}

impl<R: Resolver> Resolver for LiveAddresses<R> {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses: Vec<_> = self.all.resolve(uri, config, timeout)?.iter().copied().collect();
        if let Some(allow) = &self.allow {
            addresses = allow.filter(addresses)?;
        }
        let first = (addresses.len() > 1).then(|| first_to_answer(addresses.clone())).flatten();
        // The sort is stable: the others keep the order of the resolver.
        addresses.sort_by_key(|address| Some(*address) != first);
        let mut live = self.all.empty();
        for address in addresses {
            live.push(address);
        }
        Ok(live)
    }
}

/// An additional connection costs less than a long wait for an address whose packets are dropped.
/// Runs on a thread that may block.
fn first_to_answer(addresses: Vec<SocketAddr>) -> Option<SocketAddr> {
    let racing = tokio::time::timeout(CONNECT_TIMEOUT, happy_eyeballs::first_to_answer(addresses));
    Handle::try_current().ok()?.block_on(racing).ok()?.ok()
}

fn small(proxy: Option<UreqProxy>, idle: usize) -> ConfigBuilder<AgentScope> {
    Config::builder()
        .proxy(proxy)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(SILENCE_TIMEOUT))
        .timeout_per_read(Some(SILENCE_TIMEOUT))
        .timeout_global(Some(REQUEST_TIMEOUT))
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
    let agent = agent(small(Some(proxy), 1).build(), Some(Arc::clone(allow)));
    Ok(Arc::new(WebClient::new(agent)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

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

    /// Runs itself again, in the environment of a company's proxy: a test may not change its own.
    #[test]
    fn no_proxy_of_the_environment_is_used_for_lookups() {
        const NAME: &str = "PAIRD_TEST_LOOKUP";
        #[expect(clippy::disallowed_methods, reason = "what its other run is told")]
        if let Ok(url) = std::env::var(NAME) {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let fetched = runtime.block_on(async { HttpClient::execute(&direct(), HttpRequest::get(url)).await });
            assert_eq!(fetched.unwrap().status_code, 200);
            return;
        }
        let page = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        // Nobody listens there: what goes to the proxy fails.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{}/sw.js", page.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut socket, _) = page.accept().unwrap();
            let _ = socket.read(&mut [0; 4096]).unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        });
        let proxy_url = format!("http://{closed}");
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            again.env(name, &proxy_url).env(name.to_lowercase(), &proxy_url);
        }
        let name = format!("{}::no_proxy_of_the_environment_is_used_for_lookups", module_path!());
        let (_, name) = name.split_once("::").unwrap();
        let output = again.env(NAME, url).args(["--exact", name]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    /// A name with these addresses.
    #[derive(Debug)]
    struct Named(Vec<SocketAddr>);

    impl Resolver for Named {
        fn resolve(&self, _: &http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut addresses = self.empty();
            self.0.iter().for_each(|address| addresses.push(*address));
            Ok(addresses)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_address_behind_silent_ones_is_asked_soon() {
        let (one, other) = (happy_eyeballs::silent().await, happy_eyeballs::silent().await);
        let alive = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [&one.0, &other.0].map(|silent| silent.local_addr().unwrap());
        let addresses = addresses.into_iter().chain([alive.local_addr().unwrap()]).collect();
        std::thread::spawn(move || {
            // The first may be there to find out whether anybody is.
            while let Ok((mut socket, _)) = alive.accept() {
                if socket.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
                }
            }
        });
        let resolver = LiveAddresses { allow: None, all: Named(addresses) };
        let agent = Agent::with_parts(small(None, 2).build(), DefaultConnector::default(), resolver);
        let client = UreqHttpClient::with_agent(agent);
        let started = std::time::Instant::now();
        let answer = HttpClient::execute(&client, HttpRequest::get("http://name.example/".to_owned())).await.unwrap();
        assert_eq!(answer.status_code, 200);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    }

    #[cfg(feature = "sandbox")]
    #[tokio::test]
    async fn a_sandbox_build_fetches_from_this_machine_alone() {
        let refused = HttpClient::execute(&direct(), HttpRequest::get("http://192.0.2.1/".to_owned())).await;
        let why = format!("{:#}", refused.err().unwrap());
        assert!(why.contains("192.0.2.1"), "{why}");
    }
}
