// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct GetCredentialParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub kind: T1,
    pub name: T2,
    pub keyring_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct GetCredentialsParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::ArraySql<Item = T2>> {
    pub kind: T1,
    pub names: T3,
    pub keyring_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct ListCredentialsParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub kind: T1,
    pub prefix: T2,
    pub stamp_below: i64,
    pub keyring_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct ListNewestCredentialsParams<T1: crate::StringSql> {
    pub kind: T1,
    pub count: i64,
    pub keyring_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct ListCredentialNamesParams<T1: crate::StringSql> {
    pub kind: T1,
    pub keyring_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct GetLastCredentialNameParams<T1: crate::StringSql> {
    pub kind: T1,
    pub keyring_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct HasCredentialWithPrefixParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
> {
    pub prefixes: T2,
    pub kinds: T4,
    pub keyring_id: uuid::Uuid,
}
#[derive(Debug)]
pub struct PutCredentialsParams<
    T1: crate::StringSql,
    T2: crate::ArraySql<Item = T1>,
    T3: crate::StringSql,
    T4: crate::ArraySql<Item = T3>,
    T5: crate::BytesSql,
    T6: crate::ArraySql<Item = T5>,
    T7: crate::ArraySql<Item = i64>,
    T8: crate::StringSql,
    T9: crate::ArraySql<Item = T8>,
    T10: crate::StringSql,
    T11: crate::ArraySql<Item = T10>,
    T12: crate::BytesSql,
    T13: crate::ArraySql<Item = T12>,
    T14: crate::ArraySql<Item = i64>,
    T15: crate::StringSql,
    T16: crate::ArraySql<Item = T15>,
    T17: crate::StringSql,
    T18: crate::ArraySql<Item = T17>,
> {
    pub account_id: uuid::Uuid,
    pub owner: uuid::Uuid,
    pub fence: i64,
    pub keyring_id: uuid::Uuid,
    pub epoch: i64,
    pub kinds: T2,
    pub names: T4,
    pub sealed: T6,
    pub stamps: T7,
    pub added_kinds: T9,
    pub added_names: T11,
    pub added_sealed: T13,
    pub added_stamps: T14,
    pub gone_kinds: T16,
    pub gone_names: T18,
}
#[derive(Debug)]
pub struct DeleteCredentialsParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::ArraySql<Item = T2>> {
    pub account_id: uuid::Uuid,
    pub owner: uuid::Uuid,
    pub fence: i64,
    pub keyring_id: uuid::Uuid,
    pub epoch: i64,
    pub kind: T1,
    pub names: T3,
}
#[derive(Debug)]
pub struct DeleteCredentialsWithPrefixParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub account_id: uuid::Uuid,
    pub owner: uuid::Uuid,
    pub fence: i64,
    pub keyring_id: uuid::Uuid,
    pub epoch: i64,
    pub kind: T1,
    pub prefix: T2,
}
#[derive(Debug)]
pub struct DeleteCredentialsWithSecondPartParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::ArraySql<Item = T2>,
> {
    pub account_id: uuid::Uuid,
    pub owner: uuid::Uuid,
    pub fence: i64,
    pub keyring_id: uuid::Uuid,
    pub epoch: i64,
    pub kind: T1,
    pub parts: T3,
}
#[derive(Debug)]
pub struct DeleteExpiredCredentialsParams<T1: crate::StringSql> {
    pub account_id: uuid::Uuid,
    pub owner: uuid::Uuid,
    pub fence: i64,
    pub keyring_id: uuid::Uuid,
    pub epoch: i64,
    pub kind: T1,
    pub stamp_below: i64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetCredential {
    pub epoch: i64,
    pub sealed: Option<Vec<u8>>,
    pub stamp: Option<i64>,
}
pub struct GetCredentialBorrowed<'a> {
    pub epoch: i64,
    pub sealed: Option<&'a [u8]>,
    pub stamp: Option<i64>,
}
impl<'a> From<GetCredentialBorrowed<'a>> for GetCredential {
    fn from(GetCredentialBorrowed { epoch, sealed, stamp }: GetCredentialBorrowed<'a>) -> Self {
        Self { epoch, sealed: sealed.map(|v| v.into()), stamp }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetCredentials {
    pub epoch: i64,
    pub name: Option<String>,
    pub sealed: Option<Vec<u8>>,
    pub stamp: Option<i64>,
}
pub struct GetCredentialsBorrowed<'a> {
    pub epoch: i64,
    pub name: Option<&'a str>,
    pub sealed: Option<&'a [u8]>,
    pub stamp: Option<i64>,
}
impl<'a> From<GetCredentialsBorrowed<'a>> for GetCredentials {
    fn from(GetCredentialsBorrowed { epoch, name, sealed, stamp }: GetCredentialsBorrowed<'a>) -> Self {
        Self { epoch, name: name.map(|v| v.into()), sealed: sealed.map(|v| v.into()), stamp }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListCredentials {
    pub epoch: i64,
    pub name: Option<String>,
    pub sealed: Option<Vec<u8>>,
    pub stamp: Option<i64>,
}
pub struct ListCredentialsBorrowed<'a> {
    pub epoch: i64,
    pub name: Option<&'a str>,
    pub sealed: Option<&'a [u8]>,
    pub stamp: Option<i64>,
}
impl<'a> From<ListCredentialsBorrowed<'a>> for ListCredentials {
    fn from(ListCredentialsBorrowed { epoch, name, sealed, stamp }: ListCredentialsBorrowed<'a>) -> Self {
        Self { epoch, name: name.map(|v| v.into()), sealed: sealed.map(|v| v.into()), stamp }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListNewestCredentials {
    pub epoch: i64,
    pub name: Option<String>,
    pub sealed: Option<Vec<u8>>,
    pub stamp: Option<i64>,
}
pub struct ListNewestCredentialsBorrowed<'a> {
    pub epoch: i64,
    pub name: Option<&'a str>,
    pub sealed: Option<&'a [u8]>,
    pub stamp: Option<i64>,
}
impl<'a> From<ListNewestCredentialsBorrowed<'a>> for ListNewestCredentials {
    fn from(ListNewestCredentialsBorrowed { epoch, name, sealed, stamp }: ListNewestCredentialsBorrowed<'a>) -> Self {
        Self { epoch, name: name.map(|v| v.into()), sealed: sealed.map(|v| v.into()), stamp }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListCredentialNames {
    pub epoch: i64,
    pub name: Option<String>,
}
pub struct ListCredentialNamesBorrowed<'a> {
    pub epoch: i64,
    pub name: Option<&'a str>,
}
impl<'a> From<ListCredentialNamesBorrowed<'a>> for ListCredentialNames {
    fn from(ListCredentialNamesBorrowed { epoch, name }: ListCredentialNamesBorrowed<'a>) -> Self {
        Self { epoch, name: name.map(|v| v.into()) }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct GetLastCredentialName {
    pub epoch: i64,
    pub name: Option<String>,
}
pub struct GetLastCredentialNameBorrowed<'a> {
    pub epoch: i64,
    pub name: Option<&'a str>,
}
impl<'a> From<GetLastCredentialNameBorrowed<'a>> for GetLastCredentialName {
    fn from(GetLastCredentialNameBorrowed { epoch, name }: GetLastCredentialNameBorrowed<'a>) -> Self {
        Self { epoch, name: name.map(|v| v.into()) }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct HasCredentialWithPrefix {
    pub epoch: i64,
    pub found: bool,
}
#[derive(Debug, Clone, PartialEq)]
pub struct PutCredentials {
    pub held: bool,
    pub epoch: Option<i64>,
    pub known: Vec<String>,
}
pub struct PutCredentialsBorrowed<'a> {
    pub held: bool,
    pub epoch: Option<i64>,
    pub known: crate::ArrayIterator<'a, &'a str>,
}
impl<'a> From<PutCredentialsBorrowed<'a>> for PutCredentials {
    fn from(PutCredentialsBorrowed { held, epoch, known }: PutCredentialsBorrowed<'a>) -> Self {
        Self { held, epoch, known: known.map(|v| v.into()).collect() }
    }
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct DeleteCredentials {
    pub held: bool,
    pub epoch: Option<i64>,
    pub written: i64,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct DeleteCredentialsWithPrefix {
    pub held: bool,
    pub epoch: Option<i64>,
    pub written: i64,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct DeleteCredentialsWithSecondPart {
    pub held: bool,
    pub epoch: Option<i64>,
    pub written: i64,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct DeleteExpiredCredentials {
    pub held: bool,
    pub epoch: Option<i64>,
    pub written: i64,
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct GetCredentialQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetCredentialBorrowed, tokio_postgres::Error>,
    mapper: fn(GetCredentialBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetCredentialQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetCredentialBorrowed) -> R) -> GetCredentialQuery<'c, 'a, 's, C, R, N> {
        GetCredentialQuery {
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
pub struct GetCredentialsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetCredentialsBorrowed, tokio_postgres::Error>,
    mapper: fn(GetCredentialsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetCredentialsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetCredentialsBorrowed) -> R) -> GetCredentialsQuery<'c, 'a, 's, C, R, N> {
        GetCredentialsQuery {
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
pub struct ListCredentialsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListCredentialsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListCredentialsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListCredentialsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListCredentialsBorrowed) -> R) -> ListCredentialsQuery<'c, 'a, 's, C, R, N> {
        ListCredentialsQuery {
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
pub struct ListNewestCredentialsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListNewestCredentialsBorrowed, tokio_postgres::Error>,
    mapper: fn(ListNewestCredentialsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListNewestCredentialsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(ListNewestCredentialsBorrowed) -> R,
    ) -> ListNewestCredentialsQuery<'c, 'a, 's, C, R, N> {
        ListNewestCredentialsQuery {
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
pub struct ListCredentialNamesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListCredentialNamesBorrowed, tokio_postgres::Error>,
    mapper: fn(ListCredentialNamesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListCredentialNamesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListCredentialNamesBorrowed) -> R) -> ListCredentialNamesQuery<'c, 'a, 's, C, R, N> {
        ListCredentialNamesQuery {
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
pub struct GetLastCredentialNameQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetLastCredentialNameBorrowed, tokio_postgres::Error>,
    mapper: fn(GetLastCredentialNameBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetLastCredentialNameQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(GetLastCredentialNameBorrowed) -> R,
    ) -> GetLastCredentialNameQuery<'c, 'a, 's, C, R, N> {
        GetLastCredentialNameQuery {
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
pub struct HasCredentialWithPrefixQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<HasCredentialWithPrefix, tokio_postgres::Error>,
    mapper: fn(HasCredentialWithPrefix) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> HasCredentialWithPrefixQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(HasCredentialWithPrefix) -> R) -> HasCredentialWithPrefixQuery<'c, 'a, 's, C, R, N> {
        HasCredentialWithPrefixQuery {
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
pub struct PutCredentialsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PutCredentialsBorrowed, tokio_postgres::Error>,
    mapper: fn(PutCredentialsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PutCredentialsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PutCredentialsBorrowed) -> R) -> PutCredentialsQuery<'c, 'a, 's, C, R, N> {
        PutCredentialsQuery {
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
pub struct DeleteCredentialsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<DeleteCredentials, tokio_postgres::Error>,
    mapper: fn(DeleteCredentials) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> DeleteCredentialsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(DeleteCredentials) -> R) -> DeleteCredentialsQuery<'c, 'a, 's, C, R, N> {
        DeleteCredentialsQuery {
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
pub struct DeleteCredentialsWithPrefixQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<DeleteCredentialsWithPrefix, tokio_postgres::Error>,
    mapper: fn(DeleteCredentialsWithPrefix) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> DeleteCredentialsWithPrefixQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(DeleteCredentialsWithPrefix) -> R,
    ) -> DeleteCredentialsWithPrefixQuery<'c, 'a, 's, C, R, N> {
        DeleteCredentialsWithPrefixQuery {
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
pub struct DeleteCredentialsWithSecondPartQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<DeleteCredentialsWithSecondPart, tokio_postgres::Error>,
    mapper: fn(DeleteCredentialsWithSecondPart) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> DeleteCredentialsWithSecondPartQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(DeleteCredentialsWithSecondPart) -> R,
    ) -> DeleteCredentialsWithSecondPartQuery<'c, 'a, 's, C, R, N> {
        DeleteCredentialsWithSecondPartQuery {
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
pub struct DeleteExpiredCredentialsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<DeleteExpiredCredentials, tokio_postgres::Error>,
    mapper: fn(DeleteExpiredCredentials) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> DeleteExpiredCredentialsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(DeleteExpiredCredentials) -> R,
    ) -> DeleteExpiredCredentialsQuery<'c, 'a, 's, C, R, N> {
        DeleteExpiredCredentialsQuery {
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
pub struct GetCredentialStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_credential() -> GetCredentialStmt {
    GetCredentialStmt(
        "SELECT k.epoch, c.sealed, c.stamp FROM keyrings k LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = $1 AND c.name = $2 WHERE k.id = $3",
        None,
    )
}
impl GetCredentialStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        name: &'a T2,
        keyring_id: &'a uuid::Uuid,
    ) -> GetCredentialQuery<'c, 'a, 's, C, GetCredential, 3> {
        GetCredentialQuery {
            client,
            params: [kind, name, keyring_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetCredentialBorrowed, tokio_postgres::Error> {
                Ok(GetCredentialBorrowed { epoch: row.try_get(0)?, sealed: row.try_get(1)?, stamp: row.try_get(2)? })
            },
            mapper: |it| GetCredential::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetCredentialParams<T1, T2>,
        GetCredentialQuery<'c, 'a, 's, C, GetCredential, 3>,
        C,
    > for GetCredentialStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetCredentialParams<T1, T2>,
    ) -> GetCredentialQuery<'c, 'a, 's, C, GetCredential, 3> {
        self.bind(client, &params.kind, &params.name, &params.keyring_id)
    }
}
pub struct GetCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_credentials() -> GetCredentialsStmt {
    GetCredentialsStmt(
        "SELECT k.epoch, c.name, c.sealed, c.stamp FROM keyrings k LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = $1 AND c.name = ANY ($2::text[]) WHERE k.id = $3",
        None,
    )
}
impl GetCredentialsStmt {
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
        T3: crate::ArraySql<Item = T2>,
    >(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        names: &'a T3,
        keyring_id: &'a uuid::Uuid,
    ) -> GetCredentialsQuery<'c, 'a, 's, C, GetCredentials, 3> {
        GetCredentialsQuery {
            client,
            params: [kind, names, keyring_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetCredentialsBorrowed, tokio_postgres::Error> {
                Ok(GetCredentialsBorrowed {
                    epoch: row.try_get(0)?,
                    name: row.try_get(1)?,
                    sealed: row.try_get(2)?,
                    stamp: row.try_get(3)?,
                })
            },
            mapper: |it| GetCredentials::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::ArraySql<Item = T2>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetCredentialsParams<T1, T2, T3>,
        GetCredentialsQuery<'c, 'a, 's, C, GetCredentials, 3>,
        C,
    > for GetCredentialsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetCredentialsParams<T1, T2, T3>,
    ) -> GetCredentialsQuery<'c, 'a, 's, C, GetCredentials, 3> {
        self.bind(client, &params.kind, &params.names, &params.keyring_id)
    }
}
pub struct ListCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_credentials() -> ListCredentialsStmt {
    ListCredentialsStmt(
        "SELECT k.epoch, c.name, c.sealed, c.stamp FROM keyrings k LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = $1 AND starts_with(c.name, $2) AND c.stamp < $3 WHERE k.id = $4",
        None,
    )
}
impl ListCredentialsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        prefix: &'a T2,
        stamp_below: &'a i64,
        keyring_id: &'a uuid::Uuid,
    ) -> ListCredentialsQuery<'c, 'a, 's, C, ListCredentials, 4> {
        ListCredentialsQuery {
            client,
            params: [kind, prefix, stamp_below, keyring_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListCredentialsBorrowed, tokio_postgres::Error> {
                Ok(ListCredentialsBorrowed {
                    epoch: row.try_get(0)?,
                    name: row.try_get(1)?,
                    sealed: row.try_get(2)?,
                    stamp: row.try_get(3)?,
                })
            },
            mapper: |it| ListCredentials::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListCredentialsParams<T1, T2>,
        ListCredentialsQuery<'c, 'a, 's, C, ListCredentials, 4>,
        C,
    > for ListCredentialsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListCredentialsParams<T1, T2>,
    ) -> ListCredentialsQuery<'c, 'a, 's, C, ListCredentials, 4> {
        self.bind(client, &params.kind, &params.prefix, &params.stamp_below, &params.keyring_id)
    }
}
pub struct ListNewestCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_newest_credentials() -> ListNewestCredentialsStmt {
    ListNewestCredentialsStmt(
        "SELECT k.epoch, c.name, c.sealed, c.stamp FROM keyrings k LEFT JOIN LATERAL ( SELECT n.name, n.sealed, n.stamp FROM credentials n WHERE n.keyring_id = k.id AND n.kind = $1 ORDER BY n.stamp DESC LIMIT $2 ) AS c ON true WHERE k.id = $3",
        None,
    )
}
impl ListNewestCredentialsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        count: &'a i64,
        keyring_id: &'a uuid::Uuid,
    ) -> ListNewestCredentialsQuery<'c, 'a, 's, C, ListNewestCredentials, 3> {
        ListNewestCredentialsQuery {
            client,
            params: [kind, count, keyring_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListNewestCredentialsBorrowed, tokio_postgres::Error> {
                Ok(ListNewestCredentialsBorrowed {
                    epoch: row.try_get(0)?,
                    name: row.try_get(1)?,
                    sealed: row.try_get(2)?,
                    stamp: row.try_get(3)?,
                })
            },
            mapper: |it| ListNewestCredentials::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListNewestCredentialsParams<T1>,
        ListNewestCredentialsQuery<'c, 'a, 's, C, ListNewestCredentials, 3>,
        C,
    > for ListNewestCredentialsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListNewestCredentialsParams<T1>,
    ) -> ListNewestCredentialsQuery<'c, 'a, 's, C, ListNewestCredentials, 3> {
        self.bind(client, &params.kind, &params.count, &params.keyring_id)
    }
}
pub struct ListCredentialNamesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_credential_names() -> ListCredentialNamesStmt {
    ListCredentialNamesStmt(
        "SELECT k.epoch, c.name FROM keyrings k LEFT JOIN credentials c ON c.keyring_id = k.id AND c.kind = $1 WHERE k.id = $2",
        None,
    )
}
impl ListCredentialNamesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        keyring_id: &'a uuid::Uuid,
    ) -> ListCredentialNamesQuery<'c, 'a, 's, C, ListCredentialNames, 2> {
        ListCredentialNamesQuery {
            client,
            params: [kind, keyring_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListCredentialNamesBorrowed, tokio_postgres::Error> {
                Ok(ListCredentialNamesBorrowed { epoch: row.try_get(0)?, name: row.try_get(1)? })
            },
            mapper: |it| ListCredentialNames::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListCredentialNamesParams<T1>,
        ListCredentialNamesQuery<'c, 'a, 's, C, ListCredentialNames, 2>,
        C,
    > for ListCredentialNamesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListCredentialNamesParams<T1>,
    ) -> ListCredentialNamesQuery<'c, 'a, 's, C, ListCredentialNames, 2> {
        self.bind(client, &params.kind, &params.keyring_id)
    }
}
pub struct GetLastCredentialNameStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_last_credential_name() -> GetLastCredentialNameStmt {
    GetLastCredentialNameStmt(
        "SELECT k.epoch, ( SELECT c.name FROM credentials c WHERE c.keyring_id = k.id AND c.kind = $1 ORDER BY c.name DESC LIMIT 1 ) AS name FROM keyrings k WHERE k.id = $2",
        None,
    )
}
impl GetLastCredentialNameStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        keyring_id: &'a uuid::Uuid,
    ) -> GetLastCredentialNameQuery<'c, 'a, 's, C, GetLastCredentialName, 2> {
        GetLastCredentialNameQuery {
            client,
            params: [kind, keyring_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetLastCredentialNameBorrowed, tokio_postgres::Error> {
                Ok(GetLastCredentialNameBorrowed { epoch: row.try_get(0)?, name: row.try_get(1)? })
            },
            mapper: |it| GetLastCredentialName::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetLastCredentialNameParams<T1>,
        GetLastCredentialNameQuery<'c, 'a, 's, C, GetLastCredentialName, 2>,
        C,
    > for GetLastCredentialNameStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetLastCredentialNameParams<T1>,
    ) -> GetLastCredentialNameQuery<'c, 'a, 's, C, GetLastCredentialName, 2> {
        self.bind(client, &params.kind, &params.keyring_id)
    }
}
pub struct HasCredentialWithPrefixStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn has_credential_with_prefix() -> HasCredentialWithPrefixStmt {
    HasCredentialWithPrefixStmt(
        "SELECT k.epoch, EXISTS ( SELECT FROM credentials c, unnest($1::text[]) AS p (prefix) WHERE c.keyring_id = k.id AND c.kind = ANY ($2::text[]) AND starts_with(c.name, p.prefix) ) AS found FROM keyrings k WHERE k.id = $3",
        None,
    )
}
impl HasCredentialWithPrefixStmt {
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
        prefixes: &'a T2,
        kinds: &'a T4,
        keyring_id: &'a uuid::Uuid,
    ) -> HasCredentialWithPrefixQuery<'c, 'a, 's, C, HasCredentialWithPrefix, 3> {
        HasCredentialWithPrefixQuery {
            client,
            params: [prefixes, kinds, keyring_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<HasCredentialWithPrefix, tokio_postgres::Error> {
                Ok(HasCredentialWithPrefix { epoch: row.try_get(0)?, found: row.try_get(1)? })
            },
            mapper: |it| HasCredentialWithPrefix::from(it),
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
        HasCredentialWithPrefixParams<T1, T2, T3, T4>,
        HasCredentialWithPrefixQuery<'c, 'a, 's, C, HasCredentialWithPrefix, 3>,
        C,
    > for HasCredentialWithPrefixStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a HasCredentialWithPrefixParams<T1, T2, T3, T4>,
    ) -> HasCredentialWithPrefixQuery<'c, 'a, 's, C, HasCredentialWithPrefix, 3> {
        self.bind(client, &params.prefixes, &params.kinds, &params.keyring_id)
    }
}
pub struct PutCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_credentials() -> PutCredentialsStmt {
    PutCredentialsStmt(
        "WITH held AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 ), ring AS ( SELECT k.id, k.account_id, k.epoch FROM keyrings k WHERE k.id = $4 AND k.account_id = $1 FOR SHARE ), writable AS ( SELECT ring.id, ring.account_id FROM ring JOIN held ON held.id = ring.account_id WHERE ring.epoch = $5 ), written AS ( INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp) SELECT w.account_id, w.id, r.kind, r.name, r.sealed, r.stamp FROM writable w, unnest((SELECT $6::text[]), (SELECT $7::text[]), (SELECT $8::bytea[]), (SELECT $9::bigint[])) AS r (kind, name, sealed, stamp) ON CONFLICT (keyring_id, kind, name) DO UPDATE SET sealed = excluded.sealed, stamp = excluded.stamp RETURNING 1 ), added AS ( INSERT INTO credentials (account_id, keyring_id, kind, name, sealed, stamp) SELECT w.account_id, w.id, r.kind, r.name, r.sealed, r.stamp FROM writable w, unnest((SELECT $10::text[]), (SELECT $11::text[]), (SELECT $12::bytea[]), (SELECT $13::bigint[])) AS r (kind, name, sealed, stamp) ON CONFLICT (keyring_id, kind, name) DO NOTHING RETURNING kind, name ), removed AS ( DELETE FROM credentials c USING writable w, unnest((SELECT $14::text[]), (SELECT $15::text[])) AS gone (kind, name) WHERE c.keyring_id = w.id AND c.kind = gone.kind AND c.name = gone.name ) SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, ARRAY(SELECT r.name FROM unnest($10::text[], $11::text[]) AS r (kind, name) EXCEPT SELECT a.name FROM added a) AS known",
        None,
    )
}
impl PutCredentialsStmt {
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
        T5: crate::BytesSql,
        T6: crate::ArraySql<Item = T5>,
        T7: crate::ArraySql<Item = i64>,
        T8: crate::StringSql,
        T9: crate::ArraySql<Item = T8>,
        T10: crate::StringSql,
        T11: crate::ArraySql<Item = T10>,
        T12: crate::BytesSql,
        T13: crate::ArraySql<Item = T12>,
        T14: crate::ArraySql<Item = i64>,
        T15: crate::StringSql,
        T16: crate::ArraySql<Item = T15>,
        T17: crate::StringSql,
        T18: crate::ArraySql<Item = T17>,
    >(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        owner: &'a uuid::Uuid,
        fence: &'a i64,
        keyring_id: &'a uuid::Uuid,
        epoch: &'a i64,
        kinds: &'a T2,
        names: &'a T4,
        sealed: &'a T6,
        stamps: &'a T7,
        added_kinds: &'a T9,
        added_names: &'a T11,
        added_sealed: &'a T13,
        added_stamps: &'a T14,
        gone_kinds: &'a T16,
        gone_names: &'a T18,
    ) -> PutCredentialsQuery<'c, 'a, 's, C, PutCredentials, 15> {
        PutCredentialsQuery {
            client,
            params: [
                account_id,
                owner,
                fence,
                keyring_id,
                epoch,
                kinds,
                names,
                sealed,
                stamps,
                added_kinds,
                added_names,
                added_sealed,
                added_stamps,
                gone_kinds,
                gone_names,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PutCredentialsBorrowed, tokio_postgres::Error> {
                Ok(PutCredentialsBorrowed { held: row.try_get(0)?, epoch: row.try_get(1)?, known: row.try_get(2)? })
            },
            mapper: |it| PutCredentials::from(it),
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
    T5: crate::BytesSql,
    T6: crate::ArraySql<Item = T5>,
    T7: crate::ArraySql<Item = i64>,
    T8: crate::StringSql,
    T9: crate::ArraySql<Item = T8>,
    T10: crate::StringSql,
    T11: crate::ArraySql<Item = T10>,
    T12: crate::BytesSql,
    T13: crate::ArraySql<Item = T12>,
    T14: crate::ArraySql<Item = i64>,
    T15: crate::StringSql,
    T16: crate::ArraySql<Item = T15>,
    T17: crate::StringSql,
    T18: crate::ArraySql<Item = T17>,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        PutCredentialsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18>,
        PutCredentialsQuery<'c, 'a, 's, C, PutCredentials, 15>,
        C,
    > for PutCredentialsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PutCredentialsParams<
            T1,
            T2,
            T3,
            T4,
            T5,
            T6,
            T7,
            T8,
            T9,
            T10,
            T11,
            T12,
            T13,
            T14,
            T15,
            T16,
            T17,
            T18,
        >,
    ) -> PutCredentialsQuery<'c, 'a, 's, C, PutCredentials, 15> {
        self.bind(
            client,
            &params.account_id,
            &params.owner,
            &params.fence,
            &params.keyring_id,
            &params.epoch,
            &params.kinds,
            &params.names,
            &params.sealed,
            &params.stamps,
            &params.added_kinds,
            &params.added_names,
            &params.added_sealed,
            &params.added_stamps,
            &params.gone_kinds,
            &params.gone_names,
        )
    }
}
pub struct DeleteCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete_credentials() -> DeleteCredentialsStmt {
    DeleteCredentialsStmt(
        "WITH held AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 ), ring AS ( SELECT k.id, k.account_id, k.epoch FROM keyrings k WHERE k.id = $4 AND k.account_id = $1 FOR SHARE ), writable AS ( SELECT ring.id, ring.account_id FROM ring JOIN held ON held.id = ring.account_id WHERE ring.epoch = $5 ), written AS ( DELETE FROM credentials c USING writable w WHERE c.keyring_id = w.id AND c.kind = $6 AND c.name = ANY ($7::text[]) RETURNING 1 ) SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written",
        None,
    )
}
impl DeleteCredentialsStmt {
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
        T3: crate::ArraySql<Item = T2>,
    >(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        owner: &'a uuid::Uuid,
        fence: &'a i64,
        keyring_id: &'a uuid::Uuid,
        epoch: &'a i64,
        kind: &'a T1,
        names: &'a T3,
    ) -> DeleteCredentialsQuery<'c, 'a, 's, C, DeleteCredentials, 7> {
        DeleteCredentialsQuery {
            client,
            params: [account_id, owner, fence, keyring_id, epoch, kind, names],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<DeleteCredentials, tokio_postgres::Error> {
                Ok(DeleteCredentials { held: row.try_get(0)?, epoch: row.try_get(1)?, written: row.try_get(2)? })
            },
            mapper: |it| DeleteCredentials::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::ArraySql<Item = T2>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        DeleteCredentialsParams<T1, T2, T3>,
        DeleteCredentialsQuery<'c, 'a, 's, C, DeleteCredentials, 7>,
        C,
    > for DeleteCredentialsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a DeleteCredentialsParams<T1, T2, T3>,
    ) -> DeleteCredentialsQuery<'c, 'a, 's, C, DeleteCredentials, 7> {
        self.bind(
            client,
            &params.account_id,
            &params.owner,
            &params.fence,
            &params.keyring_id,
            &params.epoch,
            &params.kind,
            &params.names,
        )
    }
}
pub struct DeleteCredentialsWithPrefixStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete_credentials_with_prefix() -> DeleteCredentialsWithPrefixStmt {
    DeleteCredentialsWithPrefixStmt(
        "WITH held AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 ), ring AS ( SELECT k.id, k.account_id, k.epoch FROM keyrings k WHERE k.id = $4 AND k.account_id = $1 FOR SHARE ), writable AS ( SELECT ring.id, ring.account_id FROM ring JOIN held ON held.id = ring.account_id WHERE ring.epoch = $5 ), written AS ( DELETE FROM credentials c USING writable w WHERE c.keyring_id = w.id AND c.kind = $6 AND starts_with(c.name, $7) RETURNING 1 ) SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written",
        None,
    )
}
impl DeleteCredentialsWithPrefixStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        owner: &'a uuid::Uuid,
        fence: &'a i64,
        keyring_id: &'a uuid::Uuid,
        epoch: &'a i64,
        kind: &'a T1,
        prefix: &'a T2,
    ) -> DeleteCredentialsWithPrefixQuery<'c, 'a, 's, C, DeleteCredentialsWithPrefix, 7> {
        DeleteCredentialsWithPrefixQuery {
            client,
            params: [account_id, owner, fence, keyring_id, epoch, kind, prefix],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<DeleteCredentialsWithPrefix, tokio_postgres::Error> {
                Ok(DeleteCredentialsWithPrefix {
                    held: row.try_get(0)?,
                    epoch: row.try_get(1)?,
                    written: row.try_get(2)?,
                })
            },
            mapper: |it| DeleteCredentialsWithPrefix::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        DeleteCredentialsWithPrefixParams<T1, T2>,
        DeleteCredentialsWithPrefixQuery<'c, 'a, 's, C, DeleteCredentialsWithPrefix, 7>,
        C,
    > for DeleteCredentialsWithPrefixStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a DeleteCredentialsWithPrefixParams<T1, T2>,
    ) -> DeleteCredentialsWithPrefixQuery<'c, 'a, 's, C, DeleteCredentialsWithPrefix, 7> {
        self.bind(
            client,
            &params.account_id,
            &params.owner,
            &params.fence,
            &params.keyring_id,
            &params.epoch,
            &params.kind,
            &params.prefix,
        )
    }
}
pub struct DeleteCredentialsWithSecondPartStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete_credentials_with_second_part() -> DeleteCredentialsWithSecondPartStmt {
    DeleteCredentialsWithSecondPartStmt(
        "WITH held AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 ), ring AS ( SELECT k.id, k.account_id, k.epoch FROM keyrings k WHERE k.id = $4 AND k.account_id = $1 FOR SHARE ), writable AS ( SELECT ring.id, ring.account_id FROM ring JOIN held ON held.id = ring.account_id WHERE ring.epoch = $5 ), written AS ( DELETE FROM credentials c USING writable w WHERE c.keyring_id = w.id AND c.kind = $6 AND split_part(c.name, '/', 2) = ANY ($7::text[]) RETURNING 1 ) SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written",
        None,
    )
}
impl DeleteCredentialsWithSecondPartStmt {
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
        T3: crate::ArraySql<Item = T2>,
    >(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        owner: &'a uuid::Uuid,
        fence: &'a i64,
        keyring_id: &'a uuid::Uuid,
        epoch: &'a i64,
        kind: &'a T1,
        parts: &'a T3,
    ) -> DeleteCredentialsWithSecondPartQuery<'c, 'a, 's, C, DeleteCredentialsWithSecondPart, 7> {
        DeleteCredentialsWithSecondPartQuery {
            client,
            params: [account_id, owner, fence, keyring_id, epoch, kind, parts],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<DeleteCredentialsWithSecondPart, tokio_postgres::Error> {
                Ok(DeleteCredentialsWithSecondPart {
                    held: row.try_get(0)?,
                    epoch: row.try_get(1)?,
                    written: row.try_get(2)?,
                })
            },
            mapper: |it| DeleteCredentialsWithSecondPart::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::ArraySql<Item = T2>>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        DeleteCredentialsWithSecondPartParams<T1, T2, T3>,
        DeleteCredentialsWithSecondPartQuery<'c, 'a, 's, C, DeleteCredentialsWithSecondPart, 7>,
        C,
    > for DeleteCredentialsWithSecondPartStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a DeleteCredentialsWithSecondPartParams<T1, T2, T3>,
    ) -> DeleteCredentialsWithSecondPartQuery<'c, 'a, 's, C, DeleteCredentialsWithSecondPart, 7> {
        self.bind(
            client,
            &params.account_id,
            &params.owner,
            &params.fence,
            &params.keyring_id,
            &params.epoch,
            &params.kind,
            &params.parts,
        )
    }
}
pub struct DeleteExpiredCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete_expired_credentials() -> DeleteExpiredCredentialsStmt {
    DeleteExpiredCredentialsStmt(
        "WITH held AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 ), ring AS ( SELECT k.id, k.account_id, k.epoch FROM keyrings k WHERE k.id = $4 AND k.account_id = $1 FOR SHARE ), writable AS ( SELECT ring.id, ring.account_id FROM ring JOIN held ON held.id = ring.account_id WHERE ring.epoch = $5 ), written AS ( DELETE FROM credentials c USING writable w WHERE c.keyring_id = w.id AND c.kind = $6 AND c.stamp <> 0 AND c.stamp < $7 RETURNING 1 ) SELECT EXISTS (SELECT FROM held) AS held, (SELECT epoch FROM ring) AS epoch, (SELECT count(*) FROM written) AS written",
        None,
    )
}
impl DeleteExpiredCredentialsStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        account_id: &'a uuid::Uuid,
        owner: &'a uuid::Uuid,
        fence: &'a i64,
        keyring_id: &'a uuid::Uuid,
        epoch: &'a i64,
        kind: &'a T1,
        stamp_below: &'a i64,
    ) -> DeleteExpiredCredentialsQuery<'c, 'a, 's, C, DeleteExpiredCredentials, 7> {
        DeleteExpiredCredentialsQuery {
            client,
            params: [account_id, owner, fence, keyring_id, epoch, kind, stamp_below],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<DeleteExpiredCredentials, tokio_postgres::Error> {
                Ok(DeleteExpiredCredentials { held: row.try_get(0)?, epoch: row.try_get(1)?, written: row.try_get(2)? })
            },
            mapper: |it| DeleteExpiredCredentials::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        DeleteExpiredCredentialsParams<T1>,
        DeleteExpiredCredentialsQuery<'c, 'a, 's, C, DeleteExpiredCredentials, 7>,
        C,
    > for DeleteExpiredCredentialsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a DeleteExpiredCredentialsParams<T1>,
    ) -> DeleteExpiredCredentialsQuery<'c, 'a, 's, C, DeleteExpiredCredentials, 7> {
        self.bind(
            client,
            &params.account_id,
            &params.owner,
            &params.fence,
            &params.keyring_id,
            &params.epoch,
            &params.kind,
            &params.stamp_below,
        )
    }
}
