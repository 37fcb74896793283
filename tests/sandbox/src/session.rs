//! A registered device: its login, and its questions from then on.

use std::sync::Arc;
use std::time::Duration;

use wacore_binary::Node;
use waproto::whatsapp::ClientPayload;

use crate::answers::{Answer, answer};
use crate::faults::{ActivationFault, Fault, MessageFault, Occasion, PausePoint, UnlinkFault};
use crate::orders::Order;
use crate::peer::{Ending, Happening, Peer, Step};
use crate::post::queue::Queue;
use crate::post::route::{Reach, ack};
use crate::stanza::{attr, conflict, failure, refusal, result, success};
use crate::world::{DeviceId, now_ms};

/// The device that a login claims to be. `None` is a registration.
pub(crate) fn claimed(payload: &ClientPayload) -> Option<DeviceId> {
    let device = u16::try_from(payload.device.unwrap_or_default()).unwrap_or_default();
    Some(DeviceId { number: payload.username?.to_string(), device })
}

pub(crate) async fn run(peer: &mut Peer, id: DeviceId, noise_key: &[u8; 32]) -> Ending {
    peer.name = id.to_string();
    match converse(peer, &id, noise_key).await {
        Ok(()) => Ending::Close,
        Err(ending) => ending,
    }
}

async fn converse(peer: &mut Peer, id: &DeviceId, noise_key: &[u8; 32]) -> Step {
    log_in(peer, id, noise_key).await?;
    loop {
        match peer.next().await? {
            Happening::Stanza(stanza) => on_stanza(peer, id, &stanza).await?,
            Happening::Post => {
                let news = peer.world.with_queue(id, Queue::news);
                send_all(peer, &news).await?;
            }
            Happening::Order(Order::Scan(scan)) => {
                // Fails only if the caller that scanned is gone, which does not matter.
                let _ = scan.done.send(Err("the qr is expired".to_owned()));
            }
            Happening::Order(Order::TypeCode(typed)) => {
                let _ = typed.done.send(Err("no code is on show".to_owned()));
            }
            Happening::Order(
                Order::Cut
                | Order::EndWith(_)
                | Order::Garble(_)
                | Order::Say(_)
                | Order::ResendRefs(_)
                | Order::RefreshCode
                | Order::ChallengeAgain,
            ) => {}
        }
    }
}

async fn log_in(peer: &mut Peer, id: &DeviceId, noise_key: &[u8; 32]) -> Step {
    peer.pass(PausePoint::BeforeSuccess, &id.number).await?;
    let pause = peer.world.pace().before_first_stanza();
    peer.wait(pause).await?;
    if let Some(Fault::LoginFailure { reason, code, expire, .. }) =
        peer.world.take_fault(Occasion::Login { number: &id.number })
    {
        return Err(refuse(peer, failure(reason, code, expire)));
    }
    if !peer.world.may_log_in(id, noise_key) {
        return Err(refuse(peer, failure(401, None, None)));
    }
    let Ok(replaced) = peer.world.attach(id, peer.enrolled.id) else {
        return Err(refuse(peer, failure(401, None, None)));
    };
    if let Some(replaced) = replaced {
        // A connection that does not listen any more needs no telling.
        let _ = replaced.try_send(Order::EndWith(Box::new(conflict("replaced"))));
    }
    let lid = wacore_binary::Jid::lid_device(crate::phone::lid_user(&id.number), id.device);
    peer.send(&success(&lid, now_ms() / 1_000)).await
}

fn refuse(peer: &Peer, failure: Node) -> Ending {
    peer.world.state().report.logins_refused += 1;
    Ending::With(Box::new(failure))
}

