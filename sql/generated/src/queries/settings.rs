// This file was generated with `clorinde`. Do not modify.

#[derive(Clone, Copy, Debug)]
pub struct LoadConnectionSettingsParams {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
}
#[derive(Debug)]
pub struct GetProxyLoginParams<T1: crate::StringSql> {
    pub account_id: uuid::Uuid,
    pub proxy: T1,
}
#[derive(Debug)]
pub struct SetProxyParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::BytesSql,
    T4: crate::StringSql,
    T5: crate::BytesSql,
> {
    pub source: T1,
    pub account_id: uuid::Uuid,
    pub id: Option<uuid::Uuid>,
    pub proxy: Option<T2>,
    pub wrapped_key: Option<T3>,
    pub master_key: Option<T4>,
    pub sealed: Option<T5>,
}
#[derive(Debug)]
pub struct SetDeviceNameParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub device_name: Option<T1>,
    pub source: T2,
    pub account_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct SetPresenceParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub presence: T1,
    pub source: T2,
    pub account_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct SetPaceParams<T1: crate::StringSql> {
    pub send_rate: f32,
    pub send_burst: i32,
    pub new_chats_per_day: Option<i32>,
    pub source: T1,
    pub account_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct SetTagsParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>, T3: crate::StringSql> {
    pub tags: T2,
    pub source: T3,
    pub account_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct ChangeTagsParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
    T5: crate::StringSql,
> {
    pub added: T2,
    pub removed: T4,
    pub source: T5,
    pub account_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct SetDesiredPhoneParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub number: Option<T1>,
    pub source: T2,
    pub account_id: uuid::Uuid,
}
#[derive(Debug, Clone, PartialEq)]
pub struct LoadConnectionSettings {
    pub proxy: Option<String>,
    pub device_name: Option<String>,
    pub presence: String,
}
pub struct LoadConnectionSettingsBorrowed<'a> {
    pub proxy: Option<&'a str>,
    pub device_name: Option<&'a str>,
    pub presence: &'a str,
}
impl<'a> From<LoadConnectionSettingsBorrowed<'a>> for LoadConnectionSettings {
    fn from(
        LoadConnectionSettingsBorrowed { proxy, device_name, presence }: LoadConnectionSettingsBorrowed<'a>,
    ) -> Self {
        Self { proxy: proxy.map(|v| v.into()), device_name: device_name.map(|v| v.into()), presence: presence.into() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetProxyLogin {
    pub id: uuid::Uuid,
    pub wrapped_key: Vec<u8>,
    pub master_key: String,
    pub sealed: Vec<u8>,
}
pub struct GetProxyLoginBorrowed<'a> {
    pub id: uuid::Uuid,
    pub wrapped_key: &'a [u8],
    pub master_key: &'a str,
    pub sealed: &'a [u8],
}
impl<'a> From<GetProxyLoginBorrowed<'a>> for GetProxyLogin {
    fn from(GetProxyLoginBorrowed { id, wrapped_key, master_key, sealed }: GetProxyLoginBorrowed<'a>) -> Self {
        Self { id, wrapped_key: wrapped_key.into(), master_key: master_key.into(), sealed: sealed.into() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct SetProxy {
    pub status: String,
    pub command_id: Option<i64>,
}
pub struct SetProxyBorrowed<'a> {
    pub status: &'a str,
    pub command_id: Option<i64>,
}
impl<'a> From<SetProxyBorrowed<'a>> for SetProxy {
    fn from(SetProxyBorrowed { status, command_id }: SetProxyBorrowed<'a>) -> Self {
        Self { status: status.into(), command_id }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct GetPace {
    pub send_rate: f32,
    pub send_burst: i32,
    pub new_chats_per_day: Option<i32>,
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct LoadConnectionSettingsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LoadConnectionSettingsBorrowed, tokio_postgres::Error>,
    mapper: fn(LoadConnectionSettingsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LoadConnectionSettingsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(LoadConnectionSettingsBorrowed) -> R,
    ) -> LoadConnectionSettingsQuery<'c, 'a, 's, C, R, N> {
        LoadConnectionSettingsQuery {
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
pub struct GetProxyLoginQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetProxyLoginBorrowed, tokio_postgres::Error>,
    mapper: fn(GetProxyLoginBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetProxyLoginQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetProxyLoginBorrowed) -> R) -> GetProxyLoginQuery<'c, 'a, 's, C, R, N> {
        GetProxyLoginQuery {
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
pub struct SetProxyQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SetProxyBorrowed, tokio_postgres::Error>,
    mapper: fn(SetProxyBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SetProxyQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SetProxyBorrowed) -> R) -> SetProxyQuery<'c, 'a, 's, C, R, N> {
        SetProxyQuery {
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
pub struct GetPaceQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetPace, tokio_postgres::Error>,
    mapper: fn(GetPace) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetPaceQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetPace) -> R) -> GetPaceQuery<'c, 'a, 's, C, R, N> {
        GetPaceQuery {
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
pub struct VecStringQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<crate::ArrayIterator<'_, &str>, tokio_postgres::Error>,
    mapper: fn(crate::ArrayIterator<'_, &str>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> VecStringQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(crate::ArrayIterator<'_, &str>) -> R) -> VecStringQuery<'c, 'a, 's, C, R, N> {
        VecStringQuery {
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
pub struct LoadConnectionSettingsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn load_connection_settings() -> LoadConnectionSettingsStmt {
    LoadConnectionSettingsStmt(
        "SELECT a.proxy, a.device_name, a.presence FROM whatsapp_accounts a JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp() WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3",
        None,
    )
}
impl LoadConnectionSettingsStmt {
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
    ) -> LoadConnectionSettingsQuery<'c, 'a, 's, C, LoadConnectionSettings, 3> {
        LoadConnectionSettingsQuery {
            client,
            params: [account, process, fence],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<LoadConnectionSettingsBorrowed, tokio_postgres::Error> {
                Ok(LoadConnectionSettingsBorrowed {
                    proxy: row.try_get(0)?,
                    device_name: row.try_get(1)?,
                    presence: row.try_get(2)?,
                })
            },
            mapper: |it| LoadConnectionSettings::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        LoadConnectionSettingsParams,
        LoadConnectionSettingsQuery<'c, 'a, 's, C, LoadConnectionSettings, 3>,
        C,
    > for LoadConnectionSettingsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a LoadConnectionSettingsParams,
    ) -> LoadConnectionSettingsQuery<'c, 'a, 's, C, LoadConnectionSettings, 3> {
        self.bind(client, &params.account, &params.process, &params.fence)
    }
}
pub struct GetProxyLoginStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_proxy_login() -> GetProxyLoginStmt {
    GetProxyLoginStmt(
        "SELECT id, wrapped_key, master_key, sealed FROM proxy_logins WHERE account_id = $1 AND proxy = $2",
        None,
    )
}
impl GetProxyLoginStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        proxy: &'a T1,
    ) -> GetProxyLoginQuery<'c, 'a, 's, C, GetProxyLogin, 2> {
        GetProxyLoginQuery {
            client,
            params: [account_id, proxy],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetProxyLoginBorrowed, tokio_postgres::Error> {
                Ok(GetProxyLoginBorrowed {
                    id: row.try_get(0)?,
                    wrapped_key: row.try_get(1)?,
                    master_key: row.try_get(2)?,
                    sealed: row.try_get(3)?,
                })
            },
            mapper: |it| GetProxyLogin::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetProxyLoginParams<T1>,
        GetProxyLoginQuery<'c, 'a, 's, C, GetProxyLogin, 2>,
        C,
    > for GetProxyLoginStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetProxyLoginParams<T1>,
    ) -> GetProxyLoginQuery<'c, 'a, 's, C, GetProxyLogin, 2> {
        self.bind(client, &params.account_id, &params.proxy)
    }
}
pub struct SetProxyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_proxy() -> SetProxyStmt {
    SetProxyStmt(
        "WITH before AS ( SELECT a.id, a.proxy, a.status FROM whatsapp_accounts a, (SELECT set_config('paird.source', $1::text, true) AS source) AS claimed WHERE a.id = $2 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL FOR UPDATE OF a ), login AS ( INSERT INTO proxy_logins AS l (id, account_id, proxy, wrapped_key, master_key, sealed) SELECT $3::uuid, before.id, $4::text, $5::bytea, $6::text, $7::bytea FROM before WHERE $7::bytea IS NOT NULL ON CONFLICT (account_id) DO UPDATE SET id = excluded.id, proxy = excluded.proxy, wrapped_key = excluded.wrapped_key, master_key = excluded.master_key, sealed = excluded.sealed ), no_login AS ( DELETE FROM proxy_logins l USING before WHERE l.account_id = before.id AND $7::bytea IS NULL RETURNING l.id ), changed AS ( UPDATE whatsapp_accounts a SET proxy = $4 FROM before WHERE a.id = before.id ) SELECT before.status, CASE WHEN before.proxy IS NOT DISTINCT FROM $4 AND ($7::bytea IS NOT NULL OR EXISTS (SELECT FROM no_login)) AND before.status IN ('pending', 'connected', 'reconnecting', 'held') THEN send_command('account.reconnect', before.id, '{}', NULL, 'proxy') END AS command_id FROM before",
        None,
    )
}
impl SetProxyStmt {
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
        T3: crate::BytesSql,
        T4: crate::StringSql,
        T5: crate::BytesSql,
    >(
        &'s self,
        client: &'c C,
        source: &'a T1,
        account_id: &'a uuid::Uuid,
        id: &'a Option<uuid::Uuid>,
        proxy: &'a Option<T2>,
        wrapped_key: &'a Option<T3>,
        master_key: &'a Option<T4>,
        sealed: &'a Option<T5>,
    ) -> SetProxyQuery<'c, 'a, 's, C, SetProxy, 7> {
        SetProxyQuery {
            client,
            params: [source, account_id, id, proxy, wrapped_key, master_key, sealed],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SetProxyBorrowed, tokio_postgres::Error> {
                Ok(SetProxyBorrowed { status: row.try_get(0)?, command_id: row.try_get(1)? })
            },
            mapper: |it| SetProxy::from(it),
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
    T3: crate::BytesSql,
    T4: crate::StringSql,
    T5: crate::BytesSql,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetProxyParams<T1, T2, T3, T4, T5>,
        SetProxyQuery<'c, 'a, 's, C, SetProxy, 7>,
        C,
    > for SetProxyStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetProxyParams<T1, T2, T3, T4, T5>,
    ) -> SetProxyQuery<'c, 'a, 's, C, SetProxy, 7> {
        self.bind(
            client,
            &params.source,
            &params.account_id,
            &params.id,
            &params.proxy,
            &params.wrapped_key,
            &params.master_key,
            &params.sealed,
        )
    }
}
pub struct SetDeviceNameStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_device_name() -> SetDeviceNameStmt {
    SetDeviceNameStmt(
        "UPDATE whatsapp_accounts a SET device_name = $1 FROM (SELECT set_config('paird.source', $2::text, true) AS source) AS claimed WHERE a.id = $3 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.id",
        None,
    )
}
impl SetDeviceNameStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        device_name: &'a Option<T1>,
        source: &'a T2,
        account_id: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        UuidUuidQuery {
            client,
            params: [device_name, source, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetDeviceNameParams<T1, T2>,
        UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3>,
        C,
    > for SetDeviceNameStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetDeviceNameParams<T1, T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        self.bind(client, &params.device_name, &params.source, &params.account_id)
    }
}
pub struct SetPresenceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_presence() -> SetPresenceStmt {
    SetPresenceStmt(
        "UPDATE whatsapp_accounts a SET presence = $1 FROM (SELECT set_config('paird.source', $2::text, true) AS source) AS claimed WHERE a.id = $3 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.id",
        None,
    )
}
impl SetPresenceStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        presence: &'a T1,
        source: &'a T2,
        account_id: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        UuidUuidQuery {
            client,
            params: [presence, source, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, SetPresenceParams<T1, T2>, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3>, C>
    for SetPresenceStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetPresenceParams<T1, T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        self.bind(client, &params.presence, &params.source, &params.account_id)
    }
}
pub struct GetPaceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_pace() -> GetPaceStmt {
    GetPaceStmt(
        "SELECT a.send_rate, a.send_burst, a.new_chats_per_day FROM whatsapp_accounts a WHERE a.id = $1 AND a.deleted_at IS NULL",
        None,
    )
}
impl GetPaceStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
    ) -> GetPaceQuery<'c, 'a, 's, C, GetPace, 1> {
        GetPaceQuery {
            client,
            params: [account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetPace, tokio_postgres::Error> {
                Ok(GetPace {
                    send_rate: row.try_get(0)?,
                    send_burst: row.try_get(1)?,
                    new_chats_per_day: row.try_get(2)?,
                })
            },
            mapper: |it| GetPace::from(it),
        }
    }
}
pub struct SetPaceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_pace() -> SetPaceStmt {
    SetPaceStmt(
        "UPDATE whatsapp_accounts a SET send_rate = $1, send_burst = $2, new_chats_per_day = $3 FROM (SELECT set_config('paird.source', $4::text, true) AS source) AS claimed WHERE a.id = $5 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.id",
        None,
    )
}
impl SetPaceStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        send_rate: &'a f32,
        send_burst: &'a i32,
        new_chats_per_day: &'a Option<i32>,
        source: &'a T1,
        account_id: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 5> {
        UuidUuidQuery {
            client,
            params: [send_rate, send_burst, new_chats_per_day, source, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, SetPaceParams<T1>, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 5>, C>
    for SetPaceStmt
{
    fn params(&'s self, client: &'c C, params: &'a SetPaceParams<T1>) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 5> {
        self.bind(
            client,
            &params.send_rate,
            &params.send_burst,
            &params.new_chats_per_day,
            &params.source,
            &params.account_id,
        )
    }
}
pub struct SetTagsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_tags() -> SetTagsStmt {
    SetTagsStmt(
        "UPDATE whatsapp_accounts a SET tags = $1 FROM (SELECT set_config('paird.source', $2::text, true) AS source) AS claimed WHERE a.id = $3 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.tags",
        None,
    )
}
impl SetTagsStmt {
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
    >(
        &'s self,
        client: &'c C,
        tags: &'a T2,
        source: &'a T3,
        account_id: &'a uuid::Uuid,
    ) -> VecStringQuery<'c, 'a, 's, C, Vec<String>, 3> {
        VecStringQuery {
            client,
            params: [tags, source, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.map(|v| v.into()).collect(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>, T3: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetTagsParams<T1, T2, T3>,
        VecStringQuery<'c, 'a, 's, C, Vec<String>, 3>,
        C,
    > for SetTagsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetTagsParams<T1, T2, T3>,
    ) -> VecStringQuery<'c, 'a, 's, C, Vec<String>, 3> {
        self.bind(client, &params.tags, &params.source, &params.account_id)
    }
}
pub struct ChangeTagsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn change_tags() -> ChangeTagsStmt {
    ChangeTagsStmt(
        "UPDATE whatsapp_accounts a SET tags = changed_tags(a.tags, $1, $2) FROM (SELECT set_config('paird.source', $3::text, true) AS source) AS claimed WHERE a.id = $4 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.tags",
        None,
    )
}
impl ChangeTagsStmt {
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
    >(
        &'s self,
        client: &'c C,
        added: &'a T2,
        removed: &'a T4,
        source: &'a T5,
        account_id: &'a uuid::Uuid,
    ) -> VecStringQuery<'c, 'a, 's, C, Vec<String>, 4> {
        VecStringQuery {
            client,
            params: [added, removed, source, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.map(|v| v.into()).collect(),
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
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ChangeTagsParams<T1, T2, T3, T4, T5>,
        VecStringQuery<'c, 'a, 's, C, Vec<String>, 4>,
        C,
    > for ChangeTagsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ChangeTagsParams<T1, T2, T3, T4, T5>,
    ) -> VecStringQuery<'c, 'a, 's, C, Vec<String>, 4> {
        self.bind(client, &params.added, &params.removed, &params.source, &params.account_id)
    }
}
pub struct SetDesiredPhoneStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_desired_phone() -> SetDesiredPhoneStmt {
    SetDesiredPhoneStmt(
        "UPDATE whatsapp_accounts a SET desired_phone = $1 FROM (SELECT set_config('paird.source', $2::text, true) AS source) AS claimed WHERE a.id = $3 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.id",
        None,
    )
}
impl SetDesiredPhoneStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        number: &'a Option<T1>,
        source: &'a T2,
        account_id: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        UuidUuidQuery {
            client,
            params: [number, source, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetDesiredPhoneParams<T1, T2>,
        UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3>,
        C,
    > for SetDesiredPhoneStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetDesiredPhoneParams<T1, T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        self.bind(client, &params.number, &params.source, &params.account_id)
    }
}
