//! Every method of the library's storage, as a value.

use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use wacore::appstate::hash::HashState;
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::Device;
use wacore::store::error::StoreError;
use wacore::store::traits::*;

/// What a method answered, as text. Unordered answers are sorted, so that texts can be compared.
pub type Outcome = String;

/// Names and values are made of small numbers, so that random operations often concern the same record.
#[derive(Clone, Debug)]
pub enum Operation {
    PutIdentity(u8, u8),
    PutIdentities(Vec<(u8, u8)>),
    LoadIdentity(u8),
    DeleteIdentity(u8),
    PutSession(u8, u8),
    PutSessions(Vec<(u8, u8)>),
    GetSession(u8),
    HasSession(u8),
    DeleteSession(u8),
    HasSignalState(u8),
    StorePrekey(u8, u8, bool),
    StorePrekeys(Vec<(u8, u8)>, bool),
    LoadPrekey(u8),
    LoadPrekeys(Vec<u8>),
    RemovePrekey(u8),
    MaxPrekeyId,
    StoreSignedPrekey(u8, u8),
    LoadSignedPrekey(u8),
    LoadSignedPrekeys,
    RemoveSignedPrekey(u8),
    PutSenderKey(u8, u8),
    PutSenderKeys(Vec<(u8, u8)>),
    GetSenderKey(u8),
    DeleteSenderKey(u8),
    SetSyncKey(u8, u8),
    GetSyncKey(u8),
    LatestSyncKeyId,
    SetVersion(u8, u8),
    GetVersion(u8),
    PutMacs(u8, Vec<(u8, u8)>),
    GetMac(u8, u8),
    GetMacs(u8, Vec<u8>),
    DeleteMacs(u8, Vec<u8>),
    ClearMacs(u8),
    SetSenderKeyStatus(u8, Vec<(u8, bool)>),
    GetSenderKeyDevices(u8),
    ClearSenderKeyDevices(u8),
    ClearAllSenderKeyDevices,
    DeleteSenderKeyDeviceRows(Vec<u8>),
    PutLidMapping(u8, bool),
    PutLidMappings(Vec<(u8, bool)>),
    GetLidMapping(u8),
    GetPnMapping(u8, bool),
    GetLidMappings,
    SaveBaseKey(u8, u8, u8),
    HasSameBaseKey(u8, u8, u8),
    DeleteBaseKey(u8, u8),
    UpdateDeviceList(u8, u8),
    UpdateDeviceLists(Vec<(u8, u8)>),
    GetDevices(u8),
    DeleteDevices(u8),
    PutGroup(u8, u8),
    GetGroup(u8),
    DeleteGroup(u8),
    PutTcToken(u8, u8, i64, Option<i64>),
    GetTcToken(u8),
    DeleteTcToken(u8),
    TcTokenJids,
    DeleteExpiredTcTokens(i64, i64),
    TouchTcToken(u8, i64),
    ReceiveTcToken(u8, u8, i64),
    StoreSent(u8, u8, u8),
    TakeSent(u8, u8),
    DeleteExpiredSent(bool),
    StorePending(u8, u8),
    StorePendings(Vec<(u8, u8)>),
    GetPending(u8),
    DeletePending(u8),
    DeletePendings(Vec<u8>),
    DeleteExpiredPending(bool),
    PutSecret(u8, u8),
    PutSecrets(Vec<(u8, u8, i64, i64)>),
    GetSecret(u8),
    GetDatedSecret(u8),
    DeleteExpiredSecrets(i64),
    SaveDevice(u8),
    LoadDevice,
    DeviceExists,
    CreateDevice,
}

use Operation as Op;

impl Operation {
    /// Whether it changes something where [`every_operation`] was done before.
    pub fn writes(&self) -> bool {
        let name = format!("{self:?}");
        let readers =
            ["Load", "Get", "Has", "Max", "Latest", "TcTokenJids", "DeviceExists", "CreateDevice", "TakeSent"];
        !readers.iter().any(|reader| name.starts_with(reader))
    }

    pub fn only_deletes(&self) -> bool {
        let name = format!("{self:?}");
        ["Delete", "Remove", "Clear"].iter().any(|verb| name.starts_with(verb))
    }
}

/// One operation for each SQL statement that writes; that statement is the first one it executes.
pub fn every_write() -> Vec<Operation> {
    vec![
        Op::PutSession(1, 1),
        Op::DeleteSession(1),
        Op::ClearSenderKeyDevices(1),
        Op::DeleteSenderKeyDeviceRows(vec![1]),
        Op::DeleteExpiredSent(true),
    ]
}

