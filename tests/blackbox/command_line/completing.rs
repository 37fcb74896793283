//! What shells complete, by a real shell.

use std::process::Stdio;
use std::time::Duration;

use paird_testkit::Stage;
use tokio::net::TcpListener;
use tokio::process::Command;

use super::{command, screen::Screen};

/// Where `paird` lies, before the usual tools.
fn path() -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_paird"));
    format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().unwrap().display())
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_commands_labels_and_ids() {
    let stage = Stage::empty().await;
    for label in ["front desk", "back room", "Lobby"] {
        stage.web.account(label).await;
    }
    let id = stage.web.account("till").await.to_string();
    let variables = [("PATH", path()), ("PS1", "ready> ".to_owned()), ("INPUTRC", "/dev/null".to_owned())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut bash = Screen::running(&stage, "bash", &["--norc", "--noprofile", "-i"], &variables, 120, 40);
    bash.shows("ready>").await;
    bash.press("source <(paird completions bash); echo sour''ced\n");
    bash.shows("\nsourced").await;
    // Each line is completed, and dropped without being run.
    for (typed, completed) in [
        ("paird comple", "paird completions "),
        ("paird status --sea", "paird status --search "),
        ("paird status --status he", "paird status --status held"),
        ("paird pair fro", "paird pair front\\ desk "),
        ("paird pair front\\ d", "paird pair front\\ desk "),
        ("paird send \"ba", "paird send \"back room\" "),
        ("paird accounts rename lob", "paird accounts rename Lobby "),
    ] {
        bash.press(&format!("{typed}\t"));
        bash.shows(&format!("ready> {completed}")).await;
        bash.press("\u{15}\u{c}");
        bash.hides(completed).await;
    }
    bash.press(&format!("paird status {}\t\n", &id[..8]));
    bash.shows("label        till").await;
    assert!(bash.text().contains(&format!("ready> paird status {id}")), "{}", bash.text());
    bash.press("exit\n");
    assert_eq!(bash.end().await, 0);
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fish_completes_labels_with_what_they_are() {
    let stage = Stage::empty().await;
    stage.web.account("front desk").await;
    let script = "paird completions fish | source; complete -C 'paird pair fro'";
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", script]).env_clear().env("PATH", path()).env("HOME", &stage.dir);
    let output = fish.env("DATABASE_URL", &stage.dsn).output().await;
    match output {
        Ok(output) => {
            let told = String::from_utf8(output.stdout).unwrap();
            assert!(told.starts_with("front desk\t"), "{told}");
        }
        Err(_) => eprintln!("left out: fish is missing"),
    }
    stage.finish([]).await;
}

/// A prompt waits for it: a database that is away, silent or not set costs a second at most, and says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_nothing_is_offered_or_said() {
    let stage = Stage::empty().await;
    stage.web.account("front desk").await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("postgres://u:p@{}/d", silent.local_addr().unwrap());
    for (dsn, offered) in [
        (stage.dsn.as_str(), "front desk"),
        ("postgres://u:p@127.0.0.1:1/d", ""),
        (silent.as_str(), ""),
        ("no such thing://", ""),
        ("", ""),
    ] {
        let mut asked = command(&stage);
        asked.env("DATABASE_URL", dsn).env("_PAIRD_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "2");
        asked.args(["--", "paird", "cancel", "fro"]).stdin(Stdio::null());
        let output = tokio::time::timeout(Duration::from_secs(20), asked.output()).await.expect("an answer").unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (offered.as_bytes(), &b""[..]), "{dsn}");
    }
    stage.finish([]).await;
}
