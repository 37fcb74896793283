//! A daemon whose database is behind PgBouncer, as that is set up by default.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use paird::postgres::migrate::migrate;
use paird::postgres::pool::{Dsn, connection};
use paird_testkit::{Stage, until};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use serde_json::json;

/// PgBouncer's program. Without it these tests say that they were left out; in CI they fail.
fn pgbouncer() -> Option<PathBuf> {
    let found = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"].map(PathBuf::from);
    paird_testkit::found_or_left_out(found.into_iter().find(|path| path.exists()), "PgBouncer", "pgbouncer")
}

/// Whether it keeps prepared statements for clients that share its connections: since 1.21.
fn keeps_prepared_statements() -> bool {
    let Some(program) = pgbouncer() else { return false };
    let said = Command::new(program).arg("--version").output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    let version = said.split_whitespace().nth(1).unwrap();
    let numbers: Vec<u32> = version.split('.').map_while(|number| number.parse().ok()).collect();
    numbers.as_slice() >= [1, 21].as_slice()
}

struct Pooler {
    process: Child,
    dsn: String,
}

impl Pooler {
    /// `None` without PgBouncer.
    async fn before(stage: &Stage, mode: &str, more: &str) -> Option<Self> {
        let program = pgbouncer()?;
        let dir = stage.dir.join("pooler");
        std::fs::create_dir_all(&dir).unwrap();
        let config = dir.join("pgbouncer.ini");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "[databases]\npaird = {}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n\
             unix_socket_dir =\npool_mode = {mode}\n{more}",
            stage.dsn,
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(program);
        if nix::unistd::geteuid().is_root() {
            // It refuses root, and only the server's user reaches the server's socket.
            let owner = std::fs::metadata(stage.dir.join("run")).unwrap().uid();
            let user = nix::unistd::User::from_uid(owner.into()).unwrap().unwrap();
            command.args(["-u", &user.name]);
        }
        // PgBouncer's user cannot open files in the stage's directory, so it gets an open one.
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let process = command.arg(&config).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let dsn = format!("host=127.0.0.1 port={port} user=paird dbname=paird");
        until("a pooler that answers", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop)
        })
        .await;
        Some(Self { process, dsn })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_mode_of_pgbouncer_needs_no_settings() {
    let stage = Stage::empty().await;
    let Some(pooler) = Pooler::before(&stage, "session", "").await else { return };
    let daemon = stage.daemon(&[("DATABASE_URL", &pooler.dsn)]).await;
    let web = &stage.web;
    let account = web.connect_account("shop", "436601000001", &stage.phones).await;
    web.does("groups.sync", account, json!({})).await;
    assert!(!daemon.log().contains("cannot LISTEN"), "{}", daemon.log());
    // Former startup options are still set.
    let pool = Dsn::parse(&pooler.dsn).unwrap().pool().unwrap();
    let session = connection(&pool).await.unwrap();
    for (setting, value) in [("statement_timeout", "10s"), ("idle_in_transaction_session_timeout", "10s")] {
        let row = session.query_one(&format!("SHOW {setting}"), &[]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), value, "{setting}");
    }
    drop((session, pool));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_mode_without_prepared_statements_is_reported() {
    let stage = Stage::empty().await;
    let none = if keeps_prepared_statements() { "max_prepared_statements = 0\n" } else { "" };
    let Some(pooler) = Pooler::before(&stage, "transaction", none).await else { return };
    // With the server's own address for LISTEN, too: what it lacks is prepared statements.
    for settings in [&[][..], &[("PAIRD_LISTEN_URL", stage.dsn.as_str())]] {
        let mut settings = settings.to_vec();
        settings.push(("DATABASE_URL", &pooler.dsn));
        let mut daemon = stage.daemon_starting(&settings);
        let said = daemon.says("a pooler shares connections between transactions").await;
        assert!(said.contains("PAIRD_LISTEN_URL") && said.contains("PgBouncer 1.21"), "{said}");
        daemon.kill().await;
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_mode_works_with_statements_kept_and_a_listen_url() {
    if !keeps_prepared_statements() {
        return eprintln!("left out: PgBouncer is older than 1.21");
    }
    let stage = Stage::empty().await;
    // Fewer connections than the daemon has: they are shared.
    let shared = "max_prepared_statements = 200\ndefault_pool_size = 2\n";
    let Some(pooler) = Pooler::before(&stage, "transaction", shared).await else { return };
    let daemon = stage.daemon(&[("DATABASE_URL", &pooler.dsn), ("PAIRD_LISTEN_URL", &stage.dsn)]).await;
    let web = &stage.web;
    let mut accounts = Vec::new();
    for nth in 0..5 {
        let number = format!("43660100000{nth}");
        accounts.push((web.connect_account(&format!("shop {nth}"), &number, &stage.phones).await, number));
    }
    for (account, number) in accounts {
        web.does("groups.sync", account, json!({})).await;
        stage.logs_in_anew(account, &number).await;
        web.does("account.delete", account, json!({})).await;
        web.event(account, "account.unlinked", 0).await;
        stage.phones.devices_are(&number, 0).await;
    }
    let log = daemon.log();
    assert!(!log.contains("cannot LISTEN") && !log.contains("a pooler shares connections"), "{log}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listen_url_of_another_database_is_told() {
    let stage = Stage::empty().await;
    let other = stage.database.as_ref().unwrap().create_database("other", None).await.unwrap();
    migrate(&Dsn::parse(&other).unwrap()).await.unwrap();
    let mut daemon = stage.daemon_starting(&[("DATABASE_URL", &stage.dsn), ("PAIRD_LISTEN_URL", &other)]);
    let said = daemon.says("PAIRD_LISTEN_URL").await;
    assert!(said.contains("another database"), "{said}");
    // The daemon polls, as behind a pooler without LISTEN, and everything works.
    daemon.up().await;
    let account = stage.web.account("desk").await;
    stage.phones.add("436601000001").await;
    stage.web.does("account.pair", account, json!({})).await;
    stage.finish([daemon]).await;
}

/// A certificate authority, and certificates of it in files that every user may read.
struct Authority {
    dir: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(dir: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(dir.join(format!("{name}.pem")), issuer.pem()).unwrap();
        Self { dir: dir.to_owned(), issuer }
    }

    /// A certificate with its key.
    fn vouch(&self, name: &str, host: &str, serial: u64) {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from(serial));
        params.distinguished_name.push(DnType::CommonName, "paird");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.dir.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn revoke(&self, name: &str, serial: u64) {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2124, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).unwrap();
        std::fs::write(self.dir.join(format!("{name}.pem")), list.pem().unwrap()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_checked_shown_and_revoked_as_the_dsn_says() {
    let stage = Stage::empty().await;
    let dir = std::env::temp_dir().join(format!("paird-tls-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&dir).unwrap();
    let (own, other) = (Authority::new(&dir, "own"), Authority::new(&dir, "other"));
    own.vouch("server", "localhost", 7);
    own.vouch("client", "client.example", 8);
    other.vouch("stranger", "client.example", 8);
    own.revoke("revoked", 7);
    own.revoke("harmless", 99);
    let at = |name: &str| dir.join(name).display().to_string();
    let tls = format!(
        "client_tls_sslmode = verify-full\nclient_tls_key_file = {}\nclient_tls_cert_file = {}\n\
         client_tls_ca_file = {}\n",
        at("server.key"),
        at("server.pem"),
        at("own.pem"),
    );
    let Some(pooler) = Pooler::before(&stage, "session", &tls).await else { return };
    let dsn = pooler.dsn.replace("127.0.0.1", "localhost");
    let client = format!("sslcert={} sslkey={}", at("client.pem"), at("client.key"));
    let stranger = format!("sslcert={} sslkey={}", at("stranger.pem"), at("stranger.key"));
    let verified = |root: &str| format!("sslmode=verify-full sslrootcert={}", at(root));
    for (settings, is_let_in) in [
        (format!("{} {client}", verified("own.pem")), true),
        (format!("{} {client} sslcrl={}", verified("own.pem"), at("harmless.pem")), true),
        (format!("{} {client} sslcrl={}", verified("own.pem"), at("revoked.pem")), false),
        (format!("{} {client}", verified("other.pem")), false),
        (verified("own.pem"), false),
        (format!("{} {stranger}", verified("own.pem")), false),
        (format!("sslmode=require {client}"), true),
        ("sslmode=disable".to_owned(), false),
    ] {
        let pool = Dsn::parse(&format!("{dsn} {settings}")).unwrap().pool().unwrap();
        let connected = connection(&pool).await;
        assert_eq!(connected.is_ok(), is_let_in, "{settings}: {:?}", connected.err());
    }
    // The certificate is for another name.
    let pool = Dsn::parse(&format!("{} {} {client}", pooler.dsn, verified("own.pem"))).unwrap().pool().unwrap();
    assert!(connection(&pool).await.is_err(), "a certificate for another name was accepted");
    drop(pooler);
    std::fs::remove_dir_all(dir).unwrap();
    stage.finish([]).await;
}
