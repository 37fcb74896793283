use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn here() -> Arc<ProxyAllow> {
    Arc::new(ProxyAllow::this_machine())
}

/// A proxy that reads once, answers this, and hangs up.
async fn answering(scheme: &str, answer: &'static [u8]) -> (Proxy, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = ProxyAddress::parse(&format!("{scheme}://{}", listener.local_addr().unwrap())).unwrap();
    let heard = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        // SOCKS5 begins with a 5 and waits; HTTP ends with an empty line.
        while heard.first() != Some(&5) && !heard.ends_with(b"\r\n\r\n") {
            if socket.read_buf(&mut heard).await.unwrap() == 0 {
                break;
            }
        }
        if answer.is_empty() {
            // Hangs up, since the client would otherwise wait for its whole timeout.
            return heard;
        }
        socket.write_all(answer).await.unwrap();
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
        heard
    });
    (Proxy::new(address, None, here()), heard)
}

async fn refusal(scheme: &str, answer: &'static [u8]) -> String {
    let (proxy, _heard) = answering(scheme, answer).await;
    proxy.reach("web.whatsapp.com", 443).await.unwrap_err().describe()
}

#[tokio::test]
async fn each_way_for_a_proxy_to_say_no_has_its_word() {
    let said = refusal("http", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    assert!(said.starts_with("proxy_auth: ") && said.contains("none are set (407)"), "{said}");
    let said = refusal("http", b"HTTP/1.1 502 Bad Gateway\r\nVia: x\r\n\r\n").await;
    assert!(said.starts_with("proxy_refused: ") && said.contains("502"), "{said}");
    let said = refusal("http", b"SSH-2.0-OpenSSH\r\n\r\n").await;
    assert!(said.starts_with("proxy_refused: ") && said.contains("does not speak HTTP"), "{said}");
    let said = refusal("socks5", b"\x05\xff").await;
    assert!(said.starts_with("proxy_auth: "), "{said}");
    let said = refusal("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert!(said.starts_with("proxy_refused: ") && said.contains("does not speak SOCKS5"), "{said}");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Proxy::new(ProxyAddress::parse(&format!("socks5://{closed}")).unwrap(), None, here());
    let said = nobody.reach("web.whatsapp.com", 443).await.unwrap_err().describe();
    assert!(said.starts_with("proxy_unreachable: "), "{said}");
}

#[tokio::test]
async fn the_proxy_gets_the_name_and_no_byte_after_its_answer_is_lost() {
    let (proxy, heard) = answering("http", b"HTTP/1.1 200 OK\r\n\r\nfirst words").await;
    let mut tunnel = proxy.reach("web.whatsapp.com", 443).await.unwrap();
    let mut words = [0; 11];
    tunnel.read_exact(&mut words).await.unwrap();
    assert_eq!(&words, b"first words");
    drop(tunnel);
    let heard = String::from_utf8(heard.await.unwrap()).unwrap();
    assert!(heard.starts_with("CONNECT web.whatsapp.com:443 HTTP/1.1\r\n"), "{heard}");
    assert!(!heard.contains("Authorization"), "{heard}");
}

#[tokio::test]
async fn the_librarys_http_requests_use_the_proxy() {
    for (scheme, first) in [("http", &b"CONNECT web.whatsapp.com:443 "[..]), ("socks5", &b"\x05"[..])] {
        let (proxy, heard) = answering(scheme, b"").await;
        let http = proxy.http().unwrap();
        let page = whatsapp_rust::version::fetch_latest_app_version(&http);
        let page = tokio::time::timeout(std::time::Duration::from_secs(30), page).await;
        assert!(page.expect("the proxy has hung up").is_err(), "the proxy let nothing through");
        let heard = tokio::time::timeout(std::time::Duration::from_secs(30), heard);
        let heard = heard.await.map_or_else(|_| panic!("{scheme}: nothing asked the proxy"), Result::unwrap);
        assert!(heard.starts_with(first), "{scheme}: {heard:?}");
    }
}

#[tokio::test]
async fn a_proxy_on_this_machine_is_not_knocked_at_by_default() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let knocked = tokio::spawn(async move { listener.accept().await });
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        for scheme in ["socks5", "http"] {
            let address = ProxyAddress::parse(&format!("{scheme}://{host}:{port}")).unwrap();
            let proxy = Proxy::new(address, None, Arc::new(ProxyAllow::Usual));
            let said = proxy.reach("web.whatsapp.com", 443).await.unwrap_err().describe();
            assert!(said.starts_with("proxy_invalid: ") && said.contains("PAIRD_PROXY_ALLOW"), "{host}: {said}");
            let http = proxy.http().unwrap();
            assert!(whatsapp_rust::version::fetch_latest_app_version(&http).await.is_err());
        }
    }
    assert!(!knocked.is_finished(), "somebody was at the door");
}
