// This file was generated with `clorinde`. Do not modify.

#[derive(Clone, Copy, Debug)]
pub struct ClaimAccountsParams {
    pub process: uuid::Uuid,
    pub limit: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ReleaseAccountParams {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct RetakeAccountParams {
    pub process: uuid::Uuid,
    pub account: uuid::Uuid,
    pub fence: i64,
}
#[derive(Debug)]
pub struct ListOwnedAccountsParams<T1: crate::ArraySql<Item = uuid::Uuid>> {
    pub process: uuid::Uuid,
    pub running: T1,
}
#[derive(Clone, Copy, Debug)]
pub struct LoadAccountParams {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct SurveyFleet {
    pub needing: i64,
    pub daemons: i64,
    pub least: i64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListOwnedAccounts {
    pub id: uuid::Uuid,
    pub fence: i64,
    pub active: bool,
    pub movable: bool,
    pub tickets: Vec<uuid::Uuid>,
}
pub struct ListOwnedAccountsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub fence: i64,
    pub active: bool,
    pub movable: bool,
    pub tickets: crate::ArrayIterator<'a, uuid::Uuid>,
}
impl<'a> From<ListOwnedAccountsBorrowed<'a>> for ListOwnedAccounts {
    fn from(ListOwnedAccountsBorrowed { id, fence, active, movable, tickets }: ListOwnedAccountsBorrowed<'a>) -> Self {
        Self { id, fence, active, movable, tickets: tickets.map(|v| v).collect() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct LoadAccount {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: String,
    pub fence: i64,
    pub status: String,
    pub status_reason: String,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub desired: String,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub phone_number: Option<String>,
    pub last_phone_number: Option<String>,
    pub device_jid: Option<String>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_method: String,
    pub pair_phone: Option<String>,
    pub expect_phone: Option<String>,
    pub keyring_id: Option<uuid::Uuid>,
    pub linking_keyring_id: Option<uuid::Uuid>,
    pub deleted_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub groups_synced_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub released_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub last_change: Option<uuid::Uuid>,
}
pub struct LoadAccountBorrowed<'a> {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: &'a str,
    pub fence: i64,
    pub status: &'a str,
    pub status_reason: &'a str,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub desired: &'a str,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub phone_number: Option<&'a str>,
    pub last_phone_number: Option<&'a str>,
    pub device_jid: Option<&'a str>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_method: &'a str,
    pub pair_phone: Option<&'a str>,
    pub expect_phone: Option<&'a str>,
    pub keyring_id: Option<uuid::Uuid>,
    pub linking_keyring_id: Option<uuid::Uuid>,
    pub deleted_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub groups_synced_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub released_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub last_change: Option<uuid::Uuid>,
}
impl<'a> From<LoadAccountBorrowed<'a>> for LoadAccount {
    fn from(
        LoadAccountBorrowed {
            id,
            operator_id,
            label,
            fence,
            status,
            status_reason,
            status_since,
            desired,
            next_retry_at,
            phone_number,
            last_phone_number,
            device_jid,
            pair_deadline,
            pair_method,
            pair_phone,
            expect_phone,
            keyring_id,
            linking_keyring_id,
            deleted_at,
            groups_synced_at,
            released_at,
            last_change,
        }: LoadAccountBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            operator_id,
            label: label.into(),
            fence,
            status: status.into(),
            status_reason: status_reason.into(),
            status_since,
            desired: desired.into(),
            next_retry_at,
            phone_number: phone_number.map(|v| v.into()),
            last_phone_number: last_phone_number.map(|v| v.into()),
            device_jid: device_jid.map(|v| v.into()),
            pair_deadline,
            pair_method: pair_method.into(),
            pair_phone: pair_phone.map(|v| v.into()),
            expect_phone: expect_phone.map(|v| v.into()),
            keyring_id,
            linking_keyring_id,
            deleted_at,
            groups_synced_at,
            released_at,
            last_change,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListPendingAccounts {
    pub id: uuid::Uuid,
    pub label: String,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
}
pub struct ListPendingAccountsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub label: &'a str,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
}
impl<'a> From<ListPendingAccountsBorrowed<'a>> for ListPendingAccounts {
    fn from(
        ListPendingAccountsBorrowed { id, label, status_since, pair_deadline }: ListPendingAccountsBorrowed<'a>,
    ) -> Self {
        Self { id, label: label.into(), status_since, pair_deadline }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct SurveyFleetQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SurveyFleet, tokio_postgres::Error>,
    mapper: fn(SurveyFleet) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SurveyFleetQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SurveyFleet) -> R) -> SurveyFleetQuery<'c, 'a, 's, C, R, N> {
        SurveyFleetQuery {
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
pub struct ListOwnedAccountsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListOwnedAccountsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListOwnedAccountsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListOwnedAccountsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListOwnedAccountsBorrowed) -> R) -> ListOwnedAccountsQuery<'c, 'a, 's, C, R, N> {
        ListOwnedAccountsQuery {
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
pub struct LoadAccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LoadAccountBorrowed, tokio_postgres::Error>,
    mapper: fn(LoadAccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LoadAccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(LoadAccountBorrowed) -> R) -> LoadAccountQuery<'c, 'a, 's, C, R, N> {
        LoadAccountQuery {
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
pub struct ListPendingAccountsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListPendingAccountsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListPendingAccountsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListPendingAccountsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListPendingAccountsBorrowed) -> R) -> ListPendingAccountsQuery<'c, 'a, 's, C, R, N> {
        ListPendingAccountsQuery {
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
pub struct SurveyFleetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn survey_fleet() -> SurveyFleetStmt {
    SurveyFleetStmt(
        "WITH needy AS ( SELECT a.id, a.owner FROM whatsapp_accounts a WHERE account_is_active(a.status, a.linking_keyring_id, a.desired) UNION SELECT a.id, a.owner FROM whatsapp_accounts a WHERE a.id = ANY (ARRAY(SELECT t.account_id FROM unlink_tickets t)) ), share AS ( SELECT p.id, count(needy.id) AS accounts FROM processes p LEFT JOIN needy ON needy.owner = p.id WHERE p.expires_at > clock_timestamp() AND NOT p.draining GROUP BY p.id ) SELECT (SELECT count(*) FROM needy) AS needing, (SELECT count(*) FROM share) AS daemons, (SELECT coalesce(min(share.accounts), 0) FROM share) AS least",
        None,
    )
}
impl SurveyFleetStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> SurveyFleetQuery<'c, 'a, 's, C, SurveyFleet, 0> {
        SurveyFleetQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SurveyFleet, tokio_postgres::Error> {
                Ok(SurveyFleet { needing: row.try_get(0)?, daemons: row.try_get(1)?, least: row.try_get(2)? })
            },
            mapper: |it| SurveyFleet::from(it),
        }
    }
}
pub struct ClaimAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn claim_accounts() -> ClaimAccountsStmt {
    ClaimAccountsStmt(
        "WITH candidate AS ( SELECT a.id FROM whatsapp_accounts a WHERE account_is_active(a.status, a.linking_keyring_id, a.desired) AND (a.owner IS NULL OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())) UNION SELECT t.account_id FROM unlink_tickets t ), free AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = ANY (ARRAY(SELECT candidate.id FROM candidate)) AND (a.owner IS NULL OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())) AND needs_daemon(a) AND EXISTS (SELECT FROM processes me WHERE me.id = $1 AND me.expires_at > clock_timestamp() AND NOT me.draining) ORDER BY NOT EXISTS (SELECT FROM commands c WHERE c.account_id = a.id AND c.state IN ('queued', 'running')), a.id LIMIT $2 FOR UPDATE OF a SKIP LOCKED ), claimed AS ( UPDATE whatsapp_accounts a SET owner = $1, fence = a.fence + 1 FROM free WHERE a.id = free.id RETURNING a.id ), requeued AS ( UPDATE commands c SET state = 'queued', started_at = NULL FROM claimed WHERE c.account_id = claimed.id AND c.state = 'running' ) SELECT id FROM claimed",
        None,
    )
}
impl ClaimAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        limit: &'a i64,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2> {
        UuidUuidQuery {
            client,
            params: [process, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ClaimAccountsParams, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2>, C>
    for ClaimAccountsStmt
{
    fn params(&'s self, client: &'c C, params: &'a ClaimAccountsParams) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2> {
        self.bind(client, &params.process, &params.limit)
    }
}
pub struct ReleaseAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn release_account() -> ReleaseAccountStmt {
    ReleaseAccountStmt(
        "WITH released AS ( UPDATE whatsapp_accounts SET owner = NULL WHERE id = $1 AND owner = $2 AND fence = $3 RETURNING id ), requeued AS ( UPDATE commands c SET state = 'queued', started_at = NULL FROM released WHERE c.account_id = released.id AND c.state = 'running' ) SELECT id FROM released",
        None,
    )
}
impl ReleaseAccountStmt {
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
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        UuidUuidQuery {
            client,
            params: [account, process, fence],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ReleaseAccountParams, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3>, C>
    for ReleaseAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ReleaseAccountParams,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        self.bind(client, &params.account, &params.process, &params.fence)
    }
}
pub struct RetakeAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn retake_account() -> RetakeAccountStmt {
    RetakeAccountStmt(
        "UPDATE whatsapp_accounts a SET owner = $1, fence = a.fence + 1 WHERE a.id = $2 AND a.fence = $3 AND (a.owner = $1 OR (a.owner IS NULL AND EXISTS ( SELECT FROM processes me WHERE me.id = $1 AND me.expires_at > clock_timestamp() AND NOT me.draining))) RETURNING a.id",
        None,
    )
}
impl RetakeAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        account: &'a uuid::Uuid,
        fence: &'a i64,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        UuidUuidQuery {
            client,
            params: [process, account, fence],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, RetakeAccountParams, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3>, C>
    for RetakeAccountStmt
{
    fn params(&'s self, client: &'c C, params: &'a RetakeAccountParams) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        self.bind(client, &params.process, &params.account, &params.fence)
    }
}
pub struct ListOwnedAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_owned_accounts() -> ListOwnedAccountsStmt {
    ListOwnedAccountsStmt(
        "SELECT a.id, a.fence, account_is_active(a.status, a.linking_keyring_id, a.desired) AND (a.status <> 'deleting' OR a.linking_keyring_id IS NOT NULL OR a.keyring_id IS NOT NULL OR a.pair_deadline IS NOT NULL OR pending.tickets = '{}') AS active, a.status <> 'pending' AND a.linking_keyring_id IS NULL AND coalesce(a.keyring_id <> ALL (ARRAY( SELECT k.id FROM keyrings k WHERE k.created_at > statement_timestamp() - interval '10 minutes')), true) AS movable, pending.tickets FROM whatsapp_accounts a, LATERAL (SELECT coalesce(array_agg(t.id ORDER BY t.opened_at, t.id), '{}') AS tickets FROM unlink_tickets t WHERE t.account_id = a.id) AS pending WHERE a.id = ANY (ARRAY( SELECT active.id FROM whatsapp_accounts active WHERE account_is_active(active.status, active.linking_keyring_id, active.desired) AND active.owner = $1 UNION SELECT t.account_id FROM unlink_tickets t UNION SELECT unnest($2::uuid[]))) AND a.owner = $1 AND EXISTS (SELECT FROM processes me WHERE me.id = $1 AND me.expires_at > clock_timestamp()) ORDER BY a.created_at, a.id",
        None,
    )
}
impl ListOwnedAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = uuid::Uuid>>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        running: &'a T1,
    ) -> ListOwnedAccountsQuery<'c, 'a, 's, C, ListOwnedAccounts, 2> {
        ListOwnedAccountsQuery {
            client,
            params: [process, running],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListOwnedAccountsBorrowed, tokio_postgres::Error> {
                Ok(ListOwnedAccountsBorrowed {
                    id: row.try_get(0)?,
                    fence: row.try_get(1)?,
                    active: row.try_get(2)?,
                    movable: row.try_get(3)?,
                    tickets: row.try_get(4)?,
                })
            },
            mapper: |it| ListOwnedAccounts::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = uuid::Uuid>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListOwnedAccountsParams<T1>,
        ListOwnedAccountsQuery<'c, 'a, 's, C, ListOwnedAccounts, 2>,
        C,
    > for ListOwnedAccountsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListOwnedAccountsParams<T1>,
    ) -> ListOwnedAccountsQuery<'c, 'a, 's, C, ListOwnedAccounts, 2> {
        self.bind(client, &params.process, &params.running)
    }
}
pub struct LoadAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn load_account() -> LoadAccountStmt {
    LoadAccountStmt(
        "SELECT id, operator_id, label, fence, status, status_reason, status_since, desired, next_retry_at, phone_number, last_phone_number, device_jid, pair_deadline, pair_method, pair_phone, expect_phone, keyring_id, linking_keyring_id, deleted_at, groups_synced_at, released_at, last_change FROM whatsapp_accounts WHERE id = $1 AND owner = $2",
        None,
    )
}
impl LoadAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
    ) -> LoadAccountQuery<'c, 'a, 's, C, LoadAccount, 2> {
        LoadAccountQuery {
            client,
            params: [account, process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<LoadAccountBorrowed, tokio_postgres::Error> {
                Ok(LoadAccountBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    fence: row.try_get(3)?,
                    status: row.try_get(4)?,
                    status_reason: row.try_get(5)?,
                    status_since: row.try_get(6)?,
                    desired: row.try_get(7)?,
                    next_retry_at: row.try_get(8)?,
                    phone_number: row.try_get(9)?,
                    last_phone_number: row.try_get(10)?,
                    device_jid: row.try_get(11)?,
                    pair_deadline: row.try_get(12)?,
                    pair_method: row.try_get(13)?,
                    pair_phone: row.try_get(14)?,
                    expect_phone: row.try_get(15)?,
                    keyring_id: row.try_get(16)?,
                    linking_keyring_id: row.try_get(17)?,
                    deleted_at: row.try_get(18)?,
                    groups_synced_at: row.try_get(19)?,
                    released_at: row.try_get(20)?,
                    last_change: row.try_get(21)?,
                })
            },
            mapper: |it| LoadAccount::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, LoadAccountParams, LoadAccountQuery<'c, 'a, 's, C, LoadAccount, 2>, C>
    for LoadAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a LoadAccountParams,
    ) -> LoadAccountQuery<'c, 'a, 's, C, LoadAccount, 2> {
        self.bind(client, &params.account, &params.process)
    }
}
pub struct ListPendingAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_pending_accounts() -> ListPendingAccountsStmt {
    ListPendingAccountsStmt(
        "SELECT id, label, status_since, pair_deadline FROM whatsapp_accounts WHERE (owner = $1 OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = owner AND p.expires_at > clock_timestamp())) AND status = 'pending' AND deleted_at IS NULL ORDER BY created_at, id",
        None,
    )
}
impl ListPendingAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
    ) -> ListPendingAccountsQuery<'c, 'a, 's, C, ListPendingAccounts, 1> {
        ListPendingAccountsQuery {
            client,
            params: [process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListPendingAccountsBorrowed, tokio_postgres::Error> {
                Ok(ListPendingAccountsBorrowed {
                    id: row.try_get(0)?,
                    label: row.try_get(1)?,
                    status_since: row.try_get(2)?,
                    pair_deadline: row.try_get(3)?,
                })
            },
            mapper: |it| ListPendingAccounts::from(it),
        }
    }
}
