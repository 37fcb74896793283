//! All that connections and the admin API share: the phones, the connections
//! themselves, the refs on show, the armed faults and the journal.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use tokio::sync::{Notify, mpsc, watch};
use wacore_binary::Node;
use wacore_libsignal::protocol::KeyPair;

use crate::authenticator::Authenticator;
use crate::faults::{Armed, Fault, Occasion, PausePoint};
use crate::journal::Report;
use crate::noise::{Pattern, ServerKeys};
use crate::orders::Order;
use crate::phone::{Device, Group, LinkedDevice, Phone};
use crate::post::STRANGERS;
use crate::post::ledger::Ledger;
use crate::post::members::SharedGroup;
use crate::settings::Pace;
use crate::talk::history::MediaFile;

pub(crate) type ConnectionId = u64;

/// How many orders a connection may have waiting.
const MAILBOX: usize = 8;

pub(crate) struct World {
    pub(crate) keys: ServerKeys,
    state: Mutex<State>,
    /// Rung on each change of the faults, for those who are held.
    faults_changed: watch::Sender<()>,
}

pub(crate) struct State {
    pub(crate) pace: Pace,
    pub(crate) phones: BTreeMap<String, Phone>,
    pub(crate) armed: Armed,
    pub(crate) report: Report,
    pub(crate) ledger: Ledger,
    pub(crate) connections: HashMap<ConnectionId, Connection>,
    /// Numbers by their LIDs.
    pub(crate) numbers: HashMap<String, String>,
    /// How many strangers are among them.
    pub(crate) strangers_known: u32,
    pub(crate) groups: BTreeMap<String, SharedGroup>,
    /// Host and port of the media host.
    pub(crate) media_host: String,
    pub(crate) media: HashMap<String, MediaFile>,
    /// Simulated devices for which something has come.
    pub(crate) due: VecDeque<DeviceId>,
    /// Receipts that the next one is to overtake.
    pub(crate) held_receipts: Vec<(DeviceId, Node)>,
    /// Refs on show, with the connections that show them.
    refs: HashMap<String, ConnectionId>,
    /// Numbers that codes are on show for, with the connections that show them.
    codes: HashMap<String, ConnectionId>,
    last_connection: ConnectionId,
}

pub(crate) struct Connection {
    pub(crate) mailbox: mpsc::Sender<Order>,
    /// Rung when something waits for the device.
    pub(crate) post: Arc<Notify>,
    /// `None`: unregistered.
    pub(crate) device: Option<DeviceId>,
    /// The refs that it shows.
    refs: Vec<String>,
}

/// A companion device of a phone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DeviceId {
    pub(crate) number: String,
    pub(crate) device: u16,
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}@s.whatsapp.net", self.number, self.device)
    }
}

/// A companion's data at registration.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) identity: [u8; 32],
    pub(crate) noise_key: [u8; 32],
    pub(crate) label: String,
    pub(crate) platform: String,
}

/// A device number set aside for a companion, and the phone's keys to vouch with.
pub(crate) struct Place {
    pub(crate) id: DeviceId,
    pub(crate) jid: wacore_binary::Jid,
    pub(crate) lid: wacore_binary::Jid,
    pub(crate) phone_identity: KeyPair,
}

/// A connection's entry; gone from the world when this is dropped.
pub(crate) struct Enrolled {
    world: Arc<World>,
    pub(crate) id: ConnectionId,
    /// Rung when something waits for the device.
    pub(crate) post: Arc<Notify>,
}

impl World {
    pub(crate) fn new(keys: ServerKeys, pace: Pace) -> Self {
        Self { keys, state: Mutex::new(State::new(pace)), faults_changed: watch::Sender::new(()) }
    }

