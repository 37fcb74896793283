//! People who are named by number, by LID or by both are one chat and one contact each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paird::whatsapp::MessageStore as _;
use paird_actors::domain::{IncomingMessage, MessageDirection, Party, Phone, Said, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::messages::{ANNA, BERT, GROUP, Linked, OWN, bodies, by_number, party, said, text, told};
use crate::support::{Database, connect};

const CARL: &str = "10000003@lid";
const ANNAS_NUMBER: &str = "436600000001@s.whatsapp.net";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Number,
    Lid,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Chat,
    Group,
    /// From the owner.
    Echo,
}

#[derive(Clone, Copy, Debug)]
struct Arrival {
    person: &'static str,
    named: Named,
    place: Place,
    /// In the longer spelling, if the number has two.
    is_long: bool,
    /// Few, so that many come again.
    id: u8,
}

impl Arrival {
    /// A message that comes by number and then by LID, while nobody knows that they are one
    /// person, is told twice: so these two have ids of their own.
    fn wa_id(self) -> String {
        match self.named {
            Named::Number => format!("N{}", self.id),
            Named::Lid => format!("L{}", self.id),
            Named::Both => format!("{}{}", if self.id < 3 { "N" } else { "L" }, self.id % 3),
        }
    }

    fn message(self) -> IncomingMessage {
        let spelt = Party { jid: self.person.to_owned(), phone: Some(number(self.person, self.is_long)) };
        let message = text(self.person, &self.wa_id(), "x");
        let message = IncomingMessage { chat: spelt.clone(), sender: spelt, ..message };
        let named = match self.named {
            Named::Number => by_number(message),
            Named::Lid => {
                let unknown = Party { jid: self.person.to_owned(), phone: None };
                IncomingMessage { chat: unknown.clone(), sender: unknown, ..message }
            }
            Named::Both => message,
        };
        match self.place {
            Place::Chat => named,
            Place::Group => IncomingMessage { chat: party(GROUP), ..named },
            Place::Echo => IncomingMessage { direction: MessageDirection::Echo, sender: party(OWN), ..named },
        }
    }
}

/// Anna's number has one spelling, the other two have their country's second one.
fn number(person: &str, is_long: bool) -> Phone {
    let digits = match (person, is_long) {
        (BERT, false) => "551187654322",
        (BERT, true) => "5511987654322",
        (CARL, false) => "525512345673",
        (CARL, true) => "5215512345673",
        _ => "436600000001",
    };
    Phone::from_digits(digits).unwrap()
}

/// Whose jid this is.
fn person_of(jid: &str) -> Option<&'static str> {
    let jids = |person| [false, true].map(|is_long| format!("{}@s.whatsapp.net", number(person, is_long).digits()));
    [ANNA, BERT, CARL].into_iter().find(|person| *person == jid || jids(person).contains(&jid.to_owned()))
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let person = prop_oneof![Just(ANNA), Just(BERT), Just(CARL)];
    let named = prop_oneof![Just(Named::Number), Just(Named::Lid), Just(Named::Both)];
    let place = prop_oneof![2 => Just(Place::Chat), 1 => Just(Place::Group), 1 => Just(Place::Echo)];
    (person, named, place, any::<bool>(), 0..6_u8).prop_map(|(person, named, place, is_long, id)| Arrival {
        person,
        named,
        place,
        is_long,
        id: if named == Named::Both { id } else { id % 3 },
    })
}

#[test]
fn whatever_a_person_is_called_it_is_one_chat() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(Database::new());
    let mut runner = TestRunner::new(Config { cases: 64, ..Config::default() });
    runner
        .run(&vec(vec(arrival(), 1..5), 1..12), |batches| {
            runtime.block_on(all_is_told_once(&database, batches));
            Ok(())
        })
        .unwrap();
}

