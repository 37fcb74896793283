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
pub struct LoadAccountParams {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
}
#[derive(Debug)]
pub struct ClaimNumberParams<T1: crate::StringSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub phone: T1,
}
#[derive(Clone, Copy, Debug)]
pub struct GetUnreadAccountParams {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
}
#[derive(Debug)]
pub struct HoldAccountParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql, T4: crate::StringSql> {
    pub reason: T1,
    pub desired: T2,
    pub phone_number: Option<T3>,
    pub last_phone_number: Option<T4>,
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
}
#[derive(Clone, Copy, Debug)]
pub struct ListStaleAttemptsParams {
    pub now: chrono::DateTime<chrono::FixedOffset>,
    pub process: uuid::Uuid,
    pub oldest: chrono::DateTime<chrono::FixedOffset>,
}
#[derive(Clone, Copy, Debug)]
pub struct ParkStaleAttemptsParams {
    pub now: chrono::DateTime<chrono::FixedOffset>,
    pub process: uuid::Uuid,
    pub oldest: chrono::DateTime<chrono::FixedOffset>,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct SurveyFleet {
    pub needing: i64,
    pub daemons: i64,
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
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimNumber {
    pub granted: bool,
    pub existing_label: Option<String>,
}
pub struct ClaimNumberBorrowed<'a> {
    pub granted: bool,
    pub existing_label: Option<&'a str>,
}
impl<'a> From<ClaimNumberBorrowed<'a>> for ClaimNumber {
    fn from(ClaimNumberBorrowed { granted, existing_label }: ClaimNumberBorrowed<'a>) -> Self {
        Self { granted, existing_label: existing_label.map(|v| v.into()) }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetUnreadAccount {
    pub desired: String,
    pub phone_number: Option<String>,
    pub last_phone_number: Option<String>,
    pub deleted: bool,
    pub linked: bool,
}
pub struct GetUnreadAccountBorrowed<'a> {
    pub desired: &'a str,
    pub phone_number: Option<&'a str>,
    pub last_phone_number: Option<&'a str>,
    pub deleted: bool,
    pub linked: bool,
}
impl<'a> From<GetUnreadAccountBorrowed<'a>> for GetUnreadAccount {
    fn from(
        GetUnreadAccountBorrowed {
            desired,
            phone_number,
            last_phone_number,
            deleted,
            linked,
        }: GetUnreadAccountBorrowed<'a>,
    ) -> Self {
        Self {
            desired: desired.into(),
            phone_number: phone_number.map(|v| v.into()),
            last_phone_number: last_phone_number.map(|v| v.into()),
            deleted,
            linked,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListStaleAttempts {
    pub id: uuid::Uuid,
    pub label: String,
    pub past_deadline: bool,
}
pub struct ListStaleAttemptsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub label: &'a str,
    pub past_deadline: bool,
}
impl<'a> From<ListStaleAttemptsBorrowed<'a>> for ListStaleAttempts {
    fn from(ListStaleAttemptsBorrowed { id, label, past_deadline }: ListStaleAttemptsBorrowed<'a>) -> Self {
        Self { id, label: label.into(), past_deadline }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ParkStaleAttempts {
    pub id: uuid::Uuid,
    pub label: String,
    pub past_deadline: bool,
}
pub struct ParkStaleAttemptsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub label: &'a str,
    pub past_deadline: bool,
}
impl<'a> From<ParkStaleAttemptsBorrowed<'a>> for ParkStaleAttempts {
    fn from(ParkStaleAttemptsBorrowed { id, label, past_deadline }: ParkStaleAttemptsBorrowed<'a>) -> Self {
        Self { id, label: label.into(), past_deadline }
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
pub struct ClaimNumberQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ClaimNumberBorrowed, tokio_postgres::Error>,
    mapper: fn(ClaimNumberBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ClaimNumberQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ClaimNumberBorrowed) -> R) -> ClaimNumberQuery<'c, 'a, 's, C, R, N> {
        ClaimNumberQuery {
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
pub struct GetUnreadAccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetUnreadAccountBorrowed, tokio_postgres::Error>,
    mapper: fn(GetUnreadAccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetUnreadAccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetUnreadAccountBorrowed) -> R) -> GetUnreadAccountQuery<'c, 'a, 's, C, R, N> {
        GetUnreadAccountQuery {
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
pub struct ListStaleAttemptsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListStaleAttemptsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListStaleAttemptsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListStaleAttemptsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListStaleAttemptsBorrowed) -> R) -> ListStaleAttemptsQuery<'c, 'a, 's, C, R, N> {
        ListStaleAttemptsQuery {
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
pub struct ParkStaleAttemptsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ParkStaleAttemptsBorrowed, tokio_postgres::Error>,
    mapper: fn(ParkStaleAttemptsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ParkStaleAttemptsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ParkStaleAttemptsBorrowed) -> R) -> ParkStaleAttemptsQuery<'c, 'a, 's, C, R, N> {
        ParkStaleAttemptsQuery {
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
        "SELECT (SELECT count(*) FROM whatsapp_accounts a WHERE needs_daemon(a)) AS needing, (SELECT count(*) FROM processes p WHERE p.expires_at > clock_timestamp() AND NOT p.draining) AS daemons",
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
                Ok(SurveyFleet { needing: row.try_get(0)?, daemons: row.try_get(1)? })
            },
            mapper: |it| SurveyFleet::from(it),
        }
    }
}
pub struct ClaimAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn claim_accounts() -> ClaimAccountsStmt {
    ClaimAccountsStmt(
        "WITH free AS ( SELECT a.id FROM whatsapp_accounts a WHERE (a.owner IS NULL OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())) AND needs_daemon(a) AND EXISTS (SELECT FROM processes me WHERE me.id = $1 AND me.expires_at > clock_timestamp() AND NOT me.draining) ORDER BY NOT EXISTS (SELECT FROM commands c WHERE c.account_id = a.id AND c.state IN ('queued', 'running')), a.id LIMIT $2 FOR UPDATE OF a SKIP LOCKED ), claimed AS ( UPDATE whatsapp_accounts a SET owner = $1, fence = a.fence + 1 FROM free WHERE a.id = free.id RETURNING a.id ), requeued AS ( UPDATE commands c SET state = 'queued', started_at = NULL FROM claimed WHERE c.account_id = claimed.id AND c.state = 'running' ) SELECT id FROM claimed",
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
pub struct ListOwnedAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_owned_accounts() -> ListOwnedAccountsStmt {
    ListOwnedAccountsStmt(
        "SELECT a.id, a.fence, unfinished.active, a.status <> 'pending' AND a.linking_keyring_id IS NULL AS movable, pending.tickets FROM whatsapp_accounts a, LATERAL (SELECT a.status IN ('pending', 'deleting') OR a.linking_keyring_id IS NOT NULL OR (a.desired = 'paired' AND a.status <> 'unpaired') AS active) AS unfinished, LATERAL (SELECT coalesce(array_agg(t.id ORDER BY t.opened_at, t.id), '{}') AS tickets FROM unlink_tickets t WHERE t.account_id = a.id) AS pending WHERE a.owner = $1 AND EXISTS (SELECT FROM processes me WHERE me.id = $1 AND me.expires_at > clock_timestamp()) ORDER BY a.created_at, a.id",
        None,
    )
}
impl ListOwnedAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
    ) -> ListOwnedAccountsQuery<'c, 'a, 's, C, ListOwnedAccounts, 1> {
        ListOwnedAccountsQuery {
            client,
            params: [process],
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
pub struct LoadAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn load_account() -> LoadAccountStmt {
    LoadAccountStmt(
        "SELECT id, operator_id, label, fence, status, status_reason, status_since, desired, next_retry_at, phone_number, last_phone_number, device_jid, pair_deadline, pair_method, pair_phone, expect_phone, keyring_id, linking_keyring_id, deleted_at, groups_synced_at FROM whatsapp_accounts WHERE id = $1 AND owner = $2",
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
pub struct ClaimNumberStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn claim_number() -> ClaimNumberStmt {
    ClaimNumberStmt(
        "WITH me AS ( SELECT id, operator_id FROM whatsapp_accounts WHERE id = $1 AND owner = $2 AND fence = $3 ), incumbent AS ( SELECT a.label FROM whatsapp_accounts a JOIN me ON a.operator_id = me.operator_id AND a.id <> me.id WHERE a.phone_number = $4 AND a.deleted_at IS NULL ORDER BY a.created_at, a.id LIMIT 1 ), granted AS ( UPDATE whatsapp_accounts a SET phone_number = $4 WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND NOT EXISTS (SELECT FROM incumbent) RETURNING a.id ) SELECT EXISTS (SELECT FROM granted) AS granted, (SELECT label FROM incumbent) AS existing_label",
        None,
    )
}
impl ClaimNumberStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        phone: &'a T1,
    ) -> ClaimNumberQuery<'c, 'a, 's, C, ClaimNumber, 4> {
        ClaimNumberQuery {
            client,
            params: [account, process, fence, phone],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ClaimNumberBorrowed, tokio_postgres::Error> {
                Ok(ClaimNumberBorrowed { granted: row.try_get(0)?, existing_label: row.try_get(1)? })
            },
            mapper: |it| ClaimNumber::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ClaimNumberParams<T1>, ClaimNumberQuery<'c, 'a, 's, C, ClaimNumber, 4>, C>
    for ClaimNumberStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ClaimNumberParams<T1>,
    ) -> ClaimNumberQuery<'c, 'a, 's, C, ClaimNumber, 4> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.phone)
    }
}
pub struct GetUnreadAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_unread_account() -> GetUnreadAccountStmt {
    GetUnreadAccountStmt(
        "SELECT desired, phone_number, last_phone_number, deleted_at IS NOT NULL AS deleted, keyring_id IS NOT NULL AS linked FROM whatsapp_accounts WHERE id = $1 AND owner = $2",
        None,
    )
}
impl GetUnreadAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
    ) -> GetUnreadAccountQuery<'c, 'a, 's, C, GetUnreadAccount, 2> {
        GetUnreadAccountQuery {
            client,
            params: [account, process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetUnreadAccountBorrowed, tokio_postgres::Error> {
                Ok(GetUnreadAccountBorrowed {
                    desired: row.try_get(0)?,
                    phone_number: row.try_get(1)?,
                    last_phone_number: row.try_get(2)?,
                    deleted: row.try_get(3)?,
                    linked: row.try_get(4)?,
                })
            },
            mapper: |it| GetUnreadAccount::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetUnreadAccountParams,
        GetUnreadAccountQuery<'c, 'a, 's, C, GetUnreadAccount, 2>,
        C,
    > for GetUnreadAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetUnreadAccountParams,
    ) -> GetUnreadAccountQuery<'c, 'a, 's, C, GetUnreadAccount, 2> {
        self.bind(client, &params.account, &params.process)
    }
}
pub struct HoldAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn hold_account() -> HoldAccountStmt {
    HoldAccountStmt(
        "WITH held AS ( UPDATE whatsapp_accounts a SET status = 'held', status_reason = $1, status_since = clock_timestamp(), next_retry_at = NULL, last_qr_png = NULL, last_qr_at = NULL, qr_expires_at = NULL, pair_code = NULL, pair_deadline = NULL, pair_method = 'qr', pair_phone = NULL, expect_phone = NULL, desired = $2, phone_number = $3, last_phone_number = $4, event_seq = a.event_seq + CASE WHEN before.status = 'pending' THEN 2 ELSE 1 END FROM (SELECT * FROM whatsapp_accounts WHERE id = $5 FOR UPDATE) AS before WHERE a.id = before.id AND a.owner = $6 AND (before.status, before.status_reason, before.desired, before.phone_number, before.last_phone_number, before.pair_method, before.pair_phone, before.expect_phone) IS DISTINCT FROM ('held', $1::text, $2::text, $3::text, $4::text, 'qr', NULL::text, NULL::text) RETURNING a.id, a.event_seq, before.status AS former ), told AS ( INSERT INTO events (account_id, seq, kind, payload) SELECT id, event_seq - 1, 'session.failed', jsonb_build_object('reason', $1::text) FROM held WHERE former = 'pending' UNION ALL SELECT id, event_seq, 'session.held', jsonb_build_object('reason', $1::text, 'until', NULL) FROM held ) SELECT EXISTS (SELECT FROM whatsapp_accounts WHERE id = $5 AND owner = $6) AS owned FROM (SELECT count(*) FROM held) AS done",
        None,
    )
}
impl HoldAccountStmt {
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
    >(
        &'s self,
        client: &'c C,
        reason: &'a T1,
        desired: &'a T2,
        phone_number: &'a Option<T3>,
        last_phone_number: &'a Option<T4>,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 6> {
        BoolQuery {
            client,
            params: [reason, desired, phone_number, last_phone_number, account, process],
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
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
> crate::client::async_::Params<'c, 'a, 's, HoldAccountParams<T1, T2, T3, T4>, BoolQuery<'c, 'a, 's, C, bool, 6>, C>
    for HoldAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a HoldAccountParams<T1, T2, T3, T4>,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 6> {
        self.bind(
            client,
            &params.reason,
            &params.desired,
            &params.phone_number,
            &params.last_phone_number,
            &params.account,
            &params.process,
        )
    }
}
pub struct ListStaleAttemptsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_stale_attempts() -> ListStaleAttemptsStmt {
    ListStaleAttemptsStmt(
        "SELECT id, label, pair_deadline IS NOT NULL AND pair_deadline <= $1 AS past_deadline FROM whatsapp_accounts WHERE (owner = $2 OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = owner AND p.expires_at > clock_timestamp())) AND status = 'pending' AND (pair_deadline <= $1 OR status_since <= $3) ORDER BY created_at, id",
        None,
    )
}
impl ListStaleAttemptsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        now: &'a chrono::DateTime<chrono::FixedOffset>,
        process: &'a uuid::Uuid,
        oldest: &'a chrono::DateTime<chrono::FixedOffset>,
    ) -> ListStaleAttemptsQuery<'c, 'a, 's, C, ListStaleAttempts, 3> {
        ListStaleAttemptsQuery {
            client,
            params: [now, process, oldest],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListStaleAttemptsBorrowed, tokio_postgres::Error> {
                Ok(ListStaleAttemptsBorrowed {
                    id: row.try_get(0)?,
                    label: row.try_get(1)?,
                    past_deadline: row.try_get(2)?,
                })
            },
            mapper: |it| ListStaleAttempts::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListStaleAttemptsParams,
        ListStaleAttemptsQuery<'c, 'a, 's, C, ListStaleAttempts, 3>,
        C,
    > for ListStaleAttemptsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListStaleAttemptsParams,
    ) -> ListStaleAttemptsQuery<'c, 'a, 's, C, ListStaleAttempts, 3> {
        self.bind(client, &params.now, &params.process, &params.oldest)
    }
}
pub struct ParkStaleAttemptsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn park_stale_attempts() -> ParkStaleAttemptsStmt {
    ParkStaleAttemptsStmt(
        "WITH stale AS ( SELECT id, linking_keyring_id AS linking, pair_deadline IS NOT NULL AND pair_deadline <= $1 AS past_deadline FROM whatsapp_accounts WHERE (owner = $2 OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = owner AND p.expires_at > clock_timestamp())) AND status = 'pending' AND (pair_deadline <= $1 OR status_since <= $3) ORDER BY id FOR UPDATE ), parked AS ( UPDATE whatsapp_accounts a SET status = 'unpaired', status_reason = 'timeout', status_since = $1, next_retry_at = NULL, desired = 'unpaired', phone_number = NULL, last_qr_png = NULL, last_qr_at = NULL, qr_expires_at = NULL, pair_code = NULL, pair_deadline = NULL, pair_method = 'qr', pair_phone = NULL, expect_phone = NULL, linking_keyring_id = NULL, fence = a.fence + 1, event_seq = a.event_seq + 1 FROM stale WHERE a.id = stale.id RETURNING a.id, a.label, a.event_seq, a.created_at, stale.linking, stale.past_deadline ), told AS ( INSERT INTO events (account_id, seq, kind) SELECT id, event_seq, 'session.timeout' FROM parked ), ticketed AS ( INSERT INTO unlink_tickets (account_id, keyring_id, reason, source) SELECT parked.id, k.id, 'timeout', 'paird' FROM parked JOIN keyrings k ON k.id = parked.linking ON CONFLICT (keyring_id) DO NOTHING ) SELECT id, label, past_deadline FROM parked ORDER BY created_at, id",
        None,
    )
}
impl ParkStaleAttemptsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        now: &'a chrono::DateTime<chrono::FixedOffset>,
        process: &'a uuid::Uuid,
        oldest: &'a chrono::DateTime<chrono::FixedOffset>,
    ) -> ParkStaleAttemptsQuery<'c, 'a, 's, C, ParkStaleAttempts, 3> {
        ParkStaleAttemptsQuery {
            client,
            params: [now, process, oldest],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ParkStaleAttemptsBorrowed, tokio_postgres::Error> {
                Ok(ParkStaleAttemptsBorrowed {
                    id: row.try_get(0)?,
                    label: row.try_get(1)?,
                    past_deadline: row.try_get(2)?,
                })
            },
            mapper: |it| ParkStaleAttempts::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ParkStaleAttemptsParams,
        ParkStaleAttemptsQuery<'c, 'a, 's, C, ParkStaleAttempts, 3>,
        C,
    > for ParkStaleAttemptsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ParkStaleAttemptsParams,
    ) -> ParkStaleAttemptsQuery<'c, 'a, 's, C, ParkStaleAttempts, 3> {
        self.bind(client, &params.now, &params.process, &params.oldest)
    }
}
