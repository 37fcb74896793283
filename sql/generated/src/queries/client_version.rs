// This file was generated with `clorinde`. Do not modify.

#[derive(Clone, Copy, Debug)]
pub struct NoteClientVersionParams {
    pub major: i64,
    pub minor: i64,
    pub revision: i64,
}
#[derive(Debug, Clone, PartialEq, Copy)]
pub struct GetClientVersion {
    pub major: i64,
    pub minor: i64,
    pub revision: i64,
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct GetClientVersionQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GetClientVersion, tokio_postgres::Error>,
    mapper: fn(GetClientVersion) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GetClientVersionQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GetClientVersion) -> R) -> GetClientVersionQuery<'c, 'a, 's, C, R, N> {
        GetClientVersionQuery {
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
pub struct GetClientVersionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_client_version() -> GetClientVersionStmt {
    GetClientVersionStmt("SELECT major, minor, revision FROM client_version", None)
}
impl GetClientVersionStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> GetClientVersionQuery<'c, 'a, 's, C, GetClientVersion, 0> {
        GetClientVersionQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<GetClientVersion, tokio_postgres::Error> {
                Ok(GetClientVersion { major: row.try_get(0)?, minor: row.try_get(1)?, revision: row.try_get(2)? })
            },
            mapper: |it| GetClientVersion::from(it),
        }
    }
}
pub struct NoteClientVersionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn note_client_version() -> NoteClientVersionStmt {
    NoteClientVersionStmt(
        "INSERT INTO client_version (major, minor, revision) VALUES ($1, $2, $3) ON CONFLICT (is_only) DO UPDATE SET major = excluded.major, minor = excluded.minor, revision = excluded.revision, accepted_at = excluded.accepted_at WHERE (client_version.major, client_version.minor, client_version.revision) IS DISTINCT FROM (excluded.major, excluded.minor, excluded.revision)",
        None,
    )
}
impl NoteClientVersionStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        major: &'a i64,
        minor: &'a i64,
        revision: &'a i64,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[major, minor, revision]).await
    }
}
impl<'a, C: GenericClient + Send + Sync>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        NoteClientVersionParams,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for NoteClientVersionStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a NoteClientVersionParams,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(client, &params.major, &params.minor, &params.revision))
    }
}
