//! Makes a fault happen, or arms it for its occasion.

use anyhow::{Context as _, Result};
use tokio::sync::mpsc;
use wacore_binary::Node;

use crate::faults::{Fault, Scope};
use crate::odd::Stanza;
use crate::orders::Order;
use crate::post::queue::Queue;
use crate::stanza::{conflict, stream_error};
use crate::world::{ConnectionId, DeviceId, State, World};

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
            | Fault::Outdated { .. }
            | Fault::LateClose { .. }
            | Fault::RefuseCode { .. }
            | Fault::Unlink { .. }
            | Fault::Restart { .. }
            | Fault::Message { .. }
            | Fault::Delivery { .. }
            | Fault::Again { .. }
            | Fault::Receipts { .. }
            | Fault::Prekeys { .. }
            | Fault::StaleDevices { .. }
            | Fault::CutBacklog { .. }
            | Fault::EndlessBacklog { .. }
            | Fault::Pause { .. } => self.state().armed.arm(fault),
        }
        Ok(())
    }

    pub(crate) fn clear_faults(&self) {
        let mut state = self.state();
        state.armed.clear();
        state.release_receipts();
        drop(state);
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

    /// Sends this to every connected device that is linked to the phone.
    pub(crate) fn say(&self, number: &str, stanza: &Stanza) -> Result<()> {
        let node = stanza.node()?;
        self.state().phone(number)?;
        self.order_all(&Scope::Number(number.to_owned()), || Order::Say(Box::new(node.clone())))
    }

    /// Sends this to one connection, if it still exists.
    pub(crate) fn tell(&self, connection: ConnectionId, stanza: Node) {
        if let Some(connection) = self.state().connections.get(&connection) {
            order(&connection.mailbox, Order::Say(Box::new(stanza)));
        }
    }

    /// Takes stanzas out of a device's queue, as `look` chooses.
    pub(crate) fn with_queue(&self, of: &DeviceId, look: impl FnOnce(&mut Queue) -> Vec<Node>) -> Vec<Node> {
        self.state().device_mut(of).map(|device| look(&mut device.queue)).unwrap_or_default()
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
