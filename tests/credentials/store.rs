use std::fs;

use paird::credentials::MasterKeyError;
use paird_actors::domain::{AccountId, KeyringId, StoreError, Written};
use uuid::Uuid;
use wacore::store::{
    Device,
    traits::{DeviceStore, ProtocolStore, SignalStore},
};

use crate::rig::{FENCE, JID, Rig};

#[tokio::test]
async fn a_fresh_keyring_touches_no_row_until_it_is_secured() {
    let rig = Rig::new().await;
    let keyring = rig.fresh();
    keyring.create().await.unwrap();
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    assert!(!keyring.is_durable());
    assert_eq!(rig.image().await, "");
}

#[tokio::test]
async fn a_secured_keyring_is_complete_and_opens_after_a_restart() {
    let rig = Rig::new().await;
    let keyring = rig.fresh();
    keyring.create().await.unwrap();
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    keyring.secure(rig.admission()).await.unwrap();
    assert!(keyring.is_durable());
    let client = rig.pool.get().await.unwrap();
    let query = "SELECT a.linking_keyring_id, k.phone_number, k.device_jid
        FROM whatsapp_accounts a JOIN keyrings k ON k.account_id = a.id";
    let row = client.query_one(query, &[]).await.unwrap();
    assert_eq!(row.get::<_, Uuid>(0), keyring.id().0);
    assert_eq!(row.get::<_, &str>(1), rig.phone.digits());
    assert_eq!(row.get::<_, &str>(2), JID);

    keyring.put_identity("b@lid", [2; 32]).await.unwrap();
    let device = keyring.load().await.unwrap().unwrap();
    keyring.flush().await.unwrap();
    let opened = rig.reopen_store().await.unwrap().open_keyring(rig.account, FENCE, keyring.id()).await.unwrap();
    assert!(opened.is_durable());
    assert_eq!(opened.load_identity("a@lid").await.unwrap(), Some([1; 32]));
    assert_eq!(opened.load_identity("b@lid").await.unwrap(), Some([2; 32]));
    let reopened = opened.load().await.unwrap().unwrap();
    assert_eq!(reopened.registration_id, device.registration_id);
    assert_eq!(reopened.noise_key.public_key, device.noise_key.public_key);
}

#[tokio::test]
async fn securing_twice_changes_nothing() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let image = rig.image().await;
    assert!(matches!(keyring.secure(rig.admission()).await, Err(StoreError::Poisoned(_))));
    assert_eq!(rig.image().await, image);
}

#[tokio::test]
async fn securing_again_leaves_no_record_that_went_meanwhile() {
    let rig = Rig::new().await;
    let keyring = rig.fresh();
    keyring.create().await.unwrap();
    keyring.store_prekey(1, b"used meanwhile", false).await.unwrap();
    rig.execute("CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full' USING ERRCODE = '53100'; END $$", &[])
        .await;
    rig.execute("CREATE TRIGGER lose BEFORE INSERT ON credentials EXECUTE FUNCTION lose()", &[]).await;
    let lost = keyring.secure(rig.admission()).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert!(!keyring.is_durable());
    assert_eq!(rig.image().await, "", "one statement: not half of it stays");
    rig.execute("DROP TRIGGER lose ON credentials", &[]).await;

    keyring.remove_prekey(1).await.unwrap();
    keyring.secure(rig.admission()).await.unwrap();
    assert_eq!(keyring.load_prekey(1).await.unwrap(), None);
    assert_eq!(rig.count("credentials").await, 1);
}

#[tokio::test]
async fn writes_that_race_with_securing_are_all_there_afterwards() {
    let rig = Rig::new().await;
    let keyring = rig.fresh();
    keyring.create().await.unwrap();
    let writers: Vec<_> = (1..=60u32)
        .map(|id| {
            let keyring = keyring.clone();
            tokio::spawn(async move { keyring.store_prekey(id, &id.to_be_bytes(), false).await.unwrap() })
        })
        .collect();
    keyring.secure(rig.admission()).await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    keyring.flush().await.unwrap();
    let opened = rig.store.open_keyring(rig.account, FENCE, keyring.id()).await.unwrap();
    let ids: Vec<u32> = (1..=60).collect();
    assert_eq!(opened.load_prekeys_batch(&ids).await.unwrap().len(), 60);
    assert_eq!(opened.get_max_prekey_id().await.unwrap(), 60);
}

