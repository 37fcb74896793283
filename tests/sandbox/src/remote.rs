//! The admin API from the other side.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::admin::{Burst, Complaint, NewBusiness, NewCode, NewPasskey, NewPhone, NewScan, Waiting};
use crate::faults::Fault;
use crate::journal::Report;
use crate::odd::Stanza;
use crate::orders::ScanOptions;
use crate::phone::{Group, LinkedDevice, Naming, ShownTyping};
use crate::post::ledger::Posted;
use crate::post::members::SharedGroup;
use crate::settings::Pace;
use crate::talk::history::History;
use crate::talk::shown::ShownMessage;
use crate::talk::{HandSettings, Reading, Writing, Written};

/// The sender of messages whose sender does not matter.
const STRANGER: &str = "99900000077";
/// Longer than any approval that a scan waits for.
const DEADLINE: Duration = Duration::from_secs(60);
/// A report of thousands of connections.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// A blocking client of one sandbox's admin API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Remote {
    agent: Agent,
    base: String,
}

/// Why a request to the sandbox came to nothing.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// The sandbox's own words.
    #[error("{0}")]
    Refused(String),
    #[error("the sandbox cannot be reached")]
    Unreachable(#[source] Box<ureq::Error>),
}

pub type Result<T> = std::result::Result<T, RemoteError>;

