// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct TakeMessagesParams<T1: crate::ArraySql<Item = i64>> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub epoch: i64,
    pub connection: uuid::Uuid,
    pub held: T1,
    pub room: i32,
}
#[derive(Debug)]
pub struct FindSentMessageParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::ArraySql<Item = T2>> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub wa_id: T1,
    pub chats: T3,
}
#[derive(Debug)]
pub struct SettleMessagesParams<T1: crate::JsonSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub connection: uuid::Uuid,
    pub outcomes: T1,
}
#[derive(Debug)]
pub struct RecordReceiptsParams<T1: crate::JsonSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub receipts: T1,
}
#[derive(Debug, Clone, PartialEq)]
pub struct TakeMessages {
    pub taken: serde_json::Value,
    pub rate: f32,
    pub burst: i32,
    pub recent: i32,
    pub has_more: bool,
    pub next_due_secs: Option<f64>,
    pub told: bool,
    pub overtaken: bool,
}
pub struct TakeMessagesBorrowed<'a> {
    pub taken: postgres_types::Json<&'a serde_json::value::RawValue>,
    pub rate: f32,
    pub burst: i32,
    pub recent: i32,
    pub has_more: bool,
    pub next_due_secs: Option<f64>,
    pub told: bool,
    pub overtaken: bool,
}
impl<'a> From<TakeMessagesBorrowed<'a>> for TakeMessages {
    fn from(
        TakeMessagesBorrowed {
            taken,
            rate,
            burst,
            recent,
            has_more,
            next_due_secs,
            told,
            overtaken,
        }: TakeMessagesBorrowed<'a>,
    ) -> Self {
        Self {
            taken: serde_json::from_str(taken.0.get()).unwrap(),
            rate,
            burst,
            recent,
            has_more,
            next_due_secs,
            told,
            overtaken,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct FindSentMessage {
    pub sent: serde_json::Value,
    pub taken_ms: Option<i64>,
    pub sent_ms: Option<i64>,
}
pub struct FindSentMessageBorrowed<'a> {
    pub sent: postgres_types::Json<&'a serde_json::value::RawValue>,
    pub taken_ms: Option<i64>,
    pub sent_ms: Option<i64>,
}
impl<'a> From<FindSentMessageBorrowed<'a>> for FindSentMessage {
    fn from(FindSentMessageBorrowed { sent, taken_ms, sent_ms }: FindSentMessageBorrowed<'a>) -> Self {
        Self { sent: serde_json::from_str(sent.0.get()).unwrap(), taken_ms, sent_ms }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct SettleMessages {
    pub told: bool,
    pub overtaken: bool,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct SweepMessages {
    pub told: bool,
    pub more: bool,
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct TakeMessagesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TakeMessagesBorrowed, tokio_postgres::Error>,
    mapper: fn(TakeMessagesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TakeMessagesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(TakeMessagesBorrowed) -> R) -> TakeMessagesQuery<'c, 'a, 's, C, R, N> {
        TakeMessagesQuery {
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
pub struct FindSentMessageQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<FindSentMessageBorrowed, tokio_postgres::Error>,
    mapper: fn(FindSentMessageBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FindSentMessageQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(FindSentMessageBorrowed) -> R) -> FindSentMessageQuery<'c, 'a, 's, C, R, N> {
        FindSentMessageQuery {
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
pub struct SettleMessagesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SettleMessages, tokio_postgres::Error>,
    mapper: fn(SettleMessages) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SettleMessagesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SettleMessages) -> R) -> SettleMessagesQuery<'c, 'a, 's, C, R, N> {
        SettleMessagesQuery {
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
pub struct SweepMessagesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SweepMessages, tokio_postgres::Error>,
    mapper: fn(SweepMessages) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SweepMessagesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SweepMessages) -> R) -> SweepMessagesQuery<'c, 'a, 's, C, R, N> {
        SweepMessagesQuery {
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
pub struct UuidUuidQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<uuid::Uuid, tokio_postgres::Error>,
    mapper: fn(uuid::Uuid) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> UuidUuidQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(uuid::Uuid) -> R) -> UuidUuidQuery<'c, 'a, 's, C, R, N> {
        UuidUuidQuery {
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
pub struct TakeMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn take_messages() -> TakeMessagesStmt {
    TakeMessagesStmt(
        "SELECT t.taken, t.rate, t.burst, t.recent, t.has_more, t.next_due_secs, t.told, t.overtaken FROM take_messages($1, $2, $3, $4, $5, $6, $7, $8) AS t",
        None,
    )
}
impl TakeMessagesStmt {
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
        epoch: &'a i64,
        connection: &'a uuid::Uuid,
        held: &'a T1,
        room: &'a i32,
    ) -> TakeMessagesQuery<'c, 'a, 's, C, TakeMessages, 8> {
        TakeMessagesQuery {
            client,
            params: [account, process, fence, keyring, epoch, connection, held, room],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TakeMessagesBorrowed, tokio_postgres::Error> {
                Ok(TakeMessagesBorrowed {
                    taken: row.try_get(0)?,
                    rate: row.try_get(1)?,
                    burst: row.try_get(2)?,
                    recent: row.try_get(3)?,
                    has_more: row.try_get(4)?,
                    next_due_secs: row.try_get(5)?,
                    told: row.try_get(6)?,
                    overtaken: row.try_get(7)?,
                })
            },
            mapper: |it| TakeMessages::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        TakeMessagesParams<T1>,
        TakeMessagesQuery<'c, 'a, 's, C, TakeMessages, 8>,
        C,
    > for TakeMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a TakeMessagesParams<T1>,
    ) -> TakeMessagesQuery<'c, 'a, 's, C, TakeMessages, 8> {
        self.bind(
            client,
            &params.account,
            &params.process,
            &params.fence,
            &params.keyring,
            &params.epoch,
            &params.connection,
            &params.held,
            &params.room,
        )
    }
}
pub struct FindSentMessageStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn find_sent_message() -> FindSentMessageStmt {
    FindSentMessageStmt(
        "SELECT f.sent, f.taken_ms, f.sent_ms FROM find_sent_message($1, $2, $3, $4, $5, $6) AS f",
        None,
    )
}
impl FindSentMessageStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::StringSql,
        T2: crate::StringSql,
        T3: crate::ArraySql<Item = T2>,
    >(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        wa_id: &'a T1,
        chats: &'a T3,
    ) -> FindSentMessageQuery<'c, 'a, 's, C, FindSentMessage, 6> {
        FindSentMessageQuery {
            client,
            params: [account, process, fence, keyring, wa_id, chats],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FindSentMessageBorrowed, tokio_postgres::Error> {
                Ok(FindSentMessageBorrowed {
                    sent: row.try_get(0)?,
                    taken_ms: row.try_get(1)?,
                    sent_ms: row.try_get(2)?,
                })
            },
            mapper: |it| FindSentMessage::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::ArraySql<Item = T2>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        FindSentMessageParams<T1, T2, T3>,
        FindSentMessageQuery<'c, 'a, 's, C, FindSentMessage, 6>,
        C,
    > for FindSentMessageStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FindSentMessageParams<T1, T2, T3>,
    ) -> FindSentMessageQuery<'c, 'a, 's, C, FindSentMessage, 6> {
        self.bind(
            client,
            &params.account,
            &params.process,
            &params.fence,
            &params.keyring,
            &params.wa_id,
            &params.chats,
        )
    }
}
pub struct SettleMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn settle_messages() -> SettleMessagesStmt {
    SettleMessagesStmt("SELECT s.told, s.overtaken FROM settle_messages($1, $2, $3, $4, $5, $6) AS s", None)
}
impl SettleMessagesStmt {
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
        connection: &'a uuid::Uuid,
        outcomes: &'a T1,
    ) -> SettleMessagesQuery<'c, 'a, 's, C, SettleMessages, 6> {
        SettleMessagesQuery {
            client,
            params: [account, process, fence, keyring, connection, outcomes],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SettleMessages, tokio_postgres::Error> {
                Ok(SettleMessages { told: row.try_get(0)?, overtaken: row.try_get(1)? })
            },
            mapper: |it| SettleMessages::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SettleMessagesParams<T1>,
        SettleMessagesQuery<'c, 'a, 's, C, SettleMessages, 6>,
        C,
    > for SettleMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SettleMessagesParams<T1>,
    ) -> SettleMessagesQuery<'c, 'a, 's, C, SettleMessages, 6> {
        self.bind(
            client,
            &params.account,
            &params.process,
            &params.fence,
            &params.keyring,
            &params.connection,
            &params.outcomes,
        )
    }
}
pub struct RecordReceiptsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn record_receipts() -> RecordReceiptsStmt {
    RecordReceiptsStmt("SELECT r.told FROM record_receipts($1, $2, $3, $4, $5) AS r", None)
}
impl RecordReceiptsStmt {
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
        receipts: &'a T1,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 5> {
        BoolQuery {
            client,
            params: [account, process, fence, keyring, receipts],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>
    crate::client::async_::Params<'c, 'a, 's, RecordReceiptsParams<T1>, BoolQuery<'c, 'a, 's, C, bool, 5>, C>
    for RecordReceiptsStmt
{
    fn params(&'s self, client: &'c C, params: &'a RecordReceiptsParams<T1>) -> BoolQuery<'c, 'a, 's, C, bool, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.receipts)
    }
}
pub struct SweepMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn sweep_messages() -> SweepMessagesStmt {
    SweepMessagesStmt("SELECT s.told, s.more FROM sweep_messages($1) AS s", None)
}
impl SweepMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        batch: &'a i32,
    ) -> SweepMessagesQuery<'c, 'a, 's, C, SweepMessages, 1> {
        SweepMessagesQuery {
            client,
            params: [batch],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SweepMessages, tokio_postgres::Error> {
                Ok(SweepMessages { told: row.try_get(0)?, more: row.try_get(1)? })
            },
            mapper: |it| SweepMessages::from(it),
        }
    }
}
pub struct ListRingingStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_ringing() -> ListRingingStmt {
    ListRingingStmt(
        "SELECT a.id FROM whatsapp_accounts a WHERE a.id = ANY (ARRAY(SELECT list_accounts_with_queue())) AND a.owner = $1 AND a.deleted_at IS NULL AND a.keyring_id IS NOT NULL AND (EXISTS (SELECT FROM messages m WHERE m.account_id = a.id AND m.state = 'queued' AND NOT m.is_new_chat AND m.due_at <= clock_timestamp()) OR EXISTS (SELECT FROM messages m WHERE m.account_id = a.id AND m.state = 'queued' AND m.is_new_chat AND m.reason IS NULL AND m.due_at <= clock_timestamp()))",
        None,
    )
}
impl ListRingingStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 1> {
        UuidUuidQuery {
            client,
            params: [process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
