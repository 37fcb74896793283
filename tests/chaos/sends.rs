//! The web app of a campaign sends messages.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use paird_sandbox::{Naming, Reading};
use paird_testkit::{DEADLINE, Patience, Phones, Stage};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, error::SqlState};
use uuid::Uuid;

use crate::script::{Addressee, READERS, WebAct, What, contact, group};

/// What every text contains, so that one look finds any of them in a log.
const MARK: &str = "what chaos has sent, no.";
/// As the database knows its connections.
const NAME: &str = "web";

/// A message that the web app asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub account: Uuid,
    /// The number of the reader, or the group's jid.
    pub to: String,
    pub kind: &'static str,
    /// Its text, or an emoji.
    pub says: String,
    pub expires: bool,
}

/// What came of the web app's calls.
#[derive(Clone, Debug, Default)]
pub struct Noted {
    /// By the id that `send_message` returned.
    pub asked: HashMap<i64, Asked>,
    /// Of which `cancel_message` said that they will never be sent.
    pub cancelled: BTreeSet<i64>,
    /// What readers have looked at, by WhatsApp's ids.
    pub read: BTreeSet<String>,
}

pub struct Sends {
    dsn: String,
    caller: Caller,
    noted: Arc<Mutex<Noted>>,
    bursts: Vec<JoinHandle<()>>,
    /// One call of an account after the other, so that the order of its chats is that of the calls.
    turns: HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>,
    texts: usize,
}

impl Sends {
    /// Every account may send as fast as it can: the pace has tests of its own.
    pub async fn begin(stage: &Stage) -> Self {
        stage.web.hush(MARK);
        let in_haste =
            "ALTER TABLE whatsapp_accounts ALTER send_rate SET DEFAULT 1000, ALTER send_burst SET DEFAULT 1000,
                ALTER new_chats_per_day SET DEFAULT NULL;
            UPDATE whatsapp_accounts SET send_rate = 1000, send_burst = 1000, new_chats_per_day = NULL";
        stage.web.sql.batch_execute(in_haste).await.unwrap();
        let dsn = format!("{} application_name={NAME}", stage.dsn);
        Self {
            caller: Caller::new(&dsn),
            dsn,
            noted: Arc::default(),
            bursts: Vec::new(),
            turns: HashMap::new(),
            texts: 0,
        }
    }

    /// Whether there was anything to do it to. `account` is whose message it is.
    pub async fn carry_out(&mut self, act: WebAct, account: impl Fn(usize) -> Uuid, stage: &Stage) -> bool {
        match act {
            WebAct::Send { by, to, what, again, cancel, expires } => {
                let Some(call) = self.call(account(by), to, what, expires, stage).await else { return false };
                let turn = self.turn(call.asked.account);
                let _turn = turn.lock().await;
                let Some(id) = self.caller.send(&call, &self.noted).await else { return false };
                if again {
                    let repeated = self.caller.send(&call, &self.noted).await;
                    assert!(repeated.is_none_or(|repeated| repeated == id), "{} is {id} and {repeated:?}", call.key);
                }
                if cancel {
                    self.cancel(id, stage).await;
                }
                true
            }
            WebAct::Burst { by, count } => {
                let account = account(by);
                let calls: Vec<Call> =
                    (0..count).map(|nth| self.text_to(account, &contact((by + nth) % READERS))).collect();
                let (noted, turn) = (Arc::clone(&self.noted), self.turn(account));
                let mut caller = Caller::new(&self.dsn);
                self.bursts.push(tokio::spawn(async move {
                    for call in calls {
                        let _turn = turn.lock().await;
                        if caller.send(&call, &noted).await.is_none() {
                            // The account was deleted.
                            return;
                        }
                    }
                }));
                true
            }
            WebAct::Cancel { which } => {
                let queued =
                    "SELECT id FROM messages WHERE direction = 'out' AND state = 'queued' ORDER BY id LIMIT 1000";
                let queued = stage.web.sql.query(queued, &[]).await.unwrap();
                let Some(row) = queued.get(which % queued.len().max(1)) else { return false };
                self.cancel(row.get(0), stage).await
            }
            WebAct::Look { reader } => self.look(&contact(reader), stage).await,
            WebAct::Online { reader, online } => {
                stage.phones.set_online(&contact(reader), online).await;
                true
            }
            WebAct::Cut => {
                let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
                stage.web.count(cut, &[&NAME]).await > 0
            }
        }
    }

    async fn cancel(&self, id: i64, stage: &Stage) -> bool {
        let row = stage.web.sql.query_one("SELECT cancel_message($1)", &[&id]).await.unwrap();
        let is_cancelled = row.get(0);
        if is_cancelled {
            self.noted.lock().unwrap().cancelled.insert(id);
        }
        is_cancelled
    }

    async fn look(&self, reader: &str, stage: &Stage) -> bool {
        let last = "SELECT m.wa_id, m.sender_phone FROM messages m
            WHERE m.direction = 'out' AND m.chat_phone = $1 AND m.state IN ('sent', 'delivered')
              AND m.sender_phone IS NOT NULL ORDER BY m.id DESC LIMIT 4";
        let last = stage.web.sql.query(last, &[&reader]).await.unwrap();
        let Some(first) = last.first() else { return false };
        let sender: String = first.get(1);
        let ids: Vec<String> =
            last.iter().filter(|row| row.get::<_, &str>(1) == sender).map(|row| row.get(0)).collect();
        let reading = Reading { chat: sender, ids: ids.clone(), played: false, device: 0, naming: Naming::default() };
        if stage.phones.read(reader, reading).await.is_err() {
            return false;
        }
        self.noted.lock().unwrap().read.extend(ids);
        true
    }

