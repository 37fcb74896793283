//! Hostile text from others, in every command that prints it.

use std::{collections::BTreeSet, process::Stdio};

use paird_testkit::Stage;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{command, screen::Screen};

/// The title of the window, the clipboard, colours, cursor moves, a forged line, C1 controls,
/// marks of direction, and what has no width.
const HOSTILE: &str = "x\u{1b}]0;t\u{7}\u{1b}]52;c;QUFB\u{7}\u{1b}[2J\u{1b}[1A\r\n  ok  forged\t\u{8}\u{9b}31m\u{85}\
                       \u{2028}\u{202e}\u{2066}\u{200b}\u{200d}\u{feff}\u{e0041}\u{ad}\u{7f}日本";

#[tokio::test(flavor = "multi_thread")]
async fn no_command_lets_a_strangers_words_at_the_terminal() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", "436607000099", &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    std::fs::write(stage.dir.join("daemon/sandbox.admin"), stage.admin_url()).unwrap();
    let held = web.account("held").await;
    let gone = web.account("gone").await;
    // In every column that a person, WhatsApp or an older schema without limits may have filled.
    web.lift_the_limit_of_labels().await;
    let owner = stage.web.another_connection().await;
    for (sql, of) in [
        ("UPDATE whatsapp_accounts SET label = $1 || id::text WHERE id = $2", account),
        ("UPDATE whatsapp_accounts SET label = $1, proxy = $1 WHERE id = $2", gone),
        (
            "UPDATE whatsapp_accounts SET label = $1, status = 'held', status_reason = 'banned: ' || $1 WHERE id = $2",
            held,
        ),
        (
            "INSERT INTO whatsapp_groups (account_id, jid, subject, participants, is_admin)
              VALUES ($2, 'g' || $1, $1, 3, true)",
            account,
        ),
        (
            "INSERT INTO audit_log (source, action, target_type, target_id, payload)
              VALUES ($1, $1, 'whatsapp_account', $2, jsonb_build_object('label', $1, 'raw', $1))",
            account,
        ),
        (
            "WITH next AS (UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $2 RETURNING event_seq)
              INSERT INTO events (account_id, seq, kind, payload)
              SELECT $2, event_seq, 'session.failed', jsonb_build_object('reason', $1::text) FROM next",
            held,
        ),
        (
            "WITH message AS (
                 INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, sent_at)
                 SELECT $2, 'in', 'g' || $1, 's' || $1, $1, 'text', 'received', now() RETURNING id
             ), said AS (
                 INSERT INTO message_bodies (message_id, content)
                 SELECT id, jsonb_build_object('type', 'text', 'text', jsonb_build_object('body', $1::text)) FROM message
             ), known AS (
                 INSERT INTO contacts (account_id, jid, name) VALUES ($2, 's' || $1, $1)
             ), next AS (
                 UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $2 RETURNING event_seq
             )
             INSERT INTO events (account_id, seq, kind, payload)
             SELECT $2, event_seq, 'message.received', jsonb_build_object('messageId', id) FROM next, message",
            account,
        ),
        (
            "INSERT INTO pairing_links (account_id, token_hash, source, expires_at, uses_left)
              VALUES ($2, sha256(''), left($1, 40), now() + interval '1 day', 1)",
            held,
        ),
        (
            "INSERT INTO event_consumers (consumer, account_id, updated_at)
              VALUES ($1, $2, now() - interval '1 year')",
            account,
        ),
    ] {
        let sql = sql.replace("$1", &format!("({})", literal(HOSTILE))).replace("$2", &format!("'{of}'::uuid"));
        owner.batch_execute(&sql).await.unwrap_or_else(|wrong| panic!("{sql}: {wrong:?}"));
    }
    std::fs::write(stage.dir.join("hostile.csv"), format!("label,{HOSTILE}\n{HOSTILE},x\n")).unwrap();
    let (account, held, gone) = (account.to_string(), held.to_string(), gone.to_string());
    let commands: Vec<Vec<&str>> = vec![
        vec!["accounts", "list"],
        vec!["status"],
        vec!["status", &account],
        vec!["status", &held],
        vec!["status", HOSTILE],
        vec!["status", "--search", "x", "--sort", "retry"],
        vec!["status", "--search", HOSTILE],
        vec!["init"],
        vec!["console"],
        vec!["phone", "write", "436607000098", "--to", &account, HOSTILE],
        vec!["phone", "chats", "436607000098"],
        vec!["groups", &account],
        vec!["groups", &account, "--sync"],
        vec!["groups", &held, "--sync"],
        vec!["send", &account, "436607000098", HOSTILE],
        vec!["send", &account, HOSTILE, "hello"],
        vec!["send", &account, "436607000098", "hello", "--key", HOSTILE],
        vec!["send", HOSTILE, "436607000098", "hello"],
        vec!["chat", "read", &account, "436607000098", "7"],
        vec!["chat", "read", &account, HOSTILE, "7"],
        vec!["chat", "read", HOSTILE, "436607000098", "7"],
        vec!["chat", "typing", &account, "436607000098"],
        vec!["chat", "typing", &held, "436607000098", "--state", "paused"],
        vec!["chat", "typing", &account, HOSTILE],
        vec!["contact", "check", &account, "436607000098"],
        vec!["contact", "check", &account, HOSTILE],
        vec!["contact", "check", HOSTILE, "436607000098"],
        vec!["messages", &account],
        vec!["messages", &account, "--after", "0"],
        vec!["messages", &held, "--chat", "100000012345678@lid"],
        vec!["messages", HOSTILE],
        vec!["events"],
        vec!["events", "--since", "0"],
        vec!["audit"],
        vec!["audit", &account],
        vec!["audit", "--since", HOSTILE],
        vec!["events", "--since", "1h", "--limit", "3"],
        vec!["doctor"],
        vec!["inspect", &account],
        vec!["inspect", "--all"],
        vec!["sweep", "--dry-run"],
        vec!["sweep"],
        vec!["keys", "status"],
        vec!["prune", "--dry-run"],
        vec!["accounts", "proxy", &held, "none"],
        vec!["accounts", "proxy", &held, "socks5://127.0.0.1:1"],
        vec!["accounts", "name", &held, "none"],
        vec!["accounts", "pace", &held, "--new-chats", "none"],
        vec!["accounts", "tag", &held, HOSTILE],
        vec!["accounts", "tag", &held, "vip", "--remove", HOSTILE],
        vec!["accounts", "number", &held, HOSTILE],
        vec!["accounts", "list", "--search", HOSTILE],
        vec!["accounts", "export"],
        vec!["accounts", "import", "hostile.csv"],
        vec!["accounts", "import", HOSTILE],
        vec!["accounts", "add", HOSTILE],
        vec!["accounts", "rename", &held, HOSTILE],
        vec!["link", &held],
        vec!["link", &held, "--list"],
        vec!["link", HOSTILE],
        vec!["cancel", &held],
        vec!["resume", &held],
        vec!["passkey", &account],
        vec!["pair", &account],
        vec!["unpair", &account],
        vec!["delete", &gone],
        vec!["delete", &gone, "--yes"],
        vec!["accounts", "rename", &account, "desk again"],
        vec!["delete", "nobody", "--yes"],
        vec!["restart", &held],
        vec!["keys", "rotate"],
        vec!["migrate"],
        vec!["resync"],
        vec!["drain"],
        vec!["drain", "--undo"],
        vec!["phone", "scan", HOSTILE],
        vec!["phone", "devices", "436607000098"],
        vec!["phone", "devices", HOSTILE],
        vec!["phone", "unlink", "436607000098", HOSTILE],
        vec!["completions", "no such shell"],
        vec!["exit-codes"],
        vec!["health"],
        vec!["no such\u{1b}[2J command"],
    ];
    assert_eq!(left_out(&commands).await, Vec::<String>::new(), "commands that no line above runs");
    for args in &commands {
        for json in [false, true] {
            let mut command = command(&stage);
            command.args(args);
            if json {
                command.arg("--json");
            }
            let output = tokio::time::timeout(std::time::Duration::from_secs(60), command.output()).await;
            let output = output.unwrap_or_else(|_| panic!("{args:?} does not end")).unwrap();
            for text in [&output.stdout, &output.stderr] {
                assert_tame(&format!("{args:?}"), std::str::from_utf8(text).unwrap());
            }
        }
    }
    // Commands that run until they are stopped: the first lines of each are read.
    for args in [
        &["watch"][..],
        &["watch", "--json"],
        &["events", "--follow", "--since", "0"],
        &["messages", &account, "--follow"],
        &["messages", &account, "--follow", "--json"],
    ] {
        let mut following = command(&stage).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
        let wanted = if args[0] == "messages" { 1 } else { 2 };
        for _ in 0..wanted {
            let line = tokio::time::timeout(std::time::Duration::from_secs(30), lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{args:?} says nothing")).unwrap();
            assert_tame(&format!("{args:?}"), &line.expect("a line"));
        }
        following.kill().await.unwrap();
    }
    // The same in a terminal, where `watch` draws.
    let lobby = web.account("lobby").await;
    let renaming = format!("UPDATE whatsapp_accounts SET label = {} WHERE id = '{lobby}'", literal(HOSTILE));
    owner.batch_execute(&renaming).await.unwrap();
    let screen = Screen::start(&stage, &["watch"], 160, 50);
    screen.shows("desk again").await;
    assert_drawn_tame(&screen);
    drop(screen);
    let screen = Screen::start(&stage, &["pair", &lobby.to_string()], 160, 60);
    screen.qr().await;
    web.qr(lobby).await;
    assert_drawn_tame(&screen);
    drop(screen);
    drop(owner);
    let shown = json!(HOSTILE).to_string();
    assert!(shown.contains("\\u001b"), "the text is hostile: {shown}");
    daemon.kill().await;
    stage.finish([]).await;
}