/// One of each kind; those that read find what those that write have written.
pub fn every_operation() -> Vec<Operation> {
    vec![
        Op::PutIdentity(1, 1),
        Op::PutIdentities(vec![(1, 1), (2, 2)]),
        Op::LoadIdentity(1),
        Op::DeleteIdentity(1),
        Op::PutSession(1, 1),
        Op::PutSessions(vec![(1, 1), (2, 2)]),
        Op::GetSession(1),
        Op::HasSession(1),
        Op::DeleteSession(1),
        Op::HasSignalState(1),
        Op::StorePrekey(1, 1, false),
        Op::StorePrekeys(vec![(1, 1), (2, 2)], false),
        Op::LoadPrekey(1),
        Op::LoadPrekeys(vec![1, 2]),
        Op::RemovePrekey(1),
        Op::MaxPrekeyId,
        Op::StoreSignedPrekey(1, 1),
        Op::LoadSignedPrekey(1),
        Op::LoadSignedPrekeys,
        Op::RemoveSignedPrekey(1),
        Op::PutSenderKey(1, 1),
        Op::PutSenderKeys(vec![(1, 1), (2, 2)]),
        Op::GetSenderKey(1),
        Op::DeleteSenderKey(1),
        Op::SetSyncKey(1, 1),
        Op::GetSyncKey(1),
        Op::LatestSyncKeyId,
        Op::SetVersion(1, 1),
        Op::GetVersion(1),
        Op::PutMacs(1, vec![(1, 1), (2, 2)]),
        Op::GetMac(1, 1),
        Op::GetMacs(1, vec![1, 2]),
        Op::DeleteMacs(1, vec![1]),
        Op::ClearMacs(1),
        Op::SetSenderKeyStatus(1, vec![(1, true), (2, false)]),
        Op::GetSenderKeyDevices(1),
        Op::ClearSenderKeyDevices(1),
        Op::ClearAllSenderKeyDevices,
        Op::DeleteSenderKeyDeviceRows(vec![1]),
        Op::PutLidMapping(1, false),
        Op::PutLidMappings(vec![(1, false), (2, true)]),
        Op::GetLidMapping(1),
        Op::GetPnMapping(1, false),
        Op::GetLidMappings,
        Op::SaveBaseKey(1, 1, 1),
        Op::HasSameBaseKey(1, 1, 1),
        Op::DeleteBaseKey(1, 1),
        Op::UpdateDeviceList(1, 1),
        Op::UpdateDeviceLists(vec![(1, 1), (2, 2)]),
        Op::GetDevices(1),
        Op::DeleteDevices(1),
        Op::PutGroup(1, 1),
        Op::GetGroup(1),
        Op::DeleteGroup(1),
        Op::PutTcToken(1, 1, 5, Some(5)),
        Op::GetTcToken(1),
        Op::DeleteTcToken(1),
        Op::TcTokenJids,
        Op::TouchTcToken(1, 6),
        Op::ReceiveTcToken(1, 2, 6),
        Op::DeleteExpiredTcTokens(9, 9),
        Op::StoreSent(1, 1, 1),
        Op::TakeSent(1, 2),
        Op::DeleteExpiredSent(true),
        // Before those that store one: what could not be written is still known.
        Op::GetPending(1),
        Op::StorePending(1, 1),
        Op::StorePendings(vec![(1, 1), (2, 2)]),
        Op::DeletePending(1),
        Op::DeletePendings(vec![1, 2]),
        Op::DeleteExpiredPending(true),
        Op::PutSecret(1, 1),
        Op::PutSecrets(vec![(1, 1, 5, 5), (2, 2, 5, 5)]),
        Op::GetSecret(1),
        Op::GetDatedSecret(1),
        Op::DeleteExpiredSecrets(9),
        Op::SaveDevice(1),
        Op::LoadDevice,
        Op::DeviceExists,
        Op::CreateDevice,
    ]
}

