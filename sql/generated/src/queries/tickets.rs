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
    pub is_abandoned: bool,
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
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct RetryTicket {
    pub is_written: bool,
    pub was_written: bool,
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
pub struct RetryTicketQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<RetryTicket, tokio_postgres::Error>,
    mapper: fn(RetryTicket) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RetryTicketQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(RetryTicket) -> R) -> RetryTicketQuery<'c, 'a, 's, C, R, N> {
        RetryTicketQuery {
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
        "WITH mine AS ( SELECT id FROM whatsapp_accounts WHERE id = $1 AND owner = $2 AND fence = $3 FOR SHARE ), written AS ( UPDATE unlink_tickets t SET attempts = $4, last_error = $5, next_retry_at = $6 FROM mine WHERE t.id = $7 AND t.account_id = mine.id AND t.attempts = $4 - 1 RETURNING t.id ) SELECT EXISTS (SELECT FROM written) AS is_written, EXISTS (SELECT FROM unlink_tickets t WHERE t.id = $7 AND t.attempts = $4 AND t.last_error = $5) AS was_written FROM mine",
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
    ) -> RetryTicketQuery<'c, 'a, 's, C, RetryTicket, 7> {
        RetryTicketQuery {
            client,
            params: [account, process, fence, attempts, error, next_retry_at, ticket],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RetryTicket, tokio_postgres::Error> {
                Ok(RetryTicket { is_written: row.try_get(0)?, was_written: row.try_get(1)? })
            },
            mapper: |it| RetryTicket::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, RetryTicketParams<T1>, RetryTicketQuery<'c, 'a, 's, C, RetryTicket, 7>, C>
    for RetryTicketStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RetryTicketParams<T1>,
    ) -> RetryTicketQuery<'c, 'a, 's, C, RetryTicket, 7> {
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
pub struct CloseTicketStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn close_ticket() -> CloseTicketStmt {
    CloseTicketStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 FOR NO KEY UPDATE ), closed AS ( DELETE FROM unlink_tickets t USING mine WHERE t.id = $4 AND t.account_id = mine.id AND (NOT $5 OR t.abandon_at <= clock_timestamp()) RETURNING t.id, t.account_id, t.keyring_id, t.source ), erased AS ( DELETE FROM keyrings k USING closed WHERE k.id = closed.keyring_id ), counted AS ( UPDATE whatsapp_accounts a SET event_seq = a.event_seq + 1 FROM closed WHERE a.id = closed.account_id RETURNING a.id, a.operator_id, a.label, a.event_seq, closed.source ), told AS ( INSERT INTO events (account_id, seq, kind, payload) SELECT id, event_seq, $6, $7 FROM counted ), audited AS ( INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload) SELECT operator_id, source, $6, 'whatsapp_account', id, jsonb_build_object('label', label, 'raw', $8::text) FROM counted ) SELECT EXISTS (SELECT FROM unlink_tickets t WHERE t.id = $4) AND NOT EXISTS (SELECT FROM closed) AS is_open FROM mine",
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
        is_abandoned: &'a bool,
        event_kind: &'a T1,
        event_payload: &'a T2,
        raw: &'a T3,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 8> {
        BoolQuery {
            client,
            params: [account, process, fence, ticket, is_abandoned, event_kind, event_payload, raw],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::JsonSql, T3: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, CloseTicketParams<T1, T2, T3>, BoolQuery<'c, 'a, 's, C, bool, 8>, C>
    for CloseTicketStmt
{
    fn params(&'s self, client: &'c C, params: &'a CloseTicketParams<T1, T2, T3>) -> BoolQuery<'c, 'a, 's, C, bool, 8> {
        self.bind(
            client,
            &params.account,
            &params.process,
            &params.fence,
            &params.ticket,
            &params.is_abandoned,
            &params.event_kind,
            &params.event_payload,
            &params.raw,
        )
    }
}