#[tokio::test]
async fn a_keyring_without_a_device_is_not_secured() {
    let rig = Rig::new().await;
    let refused = rig.fresh().secure(rig.admission()).await;
    assert!(matches!(refused, Err(StoreError::Poisoned(_))));
    assert_eq!(rig.image().await, "");
}

#[tokio::test]
async fn a_missing_or_foreign_keyring_is_an_error_and_never_empty() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let other = rig.add_account().await;
    let image = rig.image().await;
    for (account, id) in [(rig.account, KeyringId(Uuid::new_v4())), (other, keyring.id())] {
        let refused = rig.store.open_keyring(account, FENCE, id).await;
        assert!(matches!(refused, Err(StoreError::Poisoned(_))));
    }
    // An account that does not exist is owned by nobody.
    let refused = rig.store.open_keyring(AccountId(Uuid::new_v4()), FENCE, keyring.id()).await;
    assert!(matches!(refused, Err(StoreError::Fenced)));
    assert_eq!(rig.image().await, image);
}

#[tokio::test]
async fn a_keyring_whose_device_or_data_key_was_changed_does_not_open() {
    for change in [
        "UPDATE credentials SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)",
        "UPDATE keyrings SET wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1)",
        "UPDATE keyrings SET master_key = 'another'",
        "DELETE FROM credentials",
        "UPDATE credentials SET sealed = ''",
    ] {
        let rig = Rig::new().await;
        let keyring = rig.durable().await;
        rig.execute(change, &[]).await;
        let refused = rig.store.open_keyring(rig.account, FENCE, keyring.id()).await;
        let Err(StoreError::Poisoned(line)) = refused else { panic!("opened after {change}") };
        assert_eq!(line.lines().count(), 1);
    }
}

#[tokio::test]
async fn a_missing_master_key_stops_the_start_once_anything_is_sealed() {
    let rig = Rig::new().await;
    rig.durable().await;
    let image = rig.image().await;
    fs::remove_file(&rig.key_file).unwrap();
    let Err(refused) = rig.reopen_store().await else { panic!("opened without a key") };
    assert!(matches!(refused, MasterKeyError::Missing { keyrings: 1, .. }), "{refused}");
    assert_eq!(refused.to_string().lines().count(), 1);
    assert!(!rig.key_file.exists());
    assert_eq!(rig.image().await, image);
}

#[tokio::test]
async fn a_wrong_master_key_stops_the_start_and_changes_nothing() {
    let rig = Rig::new().await;
    rig.durable().await;
    let image = rig.image().await;
    fs::remove_file(&rig.key_file).unwrap();
    let elsewhere = Rig::new().await;
    fs::copy(&elsewhere.key_file, &rig.key_file).unwrap();
    let file = fs::read(&rig.key_file).unwrap();
    let Err(refused) = rig.reopen_store().await else { panic!("opened with a wrong key") };
    assert!(matches!(refused, MasterKeyError::Wrong { keyrings: 1, .. }), "{refused}");
    assert_eq!(refused.to_string().lines().count(), 1);
    assert_eq!(fs::read(&rig.key_file).unwrap(), file);
    assert_eq!(rig.image().await, image);
}

#[tokio::test]
async fn no_master_key_is_made_while_sealed_rows_may_exist() {
    let rig = Rig::new().await;
    fs::remove_file(&rig.key_file).unwrap();
    rig.pool.close();
    let refused = rig.reopen_store().await;
    assert!(matches!(refused, Err(MasterKeyError::Unchecked(StoreError::Unavailable(_)))));
    assert!(!rig.key_file.exists());
}

#[tokio::test]
async fn keys_and_number_are_written_together_or_not_at_all() {
    let rig = Rig::new().await;
    let of_one = "UPDATE whatsapp_accounts SET operator_id = '00000000-0000-0000-0000-000000000001'";
    let number = || Some(rig.phone.clone());
    let first = rig.fresh();
    first.create().await.unwrap();
    let done = |written: &Written| matches!(written, Written::Done { .. });
    assert!(done(&first.secure(rig.admission_of(rig.account, number())).await.unwrap()));
    let other = rig.add_account().await;
    rig.execute(of_one, &[]).await;
    let image = rig.image().await;
    let newcomer = rig.store.fresh(other, FENCE, KeyringId(Uuid::new_v4()));
    newcomer.create().await.unwrap();
    let refused = Written::NumberTaken { existing_label: "test".to_owned() };
    assert_eq!(newcomer.secure(rig.admission_of(other, number())).await.unwrap(), refused);
    assert!(!newcomer.is_durable());
    assert_eq!(rig.image().await, image);
    let untouched =
        "SELECT FROM whatsapp_accounts WHERE id = $1 AND phone_number IS NULL AND linking_keyring_id IS NULL";
    assert_eq!(rig.execute(untouched, &[&other.0]).await, 1);

    rig.execute("UPDATE whatsapp_accounts SET phone_number = NULL", &[]).await;
    assert!(done(&newcomer.secure(rig.admission_of(other, number())).await.unwrap()));
    let admitted = "SELECT FROM whatsapp_accounts
        WHERE id = $1 AND phone_number = $2 AND device_jid = $3 AND status_reason = 'linking' AND linking_keyring_id = $4";
    assert_eq!(rig.execute(admitted, &[&other.0, &rig.phone.digits(), &JID, &newcomer.id().0]).await, 1);
}

