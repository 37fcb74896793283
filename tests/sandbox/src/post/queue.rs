//! The stanzas that wait for a device. Each is kept until the device has acknowledged it.

use std::collections::{HashSet, VecDeque};

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use super::ledger::Entry;
use crate::stanza::{ib, nothing_offline};

/// How many stanzas of a backlog a device gets before it asks for more.
const PRIMER: usize = 5;

/// Settles a waiting stanza: a receipt, or the acknowledgement of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Message,
    Receipt,
    Notification,
}

impl Class {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "message" => Some(Self::Message),
            "receipt" => Some(Self::Receipt),
            "notification" => Some(Self::Notification),
            _ => None,
        }
    }
}

struct Waiting {
    class: Class,
    id: String,
    node: Node,
    /// Where it is noted, if it is.
    entry: Option<Entry>,
    /// On the connection that the device has now.
    sent: bool,
    /// It was here when the device came online.
    backlog: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    /// Not online, or not ready to receive anything.
    #[default]
    Away,
    /// The backlog of so many is being fetched.
    Draining(usize),
    /// The backlog of so many comes by itself, one by one.
    Trickling(usize),
    /// What is not sent yet never comes on this connection.
    Stuck,
    Live,
}

#[derive(Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    phase: Phase,
}

impl Queue {
    pub(crate) fn push(&mut self, class: Class, id: &str, node: Node, entry: Option<Entry>) {
        self.waiting.push_back(Waiting { class, id: id.to_owned(), node, entry, sent: false, backlog: false });
    }

