// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct ListContactChecksParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub account: uuid::Uuid,
    pub phones: T2,
}
#[derive(Clone, Copy, Debug)]
pub struct ListContactsAskedParams {
    pub account: uuid::Uuid,
    pub window_secs: f64,
    pub most: i64,
}
#[derive(Debug)]
pub struct BeginContactChecksParams<T1: crate::StringSql, T2: crate::ArraySql<Item = T1>> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub phones: T2,
}
#[derive(Debug)]
pub struct EndContactChecksParams<T1: crate::JsonSql> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub answers: T1,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListContactChecks {
    pub phone: String,
    pub chat: Option<String>,
    pub checked_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct ListContactChecksBorrowed<'a> {
    pub phone: &'a str,
    pub chat: Option<&'a str>,
    pub checked_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<ListContactChecksBorrowed<'a>> for ListContactChecks {
    fn from(ListContactChecksBorrowed { phone, chat, checked_at }: ListContactChecksBorrowed<'a>) -> Self {
        Self { phone: phone.into(), chat: chat.map(|v| v.into()), checked_at }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct ListContactChecksQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListContactChecksBorrowed, tokio_postgres::Error>,
    mapper: fn(ListContactChecksBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListContactChecksQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListContactChecksBorrowed) -> R) -> ListContactChecksQuery<'c, 'a, 's, C, R, N> {
        ListContactChecksQuery {
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
pub struct ListContactChecksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_contact_checks() -> ListContactChecksStmt {
    ListContactChecksStmt(
        "SELECT c.phone, c.chat, c.checked_at FROM contact_checks c WHERE c.account_id = $1 AND c.checked_at IS NOT NULL AND phone_key(c.phone) = ANY (ARRAY(SELECT phone_key(wanted.phone) FROM unnest($2::text[]) AS wanted (phone))) ORDER BY c.checked_at DESC",
        None,
    )
}
impl ListContactChecksStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        phones: &'a T2,
    ) -> ListContactChecksQuery<'c, 'a, 's, C, ListContactChecks, 2> {
        ListContactChecksQuery {
            client,
            params: [account, phones],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListContactChecksBorrowed, tokio_postgres::Error> {
                Ok(ListContactChecksBorrowed {
                    phone: row.try_get(0)?,
                    chat: row.try_get(1)?,
                    checked_at: row.try_get(2)?,
                })
            },
            mapper: |it| ListContactChecks::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListContactChecksParams<T1, T2>,
        ListContactChecksQuery<'c, 'a, 's, C, ListContactChecks, 2>,
        C,
    > for ListContactChecksStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListContactChecksParams<T1, T2>,
    ) -> ListContactChecksQuery<'c, 'a, 's, C, ListContactChecks, 2> {
        self.bind(client, &params.account, &params.phones)
    }
}
pub struct ListContactsAskedStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_contacts_asked() -> ListContactsAskedStmt {
    ListContactsAskedStmt(
        "SELECT c.asked_at FROM contact_checks c WHERE c.account_id = $1 AND c.asked_at > clock_timestamp() - make_interval(secs => $2) ORDER BY c.asked_at DESC LIMIT $3",
        None,
    )
}
impl ListContactsAskedStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        window_secs: &'a f64,
        most: &'a i64,
    ) -> ChronoDateTimechronoFixedOffsetQuery<'c, 'a, 's, C, chrono::DateTime<chrono::FixedOffset>, 3> {
        ChronoDateTimechronoFixedOffsetQuery {
            client,
            params: [account, window_secs, most],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListContactsAskedParams,
        ChronoDateTimechronoFixedOffsetQuery<'c, 'a, 's, C, chrono::DateTime<chrono::FixedOffset>, 3>,
        C,
    > for ListContactsAskedStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListContactsAskedParams,
    ) -> ChronoDateTimechronoFixedOffsetQuery<'c, 'a, 's, C, chrono::DateTime<chrono::FixedOffset>, 3> {
        self.bind(client, &params.account, &params.window_secs, &params.most)
    }
}
pub struct BeginContactChecksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn begin_contact_checks() -> BeginContactChecksStmt {
    BeginContactChecksStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND a.deleted_at IS NULL AND $4 IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE ), begun AS ( INSERT INTO contact_checks AS c (account_id, phone, asked_at) SELECT mine.id, wanted.phone, clock_timestamp() FROM mine, unnest($5::text[]) AS wanted (phone) ON CONFLICT (account_id, phone) DO UPDATE SET asked_at = excluded.asked_at RETURNING c.phone ) SELECT (SELECT count(*) FROM begun) AS numbers FROM mine",
        None,
    )
}
impl BeginContactChecksStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        phones: &'a T2,
    ) -> I64Query<'c, 'a, 's, C, i64, 5> {
        I64Query {
            client,
            params: [account, process, fence, keyring, phones],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>
    crate::client::async_::Params<'c, 'a, 's, BeginContactChecksParams<T1, T2>, I64Query<'c, 'a, 's, C, i64, 5>, C>
    for BeginContactChecksStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a BeginContactChecksParams<T1, T2>,
    ) -> I64Query<'c, 'a, 's, C, i64, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.phones)
    }
}
pub struct EndContactChecksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn end_contact_checks() -> EndContactChecksStmt {
    EndContactChecksStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND a.deleted_at IS NULL AND $4 IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE ), ended AS ( UPDATE contact_checks c SET checked_at = to_timestamp(answer.at_ms / 1000.0), is_on_whatsapp = answer.is_on_whatsapp, chat = answer.chat FROM mine, jsonb_to_recordset($5::jsonb) AS answer (phone text, is_on_whatsapp boolean, chat text, at_ms bigint) WHERE c.account_id = mine.id AND c.phone = answer.phone RETURNING c.phone ) SELECT (SELECT count(*) FROM ended) AS numbers FROM mine",
        None,
    )
}
impl EndContactChecksStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        answers: &'a T1,
    ) -> I64Query<'c, 'a, 's, C, i64, 5> {
        I64Query {
            client,
            params: [account, process, fence, keyring, answers],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::JsonSql>
    crate::client::async_::Params<'c, 'a, 's, EndContactChecksParams<T1>, I64Query<'c, 'a, 's, C, i64, 5>, C>
    for EndContactChecksStmt
{
    fn params(&'s self, client: &'c C, params: &'a EndContactChecksParams<T1>) -> I64Query<'c, 'a, 's, C, i64, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.answers)
    }
}
