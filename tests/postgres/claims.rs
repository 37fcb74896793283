use paird_actors::domain::{Fence, Phone, Status};
use paird_actors::ports::{Claim, Owned, Store, StoreError, Survey};
use uuid::Uuid;

use crate::support::{Database, change, new_change};

#[tokio::test]
async fn two_attempts_at_one_number_end_as_one_granted_and_one_duplicate_every_time() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    for round in 0..100 {
        let operator = Uuid::new_v4();
        let one = database.account(operator, "one").await;
        let two = database.account(operator, "two").await;
        let fence = daemon.record(one).await.fence;
        daemon.own(two).await;
        let phone = Phone::parse("436601234567").unwrap();
        let (first, second) =
            tokio::join!(daemon.store.claim_number(one, fence, &phone), daemon.store.claim_number(two, fence, &phone));
        let answers = [first.unwrap(), second.unwrap()];
        let duplicate = |label: &str| Claim::Duplicate { existing_label: label.to_owned() };
        assert!(
            answers == [Claim::Granted, duplicate("one")] || answers == [duplicate("two"), Claim::Granted],
            "round {round}: {answers:?}"
        );
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
    let claim = async |account| {
        let record = daemon.store.load_account(account).await.unwrap().unwrap();
        daemon.store.claim_number(account, record.fence, &phone).await.unwrap()
    };
    assert_eq!(claim(stranger).await, Claim::Granted);
    assert_eq!(claim(deleted).await, Claim::Granted);
    database.web.execute("UPDATE whatsapp_accounts SET deleted_at = now() WHERE id = $1", &[&deleted.0]).await.unwrap();
    assert_eq!(claim(incumbent).await, Claim::Granted);
    assert_eq!(claim(incumbent).await, Claim::Granted, "an account is no duplicate of itself");
    assert_eq!(claim(newcomer).await, Claim::Duplicate { existing_label: "incumbent".to_owned() });
}

#[tokio::test]
async fn a_dead_daemons_accounts_are_taken_over_with_a_new_fence_and_their_commands_queued_again() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let mut record = database.owned(&former, "shop").await;
    record.status = Status::Connected;
    record.desired = paird_actors::domain::Desired::Paired;
    former.store.record(new_change(), &change(&record)).await.unwrap();
    database.send("account.cancel", record.id).await;
    assert_eq!(former.store.take_commands().await.unwrap().len(), 1);

    let present = database.daemon().await;
    assert_eq!(present.store.claim_accounts(9).await.unwrap(), 0);
    assert_eq!(present.store.take_commands().await.unwrap(), []);
    assert_eq!(present.store.survey().await.unwrap(), Survey { owned: Vec::new(), needing: 1, daemons: 2 });
    database.kill(former).await;
    assert_eq!(present.store.claim_accounts(9).await.unwrap(), 1);
    let fence = Fence(record.fence.0 + 1);
    let owned = Owned { account: record.id, fence, movable: true, active: true, tickets: Vec::new() };
    assert_eq!(present.store.survey().await.unwrap(), Survey { owned: vec![owned], needing: 1, daemons: 1 });
    let taken_over = present.store.load_account(record.id).await.unwrap().unwrap();
    assert_eq!(taken_over.fence.0, record.fence.0 + 1);
    assert_eq!(present.store.take_commands().await.unwrap().len(), 1);
}

#[tokio::test]
async fn daemons_that_claim_at_once_share_the_accounts_and_take_none_from_each_other() {
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
async fn an_account_that_is_given_up_is_nobodys_until_a_fair_share_claims_it() {
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
    assert!(matches!(former.store.record(new_change(), &change(&record)).await, Err(StoreError::Fenced)));
    assert_eq!(present.store.claim_accounts(1).await.unwrap(), 1);
    assert_eq!(present.store.take_commands().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_command_that_was_taken_while_its_account_went_away_is_run_by_the_new_owner() {
    let database = Database::new().await;
    let (former, present) = (database.daemon().await, database.daemon().await);
    let record = database.owned(&former, "shop").await;
    wanted(&database, "true").await;
    database.send("account.cancel", record.id).await;
    let taken = former.store.take_commands().await.unwrap();
    // As if the take had been committed just after the release had looked.
    database.web.execute("UPDATE whatsapp_accounts SET owner = $1", &[&present.process]).await.unwrap();
    assert_eq!(present.store.take_commands().await.unwrap(), taken);
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
    assert_eq!(zombie.survey().await.unwrap(), Survey { owned: Vec::new(), needing: 1, daemons: 0 });
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
async fn a_former_daemon_of_this_machine_whose_process_is_gone_need_not_be_waited_for() {
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
