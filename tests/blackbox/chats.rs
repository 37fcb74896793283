//! sql/README.md, "Chats": read receipts and typing, on the other side's phone.

use paird_sandbox::{Fault, Naming, Scope, SharedGroup, ShownTyping, Writing};
use paird_testkit::{Logins, Stage, Web, Wire, until};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::command_line::command;

const NUMBER: &str = "436604000001";
const ANNA: &str = "436604000002";
const BERT: &str = "436604000003";
const GROUP: &str = "120363000000000088@g.us";
/// A piece of the statement that finds what a chat is called.
const FIND_CHAT: &str = "FROM find_chat(";

/// An account that others can write to.
async fn linked(stage: &Stage) -> Uuid {
    for number in [ANNA, BERT] {
        stage.phones.add(number).await;
    }
    stage.web.reachable_account("shop", NUMBER, &stage.phones).await
}

/// Somebody writes; the row's id once it is there.
async fn hears(stage: &Stage, account: Uuid, from: &str, to: &str, text: &str) -> i64 {
    stage.phones.send(from, Writing::text(to, text)).await;
    until(text, || async {
        let sql = "SELECT m.id FROM messages m JOIN message_bodies b ON b.message_id = m.id
                   WHERE m.account_id = $1 AND b.content #>> '{text,body}' = $2";
        stage.web.sql.query_opt(sql, &[&account, &text]).await.unwrap().map(|row| row.get(0))
    })
    .await
}

/// The texts of a phone that the account has read, as that phone shows it.
async fn ticked(stage: &Stage, number: &str) -> Vec<String> {
    let screen = stage.phones.screen(number).await;
    let is_read = |kind: &str, by: &str| kind == "read" && by == NUMBER;
    let read = screen.into_iter().filter(|shown| shown.receipts.iter().any(|one| is_read(&one.kind, &one.by)));
    read.filter_map(|shown| shown.text).collect()
}

/// How many read receipts a phone has had of the account.
async fn ticks(stage: &Stage, number: &str) -> usize {
    let screen = stage.phones.screen(number).await;
    let receipts = screen.iter().flat_map(|shown| &shown.receipts);
    receipts.filter(|receipt| receipt.kind == "read" && receipt.by == NUMBER).count()
}

async fn unmarked(stage: &Stage, account: Uuid) -> i64 {
    let sql = "SELECT count(*) FROM messages WHERE account_id = $1 AND direction = 'in' AND read_at IS NULL";
    stage.web.count(sql, &[&account]).await
}

fn up_to(chat: &str, id: i64) -> Value {
    json!({"chat": chat, "upTo": id})
}