#[tokio::test]
async fn a_sent_message_stays_for_all_who_ask_for_it_again() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.store_sent_message("1@lid", "A", b"hello").await.unwrap();
    for _ in 0..2 {
        assert_eq!(keyring.take_sent_message("1@lid", "A").await.unwrap().as_deref(), Some(&b"hello"[..]));
    }
}

#[tokio::test]
async fn a_sent_message_is_kept_for_30_days_and_no_longer() {
    const DAY: i64 = 24 * 3600;
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let store = async || {
        keyring.store_sent_message("1@lid", "A", b"hello").await.unwrap();
        keyring.flush().await.unwrap();
    };
    store().await;
    let sent = async |days: i64| {
        let at = wacore::time::now_secs() - days * DAY;
        rig.execute("UPDATE credentials SET stamp = $1 WHERE kind = 'sent_message'", &[&at]).await;
        at
    };
    let at = sent(29).await;
    for _ in 0..2 {
        assert_eq!(keyring.take_sent_message("1@lid", "A").await.unwrap().as_deref(), Some(&b"hello"[..]));
        // As the library does after it has answered.
        store().await;
    }
    let since = format!("credentials WHERE kind = 'sent_message' AND stamp = {at}");
    assert_eq!(rig.count(&since).await, 1, "it is kept for longer, since somebody has asked for it");
    sent(31).await;
    assert_eq!(keyring.take_sent_message("1@lid", "A").await.unwrap(), None);
    let oldest = wacore::time::now_secs() - 30 * DAY;
    assert_eq!(keyring.delete_expired_sent_messages(oldest).await.unwrap(), 1);
    assert_eq!(rig.count("credentials WHERE kind = 'sent_message'").await, 0);
}

#[tokio::test]
async fn a_group_member_that_was_given_no_key_is_not_marked() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let group = "1@g.us";
    keyring.limit_group_marks(group, "B", Some(Box::new(|device| device == "1:0@lid")));
    // That of a former message ends later than the next begins.
    keyring.limit_group_marks(group, "A", None);
    keyring.set_sender_key_status(group, &[("1:0@lid", true), ("2:0@lid", true), ("3:0@lid", false)]).await.unwrap();
    let mut marks = keyring.get_sender_key_devices(group).await.unwrap();
    marks.sort();
    assert_eq!(marks, [("1:0@lid".to_owned(), true), ("3:0@lid".to_owned(), false)]);
    keyring.limit_group_marks(group, "B", None);
    keyring.set_sender_key_status(group, &[("2:0@lid", true)]).await.unwrap();
    assert_eq!(keyring.get_sender_key_devices(group).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_message_has_one_secret_for_as_long_as_its_link() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let secret = keyring.message_secret("3EB0A");
    assert_eq!(rig.reopened(&keyring).await.message_secret("3EB0A"), secret);
    assert_ne!(keyring.message_secret("3EB0B"), secret);
}

/// The library saves the device that it was made to forget the name of while the name is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_outlives_a_save_without_one_at_the_same_time() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let nameless = Device { push_name: String::new(), ..keyring.load().await.unwrap().unwrap() };
    // It takes longer on its way to the row.
    let large = Device { edge_routing_info: Some(vec![7; 200_000]), ..nameless.clone() };
    for round in 0..10 {
        let named = Device { push_name: format!("Name {round}"), ..nameless.clone() };
        let saves = [large.clone(), named].map(|device| {
            let keyring = keyring.clone();
            tokio::spawn(async move { keyring.save(&device).await })
        });
        for save in saves {
            save.await.unwrap().unwrap();
        }
        assert_eq!(keyring.load().await.unwrap().unwrap().push_name, format!("Name {round}"));
    }
}
