use paird_actors::domain::{
    AccountId, Change, Fence, KeyringId, Link, LinkedDevice, Owned, Phone, Status, StoreError, Survey, Written,
};
use paird_actors::ports::{AccountStore, ConnectionStore, FleetStore};
use uuid::Uuid;

use crate::support::{Daemon, Database, update, write};

/// Claims a number for the account. Returns the label of the account that has it already.
async fn claim(daemon: &Daemon, account: AccountId, phone: &Phone) -> Option<String> {
    let mut record = daemon.load(account).await;
    let keyring = KeyringId(Uuid::new_v4());
    record.link = Link::Held(LinkedDevice { keyring, phone: Some(phone.clone()), jid: None });
    match daemon.write(update(&record, Change::default())).await.unwrap() {
        Written::Done { .. } => None,
        Written::NumberTaken { existing_label } => Some(existing_label),
    }
}

#[tokio::test]
async fn of_two_attempts_at_one_number_one_is_a_duplicate() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    for round in 0..100 {
        let operator = Uuid::new_v4();
        let one = database.account(operator, "one").await;
        let two = database.account(operator, "two").await;
        daemon.own(one).await;
        daemon.own(two).await;
        let phone = Phone::parse("436601234567").unwrap();
        let (first, second) = tokio::join!(claim(&daemon, one, &phone), claim(&daemon, two, &phone));
        let answers = [first.as_deref(), second.as_deref()];
        assert!(answers == [None, Some("one")] || answers == [Some("two"), None], "round {round}: {answers:?}");
    }
}

#[tokio::test]
async fn the_oldest_other_live_account_of_the_same_operator_is_named() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let operator = Uuid::new_v4();
    let stranger = database.account(Uuid::new_v4(), "stranger").await;
    let deleted = database.account(operator, "deleted").await;
    let incumbent = database.account(operator, "incumbent").await;
    let newcomer = database.account(operator, "newcomer").await;
    let phone = Phone::parse("436601234567").unwrap();
    for account in [stranger, deleted, incumbent, newcomer] {
        daemon.own(account).await;
    }
    let claim = async |account| claim(&daemon, account, &phone).await;
    assert_eq!(claim(stranger).await, None);
    assert_eq!(claim(deleted).await, None);
    database.web.execute("UPDATE whatsapp_accounts SET deleted_at = now() WHERE id = $1", &[&deleted.0]).await.unwrap();
    assert_eq!(claim(incumbent).await, None);
    assert_eq!(claim(incumbent).await, None, "an account is no duplicate of itself");
    assert_eq!(claim(newcomer).await.as_deref(), Some("incumbent"));
    assert_eq!(daemon.load(newcomer).await.phone(), None, "nothing was written");
}

#[tokio::test]
async fn a_takeover_raises_the_fence_and_requeues_commands() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let mut record = database.owned(&former, "shop").await;
    record.status = Status::Connected;
    record.desired = paird_actors::domain::Desired::Paired;
    former.write(update(&record, Change::default())).await.unwrap();
    database.send("account.cancel", record.id).await;
    assert_eq!(former.store.take_commands().await.unwrap().len(), 1);

    let present = database.daemon().await;
    assert_eq!(present.store.claim_accounts(9).await.unwrap(), 0);
    assert_eq!(present.store.take_commands().await.unwrap(), []);
    assert_eq!(
        present.store.survey(&[]).await.unwrap(),
        Survey { owned: Vec::new(), needing: 1, daemons: 2, least: 0 }
    );
    database.kill(former).await;
    assert_eq!(present.store.claim_accounts(9).await.unwrap(), 1);
    let fence = Fence(record.fence.0 + 1);
    let owned = Owned { account: record.id, fence, movable: true, active: true, tickets: Vec::new() };
    assert_eq!(
        present.store.survey(&[]).await.unwrap(),
        Survey { owned: vec![owned], needing: 1, daemons: 1, least: 1 }
    );
    let taken_over = present.load(record.id).await;
    assert_eq!(taken_over.fence.0, record.fence.0 + 1);
    assert_eq!(present.store.take_commands().await.unwrap().len(), 1);
}

