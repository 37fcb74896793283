//! `paird send`, and what `paird messages` shows of what was sent.

use std::process::Stdio;
use std::time::Duration;

use paird_sandbox::{Fault, MessageFault};
use paird_testkit::{Stage, until};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};
use uuid::Uuid;

use super::{command, document, paird, refused, text};

const LINE_TIMEOUT: Duration = Duration::from_secs(30);
const ANNA: &str = "+43 660 7000 042";

async fn only_message(stage: &Stage) -> i64 {
    until("a message", || async {
        let rows = stage.web.sql.query("SELECT id FROM messages WHERE state = 'queued'", &[]).await.unwrap();
        rows.first().map(|row| row.get(0))
    })
    .await
}

/// Brings a message to its end, and reports it, as the daemon does.
async fn ends(stage: &Stage, id: i64, state: &str, reason: Option<&str>) {
    let sql = "WITH message AS (
                   UPDATE messages SET state = $2, reason = $3,
                          sent_at = CASE $2 WHEN 'sent' THEN timestamptz '2026-11-28T16:04:28.5Z' END
                   WHERE id = $1 RETURNING account_id
               ), account AS (
                   UPDATE whatsapp_accounts a SET event_seq = a.event_seq + 1 FROM message
                   WHERE a.id = message.account_id RETURNING a.id, a.event_seq
               )
               INSERT INTO events (account_id, seq, kind, payload)
               SELECT id, event_seq, 'message.' || CASE $2 WHEN 'sent' THEN 'sent' ELSE 'failed' END,
                      jsonb_build_object('messageId', $1::bigint) FROM account";
    stage.web.sql.execute(sql, &[&id, &state, &reason]).await.unwrap();
}

/// A `paird send --wait` under way.
struct Waiting {
    child: Child,
    remarks: Lines<BufReader<ChildStderr>>,
}

