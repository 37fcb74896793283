//! Messages that came in: one row and one event each, in their order, by the owner alone.

use std::collections::BTreeSet;
use std::time::Duration;

use paird::postgres::messages::PgMessages;
use paird::postgres::outbox::Waker;
use paird::postgres::pool::Dsn;
use paird::postgres::prune::{Keep, once};
use paird::postgres::roles::{self, Isolation};
use paird::whatsapp::{MessageLink, MessageStore as _};
use paird_actors::domain::{
    AccountRecord, Change, Desired, EventKind, Fence, IncomingMessage, Instant, KeyringId, Link, LinkedDevice,
    MessageContent, MessageDirection, Party, Phone, Reason, Said, Status, StoreError, WaitReason,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Daemon, Database, at, update};

const DAY: Duration = Duration::from_secs(24 * 3600);
pub const ANNA: &str = "10000001@lid";
pub const BERT: &str = "10000002@lid";
pub const OWN: &str = "10000009@lid";
pub const GROUP: &str = "12036302@g.us";

/// A linked account of a daemon, and the way its messages are written.
pub struct Linked {
    pub daemon: Daemon,
    pub record: AccountRecord,
    pub link: MessageLink,
}

impl Linked {
    pub async fn new(database: &Database) -> Self {
        let daemon = database.daemon().await;
        Self::of(database, daemon).await
    }

    pub async fn of(database: &Database, daemon: Daemon) -> Self {
        let mut record = database.owned(&daemon, "shop").await;
        let keyring = KeyringId(database.keyring(record.id).await);
        record.link = Link::Held(LinkedDevice { keyring, phone: None, jid: Some("9:1@lid".to_owned()) });
        record.desired = Desired::Paired;
        record.set_status(Status::Connected, Reason::Connected, at(0));
        daemon.write(update(&record, Change::default())).await.unwrap();
        let link = MessageLink { account: record.id, fence: record.fence, keyring, epoch: 1 };
        Self { daemon, record, link }
    }

    pub fn messages(&self) -> PgMessages {
        PgMessages::new(self.daemon.pool.clone(), self.daemon.process, Waker::default())
    }

    /// How many of them are new.
    pub async fn record(&self, batch: &[IncomingMessage]) -> Result<usize, StoreError> {
        self.messages().record(&self.link, batch).await.map(|new| new.len())
    }
}

pub fn party(jid: &str) -> Party {
    let number = jid.strip_prefix("1000000").and_then(|rest| rest.split('@').next());
    Party { jid: jid.to_owned(), phone: number.map(|last| Phone::parse(&format!("43660000000{last}")).unwrap()) }
}

pub fn said(said: Said) -> Result<MessageContent, WaitReason> {
    Ok(MessageContent { said, reply_to: None })
}

pub fn text(chat: &str, id: &str, body: &str) -> IncomingMessage {
    IncomingMessage {
        direction: MessageDirection::In,
        chat: party(chat),
        sender: party(chat),
        sender_name: Some("Anna".to_owned()),
        wa_id: id.to_owned(),
        sent_at: Instant(1_700_000_000_123),
        content: said(Said::Text { body: body.to_owned(), mentions: Vec::new() }),
        media: None,
    }
}

fn waiting(chat: &str, id: &str) -> IncomingMessage {
    IncomingMessage { content: Err(WaitReason::Undecryptable), ..text(chat, id, "") }
}

fn reaction(chat: &str, id: &str, of: &str) -> IncomingMessage {
    IncomingMessage {
        content: said(Said::Reaction { of: of.to_owned(), emoji: "👍".to_owned() }),
        ..text(chat, id, "")
    }
}

/// The same from or to somebody whose LID is not known.
pub fn by_number(message: IncomingMessage) -> IncomingMessage {
    let named = |party: Party| match &party.phone {
        Some(phone) => Party { jid: format!("{}@s.whatsapp.net", phone.digits()), phone: party.phone },
        None => party,
    };
    IncomingMessage { chat: named(message.chat), sender: named(message.sender), ..message }
}

pub async fn bodies(database: &Database) -> Vec<String> {
    let sql = "SELECT coalesce(array_agg(coalesce(b.content->'text'->>'body', m.state) ORDER BY m.id), '{}')
               FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id";
    database.one(sql, &[]).await
}

