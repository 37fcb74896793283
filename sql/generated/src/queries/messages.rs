// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct RecordMessagesParams<T1: crate::JsonSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub messages: T1,
}
#[derive(Debug)]
pub struct MergeChatParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub lid: T1,
    pub number: T2,
    pub batch: i32,
}
#[derive(Debug)]
pub struct EndWaitsParams<T1: crate::JsonSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub ended: T1,
}
#[derive(Clone, Copy, Debug)]
pub struct TakeWaitingParams {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub age: f64,
    pub batch: i64,
}
#[derive(Debug)]
pub struct PutBackWaitingParams<T1: crate::ArraySql<Item = i64>> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub messages: T1,
}
#[derive(Debug, Clone, PartialEq)]
pub struct RecordMessages {
    pub written: Vec<i64>,
    pub split: Option<serde_json::Value>,
}
pub struct RecordMessagesBorrowed<'a> {
    pub written: crate::ArrayIterator<'a, i64>,
    pub split: Option<postgres_types::Json<&'a serde_json::value::RawValue>>,
}
impl<'a> From<RecordMessagesBorrowed<'a>> for RecordMessages {
    fn from(RecordMessagesBorrowed { written, split }: RecordMessagesBorrowed<'a>) -> Self {
        Self { written: written.map(|v| v).collect(), split: split.map(|v| serde_json::from_str(v.0.get()).unwrap()) }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct TakeWaiting {
    pub id: i64,
    pub direction: String,
    pub chat: String,
    pub chat_phone: Option<String>,
    pub sender: String,
    pub sender_phone: Option<String>,
    pub wa_id: String,
    pub sent_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct TakeWaitingBorrowed<'a> {
    pub id: i64,
    pub direction: &'a str,
    pub chat: &'a str,
    pub chat_phone: Option<&'a str>,
    pub sender: &'a str,
    pub sender_phone: Option<&'a str>,
    pub wa_id: &'a str,
    pub sent_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<TakeWaitingBorrowed<'a>> for TakeWaiting {
    fn from(
        TakeWaitingBorrowed {
            id,
            direction,
            chat,
            chat_phone,
            sender,
            sender_phone,
            wa_id,
            sent_at,
        }: TakeWaitingBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            direction: direction.into(),
            chat: chat.into(),
            chat_phone: chat_phone.map(|v| v.into()),
            sender: sender.into(),
            sender_phone: sender_phone.map(|v| v.into()),
            wa_id: wa_id.into(),
            sent_at,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct RecordMessagesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<RecordMessagesBorrowed, tokio_postgres::Error>,
    mapper: fn(RecordMessagesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RecordMessagesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(RecordMessagesBorrowed) -> R) -> RecordMessagesQuery<'c, 'a, 's, C, R, N> {
        RecordMessagesQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row = crate::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row = crate::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<impl futures::Stream<Item = Result<T, tokio_postgres::Error>> + 'c, tokio_postgres::Error> {
        let stream =
            crate::client::async_::raw(self.client, self.query, crate::slice_iter(&self.params), self.cached).await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct BoolQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<bool, tokio_postgres::Error>,
    mapper: fn(bool) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> BoolQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(bool) -> R) -> BoolQuery<'c, 'a, 's, C, R, N> {
        BoolQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row = crate::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row = crate::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<impl futures::Stream<Item = Result<T, tokio_postgres::Error>> + 'c, tokio_postgres::Error> {
        let stream =
            crate::client::async_::raw(self.client, self.query, crate::slice_iter(&self.params), self.cached).await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct I32Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<i32, tokio_postgres::Error>,
    mapper: fn(i32) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> I32Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(i32) -> R) -> I32Query<'c, 'a, 's, C, R, N> {
        I32Query {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row = crate::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row = crate::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<impl futures::Stream<Item = Result<T, tokio_postgres::Error>> + 'c, tokio_postgres::Error> {
        let stream =
            crate::client::async_::raw(self.client, self.query, crate::slice_iter(&self.params), self.cached).await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct TakeWaitingQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TakeWaitingBorrowed, tokio_postgres::Error>,
    mapper: fn(TakeWaitingBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TakeWaitingQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(TakeWaitingBorrowed) -> R) -> TakeWaitingQuery<'c, 'a, 's, C, R, N> {
        TakeWaitingQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row = crate::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row = crate::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<impl futures::Stream<Item = Result<T, tokio_postgres::Error>> + 'c, tokio_postgres::Error> {
        let stream =
            crate::client::async_::raw(self.client, self.query, crate::slice_iter(&self.params), self.cached).await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct I64Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<i64, tokio_postgres::Error>,
    mapper: fn(i64) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> I64Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(i64) -> R) -> I64Query<'c, 'a, 's, C, R, N> {
        I64Query {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row = crate::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row = crate::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<impl futures::Stream<Item = Result<T, tokio_postgres::Error>> + 'c, tokio_postgres::Error> {
        let stream =
            crate::client::async_::raw(self.client, self.query, crate::slice_iter(&self.params), self.cached).await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct RecordMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn record_messages() -> RecordMessagesStmt {
    RecordMessagesStmt(
        "WITH mine AS ( SELECT a.id, a.event_seq, clock_timestamp() AS at FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND a.deleted_at IS NULL AND $4 IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE ), arrived AS MATERIALIZED ( SELECT m.* FROM mine CROSS JOIN ROWS FROM (jsonb_to_recordset($5::jsonb) AS ( direction text, chat text, chat_phone text, sender text, sender_phone text, name text, wa_id text, kind text, refers_to_wa_id text, state text, reason text, sent_ms bigint, content jsonb, media text)) WITH ORDINALITY AS m (direction, chat, chat_phone, sender, sender_phone, name, wa_id, kind, refers_to_wa_id, state, reason, sent_ms, content, media, nth) ), people AS MATERIALIZED ( SELECT p.jid, p.phone, phone_key(p.phone) AS key, max(a.nth) AS nth FROM arrived a CROSS JOIN LATERAL (VALUES (a.chat, a.chat_phone), (a.sender, a.sender_phone)) AS p (jid, phone) WHERE p.phone IS NOT NULL AND (p.jid LIKE '%@lid' OR p.jid = p.phone || '@s.whatsapp.net') GROUP BY p.jid, p.phone ), named AS MATERIALIZED ( SELECT n.key, coalesce(n.lid, former.jid, n.number || '@s.whatsapp.net') AS jid, coalesce(n.phone_of_lid, n.number) AS phone FROM (SELECT p.key, (array_agg(p.jid ORDER BY p.nth DESC) FILTER (WHERE p.jid LIKE '%@lid'))[1] AS lid, (array_agg(p.phone ORDER BY p.nth DESC) FILTER (WHERE p.jid LIKE '%@lid'))[1] AS phone_of_lid, (array_agg(p.phone ORDER BY p.nth DESC) FILTER (WHERE p.jid NOT LIKE '%@lid'))[1] AS number FROM people p GROUP BY p.key) AS n LEFT JOIN LATERAL ( SELECT c.jid FROM contacts c WHERE n.lid IS NULL AND c.account_id = $1 AND c.phone IS NOT NULL AND phone_key(c.phone) = n.key AND c.jid LIKE '%@lid' ORDER BY c.updated_at DESC LIMIT 1 ) AS former ON true ), by_number AS MATERIALIZED ( SELECT p.jid AS number_jid, n.jid, CASE WHEN n.jid LIKE '%@lid' THEN p.phone ELSE n.phone END AS phone FROM people p JOIN named n ON n.key = p.key WHERE p.jid NOT LIKE '%@lid' ), split AS MATERIALIZED ( SELECT p.jid, n.number FROM named p CROSS JOIN LATERAL ( SELECT spelt AS number, spelt || '@s.whatsapp.net' AS jid FROM unnest(phone_spellings(p.phone)) AS spelt) AS n WHERE n.jid <> p.jid AND ( EXISTS (SELECT FROM messages m WHERE m.account_id = $1 AND m.chat = n.jid LIMIT 1 FOR UPDATE SKIP LOCKED) OR EXISTS (SELECT FROM messages m WHERE m.account_id = $1 AND m.sender = n.jid AND m.sender LIKE '%@s.whatsapp.net' LIMIT 1 FOR UPDATE SKIP LOCKED) OR (SELECT c.jid FROM contacts c WHERE c.account_id = $1 AND c.jid = n.jid) IS NOT NULL) ), heard AS ( SELECT DISTINCT ON (chat, sender, a.wa_id) a.direction, coalesce(c.jid, a.chat) AS chat, coalesce(c.phone, a.chat_phone) AS chat_phone, coalesce(s.jid, a.sender) AS sender, coalesce(s.phone, a.sender_phone) AS sender_phone, a.name, a.wa_id, a.kind, a.refers_to_wa_id, a.state, a.reason, a.sent_ms, a.content, a.media, a.nth FROM arrived a LEFT JOIN by_number c ON c.number_jid = a.chat LEFT JOIN by_number s ON s.number_jid = a.sender WHERE NOT EXISTS (SELECT FROM split) AND NOT EXISTS (SELECT FROM messages o WHERE o.account_id = $1 AND o.wa_id = a.wa_id AND o.direction = 'out' AND a.direction = 'echo') ORDER BY chat, sender, a.wa_id, a.state = 'waiting', a.nth ), numbered AS MATERIALIZED ( SELECT nextval('messages_id_seq') AS id, ordered.* FROM (SELECT heard.* FROM heard ORDER BY heard.nth) AS ordered ), resolved AS MATERIALIZED ( SELECT n.*, coalesce(own.id, former.id, beside.id) AS refers_to FROM numbered n LEFT JOIN LATERAL ( SELECT min(m.id + 0) AS id FROM messages m WHERE m.account_id = $1 AND m.chat = n.chat AND m.wa_id = n.refers_to_wa_id AND m.direction <> 'out' ) AS former ON n.refers_to_wa_id IS NOT NULL LEFT JOIN LATERAL ( SELECT o.id FROM messages o WHERE o.account_id = $1 AND o.wa_id = n.refers_to_wa_id AND o.direction = 'out' AND o.chat = n.chat ) AS own ON n.refers_to_wa_id IS NOT NULL LEFT JOIN LATERAL ( SELECT o.id FROM numbered o WHERE o.chat = n.chat AND o.wa_id = n.refers_to_wa_id AND o.nth < n.nth ORDER BY o.nth LIMIT 1 ) AS beside ON n.refers_to_wa_id IS NOT NULL ), written AS ( INSERT INTO messages AS m (id, account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind, refers_to, state, reason, sent_at, created_at, asks, asked_at) SELECT r.id, mine.id, r.direction, r.chat, r.chat_phone, r.sender, r.sender_phone, r.wa_id, r.kind, r.refers_to, r.state, r.reason, to_timestamp(r.sent_ms / 1000.0), mine.at, asked.is_asked::integer, CASE WHEN asked.is_asked THEN mine.at END FROM mine CROSS JOIN resolved r CROSS JOIN LATERAL ( SELECT r.state = 'waiting' AND r.reason <> 'lost' AND r.direction = 'in' AS is_asked) AS asked ORDER BY r.nth ON CONFLICT (account_id, chat, wa_id, sender) WHERE direction <> 'out' DO UPDATE SET kind = excluded.kind, refers_to = excluded.refers_to, state = excluded.state, reason = CASE WHEN m.reason = 'lost' THEN m.reason END, recovered_at = excluded.created_at WHERE m.state = 'waiting' AND excluded.state = 'received' RETURNING m.id, m.direction, m.chat, m.chat_phone, m.sender, m.sender_phone, m.wa_id, m.kind, m.refers_to, m.state, m.reason IS NOT DISTINCT FROM 'lost' AS was_lost, m.sent_at, m.recovered_at ), bodies AS ( INSERT INTO message_bodies (message_id, content, created_at) SELECT w.id, CASE WHEN r.kind IN ('reaction', 'edit', 'revoke') THEN jsonb_set(r.content, ARRAY[r.kind, 'messageId'], coalesce(to_jsonb(w.refers_to), 'null')) WHEN r.refers_to_wa_id IS NOT NULL THEN r.content || jsonb_build_object('replyTo', w.refers_to) ELSE r.content END, mine.at FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id) WHERE r.content IS NOT NULL ON CONFLICT (message_id) DO NOTHING ), media AS ( INSERT INTO message_media (message_id, keyring_id, sealed, created_at) SELECT w.id, $4, decode(r.media, 'base64'), mine.at FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id) WHERE r.media IS NOT NULL ON CONFLICT (message_id) DO NOTHING ), told AS ( INSERT INTO events (account_id, seq, kind, payload, created_at) SELECT mine.id, mine.event_seq + row_number() OVER (ORDER BY r.nth), CASE WHEN w.recovered_at IS NOT NULL AND NOT w.was_lost THEN 'message.recovered' WHEN w.state = 'waiting' THEN 'message.waiting' WHEN w.direction = 'echo' THEN 'message.echo' ELSE 'message.received' END, CASE WHEN (w.recovered_at IS NOT NULL AND NOT w.was_lost) OR w.state = 'waiting' THEN jsonb_build_object('messageId', w.id, 'chat', w.chat, 'sender', w.sender) ELSE jsonb_build_object( 'messageId', w.id, 'chat', w.chat, 'phone', coalesce(w.chat_phone, CASE WHEN w.direction = 'in' THEN w.sender_phone END), 'sender', w.sender, 'kind', w.kind, 'refersTo', w.refers_to, 'sentAt', to_char(w.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')) END, mine.at FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id) WHERE w.state = 'received' OR NOT w.was_lost ORDER BY r.nth RETURNING id ), counted AS ( UPDATE whatsapp_accounts a SET event_seq = a.event_seq + news.rows FROM mine, (SELECT count(*) AS rows FROM told) AS news WHERE a.id = mine.id AND news.rows > 0 ), known AS ( INSERT INTO contacts AS c (account_id, jid, phone, name, has_chat, updated_at) SELECT DISTINCT ON (p.jid) mine.id, p.jid, p.phone, p.name, bool_or(p.has_chat) OVER (PARTITION BY p.jid), mine.at FROM mine CROSS JOIN resolved r CROSS JOIN LATERAL ( SELECT r.sender, r.sender_phone, r.name, r.sender = r.chat WHERE r.direction = 'in' UNION ALL SELECT r.chat, r.chat_phone, NULL, true WHERE r.direction = 'echo' AND (r.chat LIKE '%@lid' OR r.chat LIKE '%@s.whatsapp.net') ) AS p (jid, phone, name, has_chat) ORDER BY p.jid, p.name IS NULL, p.phone IS NULL, r.nth DESC ON CONFLICT (account_id, jid) DO UPDATE SET phone = coalesce(excluded.phone, c.phone), name = coalesce(excluded.name, c.name), has_chat = c.has_chat OR excluded.has_chat, updated_at = excluded.updated_at WHERE (coalesce(excluded.phone, c.phone), coalesce(excluded.name, c.name), c.has_chat OR excluded.has_chat) IS DISTINCT FROM (c.phone, c.name, c.has_chat) ) SELECT (SELECT coalesce(array_agg(r.nth ORDER BY r.nth), '{}') FROM written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id)) AS written, (SELECT jsonb_agg(jsonb_build_array(split.jid, split.number)) FROM split) AS split FROM mine",
        None,
    )
}
impl RecordMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        messages: &'a T1,
    ) -> RecordMessagesQuery<'c, 'a, 's, C, RecordMessages, 5> {
        RecordMessagesQuery {
            client,
            params: [account, process, fence, keyring, messages],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RecordMessagesBorrowed, tokio_postgres::Error> {
                Ok(RecordMessagesBorrowed { written: row.try_get(0)?, split: row.try_get(1)? })
            },
            mapper: |it| RecordMessages::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        RecordMessagesParams<T1>,
        RecordMessagesQuery<'c, 'a, 's, C, RecordMessages, 5>,
        C,
    > for RecordMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RecordMessagesParams<T1>,
    ) -> RecordMessagesQuery<'c, 'a, 's, C, RecordMessages, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.messages)
    }
}
pub struct MergeChatStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn merge_chat() -> MergeChatStmt {
    MergeChatStmt("SELECT m.more FROM merge_chat($1, $2, $3, $4, $5, $6) AS m", None)
}
impl MergeChatStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        lid: &'a T1,
        number: &'a T2,
        batch: &'a i32,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 6> {
        BoolQuery {
            client,
            params: [account, process, fence, lid, number, batch],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, MergeChatParams<T1, T2>, BoolQuery<'c, 'a, 's, C, bool, 6>, C>
    for MergeChatStmt
{
    fn params(&'s self, client: &'c C, params: &'a MergeChatParams<T1, T2>) -> BoolQuery<'c, 'a, 's, C, bool, 6> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.lid, &params.number, &params.batch)
    }
}
pub struct EndWaitsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn end_waits() -> EndWaitsStmt {
    EndWaitsStmt("SELECT e.told FROM end_waits($1, $2, $3, $4, $5::jsonb) AS e", None)
}
impl EndWaitsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        ended: &'a T1,
    ) -> I32Query<'c, 'a, 's, C, i32, 5> {
        I32Query {
            client,
            params: [account, process, fence, keyring, ended],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>
    crate::client::async_::Params<'c, 'a, 's, EndWaitsParams<T1>, I32Query<'c, 'a, 's, C, i32, 5>, C> for EndWaitsStmt
{
    fn params(&'s self, client: &'c C, params: &'a EndWaitsParams<T1>) -> I32Query<'c, 'a, 's, C, i32, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.ended)
    }
}
pub struct TakeWaitingStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn take_waiting() -> TakeWaitingStmt {
    TakeWaitingStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND a.deleted_at IS NULL AND $4 IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE ), due AS ( SELECT m.id FROM mine JOIN messages m ON m.account_id = mine.id WHERE m.state = 'waiting' AND m.sent_at > clock_timestamp() - interval '14 days' AND CASE m.asks WHEN 0 THEN true WHEN 1 THEN m.asked_at < clock_timestamp() - interval '10 minutes' WHEN 2 THEN m.asked_at < clock_timestamp() - interval '1 day' ELSE false END AND (m.asked_at IS NULL OR m.asked_at <= clock_timestamp() - least(make_interval(secs => $5), interval '1 day')) ORDER BY m.id LIMIT $6 FOR UPDATE OF m ), asked AS ( UPDATE messages m SET asks = m.asks + 1, asked_at = clock_timestamp() FROM due WHERE m.id = due.id RETURNING m.id, m.direction, m.chat, m.chat_phone, m.sender, m.sender_phone, m.wa_id, m.sent_at ) SELECT a.id, a.direction, a.chat, a.chat_phone, a.sender, a.sender_phone, a.wa_id, a.sent_at FROM asked a ORDER BY a.id",
        None,
    )
}
impl TakeWaitingStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        age: &'a f64,
        batch: &'a i64,
    ) -> TakeWaitingQuery<'c, 'a, 's, C, TakeWaiting, 6> {
        TakeWaitingQuery {
            client,
            params: [account, process, fence, keyring, age, batch],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TakeWaitingBorrowed, tokio_postgres::Error> {
                Ok(TakeWaitingBorrowed {
                    id: row.try_get(0)?,
                    direction: row.try_get(1)?,
                    chat: row.try_get(2)?,
                    chat_phone: row.try_get(3)?,
                    sender: row.try_get(4)?,
                    sender_phone: row.try_get(5)?,
                    wa_id: row.try_get(6)?,
                    sent_at: row.try_get(7)?,
                })
            },
            mapper: |it| TakeWaiting::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, TakeWaitingParams, TakeWaitingQuery<'c, 'a, 's, C, TakeWaiting, 6>, C>
    for TakeWaitingStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a TakeWaitingParams,
    ) -> TakeWaitingQuery<'c, 'a, 's, C, TakeWaiting, 6> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.age, &params.batch)
    }
}
pub struct PutBackWaitingStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_back_waiting() -> PutBackWaitingStmt {
    PutBackWaitingStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND a.deleted_at IS NULL AND $4 IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE ), put_back AS ( UPDATE messages m SET asks = m.asks - 1, asked_at = m.asked_at - interval '1 day' FROM mine WHERE m.id = ANY ($5::bigint[]) AND m.account_id = mine.id AND m.state = 'waiting' AND m.asks > 0 RETURNING m.id ) SELECT (SELECT count(*) FROM put_back) AS messages FROM mine",
        None,
    )
}
impl PutBackWaitingStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        messages: &'a T1,
    ) -> I64Query<'c, 'a, 's, C, i64, 5> {
        I64Query {
            client,
            params: [account, process, fence, keyring, messages],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>>
    crate::client::async_::Params<'c, 'a, 's, PutBackWaitingParams<T1>, I64Query<'c, 'a, 's, C, i64, 5>, C>
    for PutBackWaitingStmt
{
    fn params(&'s self, client: &'c C, params: &'a PutBackWaitingParams<T1>) -> I64Query<'c, 'a, 's, C, i64, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.messages)
    }
}
