//! An account's groups follow WhatsApp: after its notifications, and by a periodic refresh.

use std::time::Duration;

use futures_util::future::join_all;
use paird_sandbox::{Group, Stanza};
use paird_testkit::{Phones, Stage, Web, until, until_within};
use uuid::Uuid;

const NUMBER: &str = "436602100001";

fn group(nth: usize, subject: &str) -> Group {
    Group {
        jid: format!("1203630000002{nth:05}@g.us"),
        subject: subject.to_owned(),
        participants: 3,
        is_admin: false,
        by_lid: false,
    }
}

/// What WhatsApp tells the members of a group.
fn told(nth: u64, group: &Group, change: Stanza) -> Stanza {
    Stanza::new("notification")
        .attr("from", &group.jid)
        .attr("type", "w:gp2")
        .attr("id", format!("change-{nth}"))
        .attr("t", 1_700_000_000)
        .attr("participant", "99900000001@s.whatsapp.net")
        .child(change)
}

async fn subjects(web: &Web, account: Uuid) -> Vec<String> {
    let sql = "SELECT subject FROM whatsapp_groups WHERE account_id = $1 ORDER BY jid";
    web.sql.query(sql, &[&account]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn knows(web: &Web, account: Uuid, wanted: &[&str]) {
    until(&format!("groups {wanted:?}"), || async { (subjects(web, account).await == wanted).then_some(()) }).await;
}

/// How often a device of the number asked for its groups.
async fn looks(phones: &Phones, number: &str) -> usize {
    let asked = phones.report().await.asked;
    asked.iter().filter(|query| query.from.starts_with(number) && query.what == "w:g2 participating").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_group_is_known_within_a_minute() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    let member = || Stanza::new("participant").attr("jid", "99900000002@s.whatsapp.net");
    let changes = [
        Stanza::new("subject").attr("subject", "after").attr("s_t", 1_700_000_000),
        Stanza::new("create").attr("type", "new").child(Stanza::new("group").attr("id", "120363000000299999")),
        Stanza::new("add").child(member()),
        Stanza::new("remove").child(member()),
        Stanza::new("delete"),
        Stanza::new("unheard").child(Stanza::new("deeper").bytes(&[0xff, 0])),
    ];
    join_all(changes.into_iter().zip(0..).map(|(change, nth)| async move {
        let number = format!("43660210010{nth}");
        phones.add(&number).await;
        phones.set_groups(&number, &[group(nth, "before"), group(50 + nth, "left")]).await;
        let account = web.connect_account(&format!("desk {nth}"), &number, phones).await;
        let seq = web.event(account, "groups.synced", 0).await.seq;
        assert_eq!(subjects(web, account).await, ["before", "left"]);
        phones.set_groups(&number, &[group(nth, "after"), group(90 + nth, "new")]).await;
        phones.say(&number, &told(nth as u64, &group(nth, ""), change)).await;
        knows(web, account, &["after", "new"]).await;
        let again = web.event(account, "groups.synced", seq).await;
        assert_eq!(again.payload["count"], 2);
        assert!(!web.kinds(account).await.contains(&"session.disconnected".to_owned()));
    }))
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_changes_are_one_question() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    phones.add(NUMBER).await;
    phones.set_groups(NUMBER, &[group(0, "before")]).await;
    let account = web.connect_account("desk", NUMBER, phones).await;
    web.event(account, "groups.synced", 0).await;
    let before = looks(phones, NUMBER).await;
    for nth in 0..100 {
        let subject = format!("name {nth}");
        phones.set_groups(NUMBER, &[group(0, &subject)]).await;
        let change = Stanza::new("subject").attr("subject", &subject);
        phones.say(NUMBER, &told(nth, &group(0, ""), change)).await;
    }
    knows(web, account, &["name 99"]).await;
    assert_eq!(looks(phones, NUMBER).await - before, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_left_unseen_come_with_the_slow_refresh() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_GROUPS_REFRESH", "5s")]).await;
    let (web, phones) = (&stage.web, &stage.phones);
    phones.add(NUMBER).await;
    phones.set_groups(NUMBER, &[group(0, "one"), group(1, "two")]).await;
    let account = web.connect_account("desk", NUMBER, phones).await;
    let seq = web.event(account, "groups.synced", 0).await.seq;
    // A change without a notification.
    phones.set_groups(NUMBER, &[group(0, "one"), group(2, "three")]).await;
    knows(web, account, &["one", "three"]).await;
    let told = web.event(account, "groups.synced", seq).await.seq;
    let synced = "SELECT groups_synced_at FROM whatsapp_accounts WHERE id = $1";
    let synced_at =
        || async { web.sql.query_one(synced, &[&account]).await.unwrap().get::<_, chrono::DateTime<chrono::Utc>>(0) };
    let (before, looked) = (synced_at().await, looks(phones, NUMBER).await);
    until_within(Duration::from_secs(30), "three looks that find nothing new", || async {
        (looks(phones, NUMBER).await >= looked + 3).then_some(())
    })
    .await;
    assert!(synced_at().await > before, "groups_synced_at is newer");
    assert_eq!(web.seq(account).await, told, "unchanged groups cause no event");
    stage.finish([daemon]).await;
}
