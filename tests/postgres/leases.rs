use std::time::Duration;

use paird::postgres::lease::{Lease, TTL, find_stranger};
use paird_actors::domain::AccountId;
use paird_sql::client::Params;
use paird_sql::queries::processes::{
    RenewLease, RenewLeaseParams, TakeLeaseParams, disown_accounts, give_accounts_back, release_lease, renew_lease,
    set_draining, shorten_lease, take_lease,
};
use uuid::Uuid;

use crate::support::Database;

#[tokio::test]
async fn the_end_of_another_daemons_lease_is_noticed_at_once() {
    let database = Database::new().await;
    let pool = database.dsn.pool().unwrap();
    let dying = Lease::start(pool.clone(), Uuid::now_v7(), "paird_command", Vec::new(), Duration::from_secs(2)).await;
    let heir = Lease::start(pool, Uuid::now_v7(), "paird_command", Vec::new(), TTL).await;
    let mut daemons = heir.watch();
    assert_eq!(daemons.borrow_and_update().daemons, 2);
    drop(dying);
    let seen = tokio::time::timeout(TTL / 5, daemons.wait_for(|seen| seen.daemons == 1)).await;
    assert!(seen.is_ok_and(|seen| seen.is_ok()), "the end of the lease was noticed only by a renewal");
}

/// Accounts that are given back at once.
const BATCH: i64 = 100;

/// The statements of a lease, sent by hand, and an account that it owns.
struct ByHand {
    database: Database,
    client: deadpool_postgres::Object,
    process: Uuid,
    account: AccountId,
}

impl ByHand {
    async fn new() -> Self {
        let database = Database::new().await;
        let client = database.dsn.pool().unwrap().get().await.unwrap();
        let account = database.account(Uuid::new_v4(), "shop").await;
        let by_hand = Self { database, client, process: Uuid::now_v7(), account };
        assert_eq!(by_hand.take(1).await, Some(1));
        let owned = "UPDATE whatsapp_accounts
                     SET owner = (SELECT id FROM processes), status = 'held', desired = 'paired'";
        by_hand.sets(owned).await;
        by_hand
    }

    async fn take(&self, renewal: i64) -> Option<i64> {
        let row = TakeLeaseParams {
            process: self.process,
            host: "here",
            pid: 1,
            version: "0",
            pid_space: "space",
            pid_birth: 1,
            command_channel: "paird_command",
            ttl_secs: 20.0,
            renewal,
            draining: false,
            drain_no: 0,
            master_keys: Vec::<String>::new(),
        };
        take_lease().params(&self.client, &row).opt().await.unwrap().map(|taken| taken.epoch)
    }

    async fn renew(&self, renewal: i64, refresh: bool) -> RenewLease {
        self.renew_draining(renewal, refresh, false, 0).await
    }

    async fn renew_draining(&self, renewal: i64, refresh: bool, draining: bool, drain_no: i64) -> RenewLease {
        let row = RenewLeaseParams { process: self.process, ttl_secs: 20.0, renewal, refresh, draining, drain_no };
        renew_lease().params(&self.client, &row).one().await.unwrap()
    }

    async fn drain(&self, draining: bool, number: i64) {
        set_draining().bind(&self.client, &draining, &number, &self.process).await.unwrap();
    }

    async fn give_back(&self, number: i64) -> (i64, bool) {
        let given = give_accounts_back().bind(&self.client, &self.process, &number, &BATCH).one().await.unwrap();
        (given.given, given.more)
    }

    async fn sets(&self, sql: &str) {
        self.database.web.execute(sql, &[]).await.unwrap();
    }

    async fn fence(&self) -> i64 {
        self.database.one("SELECT fence FROM whatsapp_accounts WHERE id = $1", &[&self.account.0]).await
    }

    async fn is_draining(&self) -> bool {
        self.database.one("SELECT draining FROM processes", &[]).await
    }
}

#[tokio::test]
async fn a_renewal_that_lands_late_changes_nothing() {
    let lease = ByHand::new().await;
    let renewed = lease.renew(7, false).await;
    assert_eq!((renewed.found, renewed.epoch, renewed.expired), (true, Some(1), false));
    for late in [7, 6] {
        let renewed = lease.renew(late, true).await;
        assert_eq!((renewed.found, renewed.epoch), (true, None));
        assert_eq!(lease.take(late).await, None);
    }
    assert_eq!(lease.fence().await, 0);
    assert_eq!(lease.database.count("SELECT renewal FROM processes").await, 7);
}

