//! `paird messages`.

use std::process::Stdio;
use std::time::Duration;

use paird_testkit::Stage;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};
use uuid::Uuid;

use super::{command, document, paird, refused, text};

const LINE_TIMEOUT: Duration = Duration::from_secs(30);
const ANNA: (&str, Option<&str>) = ("100000001@lid", Some("5511987654321"));
const CHOIR: (&str, Option<&str>) = ("120363000000000001@g.us", None);

/// Written as the daemon does it, in one statement. `None` cannot be read yet.
async fn comes(stage: &Stage, account: Uuid, (chat, phone): (&str, Option<&str>), body: Option<&str>) -> i64 {
    let sql = "WITH account AS (UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq),
                    message AS (
                        INSERT INTO messages (account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind, state, reason, sent_at)
                        SELECT $1, 'in', $2, $3, $5, $6, gen_random_uuid(), CASE WHEN $4::text IS NOT NULL THEN 'text' END,
                               CASE WHEN $4 IS NULL THEN 'waiting' ELSE 'received' END,
                               CASE WHEN $4 IS NULL THEN 'undecryptable' END, '2026-11-28T16:04:28.5Z'
                        RETURNING id
                    ), body AS (
                        INSERT INTO message_bodies (message_id, content)
                        SELECT id, jsonb_build_object('type', 'text', 'text', jsonb_build_object('body', $4::text))
                        FROM message WHERE $4 IS NOT NULL
                    )
               INSERT INTO events (account_id, seq, kind, payload, notified)
               SELECT $1, event_seq, CASE WHEN $4 IS NULL THEN 'message.waiting' ELSE 'message.received' END,
                      jsonb_build_object('messageId', message.id), true
               FROM account, message RETURNING (payload->>'messageId')::bigint";
    stage.web.sql.query_one(sql, &[&account, &chat, &phone, &body, &ANNA.0, &ANNA.1]).await.unwrap().get(0)
}

/// One that waited can be read.
async fn recovers(stage: &Stage, account: Uuid, message: i64) {
    let sql = "WITH account AS (UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq),
                    message AS (UPDATE messages SET state = 'received', kind = 'text', reason = NULL, recovered_at = now()
                                WHERE id = $2),
                    body AS (INSERT INTO message_bodies (message_id, content)
                             VALUES ($2, '{\"type\": \"text\", \"text\": {\"body\": \"after all\"}}'))
               INSERT INTO events (account_id, seq, kind, payload, notified)
               SELECT $1, event_seq, 'message.recovered', jsonb_build_object('messageId', $2::bigint), true FROM account";
    stage.web.sql.execute(sql, &[&account, &message]).await.unwrap();
}

struct Follower {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    remarks: Lines<BufReader<ChildStderr>>,
}

impl Follower {
    fn start(stage: &Stage, args: &[&str]) -> Self {
        let mut follow = command(stage);
        follow.args(["messages", "--follow", "--json"]).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = follow.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let remarks = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, remarks }
    }

    async fn next(&mut self) -> (i64, String) {
        let line = tokio::time::timeout(LINE_TIMEOUT, self.lines.next_line()).await.expect("a message");
        let message: Value = serde_json::from_str(&line.unwrap().expect("it goes on")).unwrap();
        (message["id"].as_i64().unwrap(), message["text"].as_str().unwrap().to_owned())
    }

    async fn remarks(&mut self, words: &str) {
        loop {
            let line = tokio::time::timeout(LINE_TIMEOUT, self.remarks.next_line()).await.expect(words);
            if line.unwrap().expect(words).contains(words) {
                return;
            }
        }
    }
}