    /// Never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pace(&self) -> Pace {
        self.state().pace.clone()
    }

    pub(crate) fn take_fault(&self, occasion: Occasion<'_>) -> Option<Fault> {
        self.state().armed.take(occasion)
    }

    pub(crate) fn faults_changed(&self) {
        self.faults_changed.send_replace(());
    }

    /// Of what holds something up.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.faults_changed.subscribe()
    }

    /// Returns once nothing pauses the point for this number.
    pub(crate) async fn pass(&self, point: PausePoint, number: &str) {
        let mut changes = self.faults_changed.subscribe();
        while self.state().armed.pauses(point, number) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Counts a TCP connection; `false` when a fault refuses it.
    pub(crate) fn accept(&self) -> bool {
        let mut state = self.state();
        if state.armed.take(Occasion::Accepted).is_some() {
            state.report.refused += 1;
            return false;
        }
        state.report.accepted += 1;
        state.report.accepted_at_ms.push(now_ms());
        true
    }

    pub(crate) fn enroll(self: &Arc<Self>) -> (Enrolled, mpsc::Receiver<Order>) {
        let (mailbox, orders) = mpsc::channel(MAILBOX);
        let post = Arc::new(Notify::new());
        let mut state = self.state();
        state.last_connection += 1;
        let id = state.last_connection;
        state.connections.insert(id, Connection { mailbox, post: Arc::clone(&post), device: None, refs: Vec::new() });
        (Enrolled { world: Arc::clone(self), id, post }, orders)
    }

    pub(crate) fn count_handshake(&self, pattern: Pattern) {
        let report = &mut self.state().report;
        match pattern {
            Pattern::Xx => report.handshakes_xx += 1,
            Pattern::Ik => report.handshakes_ik += 1,
            Pattern::XxFallback => report.handshakes_xx_fallback += 1,
        }
    }

    pub(crate) fn report(&self) -> Report {
        let state = self.state();
        let devices = state.phones.values().flat_map(|phone| &phone.devices);
        let logged_in: Vec<_> = devices.filter(|device| device.connection.is_some()).collect();
        Report {
            connections_now: state.connections.len() as u64,
            logged_in_now: logged_in.len() as u64,
            messages_kept_now: logged_in.iter().map(|device| device.queue.messages() as u64).sum(),
            faults_hit: state.armed.hit().clone(),
            ..state.report.clone()
        }
    }

    /// Puts fresh refs on show for a pairing connection.
    pub(crate) fn issue_refs(&self, connection: ConnectionId) -> Vec<String> {
        let mut state = self.state();
        let refs: Vec<String> = (0..state.pace.refs).map(|_| new_ref()).collect();
        state.report.refs_issued += refs.len() as u64;
        for reference in &refs {
            state.refs.insert(reference.clone(), connection);
        }
        if let Some(entry) = state.connections.get_mut(&connection) {
            entry.refs.clone_from(&refs);
        }
        refs
    }

    /// The refs of this connection can no longer be scanned.
    pub(crate) fn withdraw_refs(&self, connection: ConnectionId) {
        self.state().withdraw_refs(connection);
    }

    /// The connection that shows this ref. Fails in words when none does.
    pub(crate) fn shown_by(&self, reference: &str) -> Result<mpsc::Sender<Order>> {
        let state = self.state();
        let connection = state.refs.get(reference).and_then(|id| state.connections.get(id));
        Ok(connection.context("the qr is unknown or expired")?.mailbox.clone())
    }

    /// A code for this number is on show; it takes the place of an older one.
    pub(crate) fn show_code(&self, number: &str, connection: ConnectionId) {
        self.state().codes.insert(number.to_owned(), connection);
    }

    /// The connection that shows a code for this number. Fails in words when none does.
    pub(crate) fn code_shown_by(&self, number: &str) -> Result<mpsc::Sender<Order>> {
        let state = self.state();
        let connection = state.codes.get(number).and_then(|id| state.connections.get(id));
        Ok(connection.context("no code is on show for this number")?.mailbox.clone())
    }

    pub(crate) fn phone_identity(&self, number: &str) -> Result<KeyPair> {
        Ok(self.state().phone(number)?.identity.clone())
    }

    /// The phone's business name, if it belongs to a business.
    pub(crate) fn business(&self, number: &str) -> Option<String> {
        self.state().phones.get(number)?.business.clone()
    }

    pub(crate) fn set_business(&self, number: &str, name: Option<String>) -> Result<()> {
        self.state().phone(number)?.business = name;
        Ok(())
    }

    /// From now on the phone's passkey is asked for whenever it links a device.
    pub(crate) fn set_passkey(&self, number: &str, timeout_ms: u64) -> Result<()> {
        self.state().phone(number)?.passkey = Some(Authenticator::new(timeout_ms)?);
        Ok(())
    }

    pub(crate) fn has_passkey(&self, number: &str) -> bool {
        self.state().phones.get(number).is_some_and(|phone| phone.passkey.is_some())
    }

    pub(crate) fn passkey_of<T>(&self, number: &str, look: impl FnOnce(&Authenticator) -> Result<T>) -> Result<T> {
        look(self.state().phone(number)?.passkey.as_ref().context("the phone has no passkey")?)
    }

    /// Sets the code that the phone shows for its owner to compare.
    pub(crate) fn show_passkey_code(&self, number: &str, code: Option<String>) {
        if let Ok(phone) = self.state().phone(number) {
            phone.passkey_code = code;
        }
    }

    pub(crate) fn passkey_code(&self, number: &str) -> Result<String> {
        self.state().phone(number)?.passkey_code.clone().context("the phone shows no passkey code")
    }

    /// Sets a device number aside. It is used up even if no link comes of it.
    pub(crate) fn reserve(&self, number: &str) -> Result<Place> {
        let mut state = self.state();
        let phone = state.phone(number)?;
        let device = phone.next_device();
        Ok(Place {
            id: DeviceId { number: number.to_owned(), device },
            jid: phone.jid(device),
            lid: phone.lid(device),
            phone_identity: phone.identity.clone(),
        })
    }

    /// The link exists from here on.
    pub(crate) fn link(&self, id: &DeviceId, companion: &Registration, proof: Vec<u8>) -> Result<()> {
        let mut state = self.state();
        let device = Device::linked(id.device, &companion.label, &companion.platform, companion.noise_key, proof);
        state.phone(&id.number)?.devices.push(device);
        state.report.links_made += 1;
        Ok(())
    }

    /// Whether a login with this static key is one of a linked device.
    pub(crate) fn may_log_in(&self, id: &DeviceId, noise_key: &[u8; 32]) -> bool {
        let state = self.state();
        let device = state.phones.get(&id.number).and_then(|phone| phone.device(id.device));
        device.is_some_and(|device| device.noise_key == *noise_key)
    }

    /// The device is online with this connection. Returns the mailbox of the
    /// connection that it replaces. Fails when the device has been unlinked.
    pub(crate) fn attach(&self, id: &DeviceId, connection: ConnectionId) -> Result<Option<mpsc::Sender<Order>>> {
        let mut guard = self.state();
        let state = &mut *guard;
        let device = state.phone(&id.number)?.device_mut(id.device).context("the device has been unlinked")?;
        let before = device.connection.replace(connection);
        device.queue.leave();
        state.report.logins += 1;
        if let Some(entry) = state.connections.get_mut(&connection) {
            entry.device = Some(id.clone());
        }
        let Some(before) = before.and_then(|id| state.connections.get(&id)) else { return Ok(None) };
        let mailbox = before.mailbox.clone();
        state.report.note_replaced(now_ms(), &id.to_string());
        Ok(Some(mailbox))
    }

    /// Takes a device off the list. Returns its connection's mailbox, if online.
    pub(crate) fn remove(&self, id: &DeviceId) -> Result<Option<mpsc::Sender<Order>>> {
        let mut state = self.state();
        let phone = state.phone(&id.number)?;
        let at = phone.devices.iter().position(|device| device.number == id.device);
        let device = phone.devices.remove(at.context("the phone has no such device")?);
        Ok(device.connection.and_then(|id| state.connections.get(&id)).map(|connection| connection.mailbox.clone()))
    }

    pub(crate) fn add_phone(&self, number: &str) -> Result<()> {
        self.state().add_phone(number)
    }

    pub(crate) fn devices(&self, number: &str) -> Result<Vec<LinkedDevice>> {
        Ok(self.state().phone(number)?.linked_devices())
    }

    pub(crate) fn set_groups(&self, number: &str, groups: Vec<Group>) -> Result<()> {
        for group in &groups {
            if !is_group_jid(&group.jid) {
                bail!("{:?} is no group jid", group.jid);
            }
        }
        let mut state = self.state();
        let strangers = groups.iter().map(|group| group.participants).max().unwrap_or_default();
        state.phone(number)?.groups = groups;
        state.learn_strangers(strangers);
        Ok(())
    }
}