pub async fn told(database: &Database) -> Vec<String> {
    let sql = "SELECT coalesce(array_agg(seq || ' ' || kind ORDER BY id), '{}') FROM events";
    database.one(sql, &[]).await
}

#[tokio::test]
async fn a_message_is_a_row_a_body_an_event_and_a_contact() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    assert_eq!(account.record(&[text(ANNA, "3EB01", "a\0b")]).await, Ok(1));
    let of_outgoing = "ARRAY['key', 'source', 'sent_by', 'not_before', 'expires_at', 'code', 'delivered_at', 'read_at',
                             'attempt', 'taken_at', 'taken_by', 'taken_under', 'due_at', 'is_new_chat', 'told_at']";
    let row: Value =
        database.one(&format!("SELECT to_jsonb(m) - 'id' - 'created_at' - {of_outgoing} FROM messages m"), &[]).await;
    assert_eq!(
        row,
        json!({
            "account_id": account.record.id.0, "direction": "in", "chat": ANNA, "chat_phone": "436600000001",
            "sender": ANNA, "sender_phone": "436600000001", "wa_id": "3EB01", "kind": "text", "refers_to": null,
            "state": "received", "reason": null, "sent_at": "2023-11-14T22:13:20.123+00:00", "recovered_at": null,
            "asks": 0, "asked_at": null,
        })
    );
    let content: Value = database.one("SELECT content FROM message_bodies", &[]).await;
    assert_eq!(content, json!({"type": "text", "text": {"body": "ab"}}));
    let payload: Value = database.one("SELECT payload FROM events", &[]).await;
    let id: i64 = database.one("SELECT id FROM messages", &[]).await;
    assert_eq!(
        payload,
        json!({
            "messageId": id, "chat": ANNA, "phone": "436600000001", "sender": ANNA, "kind": "text", "refersTo": null,
            "sentAt": "2023-11-14T22:13:20.123Z",
        })
    );
    assert_eq!(
        database.one::<String>("SELECT jid || phone || name FROM contacts", &[]).await,
        format!("{ANNA}436600000001Anna")
    );
    assert_eq!(told(&database).await, ["1 message.received"]);
    assert_eq!(database.count("SELECT event_seq FROM whatsapp_accounts").await, 1);
}

#[tokio::test]
async fn the_same_message_twice_is_one_row_and_one_event() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let once = text(ANNA, "3EB01", "first");
    let again = text(ANNA, "3EB01", "the same id, encrypted anew");
    assert_eq!(account.record(&[once.clone(), again.clone()]).await, Ok(1), "twice in a batch");
    for _ in 0..3 {
        assert_eq!(account.record(std::slice::from_ref(&again)).await, Ok(0));
    }
    // The same id of another sender or in another chat is another message.
    let of_another = IncomingMessage { sender: party(BERT), ..text(GROUP, "3EB01", "second") };
    let elsewhere = IncomingMessage { sender: party(ANNA), ..text(GROUP, "3EB01", "third") };
    assert_eq!(account.record(&[once, of_another, elsewhere]).await, Ok(2));
    assert_eq!(bodies(&database).await, ["first", "second", "third"]);
    assert_eq!(told(&database).await, ["1 message.received", "2 message.received", "3 message.received"]);
    let before = database.one::<i64>("SELECT event_seq FROM whatsapp_accounts", &[]).await;
    assert_eq!(before, 3);
}