async fn all_is_told_once(database: &Database, batches: Vec<Vec<Arrival>>) {
    let account = Linked::of(database, database.daemon().await).await;
    let mut first = BTreeMap::new();
    let mut by_number = BTreeSet::new();
    let last = [ANNA, BERT, CARL];
    let last = last.map(|person| Arrival { person, named: Named::Both, place: Place::Chat, is_long: true, id: 5 });
    for batch in batches.iter().chain([&last.to_vec()]) {
        account.record(&batch.iter().map(|arrival| arrival.message()).collect::<Vec<_>>()).await.unwrap();
        for arrival in batch {
            let nth = first.len();
            first.entry((arrival.person, arrival.place, arrival.wa_id())).or_insert(nth);
            by_number.extend((arrival.named == Named::Number).then_some(arrival.person));
        }
    }
    let sql = "SELECT coalesce(jsonb_agg(jsonb_build_array(m.chat, m.sender, m.wa_id) ORDER BY m.id), '[]')
               FROM messages m WHERE m.account_id = $1";
    let rows: Value = database.one(sql, &[&account.record.id.0]).await;
    let mut wanted: Vec<_> = first.into_iter().collect();
    wanted.sort_by_key(|(_, nth)| *nth);
    let wanted: Vec<Value> = wanted
        .into_iter()
        .map(|((person, place, id), _)| match place {
            Place::Chat => json!([person, person, id]),
            Place::Group => json!([GROUP, person, id]),
            Place::Echo => json!([person, OWN, id]),
        })
        .collect();
    assert_eq!(rows, Value::from(wanted), "one row each, in the order of arrival");
    let sql = "SELECT array_agg(jid || coalesce(phone, '') ORDER BY jid) FROM contacts WHERE account_id = $1";
    let contacts: Vec<String> = database.one(sql, &[&account.record.id.0]).await;
    assert_eq!(contacts, [ANNA, BERT, CARL].map(|jid| format!("{jid}{}", number(jid, true).digits())));
    let sql = "SELECT count(*) FROM messages m WHERE m.account_id = $1 AND 1 <> (
                   SELECT count(*) FROM events e
                   WHERE e.account_id = $1 AND (e.payload->>'messageId')::bigint = m.id)";
    assert_eq!(database.one::<i64>(sql, &[&account.record.id.0]).await, 0, "one event each");
    let sql = "SELECT count(*) = max(seq) AND max(seq) = (SELECT event_seq FROM whatsapp_accounts WHERE id = $1)
               FROM events WHERE account_id = $1";
    assert!(database.one::<bool>(sql, &[&account.record.id.0]).await, "a gap in seq");
    is_one_chat_to_those_who_listen(database, &account).await;
    let sql = "SELECT coalesce(array_agg(payload->>'chat'), '{}') FROM events
               WHERE account_id = $1 AND kind = 'chat.merged' AND payload->>'chat' LIKE '%@lid'";
    let merged: Vec<String> = database.one(sql, &[&account.record.id.0]).await;
    let distinct: BTreeSet<&str> = merged.iter().map(String::as_str).collect();
    assert!(distinct.len() == merged.len() && distinct.is_subset(&by_number), "{merged:?}");
}

/// As events have it, a person is never known by two spellings of the number, and each name that goes
/// was there before.
async fn is_one_chat_to_those_who_listen(database: &Database, account: &Linked) {
    let sql = "SELECT kind, payload FROM events WHERE account_id = $1 ORDER BY seq";
    let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in database.web.query(sql, &[&account.record.id.0]).await.unwrap() {
        let (kind, payload): (String, Value) = (row.get(0), row.get(1));
        let text = |field: &str| payload[field].as_str().unwrap().to_owned();
        if kind == "chat.merged" {
            let names = names.entry(person_of(&text("former")).unwrap()).or_default();
            assert!(names.remove(&text("former")), "{payload} merges what nobody knew of: {names:?}");
            names.insert(text("chat"));
        } else {
            for name in [text("chat"), text("sender")] {
                names.entry(person_of(&name).unwrap_or_default()).or_default().insert(name);
            }
        }
        for person in [ANNA, BERT, CARL] {
            let numbers = names.get(person).into_iter().flatten().filter(|name| !name.ends_with("@lid"));
            assert!(numbers.count() <= 1, "{person} is two chats after {payload}: {names:?}");
        }
    }
    for person in [ANNA, BERT, CARL] {
        assert_eq!(names[person], BTreeSet::from([person.to_owned()]));
    }
}

#[tokio::test]
async fn every_spelling_of_a_number_is_listed_and_no_other() {
    let database = Database::new().await;
    for one in [
        &["551187654321", "5511987654321"][..],
        &["525512345678", "5215512345678"],
        &["541112345678", "5491112345678"],
        &["22507123456", "2250707123456"],
        &["22545123456", "2250545123456"],
        &["22501123456", "2250101123456"],
        &["22997123456", "2290197123456"],
        // A fixed line of Brazil, and numbers of countries with one spelling.
        &["554532782153"],
        &["436601234567"],
        &["5215512"],
    ] {
        for number in one {
            let listed: Vec<String> = database.one("SELECT phone_spellings($1)", &[number]).await;
            assert_eq!(listed.iter().map(String::as_str).collect::<BTreeSet<_>>(), one.iter().copied().collect());
        }
    }
}

