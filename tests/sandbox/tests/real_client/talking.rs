//! Phones and a companion write to each other, and nothing goes wrong.

use paird_sandbox::{Content, HandSettings, Naming, Reading, ShownMessage, Writing};
use wacore::types::events::Event;
use wacore::types::presence::ReceiptType;
use whatsapp_rust::Jid;

use crate::companion::{Companion, NUMBER, OTHER_NUMBER, Stage, eventually};

const MANY: usize = 1_000;

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|nth| format!("Grüße Nr. {nth}: 🌍 {}", "ж".repeat(nth % 17))).collect()
}

fn other() -> Jid {
    Jid::pn(OTHER_NUMBER)
}

/// A chat on the phone's screen.
pub fn chat(stage: &Stage, number: &str, device: u16, with: &str) -> Vec<ShownMessage> {
    stage.remote.messages(number, device).unwrap().into_iter().filter(|shown| shown.chat == with).collect()
}

fn shown_texts(shown: &[ShownMessage]) -> Vec<&str> {
    shown.iter().map(|shown| shown.text.as_deref().unwrap_or(&shown.kind)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_texts_come_in_exact_in_order_and_once() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let texts = texts(MANY);
    let (first, rest) = texts.split_at(MANY / 2);
    stage.remote.burst(OTHER_NUMBER, NUMBER, Naming::Lid, first.to_vec()).unwrap();
    let mut told = companion.told(first.len()).await;
    // From here on there is a session in both directions.
    assert_eq!(companion.sends(&other(), "3EB0AA", "answer").await, None);
    stage.remote.burst(OTHER_NUMBER, NUMBER, Naming::Number, rest.to_vec()).unwrap();
    told.extend(companion.told(rest.len()).await);
    assert_eq!(told.iter().map(|told| told.text.as_str()).collect::<Vec<_>>(), texts);
    assert_eq!(told[0].push_name, "Somebody 2222");
    stage.nothing_waits().await;
    let on_own_phone = chat(&stage, NUMBER, 0, OTHER_NUMBER);
    assert_eq!(on_own_phone.iter().filter(|shown| !shown.from_me && shown.arrivals == 1).count(), MANY);
    // The phone's own; its companion's tick as well once it says that it is available.
    let receipted = |shown: &ShownMessage| shown.from_me && !shown.receipts.is_empty();
    let on_other_phone = || chat(&stage, OTHER_NUMBER, 0, NUMBER);
    eventually("receipts", || on_other_phone().iter().filter(|shown| receipted(shown)).count() == MANY).await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_texts_go_out_exact_in_order_and_once() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let texts = texts(MANY);
    for (nth, text) in texts.iter().enumerate() {
        assert_eq!(companion.sends(&other(), &format!("3EB0{nth:016X}"), text).await, None);
    }
    for (number, with, from_me) in [(OTHER_NUMBER, NUMBER, false), (NUMBER, OTHER_NUMBER, true)] {
        let shown = chat(&stage, number, 0, with);
        assert_eq!(shown_texts(&shown), texts);
        assert!(shown.iter().all(|shown| shown.arrivals == 1 && shown.from_me == from_me));
        assert!(shown.iter().all(|shown| shown.secret.as_deref() == Some("07".repeat(32).as_str())));
    }
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn companions_of_both_sides_get_what_is_written() {
    let stage = Stage::set().await;
    let own = stage.remote.add_companion(NUMBER).unwrap();
    let companion = stage.ready().await;
    let theirs = stage.remote.add_companion(OTHER_NUMBER).unwrap();
    assert_eq!(companion.sends(&other(), "3EB0AA", "from outside").await, None);
    let writing = Writing { device: theirs, ..Writing::text(NUMBER, "from a companion") };
    assert_eq!(stage.remote.send(OTHER_NUMBER, &writing).unwrap().devices.len(), 4);
    let told = companion.told(1).await;
    assert_eq!((told.len(), told[0].text.as_str()), (1, "from a companion"));
    for (number, devices, with) in [(NUMBER, [0, own], OTHER_NUMBER), (OTHER_NUMBER, [0, theirs], NUMBER)] {
        for device in devices {
            let shown = chat(&stage, number, device, with);
            assert_eq!(shown_texts(&shown), ["from outside", "from a companion"], "{number}:{device}");
        }
    }
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reads_what_another_client_sends() {
    let stage = Stage::set().await;
    let one = stage.ready().await;
    let two = Companion::start(&stage).await;
    stage.remote.scan(OTHER_NUMBER, &two.qr().await).unwrap();
    two.until("logged in", |client| client.is_logged_in()).await;
    eventually("keys uploaded", || stage.remote.waiting(OTHER_NUMBER, 1).unwrap().one_time_keys >= 20).await;
    for round in 0..3 {
        assert_eq!(one.sends(&other(), &format!("3EB0A{round}"), "there").await, None);
        assert_eq!(two.told(1).await[0].text, "there");
        assert_eq!(two.sends(&Jid::pn(NUMBER), &format!("3EB0B{round}"), "and back").await, None);
        assert_eq!(one.told(1).await[0].text, "and back");
    }
    assert_eq!(chat(&stage, NUMBER, 0, OTHER_NUMBER).len(), 6);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_messages_reach_the_companion_as_its_own() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    for naming in [Naming::Lid, Naming::Number] {
        let writing = Writing { naming, ..Writing::text(OTHER_NUMBER, "from my phone") };
        stage.remote.send(NUMBER, &writing).unwrap();
        let told = companion.told(1).await;
        assert_eq!((told.len(), told[0].from_me, told[0].text.as_str()), (1, true, "from my phone"));
        assert_eq!(told[0].chat.ends_with("@lid"), naming == Naming::Lid);
    }
    assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER).len(), 2);
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_comes_once_and_is_empty_after_its_receipts() {
    let stage = Stage::set().await;
    let mut companion = stage.ready().await;
    companion.stop().await;
    eventually("off line", || !stage.devices()[0].connected).await;
    let texts = texts(200);
    stage.remote.burst(OTHER_NUMBER, NUMBER, Naming::Lid, texts.clone()).unwrap();
    assert_eq!(stage.waiting().stanzas, 200);
    let mut companion = companion.again(&stage).await;
    let told = companion.told(200).await;
    assert_eq!(told.iter().map(|told| told.text.as_str()).collect::<Vec<_>>(), texts);
    stage.nothing_waits().await;
    companion.stop().await;
    let companion = companion.again(&stage).await;
    companion.until("logged in", |client| client.is_logged_in()).await;
    assert_eq!(companion.told(0).await, []);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_that_was_not_receipted_comes_again() {
    let stage = Stage::set().await;
    let mut companion = stage.ready().await;
    companion.stop().await;
    stage.remote.burst(OTHER_NUMBER, NUMBER, Naming::Lid, texts(200)).unwrap();
    // The first time everything is read, and nothing that the client says of it arrives.
    stage.remote.fault(&paird_sandbox::Fault::CutBacklog { after: 200, number: None, times: Some(1) }).unwrap();
    let companion = companion.again(&stage).await;
    let told = companion.told(200).await;
    assert_eq!(told.len(), 200, "what came again was known");
    stage.nothing_waits().await;
    assert!(stage.report().logins >= 3);
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_the_client_are_shown_by_the_author() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let written = stage.remote.burst(OTHER_NUMBER, NUMBER, Naming::Lid, texts(3)).unwrap();
    let told = companion.told(3).await;
    let ids: Vec<&str> = told.iter().map(|told| told.id.as_str()).collect();
    assert_eq!(ids, written.iter().map(|written| written.id.as_str()).collect::<Vec<_>>());
    let with: Jid = told[0].chat.parse().unwrap();
    companion.client.mark_as_read(&with, None, &ids).await.unwrap();
    let kinds = |shown: &ShownMessage| shown.receipts.iter().map(|receipt| receipt.kind.clone()).collect::<Vec<_>>();
    let all_read =
        || chat(&stage, OTHER_NUMBER, 0, NUMBER).iter().all(|shown| kinds(shown).contains(&"read".to_owned()));
    eventually("read", all_read).await;
    companion.client.mark_as_played(&with, None, &ids[..1]).await.unwrap();
    eventually("played", || kinds(&chat(&stage, OTHER_NUMBER, 0, NUMBER)[0]).contains(&"played".to_owned())).await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_the_reader_reach_the_client() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let ids = ["3EB0A1", "3EB0A2"];
    let receipt = |kind: ReceiptType| {
        move |event: &Event| {
            let Event::Receipt(receipt) = event else { return None };
            (receipt.r#type == kind).then(|| receipt.message_ids.clone())
        }
    };
    for id in ids {
        companion.sends_unacknowledged(&other(), id, "look").await;
        assert_eq!(companion.event("tick", receipt(ReceiptType::Delivered)).await, [id]);
    }
    let reading = |played| Reading {
        chat: NUMBER.to_owned(),
        ids: ids.map(str::to_owned).to_vec(),
        played,
        device: 0,
        naming: Naming::Lid,
    };
    stage.remote.read(OTHER_NUMBER, &reading(false)).unwrap();
    let mut read = companion.event("read", receipt(ReceiptType::Read)).await;
    read.sort();
    assert_eq!(read, ids);
    stage.remote.read(OTHER_NUMBER, &reading(true)).unwrap();
    assert_eq!(companion.event("played", receipt(ReceiptType::Played)).await.len(), 2);
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_came_while_away_wait_like_messages() {
    let stage = Stage::set().await;
    let mut companion = stage.ready().await;
    let offline = HandSettings { online: Some(false), ..HandSettings::default() };
    stage.remote.set_hand(OTHER_NUMBER, 0, &offline).unwrap();
    assert_eq!(companion.sends(&other(), "3EB0AA", "are you there?").await, None);
    companion.stop().await;
    eventually("off line", || !stage.devices()[0].connected).await;
    assert_eq!(chat(&stage, OTHER_NUMBER, 0, NUMBER), []);
    stage.remote.set_hand(OTHER_NUMBER, 0, &HandSettings { online: Some(true), ..offline }).unwrap();
    assert_eq!(stage.waiting().stanzas, 1);
    let companion = companion.again(&stage).await;
    let pick = |event: &Event| {
        let Event::Receipt(receipt) = event else { return None };
        Some((receipt.message_ids.clone(), receipt.offline))
    };
    assert_eq!(companion.event("receipt", pick).await, (vec!["3EB0AA".to_owned()], true));
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_time_keys_are_used_up_and_brought_again() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let left = || stage.waiting().one_time_keys;
    let before = left();
    for nth in 0..before {
        let number = format!("1555777{nth:04}");
        stage.remote.add_phone(&number).unwrap();
        stage.remote.send(&number, &Writing::text(NUMBER, "hello")).unwrap();
    }
    assert_eq!(companion.told(before).await.len(), before);
    // The client uploads new ones after the notice that few are left.
    eventually("more keys", || left() >= 10).await;
    stage.nothing_waits().await;
    stage.assert_nothing_odd();
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_reactions_edits_and_revokes_are_understood() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    assert_eq!(companion.sends(&other(), "3EB0AA", "what do you think?").await, None);
    let first = stage.remote.send(OTHER_NUMBER, &Writing::text(NUMBER, "god")).unwrap().id;
    for content in [
        Content::Reply { to: "3EB0AA".to_owned(), text: "good".to_owned() },
        Content::React { to: "3EB0AA".to_owned(), emoji: "👍".to_owned() },
        Content::Edit { of: first.clone(), text: "good".to_owned() },
        Content::Revoke(first.clone()),
    ] {
        stage.remote.send(OTHER_NUMBER, &Writing::new(NUMBER, content)).unwrap();
    }
    let mut kinds = Vec::new();
    let pick = |event: &Event| {
        let Event::Messages(batch) = event else { return None };
        Some(batch.messages.iter().map(|told| std::sync::Arc::clone(&told.message)).collect::<Vec<_>>())
    };
    while kinds.len() < 5 {
        for message in companion.event("message", pick).await {
            let protocol = message.protocol_message.as_option();
            let key = message.reaction_message.as_option().and_then(|reaction| reaction.key.as_option());
            let key = key.or_else(|| protocol.and_then(|protocol| protocol.key.as_option()));
            let answers = message.extended_text_message.as_option().and_then(|text| text.context_info.as_option());
            let refers_to = key.and_then(|key| key.id.clone());
            kinds.push(refers_to.or_else(|| answers.and_then(|answers| answers.stanza_id.clone())));
        }
    }
    let [mine, theirs] = ["3EB0AA".to_owned(), first].map(Some);
    assert_eq!(kinds, [None, mine.clone(), mine, theirs.clone(), theirs]);
    let shown = chat(&stage, NUMBER, 0, OTHER_NUMBER);
    let kinds: Vec<&str> = shown.iter().map(|shown| shown.kind.as_str()).collect();
    assert_eq!(kinds, ["text", "text", "text", "reaction", "edit", "revoke"]);
    stage.assert_nothing_odd();
}
