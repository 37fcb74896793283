// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct TakeLeaseParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::ArraySql<Item = T5>,
> {
    pub process: uuid::Uuid,
    pub host: T1,
    pub pid: i32,
    pub version: T2,
    pub pid_space: T3,
    pub pid_birth: i64,
    pub command_channel: T4,
    pub ttl_secs: f64,
    pub renewal: i64,
    pub draining: bool,
    pub drain_no: i64,
    pub master_keys: T6,
}
#[derive(Clone, Copy, Debug)]
pub struct RenewLeaseParams {
    pub process: uuid::Uuid,
    pub ttl_secs: f64,
    pub renewal: i64,
    pub refresh: bool,
    pub drain_no: i64,
    pub draining: bool,
}
#[derive(Debug)]
pub struct ListProcessesOfPidSpaceParams<T1: crate::StringSql> {
    pub pid_space: T1,
    pub process: uuid::Uuid,
}
#[derive(Clone, Copy, Debug)]
pub struct SetDrainingParams {
    pub draining: bool,
    pub drain_no: i64,
    pub process: uuid::Uuid,
}
#[derive(Clone, Copy, Debug)]
pub struct GiveAccountsBackParams {
    pub process: uuid::Uuid,
    pub drain_no: i64,
    pub batch: i64,
}
#[derive(Debug)]
pub struct AddMasterKeyParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub added: T1,
    pub former: T2,
}
#[derive(Clone, Copy, Debug)]
pub struct DisownAccountsParams {
    pub process: uuid::Uuid,
    pub batch: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ShortenLeaseParams {
    pub left_secs: f64,
    pub process: uuid::Uuid,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct TakeLease {
    pub epoch: i64,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct RenewLease {
    pub found: bool,
    pub epoch: Option<i64>,
    pub expired: bool,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct SurveyDaemons {
    pub daemons: i64,
    pub next_end_secs: Option<f64>,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct ListProcessesOfPidSpace {
    pub id: uuid::Uuid,
    pub pid: i32,
    pub pid_birth: i64,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct GiveAccountsBack {
    pub given: i64,
    pub more: bool,
}
#[derive(Debug, Clone, PartialEq)]
pub struct FindStranger {
    pub host: String,
    pub pid: i32,
}
pub struct FindStrangerBorrowed<'a> {
    pub host: &'a str,
    pub pid: i32,
}
impl<'a> From<FindStrangerBorrowed<'a>> for FindStranger {
    fn from(FindStrangerBorrowed { host, pid }: FindStrangerBorrowed<'a>) -> Self {
        Self { host: host.into(), pid }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct TakeLeaseQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TakeLease, tokio_postgres::Error>,
    mapper: fn(TakeLease) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TakeLeaseQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(TakeLease) -> R) -> TakeLeaseQuery<'c, 'a, 's, C, R, N> {
        TakeLeaseQuery {
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
pub struct RenewLeaseQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<RenewLease, tokio_postgres::Error>,
    mapper: fn(RenewLease) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RenewLeaseQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(RenewLease) -> R) -> RenewLeaseQuery<'c, 'a, 's, C, R, N> {
        RenewLeaseQuery {
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
pub struct SurveyDaemonsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SurveyDaemons, tokio_postgres::Error>,
    mapper: fn(SurveyDaemons) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SurveyDaemonsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SurveyDaemons) -> R) -> SurveyDaemonsQuery<'c, 'a, 's, C, R, N> {
        SurveyDaemonsQuery {
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
pub struct ChronoDateTimechronoFixedOffsetQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<chrono::DateTime<chrono::FixedOffset>, tokio_postgres::Error>,
    mapper: fn(chrono::DateTime<chrono::FixedOffset>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ChronoDateTimechronoFixedOffsetQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(chrono::DateTime<chrono::FixedOffset>) -> R,
    ) -> ChronoDateTimechronoFixedOffsetQuery<'c, 'a, 's, C, R, N> {
        ChronoDateTimechronoFixedOffsetQuery {
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
pub struct ListProcessesOfPidSpaceQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListProcessesOfPidSpace, tokio_postgres::Error>,
    mapper: fn(ListProcessesOfPidSpace) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListProcessesOfPidSpaceQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListProcessesOfPidSpace) -> R) -> ListProcessesOfPidSpaceQuery<'c, 'a, 's, C, R, N> {
        ListProcessesOfPidSpaceQuery {
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
pub struct GiveAccountsBackQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GiveAccountsBack, tokio_postgres::Error>,
    mapper: fn(GiveAccountsBack) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GiveAccountsBackQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GiveAccountsBack) -> R) -> GiveAccountsBackQuery<'c, 'a, 's, C, R, N> {
        GiveAccountsBackQuery {
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
pub struct FindStrangerQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<FindStrangerBorrowed, tokio_postgres::Error>,
    mapper: fn(FindStrangerBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FindStrangerQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(FindStrangerBorrowed) -> R) -> FindStrangerQuery<'c, 'a, 's, C, R, N> {
        FindStrangerQuery {
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
pub struct TakeLeaseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn take_lease() -> TakeLeaseStmt {
    TakeLeaseStmt(
        "WITH taken AS ( INSERT INTO processes AS p (id, host, pid, version, pid_space, pid_birth, command_channel, expires_at, renewal, epoch, draining, drain_no, master_keys) VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8), $9, $9, $10, $11, $12) ON CONFLICT (id) DO UPDATE SET renewed_at = clock_timestamp(), expires_at = excluded.expires_at, renewal = excluded.renewal, epoch = excluded.epoch, draining = CASE WHEN excluded.drain_no > p.drain_no THEN excluded.draining ELSE p.draining END, drain_no = greatest(p.drain_no, excluded.drain_no) WHERE p.renewal < excluded.renewal RETURNING epoch ), stirring AS ( SELECT a.id FROM taken JOIN whatsapp_accounts a ON a.owner = $1 WHERE a.id = ANY (ARRAY(SELECT list_stirring_accounts($1))) FOR UPDATE OF a SKIP LOCKED ), refreshed AS ( UPDATE whatsapp_accounts a SET fence = a.fence + 1 FROM stirring WHERE a.id = stirring.id ) SELECT epoch, clock_timestamp() AS database_now FROM taken",
        None,
    )
}
impl TakeLeaseStmt {
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
        T3: crate::StringSql,
        T4: crate::StringSql,
        T5: crate::StringSql,
        T6: crate::ArraySql<Item = T5>,
    >(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        host: &'a T1,
        pid: &'a i32,
        version: &'a T2,
        pid_space: &'a T3,
        pid_birth: &'a i64,
        command_channel: &'a T4,
        ttl_secs: &'a f64,
        renewal: &'a i64,
        draining: &'a bool,
        drain_no: &'a i64,
        master_keys: &'a T6,
    ) -> TakeLeaseQuery<'c, 'a, 's, C, TakeLease, 12> {
        TakeLeaseQuery {
            client,
            params: [
                process,
                host,
                pid,
                version,
                pid_space,
                pid_birth,
                command_channel,
                ttl_secs,
                renewal,
                draining,
                drain_no,
                master_keys,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TakeLease, tokio_postgres::Error> {
                Ok(TakeLease { epoch: row.try_get(0)?, database_now: row.try_get(1)? })
            },
            mapper: |it| TakeLease::from(it),
        }
    }
}
impl<
    'c,
    'a,
    's,
    C: GenericClient,
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::ArraySql<Item = T5>,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        TakeLeaseParams<T1, T2, T3, T4, T5, T6>,
        TakeLeaseQuery<'c, 'a, 's, C, TakeLease, 12>,
        C,
    > for TakeLeaseStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a TakeLeaseParams<T1, T2, T3, T4, T5, T6>,
    ) -> TakeLeaseQuery<'c, 'a, 's, C, TakeLease, 12> {
        self.bind(
            client,
            &params.process,
            &params.host,
            &params.pid,
            &params.version,
            &params.pid_space,
            &params.pid_birth,
            &params.command_channel,
            &params.ttl_secs,
            &params.renewal,
            &params.draining,
            &params.drain_no,
            &params.master_keys,
        )
    }
}
pub struct RenewLeaseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn renew_lease() -> RenewLeaseStmt {
    RenewLeaseStmt(
        "WITH me AS ( SELECT id, expires_at FROM processes WHERE id = $1 FOR UPDATE ), moment AS MATERIALIZED ( SELECT id, expires_at <= clock_timestamp() AS expired FROM me ), renewed AS ( UPDATE processes p SET renewed_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => $2), renewal = $3, epoch = CASE WHEN $4 OR moment.expired THEN $3 ELSE p.epoch END, draining = CASE WHEN $5 > p.drain_no THEN $6 ELSE p.draining END, drain_no = greatest(p.drain_no, $5) FROM moment WHERE p.id = moment.id AND p.renewal < $3 RETURNING p.id, p.epoch, moment.expired ), stirring AS ( SELECT a.id FROM renewed JOIN whatsapp_accounts a ON renewed.epoch = $3 AND a.owner = $1 WHERE a.id = ANY (ARRAY(SELECT list_stirring_accounts($1))) FOR UPDATE OF a SKIP LOCKED ), refreshed AS ( UPDATE whatsapp_accounts a SET fence = a.fence + 1 FROM stirring WHERE a.id = stirring.id ) SELECT EXISTS (SELECT FROM me) AS found, renewed.epoch, coalesce(renewed.expired, false) AS expired, clock_timestamp() AS database_now FROM (SELECT) AS always LEFT JOIN renewed ON true",
        None,
    )
}
impl RenewLeaseStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        ttl_secs: &'a f64,
        renewal: &'a i64,
        refresh: &'a bool,
        drain_no: &'a i64,
        draining: &'a bool,
    ) -> RenewLeaseQuery<'c, 'a, 's, C, RenewLease, 6> {
        RenewLeaseQuery {
            client,
            params: [process, ttl_secs, renewal, refresh, drain_no, draining],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RenewLease, tokio_postgres::Error> {
                Ok(RenewLease {
                    found: row.try_get(0)?,
                    epoch: row.try_get(1)?,
                    expired: row.try_get(2)?,
                    database_now: row.try_get(3)?,
                })
            },
            mapper: |it| RenewLease::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, RenewLeaseParams, RenewLeaseQuery<'c, 'a, 's, C, RenewLease, 6>, C>
    for RenewLeaseStmt
{
    fn params(&'s self, client: &'c C, params: &'a RenewLeaseParams) -> RenewLeaseQuery<'c, 'a, 's, C, RenewLease, 6> {
        self.bind(
            client,
            &params.process,
            &params.ttl_secs,
            &params.renewal,
            &params.refresh,
            &params.drain_no,
            &params.draining,
        )
    }
}
pub struct SurveyDaemonsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn survey_daemons() -> SurveyDaemonsStmt {
    SurveyDaemonsStmt(
        "SELECT count(*) FILTER (WHERE NOT draining) AS daemons, extract(epoch FROM min(expires_at) FILTER (WHERE id <> $1) - clock_timestamp())::float8 AS next_end_secs FROM processes WHERE expires_at > clock_timestamp()",
        None,
    )
}
impl SurveyDaemonsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
    ) -> SurveyDaemonsQuery<'c, 'a, 's, C, SurveyDaemons, 1> {
        SurveyDaemonsQuery {
            client,
            params: [process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SurveyDaemons, tokio_postgres::Error> {
                Ok(SurveyDaemons { daemons: row.try_get(0)?, next_end_secs: row.try_get(1)? })
            },
            mapper: |it| SurveyDaemons::from(it),
        }
    }
}
pub struct GetTimeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_time() -> GetTimeStmt {
    GetTimeStmt("SELECT clock_timestamp() AS database_now", None)
}
impl GetTimeStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ChronoDateTimechronoFixedOffsetQuery<'c, 'a, 's, C, chrono::DateTime<chrono::FixedOffset>, 0> {
        ChronoDateTimechronoFixedOffsetQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct RingDaemonsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn ring_daemons() -> RingDaemonsStmt {
    RingDaemonsStmt(
        "SELECT ring(heard.command_channel, $1) AS rung FROM (SELECT DISTINCT command_channel FROM processes) AS heard",
        None,
    )
}
impl RingDaemonsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        payload: &'a T1,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 1> {
        BoolQuery {
            client,
            params: [payload],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct ListProcessesOfPidSpaceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_processes_of_pid_space() -> ListProcessesOfPidSpaceStmt {
    ListProcessesOfPidSpaceStmt("SELECT id, pid, pid_birth FROM processes WHERE pid_space = $1 AND id <> $2", None)
}
impl ListProcessesOfPidSpaceStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        pid_space: &'a T1,
        process: &'a uuid::Uuid,
    ) -> ListProcessesOfPidSpaceQuery<'c, 'a, 's, C, ListProcessesOfPidSpace, 2> {
        ListProcessesOfPidSpaceQuery {
            client,
            params: [pid_space, process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListProcessesOfPidSpace, tokio_postgres::Error> {
                Ok(ListProcessesOfPidSpace { id: row.try_get(0)?, pid: row.try_get(1)?, pid_birth: row.try_get(2)? })
            },
            mapper: |it| ListProcessesOfPidSpace::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListProcessesOfPidSpaceParams<T1>,
        ListProcessesOfPidSpaceQuery<'c, 'a, 's, C, ListProcessesOfPidSpace, 2>,
        C,
    > for ListProcessesOfPidSpaceStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListProcessesOfPidSpaceParams<T1>,
    ) -> ListProcessesOfPidSpaceQuery<'c, 'a, 's, C, ListProcessesOfPidSpace, 2> {
        self.bind(client, &params.pid_space, &params.process)
    }
}
pub struct BuryProcessesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn bury_processes() -> BuryProcessesStmt {
    BuryProcessesStmt(
        "DELETE FROM processes WHERE id = ANY ($1) OR expires_at < clock_timestamp() - interval '1 hour'",
        None,
    )
}
impl BuryProcessesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = uuid::Uuid>>(
        &'s self,
        client: &'c C,
        gone: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[gone]).await
    }
}
pub struct SetDrainingStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_draining() -> SetDrainingStmt {
    SetDrainingStmt("UPDATE processes SET draining = $1, drain_no = $2 WHERE id = $3 AND drain_no < $2", None)
}
impl SetDrainingStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        draining: &'a bool,
        drain_no: &'a i64,
        process: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[draining, drain_no, process]).await
    }
}
impl<'a, C: GenericClient + Send + Sync>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        SetDrainingParams,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for SetDrainingStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a SetDrainingParams,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(client, &params.draining, &params.drain_no, &params.process))
    }
}
pub struct GiveAccountsBackStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn give_accounts_back() -> GiveAccountsBackStmt {
    GiveAccountsBackStmt(
        "WITH drained AS ( SELECT id FROM processes WHERE id = $1 AND draining AND drain_no = $2 FOR SHARE ), requeued AS ( UPDATE commands c SET state = 'queued', started_at = NULL FROM drained WHERE c.taken_by = drained.id AND c.state = 'running' ), stirring AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = ANY (ARRAY( SELECT active.id FROM whatsapp_accounts active WHERE account_is_active(active.status, active.linking_keyring_id, active.desired) AND active.owner = $1 AND EXISTS (SELECT FROM drained) LIMIT $3)) AND a.owner = $1 FOR UPDATE OF a SKIP LOCKED ), resting AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.owner = $1 AND NOT account_is_active(a.status, a.linking_keyring_id, a.desired) AND EXISTS (SELECT FROM drained) ORDER BY a.id LIMIT $3 - (SELECT count(*) FROM stirring) FOR UPDATE OF a SKIP LOCKED ), given AS ( UPDATE whatsapp_accounts a SET owner = NULL WHERE a.id = ANY (ARRAY(SELECT stirring.id FROM stirring UNION ALL SELECT resting.id FROM resting)) RETURNING a.id ), before AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.owner = $1 AND EXISTS (SELECT FROM drained) ORDER BY a.id LIMIT $3 + 1 ) SELECT (SELECT count(*) FROM given) AS given, (SELECT count(*) FROM before) > (SELECT count(*) FROM given) AS more",
        None,
    )
}
impl GiveAccountsBackStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        drain_no: &'a i64,
        batch: &'a i64,
    ) -> GiveAccountsBackQuery<'c, 'a, 's, C, GiveAccountsBack, 3> {
        GiveAccountsBackQuery {
            client,
            params: [process, drain_no, batch],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GiveAccountsBack, tokio_postgres::Error> {
                Ok(GiveAccountsBack { given: row.try_get(0)?, more: row.try_get(1)? })
            },
            mapper: |it| GiveAccountsBack::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GiveAccountsBackParams,
        GiveAccountsBackQuery<'c, 'a, 's, C, GiveAccountsBack, 3>,
        C,
    > for GiveAccountsBackStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GiveAccountsBackParams,
    ) -> GiveAccountsBackQuery<'c, 'a, 's, C, GiveAccountsBack, 3> {
        self.bind(client, &params.process, &params.drain_no, &params.batch)
    }
}
pub struct FindStrangerStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn find_stranger() -> FindStrangerStmt {
    FindStrangerStmt(
        "SELECT oldest.host, oldest.pid FROM processes me, LATERAL (SELECT p.id, p.host, p.pid, p.master_keys FROM processes p WHERE p.expires_at > clock_timestamp() AND p.master_keys <> '{}' ORDER BY p.started_at, p.id LIMIT 1) AS oldest WHERE me.id = $1 AND oldest.id <> me.id AND NOT oldest.master_keys && me.master_keys AND NOT EXISTS (SELECT FROM (SELECT id FROM keyrings ORDER BY id LIMIT 1) AS sealed) AND NOT EXISTS (SELECT FROM proxy_logins)",
        None,
    )
}
impl FindStrangerStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
    ) -> FindStrangerQuery<'c, 'a, 's, C, FindStranger, 1> {
        FindStrangerQuery {
            client,
            params: [process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FindStrangerBorrowed, tokio_postgres::Error> {
                Ok(FindStrangerBorrowed { host: row.try_get(0)?, pid: row.try_get(1)? })
            },
            mapper: |it| FindStranger::from(it),
        }
    }
}
pub struct AddMasterKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn add_master_key() -> AddMasterKeyStmt {
    AddMasterKeyStmt(
        "UPDATE processes SET master_keys = master_keys || $1::text WHERE $2 = ANY (master_keys) AND $1 <> ALL (master_keys)",
        None,
    )
}
impl AddMasterKeyStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        added: &'a T1,
        former: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[added, former]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        AddMasterKeyParams<T1, T2>,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for AddMasterKeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a AddMasterKeyParams<T1, T2>,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(client, &params.added, &params.former))
    }
}
pub struct ReleaseLeaseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn release_lease() -> ReleaseLeaseStmt {
    ReleaseLeaseStmt(
        "WITH ended AS ( DELETE FROM processes WHERE id = $1 RETURNING id ), requeued AS ( UPDATE commands SET state = 'queued', started_at = NULL WHERE taken_by = $1 AND state = 'running' ) INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at, draining, renewal) SELECT $1, '', 0, '', '', 0, clock_timestamp(), true, 9223372036854775807 WHERE NOT EXISTS (SELECT FROM ended) ON CONFLICT (id) DO NOTHING",
        None,
    )
}
impl ReleaseLeaseStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[process]).await
    }
}
pub struct DisownAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn disown_accounts() -> DisownAccountsStmt {
    DisownAccountsStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.owner = $1 AND NOT EXISTS (SELECT FROM processes p WHERE p.id = $1 AND p.expires_at > clock_timestamp()) ORDER BY a.id LIMIT $2 FOR UPDATE OF a SKIP LOCKED ), disowned AS ( UPDATE whatsapp_accounts a SET owner = NULL WHERE a.id = ANY (ARRAY(SELECT mine.id FROM mine)) RETURNING a.id ) SELECT count(*) AS disowned FROM disowned",
        None,
    )
}
impl DisownAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        batch: &'a i64,
    ) -> I64Query<'c, 'a, 's, C, i64, 2> {
        I64Query {
            client,
            params: [process, batch],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, DisownAccountsParams, I64Query<'c, 'a, 's, C, i64, 2>, C>
    for DisownAccountsStmt
{
    fn params(&'s self, client: &'c C, params: &'a DisownAccountsParams) -> I64Query<'c, 'a, 's, C, i64, 2> {
        self.bind(client, &params.process, &params.batch)
    }
}
pub struct ShortenLeaseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn shorten_lease() -> ShortenLeaseStmt {
    ShortenLeaseStmt(
        "UPDATE processes SET draining = true, renewal = 9223372036854775807, expires_at = least(expires_at, clock_timestamp() + make_interval(secs => $1)) WHERE id = $2",
        None,
    )
}
impl ShortenLeaseStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        left_secs: &'a f64,
        process: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[left_secs, process]).await
    }
}
impl<'a, C: GenericClient + Send + Sync>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        ShortenLeaseParams,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for ShortenLeaseStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a ShortenLeaseParams,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(client, &params.left_secs, &params.process))
    }
}