#[tokio::test]
async fn renewing_an_expired_lease_reports_the_expiry() {
    let lease = ByHand::new().await;
    lease.sets("UPDATE processes SET expires_at = clock_timestamp() - interval '1 s'").await;
    let renewed = lease.renew(2, false).await;
    assert_eq!((renewed.epoch, renewed.expired), (Some(2), true));
    assert_eq!(lease.fence().await, 1);
    let renewed = lease.renew(3, false).await;
    assert_eq!((renewed.epoch, renewed.expired), (Some(2), false));
    assert_eq!(lease.fence().await, 1);
    assert_eq!(lease.renew(4, true).await.epoch, Some(4));
    assert_eq!(lease.fence().await, 2, "a refreshing renewal raises the fence");
}

/// While a renewal waits for the row's lock, the lease may run out.
#[tokio::test]
async fn a_renewal_that_waited_looks_at_the_clock_afterwards() {
    let lease = ByHand::new().await;
    lease.sets("UPDATE processes SET expires_at = clock_timestamp() + interval '300 ms'").await;
    lease.database.web.batch_execute("BEGIN; SELECT FROM processes FOR UPDATE").await.unwrap();
    let over = async {
        let over = "SELECT count(*) FROM processes WHERE expires_at < clock_timestamp()";
        crate::support::eventually("the end", async || lease.database.count(over).await == 1).await;
        lease.database.web.batch_execute("COMMIT").await.unwrap();
    };
    let (renewed, ()) = tokio::join!(lease.renew(2, false), over);
    assert!(renewed.expired);
    assert_eq!(lease.fence().await, 1);
}

#[tokio::test]
async fn a_renewal_after_the_end_of_a_lease_does_not_revive_it() {
    let lease = ByHand::new().await;
    shorten_lease().bind(&lease.client, &1.0, &lease.process).await.unwrap();
    assert_eq!(lease.renew(9, false).await.epoch, None);
    let soon = "SELECT count(*) FROM processes WHERE expires_at <= clock_timestamp() + interval '1 s'";
    assert_eq!(lease.database.count(soon).await, 1);
    release_lease().bind(&lease.client, &lease.process).await.unwrap();
    let renewed = lease.renew(10, false).await;
    assert_eq!((renewed.found, renewed.epoch), (false, None));
    assert_eq!(lease.database.count("SELECT count(*) FROM processes").await, 0);
}

#[tokio::test]
async fn a_drain_that_lands_after_its_undoing_changes_nothing() {
    let lease = ByHand::new().await;
    lease.drain(true, 1).await;
    lease.drain(false, 2).await;
    lease.drain(true, 1).await;
    assert!(!lease.is_draining().await);
    lease.renew_draining(2, false, true, 1).await;
    assert!(!lease.is_draining().await, "an older renewal changed the drain");
    assert_eq!(lease.give_back(1).await, (0, false));

    lease.renew_draining(3, false, true, 3).await;
    assert!(lease.is_draining().await, "a renewal says it, too");
    assert_eq!(lease.give_back(1).await, (0, false), "the drain has another number");
    assert_eq!(lease.give_back(3).await, (1, false));
    assert_eq!(lease.database.count("SELECT count(*) FROM whatsapp_accounts WHERE owner IS NULL").await, 1);
}

#[tokio::test]
async fn a_lease_whose_row_is_gone_is_taken_again() {
    let database = Database::new().await;
    let pool = database.dsn.pool().unwrap();
    let lease = Lease::start(pool, Uuid::now_v7(), "paird_command", Vec::new(), Duration::from_secs(2)).await;
    let mut state = lease.watch();
    let former = state.borrow_and_update().state;
    database.web.execute("DELETE FROM processes", &[]).await.unwrap();
    let again = state.wait_for(|seen| seen.state.is_live() && seen.state != former);
    assert!(tokio::time::timeout(TTL, again).await.is_ok_and(|again| again.is_ok()));
    assert_eq!(database.count("SELECT count(*) FROM processes WHERE expires_at > clock_timestamp()").await, 1);
    lease.release().await.unwrap();
}

/// An account whose row is locked, for example by a web app's transaction, is skipped.
#[tokio::test]
async fn an_account_that_is_locked_delays_no_renewal() {
    let lease = ByHand::new().await;
    let other = lease.database.account(Uuid::new_v4(), "locked").await;
    lease
        .sets("UPDATE whatsapp_accounts SET owner = (SELECT id FROM processes), status = 'held', desired = 'paired'")
        .await;
    let locked = format!("BEGIN; UPDATE whatsapp_accounts SET label = 'renamed' WHERE id = '{}'", other.0);
    lease.database.web.batch_execute(&locked).await.unwrap();
    let renewed = tokio::time::timeout(Duration::from_secs(5), lease.renew(2, true)).await;
    assert_eq!(renewed.expect("it waits for the locked account").epoch, Some(2));
    set_draining().bind(&lease.client, &true, &1, &lease.process).await.unwrap();
    let given = tokio::time::timeout(Duration::from_secs(5), lease.give_back(1)).await;
    assert_eq!(given.expect("it waits for the locked account"), (1, true), "one is left for later");
    lease.database.web.batch_execute("COMMIT").await.unwrap();
    assert_eq!(lease.fence().await, 1);
    assert_eq!(lease.give_back(1).await, (1, false));
}

