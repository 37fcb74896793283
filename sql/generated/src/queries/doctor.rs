// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct ListMissingRightsParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
    T5: crate::StringSql,
    T6: crate::ArraySql<Item = T5>,
    T7: crate::StringSql,
    T8: crate::ArraySql<Item = T7>,
    T9: crate::StringSql,
    T10: crate::ArraySql<Item = T9>,
> {
    pub tables: T2,
    pub columns: T4,
    pub privileges: T6,
    pub functions: T8,
    pub sequences: T10,
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetServer {
    pub version: String,
    pub version_number: i32,
    pub role: String,
    pub in_recovery: bool,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
    pub may_create: bool,
    pub has_tables: bool,
}
pub struct GetServerBorrowed<'a> {
    pub version: &'a str,
    pub version_number: i32,
    pub role: &'a str,
    pub in_recovery: bool,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
    pub may_create: bool,
    pub has_tables: bool,
}
impl<'a> From<GetServerBorrowed<'a>> for GetServer {
    fn from(
        GetServerBorrowed {
            version,
            version_number,
            role,
            in_recovery,
            database_now,
            may_create,
            has_tables,
        }: GetServerBorrowed<'a>,
    ) -> Self {
        Self {
            version: version.into(),
            version_number,
            role: role.into(),
            in_recovery,
            database_now,
            may_create,
            has_tables,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetConnectRights {
    pub everybody: bool,
    pub logins: Vec<String>,
}
pub struct GetConnectRightsBorrowed<'a> {
    pub everybody: bool,
    pub logins: crate::ArrayIterator<'a, &'a str>,
}
impl<'a> From<GetConnectRightsBorrowed<'a>> for GetConnectRights {
    fn from(GetConnectRightsBorrowed { everybody, logins }: GetConnectRightsBorrowed<'a>) -> Self {
        Self { everybody, logins: logins.map(|v| v.into()).collect() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListDaemons {
    pub id: uuid::Uuid,
    pub host: String,
    pub pid: i32,
    pub version: String,
    pub draining: bool,
    pub alive: bool,
    pub silent_secs: f64,
    pub accounts: i64,
}
pub struct ListDaemonsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub host: &'a str,
    pub pid: i32,
    pub version: &'a str,
    pub draining: bool,
    pub alive: bool,
    pub silent_secs: f64,
    pub accounts: i64,
}
impl<'a> From<ListDaemonsBorrowed<'a>> for ListDaemons {
    fn from(
        ListDaemonsBorrowed { id, host, pid, version, draining, alive, silent_secs, accounts }: ListDaemonsBorrowed<'a>,
    ) -> Self {
        Self { id, host: host.into(), pid, version: version.into(), draining, alive, silent_secs, accounts }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct CountOrphans {
    pub keyrings: i64,
    pub credentials: i64,
    pub accounts: i64,
    pub tickets: i64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListTickets {
    pub label: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub next_retry_at: chrono::DateTime<chrono::FixedOffset>,
    pub abandon_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct ListTicketsBorrowed<'a> {
    pub label: &'a str,
    pub attempts: i32,
    pub last_error: Option<&'a str>,
    pub next_retry_at: chrono::DateTime<chrono::FixedOffset>,
    pub abandon_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<ListTicketsBorrowed<'a>> for ListTickets {
    fn from(
        ListTicketsBorrowed { label, attempts, last_error, next_retry_at, abandon_at }: ListTicketsBorrowed<'a>,
    ) -> Self {
        Self { label: label.into(), attempts, last_error: last_error.map(|v| v.into()), next_retry_at, abandon_at }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListHeldAccounts {
    pub id: uuid::Uuid,
    pub label: String,
    pub status_reason: String,
}
pub struct ListHeldAccountsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub label: &'a str,
    pub status_reason: &'a str,
}
impl<'a> From<ListHeldAccountsBorrowed<'a>> for ListHeldAccounts {
    fn from(ListHeldAccountsBorrowed { id, label, status_reason }: ListHeldAccountsBorrowed<'a>) -> Self {
        Self { id, label: label.into(), status_reason: status_reason.into() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListOverdueAttempts {
    pub id: uuid::Uuid,
    pub label: String,
}
pub struct ListOverdueAttemptsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub label: &'a str,
}
impl<'a> From<ListOverdueAttemptsBorrowed<'a>> for ListOverdueAttempts {
    fn from(ListOverdueAttemptsBorrowed { id, label }: ListOverdueAttemptsBorrowed<'a>) -> Self {
        Self { id, label: label.into() }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct CountWaiting {
    pub commands: i64,
    pub commands_secs: Option<f64>,
    pub events: i64,
    pub events_secs: Option<f64>,
    pub messages: i64,
    pub messages_secs: Option<f64>,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListSilentConsumers {
    pub consumer: String,
    pub heard_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct ListSilentConsumersBorrowed<'a> {
    pub consumer: &'a str,
    pub heard_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<ListSilentConsumersBorrowed<'a>> for ListSilentConsumers {
    fn from(ListSilentConsumersBorrowed { consumer, heard_at }: ListSilentConsumersBorrowed<'a>) -> Self {
        Self { consumer: consumer.into(), heard_at }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct GetServerQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetServerBorrowed, tokio_postgres::Error>,
    mapper: fn(GetServerBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetServerQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetServerBorrowed) -> R) -> GetServerQuery<'c, 'a, 's, C, R, N> {
        GetServerQuery {
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
pub struct GetConnectRightsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetConnectRightsBorrowed, tokio_postgres::Error>,
    mapper: fn(GetConnectRightsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetConnectRightsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetConnectRightsBorrowed) -> R) -> GetConnectRightsQuery<'c, 'a, 's, C, R, N> {
        GetConnectRightsQuery {
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
pub struct ListDaemonsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListDaemonsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListDaemonsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListDaemonsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListDaemonsBorrowed) -> R) -> ListDaemonsQuery<'c, 'a, 's, C, R, N> {
        ListDaemonsQuery {
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
pub struct CountOrphansQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CountOrphans, tokio_postgres::Error>,
    mapper: fn(CountOrphans) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CountOrphansQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(CountOrphans) -> R) -> CountOrphansQuery<'c, 'a, 's, C, R, N> {
        CountOrphansQuery {
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
pub struct ListTicketsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListTicketsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListTicketsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListTicketsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListTicketsBorrowed) -> R) -> ListTicketsQuery<'c, 'a, 's, C, R, N> {
        ListTicketsQuery {
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
pub struct ListHeldAccountsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListHeldAccountsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListHeldAccountsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListHeldAccountsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListHeldAccountsBorrowed) -> R) -> ListHeldAccountsQuery<'c, 'a, 's, C, R, N> {
        ListHeldAccountsQuery {
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
pub struct ListOverdueAttemptsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListOverdueAttemptsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListOverdueAttemptsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListOverdueAttemptsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListOverdueAttemptsBorrowed) -> R) -> ListOverdueAttemptsQuery<'c, 'a, 's, C, R, N> {
        ListOverdueAttemptsQuery {
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
pub struct CountWaitingQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CountWaiting, tokio_postgres::Error>,
    mapper: fn(CountWaiting) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CountWaitingQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(CountWaiting) -> R) -> CountWaitingQuery<'c, 'a, 's, C, R, N> {
        CountWaitingQuery {
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
pub struct ListSilentConsumersQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListSilentConsumersBorrowed, tokio_postgres::Error>,
    mapper: fn(ListSilentConsumersBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListSilentConsumersQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListSilentConsumersBorrowed) -> R) -> ListSilentConsumersQuery<'c, 'a, 's, C, R, N> {
        ListSilentConsumersQuery {
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
pub struct GetServerStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_server() -> GetServerStmt {
    GetServerStmt(
        "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_number, current_user::text AS role, pg_is_in_recovery() AS in_recovery, clock_timestamp() AS database_now, has_schema_privilege(current_schema(), 'CREATE') AS may_create, to_regclass('whatsapp_accounts') IS NOT NULL AS has_tables",
        None,
    )
}
impl GetServerStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(&'s self, client: &'c C) -> GetServerQuery<'c, 'a, 's, C, GetServer, 0> {
        GetServerQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetServerBorrowed, tokio_postgres::Error> {
                Ok(GetServerBorrowed {
                    version: row.try_get(0)?,
                    version_number: row.try_get(1)?,
                    role: row.try_get(2)?,
                    in_recovery: row.try_get(3)?,
                    database_now: row.try_get(4)?,
                    may_create: row.try_get(5)?,
                    has_tables: row.try_get(6)?,
                })
            },
            mapper: |it| GetServer::from(it),
        }
    }
}
pub struct ListMissingRightsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_missing_rights() -> ListMissingRightsStmt {
    ListMissingRightsStmt(
        "SELECT coalesce(CASE WHEN bool_and(wanted.missing) THEN wanted.privilege || ' on ' || wanted.table_name ELSE wanted.privilege || ' of ' || string_agg(wanted.column_name, ', ' ORDER BY wanted.column_name) FILTER (WHERE wanted.missing) || ' on ' || wanted.table_name END, '') AS what FROM (SELECT asked.table_name, asked.column_name, asked.privilege, NOT coalesce(CASE asked.privilege WHEN 'DELETE' THEN has_table_privilege(a.attrelid, asked.privilege) ELSE has_column_privilege(a.attrelid, a.attnum, asked.privilege) END, false) AS missing FROM unnest($1::text[], $2::text[], $3::text[]) AS asked (table_name, column_name, privilege) LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(asked.table_name) AND a.attname = asked.column_name AND NOT a.attisdropped ) AS wanted GROUP BY wanted.table_name, wanted.privilege HAVING bool_or(wanted.missing) UNION ALL SELECT 'EXECUTE on ' || split_part(called.signature, '(', 1) FROM unnest($4::text[]) AS called (signature) WHERE NOT coalesce(has_function_privilege(to_regprocedure(called.signature)::oid, 'EXECUTE'), false) UNION ALL SELECT 'USAGE on ' || used.name FROM unnest($5::text[]) AS used (name) WHERE NOT coalesce(has_sequence_privilege(to_regclass(used.name)::oid, 'USAGE'), false) ORDER BY what",
        None,
    )
}
impl ListMissingRightsStmt {
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
        T2: crate::ArraySql<Item = T1>,
        T3: crate::StringSql,
        T4: crate::ArraySql<Item = T3>,
        T5: crate::StringSql,
        T6: crate::ArraySql<Item = T5>,
        T7: crate::StringSql,
        T8: crate::ArraySql<Item = T7>,
        T9: crate::StringSql,
        T10: crate::ArraySql<Item = T9>,
    >(
        &'s self,
        client: &'c C,
        tables: &'a T2,
        columns: &'a T4,
        privileges: &'a T6,
        functions: &'a T8,
        sequences: &'a T10,
    ) -> StringQuery<'c, 'a, 's, C, String, 5> {
        StringQuery {
            client,
            params: [tables, columns, privileges, functions, sequences],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<
    'c,
    'a,
    's,
    C: GenericClient,
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
    T5: crate::StringSql,
    T6: crate::ArraySql<Item = T5>,
    T7: crate::StringSql,
    T8: crate::ArraySql<Item = T7>,
    T9: crate::StringSql,
    T10: crate::ArraySql<Item = T9>,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListMissingRightsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        StringQuery<'c, 'a, 's, C, String, 5>,
        C,
    > for ListMissingRightsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListMissingRightsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> StringQuery<'c, 'a, 's, C, String, 5> {
        self.bind(client, &params.tables, &params.columns, &params.privileges, &params.functions, &params.sequences)
    }
}
pub struct ListOwnRolesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_own_roles() -> ListOwnRolesStmt {
    ListOwnRolesStmt(
        "SELECT r.rolname::text AS role FROM pg_roles r JOIN pg_roles me ON me.rolname = current_user AND NOT me.rolsuper WHERE r.rolname = ANY ($1::text[]) AND pg_has_role(me.oid, r.oid, 'USAGE') ORDER BY r.rolname",
        None,
    )
}
impl ListOwnRolesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        roles: &'a T2,
    ) -> StringQuery<'c, 'a, 's, C, String, 1> {
        StringQuery {
            client,
            params: [roles],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
pub struct GetConnectRightsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_connect_rights() -> GetConnectRightsStmt {
    GetConnectRightsStmt(
        "SELECT EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS granted WHERE granted.grantee = 0 AND granted.privilege_type = 'CONNECT') AS everybody, ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper AND r.oid <> d.datdba AND has_database_privilege(r.oid, d.oid, 'CONNECT') AND r.rolname <> current_user AND NOT pg_has_role(r.oid, d.datdba, 'MEMBER') AND NOT EXISTS (SELECT FROM pg_roles g WHERE g.rolname IN ('paird_web', 'paird_daemon', 'paird_console') AND pg_has_role(r.oid, g.oid, 'MEMBER')) ORDER BY r.rolname LIMIT 20) AS logins FROM pg_database d WHERE d.datname = current_database()",
        None,
    )
}
impl GetConnectRightsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> GetConnectRightsQuery<'c, 'a, 's, C, GetConnectRights, 0> {
        GetConnectRightsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetConnectRightsBorrowed, tokio_postgres::Error> {
                Ok(GetConnectRightsBorrowed { everybody: row.try_get(0)?, logins: row.try_get(1)? })
            },
            mapper: |it| GetConnectRights::from(it),
        }
    }
}
pub struct ListDaemonsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_daemons() -> ListDaemonsStmt {
    ListDaemonsStmt(
        "SELECT p.id, p.host, p.pid, p.version, p.draining, p.expires_at > clock_timestamp() AS alive, extract(epoch FROM clock_timestamp() - p.renewed_at)::float8 AS silent_secs, coalesce(owned.accounts, 0) AS accounts FROM processes p LEFT JOIN (SELECT a.owner, count(*) AS accounts FROM whatsapp_accounts a WHERE a.deleted_at IS NULL OR a.status = 'deleting' GROUP BY a.owner) AS owned ON owned.owner = p.id ORDER BY p.started_at, p.id",
        None,
    )
}
impl ListDaemonsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ListDaemonsQuery<'c, 'a, 's, C, ListDaemons, 0> {
        ListDaemonsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListDaemonsBorrowed, tokio_postgres::Error> {
                Ok(ListDaemonsBorrowed {
                    id: row.try_get(0)?,
                    host: row.try_get(1)?,
                    pid: row.try_get(2)?,
                    version: row.try_get(3)?,
                    draining: row.try_get(4)?,
                    alive: row.try_get(5)?,
                    silent_secs: row.try_get(6)?,
                    accounts: row.try_get(7)?,
                })
            },
            mapper: |it| ListDaemons::from(it),
        }
    }
}
pub struct CountAccountsWithoutDaemonStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_accounts_without_daemon() -> CountAccountsWithoutDaemonStmt {
    CountAccountsWithoutDaemonStmt(
        "SELECT count(*) AS accounts FROM whatsapp_accounts a WHERE a.id = ANY (ARRAY( SELECT active.id FROM whatsapp_accounts active WHERE account_is_active(active.status, active.linking_keyring_id, active.desired) UNION SELECT t.account_id FROM unlink_tickets t)) AND NOT EXISTS (SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())",
        None,
    )
}
impl CountAccountsWithoutDaemonStmt {
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
pub struct CountOrphansStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_orphans() -> CountOrphansStmt {
    CountOrphansStmt(
        "SELECT (SELECT count(*) FROM keyrings k WHERE NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE k.id IN (a.keyring_id, a.linking_keyring_id)) AND NOT EXISTS (SELECT FROM unlink_tickets t WHERE t.keyring_id = k.id)) AS keyrings, (SELECT count(*) FROM credentials c JOIN keyrings k ON k.id = c.keyring_id WHERE c.account_id <> k.account_id) AS credentials, (SELECT count(*) FROM whatsapp_accounts a WHERE a.keyring_id IS NOT NULL AND NOT EXISTS (SELECT FROM keyrings k WHERE k.id = a.keyring_id)) AS accounts, (SELECT count(*) FROM unlink_tickets t WHERE t.next_retry_at < clock_timestamp() - make_interval(secs => $1)) AS tickets",
        None,
    )
}
impl CountOrphansStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        late_secs: &'a f64,
    ) -> CountOrphansQuery<'c, 'a, 's, C, CountOrphans, 1> {
        CountOrphansQuery {
            client,
            params: [late_secs],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CountOrphans, tokio_postgres::Error> {
                Ok(CountOrphans {
                    keyrings: row.try_get(0)?,
                    credentials: row.try_get(1)?,
                    accounts: row.try_get(2)?,
                    tickets: row.try_get(3)?,
                })
            },
            mapper: |it| CountOrphans::from(it),
        }
    }
}
pub struct ListTicketsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_tickets() -> ListTicketsStmt {
    ListTicketsStmt(
        "SELECT a.label, t.attempts, t.last_error, t.next_retry_at, t.abandon_at FROM unlink_tickets t JOIN whatsapp_accounts a ON a.id = t.account_id ORDER BY t.opened_at, t.id",
        None,
    )
}
impl ListTicketsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ListTicketsQuery<'c, 'a, 's, C, ListTickets, 0> {
        ListTicketsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListTicketsBorrowed, tokio_postgres::Error> {
                Ok(ListTicketsBorrowed {
                    label: row.try_get(0)?,
                    attempts: row.try_get(1)?,
                    last_error: row.try_get(2)?,
                    next_retry_at: row.try_get(3)?,
                    abandon_at: row.try_get(4)?,
                })
            },
            mapper: |it| ListTickets::from(it),
        }
    }
}
pub struct ListHeldAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_held_accounts() -> ListHeldAccountsStmt {
    ListHeldAccountsStmt(
        "SELECT id, label, status_reason FROM whatsapp_accounts WHERE deleted_at IS NULL AND status = 'held' ORDER BY created_at, id",
        None,
    )
}
impl ListHeldAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ListHeldAccountsQuery<'c, 'a, 's, C, ListHeldAccounts, 0> {
        ListHeldAccountsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListHeldAccountsBorrowed, tokio_postgres::Error> {
                Ok(ListHeldAccountsBorrowed {
                    id: row.try_get(0)?,
                    label: row.try_get(1)?,
                    status_reason: row.try_get(2)?,
                })
            },
            mapper: |it| ListHeldAccounts::from(it),
        }
    }
}
pub struct ListOverdueAttemptsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_overdue_attempts() -> ListOverdueAttemptsStmt {
    ListOverdueAttemptsStmt(
        "SELECT id, label FROM whatsapp_accounts WHERE status = 'pending' AND pair_deadline < clock_timestamp() - make_interval(secs => $1) ORDER BY created_at, id",
        None,
    )
}
impl ListOverdueAttemptsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        late_secs: &'a f64,
    ) -> ListOverdueAttemptsQuery<'c, 'a, 's, C, ListOverdueAttempts, 1> {
        ListOverdueAttemptsQuery {
            client,
            params: [late_secs],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListOverdueAttemptsBorrowed, tokio_postgres::Error> {
                Ok(ListOverdueAttemptsBorrowed { id: row.try_get(0)?, label: row.try_get(1)? })
            },
            mapper: |it| ListOverdueAttempts::from(it),
        }
    }
}
pub struct CountWaitingStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_waiting() -> CountWaitingStmt {
    CountWaitingStmt(
        "SELECT (SELECT count(*) FROM commands WHERE state IN ('queued', 'running')) AS commands, (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 FROM commands WHERE state IN ('queued', 'running')) AS commands_secs, (SELECT count(*) FROM events WHERE NOT notified) AS events, (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 FROM events WHERE NOT notified) AS events_secs, (SELECT count(*) FROM messages WHERE state = 'waiting' AND reason <> 'lost') AS messages, (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 FROM messages WHERE state = 'waiting' AND reason <> 'lost') AS messages_secs",
        None,
    )
}
impl CountWaitingStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> CountWaitingQuery<'c, 'a, 's, C, CountWaiting, 0> {
        CountWaitingQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CountWaiting, tokio_postgres::Error> {
                Ok(CountWaiting {
                    commands: row.try_get(0)?,
                    commands_secs: row.try_get(1)?,
                    events: row.try_get(2)?,
                    events_secs: row.try_get(3)?,
                    messages: row.try_get(4)?,
                    messages_secs: row.try_get(5)?,
                })
            },
            mapper: |it| CountWaiting::from(it),
        }
    }
}
pub struct ListSilentConsumersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_silent_consumers() -> ListSilentConsumersStmt {
    ListSilentConsumersStmt("SELECT consumer, heard_at FROM list_consumers() WHERE silent", None)
}
impl ListSilentConsumersStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ListSilentConsumersQuery<'c, 'a, 's, C, ListSilentConsumers, 0> {
        ListSilentConsumersQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListSilentConsumersBorrowed, tokio_postgres::Error> {
                Ok(ListSilentConsumersBorrowed { consumer: row.try_get(0)?, heard_at: row.try_get(1)? })
            },
            mapper: |it| ListSilentConsumers::from(it),
        }
    }
}
