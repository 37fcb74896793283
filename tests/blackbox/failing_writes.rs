//! Statements that fail in the middle, at each table that they touch: all of it is
//! written or nothing, it is tried again, and the others go on meanwhile.

use paird_sandbox::{Fault, Group, Scope};
use paird_testkit::{Api, Daemon, Stage, until};
use serde_json::json;
use uuid::Uuid;

const NEIGHBOUR: &str = "436609999999";

/// A fault: writes of this table's rows fail if the condition holds.
struct Broken {
    table: &'static str,
    verb: &'static str,
    /// An SQL condition on `NEW`, or on `OLD` for a delete.
    when: &'static str,
    /// Each `nth` row fails: with 1 the first, else one in the middle.
    nth: u32,
}

const fn broken(verb: &'static str, table: &'static str, when: &'static str) -> Broken {
    Broken { table, verb, when, nth: 1 }
}

const fn midway(verb: &'static str, table: &'static str, nth: u32) -> Broken {
    Broken { table, verb, when: "true", nth }
}

impl Broken {
    /// From now on it fails for this account.
    async fn strike(&self, stage: &Stage, account: Uuid) {
        let Self { table, verb, when, nth } = self;
        let row = if *verb == "DELETE" { "OLD" } else { "NEW" };
        let key = match *table {
            "whatsapp_accounts" => "id",
            "audit_log" => "target_id",
            _ => "account_id",
        };
        let arm = format!(
            "SELECT setval('touches', 1, false), setval('strikes', 1, false);
             CREATE TRIGGER struck BEFORE {verb} ON {table} FOR EACH ROW
             WHEN ({row}.{key} = '{account}' AND ({when})) EXECUTE FUNCTION strike('{nth}')"
        );
        stage.web.sql.batch_execute(&arm).await.unwrap();
    }

    async fn mend(&self, stage: &Stage) {
        stage.web.sql.batch_execute(&format!("DROP TRIGGER struck ON {}", self.table)).await.unwrap();
    }

    fn name(&self) -> String {
        format!("{} of {} where {}, each {}", self.verb, self.table, self.when, self.nth)
    }
}

/// A stage whose database can be made to fail, and an account that has no part in it.
async fn stage() -> (Stage, Daemon, Uuid) {
    let (stage, daemon) = Stage::with_daemon().await;
    let neighbour = stage.web.connect_account("neighbour", NEIGHBOUR, &stage.phones).await;
    stage.web.event(neighbour, "groups.synced", 0).await;
    // A sequence keeps its count when the statement is rolled back.
    let machinery = "CREATE SEQUENCE touches;
        CREATE SEQUENCE strikes;
        CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('touches') % TG_ARGV[0]::bigint = 0 THEN
                PERFORM nextval('strikes');
                RAISE EXCEPTION 'injected: no % of %', lower(TG_OP), TG_TABLE_NAME USING ERRCODE = 'disk_full';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END $$";
    stage.web.sql.batch_execute(machinery).await.unwrap();
    (stage, daemon, neighbour)
}

async fn strikes(stage: &Stage) -> i64 {
    stage.web.count("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM strikes", &[]).await
}