/// Batches keep each statement short. Accounts that another daemon must run come first.
#[tokio::test]
async fn accounts_are_given_back_in_batches_the_active_first() {
    let lease = ByHand::new().await;
    let resting = "INSERT INTO whatsapp_accounts (operator_id, label, owner)
                   SELECT gen_random_uuid(), 'at rest ' || n, p.id FROM processes p, generate_series(1, 250) n";
    lease.sets(resting).await;
    lease.sets("UPDATE whatsapp_accounts SET created_at = clock_timestamp() WHERE status = 'held'").await;
    let free = "SELECT count(*) FROM whatsapp_accounts WHERE owner IS NULL";
    lease.drain(true, 1).await;
    assert_eq!(lease.give_back(1).await, (BATCH, true));
    let active = format!("{free} AND status = 'held'");
    assert_eq!(lease.database.count(&active).await, 1);
    lease.drain(false, 2).await;
    assert_eq!(lease.give_back(1).await, (0, false), "the drain was undone in between");
    lease.drain(true, 3).await;
    assert_eq!(lease.give_back(3).await, (BATCH, true));
    assert_eq!(lease.give_back(3).await, (51, false));
    assert_eq!(lease.database.count(free).await, 251);
}

#[tokio::test]
async fn only_a_daemon_that_has_ended_disowns_its_accounts() {
    let lease = ByHand::new().await;
    let other = lease.database.account(Uuid::new_v4(), "another's").await;
    let resting = "INSERT INTO whatsapp_accounts (operator_id, label, owner)
                   SELECT gen_random_uuid(), 'at rest ' || n, p.id FROM processes p, generate_series(1, 149) n";
    lease.sets(resting).await;
    lease.sets(&format!("UPDATE whatsapp_accounts SET owner = gen_random_uuid() WHERE id = '{}'", other.0)).await;
    let disown = async || disown_accounts().bind(&lease.client, &lease.process, &BATCH).one().await.unwrap();
    assert_eq!(disown().await, 0, "it lives");
    release_lease().bind(&lease.client, &lease.process).await.unwrap();
    assert_eq!(disown().await, BATCH);
    assert_eq!(disown().await, 50);
    assert_eq!(lease.database.count("SELECT count(*) FROM whatsapp_accounts WHERE owner IS NOT NULL").await, 1);
}

#[tokio::test]
async fn an_account_at_rest_keeps_its_fence() {
    let lease = ByHand::new().await;
    lease.sets("UPDATE whatsapp_accounts SET status = 'unpaired', desired = 'unpaired'").await;
    lease.renew(2, true).await;
    assert_eq!(lease.fence().await, 0, "however many there are, a renewal does not touch them");
    let command = lease.database.send("account.cancel", lease.account).await;
    let taken = "UPDATE commands SET taken_by = (SELECT id FROM processes), taken = gen_random_uuid() WHERE id = $1";
    lease.database.web.execute(taken, &[&command]).await.unwrap();
    lease.renew(3, true).await;
    assert_eq!(lease.fence().await, 1, "the fence is raised: the command may have started something");
}

/// A daemon that is stopped while its first statement is under way: the statement arrives after the release.
#[tokio::test]
async fn a_lease_that_is_taken_after_its_end_does_not_come_about() {
    let lease = ByHand::new().await;
    let process = Uuid::now_v7();
    release_lease().bind(&lease.client, &process).await.unwrap();
    let late = ByHand { process, ..lease };
    assert_eq!(late.take(1).await, None);
    let live = "SELECT count(*) FROM processes WHERE expires_at > clock_timestamp()";
    assert_eq!(late.database.count(live).await, 1, "the other daemon's");
}

#[tokio::test]
async fn without_sealed_keys_daemons_must_share_a_master_key() {
    let database = Database::new().await;
    let (first, second, third) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let start = async |process, keys: &[&str]| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Lease::start(database.dsn.pool().unwrap(), process, "paird_command", keys, TTL).await
    };
    let pool = database.dsn.pool().unwrap();
    let _first = start(first, &["one"]).await;
    let _second = start(second, &["two"]).await;
    let _third = start(third, &["one", "three"]).await;
    assert_eq!(find_stranger(&pool, first).await.unwrap(), None, "the first daemon has no stranger before it");
    let stranger = find_stranger(&pool, second).await.unwrap().expect("one has another key");
    assert_eq!(stranger.pid, i32::try_from(std::process::id()).unwrap());
    assert_eq!(find_stranger(&pool, third).await.unwrap(), None, "one key in common is enough");
}
