//! .deploy/README.md, "Backup": the commands that are given there, on a running fleet.

use std::{ffi::OsStr, fs, path::PathBuf, process::Command};

use paird_testkit::{Daemon, Stage, Web};
use serde_json::json;
use uuid::Uuid;

const NUMBERS: [&str; 4] = ["436605000001", "436605000002", "436605000003", "436605000004"];

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_restored_from_dump_and_key_connects_without_a_scan() {
    let (Some(pg_dump), Some(pg_restore)) = (program("pg_dump"), program("pg_restore")) else {
        eprintln!("skipped: no pg_dump and pg_restore here");
        return;
    };
    let (mut stage, daemon) = Stage::with_daemon().await;
    let mut accounts = Vec::new();
    for (nth, number) in NUMBERS.iter().enumerate() {
        accounts.push(stage.web.connect_account(&format!("shop {nth}"), number, &stage.phones).await);
    }
    stage.web.does("account.unpair", accounts[3], json!({})).await;
    let listed = lists(&stage).await;

    // The backup is made while the daemons run.
    let (dump, key) = (stage.dir.join("paird.dump"), stage.dir.join("master.key"));
    run(
        &pg_dump,
        &["--format=custom".as_ref(), "--file".as_ref(), dump.as_ref(), "--dbname".as_ref(), stage.dsn.as_ref()],
    );
    fs::copy(stage.dir.join("daemon/master.key"), &key).unwrap();
    assert_eq!(stage.web.status(accounts[0]).await, "connected");
    assert!(daemon.terminate().await.success());

    let restored = stage.database.as_ref().unwrap().create_database("restored", None).await.unwrap();
    let flags = ["--exit-on-error", "--no-owner", "--no-privileges", "--dbname", &restored].map(AsRef::as_ref);
    let restore = [&flags[..], &[dump.as_ref()]].concat();
    run(&pg_restore, &restore);
    stage.web = Web::connect(&restored).await;
    let seqs = seqs(&stage.web, &accounts).await;

    a_wrong_key_is_refused_in_one_line(&stage, &restored).await;

    let data_dir = stage.dir.join("elsewhere").display().to_string();
    let key = key.display().to_string();
    let settings =
        [("DATABASE_URL", restored.as_str()), ("PAIRD_DATA_DIR", &data_dir), ("PAIRD_MASTER_KEY_FILE", &key)];
    let daemon = stage.daemon(&settings).await;
    stage.web.does("account.resume", accounts[3], json!({})).await;
    for account in &accounts {
        stage.web.works(*account).await;
    }
    assert_eq!(lists(&stage).await, listed, "the phones list what they listed, and nothing else");
    assert_eq!(stage.phones.report().await.links_made, NUMBERS.len() as u64);
    for (account, seq) in accounts.iter().zip(seqs) {
        let since = stage.web.events(*account).await.into_iter().filter(|event| event.seq > seq);
        let asked: Vec<_> = since.map(|event| event.kind).filter(|kind| kind == "session.qr").collect();
        assert_eq!(asked, Vec::<String>::new(), "no account was paired again");
    }
    stage.finish([daemon]).await;
}

async fn a_wrong_key_is_refused_in_one_line(stage: &Stage, restored: &str) {
    let wrong = stage.dir.join("wrong.key").display().to_string();
    for (text, words) in [
        (None, "does not exist, and 4 keyrings are sealed with it: put it back"),
        (Some(other_key()), "put that one back"),
    ] {
        if let Some(text) = text {
            fs::write(&wrong, text).unwrap();
            fs::set_permissions(&wrong, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let data_dir = stage.dir.join("nobody").display().to_string();
        let settings = [("DATABASE_URL", restored), ("PAIRD_DATA_DIR", &data_dir), ("PAIRD_MASTER_KEY_FILE", &wrong)];
        let daemon: Daemon = stage.daemon_starting(&settings);
        let (status, said) = daemon.last_words().await;
        assert_eq!(status.code(), Some(1), "{said}");
        let complaints: Vec<_> = said.lines().filter(|line| line.starts_with("paird: ")).collect();
        assert!(matches!(complaints[..], [one] if one.contains("wrong.key") && one.ends_with(words)), "{complaints:?}");
    }
    assert_eq!(stage.web.count("SELECT count(*) FROM keyrings", &[]).await, 4, "and nothing was changed");
}

fn other_key() -> String {
    use base64::Engine as _;
    format!("paird-master-key-v1 {}\n", base64::prelude::BASE64_STANDARD.encode([7; 32]))
}

/// The linked devices of each phone.
async fn lists(stage: &Stage) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    for number in NUMBERS {
        lists.push(stage.phones.devices(number).await.into_iter().map(|device| device.jid).collect());
    }
    lists
}

async fn seqs(web: &Web, accounts: &[Uuid]) -> Vec<i64> {
    let mut seqs = Vec::new();
    for account in accounts {
        seqs.push(web.seq(*account).await);
    }
    seqs
}

/// On the path, or where Debian puts it.
fn program(name: &str) -> Option<PathBuf> {
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let dirs = paird::config::executable_dirs().into_iter().chain(packaged.map(|entry| entry.path().join("bin")));
    dirs.map(|dir| dir.join(name)).find(|path| path.is_file())
}

fn run(program: &PathBuf, arguments: &[&OsStr]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
}