impl Remote {
    /// `admin_url` as [`crate::Sandbox::admin_url`] gives it.
    pub fn new(admin_url: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(DEADLINE));
        // A connection kept for later may be closed by the server just when it is used.
        let config = config.max_idle_connections(0).build();
        Self { agent: config.into(), base: admin_url.trim_end_matches('/').to_owned() }
    }

    /// Adds a phone with three groups; one that is there already stays as it is.
    pub fn add_phone(&self, number: &str) -> Result<()> {
        self.post("/phones", &NewPhone { number: number.to_owned() })
    }

    /// The numbers of all phones.
    pub fn phones(&self) -> Result<Vec<String>> {
        self.get("/phones")
    }

    /// Replaces the groups that a phone is in.
    pub fn set_groups(&self, number: &str, groups: &[Group]) -> Result<()> {
        check(self.agent.put(self.url(&format!("/phones/{number}/groups"))).send_json(groups)).map(drop)
    }

    /// Sets the business name of the phone; none: it is a person's.
    pub fn set_business(&self, number: &str, name: Option<&str>) -> Result<()> {
        let url = self.url(&format!("/phones/{number}/business"));
        check(self.agent.put(url).send_json(&NewBusiness { name: name.map(str::to_owned) })).map(drop)
    }

    /// Sends any stanza to every connected device that is linked to the phone.
    pub fn say(&self, number: &str, stanza: &Stanza) -> Result<()> {
        self.post(&format!("/phones/{number}/stanzas"), stanza)
    }

    /// Some stranger writes to the phone.
    pub fn write(&self, number: &str, text: &str) -> Result<()> {
        self.send(STRANGER, &Writing::text(number, text)).map(drop)
    }

    /// The phone's owner writes.
    pub fn send(&self, number: &str, writing: &Writing) -> Result<Written> {
        let url = self.url(&format!("/phones/{number}/messages"));
        read(&mut check(self.agent.post(url).send_json(writing))?)
    }

    /// The phone's owner writes so many texts, one after another.
    pub fn burst(&self, number: &str, to: &str, naming: Naming, texts: Vec<String>) -> Result<Vec<Written>> {
        let url = self.url(&format!("/phones/{number}/burst"));
        read(&mut check(self.agent.post(url).send_json(Burst { to: to.to_owned(), naming, texts }))?)
    }

    /// The screen of one of the phone's simulated devices; 0 is the phone itself.
    pub fn messages(&self, number: &str, device: u16) -> Result<Vec<ShownMessage>> {
        self.get(&format!("/phones/{number}/messages?device={device}"))
    }

    /// That others were typing, as the phone has shown it, in order.
    pub fn typing(&self, number: &str) -> Result<Vec<ShownTyping>> {
        self.get(&format!("/phones/{number}/typing"))
    }

    /// The phone's owner has looked at messages.
    pub fn read(&self, number: &str, reading: &Reading) -> Result<()> {
        self.post(&format!("/phones/{number}/read"), reading)
    }

    /// Changes a simulated device, e.g. takes it off line.
    pub fn set_hand(&self, number: &str, device: u16, settings: &HandSettings) -> Result<()> {
        let url = self.url(&format!("/phones/{number}/hand/{device}"));
        check(self.agent.patch(url).send_json(settings)).map(drop)
    }

    /// Sets the name that others see above the phone's messages.
    pub fn set_push_name(&self, number: &str, name: &str) -> Result<()> {
        check(self.agent.put(self.url(&format!("/phones/{number}/push_name"))).send_json(name)).map(drop)
    }

    /// The phone's owner changes that name in the settings: linked devices learn it by app state.
    pub fn change_own_name(&self, number: &str, name: &str) -> Result<()> {
        check(self.agent.put(self.url(&format!("/phones/{number}/settings/push_name"))).send_json(name)).map(drop)
    }

    /// From now on the phone sends this to each device that it links.
    pub fn set_history(&self, number: &str, history: &History) -> Result<()> {
        check(self.agent.put(self.url(&format!("/phones/{number}/history"))).send_json(history)).map(drop)
    }

    /// Links a companion that the sandbox plays itself, without announcing it. Returns its number.
    pub fn add_companion(&self, number: &str) -> Result<u16> {
        read(&mut check(self.agent.post(self.url(&format!("/phones/{number}/companions"))).send_empty())?)
    }

    /// The stanzas that the server keeps for a device.
    pub fn waiting(&self, number: &str, device: u16) -> Result<Waiting> {
        self.get(&format!("/phones/{number}/waiting/{device}"))
    }

    /// Every message that the server has had for devices from outside, by their jids, in order.
    pub fn posted(&self) -> Result<BTreeMap<String, Vec<Posted>>> {
        self.get("/posted")
    }

    /// Makes or changes a group of several phones.
    pub fn set_shared_group(&self, jid: &str, group: &SharedGroup) -> Result<()> {
        check(self.agent.put(self.url(&format!("/groups/{jid}"))).send_json(group)).map(drop)
    }

    /// Returns once pair-success was sent. Fails with a message, e.g. if this QR
    /// is no longer shown.
    pub fn scan(&self, number: &str, qr_payload: &str) -> Result<()> {
        self.scan_with(number, qr_payload, ScanOptions::default())
    }

    /// Like [`Remote::scan`], from a picture of the QR.
    pub fn scan_png(&self, number: &str, png_base64: &str) -> Result<()> {
        let scan = NewScan { png: Some(png_base64.to_owned()), ..NewScan::default() };
        self.post(&format!("/phones/{number}/scan"), &scan)
    }

    pub fn scan_with(&self, number: &str, qr_payload: &str, options: ScanOptions) -> Result<()> {
        let scan = NewScan { qr: Some(qr_payload.to_owned()), png: None, options };
        self.post(&format!("/phones/{number}/scan"), &scan)
    }

    /// Types the code that a client shows for this number. Returns once
    /// pair-success was sent.
    pub fn type_code(&self, number: &str, code: &str) -> Result<()> {
        self.post(&format!("/phones/{number}/code"), &NewCode { code: code.to_owned() })
    }

    /// From now on the phone links a device only with its passkey, whose owner has so
    /// many milliseconds.
    pub fn set_passkey(&self, number: &str, timeout_ms: u64) -> Result<()> {
        let url = self.url(&format!("/phones/{number}/passkey"));
        check(self.agent.put(url).send_json(&NewPasskey { timeout_ms })).map(drop)
    }

    /// The assertion of the phone's passkey for these options.
    pub fn passkey_assertion(&self, number: &str, options: &Value) -> Result<Value> {
        let url = self.url(&format!("/phones/{number}/passkey/assertion"));
        read(&mut check(self.agent.post(url).send_json(options))?)
    }

    /// The code that the phone shows for its owner to compare.
    pub fn passkey_code(&self, number: &str) -> Result<String> {
        self.get(&format!("/phones/{number}/passkey/code"))
    }

    /// The phone's list of linked devices, oldest first.
    pub fn devices(&self, number: &str) -> Result<Vec<LinkedDevice>> {
        self.get(&format!("/phones/{number}/devices"))
    }

    /// The phone's owner removes a device.
    pub fn unlink(&self, number: &str, jid: &str) -> Result<()> {
        check(self.agent.delete(self.url(&format!("/phones/{number}/devices/{jid}"))).call()).map(drop)
    }

    /// Makes a fault happen, or arms it.
    pub fn fault(&self, fault: &Fault) -> Result<()> {
        self.post("/faults", fault)
    }

    /// The faults that wait for their occasion.
    pub fn faults(&self) -> Result<Vec<Fault>> {
        self.get("/faults")
    }

    /// Disarms every fault and resumes everything that is paused.
    pub fn clear_faults(&self) -> Result<()> {
        check(self.agent.delete(self.url("/faults")).call()).map(drop)
    }

    pub fn pace(&self) -> Result<Pace> {
        self.get("/pace")
    }

    /// Applies to everything that begins from now on.
    pub fn set_pace(&self, pace: &Pace) -> Result<()> {
        check(self.agent.put(self.url("/pace")).send_json(pace)).map(drop)
    }

    pub fn report(&self) -> Result<Report> {
        self.get("/report")
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read(&mut check(self.agent.get(self.url(path)).call())?)
    }

    fn post(&self, path: &str, body: &impl Serialize) -> Result<()> {
        check(self.agent.post(self.url(path)).send_json(body)).map(drop)
    }
}

fn check(answer: std::result::Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
    let mut answer = answer.map_err(unreachable)?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    Err(RemoteError::Refused(read::<Complaint>(&mut answer)?.error))
}

fn read<T: DeserializeOwned>(answer: &mut Response<Body>) -> Result<T> {
    answer.body_mut().with_config().limit(LARGEST_ANSWER).read_json().map_err(unreachable)
}

fn unreachable(error: ureq::Error) -> RemoteError {
    RemoteError::Unreachable(Box::new(error))
}
