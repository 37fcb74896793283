//! Reads of keys that are never answered, kind by kind, as a running daemon makes them:
//! unreadable keys are kept, and never replaced by new ones.

use std::collections::BTreeSet;

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Daemon, OPENING, Stage, Wire, until};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436601000001";
const NEIGHBOUR: &str = "436601000002";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// A daemon starts and finds linked accounts.
    Start,
    /// A link is lost and comes back, and is used.
    Underway,
}

struct Case {
    stage: Stage,
    wire: Wire,
    shop: Uuid,
    neighbour: Uuid,
}

impl Case {
    async fn new() -> (Self, Daemon) {
        let mut stage = Stage::empty().await;
        let wire = Wire::to(&stage);
        stage.dsn.clone_from(&wire.dsn);
        let daemon = stage.daemon(&[]).await;
        let shop = stage.web.connect_account("shop", NUMBER, &stage.phones).await;
        let neighbour = stage.web.connect_account("neighbour", NEIGHBOUR, &stage.phones).await;
        for account in [shop, neighbour] {
            stage.web.event(account, "groups.synced", 0).await;
        }
        wire.watch(stage.web.column(shop, "keyring_id").await);
        (Self { stage, wire, shop, neighbour }, daemon)
    }

    /// Causes the reads of this moment, of which one may fail.
    async fn comes(&self, moment: Moment, daemon: Daemon) -> Daemon {
        match moment {
            Moment::Start => {
                assert!(daemon.terminate().await.success());
                self.stage.daemon(&[]).await
            }
            Moment::Underway => {
                self.stage.phones.fault(Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).await;
                daemon
            }
        }
    }

    /// Waits until the link is connected and answers. After so many losses the backoff is long, so it
    /// is resumed by command.
    async fn works(&self) {
        let web = &self.stage.web;
        until("the link at work", || async {
            web.does("account.resume", self.shop, json!({})).await;
            let synced = web.ask("groups.sync", self.shop, json!({})).await.0 == "done";
            let listed = self.stage.phones.devices(NUMBER).await;
            (synced && matches!(&listed[..], [device] if device.connected)).then_some(())
        })
        .await;
    }

    /// Everything that a new identity, or overwritten keys, would change. Prekeys are consumed
    /// and made in normal operation, and device lists are fetched again.
    async fn identity(&self) -> (String, BTreeSet<String>, String) {
        let keyring =
            "SELECT (to_jsonb(k) - 'epoch' - 'opened_by' - 'opening')::text FROM keyrings k WHERE account_id = $1";
        let records = "SELECT kind || ' ' || name FROM credentials
            WHERE account_id = $1 AND kind NOT IN ('prekey', 'device_list')";
        let web = &self.stage.web;
        let keyring = web.sql.query_one(keyring, &[&self.shop]).await.unwrap().get(0);
        let records = web.sql.query(records, &[&self.shop]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let [device] = &self.stage.phones.devices(NUMBER).await[..] else { panic!("another list of devices") };
        (keyring, records, device.jid.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failed_key_read_at_start_makes_a_new_identity() {
    each_kind_fails(Moment::Start).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failed_key_read_while_connected_makes_a_new_identity() {
    each_kind_fails(Moment::Underway).await;
}

async fn each_kind_fails(moment: Moment) {
    let (case, mut daemon) = Case::new().await;
    let (web, wire) = (&case.stage.web, &case.wire);
    wire.kinds_read();
    daemon = case.comes(moment, daemon).await;
    case.works().await;
    // First without a fault, to find which kinds are read. Some reads come a moment after the login.
    let mut kinds = wire.kinds_read();
    until("the reads of a login", || {
        kinds.extend(wire.kinds_read());
        let all = [OPENING, "device"].iter().all(|kind| kinds.contains(kind));
        std::future::ready(all.then_some(()))
    })
    .await;
    for kind in kinds {
        let (keyring, records, jid) = case.identity().await;
        let seq = web.seq(case.shop).await;
        wire.cut_off_reads_of(kind);
        daemon = case.comes(moment, daemon).await;
        until(&format!("a read of {kind} that fails"), || async {
            if wire.cut_off() == 0 {
                // Commands that need this record. Whether they succeed does not matter here.
                web.ask("account.resume", case.shop, json!({})).await;
                web.ask("groups.sync", case.shop, json!({})).await;
            }
            (wire.cut_off() > 0).then_some(())
        })
        .await;
        web.status_is(case.neighbour, "connected").await;
        web.does("groups.sync", case.neighbour, json!({})).await;
        assert_ne!(web.status(case.shop).await, "unpaired", "{kind}");
        wire.mend();
        case.works().await;

        let (keyring_now, records_now, jid_now) = case.identity().await;
        assert_eq!((keyring_now, jid_now), (keyring, jid), "{kind}");
        assert!(records.is_subset(&records_now), "{kind}: {:?} is gone", records.difference(&records_now));
        let kinds = web.events(case.shop).await.into_iter().filter(|event| event.seq > seq).map(|event| event.kind);
        let ends = ["session.logged_out", "account.unpaired", "session.held", "session.qr"];
        let ends: Vec<String> = kinds.filter(|kind| ends.contains(&kind.as_str())).collect();
        assert_eq!(ends, [""; 0], "{kind}");
    }
    assert_eq!(case.stage.phones.report().await.links_made, 2);
    case.stage.finish([daemon]).await;
}
