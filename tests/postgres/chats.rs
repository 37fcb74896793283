//! What is marked as read, and which numbers were asked for: by the owner of the account alone.

use std::time::Duration;

use paird::postgres::chats::PgChats;
use paird::postgres::prune::{Keep, once};
use paird::whatsapp::{ChatStore as _, MessageLink};
use paird_actors::domain::{
    ChatJid, CheckedContact, ContactCheckPolicy, IncomingMessage, Instant, KeyringId, MessageDirection, MessageId,
    Phone, Said, StoreError,
};
use uuid::Uuid;

use crate::messages::{ANNA, BERT, GROUP, Linked, party, said, text};
use crate::support::Database;

const POLICY: ContactCheckPolicy = ContactCheckPolicy::DEFAULT;

fn chats(account: &Linked) -> PgChats {
    PgChats::new(account.daemon.pool.clone(), account.daemon.process)
}

/// WhatsApp's ids of what is not marked, up to the message with this one.
async fn unread(database: &Database, account: &Linked, chat: &str, up_to: &str) -> Option<Vec<String>> {
    let id: i64 = database.one("SELECT max(id) FROM messages WHERE wa_id = $1", &[&up_to]).await;
    let unread = chats(account).unread(&account.link, chat, MessageId(id)).await.unwrap()?;
    Some(unread.into_iter().map(|message| message.wa_id).collect())
}

fn from(sender: &str, chat: &str, id: &str) -> IncomingMessage {
    IncomingMessage { chat: party(chat), ..text(sender, id, "hello") }
}

fn phone(last: i64) -> Phone {
    Phone::from_digits(&format!("4366099{last:05}")).unwrap()
}

fn answer(phone: Phone, chat: Option<&str>) -> CheckedContact {
    CheckedContact { phone, chat: chat.map(str::to_owned), checked_at: Instant(1_700_000_000_000) }
}

#[tokio::test]
async fn only_what_a_phone_shows_of_others_is_unread() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let echo = IncomingMessage { direction: MessageDirection::Echo, ..text(ANNA, "E", "mine") };
    let reaction = IncomingMessage {
        content: said(Said::Reaction { of: "A".to_owned(), emoji: "👍".to_owned() }),
        ..text(ANNA, "R", "")
    };
    let batch = [
        text(ANNA, "A", "one"),
        echo,
        reaction,
        text(BERT, "B", "another chat"),
        text(ANNA, "C", "two"),
        from(ANNA, GROUP, "G1"),
        from(BERT, GROUP, "G2"),
        text(ANNA, "D", "three"),
    ];
    account.record(&batch).await.unwrap();
    let ids = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    assert_eq!(unread(&database, &account, ANNA, "C").await, ids(&["A", "C"]));
    assert_eq!(unread(&database, &account, GROUP, "G2").await, ids(&["G1", "G2"]));
    assert_eq!(unread(&database, &account, GROUP, "C").await, None, "a message of another chat");
    let marked: i64 = database.one("SELECT id FROM messages WHERE wa_id = 'A'", &[]).await;
    let not_ours: i64 = database.one("SELECT id FROM messages WHERE wa_id = 'E'", &[]).await;
    chats(&account).mark_as_read(&account.link, &[MessageId(marked), MessageId(not_ours)]).await.unwrap();
    assert_eq!(unread(&database, &account, ANNA, "D").await, ids(&["C", "D"]));
    assert_eq!(database.count("SELECT count(*) FROM messages WHERE read_at IS NOT NULL").await, 1);
    let at: i64 =
        database.one("SELECT (extract(epoch FROM read_at) * 1e6)::bigint FROM messages WHERE wa_id = 'A'", &[]).await;
    chats(&account).mark_as_read(&account.link, &[MessageId(marked)]).await.unwrap();
    let again: i64 =
        database.one("SELECT (extract(epoch FROM read_at) * 1e6)::bigint FROM messages WHERE wa_id = 'A'", &[]).await;
    assert_eq!(at, again, "the first time counts");
}

#[tokio::test]
async fn a_fenced_daemon_marks_and_counts_nothing() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    account.record(&[text(ANNA, "A", "one")]).await.unwrap();
    let id: i64 = database.one("SELECT id FROM messages", &[]).await;
    let stranger = PgChats::new(account.daemon.pool.clone(), Uuid::new_v4());
    let other_link = MessageLink { keyring: KeyringId(Uuid::new_v4()), ..account.link };
    for (store, link) in [(stranger, account.link), (chats(&account), other_link)] {
        assert_eq!(store.mark_as_read(&link, &[MessageId(id)]).await, Err(StoreError::Fenced));
        assert_eq!(store.begin_contact_checks(&link, &[phone(1)]).await, Err(StoreError::Fenced));
        assert_eq!(store.end_contact_checks(&link, &[answer(phone(1), None)]).await, Err(StoreError::Fenced));
    }
    assert_eq!(database.count("SELECT count(*) FROM messages WHERE read_at IS NOT NULL").await, 0);
    assert_eq!(database.count("SELECT count(*) FROM contact_checks").await, 0);
}