#[tokio::test]
async fn daemons_claiming_at_once_take_no_account_from_each_other() {
    let database = Database::new().await;
    let operator = Uuid::new_v4();
    for nth in 0..50 {
        database.account(operator, &format!("account {nth}")).await;
    }
    database.account(operator, "at rest").await;
    wanted(&database, "label <> 'at rest'").await;
    let (one, two, three) = (database.daemon().await, database.daemon().await, database.daemon().await);
    for _ in 0..5 {
        let claims = [one.store.claim_accounts(4), two.store.claim_accounts(4), three.store.claim_accounts(4)];
        for claimed in futures_util::future::join_all(claims).await {
            assert!(claimed.unwrap() <= 4, "more than was asked for");
        }
    }
    assert_eq!(database.count("SELECT count(*) FROM whatsapp_accounts WHERE fence = 1").await, 50);
    assert_eq!(database.count("SELECT count(*) FROM whatsapp_accounts WHERE owner IS NULL").await, 1);
}

#[tokio::test]
async fn a_released_account_waits_for_a_daemon_below_its_share() {
    let database = Database::new().await;
    let (former, present) = (database.daemon().await, database.daemon().await);
    let record = database.owned(&former, "shop").await;
    wanted(&database, "true").await;
    database.send("account.cancel", record.id).await;
    assert_eq!(former.store.take_commands().await.unwrap().len(), 1);
    former.store.release_account(record.id, Fence(record.fence.0 + 1)).await.unwrap();
    assert!(former.store.load_account(record.id).await.unwrap().is_some(), "given up with a fence that is not its own");
    former.store.release_account(record.id, record.fence).await.unwrap();
    assert_eq!(former.store.take_commands().await.unwrap(), [], "taken back for its command");
    let late = former.store.record(&write(None, update(&record, Change::default()))).await;
    assert!(matches!(late, Err(StoreError::Fenced)));
    assert_eq!(present.store.claim_accounts(1).await.unwrap(), 1);
    assert_eq!(present.store.take_commands().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_command_taken_during_a_move_is_run_by_the_new_owner() {
    let database = Database::new().await;
    let (former, present) = (database.daemon().await, database.daemon().await);
    let record = database.owned(&former, "shop").await;
    wanted(&database, "true").await;
    database.send("account.cancel", record.id).await;
    let taken = former.store.take_commands().await.unwrap();
    // The release did not see the take, which was committed a moment later, so it put nothing back.
    database.web.execute("UPDATE whatsapp_accounts SET owner = $1", &[&present.process]).await.unwrap();
    let again = present.store.take_commands().await.unwrap();
    assert_eq!((again[0].id, again.len()), (taken[0].id, 1));
    assert_eq!(present.store.take_commands().await.unwrap(), []);
}

#[tokio::test]
async fn a_daemon_whose_lease_ran_out_owns_nothing_and_takes_nothing() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    wanted(&database, "true").await;
    database.send("account.cancel", record.id).await;
    let zombie = database.kill(daemon).await;
    assert_eq!(zombie.survey(&[]).await.unwrap(), Survey { owned: Vec::new(), needing: 1, daemons: 0, least: 0 });
    assert_eq!(zombie.take_commands().await.unwrap(), []);
    assert_eq!(zombie.claim_accounts(9).await.unwrap(), 0);
}

/// Makes accounts need a daemon.
async fn wanted(database: &Database, which: &str) {
    let sql = format!("UPDATE whatsapp_accounts SET desired = 'paired', status = 'connected' WHERE {which}");
    database.web.execute(&sql, &[]).await.unwrap();
}

#[tokio::test]
async fn a_draining_daemon_takes_neither_accounts_nor_commands() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    daemon.lease.drain(true).await.unwrap();
    let account = database.account(Uuid::new_v4(), "shop").await;
    database.send("account.cancel", account).await;
    assert_eq!(daemon.store.claim_accounts(9).await.unwrap(), 0);
    assert_eq!(daemon.store.take_commands().await.unwrap(), []);
    assert!(daemon.store.load_account(account).await.unwrap().is_none());
    daemon.lease.drain(false).await.unwrap();
    assert_eq!(daemon.store.take_commands().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_released_lease_frees_its_accounts_at_once() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let record = database.owned(&former, "shop").await;
    former.lease.release().await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM processes").await, 0);
    let present = database.daemon().await;
    assert_eq!(present.record(record.id).await.fence.0, record.fence.0 + 1);
}

#[tokio::test]
async fn a_local_daemon_whose_process_is_gone_is_not_waited_for() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let record = database.owned(&former, "shop").await;
    let neighbour = database.daemon().await;
    database
        .web
        .execute("UPDATE processes SET pid_birth = pid_birth - 1 WHERE id = $1", &[&former.process])
        .await
        .unwrap();
    let present = database.daemon().await;
    present.record(record.id).await;
    assert!(neighbour.lease.is_live());
    let left = database.count("SELECT count(*) FROM processes").await;
    assert_eq!(left, 2, "the neighbour lives");
}