async fn on_stanza(peer: &mut Peer, id: &DeviceId, stanza: &Node) -> Step {
    let xmlns = attr(stanza, "xmlns");
    if stanza.tag == "iq" {
        if !xmlns.is_empty() {
            peer.world.state().report.note_asked(now_ms(), &peer.name, &xmlns, stanza);
        }
        match peer.world.take_fault(Occasion::Iq { xmlns: &xmlns }) {
            Some(Fault::Answer { children, .. }) => {
                peer.world.state().report.iqs_answered_oddly += 1;
                let children = children.iter().filter_map(|child| child.node().ok()).collect();
                peer.send(&result(stanza, children)).await?;
                if asks_to_be_active(stanza) {
                    // It is, however odd the answer.
                    let begun = peer.world.with_queue(id, Queue::come_online);
                    send_backlog(peer, id, &begun).await?;
                }
                return Ok(());
            }
            Some(Fault::RefuseIqs { code, text, .. }) => {
                peer.world.state().report.iqs_answered_oddly += 1;
                return peer.send(&refusal(stanza, code, &text)).await;
            }
            Some(_) => {
                peer.world.state().report.note_stalled(now_ms(), &peer.name, xmlns);
                return Ok(());
            }
            None => {}
        }
        if asks_to_be_active(stanza)
            && let Some(Fault::Activation { how, .. }) =
                peer.world.take_fault(Occasion::Activation { number: &id.number })
        {
            return on_activation(peer, id, stanza, how).await;
        }
    } else if stanza.tag == "message" {
        return on_message(peer, id, stanza).await;
    } else {
        peer.world.state().report.note_said(now_ms(), &peer.name, stanza);
    }
    let answered = answer(&mut peer.world.state(), id, stanza);
    match answered {
        Answer::Say(answers) => {
            peer.world.state().report.note_answered(stanza);
            send_all(peer, &answers).await
        }
        Answer::Nothing => Ok(()),
        Answer::Backlog(said) => {
            peer.world.state().report.note_answered(stanza);
            send_backlog(peer, id, &said).await
        }
        Answer::Unlink(target) => unlink(peer, id, &target, stanza).await,
        Answer::Unknown(answers) => {
            peer.note_unknown(stanza);
            send_all(peer, &answers).await
        }
    }
}

fn asks_to_be_active(iq: &Node) -> bool {
    attr(iq, "xmlns") == "passive" && iq.get_optional_child("active").is_some()
}

/// The device asks to be active, and something is wrong with that.
async fn on_activation(peer: &mut Peer, id: &DeviceId, iq: &Node, how: ActivationFault) -> Step {
    let begun = match how {
        ActivationFault::Unanswered => {
            peer.world.state().report.note_stalled(now_ms(), &peer.name, attr(iq, "xmlns"));
            return Ok(());
        }
        ActivationFault::Refused(code) => {
            peer.world.state().report.iqs_answered_oddly += 1;
            return peer.send(&refusal(iq, code, "internal-server-error")).await;
        }
        ActivationFault::Unheeded => Vec::new(),
        ActivationFault::Endless => peer.world.with_queue(id, Queue::come_online_and_stop),
        ActivationFault::EachAfterMs(ms) => {
            let begun = peer.world.with_queue(id, Queue::come_online_slowly);
            trickle(peer, id, Duration::from_millis(ms));
            begun
        }
    };
    peer.world.state().report.note_answered(iq);
    peer.send(&result(iq, Vec::new())).await?;
    send_all(peer, &begun).await
}

/// Has the connection look at the device's queue again and again, until its backlog is over.
fn trickle(peer: &Peer, id: &DeviceId, pause: Duration) {
    let (world, post, id) = (Arc::clone(&peer.world), Arc::clone(&peer.enrolled.post), id.clone());
    tokio::spawn(async move {
        while world.state().device_mut(&id).is_some_and(|device| device.queue.is_trickling()) {
            tokio::time::sleep(pause).await;
            post.notify_one();
        }
    });
}

