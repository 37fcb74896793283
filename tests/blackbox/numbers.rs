//! Phone numbers as people write them, and as WhatsApp spells them: sql/README.md, "Pairing".

use paird_sandbox::Writing;
use paird_testkit::{Stage, Web, postgres, until};
use refinery::Target;
use serde_json::json;
use tokio_postgres::NoTls;
use uuid::Uuid;

mod migrations {
    refinery::embed_migrations!("sql/migrations");
}

/// A Brazilian mobile as WhatsApp knows it since before the ninth digit, and as people write it.
const OLD: &str = "551187654321";
const NEW: &str = "5511987654321";

#[tokio::test(flavor = "multi_thread")]
async fn the_expected_phone_is_accepted_however_it_is_spelt() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    for (nth, (number, expected)) in [
        (OLD, "+55 11 98765-4321"),
        ("5215512345678", "+52 55 1234 5678"),
        ("5491112345678", "\u{202a}+54 11 15\u{a0}1234\u{2011}5678\u{202c}"),
        ("442079460958", "+44 (0)20 7946 0958"),
        ("436601234567", "\u{ff0b}\u{ff14}\u{ff13} 0660/1234567"),
    ]
    .into_iter()
    .enumerate()
    {
        stage.phones.add(number).await;
        let account = web.account(&format!("account {nth}")).await;
        web.does("account.pair", account, json!({ "expectPhone": expected })).await;
        web.scan(account, number, &stage.phones).await;
        web.status_is(account, "connected").await;
        let connected = web.event(account, "session.connected", 0).await;
        assert_eq!(connected.payload, json!({ "phoneNumber": number }), "the number is shown in WhatsApp's spelling");
        assert_eq!(web.column::<Option<String>>(account, "phone_number").await.as_deref(), Some(number));
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_for_its_phone_however_the_number_is_spelt() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(OLD).await;
    let account = web.account("shop").await;
    let args = json!({"method": "code", "phone": "+55 11 8765-4321", "expectPhone": "+55 (0)11 98765-4321"});
    web.does("account.pair", account, args).await;
    let code = web.code(account).await;
    stage.phones.type_code(OLD, &code).await.unwrap();
    web.status_is(account, "connected").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_spelling_of_a_linked_number_is_a_duplicate() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let incumbent = web.connect_account("shop", OLD, &stage.phones).await;
    stage.phones.add(NEW).await;
    let newcomer = web.account("second shop").await;
    web.pair_with(newcomer, NEW, &stage.phones).await;
    let refused = web.event(newcomer, "session.duplicate", 0).await;
    assert_eq!(refused.payload, json!({"phoneNumber": NEW, "existingLabel": "shop"}));
    assert_eq!(stage.phones.devices(NEW).await, []);
    assert_eq!(web.status(incumbent).await, "connected");
    // Another operator may link the number, and so may another account once it is free.
    let theirs = web.account_of(Uuid::from_u128(2), "theirs").await;
    web.pair_with(theirs, NEW, &stage.phones).await;
    web.status_is(theirs, "connected").await;
    web.does("account.unpair", incumbent, json!({})).await;
    web.pair_with(newcomer, NEW, &stage.phones).await;
    web.status_is(newcomer, "connected").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_with_one_number_from_before_stay_linked() {
    let stage = Stage::empty().await;
    let server = stage.database.as_ref().unwrap();
    let dsn = server.create_database("before", None).await.unwrap();
    let (mut client, connection) = tokio_postgres::connect(&dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    migrations::migrations::runner().set_target(Target::Version(9)).run_async(&mut client).await.unwrap();
    let sql = "INSERT INTO whatsapp_accounts (operator_id, label, phone_number, status, status_reason, created_at)
               VALUES ($1, $2, $3, 'held', 'replaced', now() + $4 * interval '1 s') RETURNING id";
    let (ours, others) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut accounts = Vec::new();
    for (operator, label, number, at) in [
        (ours, "older", NEW, 1.0),
        (ours, "younger", OLD, 2.0),
        (others, "theirs", OLD, 3.0),
        (ours, "desk", "436601234567", 4.0),
    ] {
        let row = client.query_one(sql, &[&operator, &label, &number, &at]).await.unwrap();
        accounts.push(row.get::<_, Uuid>(0));
    }
    paird::postgres::migrate::migrate(&paird::postgres::pool::Dsn::parse(&dsn).unwrap()).await.unwrap();
    let web = Web::connect(&dsn).await;
    for (account, number) in accounts.iter().zip([NEW, OLD, OLD, "436601234567"]) {
        assert_eq!(web.column::<Option<String>>(*account, "phone_number").await.as_deref(), Some(number));
    }
    // Both can give the number up; then only one of them can get it.
    let set = "UPDATE whatsapp_accounts SET phone_number = $2 WHERE id = $1";
    for account in &accounts[..2] {
        client.execute(set, &[account, &None::<String>]).await.unwrap();
    }
    client.execute(set, &[&accounts[1], &OLD]).await.unwrap();
    let refused = client.execute(set, &[&accounts[0], &NEW]).await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("whatsapp_accounts_one_number"));
    drop((client, web));
    let Stage { database, dir, .. } = stage;
    database.unwrap().stop().await;
    postgres::remove(&dir);
}

/// People write the ninth digit; WhatsApp has known the phone since before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_the_other_spelling_arrives_in_one_chat() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let web = &stage.web;
    stage.phones.add(OLD).await;
    let account = web.reachable_account("shop", "436601000001", &stage.phones).await;
    let send = "SELECT send_message($1, $2)";
    let text = |to: &str, body: &str| json!({"to": to, "type": "text", "text": {"body": body}});
    for (to, body) in [("+55 11 98765-4321", "one"), ("+55 11 8765-4321", "two"), ("+55 11 98765-4321", "three")] {
        web.sql.query_one(send, &[&account, &text(to, body)]).await.unwrap();
        until(body, || async {
            let screen = stage.phones.screen(OLD).await;
            screen.iter().any(|message| message.text.as_deref() == Some(body)).then_some(())
        })
        .await;
        let delivered = "SELECT count(*) FROM messages m JOIN message_bodies b ON b.message_id = m.id
                         WHERE m.state = 'delivered' AND b.content #>> '{text,body}' = $1";
        until("delivered", || async { (web.count(delivered, &[&body]).await == 1).then_some(()) }).await;
    }
    stage.phones.send(OLD, Writing::text("436601000001", "an answer")).await;
    web.event(account, "message.received", 0).await;
    assert_eq!(web.count("SELECT count(DISTINCT chat) FROM messages", &[]).await, 1);
    assert_eq!(web.count("SELECT count(*) FROM contacts", &[]).await, 1);
    let known = "SELECT count(*) FROM messages m JOIN contacts c ON (c.jid, c.phone) = (m.chat, m.chat_phone)";
    assert_eq!(web.count(known, &[]).await, 4);
    assert_eq!(web.count("SELECT count(*) FROM messages WHERE chat_phone <> $1", &[&OLD]).await, 0);
    stage.finish([daemon]).await;
}
