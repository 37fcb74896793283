//! The simulated phones, driven over the sandbox's admin API.

use anyhow::Context as _;
use paird_sandbox::{LinkedDevice, Remote, RemoteError};

use crate::cli::out;

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
