// This file was generated with `clorinde`. Do not modify.

#[derive(Clone, Copy, Debug)]
pub struct LoadTicketParams {
    pub ticket: uuid::Uuid,
    pub process: uuid::Uuid,
}
#[derive(Debug)]
pub struct RetryTicketParams<T1: crate::StringSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub attempts: i32,
    pub error: T1,
    pub next_retry_at: chrono::DateTime<chrono::FixedOffset>,
    pub ticket: uuid::Uuid,
}
#[derive(Debug)]
pub struct CloseTicketParams<T1: crate::StringSql, T2: crate::JsonSql, T3: crate::StringSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub ticket: uuid::Uuid,
    pub event_kind: T1,
    pub event_payload: T2,
    pub raw: T3,
}
#[derive(Debug, Clone, PartialEq)]
pub struct LoadTicket {
    pub id: uuid::Uuid,
    pub account_id: uuid::Uuid,
    pub label: String,
    pub fence: i64,
    pub keyring_id: uuid::Uuid,
    pub reason: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub next_retry_at: chrono::DateTime<chrono::FixedOffset>,
    pub abandon_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct LoadTicketBorrowed<'a> {
    pub id: uuid::Uuid,
    pub account_id: uuid::Uuid,
    pub label: &'a str,
    pub fence: i64,
    pub keyring_id: uuid::Uuid,
    pub reason: &'a str,
    pub attempts: i32,
    pub last_error: Option<&'a str>,
    pub next_retry_at: chrono::DateTime<chrono::FixedOffset>,
    pub abandon_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<LoadTicketBorrowed<'a>> for LoadTicket {
    fn from(
        LoadTicketBorrowed {
            id,
            account_id,
            label,
            fence,
            keyring_id,
            reason,
            attempts,
            last_error,
            next_retry_at,
            abandon_at,
        }: LoadTicketBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            account_id,
            label: label.into(),
            fence,
            keyring_id,
            reason: reason.into(),
            attempts,
            last_error: last_error.map(|v| v.into()),
            next_retry_at,
            abandon_at,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct LoadTicketQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LoadTicketBorrowed, tokio_postgres::Error>,
    mapper: fn(LoadTicketBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LoadTicketQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(LoadTicketBorrowed) -> R) -> LoadTicketQuery<'c, 'a, 's, C, R, N> {
        LoadTicketQuery {
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
pub struct LoadTicketStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn load_ticket() -> LoadTicketStmt {
    LoadTicketStmt(
        "SELECT t.id, t.account_id, a.label, a.fence, t.keyring_id, t.reason, t.attempts, t.last_error, t.next_retry_at, t.abandon_at FROM unlink_tickets t JOIN whatsapp_accounts a ON a.id = t.account_id WHERE t.id = $1 AND a.owner = $2",
        None,
    )
}
impl LoadTicketStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        ticket: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
    ) -> LoadTicketQuery<'c, 'a, 's, C, LoadTicket, 2> {
        LoadTicketQuery {
            client,
            params: [ticket, process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<LoadTicketBorrowed, tokio_postgres::Error> {
                Ok(LoadTicketBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    fence: row.try_get(3)?,
                    keyring_id: row.try_get(4)?,
                    reason: row.try_get(5)?,
                    attempts: row.try_get(6)?,
                    last_error: row.try_get(7)?,
                    next_retry_at: row.try_get(8)?,
                    abandon_at: row.try_get(9)?,
                })
            },
            mapper: |it| LoadTicket::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<'c, 'a, 's, LoadTicketParams, LoadTicketQuery<'c, 'a, 's, C, LoadTicket, 2>, C>
    for LoadTicketStmt
{
    fn params(&'s self, client: &'c C, params: &'a LoadTicketParams) -> LoadTicketQuery<'c, 'a, 's, C, LoadTicket, 2> {
        self.bind(client, &params.ticket, &params.process)
    }
}
pub struct RetryTicketStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn retry_ticket() -> RetryTicketStmt {
    RetryTicketStmt(
        "WITH mine AS ( SELECT id FROM whatsapp_accounts WHERE id = $1 AND owner = $2 AND fence = $3 FOR SHARE ) UPDATE unlink_tickets t SET attempts = $4, last_error = $5, next_retry_at = $6 FROM mine WHERE t.id = $7 AND t.account_id = mine.id RETURNING t.id",
        None,
    )
}
impl RetryTicketStmt {
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
        attempts: &'a i32,
        error: &'a T1,
        next_retry_at: &'a chrono::DateTime<chrono::FixedOffset>,
        ticket: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 7> {
        UuidUuidQuery {
            client,
            params: [account, process, fence, attempts, error, next_retry_at, ticket],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, RetryTicketParams<T1>, UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 7>, C>
    for RetryTicketStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RetryTicketParams<T1>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 7> {
        self.bind(
            client,
            &params.account,
            &params.process,
            &params.fence,
            &params.attempts,
            &params.error,
            &params.next_retry_at,
            &params.ticket,
        )
    }
}
pub struct LockAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn lock_account() -> LockAccountStmt {
    LockAccountStmt("SELECT id FROM whatsapp_accounts WHERE id = $1 FOR UPDATE", None)
}
impl LockAccountStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 1> {
        UuidUuidQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct CloseTicketStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn close_ticket() -> CloseTicketStmt {
    CloseTicketStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 FOR UPDATE ), closed AS ( DELETE FROM unlink_tickets t USING mine WHERE t.id = $4 AND t.account_id = mine.id RETURNING t.id, t.account_id, t.keyring_id, t.source ), erased AS ( DELETE FROM keyrings k USING closed WHERE k.id = closed.keyring_id ), changed AS ( UPDATE whatsapp_accounts a SET event_seq = a.event_seq + 1, keyring_id = nullif(a.keyring_id, closed.keyring_id), linking_keyring_id = nullif(a.linking_keyring_id, closed.keyring_id), status = CASE WHEN rest.settled THEN 'unpaired' ELSE a.status END, status_reason = CASE WHEN rest.settled THEN 'deleted' ELSE a.status_reason END, status_since = CASE WHEN rest.settled THEN clock_timestamp() ELSE a.status_since END FROM closed, LATERAL (SELECT a2.status = 'deleting' AND NOT EXISTS ( SELECT FROM unlink_tickets t WHERE t.account_id = a2.id AND t.id <> closed.id) AS settled FROM whatsapp_accounts a2 WHERE a2.id = closed.account_id) AS rest WHERE a.id = closed.account_id RETURNING a.id, a.operator_id, a.label, a.event_seq, closed.source ), told AS ( INSERT INTO events (account_id, seq, kind, payload) SELECT id, event_seq, $5, $6 FROM changed ), audited AS ( INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload) SELECT operator_id, source, $5, 'whatsapp_account', id, jsonb_build_object('label', label, 'raw', $7::text) FROM changed ) SELECT id FROM mine",
        None,
    )
}
impl CloseTicketStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::JsonSql, T3: crate::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        ticket: &'a uuid::Uuid,
        event_kind: &'a T1,
        event_payload: &'a T2,
        raw: &'a T3,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 7> {
        UuidUuidQuery {
            client,
            params: [account, process, fence, ticket, event_kind, event_payload, raw],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::JsonSql, T3: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        CloseTicketParams<T1, T2, T3>,
        UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 7>,
        C,
    > for CloseTicketStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a CloseTicketParams<T1, T2, T3>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 7> {
        self.bind(
            client,
            &params.account,
            &params.process,
            &params.fence,
            &params.ticket,
            &params.event_kind,
            &params.event_payload,
            &params.raw,
        )
    }
}
