//! Groups with sender keys.

use std::time::Instant;

use paird_sandbox::{Fault, HandSettings, Naming, PrekeyFault, SharedGroup, Writing};
use whatsapp_rust::Jid;

use crate::companion::{Companion, DEADLINE, NUMBER, OTHER_NUMBER, Stage};
use crate::talking::chat;

const GROUP: &str = "120300000000000077@g.us";
const THIRD: &str = "15550003333";

fn group(stage: &Stage, naming: Naming) -> Jid {
    stage.remote.add_phone(THIRD).unwrap();
    let members = [NUMBER, OTHER_NUMBER, THIRD].map(str::to_owned).to_vec();
    let group = SharedGroup { subject: "Crew".to_owned(), members, naming };
    stage.remote.set_shared_group(GROUP, &group).unwrap();
    GROUP.parse().unwrap()
}

fn texts_on(stage: &Stage, number: &str, device: u16) -> Vec<String> {
    let shown = chat(stage, number, device, GROUP);
    shown.into_iter().map(|shown| shown.text.unwrap_or(shown.kind)).collect()
}

/// Writes until the device can read what was written last: the client hears of a device without the
/// group's key a moment after a message is acknowledged. Returns the texts.
async fn write_until_read(stage: &Stage, companion: &Companion, to: &Jid, number: &str, device: u16) -> Vec<String> {
    let deadline = Instant::now() + DEADLINE;
    let mut sent = Vec::new();
    loop {
        let text = format!("text {}", sent.len());
        assert_eq!(companion.sends(to, &format!("3EB0B{}", sent.len()), &text).await, None);
        sent.push(text);
        if texts_on(stage, number, device).last() == sent.last() {
            return sent;
        }
        assert!(Instant::now() < deadline, "{number}:{device} reads nothing of {sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_written_and_read_by_either_name() {
    for naming in [Naming::Lid, Naming::Number] {
        let stage = Stage::set().await;
        let companion = stage.ready().await;
        let to = group(&stage, naming);
        let theirs = stage.remote.add_companion(THIRD).unwrap();
        let mut expected = Vec::new();
        for nth in 0..20 {
            let text = format!("out {nth}");
            assert_eq!(companion.sends(&to, &format!("3EB0A{nth:03}"), &text).await, None);
            expected.push(text);
            for (number, device) in [(OTHER_NUMBER, 0), (THIRD, theirs), (NUMBER, 0)] {
                let text = format!("from {number}:{device} {nth}");
                let writing = Writing { device, naming, ..Writing::text(GROUP, &text) };
                stage.remote.send(number, &writing).unwrap();
                let told = companion.told(1).await;
                assert_eq!((told.len(), told[0].text.as_str(), told[0].chat.as_str()), (1, text.as_str(), GROUP));
                assert_eq!(told[0].from_me, number == NUMBER);
                expected.push(text);
            }
        }
        for (number, device) in [(NUMBER, 0), (OTHER_NUMBER, 0), (THIRD, 0), (THIRD, theirs)] {
            assert_eq!(texts_on(&stage, number, device), expected, "{number}:{device}");
        }
        stage.nothing_waits().await;
        stage.assert_nothing_odd();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_keys_reads_from_the_next_message_on() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let to = group(&stage, Naming::Lid);
    let none = Fault::Prekeys { how: PrekeyFault::Missing(406), number: Some(THIRD.to_owned()), times: None };
    stage.remote.fault(&none).unwrap();
    assert_eq!(companion.sends(&to, "3EB0A1", "one").await, None);
    assert_eq!(texts_on(&stage, OTHER_NUMBER, 0), ["one"]);
    assert_eq!(texts_on(&stage, THIRD, 0), ["waiting"]);
    stage.remote.clear_faults().unwrap();
    write_until_read(&stage, &companion, &to, THIRD, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_cannot_ask_never_reads_the_group() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let to = group(&stage, Naming::Lid);
    let silent = HandSettings { asks_again: Some(false), ..HandSettings::default() };
    stage.remote.set_hand(THIRD, 0, &silent).unwrap();
    let none = Fault::Prekeys { how: PrekeyFault::LeftOut, number: Some(THIRD.to_owned()), times: None };
    stage.remote.fault(&none).unwrap();
    assert_eq!(companion.sends(&to, "3EB0A1", "one").await, None);
    stage.remote.clear_faults().unwrap();
    assert_eq!(companion.sends(&to, "3EB0A2", "two").await, None);
    assert_eq!(texts_on(&stage, OTHER_NUMBER, 0), ["one", "two"]);
    assert_eq!(texts_on(&stage, THIRD, 0), ["waiting", "waiting"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_joins_later_gets_the_key_of_the_group() {
    let stage = Stage::set().await;
    let companion = stage.ready().await;
    let to = group(&stage, Naming::Lid);
    assert_eq!(companion.sends(&to, "3EB0A1", "one").await, None);
    let late = stage.remote.add_companion(THIRD).unwrap();
    // It learns of the new device by the hash in the acknowledgement, or by a retry.
    let sent = write_until_read(&stage, &companion, &to, THIRD, late).await;
    assert_eq!(texts_on(&stage, THIRD, 0), [vec!["one".to_owned()], sent].concat());
}
