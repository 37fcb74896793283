//! Messages that one side cannot read, and how they are repaired.

use paird_sandbox::{DeliveryFault, Fault, HandSettings, Writing};
use wacore::types::events::Event;
use whatsapp_rust::Jid;

use crate::companion::{NUMBER, OTHER_NUMBER, Stage, eventually};
use crate::talking::chat;

fn delivery(how: DeliveryFault, times: Option<u32>) -> Fault {
    Fault::Delivery { how, number: Some(NUMBER.to_owned()), times }
}

/// How many stanzas with all these words the client has sent, of those that the report lists.
pub fn said(stage: &Stage, words: &[&str]) -> usize {
    let report = stage.report();
    report.said.iter().filter(|said| words.iter().all(|word| said.what.contains(word))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_garbled_once_is_delivered_on_retry() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    stage.remote.fault(&delivery(DeliveryFault::Garbled, Some(1))).unwrap();
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "garbled")).unwrap();
    // The author's answer to the retry, and the own phone's copy.
    let told = companion.told(2).await;
    assert!(told.iter().all(|one| one.text == "garbled" && one.id == told[0].id), "{told:?}");
    assert_eq!(told.len(), 2);
    assert_eq!(said(&stage, &["<receipt", "type=\"retry\""]), 1);
    stage.nothing_waits().await;
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "and on")).unwrap();
    assert_eq!(companion.told(1).await[0].text, "and on");
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_message_is_fetched_from_the_own_phone() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    stage.remote.fault(&delivery(DeliveryFault::Garbled, None)).unwrap();
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "never readable")).unwrap();
    let told = companion.told(1).await;
    assert_eq!((told.len(), told[0].text.as_str()), (1, "never readable"));
    eventually("five retries", || said(&stage, &["<receipt", "type=\"retry\""]) == 5).await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_message_comes_from_the_own_phone() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    stage.remote.fault(&delivery(DeliveryFault::Unavailable, Some(1))).unwrap();
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "ask my phone")).unwrap();
    assert_eq!(companion.told(1).await.len(), 1);
    stage.remote.fault(&delivery(DeliveryFault::ViewOnce, Some(1))).unwrap();
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "only once")).unwrap();
    let pick = |event: &Event| matches!(event, Event::UndecryptableMessage(_)).then_some(());
    companion.event("undecryptable", pick).await;
    assert_eq!(companion.told(0).await, []);
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_lost_its_sessions_reads_after_a_retry() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let other = Jid::pn(OTHER_NUMBER);
    assert_eq!(companion.sends(&other, "3EB0A1", "before").await, None);
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "answer")).unwrap();
    companion.told(1).await;
    // With a session in both directions the client sends plain `msg`s.
    assert_eq!(companion.sends(&other, "3EB0A2", "between").await, None);
    let forget = HandSettings { forget_sessions: Some(true), ..HandSettings::default() };
    stage.remote.set_hand(OTHER_NUMBER, 0, &forget).unwrap();
    assert_eq!(companion.sends(&other, "3EB0A3", "after").await, None);
    let shown = || chat(&stage, OTHER_NUMBER, 0, NUMBER).into_iter().find(|shown| shown.id == "3EB0A3");
    eventually("readable", || shown().is_some_and(|shown| shown.text.as_deref() == Some("after"))).await;
    assert_eq!(companion.sends(&other, "3EB0A4", "from now on").await, None);
    assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER).last().unwrap().text.as_deref(), Some("from now on"));
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_does_not_ask_goes_on_waiting() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let other = Jid::pn(OTHER_NUMBER);
    assert_eq!(companion.sends(&other, "3EB0A1", "before").await, None);
    stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "answer")).unwrap();
    companion.told(1).await;
    let silent = HandSettings { forget_sessions: Some(true), asks_again: Some(false), ..HandSettings::default() };
    stage.remote.set_hand(OTHER_NUMBER, 0, &silent).unwrap();
    assert_eq!(companion.sends(&other, "3EB0A2", "unread").await, None);
    let last = chat(&stage, OTHER_NUMBER, 0, NUMBER).pop().unwrap();
    assert_eq!((last.id.as_str(), last.kind.as_str(), last.arrivals), ("3EB0A2", "waiting", 0));
}
