//! A keyring answers every history of operations as the library's in-memory backend does, although
//! it is made durable in the middle and opened again later.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wacore::store::InMemoryBackend;
use wacore::store::traits::{LidPnMappingEntry, ProtocolStore};

use crate::operations::{Operation as Op, every_operation, run};
use crate::rig::{FENCE, Rig};

#[test]
fn a_keyring_answers_as_the_in_memory_backend_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let rig = runtime.block_on(Rig::new());
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    let histories = (vec(operation(), 1..90), any::<prop::sample::Index>());
    runner
        .run(&histories, |(history, at)| {
            let secured_at = at.index(history.len());
            runtime.block_on(compare(&rig, &history, secured_at));
            Ok(())
        })
        .unwrap();
}

async fn compare(rig: &Rig, history: &[Op], secured_at: usize) {
    let judge = InMemoryBackend::new();
    // In memory until it is secured, with the write-behind cache until it is opened again, then rows only.
    let reopened_at = secured_at.midpoint(history.len()) + 1;
    let mut keyring = rig.fresh();
    for backend in [&judge as &dyn wacore::store::traits::Backend, &*keyring] {
        run(backend, &Op::SaveDevice(0)).await.unwrap();
    }
    for (at, operation) in history.iter().enumerate() {
        if at == secured_at {
            keyring.secure(rig.admission()).await.unwrap();
        }
        if at == reopened_at {
            keyring.flush().await.unwrap();
            keyring = rig.store.open_keyring(rig.account, FENCE, keyring.id()).await.unwrap();
        }
        let answer = run(&*keyring, operation).await.unwrap();
        assert_eq!(answer, run(&judge, operation).await.unwrap(), "{operation:?} at {at} of {history:?}");
    }
    keyring.flush().await.unwrap();
    keyring = rig.store.open_keyring(rig.account, FENCE, keyring.id()).await.unwrap();
    for read in every_operation().into_iter().filter(|operation| !operation.writes()) {
        let answer = run(&*keyring, &read).await.unwrap();
        assert_eq!(answer, run(&judge, &read).await.unwrap(), "{read:?} after {history:?}");
    }
}

/// This mapping is one that the memory of LIDs has no room for, and that it has none was known.
#[tokio::test]
async fn a_mapping_is_found_once_it_is_written() {
    let rig = Rig::new().await;
    let reads = [Op::GetLidMapping(0), Op::GetPnMapping(0, false)];
    let history = [reads.as_slice(), &[Op::PutLidMapping(0, false)], &reads].concat();
    for secured_at in 0..history.len() {
        compare(&rig, &history, secured_at).await;
    }
}

#[tokio::test]
async fn a_number_is_found_by_the_lid_that_has_it_now() {
    let rig = Rig::new().await;
    for keyring in [rig.fresh(), rig.durable().await] {
        let put = async |lid: &str, phone: &str| {
            let entry = LidPnMappingEntry {
                lid: lid.to_owned(),
                phone_number: phone.to_owned(),
                created_at: 0,
                updated_at: 0,
                learning_source: String::new(),
            };
            keyring.put_lid_mapping(&entry).await.unwrap();
        };
        let lid_of = async |phone: &str| keyring.get_pn_mapping(phone).await.unwrap().map(|entry| entry.lid);
        put("a", "1").await;
        put("b", "1").await;
        assert_eq!(lid_of("1").await.as_deref(), Some("b"));
        put("a", "2").await;
        assert_eq!(lid_of("1").await.as_deref(), Some("b"));
        put("b", "3").await;
        assert_eq!(lid_of("1").await, None);
        assert_eq!(lid_of("2").await.as_deref(), Some("a"));
    }
}

fn operation() -> impl Strategy<Value = Op> {
    prop_oneof![signal(), signal_more(), app_sync(), protocol(), tokens(), messages()]
}

fn n() -> impl Strategy<Value = u8> + Clone {
    0..5u8
}

fn t() -> impl Strategy<Value = i64> + Clone {
    0..8i64
}

fn pairs() -> impl Strategy<Value = Vec<(u8, u8)>> {
    vec((n(), n()), 0..5)
}

fn some() -> impl Strategy<Value = Vec<u8>> {
    vec(n(), 0..4)
}

fn signal() -> impl Strategy<Value = Op> {
    prop_oneof![
        (n(), n()).prop_map(|(a, v)| Op::PutIdentity(a, v)),
        pairs().prop_map(Op::PutIdentities),
        n().prop_map(Op::LoadIdentity),
        n().prop_map(Op::DeleteIdentity),
        (n(), n()).prop_map(|(a, v)| Op::PutSession(a, v)),
        pairs().prop_map(Op::PutSessions),
        n().prop_map(Op::GetSession),
        n().prop_map(Op::HasSession),
        n().prop_map(Op::DeleteSession),
        n().prop_map(Op::HasSignalState),
    ]
}

