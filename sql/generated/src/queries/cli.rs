// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct InsertAccountParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub operator_id: uuid::Uuid,
    pub label: T1,
    pub device_name: Option<T2>,
}
#[derive(Debug)]
pub struct SendCliCommandParams<T1: crate::StringSql, T2: crate::JsonSql> {
    pub kind: T1,
    pub account_id: uuid::Uuid,
    pub args: T2,
}
#[derive(Clone, Copy, Debug)]
pub struct IsPairSupersededParams {
    pub account_id: uuid::Uuid,
    pub command_id: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ListEventsOfAccountParams {
    pub account_id: uuid::Uuid,
    pub after_seq: i64,
}
#[derive(Debug)]
pub struct ListEventsAfterParams<T1: crate::ArraySql<Item = uuid::Uuid>, T2: crate::ArraySql<Item = i64>> {
    pub account_ids: T1,
    pub seqs: T2,
    pub since: i64,
    pub before: Option<i64>,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub latest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub only: Option<uuid::Uuid>,
}
#[derive(Clone, Copy, Debug)]
pub struct ListLastEventsParams {
    pub since: i64,
    pub before: Option<i64>,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub latest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub limit: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ListLastEventsOfAccountParams {
    pub account_id: uuid::Uuid,
    pub since: i64,
    pub before: Option<i64>,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub latest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub limit: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ListCheckedContactsParams {
    pub account_id: uuid::Uuid,
    pub command_id: i64,
}
#[derive(Debug)]
pub struct RenameAccountParams<T1: crate::StringSql> {
    pub label: T1,
    pub account_id: uuid::Uuid,
}
#[derive(Clone, Copy, Debug)]
pub struct ListAuditEntriesParams {
    pub account_id: Option<uuid::Uuid>,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub latest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub limit: i64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListedAccount {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: String,
    pub status: String,
    pub status_reason: String,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub desired: String,
    pub phone_number: Option<String>,
    pub last_phone_number: Option<String>,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub deleted_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub proxy: Option<String>,
    pub device_name: Option<String>,
    pub tags: Vec<String>,
    pub desired_phone: Option<String>,
    pub has_keys: bool,
}
pub struct ListedAccountBorrowed<'a> {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: &'a str,
    pub status: &'a str,
    pub status_reason: &'a str,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub desired: &'a str,
    pub phone_number: Option<&'a str>,
    pub last_phone_number: Option<&'a str>,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub deleted_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub proxy: Option<&'a str>,
    pub device_name: Option<&'a str>,
    pub tags: crate::ArrayIterator<'a, &'a str>,
    pub desired_phone: Option<&'a str>,
    pub has_keys: bool,
}
impl<'a> From<ListedAccountBorrowed<'a>> for ListedAccount {
    fn from(
        ListedAccountBorrowed {
            id,
            operator_id,
            label,
            status,
            status_reason,
            status_since,
            desired,
            phone_number,
            last_phone_number,
            next_retry_at,
            pair_deadline,
            qr_expires_at,
            created_at,
            deleted_at,
            proxy,
            device_name,
            tags,
            desired_phone,
            has_keys,
        }: ListedAccountBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            operator_id,
            label: label.into(),
            status: status.into(),
            status_reason: status_reason.into(),
            status_since,
            desired: desired.into(),
            phone_number: phone_number.map(|v| v.into()),
            last_phone_number: last_phone_number.map(|v| v.into()),
            next_retry_at,
            pair_deadline,
            qr_expires_at,
            created_at,
            deleted_at,
            proxy: proxy.map(|v| v.into()),
            device_name: device_name.map(|v| v.into()),
            tags: tags.map(|v| v.into()).collect(),
            desired_phone: desired_phone.map(|v| v.into()),
            has_keys,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    pub status: String,
    pub status_reason: String,
    pub event_seq: i64,
    pub last_qr_png: Option<String>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_code: Option<String>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
}
pub struct PairingBorrowed<'a> {
    pub status: &'a str,
    pub status_reason: &'a str,
    pub event_seq: i64,
    pub last_qr_png: Option<&'a str>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_code: Option<&'a str>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<PairingBorrowed<'a>> for Pairing {
    fn from(
        PairingBorrowed {
            status,
            status_reason,
            event_seq,
            last_qr_png,
            qr_expires_at,
            pair_code,
            pair_deadline,
            database_now,
        }: PairingBorrowed<'a>,
    ) -> Self {
        Self {
            status: status.into(),
            status_reason: status_reason.into(),
            event_seq,
            last_qr_png: last_qr_png.map(|v| v.into()),
            qr_expires_at,
            pair_code: pair_code.map(|v| v.into()),
            pair_deadline,
            database_now,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct CommandEnd {
    pub state: String,
    pub result: Option<String>,
    pub started_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
pub struct CommandEndBorrowed<'a> {
    pub state: &'a str,
    pub result: Option<&'a str>,
    pub started_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
impl<'a> From<CommandEndBorrowed<'a>> for CommandEnd {
    fn from(CommandEndBorrowed { state, result, started_at }: CommandEndBorrowed<'a>) -> Self {
        Self { state: state.into(), result: result.map(|v| v.into()), started_at }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct AccountEvent {
    pub id: i64,
    pub account_id: uuid::Uuid,
    pub seq: i64,
    pub kind: String,
    pub payload: serde_json::Value,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct AccountEventBorrowed<'a> {
    pub id: i64,
    pub account_id: uuid::Uuid,
    pub seq: i64,
    pub kind: &'a str,
    pub payload: postgres_types::Json<&'a serde_json::value::RawValue>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<AccountEventBorrowed<'a>> for AccountEvent {
    fn from(AccountEventBorrowed { id, account_id, seq, kind, payload, created_at }: AccountEventBorrowed<'a>) -> Self {
        Self {
            id,
            account_id,
            seq,
            kind: kind.into(),
            payload: serde_json::from_str(payload.0.get()).unwrap(),
            created_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListCheckedContacts {
    pub phone: String,
    pub is_on_whatsapp: bool,
    pub chat: Option<String>,
}
pub struct ListCheckedContactsBorrowed<'a> {
    pub phone: &'a str,
    pub is_on_whatsapp: bool,
    pub chat: Option<&'a str>,
}
impl<'a> From<ListCheckedContactsBorrowed<'a>> for ListCheckedContacts {
    fn from(ListCheckedContactsBorrowed { phone, is_on_whatsapp, chat }: ListCheckedContactsBorrowed<'a>) -> Self {
        Self { phone: phone.into(), is_on_whatsapp, chat: chat.map(|v| v.into()) }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListGroupsOfAccount {
    pub jid: String,
    pub subject: String,
    pub participants: i32,
    pub is_admin: bool,
    pub synced_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct ListGroupsOfAccountBorrowed<'a> {
    pub jid: &'a str,
    pub subject: &'a str,
    pub participants: i32,
    pub is_admin: bool,
    pub synced_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<ListGroupsOfAccountBorrowed<'a>> for ListGroupsOfAccount {
    fn from(
        ListGroupsOfAccountBorrowed { jid, subject, participants, is_admin, synced_at }: ListGroupsOfAccountBorrowed<
            'a,
        >,
    ) -> Self {
        Self { jid: jid.into(), subject: subject.into(), participants, is_admin, synced_at }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct CountedDaemons {
    pub live: i64,
    pub taking: i64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    pub id: i64,
    pub operator_id: Option<uuid::Uuid>,
    pub source: String,
    pub sent_by: Option<String>,
    pub channel: Option<String>,
    pub action: String,
    pub target_type: String,
    pub target_id: Option<uuid::Uuid>,
    pub payload: serde_json::Value,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct AuditRowBorrowed<'a> {
    pub id: i64,
    pub operator_id: Option<uuid::Uuid>,
    pub source: &'a str,
    pub sent_by: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub action: &'a str,
    pub target_type: &'a str,
    pub target_id: Option<uuid::Uuid>,
    pub payload: postgres_types::Json<&'a serde_json::value::RawValue>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<AuditRowBorrowed<'a>> for AuditRow {
    fn from(
        AuditRowBorrowed {
            id,
            operator_id,
            source,
            sent_by,
            channel,
            action,
            target_type,
            target_id,
            payload,
            created_at,
        }: AuditRowBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            operator_id,
            source: source.into(),
            sent_by: sent_by.map(|v| v.into()),
            channel: channel.map(|v| v.into()),
            action: action.into(),
            target_type: target_type.into(),
            target_id,
            payload: serde_json::from_str(payload.0.get()).unwrap(),
            created_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedAccount {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: String,
    pub status: String,
    pub status_reason: String,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub phone_number: Option<String>,
    pub last_phone_number: Option<String>,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub last_qr_png: Option<String>,
    pub pair_code: Option<String>,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
}
pub struct WatchedAccountBorrowed<'a> {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: &'a str,
    pub status: &'a str,
    pub status_reason: &'a str,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub phone_number: Option<&'a str>,
    pub last_phone_number: Option<&'a str>,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub last_qr_png: Option<&'a str>,
    pub pair_code: Option<&'a str>,
    pub database_now: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<WatchedAccountBorrowed<'a>> for WatchedAccount {
    fn from(
        WatchedAccountBorrowed {
            id,
            operator_id,
            label,
            status,
            status_reason,
            status_since,
            phone_number,
            last_phone_number,
            next_retry_at,
            pair_deadline,
            last_qr_png,
            pair_code,
            database_now,
        }: WatchedAccountBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            operator_id,
            label: label.into(),
            status: status.into(),
            status_reason: status_reason.into(),
            status_since,
            phone_number: phone_number.map(|v| v.into()),
            last_phone_number: last_phone_number.map(|v| v.into()),
            next_retry_at,
            pair_deadline,
            last_qr_png: last_qr_png.map(|v| v.into()),
            pair_code: pair_code.map(|v| v.into()),
            database_now,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
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
pub struct ListedAccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListedAccountBorrowed, tokio_postgres::Error>,
    mapper: fn(ListedAccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListedAccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListedAccountBorrowed) -> R) -> ListedAccountQuery<'c, 'a, 's, C, R, N> {
        ListedAccountQuery {
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
pub struct PairingQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PairingBorrowed, tokio_postgres::Error>,
    mapper: fn(PairingBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PairingQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PairingBorrowed) -> R) -> PairingQuery<'c, 'a, 's, C, R, N> {
        PairingQuery {
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
pub struct CommandEndQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CommandEndBorrowed, tokio_postgres::Error>,
    mapper: fn(CommandEndBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CommandEndQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(CommandEndBorrowed) -> R) -> CommandEndQuery<'c, 'a, 's, C, R, N> {
        CommandEndQuery {
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
pub struct AccountEventQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccountEventBorrowed, tokio_postgres::Error>,
    mapper: fn(AccountEventBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountEventQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AccountEventBorrowed) -> R) -> AccountEventQuery<'c, 'a, 's, C, R, N> {
        AccountEventQuery {
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
pub struct ListCheckedContactsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListCheckedContactsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListCheckedContactsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListCheckedContactsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListCheckedContactsBorrowed) -> R) -> ListCheckedContactsQuery<'c, 'a, 's, C, R, N> {
        ListCheckedContactsQuery {
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
pub struct ListGroupsOfAccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListGroupsOfAccountBorrowed, tokio_postgres::Error>,
    mapper: fn(ListGroupsOfAccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListGroupsOfAccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListGroupsOfAccountBorrowed) -> R) -> ListGroupsOfAccountQuery<'c, 'a, 's, C, R, N> {
        ListGroupsOfAccountQuery {
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
pub struct CountedDaemonsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CountedDaemons, tokio_postgres::Error>,
    mapper: fn(CountedDaemons) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CountedDaemonsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(CountedDaemons) -> R) -> CountedDaemonsQuery<'c, 'a, 's, C, R, N> {
        CountedDaemonsQuery {
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
pub struct AuditRowQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AuditRowBorrowed, tokio_postgres::Error>,
    mapper: fn(AuditRowBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AuditRowQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AuditRowBorrowed) -> R) -> AuditRowQuery<'c, 'a, 's, C, R, N> {
        AuditRowQuery {
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
pub struct SerdejsonValueQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor:
        fn(&tokio_postgres::Row) -> Result<postgres_types::Json<&serde_json::value::RawValue>, tokio_postgres::Error>,
    mapper: fn(postgres_types::Json<&serde_json::value::RawValue>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SerdejsonValueQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(postgres_types::Json<&serde_json::value::RawValue>) -> R,
    ) -> SerdejsonValueQuery<'c, 'a, 's, C, R, N> {
        SerdejsonValueQuery {
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
pub struct WatchedAccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<WatchedAccountBorrowed, tokio_postgres::Error>,
    mapper: fn(WatchedAccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> WatchedAccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(WatchedAccountBorrowed) -> R) -> WatchedAccountQuery<'c, 'a, 's, C, R, N> {
        WatchedAccountQuery {
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
pub struct InsertAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn insert_account() -> InsertAccountStmt {
    InsertAccountStmt(
        "INSERT INTO whatsapp_accounts (operator_id, label, device_name) SELECT $1, $2, $3 FROM (SELECT set_config('paird.source', 'cli', true) AS source) AS claimed WHERE claimed.source IS NOT NULL RETURNING id",
        None,
    )
}
impl InsertAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        operator_id: &'a uuid::Uuid,
        label: &'a T1,
        device_name: &'a Option<T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        UuidUuidQuery {
            client,
            params: [operator_id, label, device_name],
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
        InsertAccountParams<T1, T2>,
        UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3>,
        C,
    > for InsertAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertAccountParams<T1, T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        self.bind(client, &params.operator_id, &params.label, &params.device_name)
    }
}
pub struct ListListedAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_listed_accounts() -> ListListedAccountsStmt {
    ListListedAccountsStmt(
        "SELECT id, operator_id, label, status, status_reason, status_since, desired, phone_number, last_phone_number, next_retry_at, pair_deadline, qr_expires_at, created_at, deleted_at, proxy, device_name, tags, desired_phone, keyring_id IS NOT NULL AS has_keys FROM whatsapp_accounts WHERE deleted_at IS NULL ORDER BY created_at, id",
        None,
    )
}
impl ListListedAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ListedAccountQuery<'c, 'a, 's, C, ListedAccount, 0> {
        ListedAccountQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListedAccountBorrowed, tokio_postgres::Error> {
                Ok(ListedAccountBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    status: row.try_get(3)?,
                    status_reason: row.try_get(4)?,
                    status_since: row.try_get(5)?,
                    desired: row.try_get(6)?,
                    phone_number: row.try_get(7)?,
                    last_phone_number: row.try_get(8)?,
                    next_retry_at: row.try_get(9)?,
                    pair_deadline: row.try_get(10)?,
                    qr_expires_at: row.try_get(11)?,
                    created_at: row.try_get(12)?,
                    deleted_at: row.try_get(13)?,
                    proxy: row.try_get(14)?,
                    device_name: row.try_get(15)?,
                    tags: row.try_get(16)?,
                    desired_phone: row.try_get(17)?,
                    has_keys: row.try_get(18)?,
                })
            },
            mapper: |it| ListedAccount::from(it),
        }
    }
}
pub struct GetPairingStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_pairing() -> GetPairingStmt {
    GetPairingStmt(
        "SELECT status, status_reason, event_seq, last_qr_png, qr_expires_at, pair_code, pair_deadline, clock_timestamp() AS database_now FROM whatsapp_accounts WHERE id = $1",
        None,
    )
}
impl GetPairingStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
    ) -> PairingQuery<'c, 'a, 's, C, Pairing, 1> {
        PairingQuery {
            client,
            params: [account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PairingBorrowed, tokio_postgres::Error> {
                Ok(PairingBorrowed {
                    status: row.try_get(0)?,
                    status_reason: row.try_get(1)?,
                    event_seq: row.try_get(2)?,
                    last_qr_png: row.try_get(3)?,
                    qr_expires_at: row.try_get(4)?,
                    pair_code: row.try_get(5)?,
                    pair_deadline: row.try_get(6)?,
                    database_now: row.try_get(7)?,
                })
            },
            mapper: |it| Pairing::from(it),
        }
    }
}
pub struct SendCliCommandStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn send_cli_command() -> SendCliCommandStmt {
    SendCliCommandStmt("SELECT send_command($1, $2, $3, NULL, 'cli') AS command_id", None)
}
impl SendCliCommandStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::JsonSql>(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        account_id: &'a uuid::Uuid,
        args: &'a T2,
    ) -> I64Query<'c, 'a, 's, C, i64, 3> {
        I64Query {
            client,
            params: [kind, account_id, args],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::JsonSql>
    crate::client::async_::Params<'c, 'a, 's, SendCliCommandParams<T1, T2>, I64Query<'c, 'a, 's, C, i64, 3>, C>
    for SendCliCommandStmt
{
    fn params(&'s self, client: &'c C, params: &'a SendCliCommandParams<T1, T2>) -> I64Query<'c, 'a, 's, C, i64, 3> {
        self.bind(client, &params.kind, &params.account_id, &params.args)
    }
}
pub struct GetCommandEndStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_command_end() -> GetCommandEndStmt {
    GetCommandEndStmt("SELECT state, result, started_at FROM commands WHERE id = $1", None)
}
impl GetCommandEndStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        command_id: &'a i64,
    ) -> CommandEndQuery<'c, 'a, 's, C, CommandEnd, 1> {
        CommandEndQuery {
            client,
            params: [command_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CommandEndBorrowed, tokio_postgres::Error> {
                Ok(CommandEndBorrowed { state: row.try_get(0)?, result: row.try_get(1)?, started_at: row.try_get(2)? })
            },
            mapper: |it| CommandEnd::from(it),
        }
    }
}
pub struct IsPairSupersededStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn is_pair_superseded() -> IsPairSupersededStmt {
    IsPairSupersededStmt(
        "SELECT EXISTS ( SELECT FROM commands later WHERE later.account_id = $1 AND later.kind = 'account.pair' AND later.id > $2 AND later.started_at IS NOT NULL ) AS superseded",
        None,
    )
}
impl IsPairSupersededStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        command_id: &'a i64,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 2> {
        BoolQuery {
            client,
            params: [account_id, command_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, IsPairSupersededParams, BoolQuery<'c, 'a, 's, C, bool, 2>, C>
    for IsPairSupersededStmt
{
    fn params(&'s self, client: &'c C, params: &'a IsPairSupersededParams) -> BoolQuery<'c, 'a, 's, C, bool, 2> {
        self.bind(client, &params.account_id, &params.command_id)
    }
}
pub struct ListEventsOfAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_events_of_account() -> ListEventsOfAccountStmt {
    ListEventsOfAccountStmt(
        "SELECT id, account_id, seq, kind, payload, created_at FROM events WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT 500",
        None,
    )
}
impl ListEventsOfAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        after_seq: &'a i64,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 2> {
        AccountEventQuery {
            client,
            params: [account_id, after_seq],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountEventBorrowed, tokio_postgres::Error> {
                Ok(AccountEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                })
            },
            mapper: |it| AccountEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListEventsOfAccountParams,
        AccountEventQuery<'c, 'a, 's, C, AccountEvent, 2>,
        C,
    > for ListEventsOfAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListEventsOfAccountParams,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 2> {
        self.bind(client, &params.account_id, &params.after_seq)
    }
}
pub struct GetDatabaseTimeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_database_time() -> GetDatabaseTimeStmt {
    GetDatabaseTimeStmt("SELECT clock_timestamp() AS database_now", None)
}
impl GetDatabaseTimeStmt {
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
pub struct ListEventsAfterStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_events_after() -> ListEventsAfterStmt {
    ListEventsAfterStmt(
        "SELECT e.id, e.account_id, e.seq, e.kind, e.payload, e.created_at FROM whatsapp_accounts a LEFT JOIN unnest($1::uuid[], $2::bigint[]) AS seen (account_id, seq) ON seen.account_id = a.id JOIN LATERAL ( SELECT * FROM events e WHERE e.account_id = a.id AND e.seq > coalesce(seen.seq, $3::bigint) AND ($4::bigint IS NULL OR e.xact < $4::bigint::text::xid8) AND ($5::timestamptz IS NULL OR e.created_at >= $5::timestamptz) AND ($6::timestamptz IS NULL OR e.created_at < $6::timestamptz) ORDER BY e.seq LIMIT 200 ) e ON true WHERE a.event_seq > coalesce(seen.seq, $3::bigint) AND ($7::uuid IS NULL OR a.id = $7) ORDER BY e.created_at, e.account_id, e.seq",
        None,
    )
}
impl ListEventsAfterStmt {
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
        T2: crate::ArraySql<Item = i64>,
    >(
        &'s self,
        client: &'c C,
        account_ids: &'a T1,
        seqs: &'a T2,
        since: &'a i64,
        before: &'a Option<i64>,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        latest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        only: &'a Option<uuid::Uuid>,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 7> {
        AccountEventQuery {
            client,
            params: [account_ids, seqs, since, before, earliest, latest, only],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountEventBorrowed, tokio_postgres::Error> {
                Ok(AccountEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                })
            },
            mapper: |it| AccountEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = uuid::Uuid>, T2: crate::ArraySql<Item = i64>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListEventsAfterParams<T1, T2>,
        AccountEventQuery<'c, 'a, 's, C, AccountEvent, 7>,
        C,
    > for ListEventsAfterStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListEventsAfterParams<T1, T2>,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 7> {
        self.bind(
            client,
            &params.account_ids,
            &params.seqs,
            &params.since,
            &params.before,
            &params.earliest,
            &params.latest,
            &params.only,
        )
    }
}
pub struct ListLastEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_last_events() -> ListLastEventsStmt {
    ListLastEventsStmt(
        "SELECT id, account_id, seq, kind, payload, created_at FROM ( SELECT id, account_id, seq, kind, payload, created_at, xact FROM events WHERE seq > $1 AND ($2::bigint IS NULL OR xact < $2::bigint::text::xid8) AND ($3::timestamptz IS NULL OR created_at >= $3::timestamptz) AND ($4::timestamptz IS NULL OR created_at < $4::timestamptz) ORDER BY xact DESC, id DESC LIMIT $5 ) AS last ORDER BY xact, id",
        None,
    )
}
impl ListLastEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        since: &'a i64,
        before: &'a Option<i64>,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        latest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        limit: &'a i64,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 5> {
        AccountEventQuery {
            client,
            params: [since, before, earliest, latest, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountEventBorrowed, tokio_postgres::Error> {
                Ok(AccountEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                })
            },
            mapper: |it| AccountEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListLastEventsParams,
        AccountEventQuery<'c, 'a, 's, C, AccountEvent, 5>,
        C,
    > for ListLastEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListLastEventsParams,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 5> {
        self.bind(client, &params.since, &params.before, &params.earliest, &params.latest, &params.limit)
    }
}
pub struct ListLastEventsOfAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_last_events_of_account() -> ListLastEventsOfAccountStmt {
    ListLastEventsOfAccountStmt(
        "SELECT id, account_id, seq, kind, payload, created_at FROM ( SELECT id, account_id, seq, kind, payload, created_at FROM events WHERE account_id = $1 AND seq > $2 AND ($3::bigint IS NULL OR xact < $3::bigint::text::xid8) AND ($4::timestamptz IS NULL OR created_at >= $4::timestamptz) AND ($5::timestamptz IS NULL OR created_at < $5::timestamptz) ORDER BY seq DESC LIMIT $6 ) AS last ORDER BY seq",
        None,
    )
}
impl ListLastEventsOfAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        since: &'a i64,
        before: &'a Option<i64>,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        latest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        limit: &'a i64,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 6> {
        AccountEventQuery {
            client,
            params: [account_id, since, before, earliest, latest, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountEventBorrowed, tokio_postgres::Error> {
                Ok(AccountEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                })
            },
            mapper: |it| AccountEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListLastEventsOfAccountParams,
        AccountEventQuery<'c, 'a, 's, C, AccountEvent, 6>,
        C,
    > for ListLastEventsOfAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListLastEventsOfAccountParams,
    ) -> AccountEventQuery<'c, 'a, 's, C, AccountEvent, 6> {
        self.bind(
            client,
            &params.account_id,
            &params.since,
            &params.before,
            &params.earliest,
            &params.latest,
            &params.limit,
        )
    }
}
pub struct ListCheckedContactsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_checked_contacts() -> ListCheckedContactsStmt {
    ListCheckedContactsStmt(
        "SELECT answer.phone, answer.\"isOnWhatsapp\" AS is_on_whatsapp, answer.chat FROM events e CROSS JOIN jsonb_to_recordset(e.payload -> 'contacts') AS answer (phone text, \"isOnWhatsapp\" boolean, chat text) WHERE e.account_id = $1 AND e.kind = 'contact.checked' AND (e.payload ->> 'commandId')::bigint = $2 ORDER BY answer.phone",
        None,
    )
}
impl ListCheckedContactsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        command_id: &'a i64,
    ) -> ListCheckedContactsQuery<'c, 'a, 's, C, ListCheckedContacts, 2> {
        ListCheckedContactsQuery {
            client,
            params: [account_id, command_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListCheckedContactsBorrowed, tokio_postgres::Error> {
                Ok(ListCheckedContactsBorrowed {
                    phone: row.try_get(0)?,
                    is_on_whatsapp: row.try_get(1)?,
                    chat: row.try_get(2)?,
                })
            },
            mapper: |it| ListCheckedContacts::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListCheckedContactsParams,
        ListCheckedContactsQuery<'c, 'a, 's, C, ListCheckedContacts, 2>,
        C,
    > for ListCheckedContactsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListCheckedContactsParams,
    ) -> ListCheckedContactsQuery<'c, 'a, 's, C, ListCheckedContacts, 2> {
        self.bind(client, &params.account_id, &params.command_id)
    }
}
pub struct ListGroupsOfAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_groups_of_account() -> ListGroupsOfAccountStmt {
    ListGroupsOfAccountStmt(
        "SELECT jid, subject, participants, is_admin, synced_at FROM whatsapp_groups WHERE account_id = $1 ORDER BY subject, jid",
        None,
    )
}
impl ListGroupsOfAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
    ) -> ListGroupsOfAccountQuery<'c, 'a, 's, C, ListGroupsOfAccount, 1> {
        ListGroupsOfAccountQuery {
            client,
            params: [account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListGroupsOfAccountBorrowed, tokio_postgres::Error> {
                Ok(ListGroupsOfAccountBorrowed {
                    jid: row.try_get(0)?,
                    subject: row.try_get(1)?,
                    participants: row.try_get(2)?,
                    is_admin: row.try_get(3)?,
                    synced_at: row.try_get(4)?,
                })
            },
            mapper: |it| ListGroupsOfAccount::from(it),
        }
    }
}
pub struct CountDaemonsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_daemons() -> CountDaemonsStmt {
    CountDaemonsStmt(
        "SELECT count(*) AS live, count(*) FILTER (WHERE NOT draining) AS taking FROM processes WHERE expires_at > clock_timestamp()",
        None,
    )
}
impl CountDaemonsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> CountedDaemonsQuery<'c, 'a, 's, C, CountedDaemons, 0> {
        CountedDaemonsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CountedDaemons, tokio_postgres::Error> {
                Ok(CountedDaemons { live: row.try_get(0)?, taking: row.try_get(1)? })
            },
            mapper: |it| CountedDaemons::from(it),
        }
    }
}
pub struct CountLiveDaemonsOnStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_live_daemons_on() -> CountLiveDaemonsOnStmt {
    CountLiveDaemonsOnStmt(
        "SELECT count(*) AS live FROM processes WHERE host = $1 AND expires_at > clock_timestamp()",
        None,
    )
}
impl CountLiveDaemonsOnStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        host: &'a T1,
    ) -> I64Query<'c, 'a, 's, C, i64, 1> {
        I64Query {
            client,
            params: [host],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct RenameAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn rename_account() -> RenameAccountStmt {
    RenameAccountStmt(
        "UPDATE whatsapp_accounts a SET label = $1 FROM (SELECT set_config('paird.source', 'cli', true) AS source) AS claimed WHERE a.id = $2 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.id",
        None,
    )
}
impl RenameAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        label: &'a T1,
        account_id: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2> {
        UuidUuidQuery {
            client,
            params: [label, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, RenameAccountParams<T1>, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2>, C>
    for RenameAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RenameAccountParams<T1>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2> {
        self.bind(client, &params.label, &params.account_id)
    }
}
pub struct GetAccountLabelStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_account_label() -> GetAccountLabelStmt {
    GetAccountLabelStmt("SELECT label FROM whatsapp_accounts WHERE id = $1", None)
}
impl GetAccountLabelStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
    ) -> StringQuery<'c, 'a, 's, C, String, 1> {
        StringQuery {
            client,
            params: [account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
pub struct ListAuditEntriesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_audit_entries() -> ListAuditEntriesStmt {
    ListAuditEntriesStmt(
        "SELECT * FROM ( SELECT id, operator_id, source, sent_by, channel, action, target_type, target_id, payload, created_at FROM audit_log WHERE (target_id = $1 OR $1::uuid IS NULL) AND ($2::timestamptz IS NULL OR created_at >= $2::timestamptz) AND ($3::timestamptz IS NULL OR created_at < $3::timestamptz) ORDER BY id DESC LIMIT $4 ) AS last ORDER BY id",
        None,
    )
}
impl ListAuditEntriesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a Option<uuid::Uuid>,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        latest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        limit: &'a i64,
    ) -> AuditRowQuery<'c, 'a, 's, C, AuditRow, 4> {
        AuditRowQuery {
            client,
            params: [account_id, earliest, latest, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AuditRowBorrowed, tokio_postgres::Error> {
                Ok(AuditRowBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    source: row.try_get(2)?,
                    sent_by: row.try_get(3)?,
                    channel: row.try_get(4)?,
                    action: row.try_get(5)?,
                    target_type: row.try_get(6)?,
                    target_id: row.try_get(7)?,
                    payload: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                })
            },
            mapper: |it| AuditRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ListAuditEntriesParams, AuditRowQuery<'c, 'a, 's, C, AuditRow, 4>, C>
    for ListAuditEntriesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListAuditEntriesParams,
    ) -> AuditRowQuery<'c, 'a, 's, C, AuditRow, 4> {
        self.bind(client, &params.account_id, &params.earliest, &params.latest, &params.limit)
    }
}
pub struct GetPasskeyRequestStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_passkey_request() -> GetPasskeyRequestStmt {
    GetPasskeyRequestStmt(
        "SELECT e.payload FROM events e JOIN whatsapp_accounts a ON a.id = e.account_id WHERE e.account_id = $1 AND e.kind = 'session.passkey' AND a.status_reason = 'waiting_for_passkey' ORDER BY e.seq DESC LIMIT 1",
        None,
    )
}
impl GetPasskeyRequestStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
    ) -> SerdejsonValueQuery<'c, 'a, 's, C, serde_json::Value, 1> {
        SerdejsonValueQuery {
            client,
            params: [account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| serde_json::from_str(it.0.get()).unwrap(),
        }
    }
}
pub struct ListWatchedAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_watched_accounts() -> ListWatchedAccountsStmt {
    ListWatchedAccountsStmt(
        "SELECT id, operator_id, label, status, status_reason, status_since, phone_number, last_phone_number, next_retry_at, pair_deadline, last_qr_png, pair_code, clock_timestamp() AS database_now FROM whatsapp_accounts WHERE deleted_at IS NULL ORDER BY created_at, id",
        None,
    )
}
impl ListWatchedAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> WatchedAccountQuery<'c, 'a, 's, C, WatchedAccount, 0> {
        WatchedAccountQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<WatchedAccountBorrowed, tokio_postgres::Error> {
                Ok(WatchedAccountBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    status: row.try_get(3)?,
                    status_reason: row.try_get(4)?,
                    status_since: row.try_get(5)?,
                    phone_number: row.try_get(6)?,
                    last_phone_number: row.try_get(7)?,
                    next_retry_at: row.try_get(8)?,
                    pair_deadline: row.try_get(9)?,
                    last_qr_png: row.try_get(10)?,
                    pair_code: row.try_get(11)?,
                    database_now: row.try_get(12)?,
                })
            },
            mapper: |it| WatchedAccount::from(it),
        }
    }
}