/// Commands that are not run by this test, but should be.
async fn left_out(lines: &[Vec<&str>]) -> Vec<String> {
    // Daemons and doubles that run until they are stopped, and a demonstration with accounts of its own.
    let others = ["serve", "sandbox", "demo", "watch", "help"].map(str::to_owned);
    let mut known = BTreeSet::new();
    for outer in subcommands(&[]).await {
        let inner = subcommands(&[&outer]).await;
        if inner.is_empty() {
            known.insert(outer);
        } else {
            known.extend(inner.iter().filter(|inner| *inner != "help").map(|inner| format!("{outer} {inner}")));
        }
    }
    assert!(known.len() > 25, "{known:?}");
    let run = |name: &String| lines.iter().any(|line| format!("{} ", line.join(" ")).starts_with(&format!("{name} ")));
    known.into_iter().filter(|name| !others.contains(name) && !run(name)).collect()
}

/// As the program's own help lists them.
pub async fn subcommands(of: &[&str]) -> Vec<String> {
    let mut help = tokio::process::Command::new(paird_testkit::paird());
    let output = help.arg("help").args(of).env_clear().output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Continued lines are indented further.
    let names = listed.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn assert_tame(what: &str, text: &str) {
    let wild = text.chars().find(|letter| *letter != '\n' && is_wild(*letter));
    // clap's own errors quote the arguments as they were typed.
    let is_clap = text.starts_with("error: ");
    assert!(wild.is_none() || is_clap, "{what} printed {wild:?}: {text:?}");
    assert!(!text.lines().any(|line| line.starts_with("  ok  forged")), "{what} printed a forged line: {text}");
}

/// The terminal was told nothing but text. Control characters that it obeyed would not be on its screen.
fn assert_drawn_tame(screen: &Screen) {
    let text = screen.text();
    assert_eq!(screen.asides(), Vec::<String>::new(), "the terminal was told to do something");
    assert!(!text.chars().any(|letter| letter != '\n' && is_wild(letter)), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("  ok  forged")), "{text}");
}

fn literal(text: &str) -> String {
    format!("'{}'::text", text.replace('\'', "''"))
}

/// Written independently of the program's own list, to find gaps in it.
fn is_wild(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control()
        || [0xad, 0x61c, 0xfeff].contains(&code)
        || [0x200b..=0x200f, 0x2028..=0x202e, 0x2060..=0x206f, 0xe0000..=0xe007f]
            .iter()
            .any(|range| range.contains(&code))
}
