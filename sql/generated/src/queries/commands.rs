// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct TakeCommandsParams<T1: crate::ArraySql<Item = i64>, T2: crate::ArraySql<Item = uuid::Uuid>> {
    pub process: uuid::Uuid,
    pub taken: uuid::Uuid,
    pub handed_commands: T1,
    pub handed_askings: T2,
}
#[derive(Debug)]
pub struct RequeueCommandsParams<T1: crate::ArraySql<Item = i64>, T2: crate::ArraySql<Item = uuid::Uuid>> {
    pub commands: T1,
    pub takings: T2,
    pub process: uuid::Uuid,
}
#[derive(Debug)]
pub struct StoreNotifiedCommandParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::JsonSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::StringSql,
> {
    pub sender: i32,
    pub payload: T1,
    pub nth: i32,
    pub heard_at: chrono::DateTime<chrono::FixedOffset>,
    pub counted_secs: f64,
    pub kind: T2,
    pub account: Option<uuid::Uuid>,
    pub args: T3,
    pub dedupe_key: Option<T4>,
    pub failure: Option<T5>,
    pub sent_by: Option<T6>,
}
#[derive(Debug, Clone, PartialEq)]
pub struct TakeCommands {
    pub id: Option<i64>,
    pub account_id: Option<uuid::Uuid>,
    pub kind: Option<String>,
    pub args: Option<serde_json::Value>,
    pub source: Option<String>,
    pub taken: Option<uuid::Uuid>,
    pub created_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub orphans: bool,
}
pub struct TakeCommandsBorrowed<'a> {
    pub id: Option<i64>,
    pub account_id: Option<uuid::Uuid>,
    pub kind: Option<&'a str>,
    pub args: Option<postgres_types::Json<&'a serde_json::value::RawValue>>,
    pub source: Option<&'a str>,
    pub taken: Option<uuid::Uuid>,
    pub created_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub orphans: bool,
}
impl<'a> From<TakeCommandsBorrowed<'a>> for TakeCommands {
    fn from(
        TakeCommandsBorrowed { id, account_id, kind, args, source, taken, created_at, orphans }: TakeCommandsBorrowed<
            'a,
        >,
    ) -> Self {
        Self {
            id,
            account_id,
            kind: kind.map(|v| v.into()),
            args: args.map(|v| serde_json::from_str(v.0.get()).unwrap()),
            source: source.map(|v| v.into()),
            taken,
            created_at,
            orphans,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct FindSenders {
    pub pid: i32,
    pub may_send: Option<bool>,
    pub login: Option<String>,
}
pub struct FindSendersBorrowed<'a> {
    pub pid: i32,
    pub may_send: Option<bool>,
    pub login: Option<&'a str>,
}
impl<'a> From<FindSendersBorrowed<'a>> for FindSenders {
    fn from(FindSendersBorrowed { pid, may_send, login }: FindSendersBorrowed<'a>) -> Self {
        Self { pid, may_send, login: login.map(|v| v.into()) }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct TakeCommandsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TakeCommandsBorrowed, tokio_postgres::Error>,
    mapper: fn(TakeCommandsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TakeCommandsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(TakeCommandsBorrowed) -> R) -> TakeCommandsQuery<'c, 'a, 's, C, R, N> {
        TakeCommandsQuery {
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
pub struct Optioni64Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Option<i64>, tokio_postgres::Error>,
    mapper: fn(Option<i64>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> Optioni64Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(Option<i64>) -> R) -> Optioni64Query<'c, 'a, 's, C, R, N> {
        Optioni64Query {
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
pub struct FindSendersQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<FindSendersBorrowed, tokio_postgres::Error>,
    mapper: fn(FindSendersBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FindSendersQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(FindSendersBorrowed) -> R) -> FindSendersQuery<'c, 'a, 's, C, R, N> {
        FindSendersQuery {
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
pub struct TakeCommandsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn take_commands() -> TakeCommandsStmt {
    TakeCommandsStmt(
        "WITH RECURSIVE waiting (account_id) AS ( (SELECT c.account_id FROM commands c WHERE c.state IN ('queued', 'running') AND c.account_id IS NOT NULL ORDER BY c.account_id LIMIT 1) UNION ALL SELECT (SELECT c.account_id FROM commands c WHERE c.state IN ('queued', 'running') AND c.account_id > waiting.account_id ORDER BY c.account_id LIMIT 1) FROM waiting WHERE waiting.account_id IS NOT NULL ), me AS ( SELECT p.id FROM processes p WHERE p.id = $1 AND p.expires_at > clock_timestamp() AND NOT p.draining ), free AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = ANY (ARRAY(SELECT waiting.account_id FROM waiting)) AND (a.owner IS NULL OR NOT EXISTS ( SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())) AND NOT needs_daemon(a) AND EXISTS (SELECT FROM me) ORDER BY a.id FOR UPDATE OF a SKIP LOCKED ), claimed AS ( UPDATE whatsapp_accounts a SET owner = $1, fence = a.fence + 1 FROM free WHERE a.id = free.id RETURNING a.id ), mine AS ( SELECT a.id, false AS is_new FROM whatsapp_accounts a WHERE a.id = ANY (ARRAY(SELECT waiting.account_id FROM waiting)) AND a.owner = $1 AND EXISTS (SELECT FROM me) UNION ALL SELECT claimed.id, true FROM claimed ), next AS ( SELECT oldest.id, mine.is_new FROM mine CROSS JOIN LATERAL ( SELECT c.id FROM commands c WHERE c.account_id = mine.id AND c.state IN ('queued', 'running') AND (c.state = 'queued' OR mine.is_new OR c.taken_by IS DISTINCT FROM $1) ORDER BY c.account_id, c.id LIMIT 1) AS oldest WHERE mine.is_new OR NOT EXISTS (SELECT FROM commands r WHERE r.account_id = mine.id AND r.state = 'running' AND r.taken_by = $1 AND r.kind NOT IN ('groups.sync', 'chat.read', 'contact.check')) ), taken AS ( UPDATE commands c SET state = 'running', started_at = clock_timestamp(), taken_by = $1, taken = $2 FROM next WHERE c.id = next.id AND (c.state = 'queued' OR (c.state = 'running' AND (next.is_new OR c.taken_by IS DISTINCT FROM $1))) RETURNING c.id, c.account_id, c.kind, c.args, c.source, c.taken, c.created_at ), requeued AS ( UPDATE commands c SET state = 'queued', started_at = NULL FROM claimed WHERE c.account_id = claimed.id AND c.state = 'running' AND NOT EXISTS (SELECT FROM next WHERE next.id = c.id) ), due AS ( SELECT taken.* FROM taken UNION ALL SELECT c.id, c.account_id, c.kind, c.args, c.source, c.taken, c.created_at FROM commands c JOIN whatsapp_accounts a ON a.id = c.account_id WHERE c.state = 'running' AND c.taken_by = $1 AND a.owner = $1 AND NOT EXISTS ( SELECT FROM unnest($3::bigint[], $4::uuid[]) AS handed (command, asking) WHERE handed.command = c.id AND handed.asking = c.taken) ) SELECT due.id, due.account_id, due.kind, CASE WHEN due.kind = 'account.pair' AND a.desired_phone IS NOT NULL AND jsonb_typeof(due.args) = 'object' AND coalesce(due.args ->> 'expectPhone', due.args ->> 'phone') IS NULL THEN due.args || jsonb_build_object('expectPhone', a.desired_phone) ELSE due.args END AS args, due.source, due.taken, due.created_at, rest.orphans FROM (SELECT EXISTS (SELECT FROM commands c WHERE c.state = 'queued' AND c.account_id IS NULL) OR EXISTS (SELECT FROM waiting WHERE NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = waiting.account_id) AND EXISTS (SELECT FROM commands c WHERE c.account_id = waiting.account_id AND c.state = 'queued')) AS orphans ) AS rest LEFT JOIN due ON true LEFT JOIN whatsapp_accounts a ON a.id = due.account_id ORDER BY row_number() OVER (PARTITION BY a.operator_id ORDER BY due.id), due.id",
        None,
    )
}
impl TakeCommandsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::ArraySql<Item = i64>,
        T2: crate::ArraySql<Item = uuid::Uuid>,
    >(
        &'s self,
        client: &'c C,
        process: &'a uuid::Uuid,
        taken: &'a uuid::Uuid,
        handed_commands: &'a T1,
        handed_askings: &'a T2,
    ) -> TakeCommandsQuery<'c, 'a, 's, C, TakeCommands, 4> {
        TakeCommandsQuery {
            client,
            params: [process, taken, handed_commands, handed_askings],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TakeCommandsBorrowed, tokio_postgres::Error> {
                Ok(TakeCommandsBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    kind: row.try_get(2)?,
                    args: row.try_get(3)?,
                    source: row.try_get(4)?,
                    taken: row.try_get(5)?,
                    created_at: row.try_get(6)?,
                    orphans: row.try_get(7)?,
                })
            },
            mapper: |it| TakeCommands::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>, T2: crate::ArraySql<Item = uuid::Uuid>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        TakeCommandsParams<T1, T2>,
        TakeCommandsQuery<'c, 'a, 's, C, TakeCommands, 4>,
        C,
    > for TakeCommandsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a TakeCommandsParams<T1, T2>,
    ) -> TakeCommandsQuery<'c, 'a, 's, C, TakeCommands, 4> {
        self.bind(client, &params.process, &params.taken, &params.handed_commands, &params.handed_askings)
    }
}
pub struct FailOrphanedCommandsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn fail_orphaned_commands() -> FailOrphanedCommandsStmt {
    FailOrphanedCommandsStmt(
        "WITH RECURSIVE waiting (account_id) AS ( (SELECT c.account_id FROM commands c WHERE c.state IN ('queued', 'running') AND c.account_id IS NOT NULL ORDER BY c.account_id LIMIT 1) UNION ALL SELECT (SELECT c.account_id FROM commands c WHERE c.state IN ('queued', 'running') AND c.account_id > waiting.account_id ORDER BY c.account_id LIMIT 1) FROM waiting WHERE waiting.account_id IS NOT NULL ), stray AS ( SELECT c.id FROM commands c JOIN waiting ON waiting.account_id = c.account_id WHERE c.state = 'queued' AND NOT EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = waiting.account_id) LIMIT 500 FOR UPDATE OF c SKIP LOCKED ), headless AS ( SELECT c.id FROM commands c WHERE c.state = 'queued' AND c.account_id IS NULL LIMIT 500 FOR UPDATE OF c SKIP LOCKED ) UPDATE commands c SET state = 'failed', done_at = clock_timestamp(), args = CASE WHEN c.kind = 'account.passkey' AND jsonb_typeof(c.args) = 'object' THEN c.args - 'response' ELSE c.args END, result = coalesce('no account with id ' || c.account_id::text, 'no account id given') FROM (SELECT id FROM stray UNION ALL SELECT id FROM headless) AS orphaned WHERE c.id = orphaned.id RETURNING c.id",
        None,
    )
}
impl FailOrphanedCommandsStmt {
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
pub struct RequeueCommandsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn requeue_commands() -> RequeueCommandsStmt {
    RequeueCommandsStmt(
        "UPDATE commands c SET state = 'queued', started_at = NULL FROM unnest($1::bigint[], $2::uuid[]) AS left_undone (command, taking), whatsapp_accounts a WHERE c.id = left_undone.command AND c.taken = left_undone.taking AND c.state = 'running' AND a.id = c.account_id AND a.owner = $3 RETURNING c.id",
        None,
    )
}
impl RequeueCommandsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::ArraySql<Item = i64>,
        T2: crate::ArraySql<Item = uuid::Uuid>,
    >(
        &'s self,
        client: &'c C,
        commands: &'a T1,
        takings: &'a T2,
        process: &'a uuid::Uuid,
    ) -> I64Query<'c, 'a, 's, C, i64, 3> {
        I64Query {
            client,
            params: [commands, takings, process],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>, T2: crate::ArraySql<Item = uuid::Uuid>>
    crate::client::async_::Params<'c, 'a, 's, RequeueCommandsParams<T1, T2>, I64Query<'c, 'a, 's, C, i64, 3>, C>
    for RequeueCommandsStmt
{
    fn params(&'s self, client: &'c C, params: &'a RequeueCommandsParams<T1, T2>) -> I64Query<'c, 'a, 's, C, i64, 3> {
        self.bind(client, &params.commands, &params.takings, &params.process)
    }
}
pub struct StoreNotifiedCommandStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn store_notified_command() -> StoreNotifiedCommandStmt {
    StoreNotifiedCommandStmt(
        "SELECT store_heard_command(encode(sha256(convert_to($1::int || ' ' || $2::text, 'UTF8')), 'hex'), $3, $4, make_interval(secs => $5), $6, $7, $8, $9, $10, $11) AS id",
        None,
    )
}
impl StoreNotifiedCommandStmt {
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
        T3: crate::JsonSql,
        T4: crate::StringSql,
        T5: crate::StringSql,
        T6: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        sender: &'a i32,
        payload: &'a T1,
        nth: &'a i32,
        heard_at: &'a chrono::DateTime<chrono::FixedOffset>,
        counted_secs: &'a f64,
        kind: &'a T2,
        account: &'a Option<uuid::Uuid>,
        args: &'a T3,
        dedupe_key: &'a Option<T4>,
        failure: &'a Option<T5>,
        sent_by: &'a Option<T6>,
    ) -> Optioni64Query<'c, 'a, 's, C, Option<i64>, 11> {
        Optioni64Query {
            client,
            params: [sender, payload, nth, heard_at, counted_secs, kind, account, args, dedupe_key, failure, sent_by],
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
    T3: crate::JsonSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::StringSql,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        StoreNotifiedCommandParams<T1, T2, T3, T4, T5, T6>,
        Optioni64Query<'c, 'a, 's, C, Option<i64>, 11>,
        C,
    > for StoreNotifiedCommandStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a StoreNotifiedCommandParams<T1, T2, T3, T4, T5, T6>,
    ) -> Optioni64Query<'c, 'a, 's, C, Option<i64>, 11> {
        self.bind(
            client,
            &params.sender,
            &params.payload,
            &params.nth,
            &params.heard_at,
            &params.counted_secs,
            &params.kind,
            &params.account,
            &params.args,
            &params.dedupe_key,
            &params.failure,
            &params.sent_by,
        )
    }
}
pub struct FindSendersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn find_senders() -> FindSendersStmt {
    FindSendersStmt(
        "SELECT s.pid, may_send_commands(s.usesysid) AS may_send, s.usename::text AS login FROM pg_stat_activity s WHERE s.pid = ANY ($1::int[]) AND s.datname = current_database() AND s.usesysid IS NOT NULL",
        None,
    )
}
impl FindSendersStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i32>>(
        &'s self,
        client: &'c C,
        pids: &'a T1,
    ) -> FindSendersQuery<'c, 'a, 's, C, FindSenders, 1> {
        FindSendersQuery {
            client,
            params: [pids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<FindSendersBorrowed, tokio_postgres::Error> {
                Ok(FindSendersBorrowed { pid: row.try_get(0)?, may_send: row.try_get(1)?, login: row.try_get(2)? })
            },
            mapper: |it| FindSenders::from(it),
        }
    }
}
