//! The device: who the account is linked as, and its long-term keys.
//!
//! Stored as JSON, whose fields may grow with the library. Fields that the library does not
//! serialise (`device_props`, `client_profile`) are set at every start. Beside its fields is
//! what must be known at each login, which so costs no statement of its own.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wacore::stats::StorageResourceReport;
use wacore::store::Device;
use wacore::store::traits::DeviceStore;

use super::{Kept, refused};
use crate::credentials::Keyring;
use crate::credentials::records::{Durability, Entry, RecordKind};
use paird_actors::domain::StoreError;

#[derive(Serialize)]
struct Stored<'a> {
    #[serde(flatten)]
    device: &'a Device,
    #[serde(flatten)]
    beside: Beside,
}

/// What paird stores beside the library's fields.
#[derive(Default, Serialize, Deserialize)]
struct Beside {
    /// In base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unread_histories: BTreeMap<String, String>,
}

impl Beside {
    fn of(keyring: &Keyring) -> Self {
        let histories = keyring.unread_histories();
        let encoded = histories.iter().map(|(id, announced)| (id.clone(), BASE64_STANDARD.encode(announced)));
        Self { unread_histories: encoded.collect() }
    }

    /// One that cannot be decoded is dropped.
    fn hand_to(self, keyring: &Keyring) {
        let encoded = self.unread_histories.into_iter();
        let histories = encoded.filter_map(|(id, encoded)| Some((id, BASE64_STANDARD.decode(encoded).ok()?)));
        *keyring.unread_histories() = histories.collect();
    }
}

#[async_trait]
impl DeviceStore for Keyring {
    /// Keeps the stored name if the device has none: accounts never lose their name, so this
    /// client was made to forget it, and the next one must have it again.
    async fn save(&self, device: &Device) -> Kept<()> {
        let _merging = self.merging.device.lock().await;
        self.save_merged(device).await
    }

    async fn load(&self) -> Kept<Option<Device>> {
        let Some(entry) = self.get(RecordKind::Device, "").await? else { return self.absent(None) };
        let device: Device = entry.parse().map_err(refused)?;
        self.push_name.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&device.push_name);
        entry.parse::<Beside>().map_err(refused)?.hand_to(self);
        Ok(Some(device))
    }

    async fn exists(&self) -> Kept<bool> {
        match self.get(RecordKind::Device, "").await? {
            Some(_) => Ok(true),
            None => self.absent(false),
        }
    }

    /// There is one device in a keyring, so its id within it is always 1.
    async fn create(&self) -> Kept<i32> {
        let _merging = self.merging.device.lock().await;
        if !self.exists().await? {
            self.save_merged(&Device::new()).await?;
        }
        Ok(1)
    }

    async fn snapshot_db(&self, _name: &str, _extra_content: Option<&[u8]>) -> Kept<()> {
        // A copy of the keys outside the seal is the last thing wanted.
        Ok(())
    }

    async fn resource_report(&self) -> StorageResourceReport {
        StorageResourceReport { memory_bytes: Some(0), ..StorageResourceReport::default() }
    }
}

/// Fields that the library saves after it has sent: they note what was last seen or done,
/// which it can see or do again. For all others it waits before it sends.
const SAVED_BEHIND: [&str; 11] = [
    "app_version_last_fetched_ms",
    "app_version_primary",
    "app_version_secondary",
    "app_version_tertiary",
    "edge_routing_info",
    "login_counter",
    "props_hash",
    "push_name",
    "read_receipts_disabled",
    "server_cert_chain",
    "server_has_prekeys",
];

fn differs_only_in_what_is_saved_behind(former: &Entry, present: &Entry) -> bool {
    let fields = |entry: &Entry| entry.parse::<serde_json::Map<String, Value>>();
    let (Ok(former), Ok(present)) = (fields(former), fields(present)) else { return false };
    let same = |name: &String| SAVED_BEHIND.contains(&name.as_str()) || former.get(name) == present.get(name);
    former.keys().chain(present.keys()).all(same)
}

impl Keyring {
    /// Under the lock, or a save that was told no name could land after one that was.
    async fn save_merged(&self, device: &Device) -> Kept<()> {
        let mut device = std::borrow::Cow::Borrowed(device);
        {
            let mut name = self.push_name.lock().unwrap_or_else(PoisonError::into_inner);
            if device.push_name.is_empty() && !name.is_empty() {
                device.to_mut().push_name.clone_from(&name);
            } else {
                name.clone_from(&device.push_name);
            }
        }
        let stored = Stored { device: &device, beside: Beside::of(self) };
        let entry = Entry::json(RecordKind::Device, String::new(), &stored).map_err(refused)?;
        self.put(entry.durable(Durability::LaterIf(differs_only_in_what_is_saved_behind))).await
    }

    /// Only a staged keyring may be without a device. A client that believed that of a linked
    /// one would make a new identity in its place.
    fn absent<T>(&self, answer: T) -> Kept<T> {
        if self.is_durable() {
            return Err(refused(StoreError::Poisoned(format!("keyring {} has no device", self.id()))));
        }
        Ok(answer)
    }
}
