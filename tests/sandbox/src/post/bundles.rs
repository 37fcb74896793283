//! `encrypt get`: the keys that begin a session with a device. Every one-time key is given out
//! once.

use anyhow::Result;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};
use wacore_libsignal::protocol::PreKeyBundle;

use super::queue::Class;
use crate::answers::Answer;
use crate::faults::{Fault, Occasion, PrekeyFault};
use crate::stanza::{refusal, result};
use crate::world::{DeviceId, State, now_ms};

/// A device with fewer one-time keys than this is asked to upload more.
const FEW: usize = 10;
/// The error for a device that does not exist.
const UNREGISTERED: u16 = 406;

/// The answer to a request for one device's keys.
enum Given {
    Keys(Node),
    LeftOut,
    Refused(u16),
}

/// The answer to a question for the keys of devices.
pub(crate) fn answer(state: &mut State, iq: &Node) -> Answer {
    let asked = iq.get_optional_child("key").and_then(Node::children).unwrap_or_default();
    let mut users = Vec::new();
    for user in asked {
        match give(state, user) {
            Given::Keys(node) => users.push(node),
            Given::LeftOut => {}
            Given::Refused(code) => return Answer::Say(vec![refusal(iq, code, "no keys")]),
        }
    }
    Answer::Say(vec![result(iq, vec![NodeBuilder::new("list").children(users).build()])])
}

fn give(state: &mut State, asked: &Node) -> Given {
    let jid = asked.attrs.get("jid").and_then(wacore_binary::NodeValue::to_jid);
    let Some(jid) = jid else { return Given::LeftOut };
    let of = state.device_at(&jid);
    if let Some(of) = &of {
        // A stranger begins to exist by being asked for.
        let _ = state.phone(&of.number);
    }
    let fault = of.as_ref().and_then(|of| state.armed.take(Occasion::Prekeys { number: &of.number }));
    let fault = if let Some(Fault::Prekeys { how, .. }) = fault { Some(how) } else { None };
    let with_one_time = match fault {
        None => true,
        Some(PrekeyFault::SignedOnly) => false,
        Some(PrekeyFault::LeftOut) => return Given::LeftOut,
        Some(PrekeyFault::Refused(code)) => return Given::Refused(code),
        Some(PrekeyFault::Missing(code)) => return Given::Keys(no_keys(&jid, code)),
    };
    let Some(of) = of else { return Given::Keys(no_keys(&jid, UNREGISTERED)) };
    let Some(device) = state.device_mut(&of).filter(|device| device.bundle.is_there()) else {
        return Given::Keys(no_keys(&jid, UNREGISTERED));
    };
    let mut children = device.bundle.hand_out(with_one_time);
    if !device.device_identity.is_empty() {
        children.push(NodeBuilder::new("device-identity").bytes(device.device_identity.clone()).build());
    }
    state.keys_were_taken(&of);
    Given::Keys(NodeBuilder::new("user").attr("jid", jid).children(children).build())
}

fn no_keys(jid: &wacore_binary::Jid, code: u16) -> Node {
    let error = NodeBuilder::new("error").attr("code", code).attr("text", "not-acceptable").build();
    NodeBuilder::new("user").attr("jid", jid).children([error]).build()
}

impl State {
    /// The keys for a simulated device to begin a session; `None` while the other one has no keys.
    pub(crate) fn take_bundle(&mut self, of: &DeviceId) -> Result<Option<PreKeyBundle>> {
        let Some(device) = self.device_mut(of).filter(|device| device.bundle.is_there()) else { return Ok(None) };
        let bundle = device.bundle.take()?;
        self.keys_were_taken(of);
        Ok(Some(bundle))
    }

    fn keys_were_taken(&mut self, of: &DeviceId) {
        let Some(device) = self.device_mut(of) else { return };
        let left = device.bundle.count();
        if let Some(hand) = device.hand.as_mut().filter(|_| left < FEW / 2) {
            // Its keys are as good as ever when this fails, only fewer.
            let _ = hand.signal.fill(&mut device.bundle);
        } else if device.hand.is_none() && left + 1 == FEW {
            let id = format!("{}", rand::random::<u32>());
            let count = NodeBuilder::new("count").attr("value", u32::try_from(left).unwrap_or(u32::MAX)).build();
            let notification = NodeBuilder::new("notification")
                .attr("from", SERVER_JID)
                .attr("type", "encrypt")
                .attr("id", id.as_str())
                .attr("t", now_ms() / 1_000)
                .children([count])
                .build();
            self.deliver(of, Class::Notification, &id, notification);
        }
    }
}