impl Waiting {
    fn start(stage: &Stage, args: &[&str]) -> Self {
        let mut send = command(stage);
        send.arg("send").args(args).arg("--wait").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = send.spawn().unwrap();
        let remarks = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, remarks }
    }

    async fn remarks(&mut self, words: &str) {
        loop {
            let line = tokio::time::timeout(LINE_TIMEOUT, self.remarks.next_line()).await.expect(words);
            if line.unwrap().expect(words).contains(words) {
                return;
            }
        }
    }

    /// The exit code, and the last lines of stdout and stderr.
    async fn end(mut self) -> (i32, String, String) {
        let mut complaint = String::new();
        while let Some(line) = tokio::time::timeout(LINE_TIMEOUT, self.remarks.next_line()).await.unwrap().unwrap() {
            complaint = line;
        }
        let output = self.child.wait_with_output().await.unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap().trim_end().to_owned(), complaint)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_queued_from_the_command_line_once_for_its_key() {
    let stage = Stage::empty().await;
    let desk = stage.web.account("desk").await;
    let sent = document(&stage, &["send", "desk", ANNA, "- milk\n- bread", "--key", "list-1"]).await;
    for (field, wanted) in [
        ("accountId", json!(desk)),
        ("state", json!("queued")),
        ("key", json!("list-1")),
        ("source", json!("cli")),
        ("chatPhone", json!("436607000042")),
        ("text", json!("- milk\n- bread")),
    ] {
        assert_eq!(sent[field], wanted, "{field}: {sent}");
    }
    let id = &sent["id"];
    let again = text(&paird(&stage, &["send", "desk", ANNA, "- milk\n- bread", "--key", "list-1"]).await);
    assert_eq!(again, format!("desk: message {id}: Queued\n"));
    let listed = text(&paird(&stage, &["messages", "desk"]).await);
    assert!(listed.ends_with(&format!("  #{id}  [Queued] → +436 607 000 042: - milk\\u{{a}}- bread\n")), "{listed}");

    let mut from_stdin = command(&stage);
    let times = ["--not-before", "2035-01-01T00:00:00Z", "--expires-at", "2035-01-02T00:00:00+01:00"];
    from_stdin.args(["send", "desk", "120363000000000001@g.us", "-", "--json"]).args(times);
    let mut child = from_stdin.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("two\nlines\n".as_bytes()).await.unwrap();
    let piped: Value = serde_json::from_str(&text(&child.wait_with_output().await.unwrap())).unwrap();
    assert_eq!((&piped["text"], &piped["chat"]), (&json!("two\nlines"), &json!("120363000000000001@g.us")));
    assert_eq!(
        (&piped["notBefore"], &piped["expiresAt"]),
        (&json!("2035-01-01T00:00:00Z"), &json!("2035-01-01T23:00:00Z"))
    );

    for (args, code, words) in [
        (&["send", "nobody", ANNA, "hello"][..], 8, "nobody"),
        (&["send", "desk", "call me", "hello"], 2, "PHONE|JID: must be a phone number"),
        (&["send", "desk", ANNA, ""], 2, "TEXT: must be a text of 1 to 65536 characters"),
        (&["send", "desk", ANNA, "hello", "--key", ""], 2, "--key: must have"),
        (&["send", "desk", ANNA, "hello", "--key", "list-1"], 2, "--key: another message"),
        (&["send", "desk", ANNA, "hello", "--reply-to", "999"], 2, "--reply-to: there is no such message"),
        (&["send", "desk", ANNA, "hello", "--expires-at", "2001-01-01T00:00:00Z"], 2, "--expires-at: must be later"),
    ] {
        let (exit, complaint) = refused(&stage, args).await;
        assert_eq!(exit, code, "{complaint}");
        assert!(complaint.contains(words), "{complaint}");
    }
    let output = paird(&stage, &["send", "desk", ANNA, "hello", "--not-before", "tomorrow"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(stage.web.count("SELECT count(*) FROM messages", &[]).await, 2);
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn send_wait_ends_with_the_message_and_its_exit_code() {
    let stage = Stage::empty().await;
    stage.web.account("desk").await;
    for (state, reason, code, words) in [
        ("sent", None, 0, "Sent"),
        ("failed", Some("not_on_whatsapp"), 1, "Failed: nobody has this number on WhatsApp"),
        ("expired", Some("expired"), 1, "Expired: its time was over before it could be sent"),
        ("cancelled", None, 6, "Cancelled"),
    ] {
        let mut waiting = Waiting::start(&stage, &["desk", ANNA, &format!("one that is {state}")]);
        let id = only_message(&stage).await;
        waiting.remarks(&format!("the account is unpaired; message {id} waits")).await;
        waiting.remarks(&format!("no daemon runs on this database; message {id} stays queued")).await;
        ends(&stage, id, state, reason).await;
        let (exit, printed, complaint) = waiting.end().await;
        assert_eq!(exit, code, "{state}: {printed} {complaint}");
        let told = if code == 0 { printed } else { complaint };
        assert!(told.ends_with(&format!("desk: message {id}: {words}")), "{told}");
    }
    // What holds it up is said, too; and a program is told all of it.
    stage.web.sql.execute("UPDATE whatsapp_accounts SET status = 'connected'", &[]).await.unwrap();
    let mut waiting = Waiting::start(&stage, &["desk", ANNA, "a first word", "--json"]);
    let id = only_message(&stage).await;
    stage.web.sql.execute("UPDATE messages SET reason = 'new_chat_limit' WHERE id = $1", &[&id]).await.unwrap();
    waiting.remarks("as many new chats were begun as a day has room for").await;
    ends(&stage, id, "failed", Some("refused")).await;
    let (exit, printed, complaint) = waiting.end().await;
    let (printed, complaint): (Value, Value) =
        (serde_json::from_str(&printed).unwrap(), serde_json::from_str(&complaint).unwrap());
    assert_eq!((exit, &printed["state"], &printed["reason"]), (1, &json!("failed"), &json!("refused")));
    assert_eq!(complaint["error"]["exitCode"], 1);
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn send_wait_ends_when_whatsapp_has_the_message() {
    const DESK: &str = "436607000043";
    const BERT: &str = "436607000044";
    let (stage, daemon) = Stage::with_daemon().await;
    stage.phones.add(BERT).await;
    stage.web.connect_account("desk", DESK, &stage.phones).await;
    let printed = text(&paird(&stage, &["send", "desk", BERT, "a text for Bert", "--wait"]).await);
    let ends = ["Sent\n", "Delivered\n"];
    assert!(printed.starts_with("desk: message ") && ends.iter().any(|end| printed.ends_with(end)), "{printed}");
    until("the text on the phone", || async {
        let screen = stage.phones.screen(BERT).await;
        screen.iter().any(|message| message.text.as_deref() == Some("a text for Bert")).then_some(())
    })
    .await;
    let refused = Fault::Message { how: MessageFault::Nack(479), number: Some(DESK.to_owned()), times: Some(1) };
    stage.phones.fault(refused).await;
    let output = paird(&stage, &["send", "desk", BERT, "one that is refused", "--wait", "--json"]).await;
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &document["code"]), (Some(1), &json!(479)));
    stage.finish([daemon]).await;
}

/// What goes out is reported by events that know its end; before that a follower prints nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_prints_what_was_sent_once_and_at_its_end() {
    let stage = Stage::empty().await;
    let desk = stage.web.account("desk").await;
    let queue = async |body: &str| -> i64 {
        let content = json!({"to": ANNA, "type": "text", "text": {"body": body}});
        stage.web.sql.query_one("SELECT send_message($1, $2)", &[&desk, &content]).await.unwrap().get(0)
    };
    let (old, open) = (queue("an old one").await, queue("an open one").await);
    ends(&stage, old, "sent", None).await;
    let mut follow = command(&stage);
    follow.args(["messages", "desk", "--follow"]).stdout(Stdio::piped());
    let mut child = follow.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || tokio::time::timeout(LINE_TIMEOUT, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(next().await, format!("2026-11-28T16:04:28Z  #{old}  [Sent] → +436 607 000 042: an old one"));
    let refused = queue("one that is refused").await;
    ends(&stage, refused, "failed", Some("refused")).await;
    assert!(
        next()
            .await
            .ends_with(&format!("#{refused}  [Failed: WhatsApp refused it] → +436 607 000 042: one that is refused"))
    );
    ends(&stage, open, "sent", None).await;
    assert_eq!(next().await, format!("2026-11-28T16:04:28Z  #{open}  [Sent] → +436 607 000 042: an open one"));
    // Receipts change the row, and are no second message.
    receipt(&stage, desk, old).await;
    let last = queue("the last one").await;
    ends(&stage, last, "sent", None).await;
    assert!(next().await.contains("the last one"));
    child.kill().await.unwrap();
    stage.finish([]).await;
}

async fn receipt(stage: &Stage, account: Uuid, id: i64) {
    let sql = "WITH message AS (UPDATE messages SET state = 'delivered', delivered_at = now() WHERE id = $2),
                    account AS (UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq)
               INSERT INTO events (account_id, seq, kind, payload)
               SELECT $1, event_seq, 'message.delivered', jsonb_build_object('messageId', $2::bigint) FROM account";
    stage.web.sql.execute(sql, &[&account, &id]).await.unwrap();
}
