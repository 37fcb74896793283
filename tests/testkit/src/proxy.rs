use std::net::SocketAddr;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// A proxy of the test's own: SOCKS5 (RFC 1928, 1929) and HTTP CONNECT on one port. It
/// counts what it lets through. Dropped, it cuts everything.
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// Tunnels that were opened.
    tunnels: AtomicU64,
    /// Connections, accepted or refused.
    knocks: AtomicU64,
    /// Logins that were offered.
    logins: Mutex<Vec<String>>,
    /// `user:password` that is wanted.
    wanted: Option<String>,
    /// Tunnels are refused.
    refuses: bool,
}

impl Proxy {
    /// Accepts every connection.
    pub async fn open() -> Self {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), Seen::default()).await
    }

    /// Lets those through who say `user:password`.
    pub async fn wanting(login: &str) -> Self {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), Seen { wanted: Some(login.to_owned()), ..Seen::default() })
            .await
    }

    /// Refuses every connection.
    pub async fn refusing() -> Self {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), Seen { refuses: true, ..Seen::default() }).await
    }

    /// Cuts everything and answers no more.
    pub async fn stop(mut self) -> SocketAddr {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.address
    }

    /// An open proxy at a given address, such as that of an earlier one.
    pub async fn open_at(address: SocketAddr) -> Self {
        Self::start(address, Seen::default()).await
    }

    async fn start(address: SocketAddr, seen: Seen) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::new(seen));
        let task = tokio::spawn(serve(listener, Arc::clone(&seen)));
        Self { address, seen, task }
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    pub fn url_with(&self, scheme: &str, login: &str) -> String {
        format!("{scheme}://{login}@{}", self.address)
    }

    pub fn tunnels(&self) -> u64 {
        self.seen.tunnels.load(Ordering::SeqCst)
    }

    pub fn knocks(&self) -> u64 {
        self.seen.knocks.load(Ordering::SeqCst)
    }

    pub fn logins(&self) -> Vec<String> {
        self.seen.logins.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, seen: Arc<Seen>) {
    // Dropped with the task, and every tunnel with it.
    let mut tunnels = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        seen.knocks.fetch_add(1, Ordering::SeqCst);
        let seen = Arc::clone(&seen);
        tunnels.spawn(async move {
            let _ = tunnel(socket, &seen).await;
        });
    }
}

async fn tunnel(mut socket: TcpStream, seen: &Seen) -> std::io::Result<()> {
    let mut first = [0];
    socket.peek(&mut first).await?;
    let (target, yes): (_, &[u8]) = if first[0] == 5 {
        (socks(&mut socket, seen).await?, b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    } else {
        (connect(&mut socket, seen).await?, b"HTTP/1.1 200 Connection established\r\n\r\n")
    };
    let Some(target) = target else { return Ok(()) };
    let mut there = TcpStream::connect(target).await?;
    seen.tunnels.fetch_add(1, Ordering::SeqCst);
    socket.write_all(yes).await?;
    copy_bidirectional(&mut socket, &mut there).await?;
    Ok(())
}

async fn socks(socket: &mut TcpStream, seen: &Seen) -> std::io::Result<Option<String>> {
    let (_, count) = (socket.read_u8().await?, socket.read_u8().await?);
    let mut methods = vec![0; count.into()];
    socket.read_exact(&mut methods).await?;
    let method = if seen.wanted.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        socket.write_all(&[5, 0xff]).await?;
        return Ok(None);
    }
    socket.write_all(&[5, method]).await?;
    if let Some(wanted) = &seen.wanted {
        socket.read_u8().await?;
        let mut parts = Vec::new();
        for _ in 0..2 {
            let mut part = vec![0; socket.read_u8().await?.into()];
            socket.read_exact(&mut part).await?;
            parts.push(String::from_utf8(part).unwrap());
        }
        let offered = parts.join(":");
        let wrong = offered != *wanted;
        seen.logins.lock().unwrap().push(offered);
        socket.write_all(&[1, u8::from(wrong)]).await?;
        if wrong {
            return Ok(None);
        }
    }
    let mut request = [0; 4];
    socket.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from(socket.read_u32().await?).to_string(),
        3 => {
            let mut name = vec![0; socket.read_u8().await?.into()];
            socket.read_exact(&mut name).await?;
            String::from_utf8(name).unwrap()
        }
        other => panic!("address type {other}"),
    };
    let port = socket.read_u16().await?;
    if seen.refuses {
        socket.write_all(b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00").await?;
        return Ok(None);
    }
    Ok(Some(format!("{host}:{port}")))
}

async fn connect(socket: &mut TcpStream, seen: &Seen) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let offered = lines.find_map(|line| line.strip_prefix("Proxy-Authorization: Basic "));
    let offered = offered.map(|basic| String::from_utf8(BASE64_STANDARD.decode(basic).unwrap()).unwrap());
    seen.logins.lock().unwrap().extend(offered.clone());
    let refusal = match &seen.wanted {
        Some(wanted) if offered.as_ref() != Some(wanted) => Some("407 Proxy Authentication Required"),
        _ if seen.refuses => Some("403 Forbidden"),
        _ => None,
    };
    if let Some(refusal) = refusal {
        socket.write_all(format!("HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await?;
        return Ok(None);
    }
    Ok(Some(target))
}