#[tokio::test]
async fn two_spellings_that_wait_to_be_sent_are_one_chat() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let send = "SELECT send_message($1, $2)";
    for to in ["+55 11 98765-4322", "+55 11 8765-4322"] {
        let hello = json!({"to": to, "type": "text", "text": {"body": "hello"}});
        database.one::<i64>(send, &[&account.record.id.0, &hello]).await;
    }
    assert_eq!(database.count("SELECT count(DISTINCT chat) FROM messages").await, 1);
    // WhatsApp spells it otherwise than the first of them did.
    let incoming = Arrival { person: BERT, named: Named::Number, place: Place::Chat, is_long: false, id: 1 };
    account.record(&[incoming.message()]).await.unwrap();
    let rows = "SELECT jsonb_agg(jsonb_build_array(chat, chat_phone) ORDER BY id) FROM messages";
    let spelt = json!(["551187654322@s.whatsapp.net", "551187654322"]);
    assert_eq!(database.one::<Value>(rows, &[]).await, json!([spelt, spelt, spelt]));
    assert_eq!(told(&database).await, ["1 chat.merged", "2 message.received"]);
}

#[tokio::test]
async fn a_chat_by_number_becomes_that_of_its_lid() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let in_the_group = IncomingMessage { chat: party(GROUP), ..by_number(text(ANNA, "2", "in the group")) };
    account.record(&[by_number(text(ANNA, "1", "by number")), in_the_group]).await.unwrap();
    assert_eq!(database.count(&format!("SELECT count(*) FROM messages WHERE sender = '{ANNAS_NUMBER}'")).await, 2);
    let reaction = Said::Reaction { of: "1".to_owned(), emoji: "👍".to_owned() };
    let reaction = IncomingMessage { content: said(reaction), sender_name: None, ..text(ANNA, "3", "") };
    assert_eq!(account.record(&[reaction]).await, Ok(1));
    assert_eq!(
        told(&database).await,
        ["1 message.received", "2 message.received", "3 chat.merged", "4 message.received"]
    );
    let payload: Value = database.one("SELECT payload FROM events WHERE kind = 'chat.merged'", &[]).await;
    assert_eq!(payload, json!({"chat": ANNA, "former": ANNAS_NUMBER, "phone": "436600000001"}));
    let sql = "SELECT jsonb_agg(jsonb_build_array(chat, sender, sender_phone, refers_to IS NOT NULL) ORDER BY id) FROM messages";
    let phone = "436600000001";
    assert_eq!(
        database.one::<Value>(sql, &[]).await,
        json!([[ANNA, ANNA, phone, false], [GROUP, ANNA, phone, false], [ANNA, ANNA, phone, true]])
    );
    let contacts = "SELECT jsonb_agg(jsonb_build_array(jid, phone, name)) FROM contacts";
    assert_eq!(database.one::<Value>(contacts, &[]).await, json!([[ANNA, phone, "Anna"]]));
    // By number once more: from now on both are known.
    assert_eq!(account.record(&[by_number(text(ANNA, "4", "x")), by_number(text(ANNA, "1", "again"))]).await, Ok(1));
    assert_eq!(database.count("SELECT count(DISTINCT chat) FROM messages").await, 2);
    assert_eq!(told(&database).await.last().unwrap(), "5 message.received");
}

#[tokio::test]
async fn one_message_in_both_chats_is_one_after_the_merge() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let unknown = Party { jid: ANNA.to_owned(), phone: None };
    let by_lid =
        |message: IncomingMessage| IncomingMessage { chat: unknown.clone(), sender: unknown.clone(), ..message };
    let unread = |message: IncomingMessage| IncomingMessage {
        content: Err(paird_actors::domain::WaitReason::Undecryptable),
        ..message
    };
    account.record(&[by_number(text(ANNA, "1", "one")), by_number(text(ANNA, "2", "two"))]).await.unwrap();
    account.record(&[by_lid(text(ANNA, "1", "one again")), by_lid(unread(text(ANNA, "2", "")))]).await.unwrap();
    let answer = Said::Reaction { of: "1".to_owned(), emoji: "👍".to_owned() };
    account.record(&[by_number(IncomingMessage { content: said(answer), ..text(ANNA, "3", "") })]).await.unwrap();
    assert_eq!(bodies(&database).await, ["one", "two", "one again", "waiting", "received"], "nobody can know");
    assert_eq!(account.record(&[text(ANNA, "4", "four")]).await, Ok(1));
    assert_eq!(bodies(&database).await, ["two", "one again", "received", "four"], "of two, one that can be read");
    let sql = "SELECT o.wa_id FROM messages m JOIN messages o ON o.id = m.refers_to WHERE m.wa_id = '3'";
    assert_eq!(database.one::<String>(sql, &[]).await, "1");
}

