//! The greeting of a proxy, up to the stream that it opens.

use std::fmt::Write as _;
use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use paird_actors::domain::CloseReason;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_socks::{Error as Socks, tcp::Socks5Stream};

use crate::credentials::ProxyLogin;
use crate::proxy_address::{ProxyAddress, ProxyKind};
use crate::whatsapp::happy_eyeballs;

use super::{NotAllowed, Proxy};

const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// The proxy dials WhatsApp meanwhile.
const GREETING_TIMEOUT: Duration = Duration::from_secs(20);
/// More than any proxy says of itself.
const LONGEST_ANSWER: usize = 16 * 1024;

pub(super) async fn reach(
    Proxy { address: proxy, login, allow }: &Proxy,
    host: &str,
    port: u16,
) -> Result<TcpStream, CloseReason> {
    let login = login.as_ref();
    let (proxy_host, proxy_port) = proxy.dialled();
    // The addresses that are dialled are looked at, not the name that leads to them.
    let connecting = happy_eyeballs::connect_to(&proxy_host, proxy_port, |addresses| allow.filter(addresses));
    let socket = match timeout(DIAL_TIMEOUT, connecting).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) if NotAllowed::is(&error) => return Err(CloseReason::ProxyInvalid(error.to_string())),
        Ok(Err(error)) => return Err(CloseReason::ProxyUnreachable(format!("{proxy}: {error}"))),
        Err(_) => {
            let seconds = DIAL_TIMEOUT.as_secs();
            return Err(CloseReason::ProxyUnreachable(format!("{proxy}: no connection within {seconds} s")));
        }
    };
    let greeting = async {
        match proxy.kind {
            ProxyKind::Socks5 => socks(proxy, socket, login, host, port).await,
            ProxyKind::Http => connect(proxy, socket, login, host, port).await,
        }
    };
    match timeout(GREETING_TIMEOUT, greeting).await {
        Ok(reached) => reached,
        Err(_) => {
            let seconds = GREETING_TIMEOUT.as_secs();
            Err(CloseReason::ProxyUnreachable(format!("{proxy}: no answer within {seconds} s")))
        }
    }
}

async fn socks(
    proxy: &ProxyAddress,
    socket: TcpStream,
    login: Option<&ProxyLogin>,
    host: &str,
    port: u16,
) -> Result<TcpStream, CloseReason> {
    // An address in a URL is in brackets, in SOCKS it is not.
    let target = (host.trim_start_matches('[').trim_end_matches(']'), port);
    let reached = match login {
        Some(login) => {
            let (user, password) = (login.user(), login.password());
            Socks5Stream::connect_with_password_and_socket(socket, target, user, password).await
        }
        None => Socks5Stream::connect_with_socket(socket, target).await,
    };
    match reached {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => Err(socks_refusal(proxy, login.is_some(), &error)),
    }
}

fn socks_refusal(proxy: &ProxyAddress, with_login: bool, error: &Socks) -> CloseReason {
    match error {
        Socks::NoAcceptableAuthMethods | Socks::UnknownAuthMethod | Socks::AuthorizationRequired if !with_login => {
            CloseReason::ProxyAuth(format!("{proxy}: it wants a user and a password, and none are set"))
        }
        Socks::NoAcceptableAuthMethods
        | Socks::UnknownAuthMethod
        | Socks::AuthorizationRequired
        | Socks::InvalidAuthValues(_)
        | Socks::PasswordAuthFailure(_)
        | Socks::IdentdAuthFailure
        | Socks::InvalidUserIdAuthFailure => {
            CloseReason::ProxyAuth(format!("{proxy}: it rejected the user and password that are set"))
        }
        Socks::InvalidResponseVersion | Socks::InvalidReservedByte | Socks::UnknownAddressType => {
            CloseReason::ProxyRefused(format!("{proxy}: the server there does not speak SOCKS5"))
        }
        Socks::Io(error) => CloseReason::ProxyRefused(format!("{proxy}: it hung up during the greeting: {error}")),
        Socks::ParseError(_)
        | Socks::InvalidTargetAddress(_)
        | Socks::ProxyServerUnreachable
        | Socks::GeneralSocksServerFailure
        | Socks::ConnectionNotAllowedByRuleset
        | Socks::NetworkUnreachable
        | Socks::HostUnreachable
        | Socks::ConnectionRefused
        | Socks::TtlExpired
        | Socks::CommandNotSupported
        | Socks::AddressTypeNotSupported
        | Socks::UnknownError => CloseReason::ProxyRefused(format!("{proxy}: {error}")),
    }
}

async fn connect(
    proxy: &ProxyAddress,
    mut socket: TcpStream,
    login: Option<&ProxyLogin>,
    host: &str,
    port: u16,
) -> Result<TcpStream, CloseReason> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(login) = login {
        let basic = BASE64_STANDARD.encode(format!("{}:{}", login.user(), login.password()));
        // Writing to a String cannot fail.
        let _ = write!(request, "Proxy-Authorization: Basic {basic}\r\n");
    }
    request.push_str("\r\n");
    let hung_up = |error: std::io::Error| {
        CloseReason::ProxyRefused(format!("{proxy}: it hung up before it answered CONNECT: {error}"))
    };
    socket.write_all(request.as_bytes()).await.map_err(hung_up)?;
    let mut answer = Vec::with_capacity(256);
    // One byte at a time, since the bytes after the answer are WhatsApp's.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == LONGEST_ANSWER {
            return Err(not_http(proxy));
        }
        answer.push(socket.read_u8().await.map_err(hung_up)?);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(&answer).ok().and(parsed.code) {
        Some(200..=299) => Ok(socket),
        Some(407) if login.is_none() => {
            Err(CloseReason::ProxyAuth(format!("{proxy}: it wants a user and a password, and none are set (407)")))
        }
        Some(407) => {
            Err(CloseReason::ProxyAuth(format!("{proxy}: it rejected the user and password that are set (407)")))
        }
        Some(code) => Err(CloseReason::ProxyRefused(format!("{proxy}: it answered CONNECT with {code}"))),
        None => Err(not_http(proxy)),
    }
}

fn not_http(proxy: &ProxyAddress) -> CloseReason {
    CloseReason::ProxyRefused(format!("{proxy}: the server there does not speak HTTP"))
}
