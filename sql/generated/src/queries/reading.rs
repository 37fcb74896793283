// This file was generated with `clorinde`. Do not modify.

#[derive(Clone, Copy, Debug)]
pub struct ListMessagesParams {
    pub account: uuid::Uuid,
    pub after: i64,
    pub limit: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ListLastMessagesParams {
    pub account: uuid::Uuid,
    pub before: i64,
    pub after: i64,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListMessagesOfChatsParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub chats: T2,
    pub account: uuid::Uuid,
    pub after: i64,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListLastMessagesOfChatsParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub chats: T2,
    pub account: uuid::Uuid,
    pub before: i64,
    pub after: i64,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListChatsOfPhoneParams<T1: crate::StringSql> {
    pub account: uuid::Uuid,
    pub phone: T1,
}
#[derive(Clone, Copy, Debug)]
pub struct ListLastMessagesByChatParams {
    pub account: uuid::Uuid,
    pub before: i64,
    pub limit: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ListToldMessagesParams {
    pub account: uuid::Uuid,
    pub after: i64,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListMessagesByIdParams<T1: crate::ArraySql<Item = i64>> {
    pub messages: T1,
    pub account: uuid::Uuid,
}
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRow {
    pub id: i64,
    pub account_id: uuid::Uuid,
    pub direction: String,
    pub chat: String,
    pub chat_phone: Option<String>,
    pub chat_name: Option<String>,
    pub sender: String,
    pub sender_phone: Option<String>,
    pub sender_name: Option<String>,
    pub wa_id: String,
    pub kind: Option<String>,
    pub refers_to: Option<i64>,
    pub state: String,
    pub reason: Option<String>,
    pub code: Option<i32>,
    pub sent_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub recovered_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub key: Option<String>,
    pub not_before: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub delivered_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub read_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub source: Option<String>,
    pub sent_by: Option<String>,
    pub content: Option<serde_json::Value>,
}
pub struct MessageRowBorrowed<'a> {
    pub id: i64,
    pub account_id: uuid::Uuid,
    pub direction: &'a str,
    pub chat: &'a str,
    pub chat_phone: Option<&'a str>,
    pub chat_name: Option<&'a str>,
    pub sender: &'a str,
    pub sender_phone: Option<&'a str>,
    pub sender_name: Option<&'a str>,
    pub wa_id: &'a str,
    pub kind: Option<&'a str>,
    pub refers_to: Option<i64>,
    pub state: &'a str,
    pub reason: Option<&'a str>,
    pub code: Option<i32>,
    pub sent_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub recovered_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub key: Option<&'a str>,
    pub not_before: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub delivered_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub read_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub source: Option<&'a str>,
    pub sent_by: Option<&'a str>,
    pub content: Option<postgres_types::Json<&'a serde_json::value::RawValue>>,
}
impl<'a> From<MessageRowBorrowed<'a>> for MessageRow {
    fn from(
        MessageRowBorrowed {
            id,
            account_id,
            direction,
            chat,
            chat_phone,
            chat_name,
            sender,
            sender_phone,
            sender_name,
            wa_id,
            kind,
            refers_to,
            state,
            reason,
            code,
            sent_at,
            created_at,
            recovered_at,
            key,
            not_before,
            expires_at,
            delivered_at,
            read_at,
            source,
            sent_by,
            content,
        }: MessageRowBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            account_id,
            direction: direction.into(),
            chat: chat.into(),
            chat_phone: chat_phone.map(|v| v.into()),
            chat_name: chat_name.map(|v| v.into()),
            sender: sender.into(),
            sender_phone: sender_phone.map(|v| v.into()),
            sender_name: sender_name.map(|v| v.into()),
            wa_id: wa_id.into(),
            kind: kind.map(|v| v.into()),
            refers_to,
            state: state.into(),
            reason: reason.map(|v| v.into()),
            code,
            sent_at,
            created_at,
            recovered_at,
            key: key.map(|v| v.into()),
            not_before,
            expires_at,
            delivered_at,
            read_at,
            source: source.map(|v| v.into()),
            sent_by: sent_by.map(|v| v.into()),
            content: content.map(|v| serde_json::from_str(v.0.get()).unwrap()),
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct MemberReceiptRow {
    pub member: String,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub delivered_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub read_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
pub struct MemberReceiptRowBorrowed<'a> {
    pub member: &'a str,
    pub phone: Option<&'a str>,
    pub name: Option<&'a str>,
    pub delivered_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub read_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
impl<'a> From<MemberReceiptRowBorrowed<'a>> for MemberReceiptRow {
    fn from(
        MemberReceiptRowBorrowed { member, phone, name, delivered_at, read_at }: MemberReceiptRowBorrowed<'a>,
    ) -> Self {
        Self {
            member: member.into(),
            phone: phone.map(|v| v.into()),
            name: name.map(|v| v.into()),
            delivered_at,
            read_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct BeginFollowingMessages {
    pub seq: i64,
    pub last: i64,
    pub waiting: Vec<i64>,
}
pub struct BeginFollowingMessagesBorrowed<'a> {
    pub seq: i64,
    pub last: i64,
    pub waiting: crate::ArrayIterator<'a, i64>,
}
impl<'a> From<BeginFollowingMessagesBorrowed<'a>> for BeginFollowingMessages {
    fn from(BeginFollowingMessagesBorrowed { seq, last, waiting }: BeginFollowingMessagesBorrowed<'a>) -> Self {
        Self { seq, last, waiting: waiting.map(|v| v).collect() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ToldMessage {
    pub seq: i64,
    pub event: String,
    pub message: Option<i64>,
}
pub struct ToldMessageBorrowed<'a> {
    pub seq: i64,
    pub event: &'a str,
    pub message: Option<i64>,
}
impl<'a> From<ToldMessageBorrowed<'a>> for ToldMessage {
    fn from(ToldMessageBorrowed { seq, event, message }: ToldMessageBorrowed<'a>) -> Self {
        Self { seq, event: event.into(), message }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct MessageRowQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<MessageRowBorrowed, tokio_postgres::Error>,
    mapper: fn(MessageRowBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> MessageRowQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(MessageRowBorrowed) -> R) -> MessageRowQuery<'c, 'a, 's, C, R, N> {
        MessageRowQuery {
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
pub struct MemberReceiptRowQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<MemberReceiptRowBorrowed, tokio_postgres::Error>,
    mapper: fn(MemberReceiptRowBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> MemberReceiptRowQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(MemberReceiptRowBorrowed) -> R) -> MemberReceiptRowQuery<'c, 'a, 's, C, R, N> {
        MemberReceiptRowQuery {
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
pub struct StringQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<&str, tokio_postgres::Error>,
    mapper: fn(&str) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StringQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(&str) -> R) -> StringQuery<'c, 'a, 's, C, R, N> {
        StringQuery {
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
pub struct BeginFollowingMessagesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<BeginFollowingMessagesBorrowed, tokio_postgres::Error>,
    mapper: fn(BeginFollowingMessagesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> BeginFollowingMessagesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(BeginFollowingMessagesBorrowed) -> R,
    ) -> BeginFollowingMessagesQuery<'c, 'a, 's, C, R, N> {
        BeginFollowingMessagesQuery {
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
pub struct ToldMessageQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ToldMessageBorrowed, tokio_postgres::Error>,
    mapper: fn(ToldMessageBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ToldMessageQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ToldMessageBorrowed) -> R) -> ToldMessageQuery<'c, 'a, 's, C, R, N> {
        ToldMessageQuery {
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
pub struct ListMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_messages() -> ListMessagesStmt {
    ListMessagesStmt(
        "SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone, coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat), (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name, m.sender, m.sender_phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name, m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at, m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by, (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content FROM ( SELECT * FROM ( SELECT * FROM messages WHERE (account_id, id) > ($1, $2) AND (account_id, id) <= ($1, 9223372036854775807) ORDER BY account_id, id LIMIT 100 ) AS page ORDER BY page.id LIMIT $3 ) AS m ORDER BY m.id",
        None,
    )
}
impl ListMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        after: &'a i64,
        limit: &'a i64,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 3> {
        MessageRowQuery {
            client,
            params: [account, after, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MessageRowBorrowed, tokio_postgres::Error> {
                Ok(MessageRowBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    direction: row.try_get(2)?,
                    chat: row.try_get(3)?,
                    chat_phone: row.try_get(4)?,
                    chat_name: row.try_get(5)?,
                    sender: row.try_get(6)?,
                    sender_phone: row.try_get(7)?,
                    sender_name: row.try_get(8)?,
                    wa_id: row.try_get(9)?,
                    kind: row.try_get(10)?,
                    refers_to: row.try_get(11)?,
                    state: row.try_get(12)?,
                    reason: row.try_get(13)?,
                    code: row.try_get(14)?,
                    sent_at: row.try_get(15)?,
                    created_at: row.try_get(16)?,
                    recovered_at: row.try_get(17)?,
                    key: row.try_get(18)?,
                    not_before: row.try_get(19)?,
                    expires_at: row.try_get(20)?,
                    delivered_at: row.try_get(21)?,
                    read_at: row.try_get(22)?,
                    source: row.try_get(23)?,
                    sent_by: row.try_get(24)?,
                    content: row.try_get(25)?,
                })
            },
            mapper: |it| MessageRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ListMessagesParams, MessageRowQuery<'c, 'a, 's, C, MessageRow, 3>, C>
    for ListMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListMessagesParams,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 3> {
        self.bind(client, &params.account, &params.after, &params.limit)
    }
}
pub struct ListLastMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_last_messages() -> ListLastMessagesStmt {
    ListLastMessagesStmt(
        "SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone, coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat), (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name, m.sender, m.sender_phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name, m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at, m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by, (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content FROM ( SELECT * FROM ( SELECT * FROM messages WHERE (account_id, id) > ($1, 0) AND (account_id, id) < ($1, $2) ORDER BY account_id DESC, id DESC LIMIT 100 ) AS page WHERE page.id > $3 ORDER BY page.id DESC LIMIT $4 ) AS m ORDER BY m.id",
        None,
    )
}
impl ListLastMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        before: &'a i64,
        after: &'a i64,
        limit: &'a i64,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 4> {
        MessageRowQuery {
            client,
            params: [account, before, after, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MessageRowBorrowed, tokio_postgres::Error> {
                Ok(MessageRowBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    direction: row.try_get(2)?,
                    chat: row.try_get(3)?,
                    chat_phone: row.try_get(4)?,
                    chat_name: row.try_get(5)?,
                    sender: row.try_get(6)?,
                    sender_phone: row.try_get(7)?,
                    sender_name: row.try_get(8)?,
                    wa_id: row.try_get(9)?,
                    kind: row.try_get(10)?,
                    refers_to: row.try_get(11)?,
                    state: row.try_get(12)?,
                    reason: row.try_get(13)?,
                    code: row.try_get(14)?,
                    sent_at: row.try_get(15)?,
                    created_at: row.try_get(16)?,
                    recovered_at: row.try_get(17)?,
                    key: row.try_get(18)?,
                    not_before: row.try_get(19)?,
                    expires_at: row.try_get(20)?,
                    delivered_at: row.try_get(21)?,
                    read_at: row.try_get(22)?,
                    source: row.try_get(23)?,
                    sent_by: row.try_get(24)?,
                    content: row.try_get(25)?,
                })
            },
            mapper: |it| MessageRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ListLastMessagesParams, MessageRowQuery<'c, 'a, 's, C, MessageRow, 4>, C>
    for ListLastMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListLastMessagesParams,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 4> {
        self.bind(client, &params.account, &params.before, &params.after, &params.limit)
    }
}
pub struct ListMessagesOfChatsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_messages_of_chats() -> ListMessagesOfChatsStmt {
    ListMessagesOfChatsStmt(
        "SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone, coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat), (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name, m.sender, m.sender_phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name, m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at, m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by, (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content FROM ( SELECT * FROM ( SELECT of_chat.* FROM unnest($1::text[]) AS wanted (chat) CROSS JOIN LATERAL ( SELECT * FROM messages WHERE account_id = $2 AND (messages.chat, id) > (wanted.chat, $3) AND (messages.chat, id) <= (wanted.chat, 9223372036854775807) ORDER BY chat, id LIMIT 100 ) AS of_chat ) AS page ORDER BY page.id LIMIT $4 ) AS m ORDER BY m.id",
        None,
    )
}
impl ListMessagesOfChatsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        chats: &'a T2,
        account: &'a uuid::Uuid,
        after: &'a i64,
        limit: &'a i64,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 4> {
        MessageRowQuery {
            client,
            params: [chats, account, after, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MessageRowBorrowed, tokio_postgres::Error> {
                Ok(MessageRowBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    direction: row.try_get(2)?,
                    chat: row.try_get(3)?,
                    chat_phone: row.try_get(4)?,
                    chat_name: row.try_get(5)?,
                    sender: row.try_get(6)?,
                    sender_phone: row.try_get(7)?,
                    sender_name: row.try_get(8)?,
                    wa_id: row.try_get(9)?,
                    kind: row.try_get(10)?,
                    refers_to: row.try_get(11)?,
                    state: row.try_get(12)?,
                    reason: row.try_get(13)?,
                    code: row.try_get(14)?,
                    sent_at: row.try_get(15)?,
                    created_at: row.try_get(16)?,
                    recovered_at: row.try_get(17)?,
                    key: row.try_get(18)?,
                    not_before: row.try_get(19)?,
                    expires_at: row.try_get(20)?,
                    delivered_at: row.try_get(21)?,
                    read_at: row.try_get(22)?,
                    source: row.try_get(23)?,
                    sent_by: row.try_get(24)?,
                    content: row.try_get(25)?,
                })
            },
            mapper: |it| MessageRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListMessagesOfChatsParams<T1, T2>,
        MessageRowQuery<'c, 'a, 's, C, MessageRow, 4>,
        C,
    > for ListMessagesOfChatsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListMessagesOfChatsParams<T1, T2>,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 4> {
        self.bind(client, &params.chats, &params.account, &params.after, &params.limit)
    }
}
pub struct ListLastMessagesOfChatsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_last_messages_of_chats() -> ListLastMessagesOfChatsStmt {
    ListLastMessagesOfChatsStmt(
        "SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone, coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat), (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name, m.sender, m.sender_phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name, m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at, m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by, (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content FROM ( SELECT * FROM ( SELECT of_chat.* FROM unnest($1::text[]) AS wanted (chat) CROSS JOIN LATERAL ( SELECT * FROM messages WHERE account_id = $2 AND (messages.chat, id) > (wanted.chat, 0) AND (messages.chat, id) < (wanted.chat, $3) ORDER BY chat DESC, id DESC LIMIT 100 ) AS of_chat ) AS page WHERE page.id > $4 ORDER BY page.id DESC LIMIT $5 ) AS m ORDER BY m.id",
        None,
    )
}
impl ListLastMessagesOfChatsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        chats: &'a T2,
        account: &'a uuid::Uuid,
        before: &'a i64,
        after: &'a i64,
        limit: &'a i64,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 5> {
        MessageRowQuery {
            client,
            params: [chats, account, before, after, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MessageRowBorrowed, tokio_postgres::Error> {
                Ok(MessageRowBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    direction: row.try_get(2)?,
                    chat: row.try_get(3)?,
                    chat_phone: row.try_get(4)?,
                    chat_name: row.try_get(5)?,
                    sender: row.try_get(6)?,
                    sender_phone: row.try_get(7)?,
                    sender_name: row.try_get(8)?,
                    wa_id: row.try_get(9)?,
                    kind: row.try_get(10)?,
                    refers_to: row.try_get(11)?,
                    state: row.try_get(12)?,
                    reason: row.try_get(13)?,
                    code: row.try_get(14)?,
                    sent_at: row.try_get(15)?,
                    created_at: row.try_get(16)?,
                    recovered_at: row.try_get(17)?,
                    key: row.try_get(18)?,
                    not_before: row.try_get(19)?,
                    expires_at: row.try_get(20)?,
                    delivered_at: row.try_get(21)?,
                    read_at: row.try_get(22)?,
                    source: row.try_get(23)?,
                    sent_by: row.try_get(24)?,
                    content: row.try_get(25)?,
                })
            },
            mapper: |it| MessageRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListLastMessagesOfChatsParams<T1, T2>,
        MessageRowQuery<'c, 'a, 's, C, MessageRow, 5>,
        C,
    > for ListLastMessagesOfChatsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListLastMessagesOfChatsParams<T1, T2>,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 5> {
        self.bind(client, &params.chats, &params.account, &params.before, &params.after, &params.limit)
    }
}
pub struct GetMessageStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_message() -> GetMessageStmt {
    GetMessageStmt(
        "SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone, coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat), (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name, m.sender, m.sender_phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name, m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at, m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by, (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content FROM messages m JOIN whatsapp_accounts a ON a.id = m.account_id WHERE m.id = $1 AND a.deleted_at IS NULL",
        None,
    )
}
impl GetMessageStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        message: &'a i64,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 1> {
        MessageRowQuery {
            client,
            params: [message],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MessageRowBorrowed, tokio_postgres::Error> {
                Ok(MessageRowBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    direction: row.try_get(2)?,
                    chat: row.try_get(3)?,
                    chat_phone: row.try_get(4)?,
                    chat_name: row.try_get(5)?,
                    sender: row.try_get(6)?,
                    sender_phone: row.try_get(7)?,
                    sender_name: row.try_get(8)?,
                    wa_id: row.try_get(9)?,
                    kind: row.try_get(10)?,
                    refers_to: row.try_get(11)?,
                    state: row.try_get(12)?,
                    reason: row.try_get(13)?,
                    code: row.try_get(14)?,
                    sent_at: row.try_get(15)?,
                    created_at: row.try_get(16)?,
                    recovered_at: row.try_get(17)?,
                    key: row.try_get(18)?,
                    not_before: row.try_get(19)?,
                    expires_at: row.try_get(20)?,
                    delivered_at: row.try_get(21)?,
                    read_at: row.try_get(22)?,
                    source: row.try_get(23)?,
                    sent_by: row.try_get(24)?,
                    content: row.try_get(25)?,
                })
            },
            mapper: |it| MessageRow::from(it),
        }
    }
}
pub struct ListReceiptsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_receipts() -> ListReceiptsStmt {
    ListReceiptsStmt(
        "SELECT r.participant AS member, (SELECT c.phone FROM contacts c WHERE c.account_id = m.account_id AND c.jid = r.participant) AS phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = r.participant) AS name, r.delivered_at, r.read_at FROM messages m JOIN message_receipts r ON r.message_id = m.id WHERE m.id = $1 ORDER BY r.participant",
        None,
    )
}
impl ListReceiptsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        message: &'a i64,
    ) -> MemberReceiptRowQuery<'c, 'a, 's, C, MemberReceiptRow, 1> {
        MemberReceiptRowQuery {
            client,
            params: [message],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberReceiptRowBorrowed, tokio_postgres::Error> {
                Ok(MemberReceiptRowBorrowed {
                    member: row.try_get(0)?,
                    phone: row.try_get(1)?,
                    name: row.try_get(2)?,
                    delivered_at: row.try_get(3)?,
                    read_at: row.try_get(4)?,
                })
            },
            mapper: |it| MemberReceiptRow::from(it),
        }
    }
}
pub struct ListChatsOfPhoneStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_chats_of_phone() -> ListChatsOfPhoneStmt {
    ListChatsOfPhoneStmt(
        "WITH RECURSIVE known AS ( (SELECT m.chat FROM messages m WHERE m.account_id = $1 ORDER BY m.chat LIMIT 1) UNION ALL SELECT next.chat FROM known CROSS JOIN LATERAL ( SELECT m.chat FROM messages m WHERE m.account_id = $1 AND m.chat > known.chat ORDER BY m.chat LIMIT 1 ) AS next ) SELECT known.chat FROM known WHERE phone_key((SELECT m.chat_phone FROM messages m WHERE m.account_id = $1 AND (m.chat, m.id) > (known.chat, 0) AND (m.chat, m.id) <= (known.chat, 9223372036854775807) ORDER BY m.chat DESC, m.id DESC LIMIT 1)) = phone_key($2::text)",
        None,
    )
}
impl ListChatsOfPhoneStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        phone: &'a T1,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        StringQuery {
            client,
            params: [account, phone],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ListChatsOfPhoneParams<T1>, StringQuery<'c, 'a, 's, C, String, 2>, C>
    for ListChatsOfPhoneStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListChatsOfPhoneParams<T1>,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        self.bind(client, &params.account, &params.phone)
    }
}
pub struct ListLastMessagesByChatStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_last_messages_by_chat() -> ListLastMessagesByChatStmt {
    ListLastMessagesByChatStmt(
        "WITH RECURSIVE known AS ( (SELECT m.chat FROM messages m WHERE m.account_id = $1 ORDER BY m.chat LIMIT 1) UNION ALL SELECT next.chat FROM known CROSS JOIN LATERAL ( SELECT m.chat FROM messages m WHERE m.account_id = $1 AND m.chat > known.chat ORDER BY m.chat LIMIT 1 ) AS next ), last AS ( SELECT newest.id FROM known CROSS JOIN LATERAL ( SELECT m.id FROM messages m WHERE m.account_id = $1 AND (m.chat, m.id) > (known.chat, 0) AND (m.chat, m.id) <= (known.chat, 9223372036854775807) ORDER BY m.chat DESC, m.id DESC LIMIT 1 ) AS newest WHERE newest.id < $2 ORDER BY newest.id DESC LIMIT $3 ) SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone, coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat), (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name, m.sender, m.sender_phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name, m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at, m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by, (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content FROM last CROSS JOIN LATERAL (SELECT * FROM messages WHERE messages.id = last.id LIMIT 1) AS m ORDER BY m.id DESC",
        None,
    )
}
impl ListLastMessagesByChatStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        before: &'a i64,
        limit: &'a i64,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 3> {
        MessageRowQuery {
            client,
            params: [account, before, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MessageRowBorrowed, tokio_postgres::Error> {
                Ok(MessageRowBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    direction: row.try_get(2)?,
                    chat: row.try_get(3)?,
                    chat_phone: row.try_get(4)?,
                    chat_name: row.try_get(5)?,
                    sender: row.try_get(6)?,
                    sender_phone: row.try_get(7)?,
                    sender_name: row.try_get(8)?,
                    wa_id: row.try_get(9)?,
                    kind: row.try_get(10)?,
                    refers_to: row.try_get(11)?,
                    state: row.try_get(12)?,
                    reason: row.try_get(13)?,
                    code: row.try_get(14)?,
                    sent_at: row.try_get(15)?,
                    created_at: row.try_get(16)?,
                    recovered_at: row.try_get(17)?,
                    key: row.try_get(18)?,
                    not_before: row.try_get(19)?,
                    expires_at: row.try_get(20)?,
                    delivered_at: row.try_get(21)?,
                    read_at: row.try_get(22)?,
                    source: row.try_get(23)?,
                    sent_by: row.try_get(24)?,
                    content: row.try_get(25)?,
                })
            },
            mapper: |it| MessageRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListLastMessagesByChatParams,
        MessageRowQuery<'c, 'a, 's, C, MessageRow, 3>,
        C,
    > for ListLastMessagesByChatStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListLastMessagesByChatParams,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 3> {
        self.bind(client, &params.account, &params.before, &params.limit)
    }
}
pub struct BeginFollowingMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn begin_following_messages() -> BeginFollowingMessagesStmt {
    BeginFollowingMessagesStmt(
        "SELECT a.event_seq AS seq, coalesce((SELECT m.id FROM messages m WHERE (m.account_id, m.id) > (a.id, 0) AND (m.account_id, m.id) <= (a.id, 9223372036854775807) ORDER BY m.account_id DESC, m.id DESC LIMIT 1), 0) AS last, ARRAY(SELECT m.id FROM messages m WHERE m.account_id = a.id AND m.state = 'waiting') AS waiting FROM whatsapp_accounts a WHERE a.id = $1 AND a.deleted_at IS NULL",
        None,
    )
}
impl BeginFollowingMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> BeginFollowingMessagesQuery<'c, 'a, 's, C, BeginFollowingMessages, 1> {
        BeginFollowingMessagesQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<BeginFollowingMessagesBorrowed, tokio_postgres::Error> {
                Ok(BeginFollowingMessagesBorrowed {
                    seq: row.try_get(0)?,
                    last: row.try_get(1)?,
                    waiting: row.try_get(2)?,
                })
            },
            mapper: |it| BeginFollowingMessages::from(it),
        }
    }
}
pub struct GetEventSeqStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_event_seq() -> GetEventSeqStmt {
    GetEventSeqStmt("SELECT event_seq AS seq FROM whatsapp_accounts WHERE id = $1 AND deleted_at IS NULL", None)
}
impl GetEventSeqStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> I64Query<'c, 'a, 's, C, i64, 1> {
        I64Query {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct ListToldMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_told_messages() -> ListToldMessagesStmt {
    ListToldMessagesStmt(
        "SELECT seq, kind AS event, CASE WHEN kind IN ('message.received', 'message.echo', 'message.waiting', 'message.recovered', 'message.sent', 'message.failed') THEN (payload->>'messageId')::bigint END AS message FROM events WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        None,
    )
}
impl ListToldMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        after: &'a i64,
        limit: &'a i64,
    ) -> ToldMessageQuery<'c, 'a, 's, C, ToldMessage, 3> {
        ToldMessageQuery {
            client,
            params: [account, after, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ToldMessageBorrowed, tokio_postgres::Error> {
                Ok(ToldMessageBorrowed { seq: row.try_get(0)?, event: row.try_get(1)?, message: row.try_get(2)? })
            },
            mapper: |it| ToldMessage::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListToldMessagesParams,
        ToldMessageQuery<'c, 'a, 's, C, ToldMessage, 3>,
        C,
    > for ListToldMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListToldMessagesParams,
    ) -> ToldMessageQuery<'c, 'a, 's, C, ToldMessage, 3> {
        self.bind(client, &params.account, &params.after, &params.limit)
    }
}
pub struct ListMessagesByIdStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_messages_by_id() -> ListMessagesByIdStmt {
    ListMessagesByIdStmt(
        "SELECT m.id, m.account_id, m.direction, m.chat, m.chat_phone, coalesce((SELECT g.subject FROM whatsapp_groups g WHERE g.account_id = m.account_id AND g.jid = m.chat), (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.chat)) AS chat_name, m.sender, m.sender_phone, (SELECT c.name FROM contacts c WHERE c.account_id = m.account_id AND c.jid = m.sender) AS sender_name, m.wa_id, m.kind, m.refers_to, m.state, m.reason, m.code, m.sent_at, m.created_at, m.recovered_at, m.key, m.not_before, m.expires_at, m.delivered_at, m.read_at, m.source, m.sent_by, (SELECT b.content FROM message_bodies b WHERE b.message_id = m.id) AS content FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (id, nth) CROSS JOIN LATERAL (SELECT * FROM messages WHERE messages.id = wanted.id AND account_id = $2 LIMIT 1) AS m ORDER BY wanted.nth",
        None,
    )
}
impl ListMessagesByIdStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>>(
        &'s self,
        client: &'c C,
        messages: &'a T1,
        account: &'a uuid::Uuid,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 2> {
        MessageRowQuery {
            client,
            params: [messages, account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MessageRowBorrowed, tokio_postgres::Error> {
                Ok(MessageRowBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    direction: row.try_get(2)?,
                    chat: row.try_get(3)?,
                    chat_phone: row.try_get(4)?,
                    chat_name: row.try_get(5)?,
                    sender: row.try_get(6)?,
                    sender_phone: row.try_get(7)?,
                    sender_name: row.try_get(8)?,
                    wa_id: row.try_get(9)?,
                    kind: row.try_get(10)?,
                    refers_to: row.try_get(11)?,
                    state: row.try_get(12)?,
                    reason: row.try_get(13)?,
                    code: row.try_get(14)?,
                    sent_at: row.try_get(15)?,
                    created_at: row.try_get(16)?,
                    recovered_at: row.try_get(17)?,
                    key: row.try_get(18)?,
                    not_before: row.try_get(19)?,
                    expires_at: row.try_get(20)?,
                    delivered_at: row.try_get(21)?,
                    read_at: row.try_get(22)?,
                    source: row.try_get(23)?,
                    sent_by: row.try_get(24)?,
                    content: row.try_get(25)?,
                })
            },
            mapper: |it| MessageRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListMessagesByIdParams<T1>,
        MessageRowQuery<'c, 'a, 's, C, MessageRow, 2>,
        C,
    > for ListMessagesByIdStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListMessagesByIdParams<T1>,
    ) -> MessageRowQuery<'c, 'a, 's, C, MessageRow, 2> {
        self.bind(client, &params.messages, &params.account)
    }
}
