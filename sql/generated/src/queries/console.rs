// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct FindAccountsParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
    T5: crate::StringSql,
    T6: crate::ArraySql<Item = T5>,
    T7: crate::StringSql,
    T8: crate::StringSql,
    T9: crate::StringSql,
    T10: crate::ArraySql<Item = T9>,
    T11: crate::StringSql,
    T12: crate::StringSql,
    T13: crate::ArraySql<Item = T12>,
    T14: crate::StringSql,
    T15: crate::StringSql,
    T16: crate::StringSql,
> {
    pub after_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub after_id: Option<uuid::Uuid>,
    pub operator: Option<uuid::Uuid>,
    pub statuses: T2,
    pub reasons: T4,
    pub known_reasons: T6,
    pub daemon: Option<T7>,
    pub proxy: Option<T8>,
    pub tags: T10,
    pub search: Option<T11>,
    pub searched_reasons: T13,
    pub id_prefix: Option<T14>,
    pub digits: Option<T15>,
    pub number_key: Option<T16>,
    pub most: Option<i64>,
}
#[derive(Debug)]
pub struct AddAccountParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub id: uuid::Uuid,
    pub operator: uuid::Uuid,
    pub label: T1,
    pub source: T2,
}
#[derive(Debug)]
pub struct RenameAccountParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub label: T1,
    pub source: T2,
    pub account: uuid::Uuid,
}
#[derive(Clone, Copy, Debug)]
pub struct ListAccountEventsParams {
    pub account: uuid::Uuid,
    pub after: i64,
    pub limit: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct ListLastAccountEventsParams {
    pub account: uuid::Uuid,
    pub after: i64,
    pub before: i64,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListFleetEventsParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub kinds: T2,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub before_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub before_id: Option<i64>,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListNewestAccountEventsParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub account: uuid::Uuid,
    pub before: Option<i64>,
    pub kinds: T2,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub latest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListFleetAuditParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub kinds: T2,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub before_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub before_id: Option<i64>,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListAccountAuditParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub account: uuid::Uuid,
    pub before: Option<i64>,
    pub kinds: T2,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub latest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListFleetCommandsParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
> {
    pub kinds: T2,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub before_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub before_id: Option<i64>,
    pub states: T4,
    pub limit: i64,
}
#[derive(Debug)]
pub struct ListAccountCommandsParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
> {
    pub account: uuid::Uuid,
    pub before: Option<i64>,
    pub kinds: T2,
    pub states: T4,
    pub earliest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub latest: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub limit: i64,
}
#[derive(Debug)]
pub struct SendConsoleCommandParams<
    T1: crate::StringSql,
    T2: crate::JsonSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
> {
    pub kind: T1,
    pub account: uuid::Uuid,
    pub args: T2,
    pub dedupe_key: Option<T3>,
    pub source: T4,
}
#[derive(Clone, Copy, Debug)]
pub struct ListFeedEventsParams {
    pub xact: i64,
    pub id: i64,
    pub limit: i64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ShownAccount {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: String,
    pub phone_number: Option<String>,
    pub last_phone_number: Option<String>,
    pub status: String,
    pub status_reason: String,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub desired: String,
    pub last_qr_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub expect_phone: Option<String>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub deleted_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub proxy: Option<String>,
    pub device_name: Option<String>,
    pub presence: String,
    pub tags: Vec<String>,
    pub desired_phone: Option<String>,
    pub sending_paused_until: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub sending_paused_reason: Option<String>,
    pub has_keys: bool,
    pub has_pair_code: bool,
    pub has_proxy_login: bool,
    pub owner_host: Option<String>,
    pub owner_pid: Option<i32>,
    pub owner_version: Option<String>,
    pub open_tickets: i64,
}
pub struct ShownAccountBorrowed<'a> {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: &'a str,
    pub phone_number: Option<&'a str>,
    pub last_phone_number: Option<&'a str>,
    pub status: &'a str,
    pub status_reason: &'a str,
    pub status_since: chrono::DateTime<chrono::FixedOffset>,
    pub next_retry_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub desired: &'a str,
    pub last_qr_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub expect_phone: Option<&'a str>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub deleted_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub proxy: Option<&'a str>,
    pub device_name: Option<&'a str>,
    pub presence: &'a str,
    pub tags: crate::ArrayIterator<'a, &'a str>,
    pub desired_phone: Option<&'a str>,
    pub sending_paused_until: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub sending_paused_reason: Option<&'a str>,
    pub has_keys: bool,
    pub has_pair_code: bool,
    pub has_proxy_login: bool,
    pub owner_host: Option<&'a str>,
    pub owner_pid: Option<i32>,
    pub owner_version: Option<&'a str>,
    pub open_tickets: i64,
}
impl<'a> From<ShownAccountBorrowed<'a>> for ShownAccount {
    fn from(
        ShownAccountBorrowed {
            id,
            operator_id,
            label,
            phone_number,
            last_phone_number,
            status,
            status_reason,
            status_since,
            next_retry_at,
            desired,
            last_qr_at,
            qr_expires_at,
            pair_deadline,
            expect_phone,
            created_at,
            deleted_at,
            proxy,
            device_name,
            presence,
            tags,
            desired_phone,
            sending_paused_until,
            sending_paused_reason,
            has_keys,
            has_pair_code,
            has_proxy_login,
            owner_host,
            owner_pid,
            owner_version,
            open_tickets,
        }: ShownAccountBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            operator_id,
            label: label.into(),
            phone_number: phone_number.map(|v| v.into()),
            last_phone_number: last_phone_number.map(|v| v.into()),
            status: status.into(),
            status_reason: status_reason.into(),
            status_since,
            next_retry_at,
            desired: desired.into(),
            last_qr_at,
            qr_expires_at,
            pair_deadline,
            expect_phone: expect_phone.map(|v| v.into()),
            created_at,
            deleted_at,
            proxy: proxy.map(|v| v.into()),
            device_name: device_name.map(|v| v.into()),
            presence: presence.into(),
            tags: tags.map(|v| v.into()).collect(),
            desired_phone: desired_phone.map(|v| v.into()),
            sending_paused_until,
            sending_paused_reason: sending_paused_reason.map(|v| v.into()),
            has_keys,
            has_pair_code,
            has_proxy_login,
            owner_host: owner_host.map(|v| v.into()),
            owner_pid,
            owner_version: owner_version.map(|v| v.into()),
            open_tickets,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetAccountOfKey {
    pub operator_id: uuid::Uuid,
    pub label: String,
    pub is_deleted: bool,
}
pub struct GetAccountOfKeyBorrowed<'a> {
    pub operator_id: uuid::Uuid,
    pub label: &'a str,
    pub is_deleted: bool,
}
impl<'a> From<GetAccountOfKeyBorrowed<'a>> for GetAccountOfKey {
    fn from(GetAccountOfKeyBorrowed { operator_id, label, is_deleted }: GetAccountOfKeyBorrowed<'a>) -> Self {
        Self { operator_id, label: label.into(), is_deleted }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ShownQr {
    pub png: String,
    pub expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
pub struct ShownQrBorrowed<'a> {
    pub png: &'a str,
    pub expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
impl<'a> From<ShownQrBorrowed<'a>> for ShownQr {
    fn from(ShownQrBorrowed { png, expires_at }: ShownQrBorrowed<'a>) -> Self {
        Self { png: png.into(), expires_at }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListAccountGroups {
    pub jid: String,
    pub subject: String,
    pub participants: i32,
    pub is_admin: bool,
    pub synced_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct ListAccountGroupsBorrowed<'a> {
    pub jid: &'a str,
    pub subject: &'a str,
    pub participants: i32,
    pub is_admin: bool,
    pub synced_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<ListAccountGroupsBorrowed<'a>> for ListAccountGroups {
    fn from(
        ListAccountGroupsBorrowed { jid, subject, participants, is_admin, synced_at }: ListAccountGroupsBorrowed<'a>,
    ) -> Self {
        Self { jid: jid.into(), subject: subject.into(), participants, is_admin, synced_at }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEvent {
    pub id: i64,
    pub account_id: uuid::Uuid,
    pub seq: i64,
    pub kind: String,
    pub payload: serde_json::Value,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub xact: i64,
}
pub struct FeedEventBorrowed<'a> {
    pub id: i64,
    pub account_id: uuid::Uuid,
    pub seq: i64,
    pub kind: &'a str,
    pub payload: postgres_types::Json<&'a serde_json::value::RawValue>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub xact: i64,
}
impl<'a> From<FeedEventBorrowed<'a>> for FeedEvent {
    fn from(FeedEventBorrowed { id, account_id, seq, kind, payload, created_at, xact }: FeedEventBorrowed<'a>) -> Self {
        Self {
            id,
            account_id,
            seq,
            kind: kind.into(),
            payload: serde_json::from_str(payload.0.get()).unwrap(),
            created_at,
            xact,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
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
pub struct AuditRecordBorrowed<'a> {
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
impl<'a> From<AuditRecordBorrowed<'a>> for AuditRecord {
    fn from(
        AuditRecordBorrowed {
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
        }: AuditRecordBorrowed<'a>,
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
pub struct ShownCommand {
    pub id: i64,
    pub account_id: Option<uuid::Uuid>,
    pub kind: String,
    pub state: String,
    pub result: Option<String>,
    pub source: String,
    pub sent_by: Option<String>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub started_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub done_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
pub struct ShownCommandBorrowed<'a> {
    pub id: i64,
    pub account_id: Option<uuid::Uuid>,
    pub kind: &'a str,
    pub state: &'a str,
    pub result: Option<&'a str>,
    pub source: &'a str,
    pub sent_by: Option<&'a str>,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub started_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub done_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
impl<'a> From<ShownCommandBorrowed<'a>> for ShownCommand {
    fn from(
        ShownCommandBorrowed {
            id,
            account_id,
            kind,
            state,
            result,
            source,
            sent_by,
            created_at,
            started_at,
            done_at,
        }: ShownCommandBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            account_id,
            kind: kind.into(),
            state: state.into(),
            result: result.map(|v| v.into()),
            source: source.into(),
            sent_by: sent_by.map(|v| v.into()),
            created_at,
            started_at,
            done_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct AccountOwner {
    pub process: Option<uuid::Uuid>,
    pub host: Option<String>,
    pub pid: Option<i32>,
}
pub struct AccountOwnerBorrowed<'a> {
    pub process: Option<uuid::Uuid>,
    pub host: Option<&'a str>,
    pub pid: Option<i32>,
}
impl<'a> From<AccountOwnerBorrowed<'a>> for AccountOwner {
    fn from(AccountOwnerBorrowed { process, host, pid }: AccountOwnerBorrowed<'a>) -> Self {
        Self { process, host: host.map(|v| v.into()), pid }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct CountAccountsByStatus {
    pub status: String,
    pub accounts: i64,
}
pub struct CountAccountsByStatusBorrowed<'a> {
    pub status: &'a str,
    pub accounts: i64,
}
impl<'a> From<CountAccountsByStatusBorrowed<'a>> for CountAccountsByStatus {
    fn from(CountAccountsByStatusBorrowed { status, accounts }: CountAccountsByStatusBorrowed<'a>) -> Self {
        Self { status: status.into(), accounts }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListDaemons {
    pub id: uuid::Uuid,
    pub host: String,
    pub pid: i32,
    pub version: String,
    pub started_at: chrono::DateTime<chrono::FixedOffset>,
    pub renewed_at: chrono::DateTime<chrono::FixedOffset>,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
    pub draining: bool,
    pub accounts: i64,
}
pub struct ListDaemonsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub host: &'a str,
    pub pid: i32,
    pub version: &'a str,
    pub started_at: chrono::DateTime<chrono::FixedOffset>,
    pub renewed_at: chrono::DateTime<chrono::FixedOffset>,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
    pub draining: bool,
    pub accounts: i64,
}
impl<'a> From<ListDaemonsBorrowed<'a>> for ListDaemons {
    fn from(
        ListDaemonsBorrowed {
            id,
            host,
            pid,
            version,
            started_at,
            renewed_at,
            expires_at,
            draining,
            accounts,
        }: ListDaemonsBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            host: host.into(),
            pid,
            version: version.into(),
            started_at,
            renewed_at,
            expires_at,
            draining,
            accounts,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct MeasureQueues {
    pub open_tickets: i64,
    pub queued_commands: i64,
    pub oldest_queued_command_age_ms: Option<i64>,
    pub unsent_events: i64,
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct ShownAccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ShownAccountBorrowed, tokio_postgres::Error>,
    mapper: fn(ShownAccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ShownAccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ShownAccountBorrowed) -> R) -> ShownAccountQuery<'c, 'a, 's, C, R, N> {
        ShownAccountQuery {
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
pub struct GetAccountOfKeyQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetAccountOfKeyBorrowed, tokio_postgres::Error>,
    mapper: fn(GetAccountOfKeyBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetAccountOfKeyQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetAccountOfKeyBorrowed) -> R) -> GetAccountOfKeyQuery<'c, 'a, 's, C, R, N> {
        GetAccountOfKeyQuery {
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
pub struct OptionStringQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Option<&str>, tokio_postgres::Error>,
    mapper: fn(Option<&str>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> OptionStringQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(Option<&str>) -> R) -> OptionStringQuery<'c, 'a, 's, C, R, N> {
        OptionStringQuery {
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
pub struct ShownQrQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ShownQrBorrowed, tokio_postgres::Error>,
    mapper: fn(ShownQrBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ShownQrQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ShownQrBorrowed) -> R) -> ShownQrQuery<'c, 'a, 's, C, R, N> {
        ShownQrQuery {
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
pub struct ListAccountGroupsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListAccountGroupsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListAccountGroupsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListAccountGroupsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListAccountGroupsBorrowed) -> R) -> ListAccountGroupsQuery<'c, 'a, 's, C, R, N> {
        ListAccountGroupsQuery {
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
pub struct FeedEventQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<FeedEventBorrowed, tokio_postgres::Error>,
    mapper: fn(FeedEventBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FeedEventQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(FeedEventBorrowed) -> R) -> FeedEventQuery<'c, 'a, 's, C, R, N> {
        FeedEventQuery {
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
pub struct AuditRecordQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AuditRecordBorrowed, tokio_postgres::Error>,
    mapper: fn(AuditRecordBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AuditRecordQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AuditRecordBorrowed) -> R) -> AuditRecordQuery<'c, 'a, 's, C, R, N> {
        AuditRecordQuery {
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
pub struct ShownCommandQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ShownCommandBorrowed, tokio_postgres::Error>,
    mapper: fn(ShownCommandBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ShownCommandQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ShownCommandBorrowed) -> R) -> ShownCommandQuery<'c, 'a, 's, C, R, N> {
        ShownCommandQuery {
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
pub struct AccountOwnerQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccountOwnerBorrowed, tokio_postgres::Error>,
    mapper: fn(AccountOwnerBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountOwnerQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AccountOwnerBorrowed) -> R) -> AccountOwnerQuery<'c, 'a, 's, C, R, N> {
        AccountOwnerQuery {
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
pub struct CountAccountsByStatusQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CountAccountsByStatusBorrowed, tokio_postgres::Error>,
    mapper: fn(CountAccountsByStatusBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CountAccountsByStatusQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(CountAccountsByStatusBorrowed) -> R,
    ) -> CountAccountsByStatusQuery<'c, 'a, 's, C, R, N> {
        CountAccountsByStatusQuery {
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
pub struct MeasureQueuesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<MeasureQueues, tokio_postgres::Error>,
    mapper: fn(MeasureQueues) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> MeasureQueuesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(MeasureQueues) -> R) -> MeasureQueuesQuery<'c, 'a, 's, C, R, N> {
        MeasureQueuesQuery {
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
pub struct ListShownAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_shown_accounts() -> ListShownAccountsStmt {
    ListShownAccountsStmt(
        "SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since, a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at, a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until, a.sending_paused_reason, a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code, EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login, p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets FROM whatsapp_accounts a LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(), LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets WHERE a.deleted_at IS NULL ORDER BY a.created_at, a.id",
        None,
    )
}
impl ListShownAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ShownAccountQuery<'c, 'a, 's, C, ShownAccount, 0> {
        ShownAccountQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownAccountBorrowed, tokio_postgres::Error> {
                Ok(ShownAccountBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    phone_number: row.try_get(3)?,
                    last_phone_number: row.try_get(4)?,
                    status: row.try_get(5)?,
                    status_reason: row.try_get(6)?,
                    status_since: row.try_get(7)?,
                    next_retry_at: row.try_get(8)?,
                    desired: row.try_get(9)?,
                    last_qr_at: row.try_get(10)?,
                    qr_expires_at: row.try_get(11)?,
                    pair_deadline: row.try_get(12)?,
                    expect_phone: row.try_get(13)?,
                    created_at: row.try_get(14)?,
                    deleted_at: row.try_get(15)?,
                    proxy: row.try_get(16)?,
                    device_name: row.try_get(17)?,
                    presence: row.try_get(18)?,
                    tags: row.try_get(19)?,
                    desired_phone: row.try_get(20)?,
                    sending_paused_until: row.try_get(21)?,
                    sending_paused_reason: row.try_get(22)?,
                    has_keys: row.try_get(23)?,
                    has_pair_code: row.try_get(24)?,
                    has_proxy_login: row.try_get(25)?,
                    owner_host: row.try_get(26)?,
                    owner_pid: row.try_get(27)?,
                    owner_version: row.try_get(28)?,
                    open_tickets: row.try_get(29)?,
                })
            },
            mapper: |it| ShownAccount::from(it),
        }
    }
}
pub struct GetShownAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_shown_account() -> GetShownAccountStmt {
    GetShownAccountStmt(
        "SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since, a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at, a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until, a.sending_paused_reason, a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code, EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login, p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets FROM whatsapp_accounts a LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(), LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets WHERE a.id = $1 AND a.deleted_at IS NULL",
        None,
    )
}
impl GetShownAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> ShownAccountQuery<'c, 'a, 's, C, ShownAccount, 1> {
        ShownAccountQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownAccountBorrowed, tokio_postgres::Error> {
                Ok(ShownAccountBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    phone_number: row.try_get(3)?,
                    last_phone_number: row.try_get(4)?,
                    status: row.try_get(5)?,
                    status_reason: row.try_get(6)?,
                    status_since: row.try_get(7)?,
                    next_retry_at: row.try_get(8)?,
                    desired: row.try_get(9)?,
                    last_qr_at: row.try_get(10)?,
                    qr_expires_at: row.try_get(11)?,
                    pair_deadline: row.try_get(12)?,
                    expect_phone: row.try_get(13)?,
                    created_at: row.try_get(14)?,
                    deleted_at: row.try_get(15)?,
                    proxy: row.try_get(16)?,
                    device_name: row.try_get(17)?,
                    presence: row.try_get(18)?,
                    tags: row.try_get(19)?,
                    desired_phone: row.try_get(20)?,
                    sending_paused_until: row.try_get(21)?,
                    sending_paused_reason: row.try_get(22)?,
                    has_keys: row.try_get(23)?,
                    has_pair_code: row.try_get(24)?,
                    has_proxy_login: row.try_get(25)?,
                    owner_host: row.try_get(26)?,
                    owner_pid: row.try_get(27)?,
                    owner_version: row.try_get(28)?,
                    open_tickets: row.try_get(29)?,
                })
            },
            mapper: |it| ShownAccount::from(it),
        }
    }
}
pub struct FindAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn find_accounts() -> FindAccountsStmt {
    FindAccountsStmt(
        "SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since, a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at, a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until, a.sending_paused_reason, a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code, EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login, p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets FROM whatsapp_accounts a LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(), LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets WHERE a.deleted_at IS NULL AND (a.created_at, a.id) > (coalesce($1, '-infinity'::timestamptz), coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)) AND ($3::uuid IS NULL OR a.operator_id = $3) AND (cardinality($4::text[]) = 0 OR a.status = ANY ($4)) AND (cardinality($5::text[]) = 0 OR split_part(a.status_reason, ':', 1) = ANY ($5) OR (cardinality($6::text[]) > 0 AND split_part(a.status_reason, ':', 1) <> ALL ($6))) AND ($7::text IS NULL OR $7 IN (p.id::text, p.host, p.host || ':' || p.pid)) AND ($8::text IS NULL OR lower(coalesce(proxy_without_login(a.proxy), 'none')) = lower($8)) AND NOT EXISTS (SELECT FROM unnest($9::text[]) AS wanted (tag) WHERE NOT EXISTS (SELECT FROM unnest(a.tags) AS own (tag) WHERE folded(own.tag) = folded(wanted.tag))) AND ($10::text IS NULL OR position(folded($10) IN folded(a.label)) > 0 OR position(folded($10) IN folded(a.status_reason)) > 0 OR split_part(a.status_reason, ':', 1) = ANY ($11::text[]) OR EXISTS (SELECT FROM unnest(a.tags) AS own (tag) WHERE position(folded($10) IN folded(own.tag)) > 0) OR starts_with(a.id::text, $12::text) OR position($13::text IN a.phone_number) > 0 OR position($13 IN a.last_phone_number) > 0 OR position($13 IN a.desired_phone) > 0 OR $14::text IN (a.phone_key, phone_key(a.last_phone_number), phone_key(a.desired_phone))) ORDER BY a.created_at, a.id LIMIT $15",
        None,
    )
}
impl FindAccountsStmt {
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
        T8: crate::StringSql,
        T9: crate::StringSql,
        T10: crate::ArraySql<Item = T9>,
        T11: crate::StringSql,
        T12: crate::StringSql,
        T13: crate::ArraySql<Item = T12>,
        T14: crate::StringSql,
        T15: crate::StringSql,
        T16: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        after_at: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        after_id: &'a Option<uuid::Uuid>,
        operator: &'a Option<uuid::Uuid>,
        statuses: &'a T2,
        reasons: &'a T4,
        known_reasons: &'a T6,
        daemon: &'a Option<T7>,
        proxy: &'a Option<T8>,
        tags: &'a T10,
        search: &'a Option<T11>,
        searched_reasons: &'a T13,
        id_prefix: &'a Option<T14>,
        digits: &'a Option<T15>,
        number_key: &'a Option<T16>,
        most: &'a Option<i64>,
    ) -> ShownAccountQuery<'c, 'a, 's, C, ShownAccount, 15> {
        ShownAccountQuery {
            client,
            params: [
                after_at,
                after_id,
                operator,
                statuses,
                reasons,
                known_reasons,
                daemon,
                proxy,
                tags,
                search,
                searched_reasons,
                id_prefix,
                digits,
                number_key,
                most,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownAccountBorrowed, tokio_postgres::Error> {
                Ok(ShownAccountBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    phone_number: row.try_get(3)?,
                    last_phone_number: row.try_get(4)?,
                    status: row.try_get(5)?,
                    status_reason: row.try_get(6)?,
                    status_since: row.try_get(7)?,
                    next_retry_at: row.try_get(8)?,
                    desired: row.try_get(9)?,
                    last_qr_at: row.try_get(10)?,
                    qr_expires_at: row.try_get(11)?,
                    pair_deadline: row.try_get(12)?,
                    expect_phone: row.try_get(13)?,
                    created_at: row.try_get(14)?,
                    deleted_at: row.try_get(15)?,
                    proxy: row.try_get(16)?,
                    device_name: row.try_get(17)?,
                    presence: row.try_get(18)?,
                    tags: row.try_get(19)?,
                    desired_phone: row.try_get(20)?,
                    sending_paused_until: row.try_get(21)?,
                    sending_paused_reason: row.try_get(22)?,
                    has_keys: row.try_get(23)?,
                    has_pair_code: row.try_get(24)?,
                    has_proxy_login: row.try_get(25)?,
                    owner_host: row.try_get(26)?,
                    owner_pid: row.try_get(27)?,
                    owner_version: row.try_get(28)?,
                    open_tickets: row.try_get(29)?,
                })
            },
            mapper: |it| ShownAccount::from(it),
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
    T8: crate::StringSql,
    T9: crate::StringSql,
    T10: crate::ArraySql<Item = T9>,
    T11: crate::StringSql,
    T12: crate::StringSql,
    T13: crate::ArraySql<Item = T12>,
    T14: crate::StringSql,
    T15: crate::StringSql,
    T16: crate::StringSql,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        FindAccountsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16>,
        ShownAccountQuery<'c, 'a, 's, C, ShownAccount, 15>,
        C,
    > for FindAccountsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FindAccountsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16>,
    ) -> ShownAccountQuery<'c, 'a, 's, C, ShownAccount, 15> {
        self.bind(
            client,
            &params.after_at,
            &params.after_id,
            &params.operator,
            &params.statuses,
            &params.reasons,
            &params.known_reasons,
            &params.daemon,
            &params.proxy,
            &params.tags,
            &params.search,
            &params.searched_reasons,
            &params.id_prefix,
            &params.digits,
            &params.number_key,
            &params.most,
        )
    }
}
pub struct ListChangedAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_changed_accounts() -> ListChangedAccountsStmt {
    ListChangedAccountsStmt(
        "SELECT a.id, a.operator_id, a.label, a.phone_number, a.last_phone_number, a.status, a.status_reason, a.status_since, a.next_retry_at, a.desired, a.last_qr_at, a.qr_expires_at, a.pair_deadline, a.expect_phone, a.created_at, a.deleted_at, a.proxy, a.device_name, a.presence, a.tags, a.desired_phone, a.sending_paused_until, a.sending_paused_reason, a.keyring_id IS NOT NULL AS has_keys, a.pair_code IS NOT NULL AS has_pair_code, EXISTS (SELECT FROM proxy_logins l WHERE l.account_id = a.id AND l.proxy = a.proxy) AS has_proxy_login, p.host AS owner_host, p.pid AS owner_pid, p.version AS owner_version, tickets.open AS open_tickets FROM whatsapp_accounts a LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp(), LATERAL (SELECT count(*) AS open FROM unlink_tickets t WHERE t.account_id = a.id) AS tickets WHERE (a.deleted_at IS NULL OR a.deleted_at > now() - interval '1 day') AND age(a.xmin) <= age(($1::bigint::text::xid8)::xid) ORDER BY a.created_at, a.id",
        None,
    )
}
impl ListChangedAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        since: &'a i64,
    ) -> ShownAccountQuery<'c, 'a, 's, C, ShownAccount, 1> {
        ShownAccountQuery {
            client,
            params: [since],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownAccountBorrowed, tokio_postgres::Error> {
                Ok(ShownAccountBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    phone_number: row.try_get(3)?,
                    last_phone_number: row.try_get(4)?,
                    status: row.try_get(5)?,
                    status_reason: row.try_get(6)?,
                    status_since: row.try_get(7)?,
                    next_retry_at: row.try_get(8)?,
                    desired: row.try_get(9)?,
                    last_qr_at: row.try_get(10)?,
                    qr_expires_at: row.try_get(11)?,
                    pair_deadline: row.try_get(12)?,
                    expect_phone: row.try_get(13)?,
                    created_at: row.try_get(14)?,
                    deleted_at: row.try_get(15)?,
                    proxy: row.try_get(16)?,
                    device_name: row.try_get(17)?,
                    presence: row.try_get(18)?,
                    tags: row.try_get(19)?,
                    desired_phone: row.try_get(20)?,
                    sending_paused_until: row.try_get(21)?,
                    sending_paused_reason: row.try_get(22)?,
                    has_keys: row.try_get(23)?,
                    has_pair_code: row.try_get(24)?,
                    has_proxy_login: row.try_get(25)?,
                    owner_host: row.try_get(26)?,
                    owner_pid: row.try_get(27)?,
                    owner_version: row.try_get(28)?,
                    open_tickets: row.try_get(29)?,
                })
            },
            mapper: |it| ShownAccount::from(it),
        }
    }
}
pub struct FindAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn find_account() -> FindAccountStmt {
    FindAccountStmt("SELECT true AS found FROM whatsapp_accounts WHERE id = $1", None)
}
impl FindAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 1> {
        BoolQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct AddAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn add_account() -> AddAccountStmt {
    AddAccountStmt(
        "INSERT INTO whatsapp_accounts (id, operator_id, label) SELECT $1, $2, $3 FROM (SELECT set_config('paird.source', $4::text, true) AS source) AS claimed WHERE claimed.source IS NOT NULL ON CONFLICT (id) DO NOTHING RETURNING id",
        None,
    )
}
impl AddAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a uuid::Uuid,
        operator: &'a uuid::Uuid,
        label: &'a T1,
        source: &'a T2,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 4> {
        UuidUuidQuery {
            client,
            params: [id, operator, label, source],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, AddAccountParams<T1, T2>, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 4>, C>
    for AddAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a AddAccountParams<T1, T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 4> {
        self.bind(client, &params.id, &params.operator, &params.label, &params.source)
    }
}
pub struct GetAccountOfKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_account_of_key() -> GetAccountOfKeyStmt {
    GetAccountOfKeyStmt(
        "SELECT operator_id, label, deleted_at IS NOT NULL AS is_deleted FROM whatsapp_accounts WHERE id = $1",
        None,
    )
}
impl GetAccountOfKeyStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        id: &'a uuid::Uuid,
    ) -> GetAccountOfKeyQuery<'c, 'a, 's, C, GetAccountOfKey, 1> {
        GetAccountOfKeyQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetAccountOfKeyBorrowed, tokio_postgres::Error> {
                Ok(GetAccountOfKeyBorrowed {
                    operator_id: row.try_get(0)?,
                    label: row.try_get(1)?,
                    is_deleted: row.try_get(2)?,
                })
            },
            mapper: |it| GetAccountOfKey::from(it),
        }
    }
}
pub struct RenameAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn rename_account() -> RenameAccountStmt {
    RenameAccountStmt(
        "UPDATE whatsapp_accounts a SET label = $1 FROM (SELECT set_config('paird.source', $2::text, true) AS source) AS claimed WHERE a.id = $3 AND a.deleted_at IS NULL AND claimed.source IS NOT NULL RETURNING a.id",
        None,
    )
}
impl RenameAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        label: &'a T1,
        source: &'a T2,
        account: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        UuidUuidQuery {
            client,
            params: [label, source, account],
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
        RenameAccountParams<T1, T2>,
        UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3>,
        C,
    > for RenameAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RenameAccountParams<T1, T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 3> {
        self.bind(client, &params.label, &params.source, &params.account)
    }
}
pub struct GetPairCodeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_pair_code() -> GetPairCodeStmt {
    GetPairCodeStmt(
        "SELECT pair_code FROM whatsapp_accounts WHERE id = $1 AND status = 'pending' AND deleted_at IS NULL",
        None,
    )
}
impl GetPairCodeStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> OptionStringQuery<'c, 'a, 's, C, Option<String>, 1> {
        OptionStringQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.map(|v| v.into()),
        }
    }
}
pub struct GetQrStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_qr() -> GetQrStmt {
    GetQrStmt(
        "SELECT last_qr_png AS png, qr_expires_at AS expires_at FROM whatsapp_accounts WHERE id = $1 AND deleted_at IS NULL AND last_qr_png IS NOT NULL AND (qr_expires_at IS NULL OR qr_expires_at > clock_timestamp())",
        None,
    )
}
impl GetQrStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> ShownQrQuery<'c, 'a, 's, C, ShownQr, 1> {
        ShownQrQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownQrBorrowed, tokio_postgres::Error> {
                Ok(ShownQrBorrowed { png: row.try_get(0)?, expires_at: row.try_get(1)? })
            },
            mapper: |it| ShownQr::from(it),
        }
    }
}
pub struct ListAccountGroupsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_account_groups() -> ListAccountGroupsStmt {
    ListAccountGroupsStmt(
        "SELECT jid, subject, participants, is_admin, synced_at FROM whatsapp_groups WHERE account_id = $1 ORDER BY subject, jid",
        None,
    )
}
impl ListAccountGroupsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> ListAccountGroupsQuery<'c, 'a, 's, C, ListAccountGroups, 1> {
        ListAccountGroupsQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListAccountGroupsBorrowed, tokio_postgres::Error> {
                Ok(ListAccountGroupsBorrowed {
                    jid: row.try_get(0)?,
                    subject: row.try_get(1)?,
                    participants: row.try_get(2)?,
                    is_admin: row.try_get(3)?,
                    synced_at: row.try_get(4)?,
                })
            },
            mapper: |it| ListAccountGroups::from(it),
        }
    }
}
pub struct ListAccountEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_account_events() -> ListAccountEventsStmt {
    ListAccountEventsStmt(
        "SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact FROM events WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        None,
    )
}
impl ListAccountEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        after: &'a i64,
        limit: &'a i64,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 3> {
        FeedEventQuery {
            client,
            params: [account, after, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FeedEventBorrowed, tokio_postgres::Error> {
                Ok(FeedEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                    xact: row.try_get(6)?,
                })
            },
            mapper: |it| FeedEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ListAccountEventsParams, FeedEventQuery<'c, 'a, 's, C, FeedEvent, 3>, C>
    for ListAccountEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListAccountEventsParams,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 3> {
        self.bind(client, &params.account, &params.after, &params.limit)
    }
}
pub struct ListLastAccountEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_last_account_events() -> ListLastAccountEventsStmt {
    ListLastAccountEventsStmt(
        "SELECT * FROM ( SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact FROM events WHERE account_id = $1 AND seq > $2 AND seq < $3 ORDER BY seq DESC LIMIT $4 ) AS last ORDER BY seq",
        None,
    )
}
impl ListLastAccountEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        after: &'a i64,
        before: &'a i64,
        limit: &'a i64,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 4> {
        FeedEventQuery {
            client,
            params: [account, after, before, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FeedEventBorrowed, tokio_postgres::Error> {
                Ok(FeedEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                    xact: row.try_get(6)?,
                })
            },
            mapper: |it| FeedEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListLastAccountEventsParams,
        FeedEventQuery<'c, 'a, 's, C, FeedEvent, 4>,
        C,
    > for ListLastAccountEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListLastAccountEventsParams,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 4> {
        self.bind(client, &params.account, &params.after, &params.before, &params.limit)
    }
}
pub struct ListFleetEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_fleet_events() -> ListFleetEventsStmt {
    ListFleetEventsStmt(
        "WITH RECURSIVE there (kind) AS ( (SELECT e.kind FROM events e ORDER BY e.kind LIMIT 1) UNION ALL SELECT (SELECT e.kind FROM events e WHERE e.kind > there.kind ORDER BY e.kind LIMIT 1) FROM there WHERE there.kind IS NOT NULL ), wanted (kind) AS ( SELECT there.kind FROM there WHERE there.kind IS NOT NULL AND cardinality($1::text[]) = 0 UNION SELECT unnest($1) ) SELECT page.id, page.account_id, page.seq, page.kind, page.payload, page.created_at, page.xact FROM wanted CROSS JOIN LATERAL ( SELECT e.id, e.account_id, e.seq, e.kind, e.payload, e.created_at, e.xact::text::bigint AS xact FROM events e WHERE e.kind = wanted.kind AND e.created_at >= coalesce($2, '-infinity'::timestamptz) AND (e.created_at, e.id) < (coalesce($3, 'infinity'::timestamptz), coalesce($4, 0::bigint)) ORDER BY e.created_at DESC, e.id DESC LIMIT $5 ) AS page ORDER BY page.created_at DESC, page.id DESC LIMIT $5",
        None,
    )
}
impl ListFleetEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        kinds: &'a T2,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        before_at: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        before_id: &'a Option<i64>,
        limit: &'a i64,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 5> {
        FeedEventQuery {
            client,
            params: [kinds, earliest, before_at, before_id, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FeedEventBorrowed, tokio_postgres::Error> {
                Ok(FeedEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                    xact: row.try_get(6)?,
                })
            },
            mapper: |it| FeedEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListFleetEventsParams<T1, T2>,
        FeedEventQuery<'c, 'a, 's, C, FeedEvent, 5>,
        C,
    > for ListFleetEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListFleetEventsParams<T1, T2>,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 5> {
        self.bind(client, &params.kinds, &params.earliest, &params.before_at, &params.before_id, &params.limit)
    }
}
pub struct ListNewestAccountEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_newest_account_events() -> ListNewestAccountEventsStmt {
    ListNewestAccountEventsStmt(
        "SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact FROM events WHERE account_id = $1 AND seq < coalesce($2, 9223372036854775807) AND (cardinality($3::text[]) = 0 OR kind = ANY ($3)) AND created_at >= coalesce($4, '-infinity'::timestamptz) AND created_at < coalesce($5, 'infinity'::timestamptz) ORDER BY seq DESC LIMIT $6",
        None,
    )
}
impl ListNewestAccountEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        before: &'a Option<i64>,
        kinds: &'a T2,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        latest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        limit: &'a i64,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 6> {
        FeedEventQuery {
            client,
            params: [account, before, kinds, earliest, latest, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FeedEventBorrowed, tokio_postgres::Error> {
                Ok(FeedEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                    xact: row.try_get(6)?,
                })
            },
            mapper: |it| FeedEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListNewestAccountEventsParams<T1, T2>,
        FeedEventQuery<'c, 'a, 's, C, FeedEvent, 6>,
        C,
    > for ListNewestAccountEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListNewestAccountEventsParams<T1, T2>,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 6> {
        self.bind(
            client,
            &params.account,
            &params.before,
            &params.kinds,
            &params.earliest,
            &params.latest,
            &params.limit,
        )
    }
}
pub struct ListFleetAuditStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_fleet_audit() -> ListFleetAuditStmt {
    ListFleetAuditStmt(
        "WITH RECURSIVE there (action) AS ( (SELECT l.action FROM audit_log l ORDER BY l.action LIMIT 1) UNION ALL SELECT (SELECT l.action FROM audit_log l WHERE l.action > there.action ORDER BY l.action LIMIT 1) FROM there WHERE there.action IS NOT NULL ), wanted (action) AS ( SELECT there.action FROM there WHERE there.action IS NOT NULL AND cardinality($1::text[]) = 0 UNION SELECT unnest($1) ) SELECT page.id, page.operator_id, page.source, page.sent_by, page.channel, page.action, page.target_type, page.target_id, page.payload, page.created_at FROM wanted CROSS JOIN LATERAL ( SELECT l.* FROM audit_log l WHERE l.action = wanted.action AND l.created_at >= coalesce($2, '-infinity'::timestamptz) AND (l.created_at, l.id) < (coalesce($3, 'infinity'::timestamptz), coalesce($4, 0::bigint)) ORDER BY l.created_at DESC, l.id DESC LIMIT $5 ) AS page ORDER BY page.created_at DESC, page.id DESC LIMIT $5",
        None,
    )
}
impl ListFleetAuditStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        kinds: &'a T2,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        before_at: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        before_id: &'a Option<i64>,
        limit: &'a i64,
    ) -> AuditRecordQuery<'c, 'a, 's, C, AuditRecord, 5> {
        AuditRecordQuery {
            client,
            params: [kinds, earliest, before_at, before_id, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AuditRecordBorrowed, tokio_postgres::Error> {
                Ok(AuditRecordBorrowed {
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
            mapper: |it| AuditRecord::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListFleetAuditParams<T1, T2>,
        AuditRecordQuery<'c, 'a, 's, C, AuditRecord, 5>,
        C,
    > for ListFleetAuditStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListFleetAuditParams<T1, T2>,
    ) -> AuditRecordQuery<'c, 'a, 's, C, AuditRecord, 5> {
        self.bind(client, &params.kinds, &params.earliest, &params.before_at, &params.before_id, &params.limit)
    }
}
pub struct ListAccountAuditStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_account_audit() -> ListAccountAuditStmt {
    ListAccountAuditStmt(
        "SELECT id, operator_id, source, sent_by, channel, action, target_type, target_id, payload, created_at FROM audit_log WHERE target_id = $1 AND id < coalesce($2, 9223372036854775807) AND (cardinality($3::text[]) = 0 OR action = ANY ($3)) AND created_at >= coalesce($4, '-infinity'::timestamptz) AND created_at < coalesce($5, 'infinity'::timestamptz) ORDER BY id DESC LIMIT $6",
        None,
    )
}
impl ListAccountAuditStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        before: &'a Option<i64>,
        kinds: &'a T2,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        latest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        limit: &'a i64,
    ) -> AuditRecordQuery<'c, 'a, 's, C, AuditRecord, 6> {
        AuditRecordQuery {
            client,
            params: [account, before, kinds, earliest, latest, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AuditRecordBorrowed, tokio_postgres::Error> {
                Ok(AuditRecordBorrowed {
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
            mapper: |it| AuditRecord::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListAccountAuditParams<T1, T2>,
        AuditRecordQuery<'c, 'a, 's, C, AuditRecord, 6>,
        C,
    > for ListAccountAuditStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListAccountAuditParams<T1, T2>,
    ) -> AuditRecordQuery<'c, 'a, 's, C, AuditRecord, 6> {
        self.bind(
            client,
            &params.account,
            &params.before,
            &params.kinds,
            &params.earliest,
            &params.latest,
            &params.limit,
        )
    }
}
pub struct ListFleetCommandsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_fleet_commands() -> ListFleetCommandsStmt {
    ListFleetCommandsStmt(
        "WITH RECURSIVE there (kind) AS ( (SELECT c.kind FROM commands c ORDER BY c.kind LIMIT 1) UNION ALL SELECT (SELECT c.kind FROM commands c WHERE c.kind > there.kind ORDER BY c.kind LIMIT 1) FROM there WHERE there.kind IS NOT NULL ), wanted (kind) AS ( SELECT there.kind FROM there WHERE there.kind IS NOT NULL AND cardinality($1::text[]) = 0 UNION SELECT unnest($1) ) SELECT page.id, page.account_id, page.kind, page.state, page.result, page.source, page.sent_by, page.created_at, page.started_at, page.done_at FROM wanted CROSS JOIN LATERAL ( SELECT c.id, c.account_id, c.kind, c.state, c.result, c.source, c.sent_by, c.created_at, c.started_at, c.done_at FROM commands c WHERE c.kind = wanted.kind AND c.created_at >= coalesce($2, '-infinity'::timestamptz) AND (c.created_at, c.id) < (coalesce($3, 'infinity'::timestamptz), coalesce($4, 0::bigint)) AND (cardinality($5::text[]) = 0 OR c.state = ANY ($5)) ORDER BY c.created_at DESC, c.id DESC LIMIT $6 ) AS page ORDER BY page.created_at DESC, page.id DESC LIMIT $6",
        None,
    )
}
impl ListFleetCommandsStmt {
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
    >(
        &'s self,
        client: &'c C,
        kinds: &'a T2,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        before_at: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        before_id: &'a Option<i64>,
        states: &'a T4,
        limit: &'a i64,
    ) -> ShownCommandQuery<'c, 'a, 's, C, ShownCommand, 6> {
        ShownCommandQuery {
            client,
            params: [kinds, earliest, before_at, before_id, states, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownCommandBorrowed, tokio_postgres::Error> {
                Ok(ShownCommandBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    kind: row.try_get(2)?,
                    state: row.try_get(3)?,
                    result: row.try_get(4)?,
                    source: row.try_get(5)?,
                    sent_by: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    started_at: row.try_get(8)?,
                    done_at: row.try_get(9)?,
                })
            },
            mapper: |it| ShownCommand::from(it),
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
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListFleetCommandsParams<T1, T2, T3, T4>,
        ShownCommandQuery<'c, 'a, 's, C, ShownCommand, 6>,
        C,
    > for ListFleetCommandsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListFleetCommandsParams<T1, T2, T3, T4>,
    ) -> ShownCommandQuery<'c, 'a, 's, C, ShownCommand, 6> {
        self.bind(
            client,
            &params.kinds,
            &params.earliest,
            &params.before_at,
            &params.before_id,
            &params.states,
            &params.limit,
        )
    }
}
pub struct ListAccountCommandsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_account_commands() -> ListAccountCommandsStmt {
    ListAccountCommandsStmt(
        "SELECT id, account_id, kind, state, result, source, sent_by, created_at, started_at, done_at FROM commands WHERE account_id = $1 AND id < coalesce($2, 9223372036854775807) AND (cardinality($3::text[]) = 0 OR kind = ANY ($3)) AND (cardinality($4::text[]) = 0 OR state = ANY ($4)) AND created_at >= coalesce($5, '-infinity'::timestamptz) AND created_at < coalesce($6, 'infinity'::timestamptz) ORDER BY id DESC LIMIT $7",
        None,
    )
}
impl ListAccountCommandsStmt {
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
    >(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        before: &'a Option<i64>,
        kinds: &'a T2,
        states: &'a T4,
        earliest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        latest: &'a Option<chrono::DateTime<chrono::FixedOffset>>,
        limit: &'a i64,
    ) -> ShownCommandQuery<'c, 'a, 's, C, ShownCommand, 7> {
        ShownCommandQuery {
            client,
            params: [account, before, kinds, states, earliest, latest, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownCommandBorrowed, tokio_postgres::Error> {
                Ok(ShownCommandBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    kind: row.try_get(2)?,
                    state: row.try_get(3)?,
                    result: row.try_get(4)?,
                    source: row.try_get(5)?,
                    sent_by: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    started_at: row.try_get(8)?,
                    done_at: row.try_get(9)?,
                })
            },
            mapper: |it| ShownCommand::from(it),
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
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListAccountCommandsParams<T1, T2, T3, T4>,
        ShownCommandQuery<'c, 'a, 's, C, ShownCommand, 7>,
        C,
    > for ListAccountCommandsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListAccountCommandsParams<T1, T2, T3, T4>,
    ) -> ShownCommandQuery<'c, 'a, 's, C, ShownCommand, 7> {
        self.bind(
            client,
            &params.account,
            &params.before,
            &params.kinds,
            &params.states,
            &params.earliest,
            &params.latest,
            &params.limit,
        )
    }
}
pub struct FindAccountsCalledStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn find_accounts_called() -> FindAccountsCalledStmt {
    FindAccountsCalledStmt(
        "SELECT id FROM whatsapp_accounts WHERE deleted_at IS NULL AND label = $1 ORDER BY created_at, id LIMIT 2",
        None,
    )
}
impl FindAccountsCalledStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        label: &'a T1,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 1> {
        UuidUuidQuery {
            client,
            params: [label],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct SendConsoleCommandStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn send_console_command() -> SendConsoleCommandStmt {
    SendConsoleCommandStmt("SELECT send_command($1, $2, $3, $4, $5) AS id", None)
}
impl SendConsoleCommandStmt {
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
        T2: crate::JsonSql,
        T3: crate::StringSql,
        T4: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        account: &'a uuid::Uuid,
        args: &'a T2,
        dedupe_key: &'a Option<T3>,
        source: &'a T4,
    ) -> I64Query<'c, 'a, 's, C, i64, 5> {
        I64Query {
            client,
            params: [kind, account, args, dedupe_key, source],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::JsonSql, T3: crate::StringSql, T4: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SendConsoleCommandParams<T1, T2, T3, T4>,
        I64Query<'c, 'a, 's, C, i64, 5>,
        C,
    > for SendConsoleCommandStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SendConsoleCommandParams<T1, T2, T3, T4>,
    ) -> I64Query<'c, 'a, 's, C, i64, 5> {
        self.bind(client, &params.kind, &params.account, &params.args, &params.dedupe_key, &params.source)
    }
}
pub struct GetCommandStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_command() -> GetCommandStmt {
    GetCommandStmt(
        "SELECT id, account_id, kind, state, result, source, sent_by, created_at, started_at, done_at FROM commands WHERE id = $1",
        None,
    )
}
impl GetCommandStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        command: &'a i64,
    ) -> ShownCommandQuery<'c, 'a, 's, C, ShownCommand, 1> {
        ShownCommandQuery {
            client,
            params: [command],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ShownCommandBorrowed, tokio_postgres::Error> {
                Ok(ShownCommandBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    kind: row.try_get(2)?,
                    state: row.try_get(3)?,
                    result: row.try_get(4)?,
                    source: row.try_get(5)?,
                    sent_by: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    started_at: row.try_get(8)?,
                    done_at: row.try_get(9)?,
                })
            },
            mapper: |it| ShownCommand::from(it),
        }
    }
}
pub struct GetOwnerStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_owner() -> GetOwnerStmt {
    GetOwnerStmt(
        "SELECT p.id AS process, p.host, p.pid FROM whatsapp_accounts a LEFT JOIN processes p ON p.id = a.owner AND p.expires_at > clock_timestamp() WHERE a.id = $1",
        None,
    )
}
impl GetOwnerStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> AccountOwnerQuery<'c, 'a, 's, C, AccountOwner, 1> {
        AccountOwnerQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountOwnerBorrowed, tokio_postgres::Error> {
                Ok(AccountOwnerBorrowed { process: row.try_get(0)?, host: row.try_get(1)?, pid: row.try_get(2)? })
            },
            mapper: |it| AccountOwner::from(it),
        }
    }
}
pub struct CountAccountsByStatusStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_accounts_by_status() -> CountAccountsByStatusStmt {
    CountAccountsByStatusStmt(
        "SELECT status, count(*) AS accounts FROM whatsapp_accounts WHERE deleted_at IS NULL GROUP BY status ORDER BY status",
        None,
    )
}
impl CountAccountsByStatusStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> CountAccountsByStatusQuery<'c, 'a, 's, C, CountAccountsByStatus, 0> {
        CountAccountsByStatusQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CountAccountsByStatusBorrowed, tokio_postgres::Error> {
                Ok(CountAccountsByStatusBorrowed { status: row.try_get(0)?, accounts: row.try_get(1)? })
            },
            mapper: |it| CountAccountsByStatus::from(it),
        }
    }
}
pub struct ListDaemonsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_daemons() -> ListDaemonsStmt {
    ListDaemonsStmt(
        "SELECT p.id, p.host, p.pid, p.version, p.started_at, p.renewed_at, p.expires_at, p.draining, coalesce(owned.accounts, 0) AS accounts FROM processes p LEFT JOIN (SELECT a.owner, count(*) AS accounts FROM whatsapp_accounts a WHERE a.deleted_at IS NULL OR a.status = 'deleting' GROUP BY a.owner) AS owned ON owned.owner = p.id WHERE p.expires_at > clock_timestamp() ORDER BY p.started_at, p.id",
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
                    started_at: row.try_get(4)?,
                    renewed_at: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    draining: row.try_get(7)?,
                    accounts: row.try_get(8)?,
                })
            },
            mapper: |it| ListDaemons::from(it),
        }
    }
}
pub struct MeasureQueuesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn measure_queues() -> MeasureQueuesStmt {
    MeasureQueuesStmt(
        "SELECT (SELECT count(*) FROM unlink_tickets) AS open_tickets, (SELECT count(*) FROM commands WHERE state = 'queued') AS queued_commands, (SELECT (extract(epoch FROM clock_timestamp() - min(created_at)) * 1000)::bigint FROM commands WHERE state = 'queued') AS oldest_queued_command_age_ms, (SELECT count(*) FROM events WHERE NOT notified) AS unsent_events",
        None,
    )
}
impl MeasureQueuesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> MeasureQueuesQuery<'c, 'a, 's, C, MeasureQueues, 0> {
        MeasureQueuesQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MeasureQueues, tokio_postgres::Error> {
                Ok(MeasureQueues {
                    open_tickets: row.try_get(0)?,
                    queued_commands: row.try_get(1)?,
                    oldest_queued_command_age_ms: row.try_get(2)?,
                    unsent_events: row.try_get(3)?,
                })
            },
            mapper: |it| MeasureQueues::from(it),
        }
    }
}
pub struct GetFeedLineStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_feed_line() -> GetFeedLineStmt {
    GetFeedLineStmt("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS line", None)
}
impl GetFeedLineStmt {
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
pub struct ListFeedEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_feed_events() -> ListFeedEventsStmt {
    ListFeedEventsStmt(
        "SELECT id, account_id, seq, kind, payload, created_at, xact::text::bigint AS xact FROM events WHERE (xact, id) > ($1::bigint::text::xid8, $2) AND xact < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xact, id LIMIT $3",
        None,
    )
}
impl ListFeedEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        xact: &'a i64,
        id: &'a i64,
        limit: &'a i64,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 3> {
        FeedEventQuery {
            client,
            params: [xact, id, limit],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FeedEventBorrowed, tokio_postgres::Error> {
                Ok(FeedEventBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    payload: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                    xact: row.try_get(6)?,
                })
            },
            mapper: |it| FeedEvent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, ListFeedEventsParams, FeedEventQuery<'c, 'a, 's, C, FeedEvent, 3>, C>
    for ListFeedEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListFeedEventsParams,
    ) -> FeedEventQuery<'c, 'a, 's, C, FeedEvent, 3> {
        self.bind(client, &params.xact, &params.id, &params.limit)
    }
}