#[tokio::test]
async fn a_fenced_daemon_writes_no_message() {
    let database = Database::new().await;
    let former = Linked::new(&database).await;
    let (messages, link) = (former.messages(), former.link);
    database.kill(former.daemon).await;
    let present = database.daemon().await;
    present.record(link.account).await;
    assert_eq!(messages.record(&link, &[text(ANNA, "3EB01", "late")]).await, Err(StoreError::Fenced));
    let of_an_old_fence = PgMessages::new(present.pool.clone(), present.process, Waker::default());
    assert_eq!(of_an_old_fence.record(&link, &[text(ANNA, "3EB01", "late")]).await, Err(StoreError::Fenced));
    for table in ["messages", "message_bodies", "contacts", "events"] {
        assert_eq!(database.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_message_of_a_link_that_is_gone_is_not_written() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let other = KeyringId(database.keyring(account.record.id).await);
    let link = MessageLink { keyring: other, ..account.link };
    assert_eq!(account.messages().record(&link, &[text(ANNA, "1", "late")]).await, Err(StoreError::Fenced));
    let sql = "UPDATE whatsapp_accounts SET keyring_id = NULL, linking_keyring_id = $1";
    database.web.execute(sql, &[&other.0]).await.unwrap();
    assert_eq!(account.messages().record(&link, &[text(ANNA, "1", "while the link is made")]).await, Ok(vec![0]));
    database.web.execute("UPDATE whatsapp_accounts SET deleted_at = now()", &[]).await.unwrap();
    assert_eq!(account.messages().record(&link, &[text(ANNA, "2", "late")]).await, Err(StoreError::Fenced));
}

#[tokio::test]
async fn messages_keep_their_order_with_seq_without_gaps() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let batch: Vec<_> = (0..400)
        .map(|n| text(if n % 2 == 0 { ANNA } else { BERT }, &format!("A{:03}", 999 - n), &n.to_string()))
        .collect();
    assert_eq!(account.record(&batch).await, Ok(400));
    // Eight writers at the same time, each with messages that are there already.
    let writers = (0..8).map(|writer| {
        let (messages, link) = (account.messages(), account.link);
        let batch: Vec<_> = (0..20)
            .flat_map(|n| {
                [text(ANNA, &format!("A{:03}", 999 - 2 * n), ""), text(BERT, &format!("B{}", n % 10 + writer), "x")]
            })
            .collect();
        tokio::spawn(async move { messages.record(&link, &batch).await })
    });
    let mut written = 0;
    for writer in writers.collect::<Vec<_>>() {
        written += writer.await.unwrap().unwrap().len();
    }
    assert_eq!(written, 17, "each of the ids once");
    let first: Vec<String> = bodies(&database).await.into_iter().take(400).collect();
    assert_eq!(first, (0..400).map(|n| n.to_string()).collect::<Vec<_>>());
    let sql = "SELECT count(*) FROM (
                   SELECT seq, (payload->>'messageId')::bigint AS id, row_number() OVER (ORDER BY seq) AS nth,
                          row_number() OVER (ORDER BY (payload->>'messageId')::bigint) AS nth_id FROM events) AS e
               WHERE seq = nth AND nth = nth_id";
    assert_eq!(database.count(sql).await, 417);
}

#[tokio::test]
async fn what_a_message_is_about_is_found_by_its_row() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    account.record(&[text(ANNA, "1", "old")]).await.unwrap();
    let answer = IncomingMessage {
        content: Ok(MessageContent {
            said: Said::Text { body: "answer".to_owned(), mentions: Vec::new() },
            reply_to: Some("1".to_owned()),
        }),
        ..text(ANNA, "2", "")
    };
    let beside = reaction(ANNA, "3", "2");
    let of_nothing = reaction(ANNA, "4", "unknown");
    let of_another_chat = reaction(BERT, "5", "1");
    account.record(&[answer, beside, of_nothing, of_another_chat]).await.unwrap();
    let sql = "SELECT jsonb_agg(jsonb_build_array(m.wa_id, r.wa_id, e.payload->'refersTo' IS NOT DISTINCT FROM
                      coalesce(to_jsonb(m.refers_to), 'null'), b.content #>> '{reaction,messageId}' IS NOT DISTINCT FROM
                      CASE WHEN m.kind = 'reaction' THEN m.refers_to::text END, b.content->'replyTo' = to_jsonb(m.refers_to))
                      ORDER BY m.id)
               FROM messages m LEFT JOIN messages r ON r.id = m.refers_to
               JOIN message_bodies b ON b.message_id = m.id JOIN events e ON (e.payload->>'messageId')::bigint = m.id";
    assert_eq!(
        database.one::<Value>(sql, &[]).await,
        json!([
            ["1", null, true, true, null],
            ["2", "1", true, true, true],
            ["3", "2", true, true, null],
            ["4", null, true, true, null],
            ["5", null, true, true, null],
        ])
    );
    let emoji: Value = database.one("SELECT content FROM message_bodies ORDER BY message_id DESC LIMIT 1", &[]).await;
    assert_eq!(emoji, json!({"type": "reaction", "reaction": {"messageId": null, "waId": "1", "emoji": "👍"}}));
}