fn signal_more() -> impl Strategy<Value = Op> {
    prop_oneof![
        (n(), n(), any::<bool>()).prop_map(|(id, v, u)| Op::StorePrekey(id, v, u)),
        (pairs(), any::<bool>()).prop_map(|(all, u)| Op::StorePrekeys(all, u)),
        n().prop_map(Op::LoadPrekey),
        some().prop_map(Op::LoadPrekeys),
        n().prop_map(Op::RemovePrekey),
        Just(Op::MaxPrekeyId),
        (n(), n()).prop_map(|(id, v)| Op::StoreSignedPrekey(id, v)),
        n().prop_map(Op::LoadSignedPrekey),
        Just(Op::LoadSignedPrekeys),
        n().prop_map(Op::RemoveSignedPrekey),
        (n(), n()).prop_map(|(a, v)| Op::PutSenderKey(a, v)),
        pairs().prop_map(Op::PutSenderKeys),
        n().prop_map(Op::GetSenderKey),
        n().prop_map(Op::DeleteSenderKey),
    ]
}

fn app_sync() -> impl Strategy<Value = Op> {
    prop_oneof![
        (n(), n()).prop_map(|(id, v)| Op::SetSyncKey(id, v)),
        n().prop_map(Op::GetSyncKey),
        Just(Op::LatestSyncKeyId),
        (n(), n()).prop_map(|(name, v)| Op::SetVersion(name, v)),
        n().prop_map(Op::GetVersion),
        (n(), pairs()).prop_map(|(name, macs)| Op::PutMacs(name, macs)),
        (n(), n()).prop_map(|(name, i)| Op::GetMac(name, i)),
        (n(), some()).prop_map(|(name, is)| Op::GetMacs(name, is)),
        (n(), some()).prop_map(|(name, is)| Op::DeleteMacs(name, is)),
        n().prop_map(Op::ClearMacs),
    ]
}

fn protocol() -> impl Strategy<Value = Op> {
    prop_oneof![
        (n(), vec((n(), any::<bool>()), 0..5)).prop_map(|(g, all)| Op::SetSenderKeyStatus(g, all)),
        n().prop_map(Op::GetSenderKeyDevices),
        n().prop_map(Op::ClearSenderKeyDevices),
        Just(Op::ClearAllSenderKeyDevices),
        some().prop_map(Op::DeleteSenderKeyDeviceRows),
        (n(), any::<bool>()).prop_map(|(l, moved)| Op::PutLidMapping(l, moved)),
        vec((n(), any::<bool>()), 0..5).prop_map(Op::PutLidMappings),
        n().prop_map(Op::GetLidMapping),
        (n(), any::<bool>()).prop_map(|(l, moved)| Op::GetPnMapping(l, moved)),
        Just(Op::GetLidMappings),
        (n(), n(), n()).prop_map(|(a, m, v)| Op::SaveBaseKey(a, m, v)),
        (n(), n(), n()).prop_map(|(a, m, v)| Op::HasSameBaseKey(a, m, v)),
        (n(), n()).prop_map(|(a, m)| Op::DeleteBaseKey(a, m)),
        (n(), n()).prop_map(|(u, v)| Op::UpdateDeviceList(u, v)),
        pairs().prop_map(Op::UpdateDeviceLists),
        n().prop_map(Op::GetDevices),
        n().prop_map(Op::DeleteDevices),
        (n(), n()).prop_map(|(g, v)| Op::PutGroup(g, v)),
        n().prop_map(Op::GetGroup),
        n().prop_map(Op::DeleteGroup),
    ]
}

fn tokens() -> impl Strategy<Value = Op> {
    prop_oneof![
        (n(), n(), t(), prop::option::of(t())).prop_map(|(a, v, at, given)| Op::PutTcToken(a, v, at, given)),
        n().prop_map(Op::GetTcToken),
        n().prop_map(Op::DeleteTcToken),
        Just(Op::TcTokenJids),
        (t(), t()).prop_map(|(token, given)| Op::DeleteExpiredTcTokens(token, given)),
        (n(), t()).prop_map(|(a, at)| Op::TouchTcToken(a, at)),
        (n(), n(), t()).prop_map(|(a, v, at)| Op::ReceiveTcToken(a, v, at)),
        n().prop_map(Op::SaveDevice),
        Just(Op::LoadDevice),
        Just(Op::DeviceExists),
        Just(Op::CreateDevice),
    ]
}

fn messages() -> impl Strategy<Value = Op> {
    prop_oneof![
        (n(), n(), n()).prop_map(|(c, m, v)| Op::StoreSent(c, m, v)),
        (n(), n()).prop_map(|(c, m)| Op::TakeSent(c, m)),
        any::<bool>().prop_map(Op::DeleteExpiredSent),
        (n(), n()).prop_map(|(m, v)| Op::StorePending(m, v)),
        pairs().prop_map(Op::StorePendings),
        n().prop_map(Op::GetPending),
        n().prop_map(Op::DeletePending),
        some().prop_map(Op::DeletePendings),
        any::<bool>().prop_map(Op::DeleteExpiredPending),
        (n(), n()).prop_map(|(m, v)| Op::PutSecret(m, v)),
        vec((n(), n(), t(), t()), 0..5).prop_map(Op::PutSecrets),
        n().prop_map(Op::GetSecret),
        n().prop_map(Op::GetDatedSecret),
        t().prop_map(Op::DeleteExpiredSecrets),
    ]
}