/// Nobody ever looked available.
async fn silent(stage: &Stage) {
    let said = stage.phones.report().await.said;
    let loud: Vec<_> =
        said.iter().filter(|one| one.what.contains("<presence") && one.what.contains("\"available\"")).collect();
    assert!(loud.is_empty(), "{loud:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_read_up_to_a_message_and_no_further() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(hears(&stage, account, ANNA, NUMBER, text).await);
    }
    hears(&stage, account, BERT, NUMBER, "of another chat").await;
    let result = stage.web.does("chat.read", account, up_to("+43 660 4000002", ids[1])).await;
    assert_eq!(result, "2 messages were marked as read");
    assert_eq!(ticked(&stage, ANNA).await, ["one", "two"]);
    assert_eq!((ticked(&stage, BERT).await.len(), unmarked(&stage, account).await), (0, 2));
    // Again, and further: nothing is said twice.
    let result = stage.web.does("chat.read", account, up_to(ANNA, ids[1])).await;
    assert_eq!(result, "all of it was marked as read before");
    let chat: String =
        stage.web.sql.query_one("SELECT chat FROM messages WHERE id = $1", &[&ids[2]]).await.unwrap().get(0);
    assert!(chat.ends_with("@lid"), "{chat}");
    let result = stage.web.does("chat.read", account, up_to(&chat, ids[2])).await;
    assert_eq!(result, "1 message was marked as read");
    assert_eq!((ticks(&stage, ANNA).await, unmarked(&stage, account).await), (3, 1));
    silent(&stage).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_group_each_author_gets_the_receipts() {
    for naming in [Naming::Lid, Naming::Number] {
        let (stage, daemon) = Stage::with_daemon().await;
        let account = linked(&stage).await;
        let members = [NUMBER, ANNA, BERT].map(str::to_owned).to_vec();
        stage.phones.set_group(GROUP, SharedGroup { subject: "Crew".to_owned(), members, naming }).await;
        hears(&stage, account, ANNA, GROUP, "from Anna").await;
        hears(&stage, account, BERT, GROUP, "from Bert").await;
        let last = hears(&stage, account, ANNA, GROUP, "from Anna again").await;
        let result = stage.web.does("chat.read", account, up_to(GROUP, last)).await;
        assert_eq!(result, "3 messages were marked as read");
        until("receipts", || async {
            let anna = ticked(&stage, ANNA).await == ["from Anna", "from Anna again"];
            (anna && ticked(&stage, BERT).await == ["from Bert"]).then_some(())
        })
        .await;
        // As the group calls its members.
        let said = stage.phones.report().await.said;
        let receipts: Vec<_> = said.iter().filter(|one| one.what.contains("type=\"read\"")).collect();
        let wanted = if naming == Naming::Lid { "@lid" } else { "@s.whatsapp.net" };
        let names = |what: &str| {
            what.split("participant=\"")
                .nth(1)
                .is_some_and(|rest| rest.split('"').next().is_some_and(|jid| jid.ends_with(wanted)))
        };
        assert!(receipts.len() == 2 && receipts.iter().all(|one| names(&one.what)), "{naming:?}: {receipts:?}");
        stage.finish([daemon]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_messages_are_read_with_two_receipts() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let texts: Vec<String> = (0..300).map(|nth| format!("number {nth}")).collect();
    stage.phones.burst(ANNA, NUMBER, texts).await;
    let count = "SELECT count(*) FROM messages WHERE direction = 'in' AND state = 'received'";
    stage.web.count_becomes(count, 300).await;
    let last: i64 = stage.web.sql.query_one("SELECT max(id) FROM messages", &[]).await.unwrap().get(0);
    let result = stage.web.does("chat.read", account, up_to(ANNA, last)).await;
    assert_eq!((result.as_str(), ticks(&stage, ANNA).await), ("300 messages were marked as read", 300));
    let said = stage.phones.report().await.said;
    let receipts = said.iter().filter(|one| one.what.contains("type=\"read\"")).count();
    assert_eq!(receipts, 2, "WhatsApp takes 256 ids at once");
    stage.finish([daemon]).await;
}

/// Killed while this statement is on its way; how many receipts had left by then, and have at the end.
async fn killed_at(stuck: &'static str, receipts: [usize; 2]) {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    let id = hears(&stage, account, ANNA, NUMBER, "read across a kill").await;
    wire.jam(stuck);
    let command = stage.web.send("chat.read", account, up_to(ANNA, id)).await;
    wire.is_jammed(stuck, account).await;
    assert_eq!((ticks(&stage, ANNA).await, unmarked(&stage, account).await), (receipts[0], 1));
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    let outcome = stage.web.outcome(command).await;
    assert_eq!(outcome, ("done".to_owned(), "1 message was marked as read".to_owned()));
    assert_eq!((ticks(&stage, ANNA).await, unmarked(&stage, account).await), (receipts[1], 0));
    wire.let_go().await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_receipt_left_it_leaves_later() {
    killed_at("SELECT last.id, last.wa_id", [0, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_it_is_written_the_receipt_is_repeated() {
    killed_at("SET read_at = clock_timestamp()", [1, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_on_a_lost_connection_is_sent_on_the_next() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let id = hears(&stage, account, ANNA, NUMBER, "over two connections").await;
    // The ping behind the receipts is not answered, so nobody knows whether they arrived.
    stage.phones.fault(Fault::StallIqs { xmlns: Some("w:p".to_owned()) }).await;
    let command = stage.web.send("chat.read", account, up_to(ANNA, id)).await;
    until("a receipt", || async { (ticks(&stage, ANNA).await == 1).then_some(()) }).await;
    assert_eq!(unmarked(&stage, account).await, 1);
    stage.phones.clear_faults().await;
    stage.phones.fault(Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).await;
    assert_eq!(stage.web.outcome(command).await.0, "done");
    assert_eq!(unmarked(&stage, account).await, 0);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_shown_that_somebody_types() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    hears(&stage, account, ANNA, NUMBER, "are you there?").await;
    let members = [NUMBER, ANNA, BERT];
    stage.phones.set_shared_group(GROUP, "Crew", &members).await;
    for (chat, state) in [(ANNA, "composing"), (ANNA, "paused"), (ANNA, "recording"), (GROUP, "composing")] {
        let result = stage.web.does("chat.typing", account, json!({"chat": chat, "state": state})).await;
        assert_eq!(result, "sent");
    }
    let shown =
        |chat: &str, state: &str| ShownTyping { by: NUMBER.to_owned(), chat: chat.to_owned(), state: state.to_owned() };
    let wanted = vec![
        shown(NUMBER, "composing"),
        shown(NUMBER, "paused"),
        shown(NUMBER, "recording"),
        shown(GROUP, "composing"),
    ];
    until("all of it", || async { (stage.phones.typing(ANNA).await.len() == wanted.len()).then_some(()) }).await;
    assert_eq!(stage.phones.typing(ANNA).await, wanted);
    assert_eq!(stage.phones.typing(BERT).await, [shown(GROUP, "composing")]);
    assert_eq!(stage.phones.typing(NUMBER).await, []);
    silent(&stage).await;
    // The phone goes on ringing: its connection says what it said before.
    let said = stage.phones.report().await.said;
    let presences = said.iter().filter(|one| one.what.contains("<presence")).count();
    let unavailable = said.iter().filter(|one| one.what.contains("<presence") && one.what.contains("unavailable"));
    assert_eq!(unavailable.count(), presences, "{said:?}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_without_a_connection_fails_and_is_never_sent() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[]).await;
    let account = linked(&stage).await;
    let typing = json!({"chat": ANNA, "state": "composing"});
    stage.web.does("account.unpair", account, json!({})).await;
    let (state, result) = stage.web.ask("chat.typing", account, typing.clone()).await;
    assert_eq!((state.as_str(), result.as_str()), ("failed", "the account is not connected"));
    stage.web.event(account, "command.failed", 0).await;
    stage.web.does("account.resume", account, json!({})).await;
    stage.web.status_is(account, "connected").await;
    assert!(daemon.terminate().await.success());
    // Asked while no daemon runs, longer ago than it lives.
    let late = stage.web.send("chat.typing", account, typing).await;
    let aged = "UPDATE commands SET created_at = created_at - interval '11 seconds' WHERE id = $1";
    stage.web.sql.execute(aged, &[&late]).await.unwrap();
    let daemon = stage.daemon(&[]).await;
    let (state, result) = stage.web.outcome(late).await;
    assert!(
        state == "failed" && ["it came too late to be sent", "the account is not connected"].contains(&&*result),
        "{result}"
    );
    stage.web.status_is(account, "connected").await;
    let aged = stage.web.send("chat.typing", account, json!({"chat": BERT, "state": "composing"})).await;
    stage.web.outcome(aged).await;
    assert_eq!(stage.phones.typing(ANNA).await, []);
    stage.finish([daemon]).await;
}

/// The daemon learns what the chat is called only when the moment is over.
#[tokio::test(flavor = "multi_thread")]
async fn typing_that_is_held_up_is_never_sent() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let account = linked(&stage).await;
    wire.jam(FIND_CHAT);
    let command = until("a request that is held up", || async {
        let command = stage.web.send("chat.typing", account, json!({"chat": ANNA, "state": "composing"})).await;
        // On a busy machine it may be too late before.
        let over = format!("SELECT count(*) FROM commands WHERE id = {command} AND state = 'failed'");
        let is_known = || async { (wire.stuck() > 0 || stage.web.count(&over, &[]).await == 1).then_some(()) };
        until("held up or over", is_known).await;
        (wire.stuck() > 0).then_some(command)
    })
    .await;
    let outcome = stage.web.outcome(command).await;
    assert_eq!(outcome, ("failed".to_owned(), "WhatsApp did not answer in time".to_owned()));
    wire.let_go().await;
    // What leaves later leaves after it.
    stage.web.does("contact.check", account, json!({"phones": [BERT]})).await;
    assert_eq!(stage.phones.typing(ANNA).await, []);
    stage.finish([daemon]).await;
}

/// How often the account asked whether numbers are there.
async fn questions(stage: &Stage) -> usize {
    let asked = stage.phones.report().await.asked;
    asked.iter().filter(|one| one.from.starts_with(NUMBER) && one.what.contains(" contact")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_checked_once_and_the_answers_are_kept() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    let before = questions(&stage).await;
    let phones = json!({"phones": ["+43 660 4000002", "436604000099"]});
    assert_eq!(stage.web.does("contact.check", account, phones.clone()).await, "1 of 2 on WhatsApp");
    let told = stage.web.event(account, "contact.checked", 0).await;
    let contacts = told.payload["contacts"].as_array().unwrap();
    let of = |phone: &str| contacts.iter().find(|one| one["phone"] == phone).unwrap();
    assert_eq!(of("436604000099")["isOnWhatsapp"], false);
    assert_eq!(of("436604000099")["chat"], Value::Null);
    assert_eq!(of(ANNA)["isOnWhatsapp"], true);
    let chat = of(ANNA)["chat"].as_str().unwrap().to_owned();
    assert!(chat.ends_with("@lid"), "{chat}");
    let row = "SELECT chat FROM contact_checks WHERE account_id = $1 AND phone = $2 AND is_on_whatsapp";
    assert_eq!(stage.web.sql.query_one(row, &[&account, &ANNA]).await.unwrap().get::<_, String>(0), chat);
    let after = questions(&stage).await;
    assert_eq!(after, before + 1, "one question for all");
    // Across a restart, too.
    assert!(daemon.terminate().await.success());
    let daemon = stage.daemon(&[]).await;
    assert_eq!(stage.web.does("contact.check", account, phones).await, "1 of 2 on WhatsApp");
    assert_eq!(questions(&stage).await, after);
    // The LID is learnt: who writes by number alone is known by it.
    stage.phones.send(ANNA, Writing { naming: Naming::Number, ..Writing::text(NUMBER, "by number") }).await;
    let of_anna = "SELECT count(*) FROM messages WHERE chat = $1 AND direction = 'in'";
    until("the message", || async { (stage.web.count(of_anna, &[&chat]).await == 1).then_some(()) }).await;
    // What is out of date is asked again, first what was not there.
    let aged = "UPDATE contact_checks SET asked_at = asked_at - interval '25 hours', checked_at = checked_at - interval '25 hours'";
    stage.web.sql.execute(aged, &[]).await.unwrap();
    stage.phones.add("436604000099").await;
    let phones = json!({"phones": [ANNA, "436604000099"]});
    assert_eq!(stage.web.does("contact.check", account, phones).await, "2 of 2 on WhatsApp");
    assert_eq!(questions(&stage).await, after + 1);
    let of_now = "SELECT phone FROM contact_checks WHERE asked_at > clock_timestamp() - interval '1 hour'";
    let of_now: Vec<String> = stage.web.sql.query(of_now, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(of_now, ["436604000099"], "who was there is not asked for within a week");
    silent(&stage).await;
    stage.web.does("account.delete", account, json!({})).await;
    stage.web.count_becomes("SELECT count(*) FROM contact_checks", 0).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_asks_for_a_hundred_numbers_a_day() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let before = questions(&stage).await;
    let numbers =
        |from: usize, to: usize| -> Vec<String> { (from..to).map(|nth| format!("4366041{nth:05}")).collect() };
    for (from, to) in [(0, 50), (50, 99)] {
        let result = stage.web.does("contact.check", account, json!({"phones": numbers(from, to)})).await;
        assert!(result.starts_with("0 of"), "{result}");
    }
    let (state, result) = stage.web.ask("contact.check", account, json!({"phones": numbers(99, 101)})).await;
    assert!(state == "failed" && result.contains("as many numbers as it may in a day"), "{result}");
    // What is known costs nothing, and the one that is left may be asked for.
    stage.web.does("contact.check", account, json!({"phones": numbers(10, 30)})).await;
    stage.web.does("contact.check", account, json!({"phones": numbers(99, 100)})).await;
    let (state, _) = stage.web.ask("contact.check", account, json!({"phones": [ANNA]})).await;
    assert_eq!((state.as_str(), questions(&stage).await), ("failed", before + 3));
    // Not even by a new connection, or another daemon.
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    assert_eq!(stage.web.ask("contact.check", account, json!({"phones": [ANNA]})).await.0, "failed");
    assert_eq!(questions(&stage).await, before + 3);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_whatsapp_refuses_says_so_and_counts() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let phones = json!({"phones": [ANNA]});
    stage
        .phones
        .fault(Fault::RefuseIqs {
            xmlns: "usync".to_owned(),
            code: 429,
            text: "rate-overlimit".to_owned(),
            times: Some(1),
        })
        .await;
    let (state, result) = stage.web.ask("contact.check", account, phones.clone()).await;
    assert_eq!((state.as_str(), result.as_str()), ("failed", "WhatsApp did not say: error 429"));
    let open = "SELECT count(*) FROM contact_checks WHERE checked_at IS NULL";
    assert_eq!(stage.web.count(open, &[]).await, 1);
    stage.web.event(account, "command.failed", 0).await;
    // Never answered: it is given up in time, and the account works on.
    stage.phones.fault(Fault::StallIqs { xmlns: Some("usync".to_owned()) }).await;
    let (state, result) = stage.web.ask("contact.check", account, phones.clone()).await;
    assert_eq!((state.as_str(), result.as_str()), ("failed", "WhatsApp did not answer in time"));
    stage.phones.clear_faults().await;
    assert_eq!(stage.web.does("contact.check", account, phones).await, "1 of 1 on WhatsApp");
    assert_eq!(stage.web.status(account).await, "connected");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_chat_command_is_refused_by_field() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let id = hears(&stage, account, ANNA, NUMBER, "not yours").await;
    let long = "4".repeat(100_000);
    for (kind, args, field) in [
        ("chat.read", json!({}), "args.chat: must be a phone number"),
        ("chat.read", json!({"chat": null, "upTo": id}), "args.chat: must be a phone number"),
        ("chat.read", json!({"chat": [ANNA], "upTo": id}), "args.chat: must be a phone number"),
        ("chat.read", json!({"chat": long, "upTo": id}), "args.chat: must be a phone number"),
        ("chat.read", json!({"chat": "status@broadcast", "upTo": id}), "args.chat: must be a phone number"),
        ("chat.read", json!({"chat": ANNA, "upTo": -1}), "args.upTo: must be the id of a message"),
        ("chat.read", json!({"chat": ANNA, "upTo": 1e30}), "args.upTo: must be the id of a message"),
        ("chat.read", json!({"chat": ANNA, "upTo": id, "ids": [id]}), "args.ids: there is no such argument"),
        ("chat.read", json!([ANNA]), "args: must be an object"),
        ("contact.check", json!({}), "args.phones: must be a list of 1 to 50"),
        ("contact.check", json!({"phones": []}), "args.phones: must be a list of 1 to 50"),
        ("contact.check", json!({"phones": vec![ANNA; 51]}), "args.phones: must be a list of 1 to 50"),
        ("contact.check", json!({"phones": [ANNA, 7]}), "args.phones: must be a list of 1 to 50"),
        ("contact.check", json!({"phones": ["1@lid"]}), "args.phones: must be a list of 1 to 50"),
        ("contact.check", json!({"phones": ANNA}), "args.phones: must be a list of 1 to 50"),
        ("chat.typing", json!({"chat": ANNA}), "args.state: must be composing"),
        ("chat.typing", json!({"chat": ANNA, "state": ["paused"]}), "args.state: must be composing"),
        ("chat.typing", json!({"chat": ANNA, "state": "available"}), "args.state: must be composing"),
    ] {
        let sent = stage.web.sql.query_one("SELECT send_command($1, $2, $3)", &[&kind, &account, &args]).await;
        let refused = sent.unwrap_err();
        let said = refused.as_db_error().unwrap().message().to_owned();
        assert!(said.starts_with(field) && said.len() < 200, "{kind}: {said}");
    }
    // By NOTIFY it is a failed command.
    let raw = json!({"type": "chat.read", "accountId": account, "chat": "call me", "upTo": id}).to_string();
    stage.web.sql.execute("SELECT pg_notify('paird_command', $1)", &[&raw]).await.unwrap();
    stage.web.count_becomes("SELECT count(*) FROM commands WHERE source = 'notify' AND state = 'failed'", 1).await;
    // A message of another chat, or none.
    for (chat, id) in [(BERT, id), (ANNA, id + 1_000)] {
        let (state, result) = stage.web.ask("chat.read", account, up_to(chat, id)).await;
        assert_eq!((state.as_str(), result.as_str()), ("failed", "upTo: there is no such message in this chat"));
    }
    assert_eq!((ticks(&stage, ANNA).await, unmarked(&stage, account).await), (0, 1));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_login_reads_chats_of_its_own_operator_only() {
    let mut stage = Stage::empty().await;
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
    let daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
    let account = linked(&stage).await;
    let id = hears(&stage, account, ANNA, NUMBER, "whose is it?").await;
    let isolated = command(&stage).args(["migrate", "--roles", "--isolate"]).output().await.unwrap();
    assert!(isolated.status.success(), "{isolated:?}");
    let owner = std::mem::replace(&mut stage.web, Web::connect(&web_dsn).await);
    let stranger = format!("SET paird.operator = '{}'", Uuid::new_v4());
    stage.web.sql.batch_execute(&stranger).await.unwrap();
    for (kind, args) in [
        ("chat.read", up_to(ANNA, id)),
        ("chat.typing", json!({"chat": ANNA, "state": "composing"})),
        ("contact.check", json!({"phones": [ANNA]})),
    ] {
        let sent = stage.web.sql.query_one("SELECT send_command($1, $2, $3)", &[&kind, &account, &args]).await;
        assert!(sent.is_err(), "{kind} of another operator");
    }
    let operator: Uuid = owner
        .sql
        .query_one("SELECT operator_id FROM whatsapp_accounts WHERE id = $1", &[&account])
        .await
        .unwrap()
        .get(0);
    stage.web.sql.batch_execute(&format!("SET paird.operator = '{operator}'")).await.unwrap();
    let result = stage.web.does("chat.read", account, up_to(ANNA, id)).await;
    assert_eq!((result.as_str(), ticks(&stage, ANNA).await), ("1 message was marked as read", 1));
    let marked = "SELECT count(*) FROM messages WHERE read_at > now() - interval '5 minutes' AND direction = 'in'";
    assert_eq!(stage.web.count(marked, &[]).await, 1);
    let changed = stage.web.sql.execute("UPDATE messages SET read_at = NULL", &[]).await;
    assert!(changed.is_err(), "only the daemon marks");
    assert!(!daemon.log().contains("permission denied"), "{}", daemon.log());
    drop(owner);
    stage.finish([daemon]).await;
}