#[tokio::test]
async fn a_long_chat_is_merged_in_parts() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let many = "INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, sent_at)
                SELECT $1, 'in', $2, $2, n::text, 'text', 'received', now() FROM generate_series(1, 10000) n";
    database.web.execute(many, &[&account.record.id.0, &ANNAS_NUMBER]).await.unwrap();
    assert_eq!(account.record(&[text(ANNA, "new", "x"), text(ANNA, "7", "again")]).await, Ok(1));
    assert_eq!(database.count("SELECT count(*) FROM messages WHERE chat = sender AND chat LIKE '%lid'").await, 10_001);
    assert_eq!(told(&database).await, ["1 chat.merged", "2 message.received"]);
}

/// The chat of each message by its id, and its state.
async fn chats(database: &Database) -> Value {
    database.one("SELECT jsonb_agg(jsonb_build_array(chat, state) ORDER BY id) FROM messages", &[]).await
}

#[tokio::test]
async fn what_is_being_cancelled_holds_up_no_merge() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    account.record(&[by_number(text(ANNA, "1", "one"))]).await.unwrap();
    let send = "SELECT send_message($1, $2)";
    let hello = json!({"to": "+43 660 0000001", "type": "text", "text": {"body": "hello"}});
    let cancelled: i64 = database.one(send, &[&account.record.id.0, &hello]).await;
    database.one::<i64>(send, &[&account.record.id.0, &hello]).await;
    let web = connect(&database.text).await;
    web.batch_execute("BEGIN").await.unwrap();
    assert!(web.query_one("SELECT cancel_message($1)", &[&cancelled]).await.unwrap().get::<_, bool>(0));
    // Less than a statement may take.
    for id in ["2", "3"] {
        let message = [text(ANNA, id, "by LID")];
        let recorded = tokio::time::timeout(Duration::from_secs(5), account.record(&message)).await;
        assert_eq!(recorded.expect("it waits for a transaction of a web app"), Ok(1), "{id}");
    }
    let (number, lid) = (ANNAS_NUMBER, ANNA);
    let rest = [json!([lid, "queued"]), json!([lid, "received"]), json!([lid, "received"])];
    assert_eq!(chats(&database).await.as_array().unwrap()[2..], rest);
    web.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(chats(&database).await[1], json!([number, "queued"]));
    account.record(&[text(ANNA, "4", "by LID")]).await.unwrap();
    assert_eq!(database.count(&format!("SELECT count(*) FROM messages WHERE chat = '{number}'")).await, 0);
    assert_eq!(database.count("SELECT count(*) FROM contacts").await, 1);
    let gapless = "SELECT count(*) - max(seq) FROM events";
    assert_eq!(database.count(gapless).await, 0);
}

#[tokio::test]
async fn a_fenced_daemon_merges_no_chats() {
    let database = Database::new().await;
    let former = Linked::new(&database).await;
    former.record(&[by_number(text(ANNA, "1", "x"))]).await.unwrap();
    let (messages, link) = (former.messages(), former.link);
    let process = former.daemon.process;
    database.kill(former.daemon).await;
    database.daemon().await.record(link.account).await;
    assert_eq!(messages.record(&link, &[text(ANNA, "2", "late")]).await, Err(StoreError::Fenced));
    let merge = "SELECT count(*) FROM merge_chat($1, $2, $3, $4, $5, 100)";
    let merged: i64 = database.one(merge, &[&link.account.0, &process, &link.fence.0, &ANNA, &"436600000001"]).await;
    assert_eq!((merged, told(&database).await.len()), (0, 1));
    assert_eq!(database.one::<String>("SELECT chat FROM messages", &[]).await, ANNAS_NUMBER);
}
