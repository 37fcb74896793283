//! What phones wrote, compared with rows and events, by what WhatsApp has had for which device.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use paird_sandbox::Posted;
use paird_testkit::Stage;
use uuid::Uuid;

use crate::talk::Said;

/// Which account each device was of, and until when: keys are erased in the course of a campaign,
/// after the device has been logged in once more to be unlinked.
pub const NOTE_LINKS: &str = "
    CREATE TABLE linked (device_jid text PRIMARY KEY, account_id uuid NOT NULL, given_up_at timestamptz);
    CREATE FUNCTION note_link() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO linked VALUES (NEW.device_jid, NEW.account_id) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_link AFTER INSERT OR UPDATE OF device_jid ON keyrings
        FOR EACH ROW WHEN (NEW.device_jid IS NOT NULL) EXECUTE FUNCTION note_link();
    CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE linked SET given_up_at = clock_timestamp() WHERE given_up_at IS NULL AND device_jid IN (
            SELECT k.device_jid FROM keyrings k WHERE k.id IN (OLD.keyring_id, OLD.linking_keyring_id)
               AND k.id IS DISTINCT FROM NEW.keyring_id AND k.id IS DISTINCT FROM NEW.linking_keyring_id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_end AFTER UPDATE OF keyring_id, linking_keyring_id ON whatsapp_accounts
        FOR EACH ROW EXECUTE FUNCTION note_end()";

/// A message of the table, and how often it was told as what.
#[derive(Debug)]
struct Row {
    id: i64,
    direction: String,
    chat: String,
    sender: String,
    kind: Option<String>,
    waits: bool,
    was_lost: bool,
    says: Option<String>,
    first: i64,
    waiting: i64,
    recovered: i64,
}

/// A device that an account has or had.
#[derive(Clone, Debug)]
pub struct Link {
    pub account: Uuid,
    pub is_deleted: bool,
    /// The account is connected with it.
    pub is_connected: bool,
    given_up_ms: Option<i64>,
}

/// By the jids of devices.
pub async fn links(stage: &Stage) -> HashMap<String, Link> {
    let links = "SELECT l.device_jid, l.account_id, a.deleted_at IS NOT NULL,
            coalesce(a.status = 'connected' AND k.device_jid = l.device_jid, false),
            (extract(epoch FROM l.given_up_at) * 1000)::bigint
        FROM linked l JOIN whatsapp_accounts a ON a.id = l.account_id LEFT JOIN keyrings k ON k.id = a.keyring_id";
    let links = stage.web.sql.query(links, &[]).await.unwrap();
    let link = |row: &tokio_postgres::Row| Link {
        account: row.get(1),
        is_deleted: row.get(2),
        is_connected: row.get(3),
        given_up_ms: row.get(4),
    };
    links.iter().map(|row| (row.get(0), link(row))).collect()
}

/// Everything that was written to accounts that are there, on both sides.
pub struct Post {
    /// By account and device, in the order in which WhatsApp had them.
    posted: BTreeMap<(Uuid, String), Vec<Posted>>,
    rows: HashMap<(Uuid, String), Vec<Row>>,
    /// The devices of accounts that are connected.
    connected: BTreeSet<String>,
}

/// The figures of a campaign.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Messages that WhatsApp had for devices, and copies of them.
    pub posted: u64,
    pub copies: u64,
    /// Of those, the messages whose arrival a daemon acknowledged.
    pub acknowledged: u64,
    /// Of accounts that were deleted since.
    pub deleted: u64,
    /// While their devices were being unlinked.
    pub given_up: u64,
    pub echoes: u64,
    pub recovered: u64,
    pub lost_and_fetched: u64,
}