#[tokio::test]
async fn a_message_that_waited_is_told_as_recovered_once() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    account.record(&[waiting(ANNA, "1"), text(ANNA, "2", "after it")]).await.unwrap();
    assert_eq!(bodies(&database).await, ["waiting", "after it"]);
    assert_eq!(account.record(&[waiting(ANNA, "1")]).await, Ok(0), "it waits already");
    assert_eq!(account.record(&[text(ANNA, "1", "read")]).await, Ok(1));
    assert_eq!(account.record(&[text(ANNA, "1", "the copy of the phone"), waiting(ANNA, "1")]).await, Ok(0));
    assert_eq!(bodies(&database).await, ["read", "after it"]);
    assert_eq!(told(&database).await, ["1 message.waiting", "2 message.received", "3 message.recovered"]);
    let row: Value = database.one("SELECT jsonb_build_array(state, kind, reason, recovered_at > created_at) FROM messages ORDER BY id LIMIT 1", &[]).await;
    assert_eq!(row, json!(["received", "text", null, true]));
    // Waiting and readable in one batch: the readable one is kept.
    assert_eq!(account.record(&[waiting(ANNA, "3"), text(ANNA, "3", "at once")]).await, Ok(1));
    assert_eq!(told(&database).await.pop().unwrap(), "4 message.received");
}

#[tokio::test]
async fn a_lost_message_is_told_when_it_is_read() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let lost = |message: IncomingMessage| IncomingMessage { content: Err(WaitReason::Lost), ..message };
    let echo = IncomingMessage { direction: MessageDirection::Echo, sender: party(OWN), ..text(ANNA, "2", "mine") };
    account.record(&[text(ANNA, "0", "known")]).await.unwrap();
    assert_eq!(
        account.record(&[lost(text(ANNA, "0", "")), lost(text(ANNA, "1", "")), lost(echo.clone())]).await,
        Ok(2)
    );
    assert_eq!(bodies(&database).await, ["known", "waiting", "waiting"]);
    assert_eq!(told(&database).await, ["1 message.received"], "it may be no message at all");
    assert_eq!(account.record(&[waiting(ANNA, "1")]).await, Ok(0));
    assert_eq!(account.record(&[text(ANNA, "1", "read"), echo]).await, Ok(2));
    assert_eq!(account.record(&[text(ANNA, "1", "again"), lost(text(ANNA, "1", ""))]).await, Ok(0));
    assert_eq!(told(&database).await, ["1 message.received", "2 message.received", "3 message.echo"]);
    assert_eq!(database.count("SELECT event_seq FROM whatsapp_accounts").await, 3);
    let kinds: Vec<String> = database.one("SELECT array_agg(payload->>'kind' ORDER BY seq) FROM events", &[]).await;
    assert_eq!(kinds, ["text"; 3]);
}

#[tokio::test]
async fn keys_of_media_are_kept_as_long_as_the_message() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let image = |id: &str, media: &[u8]| IncomingMessage { media: Some(media.to_vec()), ..text(ANNA, id, "look") };
    account.record(&[waiting(ANNA, "1"), image("2", b"two"), text(ANNA, "3", "x")]).await.unwrap();
    account.record(&[image("1", b"one"), image("2", b"again")]).await.unwrap();
    let kept =
        "SELECT jsonb_agg(jsonb_build_array(m.wa_id, convert_from(k.sealed, 'UTF8'), k.keyring_id) ORDER BY m.id)
                FROM message_media k JOIN messages m ON m.id = k.message_id";
    let link = account.link.keyring.0;
    assert_eq!(database.one::<Value>(kept, &[]).await, json!([["1", "one", link], ["2", "two", link]]));
    database.web.batch_execute("DELETE FROM messages WHERE wa_id = '1'").await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM message_media").await, 1);
}