#[tokio::test]
async fn a_chat_by_number_is_found_by_the_lid_it_has() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    account.record(&[text(ANNA, "A", "one")]).await.unwrap();
    let number = party(ANNA).phone.unwrap();
    for (asked, known) in [
        (number.digits().to_owned(), ANNA.to_owned()),
        (ANNA.to_owned(), ANNA.to_owned()),
        (GROUP.to_owned(), GROUP.to_owned()),
        ("436609999999".to_owned(), "436609999999@s.whatsapp.net".to_owned()),
    ] {
        let chat = ChatJid::parse(&asked).unwrap();
        assert_eq!(chats(&account).jid_of(&account.link, &chat).await, Ok(known), "{asked}");
    }
}

#[tokio::test]
async fn what_was_asked_counts_with_and_without_an_answer() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let (store, link) = (chats(&account), account.link);
    let brazilian = Phone::from_digits("5511987654321").unwrap();
    store.begin_contact_checks(&link, &[phone(1), phone(2), brazilian.clone()]).await.unwrap();
    let checks = store.contact_checks(&link, &[phone(1)], &POLICY).await.unwrap();
    assert_eq!((checks.answers.len(), checks.asked.len()), (0, 3));
    let answers = [answer(phone(1), Some("1@lid")), answer(brazilian, None), answer(phone(9), None)];
    store.end_contact_checks(&link, &answers).await.unwrap();
    let other_spelling = Phone::from_digits("551187654321").unwrap();
    let checks = store.contact_checks(&link, &[phone(1), phone(2), other_spelling], &POLICY).await.unwrap();
    let mut found: Vec<Option<String>> = checks.answers.into_iter().map(|one| one.chat).collect();
    found.sort();
    assert_eq!(found, [None, Some("1@lid".to_owned())], "one without an answer, one found by its other spelling");
    // Asked again it is the same row, and its former answer stays until there is another.
    store.begin_contact_checks(&link, &[phone(1)]).await.unwrap();
    let checks = store.contact_checks(&link, &[phone(1)], &POLICY).await.unwrap();
    assert_eq!((checks.answers.len(), checks.asked.len()), (1, 3));
    database.web.execute("UPDATE contact_checks SET asked_at = now() - interval '25 hours'", &[]).await.unwrap();
    assert_eq!(store.contact_checks(&link, &[phone(1)], &POLICY).await.unwrap().asked, []);
    // A budget's worth is all that is looked at.
    let many: Vec<Phone> = (100..300).map(phone).collect();
    store.begin_contact_checks(&link, &many).await.unwrap();
    assert_eq!(store.contact_checks(&link, &[], &POLICY).await.unwrap().asked.len(), POLICY.budget);
}

#[tokio::test]
async fn checks_are_pruned_when_no_answer_counts_any_more() {
    let database = Database::new().await;
    let account = Linked::new(&database).await;
    let fill = "INSERT INTO contact_checks (account_id, phone, asked_at, checked_at, is_on_whatsapp)
                SELECT $1, 436601000000 + n, now() - make_interval(days => n), now() - make_interval(days => n), true
                FROM generate_series(1, 20) n";
    database.web.execute(fill, &[&account.record.id.0]).await.unwrap();
    let keep = Keep { events: POLICY.window, bodies: POLICY.window, commands: POLICY.window, audit: None };
    let pool = database.dsn.pool().unwrap();
    assert_eq!(once(&pool, keep, true).await.unwrap().contact_checks, 14);
    assert_eq!(database.count("SELECT count(*) FROM contact_checks").await, 20);
    assert_eq!(once(&pool, keep, false).await.unwrap().contact_checks, 14);
    let oldest: f64 =
        database.one("SELECT extract(epoch FROM max(now() - checked_at))::float8 FROM contact_checks", &[]).await;
    assert!(Duration::from_secs_f64(oldest) < POLICY.found_for, "{oldest}");
    database.web.execute("UPDATE whatsapp_accounts SET deleted_at = now()", &[]).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM contact_checks").await, 0);
}
