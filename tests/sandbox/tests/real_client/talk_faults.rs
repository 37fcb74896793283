//! Faults of messages, as the unmodified client experiences them.

use std::time::Instant;

use paird_sandbox::{
    AgainFault, DeliveryFault, Fault, MessageFault, Naming, PrekeyFault, Reading, ReceiptFault, ShownMessage, Writing,
};
use wacore::types::events::Event;
use wacore::types::presence::ReceiptType;
use whatsapp_rust::{Jid, NodeFilter};

use crate::companion::{Companion, DEADLINE, NUMBER, OTHER_NUMBER, Stage, eventually, text_message};
use crate::repairs::said;
use crate::talking::chat;

fn other() -> Jid {
    Jid::pn(OTHER_NUMBER)
}

fn message(how: MessageFault) -> Fault {
    Fault::Message { how, number: Some(NUMBER.to_owned()), times: Some(1) }
}

/// The id of the next message whose acknowledgement the client reports.
async fn next_acknowledged(companion: &Companion) -> String {
    let pick = |event: &Event| {
        let Event::ServerAck(ack) = event else { return None };
        (ack.class.as_deref() == Some("message")).then(|| ack.id.clone())
    };
    companion.event("acknowledgement", pick).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_is_reported_by_code_and_not_shown() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    for code in [463, 479, 503] {
        stage.remote.fault(&message(MessageFault::Nack(code))).unwrap();
        let refused = companion.sends(&other(), &format!("3EB0{code}"), "no").await;
        assert_eq!(refused, Some(code.to_string()));
    }
    assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER), []);
    assert_eq!(companion.sends(&other(), "3EB0AA", "yes").await, None);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_and_a_lost_message_look_alike() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    for (how, shown) in [(MessageFault::AckLost, 1), (MessageFault::Lost, 0)] {
        let id = format!("3EB0{shown}");
        stage.remote.fault(&message(how)).unwrap();
        companion.sends_unacknowledged(&other(), &id, "hello?").await;
        // The server acknowledges in the order in which it gets messages.
        for later in ["A", "B"].map(|nth| format!("{id}{nth}")) {
            companion.sends_unacknowledged(&other(), &later, "still there?").await;
            assert_eq!(next_acknowledged(&companion).await, later);
        }
        let of_this_id = chat(&stage, OTHER_NUMBER, 0, NUMBER).into_iter().filter(|entry| entry.id == id);
        assert_eq!(of_this_id.count(), shown);
    }
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_acknowledgement_comes_late() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    stage.remote.fault(&message(MessageFault::AckAfterMs(700))).unwrap();
    let begun = Instant::now();
    assert_eq!(companion.sends(&other(), "3EB0AA", "slow").await, None);
    assert!(begun.elapsed().as_millis() >= 700);
    assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_again_is_shown_once_with_its_first_text() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    for text in ["first", "second"] {
        assert_eq!(companion.sends(&other(), "3EB0AA", text).await, None);
    }
    for (number, with) in [(OTHER_NUMBER, NUMBER), (NUMBER, OTHER_NUMBER)] {
        let shown = chat(&stage, number, 0, with);
        let [only] = shown.as_slice() else { panic!("{shown:?}") };
        assert_eq!((only.text.as_deref(), only.arrivals), (Some("first"), 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_delivers_to_none_half_or_all_devices() {
    for (how, contact, own_phone) in
        [(MessageFault::CutBefore, 0, 0), (MessageFault::CutBetween, 1, 0), (MessageFault::CutAfter, 1, 1)]
    {
        let stage = Stage::set().await;
        let companion = stage.ready().await;
        assert_eq!(companion.sends(&other(), "3EB000", "warm").await, None);
        stage.remote.fault(&message(how)).unwrap();
        let logins = stage.report().logins;
        companion.sends_unacknowledged(&other(), "3EB0AA", "cut").await;
        eventually("back", || stage.report().logins > logins).await;
        let seen = |number, with| chat(&stage, number, 0, with).iter().filter(|shown| shown.id == "3EB0AA").count();
        assert_eq!((seen(OTHER_NUMBER, NUMBER), seen(NUMBER, OTHER_NUMBER)), (contact, own_phone), "{how:?}");
        companion.until("logged in", |client| client.is_logged_in()).await;
        assert_eq!(companion.sends(&other(), "3EB0AA", "cut").await, None);
        assert_eq!((seen(OTHER_NUMBER, NUMBER), seen(NUMBER, OTHER_NUMBER)), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_message_reaches_the_own_phone_alone() {
    for how in [PrekeyFault::Missing(406), PrekeyFault::Missing(503), PrekeyFault::LeftOut] {
        let stage = Stage::set().await;
        let companion = stage.ready().await;
        let none = Fault::Prekeys { how, number: Some(OTHER_NUMBER.to_owned()), times: None };
        stage.remote.fault(&none).unwrap();
        let sent = companion.client.wait_for_sent_node(NodeFilter::tag("message").attr("id", "3EB0AA"));
        assert_eq!(companion.sends(&other(), "3EB0AA", "unreadable").await, None, "acknowledged all the same");
        let sent = sent.await.unwrap();
        let devices = sent.get_optional_child("participants").unwrap().children().unwrap().len();
        assert_eq!((devices, chat(&stage, OTHER_NUMBER, 0, NUMBER)), (1, vec![]), "{how:?}");
        assert_eq!(chat(&stage, NUMBER, 0, OTHER_NUMBER).len(), 1);
        stage.remote.clear_faults().unwrap();
        assert_eq!(companion.sends(&other(), "3EB0AA", "unreadable").await, None);
        assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER).len(), 1, "repaired under the same id");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_question_for_keys_fails_the_call() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let refused = Fault::Prekeys { how: PrekeyFault::Refused(503), number: Some(OTHER_NUMBER.to_owned()), times: None };
    stage.remote.fault(&refused).unwrap();
    companion.client.send_message(other(), text_message("not sent")).await.unwrap_err();
    assert_eq!((chat(&stage, OTHER_NUMBER, 0, NUMBER), chat(&stage, NUMBER, 0, OTHER_NUMBER)), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signed_key_alone_begins_a_session() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let signed = Fault::Prekeys { how: PrekeyFault::SignedOnly, number: None, times: None };
    stage.remote.fault(&signed).unwrap();
    assert_eq!(companion.sends(&other(), "3EB0AA", "readable").await, None);
    assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER)[0].text.as_deref(), Some("readable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_companion_gets_the_message_after_the_next() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    assert_eq!(companion.sends(&other(), "3EB0A0", "before").await, None);
    let late = stage.remote.add_companion(OTHER_NUMBER).unwrap();
    assert_eq!(companion.sends(&other(), "3EB0A1", "missed").await, None);
    // The hash in the acknowledgement shows the client that its list is outdated. It forgets the list
    // a moment after it has reported the acknowledgement.
    let deadline = Instant::now() + DEADLINE;
    let mut sent = vec!["3EB0A0".to_owned(), "3EB0A1".to_owned()];
    let seen = loop {
        assert!(Instant::now() < deadline, "the companion gets none of {sent:?}");
        sent.push(format!("3EB0B{}", sent.len()));
        assert_eq!(companion.sends(&other(), &sent[sent.len() - 1], "seen").await, None);
        let shown = chat(&stage, OTHER_NUMBER, late, NUMBER);
        if !shown.is_empty() {
            break shown;
        }
    };
    let ids = |shown: &[ShownMessage]| shown.iter().map(|shown| shown.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&seen), sent[sent.len() - 1..]);
    assert_eq!(ids(&chat(&stage, OTHER_NUMBER, 0, NUMBER)), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_list_of_devices_names_the_phone_alone() {
    let stage = Stage::set().await;
    let theirs = stage.remote.add_companion(OTHER_NUMBER).unwrap();
    let companion = stage.ready().await;
    let stale = Fault::StaleDevices { number: Some(OTHER_NUMBER.to_owned()), times: None };
    stage.remote.fault(&stale).unwrap();
    assert_eq!(companion.sends(&other(), "3EB0AA", "only the phone").await, None);
    assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER).len(), 1);
    assert_eq!(chat(&stage, OTHER_NUMBER, theirs, NUMBER), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_ciphertext_is_delivered_once() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    for fault in [
        Fault::Again { how: AgainFault::Same, number: None, times: Some(1) },
        Fault::Delivery { how: DeliveryFault::Twice, number: None, times: Some(1) },
    ] {
        stage.remote.fault(&fault).unwrap();
        stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "once")).unwrap();
        assert_eq!(companion.told(1).await.len(), 1);
    }
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reencrypted_id_is_delivered_twice() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    stage.remote.fault(&Fault::Again { how: AgainFault::Anew, number: None, times: Some(1) }).unwrap();
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "twice")).unwrap();
    let told = companion.told(2).await;
    assert_eq!((told.len(), &told[0].id), (2, &told[1].id));
    let shown = chat(&stage, NUMBER, 0, OTHER_NUMBER);
    assert_eq!((shown.len(), shown[0].arrivals), (1, 2));
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_get_lost_or_overtake_each_other() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let kind = |event: &Event| if let Event::Receipt(receipt) = event { Some(receipt.r#type.clone()) } else { None };
    let reading = |id: &str| Reading {
        chat: NUMBER.to_owned(),
        ids: vec![id.to_owned()],
        played: false,
        device: 0,
        naming: Naming::Lid,
    };
    let receipts = |how| Fault::Receipts { how, number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.remote.fault(&receipts(ReceiptFault::Lost)).unwrap();
    assert_eq!(companion.sends(&other(), "3EB0A1", "one").await, None);
    stage.remote.read(OTHER_NUMBER, &reading("3EB0A1")).unwrap();
    assert_eq!(companion.event("receipt", kind).await, ReceiptType::Read);
    stage.remote.fault(&receipts(ReceiptFault::Swapped)).unwrap();
    assert_eq!(companion.sends(&other(), "3EB0A2", "two").await, None);
    // Had it been sent, the server would keep it until the client has acknowledged it.
    stage.nothing_waits().await;
    assert_eq!(said(&stage, &["<ack", "3EB0A2"]), 0, "it waits to be overtaken");
    stage.remote.read(OTHER_NUMBER, &reading("3EB0A2")).unwrap();
    // An observer of receipts gets them from tasks of their own, in any order.
    let both = [companion.event("receipt", kind).await, companion.event("receipt", kind).await];
    assert!(both.contains(&ReceiptType::Read) && both.contains(&ReceiptType::Delivered), "{both:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_broken_off_midway_comes_whole_in_the_end() {
    let stage = Stage::set().await;
    let mut companion = stage.ready().await;
    companion.stop().await;
    let texts: Vec<String> = (0..500).map(|nth| format!("text {nth}")).collect();
    stage.remote.burst(OTHER_NUMBER, NUMBER, Naming::Lid, texts.clone()).unwrap();
    for after in [0, 3, 300] {
        stage.remote.fault(&Fault::CutBacklog { after, number: Some(NUMBER.to_owned()), times: Some(1) }).unwrap();
    }
    let companion = companion.again(&stage).await;
    let told = companion.told(500).await;
    assert_eq!(told.iter().map(|told| told.text.clone()).collect::<Vec<_>>(), texts);
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}
