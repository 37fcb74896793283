// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct ListLabelsTakenParams<
    T1: crate::ArraySql<Item = uuid::Uuid>,
    T2: crate::StringSql,
    T3: crate::ArraySql<Item = T2>,
> {
    pub operators: T1,
    pub labels: T3,
}
#[derive(Debug)]
pub struct ListNumbersTakenParams<
    T1: crate::ArraySql<Item = uuid::Uuid>,
    T2: crate::StringSql,
    T3: crate::ArraySql<Item = T2>,
> {
    pub operators: T1,
    pub phones: T3,
}
#[derive(Debug)]
pub struct AddAccountsParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = uuid::Uuid>,
    T3: crate::ArraySql<Item = uuid::Uuid>,
    T4: crate::StringSql,
    T5: crate::ArraySql<Item = T4>,
    T6: crate::StringSql,
    T7: crate::ArraySql<Item = T6>,
    T8: crate::StringSql,
    T9: crate::ArraySql<Item = T8>,
    T10: crate::StringSql,
    T11: crate::ArraySql<Item = T10>,
    T12: crate::StringSql,
    T13: crate::ArraySql<Item = T12>,
> {
    pub source: T1,
    pub ids: T2,
    pub operators: T3,
    pub labels: T5,
    pub phones: T7,
    pub proxies: T9,
    pub device_names: T11,
    pub tags: T13,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListNumbersTaken {
    pub nth: i64,
    pub label: String,
}
pub struct ListNumbersTakenBorrowed<'a> {
    pub nth: i64,
    pub label: &'a str,
}
impl<'a> From<ListNumbersTakenBorrowed<'a>> for ListNumbersTaken {
    fn from(ListNumbersTakenBorrowed { nth, label }: ListNumbersTakenBorrowed<'a>) -> Self {
        Self { nth, label: label.into() }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListAccountsOfKeys {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: String,
    pub is_deleted: bool,
}
pub struct ListAccountsOfKeysBorrowed<'a> {
    pub id: uuid::Uuid,
    pub operator_id: uuid::Uuid,
    pub label: &'a str,
    pub is_deleted: bool,
}
impl<'a> From<ListAccountsOfKeysBorrowed<'a>> for ListAccountsOfKeys {
    fn from(ListAccountsOfKeysBorrowed { id, operator_id, label, is_deleted }: ListAccountsOfKeysBorrowed<'a>) -> Self {
        Self { id, operator_id, label: label.into(), is_deleted }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
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
pub struct ListNumbersTakenQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListNumbersTakenBorrowed, tokio_postgres::Error>,
    mapper: fn(ListNumbersTakenBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListNumbersTakenQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListNumbersTakenBorrowed) -> R) -> ListNumbersTakenQuery<'c, 'a, 's, C, R, N> {
        ListNumbersTakenQuery {
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
pub struct ListAccountsOfKeysQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListAccountsOfKeysBorrowed, tokio_postgres::Error>,
    mapper: fn(ListAccountsOfKeysBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListAccountsOfKeysQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListAccountsOfKeysBorrowed) -> R) -> ListAccountsOfKeysQuery<'c, 'a, 's, C, R, N> {
        ListAccountsOfKeysQuery {
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
pub struct ListLabelsTakenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_labels_taken() -> ListLabelsTakenStmt {
    ListLabelsTakenStmt(
        "SELECT DISTINCT given.nth FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS given (operator_id, label, nth) JOIN whatsapp_accounts a ON a.operator_id = given.operator_id AND a.label = given.label AND a.deleted_at IS NULL ORDER BY given.nth",
        None,
    )
}
impl ListLabelsTakenStmt {
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
        T2: crate::StringSql,
        T3: crate::ArraySql<Item = T2>,
    >(
        &'s self,
        client: &'c C,
        operators: &'a T1,
        labels: &'a T3,
    ) -> I64Query<'c, 'a, 's, C, i64, 2> {
        I64Query {
            client,
            params: [operators, labels],
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
    T1: crate::ArraySql<Item = uuid::Uuid>,
    T2: crate::StringSql,
    T3: crate::ArraySql<Item = T2>,
> crate::client::async_::Params<'c, 'a, 's, ListLabelsTakenParams<T1, T2, T3>, I64Query<'c, 'a, 's, C, i64, 2>, C>
    for ListLabelsTakenStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListLabelsTakenParams<T1, T2, T3>,
    ) -> I64Query<'c, 'a, 's, C, i64, 2> {
        self.bind(client, &params.operators, &params.labels)
    }
}
pub struct ListNumbersTakenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_numbers_taken() -> ListNumbersTakenStmt {
    ListNumbersTakenStmt(
        "SELECT given.nth, min(a.label) AS label FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS given (operator_id, phone, nth) JOIN whatsapp_accounts a ON a.operator_id = given.operator_id AND a.phone_key = phone_key(given.phone) AND a.deleted_at IS NULL WHERE given.phone <> '' GROUP BY given.nth ORDER BY given.nth",
        None,
    )
}
impl ListNumbersTakenStmt {
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
        T2: crate::StringSql,
        T3: crate::ArraySql<Item = T2>,
    >(
        &'s self,
        client: &'c C,
        operators: &'a T1,
        phones: &'a T3,
    ) -> ListNumbersTakenQuery<'c, 'a, 's, C, ListNumbersTaken, 2> {
        ListNumbersTakenQuery {
            client,
            params: [operators, phones],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListNumbersTakenBorrowed, tokio_postgres::Error> {
                Ok(ListNumbersTakenBorrowed { nth: row.try_get(0)?, label: row.try_get(1)? })
            },
            mapper: |it| ListNumbersTaken::from(it),
        }
    }
}
impl<
    'c,
    'a,
    's,
    C: GenericClient,
    T1: crate::ArraySql<Item = uuid::Uuid>,
    T2: crate::StringSql,
    T3: crate::ArraySql<Item = T2>,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListNumbersTakenParams<T1, T2, T3>,
        ListNumbersTakenQuery<'c, 'a, 's, C, ListNumbersTaken, 2>,
        C,
    > for ListNumbersTakenStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListNumbersTakenParams<T1, T2, T3>,
    ) -> ListNumbersTakenQuery<'c, 'a, 's, C, ListNumbersTaken, 2> {
        self.bind(client, &params.operators, &params.phones)
    }
}
pub struct ListAccountsOfKeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_accounts_of_keys() -> ListAccountsOfKeysStmt {
    ListAccountsOfKeysStmt(
        "SELECT id, operator_id, label, deleted_at IS NOT NULL AS is_deleted FROM whatsapp_accounts WHERE id = ANY ($1)",
        None,
    )
}
impl ListAccountsOfKeysStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = uuid::Uuid>>(
        &'s self,
        client: &'c C,
        ids: &'a T1,
    ) -> ListAccountsOfKeysQuery<'c, 'a, 's, C, ListAccountsOfKeys, 1> {
        ListAccountsOfKeysQuery {
            client,
            params: [ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListAccountsOfKeysBorrowed, tokio_postgres::Error> {
                Ok(ListAccountsOfKeysBorrowed {
                    id: row.try_get(0)?,
                    operator_id: row.try_get(1)?,
                    label: row.try_get(2)?,
                    is_deleted: row.try_get(3)?,
                })
            },
            mapper: |it| ListAccountsOfKeys::from(it),
        }
    }
}
pub struct AddAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn add_accounts() -> AddAccountsStmt {
    AddAccountsStmt(
        "INSERT INTO whatsapp_accounts (id, operator_id, label, desired_phone, proxy, device_name, tags) SELECT given.id, given.operator_id, given.label, nullif(given.phone, ''), nullif(given.proxy, ''), nullif(given.device_name, ''), string_to_array(given.tags, ',') FROM (SELECT set_config('paird.source', $1::text, true) AS source) AS claimed, unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY AS given (id, operator_id, label, phone, proxy, device_name, tags, nth) WHERE claimed.source IS NOT NULL ORDER BY given.nth",
        None,
    )
}
impl AddAccountsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::StringSql,
        T2: crate::ArraySql<Item = uuid::Uuid>,
        T3: crate::ArraySql<Item = uuid::Uuid>,
        T4: crate::StringSql,
        T5: crate::ArraySql<Item = T4>,
        T6: crate::StringSql,
        T7: crate::ArraySql<Item = T6>,
        T8: crate::StringSql,
        T9: crate::ArraySql<Item = T8>,
        T10: crate::StringSql,
        T11: crate::ArraySql<Item = T10>,
        T12: crate::StringSql,
        T13: crate::ArraySql<Item = T12>,
    >(
        &'s self,
        client: &'c C,
        source: &'a T1,
        ids: &'a T2,
        operators: &'a T3,
        labels: &'a T5,
        phones: &'a T7,
        proxies: &'a T9,
        device_names: &'a T11,
        tags: &'a T13,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[source, ids, operators, labels, phones, proxies, device_names, tags]).await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = uuid::Uuid>,
    T3: crate::ArraySql<Item = uuid::Uuid>,
    T4: crate::StringSql,
    T5: crate::ArraySql<Item = T4>,
    T6: crate::StringSql,
    T7: crate::ArraySql<Item = T6>,
    T8: crate::StringSql,
    T9: crate::ArraySql<Item = T8>,
    T10: crate::StringSql,
    T11: crate::ArraySql<Item = T10>,
    T12: crate::StringSql,
    T13: crate::ArraySql<Item = T12>,
>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        AddAccountsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for AddAccountsStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a AddAccountsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(
            client,
            &params.source,
            &params.ids,
            &params.operators,
            &params.labels,
            &params.phones,
            &params.proxies,
            &params.device_names,
            &params.tags,
        ))
    }
}