pub async fn run(b: &dyn Backend, operation: &Operation) -> Result<Outcome, StoreError> {
    Ok(match operation.clone() {
        Op::PutIdentity(a, v) => said(b.put_identity(&address(a), [v; 32]).await?),
        Op::PutIdentities(all) => {
            let all: Vec<_> = all.iter().map(|(a, v)| (Arc::from(address(*a)), [*v; 32])).collect();
            said(b.put_identities_batch(&all).await?)
        }
        Op::LoadIdentity(a) => said(b.load_identity(&address(a)).await?),
        Op::DeleteIdentity(a) => said(b.delete_identity(&address(a)).await?),
        Op::PutSession(a, v) => said(b.put_session(&address(a), &[v]).await?),
        Op::PutSessions(all) => said(b.put_sessions_batch(&addressed(&all)).await?),
        Op::GetSession(a) => said(b.get_session(&address(a)).await?),
        Op::HasSession(a) => said(b.has_session(&address(a)).await?),
        Op::DeleteSession(a) => said(b.delete_session(&address(a)).await?),
        Op::HasSignalState(a) => said(b.has_signal_state_for_user(&user(a)).await?),
        Op::StorePrekey(id, v, uploaded) => said(b.store_prekey(id.into(), &[v], uploaded).await?),
        Op::StorePrekeys(all, uploaded) => {
            let all: Vec<_> = all.iter().map(|(id, v)| (u32::from(*id), Bytes::from(vec![*v]))).collect();
            said(b.store_prekeys_batch(&all, uploaded).await?)
        }
        Op::LoadPrekey(id) => said(b.load_prekey(id.into()).await?),
        Op::LoadPrekeys(ids) => {
            let mut ids: Vec<u32> = ids.into_iter().map(u32::from).collect();
            ids.sort_unstable();
            ids.dedup();
            sorted(b.load_prekeys_batch(&ids).await?)
        }
        Op::RemovePrekey(id) => said(b.remove_prekey(id.into()).await?),
        Op::MaxPrekeyId => said(b.get_max_prekey_id().await?),
        Op::StoreSignedPrekey(id, v) => said(b.store_signed_prekey(id.into(), &[v]).await?),
        Op::LoadSignedPrekey(id) => said(b.load_signed_prekey(id.into()).await?),
        Op::LoadSignedPrekeys => sorted(b.load_all_signed_prekeys().await?),
        Op::RemoveSignedPrekey(id) => said(b.remove_signed_prekey(id.into()).await?),
        Op::PutSenderKey(a, v) => said(b.put_sender_key(&address(a), &[v]).await?),
        Op::PutSenderKeys(all) => said(b.put_sender_keys_batch(&addressed(&all)).await?),
        Op::GetSenderKey(a) => said(b.get_sender_key(&address(a)).await?),
        Op::DeleteSenderKey(a) => said(b.delete_sender_key(&address(a)).await?),
        Op::SetSyncKey(id, v) => {
            let key = AppStateSyncKey { key_data: vec![v; 32], fingerprint: vec![v], timestamp: v.into() };
            said(b.set_sync_key(&[id, 0, 255], key).await?)
        }
        Op::GetSyncKey(id) => said(b.get_sync_key(&[id, 0, 255]).await?),
        Op::LatestSyncKeyId => said(b.get_latest_sync_key_id().await?),
        Op::SetVersion(name, v) => {
            let mut state = HashState { version: v.into(), ..HashState::default() };
            state.hash[0] = v;
            said(b.set_version(&collection(name), state).await?)
        }
        Op::GetVersion(name) => said(b.get_version(&collection(name)).await?),
        Op::PutMacs(name, macs) => {
            let mac = |(i, v): &(u8, u8)| AppStateMutationMAC { index_mac: vec![*i; 32], value_mac: vec![*v; 32] };
            let macs: Vec<_> = macs.iter().map(mac).collect();
            said(b.put_mutation_macs(&collection(name), 3, &macs).await?)
        }
        Op::GetMac(name, i) => said(b.get_mutation_mac(&collection(name), &[i; 32]).await?),
        Op::GetMacs(name, is) => {
            let macs: Vec<_> = is.iter().map(|i| [*i; 32]).collect();
            sorted(b.get_mutation_macs(&collection(name), &macs).await?)
        }
        Op::DeleteMacs(name, is) => {
            let macs: Vec<_> = is.iter().map(|i| vec![*i; 32]).collect();
            said(b.delete_mutation_macs(&collection(name), &macs).await?)
        }
        Op::ClearMacs(name) => said(b.clear_mutation_macs(&collection(name)).await?),
        Op::SetSenderKeyStatus(g, all) => {
            let all: Vec<_> = all.iter().map(|(d, has)| (address(*d), *has)).collect();
            let all: Vec<_> = all.iter().map(|(d, has)| (d.as_str(), *has)).collect();
            said(b.set_sender_key_status(&group(g), &all).await?)
        }
        Op::GetSenderKeyDevices(g) => sorted(b.get_sender_key_devices(&group(g)).await?),
        Op::ClearSenderKeyDevices(g) => said(b.clear_sender_key_devices(&group(g)).await?),
        Op::ClearAllSenderKeyDevices => said(b.clear_all_sender_key_devices().await?),
        Op::DeleteSenderKeyDeviceRows(ds) => {
            let ds: Vec<_> = ds.into_iter().map(address).collect();
            let ds: Vec<_> = ds.iter().map(String::as_str).collect();
            said(b.delete_sender_key_device_rows(&ds).await?)
        }
        Op::PutLidMapping(l, moved) => said(b.put_lid_mapping(&mapping(l, moved)).await?),
        Op::PutLidMappings(all) => {
            let all: Vec<_> = all.iter().map(|(l, moved)| mapping(*l, *moved)).collect();
            said(b.put_lid_mappings(&all).await?)
        }
        Op::GetLidMapping(l) => said(b.get_lid_mapping(&user(l)).await?),
        Op::GetPnMapping(l, moved) => said(b.get_pn_mapping(&number(l, moved)).await?),
        Op::GetLidMappings => sorted(b.get_all_lid_mappings().await?),
        Op::SaveBaseKey(a, m, v) => said(b.save_base_key(&address(a), &message(m), &[v]).await?),
        Op::HasSameBaseKey(a, m, v) => said(b.has_same_base_key(&address(a), &message(m), &[v]).await?),
        Op::DeleteBaseKey(a, m) => said(b.delete_base_key(&address(a), &message(m)).await?),
        Op::UpdateDeviceList(u, v) => said(b.update_device_list(devices(u, v)).await?),
        Op::UpdateDeviceLists(all) => {
            said(b.update_device_lists(all.iter().map(|(u, v)| devices(*u, *v)).collect()).await?)
        }
        Op::GetDevices(u) => said(b.get_devices(&user(u)).await?),
        Op::DeleteDevices(u) => said(b.delete_devices(&user(u)).await?),
        Op::PutGroup(g, v) => said(b.put_group_metadata(&group(g), &[v]).await?),
        Op::GetGroup(g) => said(b.get_group_metadata(&group(g)).await?),
        Op::DeleteGroup(g) => said(b.delete_group_metadata(&group(g)).await?),
        Op::PutTcToken(a, v, at, given) => {
            let token = if v == 0 { Vec::new() } else { vec![v] };
            let entry = TcTokenEntry { token, token_timestamp: at, sender_timestamp: given };
            said(b.put_tc_token(&address(a), &entry).await?)
        }
        Op::GetTcToken(a) => said(b.get_tc_token(&address(a)).await?),
        Op::DeleteTcToken(a) => said(b.delete_tc_token(&address(a)).await?),
        Op::TcTokenJids => sorted(b.get_all_tc_token_jids().await?),
        Op::DeleteExpiredTcTokens(token, given) => said(b.delete_expired_tc_tokens(token, given).await?),
        Op::TouchTcToken(a, at) => said(b.touch_tc_token_sender_timestamp(&address(a), at).await?),
        Op::ReceiveTcToken(a, v, at) => said(b.store_received_tc_token(&address(a), &[v], at).await?),
        Op::StoreSent(c, m, v) => {
            b.store_sent_message(&address(c), &message(m), &[v]).await?;
            said(write_new_keys(b).await?)
        }
        // A keyring keeps it; the library stores it again.
        Op::TakeSent(c, m) => {
            let taken = b.take_sent_message(&address(c), &message(m)).await?;
            if let Some(taken) = &taken {
                b.store_sent_message(&address(c), &message(m), taken).await?;
            }
            said(taken)
        }
        Op::DeleteExpiredSent(all) => said(b.delete_expired_sent_messages(cutoff(all)).await?),
        Op::StorePending(m, v) => {
            b.store_pending_inbound("chat", "sender", &message(m), &[v]).await?;
            said(write_new_keys(b).await?)
        }
        Op::StorePendings(all) => {
            let all: Vec<_> = all.iter().map(|(m, v)| (message(*m), [*v])).collect();
            let row = |(id, message)| PendingInboundRow { chat: "chat", sender: "sender", id, message };
            let all: Vec<_> = all.iter().map(|(id, message)| row((id, message))).collect();
            b.store_pending_inbound_batch(&all).await?;
            said(write_new_keys(b).await?)
        }
        // One that is unknown may be lost: a keyring has an empty message for it.
        Op::GetPending(m) => {
            let pending = b.get_pending_inbound("chat", "sender", &message(m)).await?;
            said(pending.filter(|pending| !pending.is_empty()))
        }
        Op::DeletePending(m) => {
            b.delete_pending_inbound("chat", "sender", &message(m)).await?;
            said(write_new_keys(b).await?)
        }
        Op::DeletePendings(ms) => {
            let ms: Vec<_> = ms.into_iter().map(message).collect();
            let ms: Vec<_> = ms.iter().map(|id| PendingInboundKey { chat: "chat", sender: "sender", id }).collect();
            b.delete_pending_inbound_batch(&ms).await?;
            said(write_new_keys(b).await?)
        }
        Op::DeleteExpiredPending(all) => said(b.delete_expired_pending_inbound(cutoff(all)).await?),
        Op::PutSecret(m, v) => said(b.put_msg_secret("chat", "sender", &message(m), &[v; 32]).await?),
        Op::PutSecrets(all) => {
            let entry = |(m, v, expires_at, message_ts): (u8, u8, i64, i64)| MsgSecretEntry {
                chat: "chat".into(),
                sender: "sender".into(),
                msg_id: message(m).into(),
                secret: [v; 32],
                expires_at,
                message_ts,
            };
            said(b.put_msg_secrets(all.into_iter().map(entry).collect()).await?)
        }
        Op::GetSecret(m) => said(b.get_msg_secret("chat", "sender", &message(m)).await?),
        Op::GetDatedSecret(m) => said(b.get_msg_secret_with_ts("chat", "sender", &message(m)).await?),
        Op::DeleteExpiredSecrets(at) => said(b.delete_expired_msg_secrets(at).await?),
        Op::SaveDevice(v) => said(b.save(&device(v)).await?),
        Op::LoadDevice => said(b.load().await?.map(|device| device.push_name)),
        Op::DeviceExists => said(b.exists().await?),
        // Each backend counts ids in its own way.
        Op::CreateDevice => said(b.create().await.map(|_| ())?),
    })
}

