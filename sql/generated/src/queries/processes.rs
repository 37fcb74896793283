// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct RenewLeaseParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql, T4: crate::StringSql> {
    pub process: uuid::Uuid,
    pub host: T1,
    pub pid: i32,
    pub version: T2,
    pub pid_space: T3,
    pub pid_birth: i64,
    pub command_channel: T4,
    pub ttl_secs: f64,
}
#[derive(Debug)]
pub struct ListProcessesOfPidSpaceParams<T1: crate::StringSql> {
    pub pid_space: T1,
    pub process: uuid::Uuid,
}
#[derive(Clone, Copy, Debug)]
pub struct SetDrainingParams {
    pub draining: bool,
    pub process: uuid::Uuid,
}
#[derive(Clone, Copy, Debug)]
pub struct ShortenLeaseParams {
    pub left_secs: f64,
    pub process: uuid::Uuid,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct ListProcessesOfPidSpace {
    pub id: uuid::Uuid,
    pub pid: i32,
    pub pid_birth: i64,
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
pub struct RenewLeaseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn renew_lease() -> RenewLeaseStmt {
    RenewLeaseStmt(
        "INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, command_channel, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8)) ON CONFLICT (id) DO UPDATE SET renewed_at = clock_timestamp(), expires_at = excluded.expires_at",
        None,
    )
}
impl RenewLeaseStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::StringSql,
        T2: crate::StringSql,
        T3: crate::StringSql,
        T4: crate::StringSql,
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
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[process, host, pid, version, pid_space, pid_birth, command_channel, ttl_secs]).await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        RenewLeaseParams<T1, T2, T3, T4>,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for RenewLeaseStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a RenewLeaseParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(
            client,
            &params.process,
            &params.host,
            &params.pid,
            &params.version,
            &params.pid_space,
            &params.pid_birth,
            &params.command_channel,
            &params.ttl_secs,
        ))
    }
}
pub struct CountDaemonsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_daemons() -> CountDaemonsStmt {
    CountDaemonsStmt(
        "SELECT count(*) AS daemons FROM processes WHERE expires_at > clock_timestamp() AND NOT draining",
        None,
    )
}
impl CountDaemonsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(&'s self, client: &'c C) -> I64Query<'c, 'a, 's, C, i64, 0> {
        I64Query {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct RefreshFencesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn refresh_fences() -> RefreshFencesStmt {
    RefreshFencesStmt("UPDATE whatsapp_accounts SET fence = fence + 1 WHERE owner = $1", None)
}
impl RefreshFencesStmt {
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
pub struct RingDaemonsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn ring_daemons() -> RingDaemonsStmt {
    RingDaemonsStmt(
        "SELECT 1 AS rung FROM (SELECT DISTINCT command_channel FROM processes) AS heard, pg_notify(heard.command_channel, $1)",
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
    ) -> I32Query<'c, 'a, 's, C, i32, 1> {
        I32Query {
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
    SetDrainingStmt("UPDATE processes SET draining = $1 WHERE id = $2", None)
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
        process: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[draining, process]).await
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
        Box::pin(self.bind(client, &params.draining, &params.process))
    }
}
pub struct GiveAccountsBackStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn give_accounts_back() -> GiveAccountsBackStmt {
    GiveAccountsBackStmt(
        "WITH requeued AS ( UPDATE commands SET state = 'queued', started_at = NULL WHERE taken_by = $1 AND state = 'running' ) UPDATE whatsapp_accounts SET owner = NULL WHERE owner = $1",
        None,
    )
}
impl GiveAccountsBackStmt {
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
pub struct ReleaseLeaseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn release_lease() -> ReleaseLeaseStmt {
    ReleaseLeaseStmt(
        "WITH released AS ( UPDATE whatsapp_accounts SET owner = NULL WHERE owner = $1 ), requeued AS ( UPDATE commands SET state = 'queued', started_at = NULL WHERE taken_by = $1 AND state = 'running' ) DELETE FROM processes WHERE id = $1",
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
pub struct ShortenLeaseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn shorten_lease() -> ShortenLeaseStmt {
    ShortenLeaseStmt(
        "UPDATE processes SET draining = true, expires_at = least(expires_at, clock_timestamp() + make_interval(secs => $1)) WHERE id = $2",
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
