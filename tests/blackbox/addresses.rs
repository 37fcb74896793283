//! Names with several addresses of which the first leads nowhere: a socket is opened to another
//! one, directly and through a proxy.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use paird_testkit::{Daemon, Proxy, Stage, until};
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::Command;
use uuid::Uuid;

const NUMBER: &str = "436601234567";
/// `localhost` with two addresses, IPv6 first, as most names have them.
const TWO: &str = "::1 localhost\n127.0.0.1 localhost\n";

/// The program with this hosts file, in a mount namespace of its own. `None` where the system
/// allows none.
async fn with_hosts(stage: &Stage, hosts: &str) -> Option<Command> {
    let file = stage.dir.join("hosts");
    std::fs::write(&file, hosts).unwrap();
    let by = |program: &Path| {
        let mut command = Command::new("unshare");
        if !nix::unistd::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let script = r#"mount --bind "$0" /etc/hosts && exec "$@""#;
        command.args(["--mount", "sh", "-c", script]).arg(&file).arg(program);
        command
    };
    let works = by(Path::new("true")).output().await.is_ok_and(|output| output.status.success());
    paird_testkit::found_or_left_out(works.then_some(()), "unshare with mount namespaces", "util-linux")?;
    Some(by(&paird_testkit::paird()))
}

/// The first address is dead: nothing listens there, or what does takes no connection.
enum Dead {
    Closed,
    Silent { _listener: TcpListener, _queue: Vec<TcpStream> },
}

impl Dead {
    /// `None` where another program listens there.
    async fn silent(port: u16) -> Option<Self> {
        let address = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        let socket = TcpSocket::new_v6().unwrap();
        socket.bind(address).ok()?;
        let listener = socket.listen(1).unwrap();
        let mut queue = Vec::new();
        let patience = Duration::from_millis(300);
        while let Ok(Ok(next)) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            queue.push(next);
            assert!(queue.len() < 100, "this system answers for a listener that does not");
        }
        Some(Self::Silent { _listener: listener, _queue: queue })
    }
}

fn port_of(url: &str) -> u16 {
    let (_, rest) = url.rsplit_once(':').unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

async fn pairs(stage: &Stage, account: Uuid) {
    stage.phones.add(NUMBER).await;
    stage.web.pair_with(account, NUMBER, &stage.phones).await;
    stage.web.status_is(account, "connected").await;
    assert_eq!(stage.phones.report().await.logins, 1, "one login, and no try was in vain");
}

async fn up_with_hosts(stage: &Stage, settings: &[(&str, &str)]) -> Option<Daemon> {
    let mut daemon = stage.daemon_starting_by(with_hosts(stage, TWO).await?, settings);
    daemon.up().await;
    Some(daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_is_reached_behind_a_dead_first_address() {
    for is_silent in [false, true] {
        let stage = Stage::empty().await;
        let url = stage.whatsapp_url();
        let _dead = if is_silent { Dead::silent(port_of(&url)).await.unwrap() } else { Dead::Closed };
        let by_name = url.replace("127.0.0.1", "localhost");
        let Some(daemon) = up_with_hosts(&stage, &[("PAIRD_WHATSAPP_URL", &by_name)]).await else {
            return stage.finish([]).await;
        };
        let account = stage.web.account("desk").await;
        pairs(&stage, account).await;
        stage.finish([daemon]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_reached_behind_a_dead_first_address() {
    for (is_silent, scheme) in [(false, "socks5"), (true, "http"), (true, "socks5")] {
        let stage = Stage::empty().await;
        let proxy = Proxy::open().await;
        let url = proxy.url(scheme);
        let _dead = if is_silent { Dead::silent(port_of(&url)).await.unwrap() } else { Dead::Closed };
        let Some(daemon) = up_with_hosts(&stage, &[]).await else { return stage.finish([]).await };
        let account = stage.web.account("desk").await;
        let by_name = url.replace("127.0.0.1", "localhost");
        let point = "UPDATE whatsapp_accounts SET proxy = $2 WHERE id = $1";
        stage.web.sql.execute(point, &[&account, &by_name]).await.unwrap();
        pairs(&stage, account).await;
        assert_eq!(stage.phones.report().await.accepted, proxy.tunnels());
        stage.finish([daemon]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_off_this_machine_is_not_dialled() {
    let stage = Stage::empty().await;
    let by_name = stage.whatsapp_url().replace("127.0.0.1", "localhost");
    let Some(command) = with_hosts(&stage, "198.51.100.1 localhost\n").await else { return stage.finish([]).await };
    let mut daemon = stage.daemon_starting_by(command, &[("PAIRD_WHATSAPP_URL", &by_name)]);
    daemon.up().await;
    let account = stage.web.account("desk").await;
    stage.web.send("account.pair", account, json!({})).await;
    until("the reason", async || {
        let reason: Option<String> = stage.web.column(account, "status_reason").await;
        reason.is_some_and(|reason| reason.contains("loopback")).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}
