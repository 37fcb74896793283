//! Rows and keys that cannot be read: held with a reason, once; resumed after repair, and
//! deleted like any other account.

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, until};
use serde_json::json;
use uuid::Uuid;

/// Invalid values, and the errors that name them.
const POISONS: [(&str, &str); 6] = [
    ("status = 'wat'", "unknown status \"wat\""),
    ("desired = 'wat'", "unknown desired \"wat\""),
    ("pair_method = 'code', pair_phone = NULL", "pair_phone is missing"),
    ("expect_phone = 'x'", "expect_phone"),
    ("last_phone_number = 'x'", "last_phone_number"),
    ("phone_number = '1' || right(phone_number, 2)", "phone_number"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_row_is_held_once_then_resumed_or_deleted() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let neighbour = web.connect_account("neighbour", "436609999999", &stage.phones).await;
    let mut accounts = Vec::new();
    for (nth, poison) in POISONS.iter().enumerate() {
        for (way, what) in ["resume", "delete"].into_iter().enumerate() {
            let number = format!("4366010000{nth}{way}");
            let account = web.connect_account(&format!("{what} {nth}"), &number, &stage.phones).await;
            let jid = stage.phones.devices(&number).await.remove(0).jid;
            accounts.push((account, what, poison, number, jid));
        }
    }
    assert!(daemon.terminate().await.success());
    let unchecked = "ALTER TABLE whatsapp_accounts DROP CONSTRAINT whatsapp_accounts_status_check,
        DROP CONSTRAINT whatsapp_accounts_desired_check";
    web.sql.batch_execute(unchecked).await.unwrap();
    for (account, _, (poison, _), ..) in &accounts {
        let sql = format!("UPDATE whatsapp_accounts SET {poison} WHERE id = $1");
        assert_eq!(web.sql.execute(&sql, &[account]).await.unwrap(), 1);
    }

    let daemon = stage.daemon(&[]).await;
    for (account, what, (poison, said), number, jid) in accounts {
        // The command makes the daemon read the row, and is done once the account is held.
        web.does("account.cancel", account, json!({})).await;
        let held = web.event(account, "session.held", 0).await;
        assert!(held.payload["reason"].as_str().unwrap().contains(said), "{poison}: {held:?}");
        assert_eq!(web.status(account).await, "held", "{poison}");
        let times = web.kinds(account).await.iter().filter(|kind| *kind == "session.held").count();
        assert_eq!(times, 1, "{poison}: told again and again");
        let audited = "SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.held'";
        assert_eq!(web.count(audited, &[&account]).await, 1, "{poison}");
        web.does(&format!("account.{what}"), account, json!({})).await;
        if what == "resume" {
            web.status_is(account, "connected").await;
            let [device] = &stage.phones.devices_are(&number, 1).await[..] else { panic!() };
            assert_eq!((device.jid.as_str(), device.connected), (jid.as_str(), true), "{poison}");
            assert_eq!(web.column::<Option<String>>(account, "phone_number").await, Some(number), "{poison}");
        } else {
            is_off_the_lists(&stage, account).await;
            web.event(account, "account.unlinked", 0).await;
            stage.phones.devices_are(&number, 0).await;
            assert_eq!(web.keys(account).await, (0, 0), "{poison}");
        }
    }
    web.status_is(neighbour, "connected").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_with_unreadable_keys_unlinks_once_they_open() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let number = "436601000001";
    let account = delete_unopenable(&stage, number).await;
    let (keyrings, credentials) = web.keys(account).await;
    assert!(keyrings == 1 && credentials > 0, "unreadable keys are kept, since they may be repaired");
    spoil(&stage, account).await;
    let now = "UPDATE unlink_tickets SET next_retry_at = clock_timestamp()";
    assert!(daemon.terminate().await.success());
    web.sql.execute(now, &[]).await.unwrap();
    let daemon = stage.daemon(&[]).await;
    web.event(account, "account.unlinked", 0).await;
    stage.phones.devices_are(number, 0).await;
    assert_eq!(web.keys(account).await, (0, 0));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlink_whose_keys_never_open_is_abandoned_and_audited() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let number = "436601000001";
    let account = delete_unopenable(&stage, number).await;
    assert!(daemon.terminate().await.success());
    let over = "UPDATE unlink_tickets SET abandon_at = clock_timestamp(), next_retry_at = clock_timestamp()";
    web.sql.execute(over, &[]).await.unwrap();
    let daemon = stage.daemon(&[]).await;
    let told = web.event(account, "account.unlink_abandoned", 0).await;
    let reason = told.payload["reason"].as_str().unwrap();
    assert!(reason.contains("authentication failed") && reason.contains("remove it on the phone"), "{reason}");
    let audited = "SELECT payload->>'raw' FROM audit_log WHERE target_id = $1 AND action = 'account.unlink_abandoned'";
    let audited: String = web.sql.query_one(audited, &[&account]).await.unwrap().get(0);
    assert_eq!(audited, reason);
    assert_eq!((web.keys(account).await, web.tickets(account).await), ((0, 0), 0));
    web.status_is(account, "unpaired").await;
    // The number can be linked again.
    let again = web.account("again").await;
    web.pair_with(again, number, &stage.phones).await;
    web.status_is(again, "connected").await;
    stage.finish([daemon]).await;
}

/// A deleted account whose device cannot be unlinked, since its keys were spoilt before.
async fn delete_unopenable(stage: &Stage, number: &str) -> Uuid {
    let web = &stage.web;
    let account = web.connect_account("spoilt", number, &stage.phones).await;
    spoil(stage, account).await;
    stage.phones.fault(paird_sandbox::Fault::Cut { scope: paird_sandbox::Scope::All }).await;
    web.status_is(account, "held").await;
    let result = web.does("account.delete", account, json!({})).await;
    assert_eq!(result, "deleted; the device is being removed from the phone");
    is_off_the_lists(stage, account).await;
    until("a try that failed for the keys", || async {
        let sql = "SELECT last_error FROM unlink_tickets WHERE account_id = $1 AND attempts > 0";
        let row = web.sql.query_opt(sql, &[&account]).await.unwrap()?;
        row.get::<_, String>(0).starts_with("keys_unusable").then_some(())
    })
    .await;
    account
}

/// Flips a bit of the account's wrapped key. A second call repairs it.
async fn spoil(stage: &Stage, account: Uuid) {
    let sql = "UPDATE keyrings SET wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1)
        WHERE account_id = $1";
    assert_eq!(stage.web.sql.execute(sql, &[&account]).await.unwrap(), 1);
}

async fn is_off_the_lists(stage: &Stage, account: Uuid) {
    let listed = "SELECT count(*) FROM whatsapp_accounts WHERE id = $1 AND deleted_at IS NULL";
    assert_eq!(stage.web.count(listed, &[&account]).await, 0);
}

/// One whose content this version does not know, in a row that cannot even be given back. The pace is one
/// at a time, so that a message that is taken again and again would take the place of every other.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_stops_no_other_chat() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (shop, anna, bert) = ("436602000011", "436602000012", "436602000013");
    for number in [anna, bert] {
        stage.phones.add(number).await;
    }
    let account = stage.web.reachable_account("shop", shop, &stage.phones).await;
    let unpaced = "UPDATE whatsapp_accounts SET send_rate = 1000, send_burst = 1, new_chats_per_day = NULL";
    stage.web.sql.batch_execute(unpaced).await.unwrap();
    let send = |to: &str, body: &str| {
        let content = json!({"to": to, "type": "text", "text": {"body": body}});
        format!("SELECT send_message('{account}', '{content}') AS id")
    };
    let poisoned = format!(
        "CREATE FUNCTION keep_it() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'this row is not given back'; END $$;
         BEGIN;
         {};
         UPDATE message_bodies SET content = '{{\"type\": \"text\", \"text\": {{\"body\": 7}}}}';
         CREATE TRIGGER keep_it BEFORE UPDATE ON messages FOR EACH ROW
             WHEN (OLD.chat_phone = '{anna}' AND NEW.state = 'queued') EXECUTE FUNCTION keep_it();
         COMMIT",
        send(anna, "unreadable")
    );
    stage.web.sql.batch_execute(&poisoned).await.unwrap();
    for nth in 1..=3 {
        stage.web.sql.query_one(&send(bert, &format!("number {nth}")), &[]).await.unwrap();
    }
    let arrived = format!("SELECT count(*) FROM messages WHERE chat_phone = '{bert}' AND state = 'delivered'");
    stage.web.count_becomes(&arrived, 3).await;
    // The next connection can give it back.
    stage.web.sql.batch_execute("DROP TRIGGER keep_it ON messages").await.unwrap();
    stage.phones.fault(Fault::Cut { scope: Scope::Number(shop.to_owned()) }).await;
    let waits =
        format!("SELECT count(*) FROM messages WHERE chat_phone = '{anna}' AND state = 'queued' AND attempt > 0");
    stage.web.count_becomes(&waits, 1).await;
    stage.finish([daemon]).await;
}
