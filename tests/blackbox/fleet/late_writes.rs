//! Statements that a daemon sent while it owned an account, and that arrive when it no longer
//! does. Only these show that a fence works: a daemon that is awake leaves by itself.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use paird_sandbox::{Fault, PausePoint, Scope, UnlinkFault};
use paird_testkit::{Daemon, Stage, Wire, until};
use serde_json::json;
use uuid::Uuid;

use super::{BRISK, all_online, connect, moved_without_a_word_lost, number, owned_by};

/// One of each kind of statement that writes for an account.
const CHANGE: &str = "last_change IS NOT DISTINCT FROM";
const TICKET: &str = "UPDATE unlink_tickets";
/// A change, too, with a link's keys: known by the number that was scanned.
const LINK: &str = "add_keyring(";
const KEYS: &str = "AS gone (kind, name)";

const NEWCOMER: usize = 5;

/// A daemon whose last words are all stuck on the way to Postgres.
struct LastWords {
    accounts: Vec<Uuid>,
    /// WhatsApp just threw it out: the row is to say `held`.
    replaced: Uuid,
    /// Commands that were done, but whose outcome is not recorded yet.
    waved: i64,
    unpaired: i64,
    /// Its unlinking failed, and is to be tried later.
    deleted: Uuid,
    /// A phone has scanned; the keys are to be made durable.
    newcomer: Uuid,
}

impl LastWords {
    async fn of(stage: &Stage, wire: &Wire) -> Self {
        let (web, phones) = (&stage.web, &stage.phones);
        let accounts = connect(stage, 5).await;
        for account in &accounts {
            web.event(*account, "groups.synced", 0).await;
        }
        let [replaced, waver, leaver, deleted, keeper] = accounts[..] else { panic!("five accounts") };

        wire.jam(TICKET);
        phones.fault(Fault::Unlink { how: UnlinkFault::Refused, times: Some(1) }).await;
        web.does("account.delete", deleted, json!({})).await;
        wire.is_jammed(TICKET, deleted).await;
        // So that the ticket is still there when the late word comes.
        phones.fault(Fault::Pause { at: PausePoint::BeforeUnlink, number: None }).await;

        wire.jam_naming(LINK, &number(NEWCOMER));
        phones.add(&number(NEWCOMER)).await;
        let newcomer = web.account("newcomer").await;
        web.pair_with(newcomer, &number(NEWCOMER), phones).await;
        wire.is_jammed(LINK, newcomer).await;

        wire.jam(KEYS);
        phones.fault(Fault::Cut { scope: device(stage, keeper).await }).await;
        wire.is_jammed(KEYS, keeper).await;

        wire.jam(CHANGE);
        phones.fault(Fault::Replaced { scope: device(stage, replaced).await }).await;
        let waved = web.send("account.wave", waver, json!({})).await;
        let unpaired = web.send("account.unpair", leaver, json!({})).await;
        for account in [replaced, waver, leaver] {
            wire.is_jammed(CHANGE, account).await;
        }
        wire.unjam();
        Self { accounts, replaced, waved, unpaired, deleted, newcomer }
    }

    /// The commands are done and all accounts have their owner, no matter which daemon did it.
    async fn are_caught_up_with(&self, stage: &Stage, owner: &Daemon) {
        let web = &stage.web;
        until("the owner of all who need one", || async {
            let owned = owned_by(stage, owner).await;
            let others = "SELECT count(*) FROM whatsapp_accounts a WHERE needs_daemon(a) AND a.id <> ALL ($1)";
            (web.count(others, &[&owned]).await == 0).then_some(())
        })
        .await;
        assert_eq!(web.outcome(self.waved).await.0, "failed");
        assert_eq!(web.outcome(self.unpaired).await.0, "done");
        web.qr(self.newcomer).await;
        until("everybody connected, and the unlinking under way", || async {
            let connected = web.count("SELECT count(*) FROM whatsapp_accounts WHERE status = 'connected'", &[]).await;
            let seen = stage.phones.report().await;
            (connected == 3 && (seen.logged_in_now, seen.connections_now) == (4, 5)).then_some(())
        })
        .await;
    }

    /// Finishes the work that was open when the late statements arrived.
    async fn end_well(self, stage: &Stage) {
        let web = &stage.web;
        stage.phones.clear_faults().await;
        web.event(self.deleted, "account.unlinked", 0).await;
        web.scan(self.newcomer, &number(NEWCOMER), &stage.phones).await;
        all_online(stage, 4).await;
        for command in [self.waved, self.unpaired] {
            let told =
                "SELECT count(*) FROM events WHERE payload->>'commandId' = $1::text OR kind = 'account.unpaired'";
            assert_eq!(web.count(told, &[&command.to_string()]).await, 1 + i64::from(command == self.waved));
        }
        let kinds = web.kinds(self.deleted).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "account.unlinked").count(), 1, "{kinds:?}");
        assert_eq!(web.ends(self.newcomer).await, ["session.connected"]);
        assert_eq!(web.keyrings(self.newcomer).await, 1);
        assert!(!web.kinds(self.replaced).await.contains(&"session.held".to_owned()));
        web.agrees_with(&stage.phones, &number(NEWCOMER)).await;
        moved_without_a_word_lost(stage, &self.accounts).await;
    }
}

