//! The demo's steps. Each says what it did, shows the phone, and checks both.

use anyhow::{bail, ensure};
use paird_actors::domain::MessageState;
use paird_sandbox::LinkedDevice;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::act::{DemoAccount, DemoDriver, Scanned};
use super::stage::Stage;
use crate::cli::out;

const DESK: &str = "436601000001";
const SHOP: &str = "436601000002";
const DEPOT: &str = "436601000003";
/// The phone of somebody who writes to an account.
const ANNA: &str = "436602000001";
const BURST: usize = 20;
const ANSWER: &str = "hello from the desk";

pub(super) async fn play(act: &mut DemoDriver, stage: &mut Stage) -> anyhow::Result<()> {
    for number in [DESK, SHOP, DEPOT, ANNA] {
        act.phones.add(number).await?;
    }
    let desk = pair_one(act, 1, "desk", DESK).await?;
    let shop = pair_one(act, 2, "shop", SHOP).await?;
    let depot = pair_one(act, 3, "depot", DEPOT).await?;
    let refused = refuse_a_duplicate(act, &desk).await?;
    repair_one(act, &shop).await?;
    delete_one(act, &depot).await?;
    let read = receive_one(act, &desk).await?;
    survive_a_kill(act, stage, &desk, read).await?;
    send_one(act, &desk).await?;
    survive_a_kill_while_sending(act, stage, &desk).await?;
    look_back(act, &desk, &shop, &refused).await
}

async fn pair_one(act: &DemoDriver, step: u8, label: &'static str, number: &str) -> anyhow::Result<DemoAccount> {
    let account = act.add(label).await?;
    let scanned = act.pair_with(&account, number).await?;
    expect_connected(&account, &scanned, number)?;
    tell(step, &format!("pair {label:?}"), &format!("connected, {}", timing(&scanned)));
    act.devices(number, "one active device", is_one_active).await?;
    act.phones.show(number).await?;
    let groups = act.event_of_kind(&account, scanned.event.seq, "groups.synced").await?;
    ensure!(
        groups.payload.get("count") == Some(&json!(3)),
        "{label:?}: the phone's three groups came as {}",
        groups.payload
    );
    Ok(account)
}

async fn refuse_a_duplicate(act: &DemoDriver, incumbent: &DemoAccount) -> anyhow::Result<DemoAccount> {
    let before = act.phones.devices(DESK).await?;
    let incumbent_before = act.row(incumbent).await?.event_seq;
    let newcomer = act.add("desk again").await?;
    let scanned = act.pair_with(&newcomer, DESK).await?;
    ensure!(scanned.event.kind == "session.duplicate", "a linked phone's scan ended as {}", scanned.event.kind);
    let named = scanned.event.payload.get("existingLabel").and_then(Value::as_str);
    ensure!(named == Some(incumbent.label), "the duplicate names {named:?} instead of {:?}", incumbent.label);
    act.status(&newcomer, "unpaired").await?;
    tell(4, "scan with a linked phone", &format!("refused, it is {:?} already", incumbent.label));
    act.phones.show(DESK).await?;
    let after = act.phones.devices(DESK).await?;
    ensure!(jids(&before) == jids(&after), "the refused scan changed the phone's list: {:?}", jids(&after));
    act.status(incumbent, "connected").await?;
    let disturbed = act.row(incumbent).await?.event_seq != incumbent_before;
    ensure!(!disturbed, "the refused scan disturbed {:?}", incumbent.label);
    Ok(newcomer)
}

async fn repair_one(act: &DemoDriver, shop: &DemoAccount) -> anyhow::Result<()> {
    let old = act.phones.devices(SHOP).await?;
    act.ask("account.unpair", shop, json!({})).await?;
    act.status(shop, "unpaired").await?;
    let parked = |devices: &[LinkedDevice]| jids(devices) == jids(&old) && devices.iter().all(|d| !d.connected);
    act.devices(SHOP, "the same device, not connected", parked).await?;
    tell(5, "unpair \"shop\"", "closed; the phone keeps its entry");
    act.phones.show(SHOP).await?;

    let scanned = act.pair_with(shop, SHOP).await?;
    expect_connected(shop, &scanned, SHOP)?;
    let is_new = |devices: &[LinkedDevice]| is_one_active(devices) && jids(devices) != jids(&old);
    act.devices(SHOP, "the new device alone", is_new).await?;
    act.event_of_kind(shop, scanned.event.seq, "account.unlinked").await?;
    tell(6, "pair \"shop\" again", &format!("connected, {}; the old entry was unlinked", timing(&scanned)));
    act.phones.show(SHOP).await
}

async fn delete_one(act: &DemoDriver, depot: &DemoAccount) -> anyhow::Result<()> {
    let before = act.row(depot).await?.event_seq;
    act.ask("account.delete", depot, json!({})).await?;
    ensure!(!act.is_listed(depot).await?, "{:?} is still listed after its delete", depot.label);
    act.devices(DEPOT, "nothing", <[LinkedDevice]>::is_empty).await?;
    let deleted = act.event_of_kind(depot, before, "account.deleted").await?;
    match deleted.payload.get("unlinked").and_then(Value::as_str) {
        Some("confirmed") => {}
        Some("pending") => {
            act.event_of_kind(depot, deleted.seq, "account.unlinked").await?;
        }
        other => bail!("the delete of a linked account says unlinked: {other:?}"),
    }
    tell(7, "delete \"depot\"", "gone from the list at once; unlinked on the phone, confirmed");
    act.phones.show(DEPOT).await
}

