//! Exit codes for scripts, and error lines for people.

use paird_testkit::Stage;
use serde_json::{Value, json};

use super::{document, paird, refused, text};

#[tokio::test(flavor = "multi_thread")]
async fn invalid_arguments_are_refused_without_the_daemon() {
    let stage = Stage::empty().await;
    stage.web.account("twin").await;
    let twin = stage.web.account("twin").await;
    for (args, exit, words) in [
        (&["pair", "nobody"][..], 8, "no account \"nobody\"; there are: twin"),
        (&["delete", "nobody", "--yes"], 8, "nobody"),
        (&["audit", "00000000-0000-0000-0000-000000000000"], 8, "no account ever had the id"),
        (&["pair", "twin"], 9, "2 accounts have the label \"twin\"; give an id: "),
        (&["pair", "twin", "--expect", "066"], 2, "--expect: phone number starts with 0"),
        (&["accounts", "add", "  "], 2, "the label is empty"),
        (&["passkey", "twin", "--response", "nothing.json"], 2, "nothing.json"),
    ] {
        let (code, complaint) = refused(&stage, args).await;
        assert_eq!(code, exit, "{args:?}: {complaint}");
        assert!(complaint.starts_with("paird: ") && complaint.contains(words), "{args:?}: {complaint}");
    }
    let (code, complaint) = refused(&stage, &["delete", &twin.to_string()]).await;
    assert_eq!((code, complaint.contains("give --yes")), (1, true), "{complaint}");
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 0);
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_daemon_and_database_have_different_codes() {
    let mut stage = Stage::empty().await;
    for args in [&["resync"][..], &["drain"], &["inspect", "--all"]] {
        let (code, complaint) = refused(&stage, args).await;
        assert_eq!(code, 11, "{complaint}");
        assert!(complaint.contains("start paird serve"), "{complaint}");
    }
    stage.database.take().unwrap().stop().await;
    for args in [&["status"][..], &["watch"], &["events", "--follow"]] {
        let (code, complaint) = refused(&stage, args).await;
        assert_eq!(code, 10, "{complaint}");
        assert!(complaint.contains("DATABASE_URL"), "{complaint}");
    }
    stage.dsn = String::new();
    let (code, complaint) = refused(&stage, &["status"]).await;
    assert_eq!(code, 11, "without DATABASE_URL it is the daemon's own that is missing: {complaint}");
    stage.finish_without_database().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_json_too_when_json_is_asked_for() {
    let stage = Stage::empty().await;
    for (args, exit, name) in [
        (&["status", "nobody", "--json"][..], 8, "noAccount"),
        (&["status", "--nonsense", "--json"], 2, "usage"),
        (&["--json", "resync"], 11, "noDaemon"),
    ] {
        let (code, complaint) = refused(&stage, args).await;
        let error = &serde_json::from_str::<Value>(&complaint).unwrap_or_else(|_| panic!("{complaint}"))["error"];
        assert_eq!((code, &error["exitCode"], &error["name"]), (exit, &json!(exit), &json!(name)));
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_and_completions_need_no_settings_or_database() {
    let stage = Stage::empty().await;
    let codes = document(&stage, &["exit-codes"]).await;
    let names: Vec<_> = codes.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names[..4], ["done", "failed", "usage", "duplicate"]);
    let help = text(&paird(&stage, &["help", "exit-codes"]).await);
    assert!(help.contains("11  no daemon runs there"), "{help}");
    for (shell, sign) in [("bash", "-F _paird_complete paird"), ("zsh", "#compdef paird"), ("fish", "--command paird")]
    {
        let script = text(&paird(&stage, &["completions", shell]).await);
        assert!(script.contains(sign) && script.contains(env!("CARGO_BIN_EXE_paird")), "{shell}: {script}");
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_usage_error_is_one_line_that_names_what_is_missing() {
    let stage = Stage::empty().await;
    stage.web.account("desk").await;
    for (args, named) in [
        (&["unpair"][..], "<LABEL|ID>"),
        (&["unpair", "desk", "--logut"], "--logout"),
        (&["accounts", "proxy"], "<LABEL|ID> <URL|none|->"),
        (&["health", "--live", "--ready"], "--ready"),
        (&["keys"], "status"),
        (&["accounts"], "rename"),
        (&["completions", "tcsh"], "zsh"),
        (&["audit", "--limit", "x"], "--limit"),
        (&["audit", "--since", "yesterday"], "2h, 3d, 2026-11-30"),
        (&["events", "--since", "x"], "nor a seq"),
        (&["events", "--until", "1h", "--follow"], "--follow"),
        (&["status", "--status", "hold"], "held"),
        (&["status", "desk", "--status", "held"], "--status"),
        (&["flly"], "flly"),
    ] {
        for json in [false, true] {
            let args: Vec<&str> = args.iter().copied().chain(json.then_some("--json")).collect();
            let (code, complaint) = refused(&stage, &args).await;
            assert_eq!(code, 2, "{args:?}: {complaint}");
            let words = match json {
                false => complaint,
                true => {
                    let error = &serde_json::from_str::<Value>(&complaint).unwrap()["error"];
                    assert_eq!(error["name"], "usage");
                    format!("paird: {}", error["message"].as_str().unwrap())
                }
            };
            assert!(words.starts_with("paird: ") && words.contains(named), "{args:?}: {words}");
            assert!(words.contains("paird help"), "{args:?}: {words}");
        }
    }
    let help = text(&paird(&stage, &["help", "health"]).await);
    assert!(help.contains("exit code 11") && !help.contains("exit code 1 if not"), "{help}");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_of_an_argument_is_a_usage_error() {
    let stage = Stage::empty().await;
    stage.web.account("desk").await;
    for (args, words) in [
        (&["accounts", "proxy", "desk", "proxy.example"][..], "socks5"),
        (&["accounts", "proxy", "desk", "none", "--user", "u"], "no user"),
        (&["accounts", "proxy", "desk", "http://u:p@127.0.0.1:1"], "--user"),
        (&["accounts", "proxy", "desk", "http://127.0.0.1:1", "--user", "u", "--password-file", "nothing"], "nothing"),
        (
            &["accounts", "proxy", "desk", "http://127.0.0.1:1", "--user", "u"],
            "the password, the first line of stdin, is empty",
        ),
        (&["accounts", "proxy", "desk", "-"], "the URL, the first line of stdin, is empty"),
        (&["passkey", "desk", "--response", "nothing"], "nothing"),
        (&["passkey", "desk", "--response", "-"], "--response -"),
        (&["accounts", "name", "desk", &"x".repeat(41)], "40"),
    ] {
        let (code, complaint) = refused(&stage, args).await;
        assert_eq!((code, complaint.contains(words)), (2, true), "{args:?}: {complaint}");
    }
    stage.finish([]).await;
}