async fn device(stage: &Stage, account: Uuid) -> Scope {
    Scope::Device(stage.web.column(account, "device_jid").await)
}

/// A stage, a daemon whose way to Postgres can be jammed, and that way.
async fn stage_with_a_wire() -> (Stage, Daemon, Wire) {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[BRISK[0], BRISK[1], ("DATABASE_URL", &wire.dsn)]).await;
    (stage, daemon, wire)
}

/// Every row that a daemon writes. Not the ticket: its owner goes on trying.
async fn rows(stage: &Stage) -> BTreeSet<String> {
    let sql = "SELECT 'account ' || (to_jsonb(a) - 'last_qr_png')::text FROM whatsapp_accounts a
               UNION ALL SELECT 'event ' || (to_jsonb(e) - 'notified')::text FROM events e
               UNION ALL SELECT 'command ' || to_jsonb(c)::text FROM commands c
               UNION ALL SELECT 'keyring ' || k.id FROM keyrings k
               UNION ALL SELECT 'key ' || c.keyring_id || c.kind || c.name || md5(c.sealed) FROM credentials c
               UNION ALL SELECT 'audit ' || to_jsonb(l)::text FROM audit_log l";
    stage.web.sql.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Releases the stuck statements while nobody else writes, and checks that they changed nothing.
/// Returns the server's answers.
pub async fn lands_unseen(stage: &Stage, wire: &Wire, daemons: &[&Daemon]) -> Vec<String> {
    let landing = async { (rows(stage).await, wire.let_go().await, rows(stage).await) };
    let (before, answers, after) = stage.while_stopped(daemons, landing).await;
    let changed: Vec<_> = before.symmetric_difference(&after).collect();
    assert!(changed.is_empty(), "the late words were {answers:?} and changed {changed:#?}");
    answers
}

/// The same of one of each kind.
pub async fn changes_nothing(stage: &Stage, wire: &Wire, daemon: &Daemon) {
    let answers = lands_unseen(stage, wire, &[daemon]).await;
    let failed = "SELECT count(*) FROM unlink_tickets WHERE last_error LIKE '%500%'";
    assert_eq!(stage.web.count(failed, &[]).await, 0, "the ticket's late failure was written");
    let carried_out = answers.iter().all(|answer| ["SELECT 0", "SELECT 1", "UPDATE 0"].contains(&answer.as_str()));
    assert!(carried_out && answers.len() >= 6, "the server did not carry them all out: {answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_a_stopped_daemon_change_nothing_after_a_takeover() {
    let (stage, mut zombie, wire) = stage_with_a_wire().await;
    let last_words = LastWords::of(&stage, &wire).await;
    zombie.signal(Signal::SIGSTOP);
    // A stopped daemon does not close its sockets; WhatsApp gives up on them.
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    let heir = stage.daemon(&BRISK).await;
    last_words.are_caught_up_with(&stage, &heir).await;
    changes_nothing(&stage, &wire, &heir).await;

    zombie.signal(Signal::SIGCONT);
    zombie.says("the lease was not renewed in time").await;
    last_words.end_well(&stage).await;
    stage.finish([heir, zombie]).await;
}

/// The owner is the same again, so only the fence distinguishes the two ownerships.
#[tokio::test(flavor = "multi_thread")]
async fn late_writes_change_nothing_when_the_daemon_owns_it_again() {
    let (stage, mut zombie, wire) = stage_with_a_wire().await;
    let last_words = LastWords::of(&stage, &wire).await;
    zombie.signal(Signal::SIGSTOP);
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    let heir = stage.daemon(&BRISK).await;
    last_words.are_caught_up_with(&stage, &heir).await;
    zombie.signal(Signal::SIGCONT);
    zombie.says("the lease was not renewed in time").await;
    assert!(heir.terminate().await.success());
    last_words.are_caught_up_with(&stage, &zombie).await;
    changes_nothing(&stage, &wire, &zombie).await;

    last_words.end_well(&stage).await;
    stage.finish([zombie]).await;
}

/// No daemon took over, so only the daemon itself can raise the fences.
#[tokio::test(flavor = "multi_thread")]
async fn writes_sent_before_a_lease_lapsed_change_nothing_afterwards() {
    let (stage, mut daemon, wire) = stage_with_a_wire().await;
    let last_words = LastWords::of(&stage, &wire).await;
    daemon.signal(Signal::SIGSTOP);
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    until("the end of the lease", || async {
        let live = "SELECT count(*) FROM processes WHERE expires_at > clock_timestamp()";
        (stage.web.count(live, &[]).await == 0).then_some(())
    })
    .await;
    daemon.signal(Signal::SIGCONT);
    daemon.says("the lease was not renewed in time").await;
    last_words.are_caught_up_with(&stage, &daemon).await;
    changes_nothing(&stage, &wire, &daemon).await;

    last_words.end_well(&stage).await;
    stage.finish([daemon]).await;
}
