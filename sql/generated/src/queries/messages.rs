// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct RecordMessagesParams<T1: crate::JsonSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub messages: T1,
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
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
        "WITH mine AS ( SELECT a.id, a.event_seq, clock_timestamp() AS at FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND a.deleted_at IS NULL AND $4 IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE ), heard AS ( SELECT DISTINCT ON (m.chat, m.sender, m.wa_id) m.* FROM mine CROSS JOIN ROWS FROM (jsonb_to_recordset($5::jsonb) AS ( direction text, chat text, chat_phone text, sender text, sender_phone text, name text, wa_id text, kind text, refers_to_wa_id text, state text, reason text, sent_ms bigint, content jsonb)) WITH ORDINALITY AS m (direction, chat, chat_phone, sender, sender_phone, name, wa_id, kind, refers_to_wa_id, state, reason, sent_ms, content, nth) ORDER BY m.chat, m.sender, m.wa_id, m.state = 'waiting', m.nth ), numbered AS MATERIALIZED ( SELECT nextval('messages_id_seq') AS id, ordered.* FROM (SELECT heard.* FROM heard ORDER BY heard.nth) AS ordered ), resolved AS MATERIALIZED ( SELECT n.*, coalesce(former.id, beside.id) AS refers_to FROM numbered n LEFT JOIN LATERAL ( SELECT min(m.id + 0) AS id FROM messages m WHERE m.account_id = $1 AND m.chat = n.chat AND m.wa_id = n.refers_to_wa_id AND m.direction <> 'out' ) AS former ON n.refers_to_wa_id IS NOT NULL LEFT JOIN LATERAL ( SELECT o.id FROM numbered o WHERE o.chat = n.chat AND o.wa_id = n.refers_to_wa_id AND o.nth < n.nth ORDER BY o.nth LIMIT 1 ) AS beside ON n.refers_to_wa_id IS NOT NULL ), written AS ( INSERT INTO messages AS m (id, account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind, refers_to, state, reason, sent_at, created_at) SELECT r.id, mine.id, r.direction, r.chat, r.chat_phone, r.sender, r.sender_phone, r.wa_id, r.kind, r.refers_to, r.state, r.reason, to_timestamp(r.sent_ms / 1000.0), mine.at FROM mine CROSS JOIN resolved r ORDER BY r.nth ON CONFLICT (account_id, chat, wa_id, sender) WHERE direction <> 'out' DO UPDATE SET kind = excluded.kind, refers_to = excluded.refers_to, state = excluded.state, reason = NULL, recovered_at = excluded.created_at WHERE m.state = 'waiting' AND excluded.state = 'received' RETURNING m.id, m.direction, m.chat, m.chat_phone, m.sender, m.sender_phone, m.wa_id, m.kind, m.refers_to, m.state, m.sent_at, m.recovered_at ), bodies AS ( INSERT INTO message_bodies (message_id, content, created_at) SELECT w.id, CASE WHEN r.kind IN ('reaction', 'edit', 'revoke') THEN jsonb_set(r.content, ARRAY[r.kind, 'messageId'], coalesce(to_jsonb(w.refers_to), 'null')) WHEN r.refers_to_wa_id IS NOT NULL THEN r.content || jsonb_build_object('replyTo', w.refers_to) ELSE r.content END, mine.at FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id) WHERE r.content IS NOT NULL ON CONFLICT (message_id) DO NOTHING ), told AS ( INSERT INTO events (account_id, seq, kind, payload, created_at) SELECT mine.id, mine.event_seq + row_number() OVER (ORDER BY r.nth), CASE WHEN w.recovered_at IS NOT NULL THEN 'message.recovered' WHEN w.state = 'waiting' THEN 'message.waiting' WHEN w.direction = 'echo' THEN 'message.echo' ELSE 'message.received' END, CASE WHEN w.recovered_at IS NOT NULL OR w.state = 'waiting' THEN jsonb_build_object('messageId', w.id, 'chat', w.chat, 'sender', w.sender) ELSE jsonb_build_object( 'messageId', w.id, 'chat', w.chat, 'phone', coalesce(w.chat_phone, CASE WHEN w.direction = 'in' THEN w.sender_phone END), 'sender', w.sender, 'kind', w.kind, 'refersTo', w.refers_to, 'sentAt', to_char(w.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')) END, mine.at FROM mine CROSS JOIN written w JOIN resolved r ON (r.chat, r.sender, r.wa_id) = (w.chat, w.sender, w.wa_id) ORDER BY r.nth ), counted AS ( UPDATE whatsapp_accounts a SET event_seq = a.event_seq + news.rows FROM mine, (SELECT count(*) AS rows FROM written) AS news WHERE a.id = mine.id AND news.rows > 0 ), known AS ( INSERT INTO contacts AS c (account_id, jid, phone, name, updated_at) SELECT DISTINCT ON (r.sender) mine.id, r.sender, r.sender_phone, r.name, mine.at FROM mine CROSS JOIN resolved r WHERE r.direction = 'in' ORDER BY r.sender, r.name IS NULL, r.nth DESC ON CONFLICT (account_id, jid) DO UPDATE SET phone = coalesce(excluded.phone, c.phone), name = coalesce(excluded.name, c.name), updated_at = excluded.updated_at WHERE (coalesce(excluded.phone, c.phone), coalesce(excluded.name, c.name)) IS DISTINCT FROM (c.phone, c.name) ) SELECT (SELECT count(*) FROM written) AS written FROM mine",
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
impl<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>
    crate::client::async_::Params<'c, 'a, 's, RecordMessagesParams<T1>, I64Query<'c, 'a, 's, C, i64, 5>, C>
    for RecordMessagesStmt
{
    fn params(&'s self, client: &'c C, params: &'a RecordMessagesParams<T1>) -> I64Query<'c, 'a, 's, C, i64, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.messages)
    }
}
