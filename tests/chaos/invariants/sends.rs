//! What the web app asked for, compared with rows, events, and the screens of those it was for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use paird_sandbox::ShownMessage;
use paird_testkit::Stage;
use uuid::Uuid;

use super::{
    complaints,
    messages::{Link, links},
};
use crate::{
    script::{CONTACTS, GROUPS, READERS, contact, group, members, number},
    sends::{Asked, Noted},
};

/// The steps of messages that go back: a table of them, which stays empty.
pub const NOTE_STEPS: &str = "
    CREATE TABLE steps_back (message_id bigint NOT NULL, what text NOT NULL);
    CREATE FUNCTION note_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO steps_back VALUES (NEW.id, concat_ws(' ', OLD.state, 'to', NEW.state, 'attempt', NEW.attempt));
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_step AFTER UPDATE ON messages FOR EACH ROW
        WHEN (NEW.direction = 'out' AND (
            (OLD.state <> NEW.state AND NOT CASE OLD.state
                WHEN 'queued' THEN NEW.state IN ('sending', 'failed', 'cancelled', 'expired')
                                   OR (NEW.state = 'sent' AND NEW.attempt > 0)
                WHEN 'sending' THEN NEW.state IN ('queued', 'sent', 'failed', 'expired')
                WHEN 'sent' THEN NEW.state IN ('delivered', 'read')
                WHEN 'delivered' THEN NEW.state = 'read'
                ELSE false END)
            OR OLD.wa_id <> NEW.wa_id OR OLD.sent_at <> NEW.sent_at OR OLD.delivered_at <> NEW.delivered_at
            OR OLD.read_at <> NEW.read_at OR NEW.attempt < OLD.attempt))
        EXECUTE FUNCTION note_step()";

/// The numbers of the campaign's phones begin so: [`number`].
const OF_PHONES: &str = "4366010";
/// Tries that came to nothing, until a message may fail so.
const TRIES_UNREACHED: i32 = 3;
const TRIES_BUSY: i32 = 10;
/// A code of the script: the message is not as WhatsApp wants it.
const MALFORMED: i32 = 479;
const NOT_A_MEMBER: i32 = 403;
/// What the sandbox answers to whom is in no such group.
const NO_SUCH_GROUP: i32 = 404;

/// An outgoing message of the table, and what was told of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    id: i64,
    account: Uuid,
    wa_id: String,
    pub(super) state: String,
    reason: Option<String>,
    code: Option<i32>,
    attempt: i32,
    sender: Option<String>,
    refers_to: Option<String>,
    /// What it refers to will never be there.
    is_without_target: bool,
    /// The account can send now.
    is_connected: bool,
    /// The account has lost a link since the message was taken.
    lost_its_link: bool,
    created_ms: i64,
    told: String,
}

impl Row {
    fn is_sent(&self) -> bool {
        matches!(self.state.as_str(), "sent" | "delivered" | "read")
    }

    /// WhatsApp may have it, as far as the row says.
    fn may_be_shown(&self) -> bool {
        self.is_sent() || self.state == "sending" || self.reason.as_deref() == Some("no_ack")
    }
}

/// Where on the screen of which reader.
struct Entry<'a> {
    reader: &'a str,
    message: &'a ShownMessage,
}

/// Everything that was sent by accounts that are there, on both sides.
#[derive(Clone)]
pub struct SentMail {
    pub(super) noted: Noted,
    pub(super) rows: HashMap<String, Row>,
    /// What accounts sent, as it is on the screens, in order.
    pub(super) screens: BTreeMap<String, Vec<ShownMessage>>,
    pub(super) links: HashMap<String, Link>,
    deleted: HashSet<Uuid>,
    /// When chats of two names became one, by account and number.
    merged_ms: HashMap<(Uuid, String), i64>,
    /// Whether some message reached a part of its devices before its connection was cut.
    pub(super) was_cut_between: bool,
}

/// The figures of a campaign.
#[derive(Clone, Copy, Debug, Default)]
pub struct SendCounts {
    pub asked: u64,
    /// Of accounts that were deleted since.
    pub deleted: u64,
    /// Acknowledged with a reader, or received.
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub expired: u64,
    /// Of accounts that are not connected.
    pub left: u64,
    pub to_groups: u64,
    /// Taken more than once.
    pub tried_again: u64,
    /// Came more than once to a phone, which shows them once.
    pub came_again: u64,
    /// A part of a group has it, as that was cut off.
    pub in_part: u64,
}

