//! Dialling a name: all of its addresses, the next one beside the last as soon as that
//! keeps one waiting (RFC 8305). A host whose IPv6 route drops everything is one that most
//! names reach by their second address only.
//!
//! Of our own, since the crates for it try the addresses of one family one after the other.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;

/// "Connection Attempt Delay", as the RFC recommends.
const NEXT_AFTER: Duration = Duration::from_millis(250);

/// The first connection that comes about to any of the name's addresses that `choose` leaves;
/// where none does, the failure of the last try. The caller limits the time.
pub(super) async fn connect_to(
    host: &str,
    port: u16,
    choose: impl FnOnce(Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>>,
) -> io::Result<TcpStream> {
    // An address in a URL is in brackets, for the resolver it is not.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let socket = race(interleaved(choose(lookup_host((host, port)).await?.collect())?)).await?;
    // Noise frames are small, and the other side waits for each.
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

/// Which of them answers first.
pub(super) async fn first_to_answer(addresses: Vec<SocketAddr>) -> io::Result<SocketAddr> {
    race(interleaved(addresses)).await?.peer_addr()
}

async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter().peekable();
    let mut tries = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    loop {
        tries.extend(waiting.next().map(TcpStream::connect));
        tokio::select! {
            ended = tries.next() => match ended {
                Some(Ok(socket)) => return Ok(socket),
                Some(Err(wrong)) => failure = wrong,
                None => return Err(failure),
            },
            () = sleep(NEXT_AFTER), if waiting.peek().is_some() => {}
        }
    }
}

/// Alternating between the families, beginning with that which the resolver prefers.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let prefers_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == prefers_v6);
    let mut other = other.into_iter();
    let mut ordered = Vec::new();
    for address in preferred {
        ordered.push(address);
        ordered.extend(other.next());
    }
    ordered.extend(other);
    ordered
}

/// An address that answers nothing, as one does whose packets are dropped: the queue of
/// its listener is full.
#[cfg(test)]
pub(super) async fn silent() -> (tokio::net::TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(Ok(next)) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        queue.push(next);
        assert!(queue.len() < 100, "this system answers for a listener that does not");
    }
    (listener, queue)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::net::TcpListener;

    use super::*;

    async fn closed() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    #[tokio::test]
    async fn an_address_behind_dead_ones_is_reached() {
        let alive = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = alive.local_addr().unwrap();
        let reached = race(vec![closed().await, closed().await, address]).await.unwrap();
        assert_eq!(reached.peer_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn an_address_behind_silent_ones_is_reached_soon() {
        let (one, other) = (silent().await, silent().await);
        let alive = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = alive.local_addr().unwrap();
        let addresses = vec![one.0.local_addr().unwrap(), other.0.local_addr().unwrap(), address];
        let started = Instant::now();
        let reached = race(addresses).await.unwrap();
        assert_eq!(reached.peer_addr().unwrap(), address);
        let took = started.elapsed();
        assert!(took >= NEXT_AFTER * 2 && took < Duration::from_secs(2), "{took:?}");
    }

    #[tokio::test]
    async fn the_last_failure_is_reported_if_no_address_answers() {
        let wrong = race(vec![closed().await, closed().await]).await.unwrap_err();
        assert_eq!(wrong.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race(Vec::new()).await.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn the_families_take_turns_beginning_with_the_preferred() {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"].map(parse);
        let ordered = ["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"].map(parse);
        assert_eq!(interleaved(given.to_vec()), ordered);
        assert_eq!(interleaved(vec![given[3], given[0]]), [given[3], given[0]]);
    }
}
