//! The simulated phones, driven over the sandbox's admin API.

use anyhow::Context as _;
use paird_sandbox::{LinkedDevice, Remote, RemoteError, Writing};

use crate::cli::out;

/// Of a phone's devices, the phone.
const PHONE_ITSELF: u16 = 0;

/// The sandbox's API blocks, so each call runs on a thread for such work.
pub(super) struct Phones(Remote);

impl Phones {
    pub(super) fn new(admin_url: &str) -> Self {
        Self(Remote::new(admin_url))
    }

    pub(super) async fn add(&self, number: &str) -> anyhow::Result<()> {
        let number = number.to_owned();
        self.call(move |remote| remote.add_phone(&number)).await
    }

    /// The phone looks at the picture. An error may mean that the QR is over by now.
    pub(super) async fn scan(&self, number: &str, png_base64: String) -> anyhow::Result<()> {
        let number = number.to_owned();
        self.call(move |remote| remote.scan_png(&number, &png_base64)).await
    }

    pub(super) async fn devices(&self, number: &str) -> anyhow::Result<Vec<LinkedDevice>> {
        let number = number.to_owned();
        self.call(move |remote| remote.devices(&number)).await
    }

    /// A phone's owner writes to a number.
    pub(super) async fn write(&self, from: &str, to: &str, text: &str) -> anyhow::Result<()> {
        let (from, writing) = (from.to_owned(), Writing::text(to, text));
        self.call(move |remote| remote.send(&from, &writing).map(drop)).await
    }

    /// What a phone shows that others wrote, each text once, in order.
    pub(super) async fn shown(&self, number: &str) -> anyhow::Result<Vec<String>> {
        let number = number.to_owned();
        let messages = self.call(move |remote| remote.messages(&number, PHONE_ITSELF)).await?;
        Ok(messages.into_iter().filter(|message| !message.from_me).filter_map(|message| message.text).collect())
    }

    /// How many stanzas WhatsApp keeps for the phone's linked devices, and whether all of these
    /// have uploaded the keys that others write with.
    pub(super) async fn queue(&self, number: &str) -> anyhow::Result<(usize, bool)> {
        let number = number.to_owned();
        let queue = move |remote: &Remote| -> Result<(usize, bool), RemoteError> {
            let (mut stanzas, mut can_be_written_to) = (0, true);
            for device in remote.devices(&number)? {
                let nth = device.jid.split_once(':').and_then(|(_, rest)| rest.split('@').next()?.parse().ok());
                let waiting = remote.waiting(&number, nth.unwrap_or_default())?;
                stanzas += waiting.stanzas;
                can_be_written_to &= waiting.one_time_keys > 0;
            }
            Ok((stanzas, can_be_written_to))
        };
        self.call(queue).await
    }

    /// Prints the phone's list of linked devices.
    pub(super) async fn show(&self, number: &str) -> anyhow::Result<()> {
        let devices = self.devices(number).await?;
        let list: Vec<String> = devices.iter().map(described).collect();
        let list = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        out::line(format_args!("      phone +{number}   linked devices: {list}"));
        Ok(())
    }

    async fn call<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Remote) -> Result<T, RemoteError> + Send + 'static,
    ) -> anyhow::Result<T> {
        let remote = self.0.clone();
        let answer = tokio::task::spawn_blocking(move || ask(&remote)).await;
        answer.context("the sandbox was not asked")?.context("sandbox")
    }
}

fn described(device: &LinkedDevice) -> String {
    let state = if device.connected { "active now" } else { "not connected" };
    format!("{} ({}, {state})", device.label, device.jid)
}
