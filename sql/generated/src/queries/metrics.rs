// This file was generated with `clorinde`. Do not modify.

#[derive(Debug, Clone, PartialEq, Copy)]
pub struct FleetFigures {
    pub daemons: i64,
    pub tickets: i64,
    pub oldest_ticket_secs: f64,
    pub commands: i64,
    pub oldest_command_secs: f64,
    pub events: i64,
    pub oldest_event_secs: f64,
    pub messages_waiting: i64,
    pub messages_queued: i64,
    pub oldest_message_secs: f64,
    pub sending_paused: i64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct AccountsByCondition {
    pub status: String,
    pub reason: String,
    pub accounts: i64,
}
pub struct AccountsByConditionBorrowed<'a> {
    pub status: &'a str,
    pub reason: &'a str,
    pub accounts: i64,
}
impl<'a> From<AccountsByConditionBorrowed<'a>> for AccountsByCondition {
    fn from(AccountsByConditionBorrowed { status, reason, accounts }: AccountsByConditionBorrowed<'a>) -> Self {
        Self { status: status.into(), reason: reason.into(), accounts }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct FleetFiguresQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<FleetFigures, tokio_postgres::Error>,
    mapper: fn(FleetFigures) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FleetFiguresQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(FleetFigures) -> R) -> FleetFiguresQuery<'c, 'a, 's, C, R, N> {
        FleetFiguresQuery {
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
pub struct AccountsByConditionQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccountsByConditionBorrowed, tokio_postgres::Error>,
    mapper: fn(AccountsByConditionBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountsByConditionQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AccountsByConditionBorrowed) -> R) -> AccountsByConditionQuery<'c, 'a, 's, C, R, N> {
        AccountsByConditionQuery {
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
pub struct ReadFleetFiguresStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn read_fleet_figures() -> ReadFleetFiguresStmt {
    ReadFleetFiguresStmt(
        "SELECT (SELECT count(*) FROM processes WHERE expires_at > clock_timestamp()) AS daemons, t.tickets, t.oldest_ticket_secs, c.commands, c.oldest_command_secs, e.events, e.oldest_event_secs, m.messages_waiting, q.messages_queued, o.oldest_message_secs, p.sending_paused FROM (SELECT count(*) AS tickets, coalesce(extract(epoch FROM clock_timestamp() - min(opened_at)), 0)::float8 AS oldest_ticket_secs FROM unlink_tickets) AS t, (SELECT count(*) AS commands, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_command_secs FROM commands WHERE state IN ('queued', 'running')) AS c, (SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_event_secs FROM events WHERE NOT notified) AS e, (SELECT count(*) AS messages_waiting FROM messages WHERE state = 'waiting' AND reason <> 'lost') AS m, (SELECT count(*) AS messages_queued FROM (SELECT FROM messages WHERE state = 'queued' LIMIT 100000) AS queued) AS q, (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(due.at)), 0)::float8 AS oldest_message_secs FROM list_accounts_with_queue() AS queue (account) CROSS JOIN LATERAL ( SELECT least((SELECT min(m.due_at) FROM messages m WHERE m.account_id = queue.account AND m.state = 'queued' AND NOT m.is_new_chat AND m.due_at <= clock_timestamp()), (SELECT min(m.due_at) FROM messages m WHERE m.account_id = queue.account AND m.state = 'queued' AND m.is_new_chat AND m.reason IS NULL AND m.due_at <= clock_timestamp())) AS at ) AS due WHERE (SELECT a.status FROM whatsapp_accounts a WHERE a.id = queue.account) = 'connected') AS o, (SELECT count(*) AS sending_paused FROM whatsapp_accounts WHERE sending_paused_until > clock_timestamp()) AS p",
        None,
    )
}
impl ReadFleetFiguresStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> FleetFiguresQuery<'c, 'a, 's, C, FleetFigures, 0> {
        FleetFiguresQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FleetFigures, tokio_postgres::Error> {
                Ok(FleetFigures {
                    daemons: row.try_get(0)?,
                    tickets: row.try_get(1)?,
                    oldest_ticket_secs: row.try_get(2)?,
                    commands: row.try_get(3)?,
                    oldest_command_secs: row.try_get(4)?,
                    events: row.try_get(5)?,
                    oldest_event_secs: row.try_get(6)?,
                    messages_waiting: row.try_get(7)?,
                    messages_queued: row.try_get(8)?,
                    oldest_message_secs: row.try_get(9)?,
                    sending_paused: row.try_get(10)?,
                })
            },
            mapper: |it| FleetFigures::from(it),
        }
    }
}
pub struct CountAccountsByConditionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count_accounts_by_condition() -> CountAccountsByConditionStmt {
    CountAccountsByConditionStmt(
        "SELECT statuses.status, coalesce(a.reason, '') AS reason, coalesce(a.accounts, 0) AS accounts FROM unnest(ARRAY['unpaired', 'pending', 'connected', 'reconnecting', 'held', 'deleting']) AS statuses (status) LEFT JOIN ( SELECT status, CASE status WHEN 'held' THEN split_part(status_reason, ':', 1) ELSE '' END AS reason, count(*) AS accounts FROM whatsapp_accounts WHERE deleted_at IS NULL OR status = 'deleting' GROUP BY 1, 2 ) AS a ON a.status = statuses.status",
        None,
    )
}
impl CountAccountsByConditionStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> AccountsByConditionQuery<'c, 'a, 's, C, AccountsByCondition, 0> {
        AccountsByConditionQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountsByConditionBorrowed, tokio_postgres::Error> {
                Ok(AccountsByConditionBorrowed {
                    status: row.try_get(0)?,
                    reason: row.try_get(1)?,
                    accounts: row.try_get(2)?,
                })
            },
            mapper: |it| AccountsByCondition::from(it),
        }
    }
}
