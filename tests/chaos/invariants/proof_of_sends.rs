//! That each check of what is sent sees what it is for.

use paird_sandbox::{Naming, Reading, SharedGroup};
use paird_testkit::{Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    messages::NOTE_LINKS,
    proof::sees,
    sends::{self, NOTE_STEPS, SentMail},
};
use crate::{
    campaign::UNDER_WAY,
    script::{CONTACTS, READERS, contact, group, number},
    sends::{Asked, Noted, Sends},
};

async fn sends_to(stage: &Stage, noted: &mut Noted, account: Uuid, content: Value, says: &str) -> i64 {
    let sql = "SELECT send_message($1, $2)";
    let id = stage.web.sql.query_one(sql, &[&account, &content]).await.unwrap().get(0);
    let kind = ["text", "reaction"].into_iter().find(|kind| content["type"] == *kind).unwrap();
    let to = content["to"].as_str().unwrap().to_owned();
    noted.asked.insert(id, Asked { account, to, kind, says: says.to_owned(), expires: false });
    id
}

async fn texts(stage: &Stage, noted: &mut Noted, account: Uuid, to: &str, says: &str) -> i64 {
    sends_to(stage, noted, account, json!({"to": to, "type": "text", "text": {"body": says}}), says).await
}

/// A check that holds, and complains of an sent_mail that is broken so.
fn complains(
    sent_mail: &SentMail,
    what: &str,
    check: fn(&SentMail) -> Vec<String>,
    breaks: impl FnOnce(&mut SentMail),
) {
    assert_eq!(check(sent_mail), Vec::<String>::new(), "before: {what}");
    let mut broken = sent_mail.clone();
    breaks(&mut broken);
    let complaints = check(&broken);
    println!("{what}: {complaints:?}");
    assert!(!complaints.is_empty(), "nobody saw {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_complains_of_sent_messages_broken_by_hand() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.web.sql.batch_execute(NOTE_LINKS).await.unwrap();
    stage.web.sql.batch_execute(NOTE_STEPS).await.unwrap();
    Sends::begin(&stage).await;
    let phone = number(0);
    let account = stage.web.connect_account("desk", &phone, &stage.phones).await;
    let other = stage.web.account("other").await;
    stage.web.event(account, "groups.synced", 0).await;
    stage.phones.keys_told(&phone).await;
    let members = (0..CONTACTS).map(contact).chain([phone.clone()]).collect();
    let choir = SharedGroup { subject: "a choir".to_owned(), members, naming: Naming::Lid };
    stage.phones.set_group(&group(0), choir).await;

    let reader = contact(READERS - 1);
    let mut noted = Noted::default();
    let first = texts(&stage, &mut noted, account, &reader, "one of two texts").await;
    let second = texts(&stage, &mut noted, account, &reader, "two of two texts").await;
    texts(&stage, &mut noted, account, &group(0), "to all of a choir").await;
    let reaction = json!({"to": reader, "type": "reaction", "reaction": {"messageId": first, "emoji": "👍"}});
    sends_to(&stage, &mut noted, account, reaction, "👍").await;
    stage.web.count_becomes("SELECT count(*) FROM messages WHERE state = 'delivered'", 4).await;
    let later = "SELECT send_message($1, $2, NULL, clock_timestamp() + interval '1 hour')";
    let content = json!({"to": reader, "type": "text", "text": {"body": "never mind"}});
    let later: i64 = stage.web.sql.query_one(later, &[&account, &content]).await.unwrap().get(0);
    let asked = Asked { account, to: reader.clone(), kind: "text", says: "never mind".to_owned(), expires: false };
    noted.asked.insert(later, asked);
    assert!(stage.web.sql.query_one("SELECT cancel_message($1)", &[&later]).await.unwrap().get::<_, bool>(0));
    noted.cancelled.insert(later);

    let wa_id: String =
        stage.web.sql.query_one("SELECT wa_id FROM messages WHERE id = $1", &[&first]).await.unwrap().get(0);
    let cancelled: String =
        stage.web.sql.query_one("SELECT wa_id FROM messages WHERE id = $1", &[&later]).await.unwrap().get(0);
    let reading =
        Reading { chat: phone, ids: vec![wa_id.clone()], played: false, device: 0, naming: Naming::default() };
    stage.phones.read(&reader, reading).await.unwrap();
    noted.read.insert(wa_id.clone());
    stage.web.count_becomes("SELECT count(*) FROM messages WHERE state = 'read'", 1).await;
    // Every member's screen.
    until("all of the choir have it", || async {
        SentMail::of(&stage, noted.clone()).await.0.not_shown().is_empty().then_some(())
    })
    .await;
    let (sent_mail, counts) = SentMail::of(&stage, noted.clone()).await;
    assert_eq!((counts.sent, counts.delivered, counts.read, counts.cancelled, counts.to_groups), (4, 3, 1, 1, 1));

    let of_reader = |sent_mail: &mut SentMail, change: &dyn Fn(&mut Vec<paird_sandbox::ShownMessage>)| {
        change(sent_mail.screens.get_mut(&reader).unwrap());
    };
    complains(&sent_mail, "a message that is nowhere", SentMail::not_shown, |broken| {
        of_reader(broken, &|screen| drop(screen.remove(1)));
    });
    complains(&sent_mail, "a message that a member lacks", SentMail::not_shown, |broken| {
        broken.screens.get_mut(&contact(0)).unwrap().clear();
    });
    complains(&sent_mail, "a message that is shown twice", SentMail::shown_twice, |broken| {
        of_reader(broken, &|screen| screen.push(screen[0].clone()));
    });
    complains(&sent_mail, "a text under two ids", SentMail::shown_twice, |broken| {
        of_reader(broken, &|screen| {
            let first = screen[0].text.clone();
            screen[1].text = first;
        });
    });
    complains(&sent_mail, "another content that came later", SentMail::shown_twice, |broken| {
        of_reader(broken, &|screen| screen[0].deviations = 1);
    });
    complains(&sent_mail, "two secrets of a message", SentMail::shown_twice, |broken| {
        broken.screens.get_mut(&contact(0)).unwrap()[0].secret = Some("00".to_owned());
    });
    complains(&sent_mail, "another text", SentMail::shown_wrongly, |broken| {
        of_reader(broken, &|screen| screen[0].text = Some("else".to_owned()));
    });
    complains(&sent_mail, "another target", SentMail::shown_wrongly, |broken| {
        of_reader(broken, &|screen| screen.last_mut().unwrap().refers_to = Some("X".to_owned()));
    });
    complains(&sent_mail, "what nobody sent", SentMail::shown_wrongly, |broken| {
        of_reader(broken, &|screen| screen[0].id = "X".to_owned());
    });
    complains(&sent_mail, "a message for somebody else", SentMail::shown_wrongly, |broken| {
        let all = broken.screens[&reader].clone();
        broken.screens.get_mut(&contact(1)).unwrap().extend(all);
    });
    complains(&sent_mail, "what was cancelled", SentMail::shown_wrongly, |broken| {
        of_reader(broken, &|screen| screen[0].id.clone_from(&cancelled));
    });
    complains(&sent_mail, "what is queued and shown", SentMail::shown_wrongly, |broken| {
        broken.rows.get_mut(&wa_id).unwrap().state = "queued".to_owned();
    });
    complains(&sent_mail, "a device of another account", SentMail::shown_wrongly, |broken| {
        broken.links.values_mut().for_each(|link| link.account = other);
    });
    complains(&sent_mail, "the wrong order", SentMail::out_of_order, |broken| {
        of_reader(broken, &|screen| screen.swap(0, 1));
    });
    complains(&sent_mail, "a row that is gone", SentMail::not_asked, |broken| drop(broken.rows.remove(&wa_id)));
    complains(&sent_mail, "a row of nobody", SentMail::not_asked, |broken| drop(broken.noted.asked.remove(&second)));
    complains(&sent_mail, "a cancelled one that was sent", SentMail::not_ended, |broken| {
        broken.noted.cancelled.insert(second);
    });
    complains(&sent_mail, "one that nobody has read", SentMail::not_received, |broken| broken.noted.read.clear());
    complains(&sent_mail, "one that nobody has", SentMail::not_received, |broken| broken.screens.clear());
    complains(&sent_mail, "one that cannot be read", SentMail::not_read, |broken| {
        of_reader(broken, &|screen| screen[0].arrivals = 0);
    });

    let of = |check: fn(&SentMail) -> Vec<String>| {
        let noted = noted.clone();
        move |stage| {
            let noted = noted.clone();
            async move { check(&SentMail::of(stage, noted).await.0) }
        }
    };
    let row = format!("id = {second}");
    for (what, change) in [
        ("one that is queued for ever", "state = 'queued'"),
        ("one that is on its way for ever", "state = 'sending'"),
        ("one that expired although it could not", "state = 'expired'"),
        ("one that failed for nothing", "state = 'failed', reason = 'no_ack'"),
        ("one that was refused for nothing", "state = 'failed', reason = 'refused', code = 403"),
        ("one without a reader at the first try", "state = 'failed', reason = 'no_recipient_device'"),
        ("one without a target that is there", "state = 'failed', reason = 'target_missing'"),
        ("one that nobody cancelled", "state = 'cancelled'"),
    ] {
        sees(&stage, what, of(SentMail::not_ended), &format!("UPDATE messages SET {change} WHERE {row}")).await;
    }
    let event = format!("kind = 'message.delivered' AND payload->>'messageId' = '{second}'");
    for (what, breaking) in [
        ("a step that is not told", format!("DELETE FROM events WHERE {event}")),
        (
            "a step that is told twice",
            format!(
                "INSERT INTO events (account_id, seq, kind, payload) SELECT account_id, 99, kind, payload FROM events WHERE {event}"
            ),
        ),
        ("the end of one that did not fail", format!("UPDATE events SET kind = 'message.failed' WHERE {event}")),
    ] {
        sees(&stage, what, of(SentMail::not_told_once), &breaking).await;
    }
    for (what, change) in [
        ("a step back", "state = 'sent'"),
        ("an end that ends", "state = 'queued'"),
        ("another id", "wa_id = 'X'"),
        ("another time of a receipt", "delivered_at = now()"),
    ] {
        sees(&stage, what, sends::stepped_back, &format!("UPDATE messages SET {change} WHERE {row}")).await;
    }
    // An owner that was held up takes its accounts again, or another does: that is under way.
    let pids = [daemon.pid()];
    let waits = |stage| waits_for(stage, &pids);
    until("nothing is under way", || async { waits(&stage).await.is_empty().then_some(()) }).await;
    sees(&stage, "a lease that has lapsed", waits, "UPDATE processes SET expires_at = now() - interval '1 s'").await;
    sees(&stage, "a message to be sent", waits, &format!("UPDATE messages SET state = 'queued' WHERE {row}")).await;
    stage.finish([daemon]).await;
}

async fn waits_for(stage: &Stage, pids: &[i32]) -> Vec<String> {
    let left = stage.web.sql.query(UNDER_WAY, &[&pids]).await.unwrap();
    left.iter().map(|row| row.get(0)).collect()
}
