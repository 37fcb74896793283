//! How a daemon is drained, ends and begins anew.

use super::{
    super::{flaws::Flaw, model::Statement, world::World},
    Arrival, AskedFor, CUT_TIMEOUT, CurrentAdminRequest, DRAIN_TIMEOUT, END_TIMEOUT, FLUSH_TIMEOUT, Process,
};

impl World {
    pub(super) fn next_request(&mut self, p: &mut Process) {
        if p.request.is_some() {
            return;
        }
        let Some((nth, drains)) = p.requests.pop_front() else { return };
        let number = p.drain.1 + 1;
        p.drain = (drains, number);
        p.request = Some(CurrentAdminRequest { nth, drains, number, written: None });
        let statement = Statement::SetDraining { process: p.id, draining: drains, drain_no: number };
        self.ask(p, statement, AskedFor::DrainSet(nth));
    }

    pub(super) fn on_drain_set(&mut self, p: &mut Process, nth: usize, is_written: bool) {
        let Some(request) = p.request.as_mut().filter(|request| request.nth == nth) else { return };
        request.written = Some(is_written);
        let (drains, number) = (request.drains, request.number);
        self.ring(Arrival::Resync);
        if drains {
            self.note(DRAIN_TIMEOUT, p.daemon, p.id, Arrival::DrainTimeout(nth, number));
            self.drain_roster(p);
        } else {
            let directives = p.roster.on_undrain();
            self.follow(p, directives);
            self.end_request(p, is_written);
        }
    }

    fn drain_roster(&mut self, p: &mut Process) {
        let is_again = p.roster.is_draining();
        let directives = p.roster.on_drain();
        if !(is_again && self.flaw == Some(Flaw::SecondDrainIsSilent)) {
            self.follow(p, directives);
        }
    }

    pub(super) fn on_drained(&mut self, p: &mut Process) {
        if p.terminating.is_some() {
            self.note(0, p.daemon, p.id, Arrival::EndNow(true));
        }
        let Some(request) = p.request.as_ref().filter(|request| request.drains) else { return };
        match request.written {
            None => {}
            Some(false) => self.end_request(p, false),
            Some(true) => {
                let (nth, drain_no) = (request.nth, request.number);
                let statement = Statement::GiveAccountsBack { process: p.id, drain_no };
                self.ask(p, statement, AskedFor::GivenBack(nth));
            }
        }
    }

    pub(super) fn end_request(&mut self, p: &mut Process, is_done: bool) {
        if let Some(request) = p.request.take() {
            self.tell(|| format!("d{} request {request:?}: {is_done}", p.daemon));
            self.answer_request(request.nth, is_done);
        }
        self.next_request(p);
    }

    pub(super) fn terminate(&mut self, p: &mut Process, ms: i64) {
        if p.terminating.is_some() {
            return;
        }
        p.terminating = Some(ms);
        let number = p.drain.1 + 1;
        p.drain = (true, number);
        let statement = Statement::SetDraining { process: p.id, draining: true, drain_no: number };
        self.ask(p, statement, AskedFor::Nothing);
        self.note(END_TIMEOUT, p.daemon, p.id, Arrival::EndNow(false));
        self.drain_roster(p);
    }

    pub(super) fn end_now(&mut self, p: &mut Process, is_drained: bool) {
        if std::mem::replace(&mut p.is_ending, true) {
            return;
        }
        p.beats = false;
        let statement = if is_drained {
            Statement::ReleaseLease { process: p.id }
        } else {
            Statement::ShortenLease { process: p.id, left: CUT_TIMEOUT }
        };
        self.ask(p, statement, AskedFor::Exit);
        self.note(FLUSH_TIMEOUT, p.daemon, p.id, Arrival::Exit);
    }

    pub(super) fn exit(&mut self, p: &mut Process) -> bool {
        self.ring(Arrival::Resync);
        self.boot(p.daemon, p.terminating.unwrap_or(1_000).max(1));
        false
    }
}