    /// `None`: there is nothing to refer to.
    async fn call(
        &mut self,
        account: Uuid,
        to: Addressee,
        what: What,
        expires: Option<Duration>,
        stage: &Stage,
    ) -> Option<Call> {
        let to = match to {
            Addressee::Reader(reader) => contact(reader),
            Addressee::Group(nth) => group(nth),
        };
        let mut call = self.text_to(account, &to);
        let text = call.asked.says.clone();
        let own_text = "m.direction = 'out' AND m.kind = 'text'";
        let any = "m.kind IN ('text', 'location')";
        let mut of_another = |kind: &'static str, says: String, said: Value| {
            call.content = json!({"to": to, "type": kind, kind: said});
            (call.asked.kind, call.asked.says) = (kind, says);
        };
        match what {
            What::Text => {}
            What::Reply => call.content["replyTo"] = json!(target(account, &to, any, stage).await?),
            What::React => {
                let id = target(account, &to, any, stage).await?;
                of_another("reaction", "👍".to_owned(), json!({"messageId": id, "emoji": "👍"}));
            }
            What::Edit => {
                let id = target(account, &to, own_text, stage).await?;
                of_another("edit", text.clone(), json!({"messageId": id, "body": text}));
            }
            What::Revoke => {
                let id = target(account, &to, own_text, stage).await?;
                of_another("revoke", String::new(), json!({"messageId": id}));
            }
        }
        call.expires = expires;
        call.asked.expires = expires.is_some();
        Some(call)
    }

    fn text_to(&mut self, account: Uuid, to: &str) -> Call {
        self.texts += 1;
        let says = format!("{MARK} {}", self.texts);
        Call {
            key: format!("k-{}", self.texts),
            content: json!({"to": to, "type": "text", "text": {"body": says}}),
            expires: None,
            asked: Asked { account, to: to.to_owned(), kind: "text", says, expires: false },
        }
    }

    fn turn(&mut self, account: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.entry(account).or_default())
    }

    /// Everything has been asked for, and every reader is on line.
    pub async fn end(&mut self, phones: &Phones) {
        for burst in self.bursts.drain(..) {
            burst.await.unwrap();
        }
        for reader in 0..READERS {
            phones.set_online(&contact(reader), true).await;
        }
    }

    pub fn noted(&self) -> Noted {
        self.noted.lock().unwrap().clone()
    }
}

/// The last message of the account's chat that fits.
async fn target(account: Uuid, to: &str, fits: &str, stage: &Stage) -> Option<i64> {
    let last = format!(
        "SELECT m.id FROM messages m WHERE m.account_id = $1 AND $2 IN (m.chat, m.chat_phone) AND {fits}
           AND m.state NOT IN ('failed', 'cancelled', 'expired', 'waiting') ORDER BY m.id DESC LIMIT 1"
    );
    stage.web.sql.query_opt(&last, &[&account, &to]).await.unwrap().map(|row| row.get(0))
}

/// A call of `send_message`.
struct Call {
    key: String,
    content: Value,
    expires: Option<Duration>,
    asked: Asked,
}

/// Calls `send_message` until it has an answer, under the same key.
struct Caller {
    dsn: String,
    client: Option<Client>,
}

impl Caller {
    fn new(dsn: &str) -> Self {
        Self { dsn: dsn.to_owned(), client: None }
    }

    /// `None`: the account or what it refers to is gone, or the queue is full.
    async fn send(&mut self, call: &Call, noted: &Mutex<Noted>) -> Option<i64> {
        let patience = Patience::of(DEADLINE);
        loop {
            match self.try_to_send(call).await {
                Ok(id) => {
                    let former = noted.lock().unwrap().asked.insert(id, call.asked.clone());
                    let is_same = former.is_none_or(|former| former.says == call.asked.says);
                    assert!(is_same, "message {id} is that of another key, too");
                    return Some(id);
                }
                Err(failure) => {
                    let code = failure.code();
                    if [&SqlState::INVALID_PARAMETER_VALUE, &SqlState::CONFIGURATION_LIMIT_EXCEEDED]
                        .into_iter()
                        .any(|expected| code == Some(expected))
                    {
                        return None;
                    }
                    // The database is away, or has cut this connection.
                    let is_away =
                        code.is_none_or(|code| code.code().starts_with("57P") || code.code().starts_with("53"));
                    assert!(is_away, "{}: {failure:?}", call.key);
                    self.client = None;
                    assert!(patience.lasts().await, "never: an answer to {}", call.key);
                }
            }
        }
    }

    async fn try_to_send(&mut self, call: &Call) -> Result<i64, tokio_postgres::Error> {
        if self.client.is_none() {
            let (client, connection) = tokio_postgres::connect(&self.dsn, NoTls).await?;
            tokio::spawn(connection);
            self.client = Some(client);
        }
        let client = self.client.as_ref().unwrap();
        let sql = "SELECT send_message($1, $2, $3, NULL, clock_timestamp() + $4::float8 * interval '1 second')";
        let expires = call.expires.map(|expires| expires.as_secs_f64());
        let row = client.query_one(sql, &[&call.asked.account, &call.content, &call.key, &expires]).await?;
        Ok(row.get(0))
    }
}