#[tokio::test]
async fn a_waiting_message_is_asked_for_three_times() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let lost = IncomingMessage { content: Err(WaitReason::Lost), ..text(BERT, "lost", "") };
    let echo = IncomingMessage { direction: MessageDirection::Echo, sender: party(OWN), ..waiting(ANNA, "echo") };
    let old = IncomingMessage { content: Err(WaitReason::Lost), ..text(ANNA, "old", "") };
    let now = Instant(database.one("SELECT (extract(epoch FROM now()) * 1000)::bigint", &[]).await);
    let young = |message: IncomingMessage| IncomingMessage { sent_at: now, ..message };
    let batch = [young(waiting(ANNA, "in")), young(lost), young(echo), old, young(text(ANNA, "read", "x"))];
    account.record(&batch).await.unwrap();
    let messages = account.messages();
    let mut asked = Vec::new();
    for hours in [0, 0, 1, 0, 23, 2, 48, 48] {
        let age = format!("UPDATE messages SET asked_at = asked_at - interval '{hours} hours'");
        database.web.batch_execute(&age).await.unwrap();
        let taken = messages.take_waiting(&account.link, Duration::ZERO).await.unwrap();
        asked.push(taken.into_iter().map(|waiting| waiting.wa_id).collect::<Vec<_>>());
    }
    // The library has asked for one of them.
    let none = Vec::<String>::new;
    let own = || vec!["lost".to_owned(), "echo".to_owned()];
    let all = || vec!["in".to_owned(), "lost".to_owned(), "echo".to_owned()];
    assert_eq!(asked, [own(), none(), all(), none(), none(), all(), none(), none()]);
    let of_an_old_fence = MessageLink { fence: Fence(account.link.fence.0 - 1), ..account.link };
    database.web.batch_execute("UPDATE messages SET asks = 0").await.unwrap();
    assert_eq!(messages.take_waiting(&of_an_old_fence, Duration::ZERO).await, Ok(vec![]), "fenced");
    let taken = messages.take_waiting(&account.link, Duration::ZERO).await.unwrap();
    let echo = taken.iter().find(|taken| taken.wa_id == "echo").unwrap();
    assert_eq!((echo.direction, &echo.chat, &echo.sender), (MessageDirection::Echo, &party(ANNA), &party(OWN)));
    assert_eq!(echo.sent_at, now);
}

/// The library asks the phone for a message once a day over one connection, and says nothing of that.
#[tokio::test]
async fn a_request_that_would_be_silent_is_not_due() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let now = Instant(database.one("SELECT (extract(epoch FROM now()) * 1000)::bigint", &[]).await);
    account.record(&[IncomingMessage { sent_at: now, ..waiting(ANNA, "1") }]).await.unwrap();
    let hour = Duration::from_secs(3600);
    for (asked_hours_ago, age, is_due) in
        [(1, hour * 2, false), (1, hour / 2, true), (23, hour * 30, false), (25, hour * 30, true)]
    {
        let asked =
            format!("UPDATE messages SET asks = 1, asked_at = clock_timestamp() - interval '{asked_hours_ago} hours'");
        database.web.batch_execute(&asked).await.unwrap();
        let due = account.messages().take_waiting(&account.link, age).await.unwrap();
        assert_eq!(!due.is_empty(), is_due, "asked {asked_hours_ago} h ago, over a connection of {age:?}");
    }
}

/// However often the connection ended before the phone could be asked.
#[tokio::test]
async fn a_request_that_did_not_leave_does_not_count() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let now = Instant(database.one("SELECT (extract(epoch FROM now()) * 1000)::bigint", &[]).await);
    let lost = IncomingMessage { content: Err(WaitReason::Lost), ..waiting(ANNA, "1") };
    account.record(&[IncomingMessage { sent_at: now, ..lost }]).await.unwrap();
    let messages = account.messages();
    let of_an_old_fence = MessageLink { fence: Fence(account.link.fence.0 - 1), ..account.link };
    for wanted in [0, 1, 2] {
        for _ in 0..4 {
            let taken = messages.take_waiting(&account.link, Duration::ZERO).await.unwrap();
            assert_eq!(taken.len(), 1, "after {wanted} requests");
            let ids = [taken[0].id];
            assert_eq!(messages.put_back_waiting(&of_an_old_fence, &ids).await, Err(StoreError::Fenced));
            messages.put_back_waiting(&account.link, &ids).await.unwrap();
            assert_eq!(database.count("SELECT asks::bigint FROM messages").await, wanted);
        }
        assert_eq!(messages.take_waiting(&account.link, Duration::ZERO).await.unwrap().len(), 1);
        assert_eq!(messages.take_waiting(&account.link, Duration::ZERO).await, Ok(vec![]), "not at once again");
        let later = "UPDATE messages SET asked_at = asked_at - interval '25 hours'";
        database.web.batch_execute(later).await.unwrap();
    }
    assert_eq!(messages.take_waiting(&account.link, Duration::ZERO).await, Ok(vec![]), "three times in all");
}

