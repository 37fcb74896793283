// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct NotifyEventsParams<T1: crate::StringSql> {
    pub process: uuid::Uuid,
    pub channel: T1,
    pub is_full: bool,
}
#[derive(Debug, Clone, PartialEq)]
pub struct NotifyEvents {
    pub sent: i64,
    pub commit_mode: String,
}
pub struct NotifyEventsBorrowed<'a> {
    pub sent: i64,
    pub commit_mode: &'a str,
}
impl<'a> From<NotifyEventsBorrowed<'a>> for NotifyEvents {
    fn from(NotifyEventsBorrowed { sent, commit_mode }: NotifyEventsBorrowed<'a>) -> Self {
        Self { sent, commit_mode: commit_mode.into() }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct NotifyEventsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<NotifyEventsBorrowed, tokio_postgres::Error>,
    mapper: fn(NotifyEventsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> NotifyEventsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(NotifyEventsBorrowed) -> R) -> NotifyEventsQuery<'c, 'a, 's, C, R, N> {
        NotifyEventsQuery {
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
pub struct NotifyEventsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn notify_events() -> NotifyEventsStmt {
    NotifyEventsStmt(
        "WITH batch AS ( SELECT e.id FROM events e LEFT JOIN whatsapp_accounts a ON a.id = e.account_id WHERE NOT e.notified AND (a.owner IS NULL OR a.owner = $1 OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())) ORDER BY e.id LIMIT 500 FOR UPDATE OF e ), marked AS ( UPDATE events e SET notified = true FROM batch WHERE e.id = batch.id RETURNING e AS event, e.id, (e.payload || jsonb_build_object( 'type', e.kind, 'accountId', e.account_id, 'id', e.id, 'seq', e.seq))::text AS message ), sent AS ( SELECT pg_notify($2, CASE WHEN NOT $3 OR (SELECT is_isolated()) THEN event_wake(event) WHEN octet_length(message) < 8000 THEN message ELSE event_message(event) END) FROM (SELECT marked.* FROM marked ORDER BY marked.id) AS ordered ) SELECT count(*) AS sent, set_config('synchronous_commit', 'off', true) AS commit_mode FROM sent",
        None,
    )
}
impl NotifyEventsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        channel: &'a T1,
        is_full: &'a bool,
    ) -> NotifyEventsQuery<'c, 'a, 's, C, NotifyEvents, 3> {
        NotifyEventsQuery {
            client,
            params: [process, channel, is_full],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<NotifyEventsBorrowed, tokio_postgres::Error> {
                Ok(NotifyEventsBorrowed { sent: row.try_get(0)?, commit_mode: row.try_get(1)? })
            },
            mapper: |it| NotifyEvents::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        NotifyEventsParams<T1>,
        NotifyEventsQuery<'c, 'a, 's, C, NotifyEvents, 3>,
        C,
    > for NotifyEventsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a NotifyEventsParams<T1>,
    ) -> NotifyEventsQuery<'c, 'a, 's, C, NotifyEvents, 3> {
        self.bind(client, &params.process, &params.channel, &params.is_full)
    }
}
