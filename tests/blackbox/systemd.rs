//! The daemon's notifications to a service manager over sd_notify(3).

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use paird_testkit::{DEADLINE, Stage};
use tokio::net::UnixDatagram;

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_is_up_that_it_lives_and_that_it_stops() {
    let stage = Stage::empty().await;
    let systemd = Systemd::bind();
    let daemon = stage.daemon_starting(&[("NOTIFY_SOCKET", &systemd.path), ("WATCHDOG_USEC", "1000000")]);
    let before = systemd.hears("READY=1").await;
    assert!(before.iter().any(|said| said == "STATUS=opening the database"), "{before:?}");
    stage.web.connect_account("desk", "436601000001", &stage.phones).await;
    systemd.hears("STATUS=1 account runs here").await;

    // It pings twice in the watchdog's time.
    systemd.rest();
    systemd.hears("WATCHDOG=1").await;
    let started = Instant::now();
    for _ in 0..4 {
        systemd.hears("WATCHDOG=1").await;
    }
    assert!(started.elapsed() > Duration::from_secs(1), "not more often than it must: {:?}", started.elapsed());

    daemon.signal(Signal::SIGTERM);
    systemd.hears("STOPPING=1").await;
    assert!(daemon.ended().await.success());
    let after = systemd.rest();
    assert!(!after.iter().any(|said| said == "WATCHDOG=1" || said == "READY=1"), "{after:?}");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_is_fed_only_while_the_database_answers() {
    let mut stage = Stage::empty().await;
    stage.database.take().unwrap().stop().await;
    let systemd = Systemd::bind();
    let mut daemon = stage.daemon_starting(&[("NOTIFY_SOCKET", &systemd.path), ("WATCHDOG_USEC", "500000")]);
    daemon.says("waiting for the database").await;
    assert!(!systemd.rest().iter().any(|said| said == "READY=1"));
    stage.start_database().await;
    systemd.hears("READY=1").await;

    // While the database is away the daemon waits for it, and pings on.
    stage.database.take().unwrap().stop().await;
    daemon.says("not listening for commands").await;
    systemd.rest();
    for _ in 0..4 {
        systemd.hears("WATCHDOG=1").await;
    }
    stage.start_database().await;
    stage.web.reconnect().await;
    stage.finish([daemon]).await;
}

/// The other end of NOTIFY_SOCKET.
struct Systemd {
    socket: UnixDatagram,
    path: String,
}

impl Systemd {
    fn bind() -> Self {
        // Short: the address of a socket has 107 bytes.
        let path = std::env::temp_dir().join(format!("paird-{}", uuid::Uuid::new_v4().simple()));
        let socket = UnixDatagram::bind(&path).unwrap();
        Self { socket, path: path.display().to_string() }
    }

    /// Waits for this line; returns those before it.
    async fn hears(&self, wanted: &str) -> Vec<String> {
        let mut before = Vec::new();
        let mut datagram = [0; 4096];
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let received = tokio::time::timeout_at(deadline, self.socket.recv(&mut datagram)).await;
            let length = received.unwrap_or_else(|_| panic!("never: {wanted}; heard {before:?}")).unwrap();
            let lines = lines(&datagram[..length]);
            if lines.iter().any(|line| line == wanted) {
                return before;
            }
            before.extend(lines);
        }
    }

    /// Notifications that were not read yet.
    fn rest(&self) -> Vec<String> {
        let mut rest = Vec::new();
        let mut datagram = [0; 4096];
        while let Ok(length) = self.socket.try_recv(&mut datagram) {
            rest.extend(lines(&datagram[..length]));
        }
        rest
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn lines(datagram: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(datagram).lines().map(str::to_owned).collect()
}
