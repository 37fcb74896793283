//! Single scenarios. They compare whole lists of effects where the order matters.

mod leaving;
mod linked;
mod pairing;
mod passkey;
mod shown;

use super::{super::*, *};
use crate::domain::{Attempt, Change, KeyringId, Link, LinkedDevice, PairMethod, PairRequest, Update};

fn close_of(effects: &[Effect]) -> Option<Incarnation> {
    effects.iter().find_map(|effect| if let Effect::Close(of) = effect { Some(*of) } else { None })
}

/// The update that asks for a number.
fn claim_of(effects: &[Effect], of: Incarnation) -> Option<Update> {
    effects.iter().find_map(|effect| {
        let Effect::Claim { incarnation, update } = effect else { return None };
        (*incarnation == of).then(|| (**update).clone())
    })
}

fn updates(effects: &[Effect]) -> impl Iterator<Item = &Update> {
    effects.iter().filter_map(|effect| if let Effect::Record(update) = effect { Some(&**update) } else { None })
}

fn changes(effects: &[Effect]) -> Vec<&Change> {
    updates(effects).map(|update| &update.change).collect()
}

fn rows(effects: &[Effect]) -> Vec<&AccountRecord> {
    updates(effects).map(|update| &update.record).collect()
}

fn refused(effects: &[Effect]) -> Option<String> {
    changes(effects).into_iter().flat_map(|change| &change.finished).find_map(|finished| finished.result.clone().err())
}

/// An attempt that is running; with keys, a phone has scanned.
fn pairing_until(deadline: Instant, linking: Option<KeyringId>) -> Link {
    let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
    let device = linking.map(|keyring| LinkedDevice { keyring, phone: Some(phone()), jid: None });
    Link::Pairing { attempt: Attempt { deadline, request, device }, parked: None }
}