/// The id of the message.
async fn receive_one(act: &DemoDriver, desk: &DemoAccount) -> anyhow::Result<i64> {
    act.queue(DESK, "keys to write with", |(_, can_be_written_to)| can_be_written_to).await?;
    let before = act.row(desk).await?.event_seq;
    let written = Instant::now();
    act.phones.write(ANNA, DESK, "hello from Anna").await?;
    let told = act.event_of_kind(desk, before, "message.received").await?;
    let after = written.elapsed().as_millis();
    let messages = act.messages(desk, 0, 1).await?;
    let said: Vec<(i64, &str)> = messages.iter().map(|message| (message.id, message.text.as_str())).collect();
    let &[(id, "hello from Anna")] = said.as_slice() else { bail!("{:?} has other messages: {said:?}", desk.label) };
    ensure!(told.payload.get("messageId") == Some(&json!(id)), "the event names another message: {}", told.payload);
    tell(8, "a message arrives", &format!("a row and an event, {after} ms after it was written"));
    Ok(id)
}

/// Half of a burst is on its way when the daemon is killed, and half is written while it is gone.
async fn survive_a_kill(act: &mut DemoDriver, stage: &mut Stage, desk: &DemoAccount, read: i64) -> anyhow::Result<()> {
    let before = act.row(desk).await?.event_seq;
    let written: Vec<String> = (1..=BURST).map(|nth| format!("number {nth} of {BURST}")).collect();
    for (nth, text) in written.iter().enumerate() {
        if nth == BURST / 2 {
            stage.kill_daemon().await?;
        }
        act.phones.write(ANNA, DESK, text).await?;
    }
    act.reconnect(stage.start_again().await?);
    act.messages(desk, read, BURST).await?;
    // Nothing more is to come.
    act.queue(DESK, "nothing", |(stanzas, _)| stanzas == 0).await?;
    let messages = act.messages(desk, read, BURST).await?;
    let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    ensure!(texts == written, "the burst is there as {texts:?}");
    let told = act.message_events(desk, before).await?;
    ensure!(told == BURST, "{BURST} messages were told {told} times");
    tell(9, "kill -9 amid twenty", "every one is there once, in order, and was told once");
    Ok(())
}

async fn send_one(act: &DemoDriver, desk: &DemoAccount) -> anyhow::Result<()> {
    act.status(desk, "connected").await?;
    act.hurry(desk).await?;
    let queued = Instant::now();
    act.text(desk, ANNA, ANSWER).await?;
    act.shown(ANNA, |shown| shown == [ANSWER]).await?;
    let after = queued.elapsed().as_millis();
    act.sent(desk, 1, |state| state == MessageState::Delivered).await?;
    tell(10, "send an answer", &format!("on Anna's phone after {after} ms; the row says delivered"));
    Ok(())
}

/// The daemon is killed while some messages are on their way, and others still queued.
async fn survive_a_kill_while_sending(
    act: &mut DemoDriver,
    stage: &mut Stage,
    desk: &DemoAccount,
) -> anyhow::Result<()> {
    let mut written: Vec<String> = (1..=BURST).map(|nth| format!("answer {nth} of {BURST}")).collect();
    for text in &written {
        act.text(desk, ANNA, text).await?;
    }
    act.sent(desk, BURST / 4, MessageState::is_sent).await?;
    stage.kill_daemon().await?;
    act.reconnect(stage.start_again().await?);
    act.sent(desk, BURST + 1, |state| state == MessageState::Delivered).await?;
    written.insert(0, ANSWER.to_owned());
    let shown = act.phones.shown(ANNA).await?;
    ensure!(shown == written, "Anna's phone shows {shown:?}");
    tell(11, "kill -9 amid twenty sent", "Anna's phone shows every one once, in order");
    Ok(())
}

async fn look_back(
    act: &DemoDriver,
    desk: &DemoAccount,
    shop: &DemoAccount,
    refused: &DemoAccount,
) -> anyhow::Result<()> {
    for (account, status) in [(desk, "connected"), (shop, "connected"), (refused, "unpaired")] {
        act.status(account, status).await?;
        let row = act.row(account).await?;
        ensure!(row.last_qr_png.is_none(), "{:?} still shows a QR", account.label);
    }
    act.devices(DESK, "one active device", is_one_active).await?;
    tell(12, "look back", "two connected, one unpaired, no QR left behind, no ghost on any phone");
    Ok(())
}

fn expect_connected(account: &DemoAccount, scanned: &Scanned, number: &str) -> anyhow::Result<()> {
    let (kind, payload) = (&scanned.event.kind, &scanned.event.payload);
    ensure!(kind == "session.connected", "{:?}: the scan ended as {kind} {payload}", account.label);
    let told = payload.get("phoneNumber").and_then(Value::as_str);
    ensure!(told == Some(number), "{:?}: connected as {told:?} instead of {number}", account.label);
    Ok(())
}

fn is_one_active(devices: &[LinkedDevice]) -> bool {
    matches!(devices, [only] if only.connected)
}

fn jids(devices: &[LinkedDevice]) -> Vec<&str> {
    devices.iter().map(|device| device.jid.as_str()).collect()
}

fn timing(scanned: &Scanned) -> String {
    let (qr, scan) = (scanned.until_qr.as_millis(), scanned.after_scan.as_millis());
    format!("QR after {qr} ms, logged in {scan} ms after the scan")
}

fn tell(step: u8, what: &str, how: &str) {
    out::line(format_args!("{step:>2}  {what:<26} {how}"));
}