/// Checks that each transaction is visible as a whole or not at all.
async fn assert_whole(stage: &Stage, account: Uuid) {
    let halves = "WITH told AS (
            SELECT kind, count(*) AS times FROM events WHERE account_id = $1 GROUP BY kind
        ), audited AS (
            SELECT CASE action WHEN 'account.paired' THEN 'session.connected' ELSE action END AS kind, count(*) AS times
            FROM audit_log WHERE target_id = $1 AND action LIKE 'account.%' GROUP BY 1
        )
        SELECT array_remove(ARRAY[
            CASE WHEN a.event_seq <> (SELECT count(*) FROM events e WHERE e.account_id = a.id)
                 THEN 'an event and its number' END,
            CASE WHEN EXISTS (SELECT FROM told FULL JOIN audited USING (kind)
                              WHERE kind IN ('session.connected', 'account.unpaired', 'account.deleted', 'account.unlinked')
                                AND told.times IS DISTINCT FROM audited.times)
                 THEN 'an event and its audit' END,
            CASE WHEN a.status = 'connected' AND NOT EXISTS (SELECT FROM keyrings k WHERE k.id = a.keyring_id)
                 THEN 'a link and its keys' END,
            CASE WHEN a.linking_keyring_id IS NOT NULL
                      AND NOT EXISTS (SELECT FROM keyrings k WHERE k.id = a.linking_keyring_id)
                 THEN 'a link that is made and its keys' END,
            CASE WHEN EXISTS (SELECT FROM keyrings k WHERE k.account_id = a.id AND NOT EXISTS (
                     SELECT FROM credentials c WHERE c.keyring_id = k.id AND c.kind = 'device'))
                 THEN 'a keyring and its records' END,
            CASE WHEN EXISTS (SELECT FROM keyrings k WHERE k.account_id = a.id
                              AND k.id IS DISTINCT FROM a.keyring_id AND k.id IS DISTINCT FROM a.linking_keyring_id
                              AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id))
                 THEN 'keys and who holds them' END,
            CASE WHEN (SELECT count(*) FROM told WHERE kind IN ('account.unpaired', 'account.deleted'))
                      <> (SELECT count(*) FROM unlink_tickets t WHERE t.account_id = a.id)
                         + (SELECT count(*) FROM told WHERE kind = 'account.unlinked')
                 THEN 'an end and its ticket' END,
            CASE WHEN (SELECT count(*) FROM whatsapp_groups g WHERE g.account_id = a.id)
                      <> CASE WHEN EXISTS (SELECT FROM told WHERE kind = 'account.deleted') THEN 0
                         ELSE coalesce((SELECT (e.payload->>'count')::bigint FROM events e
                                        WHERE e.account_id = a.id AND e.kind = 'groups.synced'
                                        ORDER BY e.seq DESC LIMIT 1), 0) END
                 THEN 'groups and how many' END
        ], NULL)
        FROM whatsapp_accounts a WHERE a.id = $1";
    let halves: Vec<String> = stage.web.sql.query_one(halves, &[&account]).await.unwrap().get(0);
    assert_eq!(halves, [""; 0], "half-written");
}

/// Injects the fault, sends the command, and sees it fail twice without partial writes while
/// the other account works; then removes the fault and waits for the regular outcome.
async fn fails_and_recovers<F: Future<Output = ()>>(
    broken: &Broken,
    stage: &Stage,
    (account, neighbour): (Uuid, Uuid),
    command: &str,
    push: impl Fn() -> F,
    is_over: impl AsyncFn() -> bool,
) {
    let web = &stage.web;
    broken.strike(stage, account).await;
    let args = if command == "account.unpair" { json!({"logout": true}) } else { json!({}) };
    let command = web.send(command, account, args).await;
    until(&format!("two failures: {}", broken.name()), || async {
        push().await;
        assert_whole(stage, account).await;
        (strikes(stage).await >= 2).then_some(())
    })
    .await;
    let seq = web.seq(neighbour).await;
    web.does("account.pair", neighbour, json!({})).await;
    assert_eq!(web.event(neighbour, "session.connected", seq).await.seq, seq + 1);
    assert_whole(stage, account).await;
    broken.mend(stage).await;
    until(&format!("its end after: {}", broken.name()), || async {
        push().await;
        assert_whole(stage, account).await;
        is_over().await.then_some(())
    })
    .await;
    let (state, result) = web.outcome(command).await;
    assert_eq!(state, "done", "{}: {result}", broken.name());
    assert!(!web.kinds(account).await.contains(&"command.failed".to_owned()));
}

async fn nobody_else_noticed(stage: Stage, daemon: Daemon, neighbour: Uuid) {
    let kinds = stage.web.kinds(neighbour).await;
    assert!(!kinds.contains(&"session.disconnected".to_owned()), "{kinds:?}");
    assert_eq!(stage.web.status(neighbour).await, "connected");
    let open = "SELECT count(*) FROM commands WHERE state NOT IN ('done', 'failed') OR result IS NULL";
    assert_eq!(stage.web.count(open, &[]).await, 0);
    assert_eq!(stage.phones.report().await.replaced, 0);
    stage.finish([daemon]).await;
}

