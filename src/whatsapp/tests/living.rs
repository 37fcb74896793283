use paird_actors::{
    domain::{CloseReason, Group, KeyringId, Purpose, SessionEvent, StoreError},
    ports::Session,
};

use super::{
    super::WebVersion,
    bench::{Bench, NUMBER, VersionInMemory, open, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_those_of_the_phone() {
    let bench = Bench::start().await;
    let groups = vec![
        paird_sandbox::Group {
            jid: "120363000000000001@g.us".into(),
            subject: "By number".into(),
            participants: 3,
            is_admin: true,
            by_lid: false,
        },
        paird_sandbox::Group {
            jid: "120363000000000002@g.us".into(),
            subject: "By LID".into(),
            participants: 2,
            is_admin: true,
            by_lid: true,
        },
        paird_sandbox::Group {
            jid: "120363000000000003@g.us".into(),
            subject: "Member".into(),
            participants: 4,
            is_admin: false,
            by_lid: true,
        },
    ];
    let wanted: Vec<Group> = groups
        .iter()
        .map(|group| Group {
            jid: group.jid.clone(),
            subject: group.subject.clone(),
            participants: group.participants,
            is_admin: group.is_admin,
        })
        .collect();
    bench.ask(move |phone| phone.set_groups(NUMBER, &groups)).await.unwrap();
    let session = bench.linked().await;
    let mut listed = session.groups().await.unwrap();
    listed.sort_by(|a, b| a.jid.cmp(&b.jid));
    assert_eq!(listed, wanted);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_session_opens_again_with_its_keys() {
    let bench = Bench::start().await;
    let first = bench.linked().await;
    first.close().await;
    for _ in 0..3 {
        let again = bench.open(first.keyring, Purpose::Login).await;
        let open = again.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
        assert!(matches!(open, SessionEvent::Open { phone: Some(phone), .. } if phone.digits() == NUMBER));
        again.close().await;
        again.is_gone().await;
    }
    assert_eq!(bench.devices().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_not_there_are_an_error_and_never_a_new_device() {
    let bench = Bench::start().await;
    let missing = open(&bench.gateway, KeyringId(uuid::Uuid::new_v4()), Purpose::Login).await;
    assert!(matches!(missing, Err(StoreError::Poisoned(_))));
}

/// The library's own memory of them has no limit.
#[tokio::test(flavor = "multi_thread")]
async fn lids_are_remembered_with_the_keys_and_not_by_the_library() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    let lids = bench.keyrings.lids.clone();
    until("the LID of the own number", || lids.of(NUMBER).is_some_and(|entry| entry.contains(NUMBER))).await;
    let client = session.client().upgrade().unwrap();
    let report = client.memory_report().await;
    assert_eq!((report.lid_pn_lid_entries.entries, report.lid_pn_pn_entries.entries), (0, 0));
    drop(client);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_label_is_the_one_that_the_phone_lists() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    assert_eq!(bench.devices().await[0].label, "paird test");
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_understood_all_that_was_sent() {
    let bench = Bench::start().await;
    let session = bench.linked().await;
    session.groups().await.unwrap();
    session.unlink().await;
    session.close().await;
    let report = bench.ask(|phone| phone.report()).await.unwrap();
    assert!(report.violations.is_empty(), "{report:?}");
    drop(bench.sandbox);
}

/// What each connection claimed to be, oldest first.
async fn claimed(bench: &Bench) -> Vec<String> {
    let report = bench.ask(|phone| phone.report()).await.unwrap();
    report.versions.into_iter().map(|claimed| claimed.what).collect()
}

fn text((major, minor, revision): WebVersion) -> String {
    format!("{major}.{minor}.{revision}")
}

/// Newer than what is built in; another daemon has logged in with it.
const NEWER: WebVersion = (2, 3000, 1_900_000_000);

/// The page of versions cannot be fetched here: a build for the sandbox asks this machine alone.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_version_lookup_the_last_good_version_is_used() {
    let bench = Bench::start().await;
    let linked = bench.linked().await;
    let keyring = linked.keyring;
    linked.close().await;
    let gateway = bench.gateway.clone().with_lookup(VersionInMemory::of(Some(NEWER)));
    let login = open(&gateway, keyring, Purpose::Login).await.unwrap();
    login.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    login.close().await;
    assert_eq!(claimed(&bench).await.last(), Some(&text(NEWER)), "whatever this device had used");
    let pairing = open(&gateway, KeyringId(uuid::Uuid::new_v4()), Purpose::Pair { code_for: None }).await.unwrap();
    assert!(pairing.qr().await.starts_with("2@"));
    pairing.close().await;
    assert_eq!(claimed(&bench).await.last(), Some(&text(NEWER)), "a new device, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_kept_once_it_worked_and_left_when_refused() {
    let bench = Bench::start().await;
    let linked = bench.linked().await;
    let keyring = linked.keyring;
    linked.close().await;
    let kept = VersionInMemory::of(Some(NEWER));
    let gateway = bench.gateway.clone().with_lookup(kept.clone());
    let outdated = paird_sandbox::Fault::Outdated { below: (2, 3000, NEWER.2 + 1) };
    bench.ask(move |phone| phone.fault(&outdated)).await.unwrap();
    let refused = open(&gateway, keyring, Purpose::Login).await.unwrap();
    assert!(matches!(refused.end().await, CloseReason::ClientOutdated(_)));
    assert_eq!((claimed(&bench).await.last(), kept.now()), (Some(&text(NEWER)), Some(NEWER)));
    bench.ask(|phone| phone.clear_faults()).await.unwrap();

    // A pairing is never left to others to find out.
    let pairing = open(&gateway, KeyringId(uuid::Uuid::new_v4()), Purpose::Pair { code_for: None }).await.unwrap();
    pairing.qr().await;
    pairing.close().await;
    let other = claimed(&bench).await.pop().unwrap();
    assert_ne!(other, text(NEWER), "what was refused is not claimed again");
    assert_eq!(kept.now(), Some(NEWER), "a QR proves nothing");

    let login = open(&gateway, keyring, Purpose::Login).await.unwrap();
    login.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    login.close().await;
    until("the version that worked is kept", || kept.now().map(text) == Some(other.clone())).await;
}