impl State {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            phones: BTreeMap::new(),
            armed: Armed::default(),
            report: Report::default(),
            ledger: Ledger::default(),
            connections: HashMap::new(),
            numbers: HashMap::new(),
            strangers_known: 0,
            groups: BTreeMap::new(),
            media_host: String::new(),
            media: HashMap::new(),
            due: VecDeque::new(),
            held_receipts: Vec::new(),
            refs: HashMap::new(),
            codes: HashMap::new(),
            last_connection: 0,
        }
    }

    pub(crate) fn add_phone(&mut self, number: &str) -> Result<()> {
        if !self.phones.contains_key(number) {
            let phone = Phone::new(number)?;
            self.learn_number(number);
            self.learn_strangers(phone.groups.iter().map(|group| group.participants).max().unwrap_or_default());
            self.phones.insert(number.to_owned(), phone);
        }
        Ok(())
    }

    fn withdraw_refs(&mut self, connection: ConnectionId) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        for reference in std::mem::take(&mut entry.refs) {
            self.refs.remove(&reference);
        }
    }

    /// Fails with a message if the phone does not exist. A stranger's is created.
    pub(crate) fn phone(&mut self, number: &str) -> Result<&mut Phone> {
        if number.starts_with(STRANGERS) {
            self.add_phone(number)?;
        }
        self.phones.get_mut(number).context("no such phone; add it first")
    }
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        let mut guard = self.world.state();
        let state = &mut *guard;
        state.withdraw_refs(self.id);
        state.codes.retain(|_, shown_by| *shown_by != self.id);
        let Some(gone) = state.connections.remove(&self.id) else { return };
        let device = gone.device.and_then(|id| state.phones.get_mut(&id.number)?.device_mut(id.device));
        if let Some(device) = device.filter(|device| device.connection == Some(self.id)) {
            device.connection = None;
            device.queue.leave();
        }
    }
}

pub(crate) fn is_group_jid(jid: &str) -> bool {
    jid.ends_with("@g.us") && jid.parse::<wacore_binary::Jid>().is_ok()
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap_or_default()
}

/// As long as a real one, so that a QR has its real density.
fn new_ref() -> String {
    use base64::Engine as _;
    let random: [u8; 64] = rand::random();
    format!("2@{}", base64::prelude::BASE64_STANDARD.encode(random))
}
