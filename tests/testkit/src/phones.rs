use std::collections::BTreeMap;

use paird_sandbox::{
    Fault, Group, HandSettings, History, LinkedDevice, Naming, Pace, Posted, Reading, Remote, RemoteError, Report,
    ScanOptions, SharedGroup, ShownMessage, ShownTyping, Stanza, Waiting, Writing, Written,
};

use super::until;

/// The simulated phones. The sandbox's API blocks; here it does not.
#[derive(Clone)]
pub struct Phones(Remote);

impl Phones {
    pub fn new(admin_url: &str) -> Self {
        Self(Remote::new(admin_url))
    }

    pub async fn add(&self, number: &str) {
        let number = number.to_owned();
        self.call(move |remote| remote.add_phone(&number)).await.unwrap();
    }

    /// The error is the sandbox's own words: a QR that is over, a phone that is not there.
    pub async fn scan(&self, number: &str, qr: &str) -> Result<(), RemoteError> {
        self.scan_with(number, qr, ScanOptions::default()).await
    }

    pub async fn scan_with(&self, number: &str, qr: &str, options: ScanOptions) -> Result<(), RemoteError> {
        let (number, qr) = (number.to_owned(), qr.to_owned());
        self.call(move |remote| remote.scan_with(&number, &qr, options)).await
    }

    pub async fn type_code(&self, number: &str, code: &str) -> Result<(), RemoteError> {
        let (number, code) = (number.to_owned(), code.to_owned());
        self.call(move |remote| remote.type_code(&number, &code)).await
    }

    /// From now on the phone links a device only with its passkey.
    pub async fn set_passkey(&self, number: &str, timeout_ms: u64) {
        let number = number.to_owned();
        self.call(move |remote| remote.set_passkey(&number, timeout_ms)).await.unwrap();
    }

    /// The assertion of the phone's passkey for these options.
    pub async fn passkey_assertion(&self, number: &str, options: &serde_json::Value) -> serde_json::Value {
        let (number, options) = (number.to_owned(), options.clone());
        self.call(move |remote| remote.passkey_assertion(&number, &options)).await.unwrap()
    }

    pub async fn passkey_code(&self, number: &str) -> String {
        let number = number.to_owned();
        self.call(move |remote| remote.passkey_code(&number)).await.unwrap()
    }

    /// The phone's list of linked devices, oldest first.
    pub async fn devices(&self, number: &str) -> Vec<LinkedDevice> {
        let number = number.to_owned();
        self.call(move |remote| remote.devices(&number)).await.unwrap()
    }

    pub async fn unlink(&self, number: &str, jid: &str) {
        let (number, jid) = (number.to_owned(), jid.to_owned());
        self.call(move |remote| remote.unlink(&number, &jid)).await.unwrap();
    }

    pub async fn fault(&self, fault: Fault) {
        self.call(move |remote| remote.fault(&fault)).await.unwrap();
    }

    pub async fn set_groups(&self, number: &str, groups: &[Group]) {
        let (number, groups) = (number.to_owned(), groups.to_vec());
        self.call(move |remote| remote.set_groups(&number, &groups)).await.unwrap();
    }

    /// Sets the business name of the phone; none: it is a person's.
    pub async fn set_business(&self, number: &str, name: Option<&str>) {
        let (number, name) = (number.to_owned(), name.map(str::to_owned));
        self.call(move |remote| remote.set_business(&number, name.as_deref())).await.unwrap();
    }

    /// The owner changes the name on the phone: linked devices learn it by app state.
    pub async fn change_own_name(&self, number: &str, name: &str) {
        let (number, name) = (number.to_owned(), name.to_owned());
        self.call(move |remote| remote.change_own_name(&number, &name)).await.unwrap();
    }

    /// From now on the phone sends this to each device that it links.
    pub async fn set_history(&self, number: &str, history: &History) {
        let (number, history) = (number.to_owned(), history.clone());
        self.call(move |remote| remote.set_history(&number, &history)).await.unwrap();
    }

    /// Sends any stanza to the phone's connected devices.
    pub async fn say(&self, number: &str, stanza: &Stanza) {
        let (number, stanza) = (number.to_owned(), stanza.clone());
        self.call(move |remote| remote.say(&number, &stanza)).await.unwrap();
    }

    /// Sends the phone a message, as soon as its devices have uploaded their keys.
    pub async fn write(&self, number: &str, text: &str) {
        self.keys_told(number).await;
        let (number, text) = (number.to_owned(), text.to_owned());
        self.call(move |remote| remote.write(&number, &text)).await.unwrap();
    }

    /// Waits until the phone's devices have uploaded the keys that others write with: a message
    /// does not reach a device that has not.
    pub async fn keys_told(&self, number: &str) {
        until("keys to write with", || async {
            let number = number.to_owned();
            let told = self.call(move |remote| {
                let mut told = true;
                for device in remote.devices(&number)? {
                    let nth = device.jid.split_once(':').and_then(|(_, rest)| rest.split('@').next()?.parse().ok());
                    told &= remote.waiting(&number, nth.unwrap_or_default())?.one_time_keys > 0;
                }
                Ok(told)
            });
            told.await.unwrap().then_some(())
        })
        .await;
    }

