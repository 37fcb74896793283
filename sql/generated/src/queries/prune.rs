// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct PruneEventsParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub keep_secs: f64,
    pub silent: T2,
    pub after: i64,
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Clone, Copy, Debug)]
pub struct PruneCommandsParams {
    pub keep_secs: f64,
    pub after: i64,
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Debug)]
pub struct PruneAccountsParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub keep_secs: f64,
    pub silent: T2,
    pub after: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Clone, Copy, Debug)]
pub struct PruneAuditParams {
    pub keep_secs: f64,
    pub after: i64,
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Debug)]
pub struct PruneBodiesParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub keep_secs: f64,
    pub silent: T2,
    pub after: i64,
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Debug)]
pub struct PruneMessagesParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub keep_secs: f64,
    pub silent: T2,
    pub after: i64,
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Clone, Copy, Debug)]
pub struct PruneContactChecksParams {
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Clone, Copy, Debug)]
pub struct PrunePairingLinksParams {
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Clone, Copy, Debug)]
pub struct EraseMessagesParams {
    pub batch: i32,
    pub dry_run: bool,
}
#[derive(Clone, Copy, Debug)]
pub struct ShredOrphanedKeyringsParams {
    pub after: uuid::Uuid,
    pub batch: i64,
    pub dry_run: bool,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListConsumers {
    pub consumer: String,
    pub heard_at: chrono::DateTime<chrono::FixedOffset>,
    pub silent: bool,
}
pub struct ListConsumersBorrowed<'a> {
    pub consumer: &'a str,
    pub heard_at: chrono::DateTime<chrono::FixedOffset>,
    pub silent: bool,
}
impl<'a> From<ListConsumersBorrowed<'a>> for ListConsumers {
    fn from(ListConsumersBorrowed { consumer, heard_at, silent }: ListConsumersBorrowed<'a>) -> Self {
        Self { consumer: consumer.into(), heard_at, silent }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct PrunedBatch {
    pub gone: i64,
    pub last: i64,
    pub more: bool,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct PruneAccounts {
    pub gone: i64,
    pub last: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub more: bool,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct PruneContactChecks {
    pub gone: i64,
    pub more: bool,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct PrunePairingLinks {
    pub gone: i64,
    pub more: bool,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct EraseMessages {
    pub gone: i64,
    pub more: bool,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ShredOrphanedKeyrings {
    pub account_id: Option<uuid::Uuid>,
    pub label: Option<String>,
    pub last: Option<uuid::Uuid>,
    pub more: bool,
}
pub struct ShredOrphanedKeyringsBorrowed<'a> {
    pub account_id: Option<uuid::Uuid>,
    pub label: Option<&'a str>,
    pub last: Option<uuid::Uuid>,
    pub more: bool,
}
impl<'a> From<ShredOrphanedKeyringsBorrowed<'a>> for ShredOrphanedKeyrings {
    fn from(
        ShredOrphanedKeyringsBorrowed { account_id, label, last, more }: ShredOrphanedKeyringsBorrowed<'a>,
    ) -> Self {
        Self { account_id, label: label.map(|v| v.into()), last, more }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct ListConsumersQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListConsumersBorrowed, tokio_postgres::Error>,
    mapper: fn(ListConsumersBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListConsumersQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListConsumersBorrowed) -> R) -> ListConsumersQuery<'c, 'a, 's, C, R, N> {
        ListConsumersQuery {
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
pub struct PrunedBatchQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PrunedBatch, tokio_postgres::Error>,
    mapper: fn(PrunedBatch) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PrunedBatchQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PrunedBatch) -> R) -> PrunedBatchQuery<'c, 'a, 's, C, R, N> {
        PrunedBatchQuery {
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
pub struct PruneAccountsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PruneAccounts, tokio_postgres::Error>,
    mapper: fn(PruneAccounts) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PruneAccountsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PruneAccounts) -> R) -> PruneAccountsQuery<'c, 'a, 's, C, R, N> {
        PruneAccountsQuery {
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
pub struct PruneContactChecksQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PruneContactChecks, tokio_postgres::Error>,
    mapper: fn(PruneContactChecks) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PruneContactChecksQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PruneContactChecks) -> R) -> PruneContactChecksQuery<'c, 'a, 's, C, R, N> {
        PruneContactChecksQuery {
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
pub struct PrunePairingLinksQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PrunePairingLinks, tokio_postgres::Error>,
    mapper: fn(PrunePairingLinks) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PrunePairingLinksQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PrunePairingLinks) -> R) -> PrunePairingLinksQuery<'c, 'a, 's, C, R, N> {
        PrunePairingLinksQuery {
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
pub struct EraseMessagesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<EraseMessages, tokio_postgres::Error>,
    mapper: fn(EraseMessages) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> EraseMessagesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(EraseMessages) -> R) -> EraseMessagesQuery<'c, 'a, 's, C, R, N> {
        EraseMessagesQuery {
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
pub struct ShredOrphanedKeyringsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ShredOrphanedKeyringsBorrowed, tokio_postgres::Error>,
    mapper: fn(ShredOrphanedKeyringsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ShredOrphanedKeyringsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(ShredOrphanedKeyringsBorrowed) -> R,
    ) -> ShredOrphanedKeyringsQuery<'c, 'a, 's, C, R, N> {
        ShredOrphanedKeyringsQuery {
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
pub struct ListConsumersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_consumers() -> ListConsumersStmt {
    ListConsumersStmt("SELECT consumer, heard_at, silent FROM list_consumers()", None)
}
impl ListConsumersStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ListConsumersQuery<'c, 'a, 's, C, ListConsumers, 0> {
        ListConsumersQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListConsumersBorrowed, tokio_postgres::Error> {
                Ok(ListConsumersBorrowed {
                    consumer: row.try_get(0)?,
                    heard_at: row.try_get(1)?,
                    silent: row.try_get(2)?,
                })
            },
            mapper: |it| ListConsumers::from(it),
        }
    }
}
pub struct PruneEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_events() -> PruneEventsStmt {
    PruneEventsStmt(
        "SELECT gone, last, more FROM prune_events(make_interval(secs => $1), $2::text[], $3::bigint, $4::int, $5::bool)",
        None,
    )
}
impl PruneEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        keep_secs: &'a f64,
        silent: &'a T2,
        after: &'a i64,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5> {
        PrunedBatchQuery {
            client,
            params: [keep_secs, silent, after, batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PrunedBatch, tokio_postgres::Error> {
                Ok(PrunedBatch { gone: row.try_get(0)?, last: row.try_get(1)?, more: row.try_get(2)? })
            },
            mapper: |it| PrunedBatch::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        PruneEventsParams<T1, T2>,
        PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5>,
        C,
    > for PruneEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PruneEventsParams<T1, T2>,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5> {
        self.bind(client, &params.keep_secs, &params.silent, &params.after, &params.batch, &params.dry_run)
    }
}
pub struct PruneCommandsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_commands() -> PruneCommandsStmt {
    PruneCommandsStmt(
        "SELECT gone, last, more FROM prune_commands(make_interval(secs => $1), $2::bigint, $3::int, $4::bool)",
        None,
    )
}
impl PruneCommandsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        keep_secs: &'a f64,
        after: &'a i64,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 4> {
        PrunedBatchQuery {
            client,
            params: [keep_secs, after, batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PrunedBatch, tokio_postgres::Error> {
                Ok(PrunedBatch { gone: row.try_get(0)?, last: row.try_get(1)?, more: row.try_get(2)? })
            },
            mapper: |it| PrunedBatch::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, PruneCommandsParams, PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 4>, C>
    for PruneCommandsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PruneCommandsParams,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 4> {
        self.bind(client, &params.keep_secs, &params.after, &params.batch, &params.dry_run)
    }
}
pub struct PruneAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_accounts() -> PruneAccountsStmt {
    PruneAccountsStmt(
        "SELECT gone, last, more FROM prune_accounts(make_interval(secs => $1), $2::text[], $3::timestamptz, $4::int, $5::bool)",
        None,
    )
}
impl PruneAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        keep_secs: &'a f64,
        silent: &'a T2,
        after: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PruneAccountsQuery<'c, 'a, 's, C, PruneAccounts, 5> {
        PruneAccountsQuery {
            client,
            params: [keep_secs, silent, after, batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PruneAccounts, tokio_postgres::Error> {
                Ok(PruneAccounts { gone: row.try_get(0)?, last: row.try_get(1)?, more: row.try_get(2)? })
            },
            mapper: |it| PruneAccounts::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        PruneAccountsParams<T1, T2>,
        PruneAccountsQuery<'c, 'a, 's, C, PruneAccounts, 5>,
        C,
    > for PruneAccountsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PruneAccountsParams<T1, T2>,
    ) -> PruneAccountsQuery<'c, 'a, 's, C, PruneAccounts, 5> {
        self.bind(client, &params.keep_secs, &params.silent, &params.after, &params.batch, &params.dry_run)
    }
}
pub struct PruneAuditStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_audit() -> PruneAuditStmt {
    PruneAuditStmt(
        "SELECT gone, last, more FROM prune_audit(make_interval(secs => $1), $2::bigint, $3::int, $4::bool)",
        None,
    )
}
impl PruneAuditStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        keep_secs: &'a f64,
        after: &'a i64,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 4> {
        PrunedBatchQuery {
            client,
            params: [keep_secs, after, batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PrunedBatch, tokio_postgres::Error> {
                Ok(PrunedBatch { gone: row.try_get(0)?, last: row.try_get(1)?, more: row.try_get(2)? })
            },
            mapper: |it| PrunedBatch::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, PruneAuditParams, PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 4>, C>
    for PruneAuditStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PruneAuditParams,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 4> {
        self.bind(client, &params.keep_secs, &params.after, &params.batch, &params.dry_run)
    }
}
pub struct PruneBodiesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_bodies() -> PruneBodiesStmt {
    PruneBodiesStmt(
        "SELECT gone, last, more FROM prune_bodies(make_interval(secs => $1), $2::text[], $3::bigint, $4::int, $5::bool)",
        None,
    )
}
impl PruneBodiesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        keep_secs: &'a f64,
        silent: &'a T2,
        after: &'a i64,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5> {
        PrunedBatchQuery {
            client,
            params: [keep_secs, silent, after, batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PrunedBatch, tokio_postgres::Error> {
                Ok(PrunedBatch { gone: row.try_get(0)?, last: row.try_get(1)?, more: row.try_get(2)? })
            },
            mapper: |it| PrunedBatch::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        PruneBodiesParams<T1, T2>,
        PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5>,
        C,
    > for PruneBodiesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PruneBodiesParams<T1, T2>,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5> {
        self.bind(client, &params.keep_secs, &params.silent, &params.after, &params.batch, &params.dry_run)
    }
}
pub struct PruneMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_messages() -> PruneMessagesStmt {
    PruneMessagesStmt(
        "SELECT gone, last, more FROM prune_messages(make_interval(secs => $1), $2::text[], $3::bigint, $4::int, $5::bool)",
        None,
    )
}
impl PruneMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        keep_secs: &'a f64,
        silent: &'a T2,
        after: &'a i64,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5> {
        PrunedBatchQuery {
            client,
            params: [keep_secs, silent, after, batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PrunedBatch, tokio_postgres::Error> {
                Ok(PrunedBatch { gone: row.try_get(0)?, last: row.try_get(1)?, more: row.try_get(2)? })
            },
            mapper: |it| PrunedBatch::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        PruneMessagesParams<T1, T2>,
        PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5>,
        C,
    > for PruneMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PruneMessagesParams<T1, T2>,
    ) -> PrunedBatchQuery<'c, 'a, 's, C, PrunedBatch, 5> {
        self.bind(client, &params.keep_secs, &params.silent, &params.after, &params.batch, &params.dry_run)
    }
}
pub struct PruneContactChecksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_contact_checks() -> PruneContactChecksStmt {
    PruneContactChecksStmt("SELECT gone, more FROM prune_contact_checks($1::int, $2::bool)", None)
}
impl PruneContactChecksStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PruneContactChecksQuery<'c, 'a, 's, C, PruneContactChecks, 2> {
        PruneContactChecksQuery {
            client,
            params: [batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PruneContactChecks, tokio_postgres::Error> {
                Ok(PruneContactChecks { gone: row.try_get(0)?, more: row.try_get(1)? })
            },
            mapper: |it| PruneContactChecks::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        PruneContactChecksParams,
        PruneContactChecksQuery<'c, 'a, 's, C, PruneContactChecks, 2>,
        C,
    > for PruneContactChecksStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PruneContactChecksParams,
    ) -> PruneContactChecksQuery<'c, 'a, 's, C, PruneContactChecks, 2> {
        self.bind(client, &params.batch, &params.dry_run)
    }
}
pub struct PrunePairingLinksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prune_pairing_links() -> PrunePairingLinksStmt {
    PrunePairingLinksStmt("SELECT gone, more FROM prune_pairing_links($1::int, $2::bool)", None)
}
impl PrunePairingLinksStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> PrunePairingLinksQuery<'c, 'a, 's, C, PrunePairingLinks, 2> {
        PrunePairingLinksQuery {
            client,
            params: [batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PrunePairingLinks, tokio_postgres::Error> {
                Ok(PrunePairingLinks { gone: row.try_get(0)?, more: row.try_get(1)? })
            },
            mapper: |it| PrunePairingLinks::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        PrunePairingLinksParams,
        PrunePairingLinksQuery<'c, 'a, 's, C, PrunePairingLinks, 2>,
        C,
    > for PrunePairingLinksStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PrunePairingLinksParams,
    ) -> PrunePairingLinksQuery<'c, 'a, 's, C, PrunePairingLinks, 2> {
        self.bind(client, &params.batch, &params.dry_run)
    }
}
pub struct EraseMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn erase_messages() -> EraseMessagesStmt {
    EraseMessagesStmt("SELECT gone, more FROM erase_messages($1::int, $2::bool)", None)
}
impl EraseMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        batch: &'a i32,
        dry_run: &'a bool,
    ) -> EraseMessagesQuery<'c, 'a, 's, C, EraseMessages, 2> {
        EraseMessagesQuery {
            client,
            params: [batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<EraseMessages, tokio_postgres::Error> {
                Ok(EraseMessages { gone: row.try_get(0)?, more: row.try_get(1)? })
            },
            mapper: |it| EraseMessages::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        EraseMessagesParams,
        EraseMessagesQuery<'c, 'a, 's, C, EraseMessages, 2>,
        C,
    > for EraseMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a EraseMessagesParams,
    ) -> EraseMessagesQuery<'c, 'a, 's, C, EraseMessages, 2> {
        self.bind(client, &params.batch, &params.dry_run)
    }
}
pub struct ShredOrphanedKeyringsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn shred_orphaned_keyrings() -> ShredOrphanedKeyringsStmt {
    ShredOrphanedKeyringsStmt(
        "WITH looked AS MATERIALIZED ( SELECT k.id FROM keyrings k WHERE k.id > $1 ORDER BY k.id LIMIT $2 ), orphaned AS ( SELECT k.id, a.id AS account_id, a.label FROM keyrings k JOIN whatsapp_accounts a ON a.id = k.account_id WHERE k.id = ANY (ARRAY(SELECT looked.id FROM looked)) AND k.created_at < clock_timestamp() - interval '1 hour' AND k.id IS DISTINCT FROM a.keyring_id AND k.id IS DISTINCT FROM a.linking_keyring_id AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id) FOR UPDATE OF a SKIP LOCKED ), shredded AS ( DELETE FROM keyrings k WHERE NOT $3 AND k.id = ANY (ARRAY(SELECT orphaned.id FROM orphaned)) ) SELECT orphaned.account_id, orphaned.label, rest.last, rest.more FROM (SELECT (SELECT looked.id FROM looked ORDER BY looked.id DESC LIMIT 1) AS last, (SELECT count(*) FROM looked) = $2 AS more) AS rest LEFT JOIN orphaned ON true",
        None,
    )
}
impl ShredOrphanedKeyringsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        after: &'a uuid::Uuid,
        batch: &'a i64,
        dry_run: &'a bool,
    ) -> ShredOrphanedKeyringsQuery<'c, 'a, 's, C, ShredOrphanedKeyrings, 3> {
        ShredOrphanedKeyringsQuery {
            client,
            params: [after, batch, dry_run],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShredOrphanedKeyringsBorrowed, tokio_postgres::Error> {
                Ok(ShredOrphanedKeyringsBorrowed {
                    account_id: row.try_get(0)?,
                    label: row.try_get(1)?,
                    last: row.try_get(2)?,
                    more: row.try_get(3)?,
                })
            },
            mapper: |it| ShredOrphanedKeyrings::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ShredOrphanedKeyringsParams,
        ShredOrphanedKeyringsQuery<'c, 'a, 's, C, ShredOrphanedKeyrings, 3>,
        C,
    > for ShredOrphanedKeyringsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ShredOrphanedKeyringsParams,
    ) -> ShredOrphanedKeyringsQuery<'c, 'a, 's, C, ShredOrphanedKeyrings, 3> {
        self.bind(client, &params.after, &params.batch, &params.dry_run)
    }
}