#[tokio::test]
async fn what_a_stranger_chooses_is_never_refused() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let odd = |id: &str, name: &str, sent: i64| IncomingMessage {
        chat: Party { jid: format!("{}\0@lid", "9".repeat(9_000)), phone: None },
        sender_name: Some(name.to_owned()),
        sent_at: Instant(sent),
        ..text(ANNA, id, "\0")
    };
    let long = "x".repeat(100_000);
    let batch = [
        odd("", "", 0),
        odd("\0", "\0", -1),
        odd(&long, &long, i64::MAX),
        odd("\u{202e}'; DROP TABLE messages; --", "\u{1}", i64::MIN),
        IncomingMessage {
            content: said(Said::Text { body: "y".repeat(4_000_000), mentions: Vec::new() }),
            ..odd("big", "n", 1)
        },
        IncomingMessage {
            content: said(Said::Location { latitude: f64::NAN, longitude: f64::INFINITY, name: None, address: None }),
            ..odd("nowhere", "n", 1)
        },
    ];
    assert_eq!(account.record(&batch).await, Ok(5), "the first two have no id, and are one");
    assert_eq!(account.record(&batch).await, Ok(0));
}

#[tokio::test]
async fn the_payloads_are_those_that_the_schema_describes() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let echo = IncomingMessage { direction: MessageDirection::Echo, sender: party(OWN), ..text(ANNA, "2", "mine") };
    account.record(&[text(GROUP, "1", "x"), echo, waiting(ANNA, "3"), by_number(text(BERT, "4", "z"))]).await.unwrap();
    account.record(&[text(ANNA, "3", "y"), text(BERT, "5", "z")]).await.unwrap();
    let rows = database.web.query("SELECT kind, payload FROM events ORDER BY seq", &[]).await.unwrap();
    let kinds: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let of_messages = [
        EventKind::MessageEcho,
        EventKind::MessageReceived,
        EventKind::MessageRecovered,
        EventKind::MessageWaiting,
        EventKind::ChatMerged,
    ];
    assert_eq!(kinds, BTreeSet::from(of_messages.map(|kind| kind.to_string())));
    for row in rows {
        let (kind, payload): (String, Value) = (row.get(0), row.get(1));
        let schema = EventKind::parse(&kind).unwrap().payload_schema();
        let described: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(payload.as_object().unwrap().keys().collect::<BTreeSet<_>>(), described, "{kind}");
        assert!(!payload.to_string().contains("mine"), "a body in an event: {payload}");
    }
}

#[tokio::test]
async fn a_deleted_account_takes_its_messages_along() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    account.record(&[text(ANNA, "1", "x"), waiting(BERT, "2")]).await.unwrap();
    let other = Linked::of(&database, database.daemon().await).await;
    other.record(&[text(ANNA, "1", "stays")]).await.unwrap();
    let many = "INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, sent_at)
                SELECT $1, 'in', 'c', 's', n::text, 'text', 'received', now() FROM generate_series(1, 10500) n";
    database.web.execute(many, &[&account.record.id.0]).await.unwrap();
    let deleted = "UPDATE whatsapp_accounts SET deleted_at = clock_timestamp() WHERE id = $1";
    database.web.execute(deleted, &[&account.record.id.0]).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM messages").await, 503, "the rest of many goes in batches");
    assert_eq!(database.count("SELECT count(*) FROM contacts").await, 1);
    let keep = Keep { events: 30 * DAY, bodies: 7 * DAY, commands: DAY, audit: None };
    let pool = database.dsn.pool().unwrap();
    assert_eq!(once(&pool, keep, true).await.unwrap().messages, 502);
    assert_eq!(once(&pool, keep, false).await.unwrap().messages, 502);
    assert_eq!(bodies(&database).await, ["stays"]);
    assert_eq!(database.count("SELECT count(*) FROM message_erasures").await, 0);
}

