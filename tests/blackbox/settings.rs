//! .deploy/README.md, "Settings" and "Start, stop, upgrade": wrong settings, wrong keys, and the way down.

use std::{os::unix::fs::PermissionsExt, path::Path};

use futures_util::future::join_all;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use paird_testkit::{Daemon, Stage, scratch, until_within};
use serde_json::json;

const NUMBER: &str = "436601234567";

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_named_in_one_line_and_nothing_is_made() {
    let long = "x".repeat(64);
    let wrong: [(&str, &str); 29] = [
        ("DATABASE_URL", "mysql://root@localhost/paird"),
        ("DATABASE_URL", "host"),
        ("DATABASE_URL", "postgres://"),
        ("PAIRD_CONFIG", "/nowhere/paird.toml"),
        ("PAIRD_COMMAND_CHANNEL", "Paird-Command"),
        ("PAIRD_COMMAND_CHANNEL", &long),
        ("PAIRD_EVENT_CHANNEL", "1event"),
        ("PAIRD_EVENT_CHANNEL", "paird_command"),
        ("PAIRD_PAIR_TIMEOUT", "five minutes"),
        ("PAIRD_PAIR_TIMEOUT", "0s"),
        ("PAIRD_PENDING_MAX_AGE", "-1h"),
        ("PAIRD_REFUSE", "never"),
        ("PAIRD_CONSOLE_ADDR", "0.0.0.0:8088"),
        ("PAIRD_CONSOLE_ADDR", "localhost"),
        ("PAIRD_PROBE_ADDR", "8089"),
        ("PAIRD_PROBE_ADDR", "somewhere:8089"),
        ("PAIRD_LINK_ADDR", "8090"),
        ("PAIRD_LINK_URL", "http://pair.example.com"),
        ("PAIRD_LINK_PROXIES", "nginx"),
        ("PAIRD_PROXY_ALLOW", "everywhere"),
        ("PAIRD_PROXY_ALLOW", "10.0.0.0/33"),
        ("PAIRD_LOG", "paird=loud"),
        ("PAIRD_LOG_FORMAT", "xml"),
        ("PAIRD_WHATSAPP_URL", "ws://192.0.2.1:4200/"),
        ("PAIRD_WHATSAPP_URL", "wss://web.whatsapp.com/ws/chat"),
        ("PAIRD_WHATSAPP_URL", ""),
        ("PAIRD_DEVICE_NAME", &long),
        ("PAIRD_DEVICE_NAME", "two\nlines"),
        ("PAIRD_PAIR_TIMEOUTS", "5m"),
    ];
    let runs = wrong.map(|(name, value)| async move {
        let dir = scratch();
        let data = dir.join("data").display().to_string();
        let usual = [
            ("DATABASE_URL", "host=/nowhere user=paird"),
            ("PAIRD_DATA_DIR", data.as_str()),
            ("PAIRD_WHATSAPP_URL", "ws://127.0.0.1:1/"),
        ];
        let (status, said) = Daemon::start(&dir, usual.into_iter().chain([(name, value)])).last_words().await;
        assert_eq!(status.code(), Some(2), "{name}={value}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}={value}: {said}");
        assert!(said.contains(name), "{name}={value}: {said}");
        assert!(!Path::new(&data).exists(), "{name}={value} made a data directory");
        std::fs::remove_dir_all(dir).unwrap();
    });
    join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_settings_line_is_named_without_a_nearby_password() {
    for (line, named) in [
        ("DATABASE_URL = \"postgres://paird:hunter2@", "line 1 is not TOML"),
        ("DATABASE_URI = \"postgres://paird:hunter2@h/d\"", "did you mean DATABASE_URL?"),
        ("DATABASE_URL = \"postgres://paird:hunter2@h:port/d\"", "DATABASE_URL"),
    ] {
        let dir = scratch();
        std::fs::write(dir.join("paird.toml"), line).unwrap();
        let (status, said) = Daemon::start(&dir, [].into_iter()).last_words().await;
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains(named) && said.lines().count() == 1, "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        std::fs::remove_dir_all(dir).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_wrong_or_readable_master_key_stops_the_start() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    assert!(daemon.terminate().await.success());
    let file = stage.dir.join("daemon/master.key");
    let key = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (before, accepted) = (everything(&stage).await, stage.phones.report().await.accepted);

    let other = key.replace(key.split(' ').nth(1).unwrap(), &format!("{}=\n", "A".repeat(43)));
    for (content, mode) in
        [(None, 0), (Some(other.as_str()), 0o600), (Some("rubbish"), 0o600), (Some(key.as_str()), 0o644)]
    {
        let _ = std::fs::remove_file(&file);
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        }
        let (status, said) = stage.daemon_starting(&[]).last_words().await;
        assert_eq!(status.code(), Some(1), "{said}");
        let last: Vec<_> = said.lines().filter(|line| line.contains("PAIRD_MASTER_KEY_FILE")).collect();
        assert!(last.len() == 1 && said.ends_with(&format!("{}\n", last[0])), "one clear line, the last: {said}");
        assert_eq!(file.exists(), content.is_some(), "no other key is made");
        assert_eq!(everything(&stage).await, before, "{said}");
    }
    assert_eq!(stage.phones.report().await.accepted, accepted, "no connection to WhatsApp was made");

    std::fs::write(&file, key).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let daemon = stage.daemon(&[]).await;
    web.status_is(account, "connected").await;
    web.agrees_with(&stage.phones, NUMBER).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_opens_all_files_it_may_and_dumps_no_core() {
    let stage = Stage::empty().await;
    // Inherited by the daemon; a test has a process of its own.
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, files.min(512), files).unwrap();
    let (_, core) = getrlimit(Resource::RLIMIT_CORE).unwrap();
    setrlimit(Resource::RLIMIT_CORE, core, core).unwrap();
    let daemon = stage.daemon(&[]).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let limit = |name: &str| -> Vec<String> {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().take(2).map(str::to_owned).collect()
    };
    assert_eq!(limit("Max core file size"), ["0", "0"]);
    assert_eq!(limit("Max open files"), [files.to_string(), files.to_string()]);
    stage.finish([daemon]).await;
}

/// A hash of all rows of all tables.
async fn everything(stage: &Stage) -> String {
    let tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
                  WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
    let tables: String = stage.web.sql.query_one(tables, &[]).await.unwrap().get(0);
    let mut all = String::new();
    for table in tables.split(' ') {
        let sql = format!("SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t");
        let hash: String = stage.web.sql.query_one(&sql, &[]).await.unwrap().get(0);
        all += &format!("{table} {hash}\n");
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_keeps_every_account_for_the_next_start() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let numbers: Vec<String> = (0..10).map(|nth| format!("4366000000{nth:02}")).collect();
    let connecting = numbers.iter().map(|number| web.connect_account(&number[10..], number, &stage.phones));
    let accounts = join_all(connecting).await;
    let attempts = join_all((0..5).map(|nth| async move {
        let account = web.account(&format!("attempt {nth}")).await;
        web.does("account.pair", account, json!({})).await;
        account
    }))
    .await;
    let before = stage.phones.report().await;
    // Work that is under way when the signal comes.
    for account in accounts.iter().chain(&attempts).cycle().take(300) {
        web.send("groups.sync", *account, json!({})).await;
    }
    let status = daemon.terminate().await;
    assert!(status.success(), "{status}");

    let report = stage.phones.report().await;
    assert_eq!((report.unlinks, report.removals, report.connections_now), (0, 0, 0), "closed, and nobody logged out");
    let owned = web.count("SELECT count(*) FROM whatsapp_accounts WHERE owner IS NOT NULL", &[]).await;
    assert_eq!((owned, web.count("SELECT count(*) FROM processes", &[]).await), (0, 0), "the leases are released");
    for number in &numbers {
        assert_eq!(stage.phones.devices(number).await.len(), 1);
    }
    let open = web.count("SELECT count(*) FROM commands WHERE state = 'running'", &[]).await;
    assert_eq!(open, 0, "unfinished commands are queued again");

    let daemon = stage.daemon(&[]).await;
    for (&account, number) in accounts.iter().zip(&numbers) {
        let down = web.event(account, "session.disconnected", 0).await;
        assert_eq!(down.payload["reason"], "released");
        web.event(account, "session.connected", down.seq).await;
        web.agrees_with(&stage.phones, number).await;
    }
    for &account in &attempts {
        assert_eq!(web.status(account).await, "pending", "the attempt is kept");
        assert_eq!(web.endings(account, 0).await, Vec::<String>::new());
        web.does("account.cancel", account, json!({})).await;
    }
    paird_testkit::until("an end of every command", || async {
        let open = web.count("SELECT count(*) FROM commands WHERE state IN ('queued', 'running')", &[]).await;
        (open == 0).then_some(())
    })
    .await;
    let report = stage.phones.report().await;
    assert_eq!((report.links_made, report.replaced), (before.links_made, 0));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_private_under_any_umask() {
    let dir = scratch();
    let data = dir.join("data");
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", "umask 0; exec \"$0\" serve"]).arg(paird_testkit::paird()).current_dir(&dir).env_clear();
    #[expect(clippy::disallowed_methods, reason = "the child finds Postgres on the tester's path")]
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", &dir).env("PAIRD_DATA_DIR", &data).env("PAIRD_WHATSAPP_URL", "ws://127.0.0.1:1/");
    command.env("PAIRD_CONSOLE_ADDR", "127.0.0.1:0").env("PAIRD_PROBE_ADDR", "127.0.0.1:0");
    command.stderr(std::process::Stdio::null()).kill_on_drop(true);
    let mut daemon = command.spawn().unwrap();
    let files = ["postgres.dsn", "postgres.log", "postgres.lock", "console.addr", "console.sock", "console.lock"];
    for file in files.iter().chain(&["probe.addr", "console.token", "master.key"]) {
        let path = data.join(file);
        until_within(std::time::Duration::from_secs(60), file, || async { path.exists().then_some(()) }).await;
        let mode = std::fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let pid = nix::unistd::Pid::from_raw(daemon.id().unwrap().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(daemon.wait().await.unwrap().success());
    std::fs::remove_dir_all(dir).unwrap();
}