fn ids(messages: &Value) -> Vec<i64> {
    messages.as_array().unwrap().iter().map(|message| message["id"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_printed_by_chat_by_number_and_by_id() {
    let stage = Stage::empty().await;
    let (shop, other) = (stage.web.account("shop").await, stage.web.account("other").await);
    let mut all = Vec::new();
    for nth in 0..120 {
        let chat = if nth % 3 == 0 { CHOIR } else { ANNA };
        all.push(comes(&stage, shop, chat, Some(&format!("number {nth}"))).await);
    }
    comes(&stage, other, ANNA, Some("elsewhere")).await;
    let of = |chat: usize| -> Vec<i64> {
        all.iter().enumerate().filter(|(nth, _)| (nth % 3 == 0) == (chat == 0)).map(|(_, id)| *id).collect()
    };

    assert_eq!(ids(&document(&stage, &["messages", "shop"]).await), all[70..]);
    assert_eq!(ids(&document(&stage, &["messages", "shop", "--limit", "3"]).await), all[117..]);
    // More than a page.
    assert_eq!(ids(&document(&stage, &["messages", "shop", "--limit", "115"]).await), all[5..]);
    let fifth = all[4].to_string();
    assert_eq!(ids(&document(&stage, &["messages", "shop", "--after", &fifth, "--limit", "2"]).await), all[5..7]);
    assert_eq!(ids(&document(&stage, &["messages", "shop", "--after", "0", "--limit", "1000"]).await), all);
    assert_eq!(ids(&document(&stage, &["messages", "shop", "--chat", CHOIR.0]).await), of(0));
    // A number in either of its spellings, as people write it.
    for number in ["5511987654321", "+55 11 8765-4321"] {
        let listed = document(&stage, &["messages", "shop", "--chat", number, "--limit", "100"]).await;
        assert_eq!(ids(&listed), of(1), "{number}");
    }
    assert_eq!(document(&stage, &["messages", "shop", "--chat", "436601111111"]).await, json!([]));

    let names = "INSERT INTO contacts (account_id, jid, name) VALUES ($1, $2, 'Anna')";
    stage.web.sql.execute(names, &[&shop, &ANNA.0]).await.unwrap();
    let printed = text(&paird(&stage, &["messages", "shop", "--limit", "2"]).await);
    let anna = "+5511 987 654 321 (Anna)";
    let expected = [118, 119].map(|nth: usize| format!("2026-11-28T16:04:28Z  #{}  {anna}: number {nth}\n", all[nth]));
    assert_eq!(printed, expected.concat());

    for (args, code, words) in [
        (&["messages", "nobody"][..], 8, "nobody"),
        (&["messages", "shop", "--follow", "--after", "1", "--limit", "1"], 2, "gap"),
    ] {
        let (exit, complaint) = refused(&stage, args).await;
        assert_eq!(exit, code, "{complaint}");
        assert!(complaint.contains(words), "{complaint}");
    }
    for args in [&["--chat", "x"][..], &["--chat", "a b@lid"], &["--limit", "0"], &["--after", "x"]] {
        let output = paird(&stage, &[&["messages", "shop"][..], args].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_prints_each_message_once_over_a_restart() {
    let mut stage = Stage::empty().await;
    let shop = stage.web.account("shop").await;
    let first = comes(&stage, shop, ANNA, Some("first")).await;
    let waiting = comes(&stage, shop, ANNA, None).await;
    let mut all = Follower::start(&stage, &["shop", "--after", "0"]);
    let mut choir = Follower::start(&stage, &["shop", "--chat", CHOIR.0]);
    let mut anna = Follower::start(&stage, &["shop", "--chat", ANNA.1.unwrap()]);
    assert_eq!(all.next().await, (first, "first".to_owned()));
    assert_eq!(anna.next().await, (first, "first".to_owned()));

    let sung = comes(&stage, shop, CHOIR, Some("la")).await;
    assert_eq!(all.next().await, (sung, "la".to_owned()));
    assert_eq!(choir.next().await, (sung, "la".to_owned()));
    let late = comes(&stage, shop, CHOIR, None).await;
    all.remarks(&format!("#{late}")).await;

    stage.database.take().unwrap().stop().await;
    for follower in [&mut all, &mut choir, &mut anna] {
        follower.remarks("trying again").await;
    }
    stage.start_database().await;
    stage.web.reconnect().await;
    for nth in 0..250 {
        comes(&stage, shop, ANNA, Some(&nth.to_string())).await;
    }
    recovers(&stage, shop, waiting).await;
    recovers(&stage, shop, late).await;
    let last = comes(&stage, shop, CHOIR, Some("fin")).await;
    for follower in [&mut all, &mut anna] {
        for nth in 0..250 {
            assert_eq!(follower.next().await.1, nth.to_string());
        }
        assert_eq!(follower.next().await, (waiting, "after all".to_owned()));
    }
    for follower in [&mut all, &mut choir] {
        assert_eq!(follower.next().await, (late, "after all".to_owned()));
        assert_eq!(follower.next().await, (last, "fin".to_owned()));
    }
    // Its end is the account's.
    let sql = "WITH account AS (UPDATE whatsapp_accounts SET event_seq = event_seq + 1, deleted_at = now() WHERE id = $1
                                RETURNING event_seq)
               INSERT INTO events (account_id, seq, kind, notified) SELECT $1, event_seq, 'account.deleted', true FROM account";
    stage.web.sql.execute(sql, &[&shop]).await.unwrap();
    for mut follower in [all, choir, anna] {
        follower.remarks("the account was deleted").await;
        assert!(follower.child.wait().await.unwrap().success());
        assert_eq!(follower.lines.next_line().await.unwrap(), None, "nothing was printed twice");
    }
    stage.finish([]).await;
}