#[tokio::test]
async fn bodies_go_after_days_and_rows_as_events_do() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let keep = Keep { events: 30 * DAY, bodies: 7 * DAY, commands: DAY, audit: None };
    let pool = database.dsn.pool().unwrap();
    for (id, days) in [("very old", 31), ("old", 9), ("read", 8), ("young", 6)] {
        account.record(&[text(ANNA, id, id)]).await.unwrap();
        // The event has the same time as the message.
        let aged = format!(
            "UPDATE messages SET created_at = now() - interval '{days} days' WHERE wa_id = '{id}';
             UPDATE message_bodies SET created_at = now() - interval '{days} days' WHERE content #>> '{{text,body}}' = '{id}';
             UPDATE events SET created_at = now() - interval '{days} days', notified = true WHERE created_at > now() - interval '1 hour'"
        );
        database.web.batch_execute(&aged).await.unwrap();
    }
    let reads = "INSERT INTO event_consumers (consumer, account_id, seq) VALUES ('shop', $1, $2)
                 ON CONFLICT (consumer, account_id) DO UPDATE SET seq = excluded.seq";
    database.web.execute(reads, &[&account.record.id.0, &0_i64]).await.unwrap();
    let pruned = once(&pool, keep, true).await.unwrap();
    assert_eq!((pruned.bodies, pruned.messages), (1, 0), "what nobody has read stays, for thirty days");
    database.web.execute(reads, &[&account.record.id.0, &3_i64]).await.unwrap();
    let pruned = once(&pool, keep, false).await.unwrap();
    assert_eq!((pruned.bodies, pruned.messages, pruned.events), (3, 1, 1));
    let left = "SELECT array_agg(m.wa_id || (b.message_id IS NOT NULL) ORDER BY m.id)
                FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id";
    assert_eq!(database.one::<Vec<String>>(left, &[]).await, ["oldfalse", "readfalse", "youngtrue"]);
}

#[tokio::test]
async fn the_least_rights_do_for_messages() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::On).await.unwrap();
    let name = format!("receiver_{}", Uuid::new_v4().simple());
    database.web.batch_execute(&format!("CREATE ROLE {name} LOGIN IN ROLE paird_daemon")).await.unwrap();
    let account = Linked::new(&database).await;
    let dsn = Dsn::parse(&database.text.replace("user=paird", &format!("user={name}"))).unwrap();
    let messages = PgMessages::new(dsn.pool().unwrap(), account.daemon.process, Waker::default());
    let image = IncomingMessage { media: Some(b"sealed".to_vec()), ..text(ANNA, "2", "x") };
    messages.record(&account.link, &[waiting(ANNA, "1"), image]).await.unwrap();
    assert_eq!(messages.record(&account.link, &[text(ANNA, "1", "read")]).await, Ok(vec![0]));
    let number = by_number(text(BERT, "3", "x"));
    assert_eq!(messages.record(&account.link, &[number]).await, Ok(vec![0]));
    assert_eq!(messages.record(&account.link, &[text(BERT, "4", "x")]).await, Ok(vec![0]), "merged before");
    assert_eq!(messages.take_waiting(&account.link, Duration::ZERO).await, Ok(vec![]));
    assert_eq!(messages.put_back_waiting(&account.link, &[]).await, Ok(()));
    let daemon = crate::support::connect(&database.text.replace("user=paird", &format!("user={name}"))).await;
    for refused in ["SELECT content FROM message_bodies", "DELETE FROM messages", "UPDATE messages SET wa_id = 'x'"] {
        assert!(daemon.execute(refused, &[]).await.is_err(), "{refused}");
    }

    let shop = format!("shop_{}", Uuid::new_v4().simple());
    database.web.batch_execute(&format!("CREATE ROLE {shop} LOGIN IN ROLE paird_web")).await.unwrap();
    let web = crate::support::connect(&database.text.replace("user=paird", &format!("user={shop}"))).await;
    let seen = "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM message_bodies)
                       + (SELECT count(*) FROM contacts)";
    assert_eq!(web.query_one(seen, &[]).await.unwrap().get::<_, i64>(0), 0, "without an operator");
    let operator = account.record.operator.0;
    web.batch_execute(&format!("SET paird.operator = '{operator}'")).await.unwrap();
    assert_eq!(web.query_one(seen, &[]).await.unwrap().get::<_, i64>(0), 10);
    web.batch_execute(&format!("SET paird.operator = '{}'", Uuid::new_v4())).await.unwrap();
    assert_eq!(web.query_one(seen, &[]).await.unwrap().get::<_, i64>(0), 0, "of another operator");
    for refused in [
        "DELETE FROM messages",
        "UPDATE message_bodies SET content = '{}'",
        "DELETE FROM contacts",
        "SELECT message_id FROM message_media",
    ] {
        assert!(web.execute(refused, &[]).await.is_err(), "{refused}");
    }
}
