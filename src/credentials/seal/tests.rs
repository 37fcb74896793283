use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{self, TryRecvError};

use paird_actors::domain::{AccountId, KeyringId};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::cipher::random_key;
use super::*;

fn ids() -> (AccountId, KeyringId) {
    (AccountId(Uuid::new_v4()), KeyringId(Uuid::new_v4()))
}

fn data_key() -> DataKey {
    let (account, keyring) = ids();
    DataKey::generate(account, keyring)
}

struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("paird-seal-{}", Uuid::new_v4()));
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn file(&self) -> PathBuf {
        self.0.join("master.key")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_record_opens_only_under_its_own_kind_and_name() {
    let key = data_key();
    let sealed = key.seal("session", "a@lid", b"value").unwrap();
    assert_eq!(key.open("session", "a@lid", &sealed).unwrap().as_slice(), b"value");
    assert_eq!(key.open("session", "b@lid", &sealed), Err(SealError::Broken));
    assert_eq!(key.open("identity", "a@lid", &sealed), Err(SealError::Broken));
    assert_eq!(key.open("sessiona", "@lid", &sealed), Err(SealError::Broken));
}

#[test]
fn a_record_opens_only_for_its_own_keyring_and_account() {
    let key = data_key();
    let sealed = key.seal("device", "", b"value").unwrap();
    let (other_account, other_keyring) = ids();
    let bytes = || Zeroizing::new(<[u8; 32]>::try_from(key.bytes()).unwrap());
    let same = DataKey::from_bytes(key.account(), key.keyring(), bytes());
    assert!(same.open("device", "", &sealed).is_ok());
    let elsewhere = DataKey::from_bytes(key.account(), other_keyring, bytes());
    assert_eq!(elsewhere.open("device", "", &sealed), Err(SealError::Broken));
    let elsewhere = DataKey::from_bytes(other_account, key.keyring(), bytes());
    assert_eq!(elsewhere.open("device", "", &sealed), Err(SealError::Broken));
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let key = data_key();
    let sealed = key.seal("device", "", b"value").unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key.open("device", "", &changed).is_err(), "byte {at}");
        assert!(key.open("device", "", &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn equal_values_never_look_equal() {
    let key = data_key();
    assert_ne!(key.seal("device", "", b"value").unwrap(), key.seal("device", "", b"value").unwrap());
}

#[test]
fn a_data_key_unwraps_only_for_its_row_and_with_its_master_key() {
    let (account, keyring) = ids();
    let (other_account, other_keyring) = ids();
    let master = MasterKey::from_bytes(random_key());
    let key = DataKey::generate(account, keyring);
    let wrapped = master.wrap(&key).unwrap();
    assert_eq!(master.unwrap(account, keyring, &wrapped).unwrap().bytes(), key.bytes());
    assert!(master.unwrap(other_account, keyring, &wrapped).is_err());
    assert!(master.unwrap(account, other_keyring, &wrapped).is_err());
    assert!(MasterKey::from_bytes(random_key()).unwrap(account, keyring, &wrapped).is_err());
}

#[test]
fn a_made_key_file_is_private_and_reads_back_as_the_same_key() {
    let dir = Dir::new();
    assert!(MasterKeys::read(&dir.file()).unwrap().is_none());
    let made = MasterKeys::create(&dir.file()).unwrap();
    assert_eq!(fs::metadata(dir.file()).unwrap().permissions().mode() & 0o7777, 0o600);
    let read = MasterKeys::read(&dir.file()).unwrap().unwrap();
    assert_eq!(made.newest().id(), read.newest().id());
    let (account, keyring) = ids();
    let wrapped = made.newest().wrap(&DataKey::generate(account, keyring)).unwrap();
    assert!(read.newest().unwrap(account, keyring, &wrapped).is_ok());
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1, "the draft is gone");
}

#[test]
fn making_a_key_file_never_replaces_one() {
    let dir = Dir::new();
    let first = MasterKeys::create(&dir.file()).unwrap();
    let second = MasterKeys::create(&dir.file()).unwrap();
    assert_eq!(first.newest().id(), second.newest().id());
}

#[test]
fn many_that_make_the_file_at_once_agree_on_one_key() {
    let dir = Dir::new();
    let makers: Vec<_> = (0..16)
        .map(|_| {
            let path = dir.file();
            std::thread::spawn(move || MasterKeys::create(&path).unwrap().newest().id().to_owned())
        })
        .collect();
    let mut ids: Vec<String> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_file_that_others_can_read_is_refused_with_its_remedy() {
    let dir = Dir::new();
    MasterKeys::create(&dir.file()).unwrap();
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(dir.file(), fs::Permissions::from_mode(mode)).unwrap();
        let line = MasterKeys::read(&dir.file()).unwrap_err().to_string();
        assert!(line.contains("run chmod 600"), "{line}");
    }
}

#[test]
fn a_file_without_a_key_is_refused_without_quoting_it() {
    let dir = Dir::new();
    for text in ["", "hello", "paird-master-key-v1 c2hvcnQ=", "paird-master-key-v2 AAAA", "\u{0}\u{1}"] {
        fs::write(dir.file(), text).unwrap();
        fs::set_permissions(dir.file(), fs::Permissions::from_mode(0o600)).unwrap();
        let error = MasterKeys::read(&dir.file()).unwrap_err();
        assert!(matches!(error, KeyFileError::Malformed(_)), "{error}");
        assert!(!error.to_string().contains("c2hvcnQ="));
    }
}

#[test]
fn a_key_does_not_show_in_its_debug_form() {
    let key = MasterKey::from_bytes(Zeroizing::new([7; 32]));
    assert_eq!(format!("{key:?}"), format!("MasterKey({})", key.id()));
    assert!(!format!("{:?}", data_key()).contains('['));
}

#[test]
fn a_file_of_two_keys_has_the_newest_first_and_keeps_only_it() {
    let dir = Dir::new();
    let old = MasterKeys::create(&dir.file()).unwrap();
    let both = MasterKeys::add(&dir.file()).unwrap();
    let read = MasterKeys::read(&dir.file()).unwrap().unwrap();
    assert_eq!(read.ids().collect::<Vec<_>>(), both.ids().collect::<Vec<_>>());
    assert_eq!(read.ids().nth(1), Some(old.newest().id()));
    assert_ne!(read.newest().id(), old.newest().id());
    assert_eq!(fs::metadata(dir.file()).unwrap().permissions().mode() & 0o7777, 0o600);

    let lock = KeyFileLock::exclusive(&dir.file()).unwrap();
    MasterKeys::drop_old(&dir.file(), &lock).unwrap();
    let left = MasterKeys::read(&dir.file()).unwrap().unwrap();
    assert_eq!(left.ids().collect::<Vec<_>>(), [both.newest().id()]);
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1, "the drafts are gone");
}

#[test]
fn a_file_with_one_bad_line_is_refused_whole() {
    let dir = Dir::new();
    MasterKeys::create(&dir.file()).unwrap();
    let mut text = fs::read_to_string(dir.file()).unwrap();
    text.push_str("paird-master-key-v1 c2hvcnQ=\n");
    fs::write(dir.file(), text).unwrap();
    assert!(matches!(MasterKeys::read(&dir.file()), Err(KeyFileError::Malformed(_))));
}

#[test]
fn the_old_key_stays_while_a_seal_is_in_progress() {
    let dir = Dir::new();
    MasterKeys::create(&dir.file()).unwrap();
    let sealing = key_file::try_lock_shared(&dir.file()).unwrap().unwrap();
    let also = key_file::try_lock_shared(&dir.file()).unwrap().unwrap();
    let path = dir.file();
    let (taken, waits) = mpsc::channel();
    let rotation = std::thread::spawn(move || {
        let lock = KeyFileLock::exclusive(&path).unwrap();
        taken.send(()).unwrap();
        drop(lock);
    });
    drop(sealing);
    // The other seal alone still keeps a rotation out.
    assert!(matches!(fs::File::open(&dir.0).unwrap().try_lock(), Err(fs::TryLockError::WouldBlock)));
    assert_eq!(waits.try_recv(), Err(TryRecvError::Empty));
    drop(also);
    waits.recv().unwrap();
    rotation.join().unwrap();
}

#[test]
fn a_derived_secret_is_that_of_its_key_purpose_and_name() {
    let key = data_key();
    let secret = key.derive("message secret", "3EB0A");
    assert_eq!(key.derive("message secret", "3EB0A"), secret);
    let others = [key.derive("message secret", "3EB0B"), key.derive("other", "3EB0A")];
    assert!(others.iter().chain([&data_key().derive("message secret", "3EB0A")]).all(|other| *other != secret));
}