/// A keyring keeps messages in memory until it writes keys that have read or encrypted them.
async fn write_new_keys(b: &dyn Backend) -> Result<(), StoreError> {
    b.put_session("reader@lid", b"has read it").await
}

fn said(answer: impl Debug) -> Outcome {
    format!("{answer:?}")
}

fn sorted(answers: impl IntoIterator<Item = impl Debug>) -> Outcome {
    let mut answers: Vec<_> = answers.into_iter().map(said).collect();
    answers.sort();
    answers.join(" ")
}

/// Each user's name is a prefix of the next one's, to find lookups that match by prefix.
fn user(u: u8) -> String {
    format!("49{}", "7".repeat(usize::from(u)))
}

fn address(a: u8) -> String {
    match a % 2 {
        0 => format!("{}@lid", user(a)),
        _ => format!("{}:{a}@s.whatsapp.net", user(a)),
    }
}

fn addressed(all: &[(u8, u8)]) -> Vec<(Arc<str>, Bytes)> {
    all.iter().map(|(a, v)| (Arc::from(address(*a)), Bytes::from(vec![*v]))).collect()
}

fn group(g: u8) -> String {
    format!("{}@g.us", user(g))
}

/// Each name is a prefix of the next one's, as WhatsApp's own are.
fn collection(name: u8) -> String {
    format!("regular{}", "_low".repeat(usize::from(name)))
}