impl Post {
    pub async fn of(stage: &Stage) -> (Self, Counts) {
        let mut counts = Counts::default();
        let links = links(stage).await;
        let mut posted = BTreeMap::new();
        let mut connected = BTreeSet::new();
        for (device, mut list) in stage.phones.posted().await {
            counts.posted += list.len() as u64;
            counts.copies += list.iter().map(|one| u64::from(one.copies)).sum::<u64>();
            let settled = list.iter().filter(|one| one.settled_at_ms.is_some()).count() as u64;
            let Some(Link { account, is_deleted, is_connected, given_up_ms: given_up }) = links.get(&device).cloned()
            else {
                assert_eq!(settled, 0, "{device} acknowledged messages and never had keys");
                continue;
            };
            if is_deleted {
                counts.deleted += settled;
                continue;
            }
            // What comes while a device is being unlinked is nobody's.
            for one in &mut list {
                let is_late = |at: &u64| given_up.is_some_and(|end| *at >= end as u64);
                counts.given_up += u64::from(one.settled_at_ms.take_if(|at| is_late(at)).is_some());
            }
            counts.acknowledged += list.iter().filter(|one| one.settled_at_ms.is_some()).count() as u64;
            if is_connected {
                connected.insert(device.clone());
            }
            posted.insert((account, device), list);
        }
        let mut rows: HashMap<(Uuid, String), Vec<Row>> = HashMap::new();
        let table = "SELECT m.account_id, m.wa_id, m.id, m.direction, coalesce(m.chat_phone, m.chat),
                coalesce(m.sender_phone, m.sender), m.kind, m.state = 'waiting', m.reason IS NOT DISTINCT FROM 'lost',
                coalesce(b.content #>> '{text,body}', b.content #>> '{edit,body}', b.content #>> '{reaction,emoji}', ''),
                coalesce(e.first, 0), coalesce(e.waiting, 0), coalesce(e.recovered, 0)
            FROM messages m JOIN whatsapp_accounts a ON a.id = m.account_id AND a.deleted_at IS NULL
            LEFT JOIN message_bodies b ON b.message_id = m.id
            LEFT JOIN (
                SELECT (payload->>'messageId')::bigint AS id,
                       count(*) FILTER (WHERE kind IN ('message.received', 'message.echo')) AS first,
                       count(*) FILTER (WHERE kind = 'message.waiting') AS waiting,
                       count(*) FILTER (WHERE kind = 'message.recovered') AS recovered
                FROM events WHERE kind LIKE 'message.%' GROUP BY 1
            ) AS e ON e.id = m.id
            WHERE m.direction <> 'out'";
        for row in stage.web.sql.query(table, &[]).await.unwrap() {
            let read = Row {
                id: row.get(2),
                direction: row.get(3),
                chat: row.get(4),
                sender: row.get(5),
                kind: row.get(6),
                waits: row.get(7),
                was_lost: row.get(8),
                says: row.get(9),
                first: row.get(10),
                waiting: row.get(11),
                recovered: row.get(12),
            };
            counts.echoes += u64::from(read.direction == "echo");
            counts.recovered += u64::from(read.recovered > 0);
            counts.lost_and_fetched += u64::from(read.was_lost && !read.waits);
            rows.entry((row.get(0), row.get(1))).or_default().push(read);
        }
        (Self { posted, rows, connected }, counts)
    }

    fn rows(&self, account: Uuid, id: &str) -> &[Row] {
        self.rows.get(&(account, id.to_owned())).map(Vec::as_slice).unwrap_or_default()
    }

    fn each(&self) -> impl Iterator<Item = (Uuid, &str, &Posted)> {
        self.posted
            .iter()
            .flat_map(|((account, device), list)| list.iter().map(move |posted| (*account, device.as_str(), posted)))
    }

    /// A message that a daemon has acknowledged is a row: WhatsApp has forgotten it.
    pub fn lost(&self) -> Vec<String> {
        let settled = self.each().filter(|(_, _, posted)| posted.settled_at_ms.is_some());
        let lost = settled.filter(|(account, _, posted)| self.rows(*account, &posted.id).is_empty());
        lost.map(|(_, device, posted)| format!("{posted:?} of {device}")).collect()
    }

    /// However often it came, it is one row, of the right chat and sender.
    pub fn doubled(&self) -> Vec<String> {
        // An account may have been linked to two members of a group, one after the other.
        let mut numbers: HashMap<(Uuid, &str), BTreeSet<&str>> = HashMap::new();
        for (account, device, posted) in self.each() {
            let number = device.split(':').next().unwrap_or_default();
            numbers.entry((account, posted.id.as_str())).or_default().insert(number);
        }
        let complaint = |(account, _, posted): (Uuid, &str, &Posted)| {
            let rows = self.rows(account, &posted.id);
            let is_right = |row: &Row| {
                let of_whom = &numbers[&(account, posted.id.as_str())];
                let is_direction = match row.direction.as_str() {
                    "echo" => of_whom.contains(posted.sender.as_str()),
                    _ => of_whom.iter().any(|number| *number != posted.sender),
                };
                // Of somebody who is known by LID alone there is no number.
                let is_chat = row.chat == posted.chat || Some(&row.chat) == posted.chat_lid.as_ref();
                is_chat && is_direction && row.sender == posted.sender
            };
            // What the owner wrote, could not be read, and is for somebody known by LID alone: the phone
            // answers with the number, and that they are one person is known when they write.
            let waited = |row: &Row| row.direction == "echo" && (row.waits || row.waiting > 0);
            let is_by_two_names = matches!(rows, [one, other] if one.chat != other.chat && one.direction == other.direction
                    && (waited(one) || waited(other)));
            ((rows.len() > 1 && !is_by_two_names) || rows.iter().any(|row| !is_right(row)))
                .then(|| format!("{posted:?} is {rows:?}"))
        };
        self.each().filter_map(complaint).collect()
    }

    /// Each row is told once: as received, or first as waiting and then as recovered. One that was
    /// lost is told when it can be read, and not before.
    pub fn not_told_once(&self) -> Vec<String> {
        let is_told = |row: &Row| {
            let told = (row.first, row.waiting, row.recovered);
            match (row.waits, row.was_lost) {
                (true, true) => told == (0, 0, 0),
                (true, false) => told == (0, 1, 0),
                (false, true) => told == (1, 0, 0),
                (false, false) => told == (1, 0, 0) || told == (0, 1, 1),
            }
        };
        let rows = self.rows.iter().flat_map(|((_, id), rows)| rows.iter().map(move |row| (id, row)));
        rows.filter(|(_, row)| !is_told(row)).map(|(id, row)| format!("{id}: {row:?}")).collect()
    }

    /// Within a chat rows are in the order in which WhatsApp had the messages, but for those that
    /// cannot be read, or could not at first: of a backlog they are written before the others. Of a person who is called by two names it is the order of each.
    pub fn out_of_order(&self) -> Vec<String> {
        let mut devices: HashMap<(Uuid, &str), usize> = HashMap::new();
        for (account, _, posted) in self.each() {
            *devices.entry((account, posted.id.as_str())).or_default() += 1;
        }
        let mut last: HashMap<(&str, &str), (i64, &str)> = HashMap::new();
        let mut broken = Vec::new();
        for (account, device, posted) in self.each() {
            let [row] = self.rows(account, &posted.id) else { continue };
            // By another device of the account it may have come earlier.
            if devices[&(account, posted.id.as_str())] > 1 || posted.spoilt || row.waiting > 0 || row.was_lost {
                continue;
            }
            let before = last.insert((device, posted.from.as_str()), (row.id, posted.id.as_str()));
            if let Some((id, earlier)) = before.filter(|(id, _)| *id > row.id) {
                broken.push(format!("{device}: {} is row {}, and {earlier} before it is row {id}", posted.id, row.id));
            }
        }
        broken
    }

    /// A row says what was written.
    pub fn misquoted(&self, said: &Said) -> Vec<String> {
        let rows = self.rows.iter().flat_map(|((_, id), rows)| rows.iter().map(move |row| (id, row)));
        let misquoted = rows.filter(|(id, row)| {
            let Some((kind, says)) = said.get(*id) else { return false };
            // A message that is to be seen once is withheld.
            row.kind.as_deref().is_some_and(|read| read != "unsupported")
                && (row.kind.as_deref(), row.says.as_ref()) != (Some(*kind), Some(says))
        });
        misquoted.map(|(id, row)| format!("{id}: {row:?} and not {:?}", said.get(id))).collect()
    }

    /// What the phone has, and can be asked for.
    pub fn waiting(&self) -> Vec<String> {
        let reachable = self.each().filter(|(_, device, _)| self.connected.contains(*device));
        let waiting = reachable.filter(|(account, _, posted)| {
            self.rows(*account, &posted.id).iter().any(|row| row.waits)
                && !self.rows(*account, &posted.id).iter().any(|row| !row.waits)
        });
        waiting.map(|(_, device, posted)| format!("{posted:?} of {device}")).collect()
    }
}

/// WhatsApp keeps nothing for a device that is connected.
pub async fn none_is_kept(stage: &Stage) -> Vec<String> {
    let kept = stage.phones.report().await.messages_kept_now;
    if kept == 0 { Vec::new() } else { vec![format!("{kept} messages")] }
}

/// Nor a body, nor a contact.
pub async fn none_of_deleted_accounts(stage: &Stage) -> Vec<String> {
    let left =
        "SELECT concat_ws(' ', a.label, 'has', count(DISTINCT m.id), 'messages and', count(DISTINCT c.jid), 'contacts')
        FROM whatsapp_accounts a LEFT JOIN messages m ON m.account_id = a.id LEFT JOIN contacts c ON c.account_id = a.id
        WHERE a.deleted_at IS NOT NULL AND (m.id IS NOT NULL OR c.jid IS NOT NULL) GROUP BY a.id";
    super::complaints(stage, left, &[]).await
}