#[tokio::test]
async fn a_late_release_does_not_touch_an_account_taken_back() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    // The daemon sent a release that was not answered, so it takes the account back; then the release arrives.
    daemon.store.retake_account(record.id, record.fence).await.unwrap();
    daemon.store.release_account(record.id, record.fence).await.unwrap();
    assert_eq!(daemon.load(record.id).await.fence, Fence(record.fence.0 + 1), "a late release gave the account up");

    let present = daemon.load(record.id).await;
    daemon.store.release_account(record.id, present.fence).await.unwrap();
    daemon.store.retake_account(record.id, present.fence).await.unwrap();
    assert_eq!(
        daemon.load(record.id).await.fence,
        Fence(present.fence.0 + 1),
        "the release was done, so the account is taken back"
    );

    let present = daemon.load(record.id).await;
    daemon.store.release_account(record.id, present.fence).await.unwrap();
    let draining = async |draining| {
        database.web.execute("UPDATE processes SET draining = $1", &[&draining]).await.unwrap();
    };
    draining(true).await;
    daemon.store.retake_account(record.id, present.fence).await.unwrap();
    assert!(daemon.store.load_account(record.id).await.unwrap().is_none(), "a draining daemon took the account back");
    draining(false).await;

    let other = database.daemon().await;
    other.own(record.id).await;
    daemon.store.retake_account(record.id, present.fence).await.unwrap();
    assert!(daemon.store.load_account(record.id).await.unwrap().is_none(), "an account was taken from its live owner");
}

#[tokio::test]
async fn nothing_is_dialled_for_an_account_that_is_not_ours() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    daemon.store.load_connection_settings(record.id, record.fence).await.unwrap();
    let refused = async |store: &paird::postgres::store::PgStore, fence| {
        matches!(store.load_connection_settings(record.id, fence).await, Err(StoreError::Fenced))
    };
    assert!(refused(&daemon.store, Fence(record.fence.0 - 1)).await, "under a former fence");
    let written = daemon.write(update(&record, Change::default())).await.unwrap();
    assert!(matches!(written, Written::Done { settings: Some(_) }));
    let follows = daemon.store.load_account(record.id).await.unwrap().unwrap().last_change;
    let store = database.kill(daemon).await;
    assert!(refused(&store, record.fence).await, "without a live lease");
    let written = store.record(&write(follows, update(&record, Change::default()))).await.unwrap();
    assert_eq!(written, Written::Done { settings: None }, "nor directly after a change");
}

#[tokio::test]
async fn an_account_at_rest_is_surveyed_only_while_it_runs_here() {
    let database = Database::new().await;
    let (here, there) = (database.daemon().await, database.daemon().await);
    let resting = database.owned(&here, "at rest").await;
    let elsewhere = database.owned(&there, "elsewhere").await;
    assert_eq!(here.store.survey(&[]).await.unwrap().owned, []);
    let owned = here.store.survey(&[resting.id, elsewhere.id]).await.unwrap().owned;
    let [own] = &owned[..] else { panic!("{owned:?}") };
    assert_eq!((own.account, own.active, own.movable), (resting.id, false, true));
}