fn number(nth: usize) -> String {
    format!("43660100{nth:04}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_survives_failing_writes_to_any_table() {
    let (stage, daemon, neighbour) = stage().await;
    let web = &stage.web;
    for (nth, broken) in [
        broken("UPDATE", "whatsapp_accounts", "NEW.status = 'pending' AND OLD.status <> 'pending'"),
        broken("UPDATE", "commands", "NEW.state IN ('done', 'failed')"),
        broken("INSERT", "events", "NEW.kind = 'session.qr'"),
        broken("UPDATE", "whatsapp_accounts", "NEW.phone_number IS NOT NULL AND OLD.phone_number IS NULL"),
        broken("INSERT", "keyrings", "true"),
        midway("INSERT", "credentials", 1),
        midway("INSERT", "credentials", 9),
        broken("UPDATE", "whatsapp_accounts", "NEW.linking_keyring_id IS NOT NULL"),
        broken("INSERT", "audit_log", "NEW.action = 'account.paired'"),
        broken("INSERT", "events", "NEW.kind = 'session.connected'"),
    ]
    .iter()
    .enumerate()
    {
        let number = number(nth);
        stage.phones.add(&number).await;
        let account = web.account(&format!("shop {nth}")).await;
        // Owned before the fault: claiming is one statement for all accounts, and would fail for the neighbour, too.
        web.does("account.cancel", account, json!({})).await;
        let push = || async {
            if let Some(qr) = web.qr_now(account).await {
                // It fails if the QR's socket has ended.
                let _ = stage.phones.scan(&number, &qr).await;
            }
        };
        let is_over = async || web.status(account).await == "connected";
        fails_and_recovers(broken, &stage, (account, neighbour), "account.pair", push, is_over).await;
        web.event(account, "groups.synced", 0).await;
        web.agrees_with(&stage.phones, &number).await;
        let ends = web.endings(account, 0).await;
        assert_eq!(ends, ["session.connected"], "{}", broken.name());
    }
    nobody_else_noticed(stage, daemon, neighbour).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_writes_leave_all_new_groups_or_all_old_ones() {
    let (stage, daemon, neighbour) = stage().await;
    let web = &stage.web;
    let account = web.connect_account("shop", &number(0), &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    for (nth, broken) in [
        broken("INSERT", "whatsapp_groups", "true"),
        midway("INSERT", "whatsapp_groups", 3),
        broken("DELETE", "whatsapp_groups", "true"),
        midway("DELETE", "whatsapp_groups", 2),
        broken("INSERT", "events", "NEW.kind = 'groups.synced'"),
        broken("UPDATE", "commands", "NEW.kind = 'groups.sync' AND NEW.state = 'done'"),
        broken("UPDATE", "whatsapp_accounts", "NEW.groups_synced_at IS DISTINCT FROM OLD.groups_synced_at"),
    ]
    .iter()
    .enumerate()
    {
        let groups: Vec<Group> = (0..4 + nth % 2).map(|of| group(nth * 10 + of)).collect();
        stage.phones.set_groups(&number(0), &groups).await;
        let seq = web.seq(account).await;
        let is_over = async || web.events(account).await.iter().any(|e| e.seq > seq && e.kind == "groups.synced");
        let push = || async {};
        fails_and_recovers(broken, &stage, (account, neighbour), "groups.sync", push, is_over).await;
        let sql = "SELECT jid FROM whatsapp_groups WHERE account_id = $1 ORDER BY jid";
        let stored: Vec<String> = web.sql.query(sql, &[&account]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let mut listed: Vec<String> = groups.into_iter().map(|group| group.jid).collect();
        listed.sort();
        assert_eq!(stored, listed, "{}", broken.name());
    }
    nobody_else_noticed(stage, daemon, neighbour).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpair_with_failing_writes_happens_whole_or_not_at_all() {
    unlinks_through(
        "account.unpair",
        &[
            broken("UPDATE", "whatsapp_accounts", "NEW.keyring_id IS NULL AND OLD.keyring_id IS NOT NULL"),
            broken("INSERT", "unlink_tickets", "true"),
            broken("INSERT", "events", "NEW.kind = 'account.unpaired'"),
            broken("INSERT", "audit_log", "NEW.action = 'account.unpaired'"),
            broken("UPDATE", "commands", "NEW.state IN ('done', 'failed')"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_with_failing_writes_happens_whole_or_not_at_all() {
    unlinks_through(
        "account.delete",
        &[
            broken("UPDATE", "whatsapp_accounts", "NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL"),
            broken("UPDATE", "whatsapp_accounts", "NEW.keyring_id IS NULL AND OLD.keyring_id IS NOT NULL"),
            broken("INSERT", "unlink_tickets", "true"),
            broken("DELETE", "whatsapp_groups", "true"),
            broken("INSERT", "events", "NEW.kind = 'account.deleted'"),
            broken("UPDATE", "commands", "NEW.state IN ('done', 'failed')"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_with_failing_writes_erases_keys_only_when_it_closes() {
    unlinks_through(
        "account.delete",
        &[
            broken("DELETE", "unlink_tickets", "true"),
            broken("DELETE", "keyrings", "true"),
            midway("DELETE", "credentials", 1),
            midway("DELETE", "credentials", 9),
            broken("UPDATE", "whatsapp_accounts", "NEW.status = 'unpaired' AND OLD.status = 'deleting'"),
            broken("INSERT", "events", "NEW.kind = 'account.unlinked'"),
            broken("INSERT", "audit_log", "NEW.action = 'account.unlinked'"),
        ],
    )
    .await;
}

async fn unlinks_through(command: &str, breaks: &[Broken]) {
    let (stage, daemon, neighbour) = stage().await;
    let web = &stage.web;
    for (nth, broken) in breaks.iter().enumerate() {
        let number = number(nth);
        let account = web.connect_account(&format!("shop {nth}"), &number, &stage.phones).await;
        web.event(account, "groups.synced", 0).await;
        let push = || async {
            // Keys are erased only after the device has left the phone.
            if web.keys(account).await.0 == 0 {
                assert_eq!(stage.phones.devices(&number).await, []);
            }
        };
        let is_over = async || web.kinds(account).await.contains(&"account.unlinked".to_owned());
        fails_and_recovers(broken, &stage, (account, neighbour), command, push, is_over).await;
        assert_eq!(stage.phones.devices(&number).await, []);
        assert_eq!((web.keys(account).await, web.tickets(account).await), ((0, 0), 0), "{}", broken.name());
        web.status_is(account, "unpaired").await;
    }
    nobody_else_noticed(stage, daemon, neighbour).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_lost_and_regained_with_failing_writes_keeps_its_keys() {
    let (stage, daemon, neighbour) = stage().await;
    let web = &stage.web;
    let number = number(0);
    let account = web.connect_account("shop", &number, &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    let [device] = &stage.phones.devices_are(&number, 1).await[..] else { panic!() };
    let keyring: Uuid = web.column(account, "keyring_id").await;
    for broken in &[
        broken("UPDATE", "whatsapp_accounts", "NEW.status = 'reconnecting'"),
        broken("INSERT", "events", "NEW.kind = 'session.disconnected'"),
        broken("INSERT", "audit_log", "NEW.action = 'session.disconnected'"),
        midway("INSERT", "credentials", 1),
        broken("UPDATE", "whatsapp_accounts", "NEW.status = 'connected' AND OLD.status <> 'connected'"),
    ] {
        let logins = stage.phones.report().await.logins;
        let seq = web.seq(account).await;
        broken.strike(&stage, account).await;
        stage.phones.fault(Fault::Cut { scope: Scope::Number(number.clone()) }).await;
        until(&format!("a failure: {}", broken.name()), || async { (strikes(&stage).await >= 1).then_some(()) }).await;
        web.does("account.pair", neighbour, json!({})).await;
        assert_ne!(web.status(account).await, "unpaired", "{}", broken.name());
        broken.mend(&stage).await;
        until(&format!("back after: {}", broken.name()), || async {
            let again = stage.phones.report().await.logins > logins && web.status(account).await == "connected";
            let listed = stage.phones.devices(&number).await;
            (again && matches!(&listed[..], [now] if now.jid == device.jid && now.connected)).then_some(())
        })
        .await;
        assert_eq!(web.column::<Uuid>(account, "keyring_id").await, keyring, "{}", broken.name());
        let lost = web.events(account).await.into_iter().filter(|e| e.seq > seq && e.kind == "session.disconnected");
        assert!(lost.count() >= 1, "{}", broken.name());
        // After so many losses the backoff is long; a command does not wait for it.
        web.does("account.resume", account, json!({})).await;
    }
    assert_eq!(stage.phones.report().await.links_made, 2);
    nobody_else_noticed(stage, daemon, neighbour).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_release_fails_stays_and_moves_later() {
    let (stage, daemon, neighbour) = stage().await;
    let web = &stage.web;
    // Enough accounts for daemons to hand some over.
    let mut accounts = vec![neighbour];
    for nth in 0..9 {
        accounts.push(web.connect_account(&format!("shop {nth}"), &number(nth), &stage.phones).await);
    }
    web.linked_long_ago().await;
    let broken = broken("UPDATE", "whatsapp_accounts", "NEW.owner IS NULL");
    // Any of them may be handed over.
    for each in &accounts {
        let trigger = format!("given_up_{}", each.simple());
        let sql = format!(
            "CREATE TRIGGER {trigger} BEFORE UPDATE ON whatsapp_accounts FOR EACH ROW
             WHEN (NEW.id = '{each}' AND ({})) EXECUTE FUNCTION strike('1')",
            broken.when
        );
        web.sql.batch_execute(&sql).await.unwrap();
    }
    let other = stage.daemon(&[]).await;
    until("a hand-over that failed", || async { (strikes(&stage).await >= 1).then_some(()) }).await;
    for each in &accounts {
        web.status_is(*each, "connected").await;
        let sql = format!("DROP TRIGGER given_up_{} ON whatsapp_accounts", each.simple());
        web.sql.batch_execute(&sql).await.unwrap();
    }
    until("some each", || async {
        let sql = "SELECT count(DISTINCT owner) FROM whatsapp_accounts WHERE status = 'connected'";
        (web.count(sql, &[]).await == 2).then_some(())
    })
    .await;
    for each in accounts {
        web.status_is(each, "connected").await;
        assert_eq!(web.does("account.pair", each, json!({})).await, "already connected");
    }
    assert_eq!(stage.phones.report().await.replaced, 0);
    stage.finish([daemon, other]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_gives_accounts_back_once_the_database_lets_it() {
    let (stage, mut daemon, account) = stage().await;
    let api = Api::of(&stage, &mut daemon).await;
    let broken = broken("UPDATE", "whatsapp_accounts", "NEW.owner IS NULL");
    broken.strike(&stage, account).await;
    let mending = async {
        until("accounts that are not given back", || async { (strikes(&stage).await >= 2).then_some(()) }).await;
        assert!(stage.web.column::<Option<Uuid>>(account, "owner").await.is_some());
        broken.mend(&stage).await;
    };
    let (drained, ()) = tokio::join!(api.post("/api/drain", json!({})), mending);
    assert_eq!(drained.is(200).json()["accounts"], 1);
    assert_eq!(stage.web.column::<Option<Uuid>>(account, "owner").await, None);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_cannot_be_parked_yet_holds_up_no_other() {
    let (stage, daemon, neighbour) = stage().await;
    let web = &stage.web;
    let stale = web.account("stale").await;
    let other = web.account("stale, too").await;
    assert!(daemon.terminate().await.success());
    let leave = "UPDATE whatsapp_accounts SET status = 'pending', desired = 'paired', owner = gen_random_uuid(),
        pair_deadline = clock_timestamp() - interval '1 min', last_qr_png = 'old' WHERE id = ANY ($1)";
    web.sql.execute(leave, &[&vec![stale, other]]).await.unwrap();
    let broken = broken("INSERT", "events", "NEW.kind = 'session.timeout'");
    broken.strike(&stage, stale).await;
    let daemon = stage.daemon(&[]).await;
    web.status_is(other, "unpaired").await;
    until("a failure", || async { (strikes(&stage).await >= 1).then_some(()) }).await;
    assert_eq!((web.status(stale).await.as_str(), web.seq(stale).await), ("pending", 0), "not by half");
    broken.mend(&stage).await;
    web.status_is(stale, "unpaired").await;
    for account in [stale, other] {
        assert_eq!(web.kinds(account).await, ["session.timeout"]);
    }
    web.status_is(neighbour, "connected").await;
    stage.finish([daemon]).await;
}

fn group(nth: usize) -> Group {
    Group {
        jid: format!("12036304{nth:010}@g.us"),
        subject: format!("group {nth}"),
        participants: 3,
        is_admin: nth.is_multiple_of(2),
        by_lid: false,
    }
}