/// The device sends a message.
async fn on_message(peer: &mut Peer, id: &DeviceId, message: &Node) -> Step {
    let fault = match peer.world.take_fault(Occasion::Message { number: &id.number }) {
        Some(Fault::Message { how, .. }) => Some(how),
        _ => None,
    };
    let submit = |reach| peer.world.state().submit(id, message, reach);
    match fault {
        None => {
            let answers = submit(Reach::Everybody);
            send_all(peer, &answers).await
        }
        Some(MessageFault::Lost) => Ok(()),
        Some(MessageFault::AckLost) => {
            submit(Reach::Everybody);
            Ok(())
        }
        Some(MessageFault::AckAfterMs(ms)) => {
            let answers = submit(Reach::Everybody);
            let (world, connection) = (Arc::clone(&peer.world), peer.enrolled.id);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                for answer in answers {
                    world.tell(connection, answer);
                }
            });
            Ok(())
        }
        Some(MessageFault::Nack(code)) => peer.send(&ack(message, None, Some(code))).await,
        Some(MessageFault::CutBefore) => Err(Ending::Cut),
        Some(MessageFault::CutBetween) => {
            submit(Reach::Half);
            Err(Ending::Cut)
        }
        Some(MessageFault::CutAfter) => {
            submit(Reach::Everybody);
            Err(Ending::Cut)
        }
    }
}

/// A part of what waited for the device.
async fn send_backlog(peer: &mut Peer, id: &DeviceId, said: &[Node]) -> Step {
    let is_end = |stanza: &Node| stanza.tag == "ib" && stanza.get_optional_child("offline").is_some();
    let is_of_backlog = |stanza: &Node| stanza.attrs.contains_key("offline");
    let after = match peer.world.take_fault(Occasion::Backlog { number: &id.number }) {
        Some(Fault::CutBacklog { after, .. }) => after,
        _ => return send_all(peer, said).await,
    };
    let count = said.iter().filter(|stanza| is_of_backlog(stanza)).count();
    let is_last = count > 0 && said.iter().any(is_end);
    if after > count && !is_last {
        // Not yet: the rest is for the next part.
        let rest = Fault::CutBacklog { after: after - count, number: Some(id.number.clone()), times: Some(1) };
        peer.world.state().armed.put_back(rest);
        return send_all(peer, said).await;
    }
    let mut left = after;
    for stanza in said {
        if is_end(stanza) || (left == 0 && is_of_backlog(stanza)) {
            break;
        }
        left -= usize::from(is_of_backlog(stanza));
        peer.send(stanza).await?;
    }
    Err(Ending::Cut)
}

async fn send_all(peer: &mut Peer, stanzas: &[Node]) -> Step {
    for stanza in stanzas {
        peer.send(stanza).await?;
    }
    Ok(())
}

/// The device asks to be taken off the phone's list.
async fn unlink(peer: &mut Peer, id: &DeviceId, target: &str, iq: &Node) -> Step {
    if target != peer.name {
        return peer.send(&refusal(iq, 403, "forbidden")).await;
    }
    peer.pass(PausePoint::BeforeUnlink, &id.number).await?;
    let fault = match peer.world.take_fault(Occasion::Unlinking) {
        Some(Fault::Unlink { how, .. }) => Some(how),
        _ => None,
    };
    match fault {
        Some(UnlinkFault::Dropped) => return Err(Ending::Cut),
        Some(UnlinkFault::Refused) => return peer.send(&refusal(iq, 500, "internal-server-error")).await,
        Some(UnlinkFault::Lost | UnlinkFault::Stalled | UnlinkFault::Overtaken) | None => {}
    }
    if peer.world.remove(id).is_ok() {
        peer.world.state().report.unlinks += 1;
    }
    let goodbye = conflict("device_removed");
    match fault {
        Some(UnlinkFault::Lost) => Err(Ending::Cut),
        Some(UnlinkFault::Stalled) => loop {
            // Read on, and say nothing.
            peer.next().await?;
        },
        Some(UnlinkFault::Overtaken) => {
            peer.send(&goodbye).await?;
            Err(Ending::With(Box::new(result(iq, Vec::new()))))
        }
        Some(UnlinkFault::Dropped | UnlinkFault::Refused) | None => {
            peer.send(&result(iq, Vec::new())).await?;
            let pause = peer.world.pace().before_close();
            peer.wait(pause).await?;
            Err(Ending::With(Box::new(goodbye)))
        }
    }
}
