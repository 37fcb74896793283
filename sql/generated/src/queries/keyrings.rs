// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct ListKeyringsToRewrapParams<T1: crate::StringSql> {
    pub newest: T1,
    pub after: uuid::Uuid,
    pub batch: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ListKeyringsParams {
    pub after: uuid::Uuid,
    pub batch: i64,
}
#[derive(Debug)]
pub struct RewrapKeyringsParams<
    T1: crate::ArraySql<Item = uuid::Uuid>,
    T2: crate::BytesSql,
    T3: crate::ArraySql<Item = T2>,
    T4: crate::BytesSql,
    T5: crate::ArraySql<Item = T4>,
    T6: crate::StringSql,
> {
    pub ids: T1,
    pub wrapped_keys: T3,
    pub former_keys: T5,
    pub newest: T6,
}
#[derive(Debug)]
pub struct OpenKeyringParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub account_id: uuid::Uuid,
    pub owner: uuid::Uuid,
    pub fence: i64,
    pub opening: uuid::Uuid,
    pub keyring_id: uuid::Uuid,
    pub device_kind: T1,
    pub device_name: T2,
}
#[derive(Debug, Clone, PartialEq)]
pub struct CountKeyringsByMasterKey {
    pub master_key: String,
    pub keyrings: i64,
}
pub struct CountKeyringsByMasterKeyBorrowed<'a> {
    pub master_key: &'a str,
    pub keyrings: i64,
}
impl<'a> From<CountKeyringsByMasterKeyBorrowed<'a>> for CountKeyringsByMasterKey {
    fn from(CountKeyringsByMasterKeyBorrowed { master_key, keyrings }: CountKeyringsByMasterKeyBorrowed<'a>) -> Self {
        Self { master_key: master_key.into(), keyrings }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListKeyringsToRewrap {
    pub id: uuid::Uuid,
    pub account_id: uuid::Uuid,
    pub label: String,
    pub wrapped_key: Vec<u8>,
    pub master_key: String,
}
pub struct ListKeyringsToRewrapBorrowed<'a> {
    pub id: uuid::Uuid,
    pub account_id: uuid::Uuid,
    pub label: &'a str,
    pub wrapped_key: &'a [u8],
    pub master_key: &'a str,
}
impl<'a> From<ListKeyringsToRewrapBorrowed<'a>> for ListKeyringsToRewrap {
    fn from(
        ListKeyringsToRewrapBorrowed { id, account_id, label, wrapped_key, master_key }: ListKeyringsToRewrapBorrowed<
            'a,
        >,
    ) -> Self {
        Self { id, account_id, label: label.into(), wrapped_key: wrapped_key.into(), master_key: master_key.into() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListKeyrings {
    pub id: uuid::Uuid,
    pub account_id: uuid::Uuid,
    pub label: String,
    pub wrapped_key: Vec<u8>,
    pub master_key: String,
}
pub struct ListKeyringsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub account_id: uuid::Uuid,
    pub label: &'a str,
    pub wrapped_key: &'a [u8],
    pub master_key: &'a str,
}
impl<'a> From<ListKeyringsBorrowed<'a>> for ListKeyrings {
    fn from(ListKeyringsBorrowed { id, account_id, label, wrapped_key, master_key }: ListKeyringsBorrowed<'a>) -> Self {
        Self { id, account_id, label: label.into(), wrapped_key: wrapped_key.into(), master_key: master_key.into() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct OpenKeyring {
    pub held: bool,
    pub found: bool,
    pub wrapped_key: Option<Vec<u8>>,
    pub master_key: Option<String>,
    pub epoch: Option<i64>,
    pub device: Option<Vec<u8>>,
}
pub struct OpenKeyringBorrowed<'a> {
    pub held: bool,
    pub found: bool,
    pub wrapped_key: Option<&'a [u8]>,
    pub master_key: Option<&'a str>,
    pub epoch: Option<i64>,
    pub device: Option<&'a [u8]>,
}
impl<'a> From<OpenKeyringBorrowed<'a>> for OpenKeyring {
    fn from(
        OpenKeyringBorrowed { held, found, wrapped_key, master_key, epoch, device }: OpenKeyringBorrowed<'a>,
    ) -> Self {
        Self {
            held,
            found,
            wrapped_key: wrapped_key.map(|v| v.into()),
            master_key: master_key.map(|v| v.into()),
            epoch,
            device: device.map(|v| v.into()),
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct CountKeyringsByMasterKeyQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CountKeyringsByMasterKeyBorrowed, tokio_postgres::Error>,
    mapper: fn(CountKeyringsByMasterKeyBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CountKeyringsByMasterKeyQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(CountKeyringsByMasterKeyBorrowed) -> R,
    ) -> CountKeyringsByMasterKeyQuery<'c, 'a, 's, C, R, N> {
        CountKeyringsByMasterKeyQuery {
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
pub struct OptionboolQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Option<bool>, tokio_postgres::Error>,
    mapper: fn(Option<bool>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> OptionboolQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(Option<bool>) -> R) -> OptionboolQuery<'c, 'a, 's, C, R, N> {
        OptionboolQuery {
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
pub struct ListKeyringsToRewrapQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListKeyringsToRewrapBorrowed, tokio_postgres::Error>,
    mapper: fn(ListKeyringsToRewrapBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListKeyringsToRewrapQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(ListKeyringsToRewrapBorrowed) -> R,
    ) -> ListKeyringsToRewrapQuery<'c, 'a, 's, C, R, N> {
        ListKeyringsToRewrapQuery {
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
pub struct ListKeyringsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListKeyringsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListKeyringsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListKeyringsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListKeyringsBorrowed) -> R) -> ListKeyringsQuery<'c, 'a, 's, C, R, N> {
        ListKeyringsQuery {
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
pub struct OpenKeyringQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<OpenKeyringBorrowed, tokio_postgres::Error>,
    mapper: fn(OpenKeyringBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> OpenKeyringQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(OpenKeyringBorrowed) -> R) -> OpenKeyringQuery<'c, 'a, 's, C, R, N> {
        OpenKeyringQuery {
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
pub struct CountKeyringsByMasterKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_keyrings_by_master_key() -> CountKeyringsByMasterKeyStmt {
    CountKeyringsByMasterKeyStmt(
        "SELECT k.master_key, count(*) AS keyrings FROM wrapped_keys k GROUP BY k.master_key",
        None,
    )
}
impl CountKeyringsByMasterKeyStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> CountKeyringsByMasterKeyQuery<'c, 'a, 's, C, CountKeyringsByMasterKey, 0> {
        CountKeyringsByMasterKeyQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CountKeyringsByMasterKeyBorrowed, tokio_postgres::Error> {
                Ok(CountKeyringsByMasterKeyBorrowed { master_key: row.try_get(0)?, keyrings: row.try_get(1)? })
            },
            mapper: |it| CountKeyringsByMasterKey::from(it),
        }
    }
}
pub struct TryLockRotationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn try_lock_rotation() -> TryLockRotationStmt {
    TryLockRotationStmt(
        "SELECT pg_try_advisory_lock(hashtextextended('paird.keys.rotate', 0)) OR NOT EXISTS ( SELECT FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND s.datname = current_database() AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('paird.keys.rotate', 0) AND has_table_privilege(s.usesysid, 'keyrings', 'UPDATE')) AS locked",
        None,
    )
}
impl TryLockRotationStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> OptionboolQuery<'c, 'a, 's, C, Option<bool>, 0> {
        OptionboolQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct ListKeyringsToRewrapStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_keyrings_to_rewrap() -> ListKeyringsToRewrapStmt {
    ListKeyringsToRewrapStmt(
        "SELECT k.id, k.account_id, a.label, k.wrapped_key, k.master_key FROM wrapped_keys k JOIN whatsapp_accounts a ON a.id = k.account_id WHERE k.master_key <> $1 AND k.id > $2 ORDER BY k.id LIMIT $3",
        None,
    )
}
impl ListKeyringsToRewrapStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        newest: &'a T1,
        after: &'a uuid::Uuid,
        batch: &'a i64,
    ) -> ListKeyringsToRewrapQuery<'c, 'a, 's, C, ListKeyringsToRewrap, 3> {
        ListKeyringsToRewrapQuery {
            client,
            params: [newest, after, batch],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListKeyringsToRewrapBorrowed, tokio_postgres::Error> {
                Ok(ListKeyringsToRewrapBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    wrapped_key: row.try_get(3)?,
                    master_key: row.try_get(4)?,
                })
            },
            mapper: |it| ListKeyringsToRewrap::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListKeyringsToRewrapParams<T1>,
        ListKeyringsToRewrapQuery<'c, 'a, 's, C, ListKeyringsToRewrap, 3>,
        C,
    > for ListKeyringsToRewrapStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListKeyringsToRewrapParams<T1>,
    ) -> ListKeyringsToRewrapQuery<'c, 'a, 's, C, ListKeyringsToRewrap, 3> {
        self.bind(client, &params.newest, &params.after, &params.batch)
    }
}
pub struct ListKeyringsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_keyrings() -> ListKeyringsStmt {
    ListKeyringsStmt(
        "SELECT k.id, k.account_id, a.label, k.wrapped_key, k.master_key FROM wrapped_keys k JOIN whatsapp_accounts a ON a.id = k.account_id WHERE k.id > $1 ORDER BY k.id LIMIT $2",
        None,
    )
}
impl ListKeyringsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        after: &'a uuid::Uuid,
        batch: &'a i64,
    ) -> ListKeyringsQuery<'c, 'a, 's, C, ListKeyrings, 2> {
        ListKeyringsQuery {
            client,
            params: [after, batch],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListKeyringsBorrowed, tokio_postgres::Error> {
                Ok(ListKeyringsBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    wrapped_key: row.try_get(3)?,
                    master_key: row.try_get(4)?,
                })
            },
            mapper: |it| ListKeyrings::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ListKeyringsParams, ListKeyringsQuery<'c, 'a, 's, C, ListKeyrings, 2>, C>
    for ListKeyringsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListKeyringsParams,
    ) -> ListKeyringsQuery<'c, 'a, 's, C, ListKeyrings, 2> {
        self.bind(client, &params.after, &params.batch)
    }
}
pub struct RewrapKeyringsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn rewrap_keyrings() -> RewrapKeyringsStmt {
    RewrapKeyringsStmt(
        "WITH rewrapped AS ( SELECT r.id, r.wrapped_key, r.former_key FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS r (id, wrapped_key, former_key) ), keyring AS ( UPDATE keyrings k SET wrapped_key = r.wrapped_key, master_key = $4 FROM rewrapped r WHERE k.id = r.id AND k.wrapped_key = r.former_key RETURNING k.id ), login AS ( UPDATE proxy_logins l SET wrapped_key = r.wrapped_key, master_key = $4 FROM rewrapped r WHERE l.id = r.id AND l.wrapped_key = r.former_key RETURNING l.id ) SELECT (SELECT count(*) FROM keyring) + (SELECT count(*) FROM login) AS rewrapped",
        None,
    )
}
impl RewrapKeyringsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::ArraySql<Item = uuid::Uuid>,
        T2: crate::BytesSql,
        T3: crate::ArraySql<Item = T2>,
        T4: crate::BytesSql,
        T5: crate::ArraySql<Item = T4>,
        T6: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        ids: &'a T1,
        wrapped_keys: &'a T3,
        former_keys: &'a T5,
        newest: &'a T6,
    ) -> I64Query<'c, 'a, 's, C, i64, 4> {
        I64Query {
            client,
            params: [ids, wrapped_keys, former_keys, newest],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<
    'c,
    'a,
    's,
    C: GenericClient,
    T1: crate::ArraySql<Item = uuid::Uuid>,
    T2: crate::BytesSql,
    T3: crate::ArraySql<Item = T2>,
    T4: crate::BytesSql,
    T5: crate::ArraySql<Item = T4>,
    T6: crate::StringSql,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        RewrapKeyringsParams<T1, T2, T3, T4, T5, T6>,
        I64Query<'c, 'a, 's, C, i64, 4>,
        C,
    > for RewrapKeyringsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RewrapKeyringsParams<T1, T2, T3, T4, T5, T6>,
    ) -> I64Query<'c, 'a, 's, C, i64, 4> {
        self.bind(client, &params.ids, &params.wrapped_keys, &params.former_keys, &params.newest)
    }
}
pub struct OpenKeyringStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn open_keyring() -> OpenKeyringStmt {
    OpenKeyringStmt(
        "WITH held AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 ), opened AS ( UPDATE keyrings k SET epoch = k.epoch + 1, opened_by = $2, opening = $4 FROM held WHERE k.id = $5 AND k.account_id = held.id AND (k.opened_by IS DISTINCT FROM $2 OR k.opening < $4) RETURNING k.id, k.wrapped_key, k.master_key, k.epoch ) SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM held JOIN keyrings k ON k.account_id = held.id WHERE k.id = $5) AS found, opened.wrapped_key, opened.master_key, opened.epoch, c.sealed AS device FROM (SELECT) AS one LEFT JOIN opened ON true LEFT JOIN credentials c ON c.keyring_id = opened.id AND c.kind = $6 AND c.name = $7",
        None,
    )
}
impl OpenKeyringStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        owner: &'a uuid::Uuid,
        fence: &'a i64,
        opening: &'a uuid::Uuid,
        keyring_id: &'a uuid::Uuid,
        device_kind: &'a T1,
        device_name: &'a T2,
    ) -> OpenKeyringQuery<'c, 'a, 's, C, OpenKeyring, 7> {
        OpenKeyringQuery {
            client,
            params: [account_id, owner, fence, opening, keyring_id, device_kind, device_name],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<OpenKeyringBorrowed, tokio_postgres::Error> {
                Ok(OpenKeyringBorrowed {
                    held: row.try_get(0)?,
                    found: row.try_get(1)?,
                    wrapped_key: row.try_get(2)?,
                    master_key: row.try_get(3)?,
                    epoch: row.try_get(4)?,
                    device: row.try_get(5)?,
                })
            },
            mapper: |it| OpenKeyring::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        OpenKeyringParams<T1, T2>,
        OpenKeyringQuery<'c, 'a, 's, C, OpenKeyring, 7>,
        C,
    > for OpenKeyringStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a OpenKeyringParams<T1, T2>,
    ) -> OpenKeyringQuery<'c, 'a, 's, C, OpenKeyring, 7> {
        self.bind(
            client,
            &params.account_id,
            &params.owner,
            &params.fence,
            &params.opening,
            &params.keyring_id,
            &params.device_kind,
            &params.device_name,
        )
    }
}