impl SentMail {
    pub async fn of(stage: &Stage, noted: Noted) -> (Self, SendCounts) {
        let links = links(stage).await;
        let table = "SELECT m.id, m.account_id, m.wa_id, m.state, m.reason, m.code, m.attempt::integer, m.sender_phone,
                t.wa_id, coalesce(t.state IN ('failed', 'cancelled', 'expired'), m.refers_to IS NOT NULL),
                a.status = 'connected',
                EXISTS (SELECT FROM linked l WHERE l.account_id = m.account_id AND l.given_up_at >= m.taken_at),
                (extract(epoch FROM m.created_at) * 1000)::bigint, coalesce(e.told, '')
            FROM messages m JOIN whatsapp_accounts a ON a.id = m.account_id AND a.deleted_at IS NULL
            LEFT JOIN messages t ON t.id = m.refers_to
            LEFT JOIN (
                SELECT (payload->>'messageId')::bigint AS id, string_agg(replace(kind, 'message.', ''), ' ' ORDER BY seq) AS told
                FROM events WHERE kind IN ('message.sent', 'message.delivered', 'message.read', 'message.failed') GROUP BY 1
            ) AS e ON e.id = m.id
            WHERE m.direction = 'out'";
        let mut rows = HashMap::new();
        for row in stage.web.sql.query(table, &[]).await.unwrap() {
            let read = Row {
                id: row.get(0),
                account: row.get(1),
                wa_id: row.get(2),
                state: row.get(3),
                reason: row.get(4),
                code: row.get(5),
                attempt: row.get(6),
                sender: row.get(7),
                refers_to: row.get(8),
                is_without_target: row.get(9),
                is_connected: row.get(10),
                lost_its_link: row.get(11),
                created_ms: row.get(12),
                told: row.get(13),
            };
            rows.insert(read.wa_id.clone(), read);
        }
        let merged = "SELECT account_id, payload->>'phone', (extract(epoch FROM max(created_at)) * 1000)::bigint
            FROM events WHERE kind = 'chat.merged' AND payload->>'phone' IS NOT NULL GROUP BY 1, 2";
        let merged_ms: HashMap<(Uuid, String), i64> = (stage.web.sql.query(merged, &[]).await.unwrap().iter())
            .map(|row| ((row.get(0), row.get(1)), row.get(2)))
            .collect();
        let mut screens = BTreeMap::new();
        for reader in (0..READERS).map(contact) {
            let mut screen = stage.phones.screen(&reader).await;
            // What the owners of phones write themselves is of their first device.
            screen.retain(|shown| {
                let device = shown.from.split_once(':').map(|(_, device)| device);
                !shown.from_me && shown.from.starts_with(OF_PHONES) && device != Some("0")
            });
            screens.insert(reader, screen);
        }
        let hit = stage.phones.report().await.faults_hit;
        let was_cut_between = hit.get("message cut_between").is_some_and(|times| *times > 0);
        let deleted = "SELECT id FROM whatsapp_accounts WHERE deleted_at IS NOT NULL";
        let deleted = stage.web.sql.query(deleted, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let sent_mail = Self { noted, rows, screens, links, deleted, merged_ms, was_cut_between };
        let counts = sent_mail.count();
        (sent_mail, counts)
    }

    fn count(&self) -> SendCounts {
        let count = |fits: &dyn Fn(&Row) -> bool| self.rows.values().filter(|row| fits(row)).count() as u64;
        let is = |state: &'static str| move |row: &Row| row.state == state;
        let shown = || self.screens.values().flatten();
        SendCounts {
            asked: self.noted.asked.len() as u64,
            deleted: self.noted.asked.values().filter(|asked| self.is_deleted(asked.account)).count() as u64,
            sent: count(&Row::is_sent),
            delivered: count(&is("delivered")),
            read: count(&is("read")),
            failed: count(&is("failed")),
            cancelled: count(&is("cancelled")),
            expired: count(&is("expired")),
            left: count(&|row| matches!(row.state.as_str(), "queued" | "sending")),
            to_groups: count(&|row| row.is_sent() && self.asked(row).is_some_and(|asked| asked.to.ends_with("@g.us"))),
            tried_again: count(&|row| row.attempt > 1),
            came_again: shown().filter(|shown| shown.arrivals > 1).count() as u64,
            in_part: self.in_part().count() as u64,
        }
    }

    fn asked(&self, row: &Row) -> Option<&Asked> {
        self.noted.asked.get(&row.id)
    }

    fn is_deleted(&self, account: Uuid) -> bool {
        self.deleted.contains(&account)
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let all = self.screens.iter().flat_map(|(reader, screen)| screen.iter().map(move |message| (reader, message)));
        let all = all.map(|(reader, message)| Entry { reader, message });
        all.filter(|entry| !self.link(entry.message).is_some_and(|link| link.is_deleted))
    }

    /// Of the device that a message is from.
    fn link(&self, shown: &ShownMessage) -> Option<&Link> {
        self.links.get(&format!("{}@s.whatsapp.net", shown.from))
    }

    /// What each message says, by WhatsApp's id: its kind, and its text, or an emoji.
    pub fn said(&self) -> impl Iterator<Item = (String, (&'static str, String))> {
        self.rows
            .values()
            .filter_map(|row| Some((row.wa_id.clone(), self.asked(row)?)))
            .map(|(id, asked)| (id, (asked.kind, asked.says.clone())))
    }

    /// Those that have to show it, and how often each does.
    fn readers(&self, row: &Row) -> Vec<(String, usize)> {
        let Some(asked) = self.asked(row) else { return Vec::new() };
        let readers: Vec<String> =
            if asked.to.ends_with("@g.us") { (0..CONTACTS).map(contact).collect() } else { vec![asked.to.clone()] };
        let shows = |reader: &String| {
            let screen = self.screens.get(reader).map(Vec::as_slice).unwrap_or_default();
            screen.iter().filter(|shown| shown.id == row.wa_id).count()
        };
        readers.into_iter().map(|reader| (reader.clone(), shows(&reader))).collect()
    }

    /// A message that some members of a group have and others do not. Where WhatsApp cuts a
    /// connection amid its fan-out, a receipt says that it has the message.
    fn in_part(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().filter(|row| {
            let readers = self.readers(row);
            let count = readers.iter().filter(|(_, times)| *times > 0).count();
            row.is_sent() && self.was_cut_between && (1..readers.len()).contains(&count)
        })
    }

    /// A row that says `sent` is on the phone of whom it is for.
    pub fn not_shown(&self) -> Vec<String> {
        let in_part: HashSet<i64> = self.in_part().map(|row| row.id).collect();
        let sent = self.rows.values().filter(|row| row.is_sent() && !in_part.contains(&row.id));
        let missing = sent.filter(|row| self.readers(row).iter().any(|(_, times)| *times == 0));
        missing.map(|row| format!("{row:?} for {:?}: {:?}", self.asked(row), self.readers(row))).collect()
    }

    /// Each once, whatever it came as: under one id, with one content and one secret.
    pub fn shown_twice(&self) -> Vec<String> {
        let mut ids: HashMap<(&str, &str), u32> = HashMap::new();
        let mut texts: HashMap<(&str, &str), BTreeSet<&str>> = HashMap::new();
        let mut secrets: HashMap<&str, BTreeSet<Option<&str>>> = HashMap::new();
        let mut broken = Vec::new();
        for Entry { reader, message } in self.entries() {
            *ids.entry((reader, &message.id)).or_default() += 1;
            if message.deviations > 0 {
                broken.push(format!("it came with another content: {message:?}"));
            }
            if message.arrivals == 0 {
                continue;
            }
            if let Some(text) = message.text.as_deref().filter(|_| message.kind != "reaction") {
                texts.entry((reader, text)).or_default().insert(&message.id);
            }
            secrets.entry(&message.id).or_default().insert(message.secret.as_deref());
        }
        broken.extend(
            ids.iter().filter(|(_, times)| **times > 1).map(|(id, times)| format!("{id:?} is shown {times} times")),
        );
        broken.extend(texts.iter().filter(|(_, ids)| ids.len() > 1).map(|(text, ids)| format!("{text:?} is {ids:?}")));
        broken.extend(secrets.iter().filter(|(_, all)| all.len() > 1).map(|(id, _)| format!("{id} has two secrets")));
        broken
    }

    /// A phone shows only what was asked for, as it was asked for, to whom, and not what was
    /// cancelled, or ended in any other way that says that it was not sent.
    pub fn shown_wrongly(&self) -> Vec<String> {
        let is_right = |entry: &Entry<'_>| {
            let shown = entry.message;
            let Some(row) = self.rows.get(&shown.id) else { return false };
            let Some(asked) = self.asked(row) else { return false };
            let is_to_group = asked.to.ends_with("@g.us");
            let is_place = if is_to_group { shown.chat == asked.to } else { asked.to == entry.reader };
            let is_of_account = self.link(shown).is_some_and(|link| link.account == row.account);
            let reads = (shown.kind.as_str(), shown.text.as_deref().unwrap_or_default(), shown.refers_to.as_ref());
            let is_so = reads == (asked.kind, asked.says.as_str(), row.refers_to.as_ref());
            is_place && is_of_account && row.may_be_shown() && (is_so || shown.arrivals == 0)
        };
        let wrong = self.entries().filter(|entry| !is_right(entry));
        wrong
            .map(|entry| {
                let row = self.rows.get(&entry.message.id);
                format!(
                    "{} shows {:?}, which is {row:?}, {:?}",
                    entry.reader,
                    entry.message,
                    row.map(|row| self.asked(row))
                )
            })
            .collect()
    }

    /// A phone shows the messages of an account in the order of the rows. Of a person who was
    /// called by two names at first, it is the order of each.
    pub fn out_of_order(&self) -> Vec<String> {
        let mut last: HashMap<(&str, Uuid, &str), &Row> = HashMap::new();
        let mut broken = Vec::new();
        for Entry { reader, message } in self.entries() {
            let Some(row) = self.rows.get(&message.id) else { continue };
            let Some(asked) = self.asked(row) else { continue };
            let before = last.insert((reader, row.account, &asked.to), row);
            let Some(before) = before.filter(|before| before.id > row.id) else { continue };
            let merged = self.merged_ms.get(&(row.account, asked.to.clone()));
            if merged.is_some_and(|at| before.created_ms.min(row.created_ms) <= *at) {
                continue;
            }
            broken.push(format!("{reader} shows {} after {}: {row:?}, {before:?}", row.id, before.id));
        }
        broken
    }

    /// What was asked for is a row, and no other is; a key is one message.
    pub fn not_asked(&self) -> Vec<String> {
        let ids: HashSet<i64> = self.rows.values().map(|row| row.id).collect();
        let gone = self.noted.asked.iter().filter(|(id, asked)| !ids.contains(*id) && !self.is_deleted(asked.account));
        let gone = gone.map(|(id, asked)| format!("{id} is no row: {asked:?}"));
        let is_asked = |row: &Row| self.asked(row).is_some_and(|asked| asked.account == row.account);
        let others = self.rows.values().filter(|row| !is_asked(row)).map(|row| format!("nobody asked for {row:?}"));
        gone.chain(others).collect()
    }

    /// Every message has come to an end, and for a true reason, if its account is connected.
    pub fn not_ended(&self) -> Vec<String> {
        let is_cancelled = |row: &Row| self.noted.cancelled.contains(&row.id);
        let is_true = |row: &Row| match row.state.as_str() {
            "cancelled" => is_cancelled(row),
            _ if is_cancelled(row) => false,
            "queued" | "sending" => !row.is_connected,
            "expired" => self.asked(row).is_some_and(|asked| asked.expires),
            "failed" => self.failed_truly(row),
            _ => row.is_sent(),
        };
        let untrue = self.rows.values().filter(|row| !is_true(row));
        untrue.map(|row| format!("{row:?} for {:?}", self.asked(row))).collect()
    }

    fn failed_truly(&self, row: &Row) -> bool {
        let is_refused = match row.code {
            Some(MALFORMED) => true,
            Some(NOT_A_MEMBER | NO_SUCH_GROUP) => (0..GROUPS).any(|nth| {
                let is_member = members(nth).any(|member| Some(number(member)) == row.sender);
                self.asked(row).is_some_and(|asked| asked.to == group(nth)) && !is_member
            }),
            Some(429 | 503) => row.attempt >= TRIES_BUSY,
            Some(_) | None => false,
        };
        match row.reason.as_deref() {
            Some("refused") => is_refused,
            // It may have arrived by an earlier try. Once it was taken a second time, its connection tries
            // it again by itself, which the row does not count.
            Some("no_ack") => row.lost_its_link || row.attempt > 1,
            Some("no_recipient_device") => row.attempt >= TRIES_UNREACHED,
            Some("target_missing") => row.is_without_target,
            _ => false,
        }
    }

    /// How far a message got is so: somebody has it, and has looked at it.
    pub fn not_received(&self) -> Vec<String> {
        let read: HashSet<&str> =
            self.entries().filter(|entry| entry.message.arrivals > 0).map(|entry| entry.message.id.as_str()).collect();
        let is_true = |row: &Row| match row.state.as_str() {
            "delivered" => read.contains(row.wa_id.as_str()),
            "read" => self.noted.read.contains(&row.wa_id),
            _ => true,
        };
        self.rows.values().filter(|row| !is_true(row)).map(|row| format!("{row:?}")).collect()
    }

    /// Each step is told once, in order.
    pub fn not_told_once(&self) -> Vec<String> {
        let is_told = |row: &Row| match row.state.as_str() {
            "sent" => row.told == "sent",
            "delivered" => row.told == "sent delivered",
            "read" => row.told == "sent read" || row.told == "sent delivered read",
            "failed" | "expired" => row.told == "failed",
            _ => row.told.is_empty(),
        };
        self.rows.values().filter(|row| !is_told(row)).map(|row| format!("{row:?}")).collect()
    }

    /// What phones cannot read, and could still be sent again.
    pub fn not_read(&self) -> Vec<String> {
        let waiting = self.entries().filter(|entry| entry.message.arrivals == 0);
        let waiting = waiting.filter(|entry| self.link(entry.message).is_some_and(|link| link.is_connected));
        waiting.map(|entry| format!("{} waits for {:?}", entry.reader, entry.message)).collect()
    }
}

/// States go forward only, and what was known of a message stays as it was.
pub async fn stepped_back(stage: &Stage) -> Vec<String> {
    complaints(stage, "SELECT concat_ws(' ', message_id, what) FROM steps_back", &[]).await
}