/// Ids are chosen by the sender's device, and may be hostile.
fn message(m: u8) -> String {
    match m {
        0 => "3EB0/../%2f\0\u{1}".to_owned(),
        1 => "3EB0".to_owned(),
        m => format!("3EB0/{m}"),
    }
}

/// Numbers of different LIDs differ, before and after a move: the in-memory backend does not handle
/// a number that two LIDs have had.
fn number(l: u8, moved: bool) -> String {
    format!("1555{}{l:03}", u8::from(moved))
}

fn mapping(l: u8, moved: bool) -> LidPnMappingEntry {
    LidPnMappingEntry {
        lid: user(l),
        phone_number: number(l, moved),
        created_at: 1,
        updated_at: 2,
        learning_source: "usync".to_owned(),
    }
}

fn devices(u: u8, v: u8) -> DeviceListRecord {
    let device = DeviceInfo::new(v.into(), Some(1));
    DeviceListRecord { user: user(u), devices: vec![device], timestamp: v.into(), phash: None, raw_id: Some(v.into()) }
}

/// Secrets and messages are stored with the current time, so either all of them are older or none.
fn cutoff(all: bool) -> i64 {
    if all { i64::MAX } else { 1 }
}

fn device(v: u8) -> Device {
    static DEVICE: LazyLock<Device> = LazyLock::new(Device::new);
    Device { push_name: format!("device {v}"), ..DEVICE.clone() }
}
