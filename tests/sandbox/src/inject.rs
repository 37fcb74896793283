//! Makes a fault happen, or arms it for its occasion.

use anyhow::{Context as _, Result};
use tokio::sync::mpsc;
use wacore_binary::Jid;
use wacore_libsignal::protocol::KeyPair;
use waproto::whatsapp::Message;

use crate::contact;
use crate::faults::{Fault, Scope};
use crate::odd::Stanza;
use crate::orders::Order;
use crate::stanza::{conflict, stream_error};
use crate::world::{DeviceId, State, World, now_ms};

/// Who writes to phones; no simulated phone has this number.
const CONTACT: &str = "99900000077";

impl World {
    /// Fails in words when the fault names a device that there is not.
    pub(crate) fn inject(&self, fault: Fault) -> Result<()> {
        match &fault {
            Fault::Cut { scope } => self.order_all(scope, || Order::Cut)?,
            Fault::StreamError { code, scope } => {
                self.order_all(scope, || Order::EndWith(Box::new(stream_error(*code))))?;
            }
            Fault::Replaced { scope } => self.order_all(scope, || Order::EndWith(Box::new(conflict("replaced"))))?,
            Fault::Garble { scope, how } => self.order_all(scope, || Order::Garble(*how))?,
            Fault::Answer { children, .. } => {
                for child in children {
                    child.node()?;
                }
                self.state().armed.arm(fault);
            }
            Fault::QrBurst { times } => self.order_all(&Scope::Unregistered, || Order::ResendRefs(*times))?,
            Fault::RefreshCode {} => self.order_all(&Scope::Unregistered, || Order::RefreshCode)?,
            Fault::ChallengeAgain {} => self.order_all(&Scope::Unregistered, || Order::ChallengeAgain)?,
            Fault::DeviceRemoved { scope } => {
                let devices = self.state().devices_in(scope)?;
                for device in &devices {
                    self.unlink(device)?;
                }
            }
            Fault::RefuseConnections { .. }
            | Fault::StallIqs { .. }
            | Fault::RefuseIqs { .. }
            | Fault::LoginFailure { .. }
            | Fault::LateClose { .. }
            | Fault::RefuseCode { .. }
            | Fault::Unlink { .. }
            | Fault::Restart { .. }
            | Fault::Pause { .. } => self.state().armed.arm(fault),
        }
        Ok(())
    }

    pub(crate) fn clear_faults(&self) {
        self.state().armed.clear();
        self.faults_changed();
    }

    /// The phone's owner takes a device off the list.
    pub(crate) fn unlink(&self, device: &DeviceId) -> Result<()> {
        let mailbox = self.remove(device)?;
        self.state().report.removals += 1;
        if let Some(mailbox) = mailbox {
            order(&mailbox, Order::EndWith(Box::new(conflict("device_removed"))));
        }
        Ok(())
    }

    /// Every linked device of the phone that is connected is told this.
    pub(crate) fn say(&self, number: &str, stanza: &Stanza) -> Result<()> {
        let node = stanza.node()?;
        self.state().phone(number)?;
        self.order_all(&Scope::Number(number.to_owned()), || Order::Say(Box::new(node.clone())))
    }

    /// Somebody writes to the phone's linked devices, as far as they are connected.
    pub(crate) async fn write(&self, number: &str, text: &str) -> Result<()> {
        let message = Message { conversation: Some(text.to_owned()), ..Default::default() };
        let from = Jid::pn(CONTACT);
        self.send_message(number, &from, &KeyPair::generate(&mut rand::rng()), &message).await
    }

    async fn send_message(&self, number: &str, from: &Jid, sender: &KeyPair, message: &Message) -> Result<()> {
        let mut bundles = Vec::new();
        for device in &mut self.state().phone(number)?.devices {
            if let Some(connection) = device.connection {
                bundles.push((connection, device.bundle.take()?));
            }
        }
        for (connection, bundle) in bundles {
            let id = format!("3EB0{:016X}", rand::random::<u64>());
            let stanza = contact::write(from, sender, bundle, message, &id, now_ms() / 1_000).await?;
            if let Some(entry) = self.state().connections.get(&connection) {
                order(&entry.mailbox, Order::Say(Box::new(stanza)));
            }
        }
        Ok(())
    }

    fn order_all(&self, scope: &Scope, make: impl Fn() -> Order) -> Result<()> {
        for mailbox in self.state().mailboxes_in(scope)? {
            order(&mailbox, make());
        }
        Ok(())
    }
}

impl State {
    fn mailboxes_in(&self, scope: &Scope) -> Result<Vec<mpsc::Sender<Order>>> {
        let device = if let Scope::Device(jid) = scope { Some(parse_device(jid)?) } else { None };
        let fits = |of: Option<&DeviceId>| match scope {
            Scope::All => true,
            Scope::Unregistered => of.is_none(),
            Scope::Number(number) => of.is_some_and(|of| of.number == *number),
            Scope::Device(_) => of.is_some() && of == device.as_ref(),
        };
        let connections = self.connections.values().filter(|connection| fits(connection.device.as_ref()));
        Ok(connections.map(|connection| connection.mailbox.clone()).collect())
    }

    fn devices_in(&self, scope: &Scope) -> Result<Vec<DeviceId>> {
        if let Scope::Device(jid) = scope {
            return Ok(vec![parse_device(jid)?]);
        }
        let phones = self.phones.values().filter(|phone| match scope {
            Scope::All => true,
            Scope::Number(number) => phone.number == *number,
            Scope::Unregistered | Scope::Device(_) => false,
        });
        let devices = phones.flat_map(|phone| phone.devices.iter().map(|device| (phone.number.clone(), device.number)));
        Ok(devices.map(|(number, device)| DeviceId { number, device }).collect())
    }
}

/// Reads `<number>:<device>@s.whatsapp.net`.
pub(crate) fn parse_device(jid: &str) -> Result<DeviceId> {
    let parsed: wacore_binary::Jid = jid.parse().ok().with_context(|| format!("{jid:?} is no device's jid"))?;
    Ok(DeviceId { number: parsed.user.to_string(), device: parsed.device })
}

fn order(mailbox: &mpsc::Sender<Order>, order: Order) {
    // A connection that is ending, or has a full mailbox, is past being ordered about.
    let _ = mailbox.try_send(order);
}
