//! The settings that a phone shares with its companions ("app state"). The sandbox knows one of
//! them, the owner's name. Each change is a patch, sealed with a key that the phone sends its
//! companions in a message; the server passes both on and can read neither.

use std::collections::HashSet;

use anyhow::Result;
use buffa::{Message as _, MessageField};
use wacore::appstate::hash::{HashState, generate_patch_mac};
use wacore::appstate::{encode_record, expand_app_state_keys};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};
use waproto::whatsapp::message::protocol_message::Type;
use waproto::whatsapp::message::{
    AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId, AppStateSyncKeyShare,
    ProtocolMessage,
};
use waproto::whatsapp::sync_action_value::PushNameSetting;
use waproto::whatsapp::syncd_mutation::SyncdOperation;
use waproto::whatsapp::{KeyId, Message, SyncActionValue, SyncdPatch, SyncdVersion};

use crate::post::queue::Class;
use crate::stanza::attr;
use crate::world::{DeviceId, State, now_ms};

/// The collection in which WhatsApp keeps the name.
const COLLECTION: &str = "critical_block";
const INDEX: &[u8] = br#"["setting_pushName"]"#;

pub(crate) struct AppState {
    key_id: [u8; 6],
    key: [u8; 32],
    hash: HashState,
    /// Of the record that the next change replaces.
    value_mac: Option<Vec<u8>>,
    /// That of version 1, and so on.
    patches: Vec<Vec<u8>>,
    /// The devices that were sent the key.
    keyed: HashSet<u16>,
}

impl AppState {
    pub(crate) fn new() -> Self {
        Self {
            key_id: rand::random(),
            key: rand::random(),
            hash: HashState::default(),
            value_mac: None,
            patches: Vec::new(),
            keyed: HashSet::new(),
        }
    }

    fn set_name(&mut self, name: &str) -> Result<()> {
        let keys = expand_app_state_keys(&self.key);
        let value = SyncActionValue {
            timestamp: i64::try_from(now_ms()).ok(),
            push_name_setting: MessageField::some(PushNameSetting { name: Some(name.to_owned()) }),
            ..Default::default()
        };
        let iv = rand::random();
        let (mutation, value_mac) = encode_record(SyncdOperation::SET, INDEX, &value, &keys, &self.key_id, &iv, 1);
        let replaced = self.value_mac.replace(value_mac.to_vec());
        let mutations = vec![mutation];
        let (_, hashed) = self.hash.update_hash(&mutations, |_, _| Ok(replaced.clone()));
        hashed?;
        self.hash.version += 1;
        let mut patch = SyncdPatch {
            version: MessageField::some(SyncdVersion { version: Some(self.hash.version) }),
            mutations,
            snapshot_mac: Some(self.hash.generate_snapshot_mac(COLLECTION, &keys.snapshot_mac)),
            key_id: MessageField::some(KeyId { id: Some(self.key_id.to_vec()) }),
            ..Default::default()
        };
        patch.patch_mac = Some(generate_patch_mac(&patch, COLLECTION, &keys.patch_mac, self.hash.version));
        self.patches.push(patch.encode_to_vec());
        Ok(())
    }

    fn key_share(&self) -> Message {
        let data = AppStateSyncKeyData {
            key_data: Some(self.key.to_vec()),
            fingerprint: MessageField::some(AppStateSyncKeyFingerprint {
                raw_id: Some(1),
                current_index: Some(0),
                device_indexes: vec![0],
            }),
            timestamp: i64::try_from(now_ms()).ok(),
        };
        let key = AppStateSyncKey {
            key_id: MessageField::some(AppStateSyncKeyId { key_id: Some(self.key_id.to_vec()) }),
            key_data: MessageField::some(data),
        };
        let protocol = ProtocolMessage {
            r#type: Some(Type::APP_STATE_SYNC_KEY_SHARE),
            app_state_sync_key_share: MessageField::some(AppStateSyncKeyShare { keys: vec![key] }),
            ..Default::default()
        };
        Message { protocol_message: MessageField::some(protocol), ..Default::default() }
    }
}

impl State {
    /// The phone's owner changes the name. Linked devices are told that there is a new version.
    pub(crate) fn change_own_name(&mut self, number: &str, name: &str) -> Result<()> {
        let phone = self.phone(number)?;
        name.clone_into(&mut phone.push_name);
        let state = phone.app_state.get_or_insert_with(AppState::new);
        state.set_name(name)?;
        let version = state.hash.version;
        let from_outside = phone.devices.iter().filter(|device| device.hand.is_none()).map(|device| device.number);
        for device in from_outside.collect::<Vec<_>>() {
            let device = DeviceId { number: number.to_owned(), device };
            self.share_app_state(&device)?;
            let id = rand::random::<u32>().to_string();
            let collection = NodeBuilder::new("collection").attr("name", COLLECTION).attr("version", version).build();
            let notification = NodeBuilder::new("notification")
                .attr("from", SERVER_JID)
                .attr("type", "server_sync")
                .attr("id", id.as_str())
                .attr("t", now_ms() / 1_000)
                .children([collection])
                .build();
            self.deliver(&device, Class::Notification, &id, notification);
        }
        Ok(())
    }

    /// Sends a device the key of the phone's settings, once, as soon as it can be written to.
    pub(crate) fn share_app_state(&mut self, with: &DeviceId) -> Result<()> {
        let can_read = self.device(with).is_some_and(|device| device.bundle.is_there());
        let phone = self.phone(&with.number)?;
        let Some(state) = phone.app_state.as_mut().filter(|_| can_read) else { return Ok(()) };
        if !state.keyed.insert(with.device) {
            return Ok(());
        }
        let message = state.key_share();
        self.tell_companion(with, &message)
    }

    /// The answer to a device's `<sync>`: of each collection the patches that it does not have.
    pub(crate) fn app_state(&self, id: &DeviceId, iq: &Node) -> Node {
        let kept = self.phones.get(&id.number).and_then(|phone| phone.app_state.as_ref());
        let asked = iq.get_optional_child("sync").and_then(Node::children).unwrap_or_default();
        let answered = asked.iter().map(|collection| {
            let (name, version) = (attr(collection, "name"), attr(collection, "version"));
            let version = version.parse::<usize>().unwrap_or_default();
            let patches = kept.filter(|_| name == COLLECTION).map(|kept| kept.patches.as_slice()).unwrap_or_default();
            let newer = patches.get(version..).unwrap_or_default();
            let node = NodeBuilder::new("collection")
                .attr("name", name)
                .attr("version", u64::try_from(version + newer.len()).unwrap_or_default());
            if newer.is_empty() {
                return node.build();
            }
            let newer = newer.iter().map(|patch| NodeBuilder::new("patch").bytes(patch.clone()).build());
            node.children([NodeBuilder::new("patches").children(newer).build()]).build()
        });
        NodeBuilder::new("sync").children(answered).build()
    }
}