    pub(crate) fn messages(&self) -> usize {
        self.waiting.iter().filter(|waiting| waiting.class == Class::Message).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The connection is gone: unsettled stanzas will be sent again.
    pub(crate) fn leave(&mut self) {
        self.phase = Phase::Away;
        for waiting in &mut self.waiting {
            waiting.sent = false;
        }
    }

    /// The device is ready. Returns how its backlog begins.
    pub(crate) fn come_online(&mut self) -> Vec<Node> {
        self.leave();
        let total = self.waiting.len();
        if total == 0 {
            self.phase = Phase::Live;
            return vec![nothing_offline()];
        }
        for waiting in &mut self.waiting {
            waiting.backlog = true;
        }
        self.phase = Phase::Draining(total);
        let mut said = vec![self.preview(total)];
        said.extend(self.fetch(PRIMER));
        said
    }

    /// The same, and that is all of it that comes on this connection.
    pub(crate) fn come_online_and_stop(&mut self) -> Vec<Node> {
        let said = if self.waiting.is_empty() { Vec::new() } else { self.come_online() };
        // A short backlog has come whole.
        let said = said.into_iter().filter(|stanza| stanza.get_optional_child("offline").is_none()).collect();
        self.phase = Phase::Stuck;
        said
    }

    /// The device is ready, and gets its backlog one by one, at each call of [`Self::news`].
    pub(crate) fn come_online_slowly(&mut self) -> Vec<Node> {
        self.leave();
        for waiting in &mut self.waiting {
            waiting.backlog = true;
        }
        let total = self.waiting.len();
        self.phase = Phase::Trickling(total);
        vec![self.preview(total)]
    }

    /// Whether its backlog comes one by one, and not all of it has come.
    pub(crate) fn is_trickling(&self) -> bool {
        matches!(self.phase, Phase::Trickling(_))
    }

    /// The next of the backlog, with the mark of its end behind the last.
    pub(crate) fn fetch(&mut self, count: usize) -> Vec<Node> {
        let Phase::Draining(total) = self.phase else { return Vec::new() };
        self.send_backlog(count, total)
    }

    fn send_backlog(&mut self, count: usize, total: usize) -> Vec<Node> {
        let next = self.waiting.iter_mut().filter(|waiting| waiting.backlog && !waiting.sent).take(count);
        let mut said: Vec<Node> = next
            .map(|waiting| {
                waiting.sent = true;
                let mut node = waiting.node.clone();
                node.attrs.insert("offline", "1");
                node
            })
            .collect();
        if !self.waiting.iter().any(|waiting| waiting.backlog && !waiting.sent) {
            self.phase = Phase::Live;
            let total = u32::try_from(total).unwrap_or(u32::MAX);
            said.push(ib(vec![NodeBuilder::new("offline").attr("count", total).build()]));
            said.extend(self.news());
        }
        said
    }

    /// Newer stanzas, once the backlog was sent; or the next one of a backlog that trickles.
    pub(crate) fn news(&mut self) -> Vec<Node> {
        if let Phase::Trickling(total) = self.phase {
            return self.send_backlog(1, total);
        }
        if self.phase != Phase::Live {
            return Vec::new();
        }
        // Unsent stanzas always come after sent ones.
        let unsent = self.waiting.iter().rev().take_while(|waiting| !waiting.sent).count();
        let begin = self.waiting.len() - unsent;
        self.waiting
            .range_mut(begin..)
            .map(|waiting| {
                waiting.sent = true;
                waiting.node.clone()
            })
            .collect()
    }

    /// All of it, for a simulated device, which settles what it takes.
    pub(crate) fn take_all(&mut self) -> Vec<Node> {
        self.waiting.drain(..).map(|waiting| waiting.node).collect()
    }

    /// The device has them: every copy that was sent under these ids. `from` is whom the device
    /// says that it has them from. Fails in words where nothing under an id is from there: there may
    /// be a second one, from the same person under the other name. Returns what was noted of them.
    pub(crate) fn settle(&mut self, class: Class, ids: &[String], from: &str) -> Result<Vec<Entry>, String> {
        let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let is_meant = |waiting: &Waiting| waiting.class == class && waiting.sent && ids.contains(waiting.id.as_str());
        let sender = |waiting: &Waiting| crate::stanza::attr(&waiting.node, "from").to_owned();
        let (mut known, mut settled) = (HashSet::new(), Vec::new());
        self.waiting.retain(|waiting| {
            let is_settled = is_meant(waiting) && sender(waiting) == from;
            if is_settled {
                known.insert(waiting.id.clone());
                settled.extend(waiting.entry);
            }
            !is_settled
        });
        let foreign = self.waiting.iter().find(|waiting| is_meant(waiting) && !known.contains(&waiting.id));
        let foreign =
            foreign.map(|waiting| format!("it has {} from {from}, but it was from {}", waiting.id, sender(waiting)));
        foreign.map_or(Ok(settled), Err)
    }

    fn preview(&self, total: usize) -> Node {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let of = |class| number(self.waiting.iter().filter(|waiting| waiting.class == class).count());
        let preview = NodeBuilder::new("offline_preview")
            .attr("count", number(total))
            .attr("message", of(Class::Message))
            .attr("receipt", of(Class::Receipt))
            .attr("notification", of(Class::Notification))
            .attr("appdata", 0_u32)
            .build();
        ib(vec![preview])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stanza::attr;

    fn queue(of: usize) -> Queue {
        let mut queue = Queue::default();
        for nth in 0..of {
            let node = NodeBuilder::new("message").attr("from", "1@lid").attr("id", nth.to_string()).build();
            queue.push(Class::Message, &nth.to_string(), node, None);
        }
        queue
    }

    fn ids(nodes: &[Node]) -> Vec<String> {
        nodes.iter().filter(|node| node.tag == "message").map(|node| attr(node, "id")).collect()
    }

    #[test]
    fn a_backlog_comes_in_batches_and_ends_with_a_mark() {
        let mut queue = queue(12);
        assert_eq!(ids(&queue.come_online()), ["0", "1", "2", "3", "4"]);
        queue.push(Class::Message, "new", NodeBuilder::new("message").attr("id", "new").build(), None);
        assert_eq!(ids(&queue.news()), Vec::<String>::new(), "what is new waits for the backlog");
        assert_eq!(ids(&queue.fetch(3)), ["5", "6", "7"]);
        let rest = queue.fetch(200);
        assert_eq!(ids(&rest), ["8", "9", "10", "11", "new"]);
        assert!(rest[4].get_optional_child("offline").is_some());
        assert!(queue.fetch(200).is_empty());
    }

    fn has_mark(nodes: &[Node]) -> bool {
        nodes.iter().any(|node| node.get_optional_child("offline").is_some())
    }

    #[test]
    fn a_backlog_that_stops_comes_whole_on_the_next_connection() {
        for (of, first) in [(0, 0), (3, 3), (12, 5)] {
            let mut queue = queue(of);
            let begun = queue.come_online_and_stop();
            assert_eq!((ids(&begun).len(), has_mark(&begun)), (first, false));
            queue.push(Class::Message, "new", NodeBuilder::new("message").attr("id", "new").build(), None);
            assert!(queue.fetch(200).is_empty() && queue.news().is_empty());
            queue.leave();
            let mut again = queue.come_online();
            again.extend(queue.fetch(200));
            assert_eq!((ids(&again).len(), has_mark(&again)), (of + 1, true));
        }
    }

    #[test]
    fn a_slow_backlog_comes_one_by_one_and_ends_with_a_mark() {
        let mut queue = queue(2);
        assert!(queue.come_online_slowly()[0].get_optional_child("offline_preview").is_some());
        assert!(queue.fetch(200).is_empty(), "nor sooner when asked for");
        let each = [queue.news(), queue.news()];
        assert_eq!(each.each_ref().map(|some| ids(some)), [["0"], ["1"]]);
        assert_eq!((has_mark(&each[1]), queue.is_trickling()), (true, false));
    }

    #[test]
    fn unacknowledged_stanzas_are_redelivered() {
        let mut queue = queue(3);
        queue.come_online();
        queue.settle(Class::Message, &["1".to_owned()], "1@lid").unwrap();
        queue.settle(Class::Message, &["2".to_owned()], "2@lid").unwrap_err();
        queue.leave();
        assert_eq!(ids(&queue.come_online()), ["0", "2"]);
        queue.leave();
        queue.settle(Class::Message, &["0".to_owned()], "1@lid").unwrap();
        assert_eq!(queue.len(), 2, "what was not sent is not settled");
    }
}