    /// A phone's owner writes.
    pub async fn send(&self, from: &str, writing: Writing) -> Written {
        self.try_to_send(from, writing).await.unwrap()
    }

    /// The error is the sandbox's own words: what the message refers to is not there.
    pub async fn try_to_send(&self, from: &str, writing: Writing) -> Result<Written, RemoteError> {
        let from = from.to_owned();
        self.call(move |remote| remote.send(&from, &writing)).await
    }

    /// A phone's owner has looked at messages.
    pub async fn read(&self, by: &str, reading: Reading) -> Result<(), RemoteError> {
        let by = by.to_owned();
        self.call(move |remote| remote.read(&by, &reading)).await
    }

    /// Links a companion to the phone that the sandbox plays itself.
    pub async fn add_companion(&self, number: &str) {
        let number = number.to_owned();
        self.call(move |remote| remote.add_companion(&number)).await.unwrap();
    }

    /// What WhatsApp has had for devices from outside.
    pub async fn posted(&self) -> BTreeMap<String, Vec<Posted>> {
        self.call(Remote::posted).await.unwrap()
    }

    /// The same, many texts at once.
    pub async fn burst(&self, from: &str, to: &str, texts: Vec<String>) -> Vec<Written> {
        self.burst_naming(from, to, Naming::Lid, texts).await
    }

    pub async fn burst_naming(&self, from: &str, to: &str, naming: Naming, texts: Vec<String>) -> Vec<Written> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.call(move |remote| remote.burst(&from, &to, naming, texts)).await.unwrap()
    }

    /// Takes the phone itself off line, or back. Meanwhile everything waits for it.
    pub async fn set_online(&self, number: &str, online: bool) {
        let number = number.to_owned();
        let settings = HandSettings { online: Some(online), ..HandSettings::default() };
        self.call(move |remote| remote.set_hand(&number, 0, &settings)).await.unwrap();
    }

    /// The phone never asks again for what it cannot read.
    pub async fn never_asks_again(&self, number: &str) {
        let number = number.to_owned();
        let settings = HandSettings { asks_again: Some(false), ..HandSettings::default() };
        self.call(move |remote| remote.set_hand(&number, 0, &settings)).await.unwrap();
    }

    /// The phone loses all its sessions: what was encrypted for it and waits, it cannot read.
    pub async fn forgets_sessions(&self, number: &str) {
        let number = number.to_owned();
        let settings = HandSettings { forget_sessions: Some(true), ..HandSettings::default() };
        self.call(move |remote| remote.set_hand(&number, 0, &settings)).await.unwrap();
    }

    /// What the phone itself shows.
    pub async fn screen(&self, number: &str) -> Vec<ShownMessage> {
        let number = number.to_owned();
        self.call(move |remote| remote.messages(&number, 0)).await.unwrap()
    }

    /// That others were typing, as the phone has shown it.
    pub async fn typing(&self, number: &str) -> Vec<ShownTyping> {
        let number = number.to_owned();
        self.call(move |remote| remote.typing(&number)).await.unwrap()
    }

    /// The phone's owner has looked at these messages of a chat.
    pub async fn has_read(&self, number: &str, chat: &str, ids: &[&str]) {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let reading = Reading { chat: chat.to_owned(), ids, played: false, device: 0, naming: Naming::default() };
        let number = number.to_owned();
        self.call(move |remote| remote.read(&number, &reading)).await.unwrap();
    }

    /// What the server keeps for a linked device, by its jid.
    pub async fn waiting(&self, number: &str, jid: &str) -> Waiting {
        let nth = jid.split_once(':').and_then(|(_, rest)| rest.split('@').next()?.parse().ok()).unwrap_or_default();
        let number = number.to_owned();
        self.call(move |remote| remote.waiting(&number, nth)).await.unwrap()
    }

    pub async fn set_shared_group(&self, jid: &str, subject: &str, members: &[&str]) {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.set_group(jid, SharedGroup { subject: subject.to_owned(), members, naming: Naming::default() }).await;
    }

    pub async fn set_group(&self, jid: &str, group: SharedGroup) {
        let jid = jid.to_owned();
        self.call(move |remote| remote.set_shared_group(&jid, &group)).await.unwrap();
    }

    pub async fn clear_faults(&self) {
        self.call(Remote::clear_faults).await.unwrap();
    }

    pub async fn set_pace(&self, pace: Pace) {
        self.call(move |remote| remote.set_pace(&pace)).await.unwrap();
    }

    pub async fn report(&self) -> Report {
        self.call(Remote::report).await.unwrap()
    }

    /// Waits until the phone lists so many devices.
    pub async fn devices_are(&self, number: &str, count: usize) -> Vec<LinkedDevice> {
        until(&format!("{count} devices on {number}"), || async {
            Some(self.devices(number).await).filter(|devices| devices.len() == count)
        })
        .await
    }

    async fn call<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Remote) -> Result<T, RemoteError> + Send + 'static,
    ) -> Result<T, RemoteError> {
        let remote = self.0.clone();
        tokio::task::spawn_blocking(move || ask(&remote)).await.unwrap()
    }
}
