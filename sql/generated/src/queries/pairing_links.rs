// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct CreatePairingLinkParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub account: uuid::Uuid,
    pub seconds: Option<f64>,
    pub uses: i32,
    pub expect_phone: Option<T1>,
    pub source: T2,
}
#[derive(Debug)]
pub struct RevokePairingLinkParams<T1: crate::StringSql> {
    pub source: T1,
    pub link: uuid::Uuid,
    pub account: uuid::Uuid,
}
#[derive(Debug)]
pub struct PairByLinkParams<T1: crate::BytesSql, T2: crate::StringSql> {
    pub hash: T1,
    pub phone: Option<T2>,
}
#[derive(Debug, Clone, PartialEq)]
pub struct CreatePairingLink {
    pub id: uuid::Uuid,
    pub token: String,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
}
pub struct CreatePairingLinkBorrowed<'a> {
    pub id: uuid::Uuid,
    pub token: &'a str,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
}
impl<'a> From<CreatePairingLinkBorrowed<'a>> for CreatePairingLink {
    fn from(CreatePairingLinkBorrowed { id, token, expires_at }: CreatePairingLinkBorrowed<'a>) -> Self {
        Self { id, token: token.into(), expires_at }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPairingLink {
    pub id: uuid::Uuid,
    pub state: String,
    pub source: String,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
    pub uses_left: i32,
    pub expect_phone: Option<String>,
    pub first_opened_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub last_used_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub revoked_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
pub struct ListedPairingLinkBorrowed<'a> {
    pub id: uuid::Uuid,
    pub state: &'a str,
    pub source: &'a str,
    pub created_at: chrono::DateTime<chrono::FixedOffset>,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
    pub uses_left: i32,
    pub expect_phone: Option<&'a str>,
    pub first_opened_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub last_used_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub revoked_at: Option<chrono::DateTime<chrono::FixedOffset>>,
}
impl<'a> From<ListedPairingLinkBorrowed<'a>> for ListedPairingLink {
    fn from(
        ListedPairingLinkBorrowed {
            id,
            state,
            source,
            created_at,
            expires_at,
            uses_left,
            expect_phone,
            first_opened_at,
            last_used_at,
            revoked_at,
        }: ListedPairingLinkBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            state: state.into(),
            source: source.into(),
            created_at,
            expires_at,
            uses_left,
            expect_phone: expect_phone.map(|v| v.into()),
            first_opened_at,
            last_used_at,
            revoked_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ViewedPairingLink {
    pub is_live: bool,
    pub label: String,
    pub status: String,
    pub status_reason: String,
    pub qr_png: Option<String>,
    pub qr_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_code: Option<String>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub expect_phone: Option<String>,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
    pub is_asked: bool,
}
pub struct ViewedPairingLinkBorrowed<'a> {
    pub is_live: bool,
    pub label: &'a str,
    pub status: &'a str,
    pub status_reason: &'a str,
    pub qr_png: Option<&'a str>,
    pub qr_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub qr_expires_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub pair_code: Option<&'a str>,
    pub pair_deadline: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub expect_phone: Option<&'a str>,
    pub expires_at: chrono::DateTime<chrono::FixedOffset>,
    pub is_asked: bool,
}
impl<'a> From<ViewedPairingLinkBorrowed<'a>> for ViewedPairingLink {
    fn from(
        ViewedPairingLinkBorrowed {
            is_live,
            label,
            status,
            status_reason,
            qr_png,
            qr_at,
            qr_expires_at,
            pair_code,
            pair_deadline,
            expect_phone,
            expires_at,
            is_asked,
        }: ViewedPairingLinkBorrowed<'a>,
    ) -> Self {
        Self {
            is_live,
            label: label.into(),
            status: status.into(),
            status_reason: status_reason.into(),
            qr_png: qr_png.map(|v| v.into()),
            qr_at,
            qr_expires_at,
            pair_code: pair_code.map(|v| v.into()),
            pair_deadline,
            expect_phone: expect_phone.map(|v| v.into()),
            expires_at,
            is_asked,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct CreatePairingLinkQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CreatePairingLinkBorrowed, tokio_postgres::Error>,
    mapper: fn(CreatePairingLinkBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CreatePairingLinkQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(CreatePairingLinkBorrowed) -> R) -> CreatePairingLinkQuery<'c, 'a, 's, C, R, N> {
        CreatePairingLinkQuery {
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
pub struct ListedPairingLinkQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListedPairingLinkBorrowed, tokio_postgres::Error>,
    mapper: fn(ListedPairingLinkBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListedPairingLinkQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListedPairingLinkBorrowed) -> R) -> ListedPairingLinkQuery<'c, 'a, 's, C, R, N> {
        ListedPairingLinkQuery {
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
pub struct ViewedPairingLinkQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ViewedPairingLinkBorrowed, tokio_postgres::Error>,
    mapper: fn(ViewedPairingLinkBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ViewedPairingLinkQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ViewedPairingLinkBorrowed) -> R) -> ViewedPairingLinkQuery<'c, 'a, 's, C, R, N> {
        ViewedPairingLinkQuery {
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
pub struct StringQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<&str, tokio_postgres::Error>,
    mapper: fn(&str) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StringQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(&str) -> R) -> StringQuery<'c, 'a, 's, C, R, N> {
        StringQuery {
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
pub struct CreatePairingLinkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn create_pairing_link() -> CreatePairingLinkStmt {
    CreatePairingLinkStmt(
        "SELECT id, token, expires_at FROM create_pairing_link($1::uuid, make_interval(secs => $2::float8), $3::int, $4::text, $5::text)",
        None,
    )
}
impl CreatePairingLinkStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        seconds: &'a Option<f64>,
        uses: &'a i32,
        expect_phone: &'a Option<T1>,
        source: &'a T2,
    ) -> CreatePairingLinkQuery<'c, 'a, 's, C, CreatePairingLink, 5> {
        CreatePairingLinkQuery {
            client,
            params: [account, seconds, uses, expect_phone, source],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CreatePairingLinkBorrowed, tokio_postgres::Error> {
                Ok(CreatePairingLinkBorrowed {
                    id: row.try_get(0)?,
                    token: row.try_get(1)?,
                    expires_at: row.try_get(2)?,
                })
            },
            mapper: |it| CreatePairingLink::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        CreatePairingLinkParams<T1, T2>,
        CreatePairingLinkQuery<'c, 'a, 's, C, CreatePairingLink, 5>,
        C,
    > for CreatePairingLinkStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a CreatePairingLinkParams<T1, T2>,
    ) -> CreatePairingLinkQuery<'c, 'a, 's, C, CreatePairingLink, 5> {
        self.bind(client, &params.account, &params.seconds, &params.uses, &params.expect_phone, &params.source)
    }
}
pub struct ListPairingLinksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_pairing_links() -> ListPairingLinksStmt {
    ListPairingLinksStmt(
        "SELECT l.id, pairing_link_state(l.revoked_at, l.uses_left, l.expires_at) AS state, l.source, l.created_at, l.expires_at, l.uses_left, l.expect_phone, l.first_opened_at, l.last_used_at, l.revoked_at FROM pairing_links l WHERE l.account_id = $1 ORDER BY l.created_at DESC, l.id LIMIT 100",
        None,
    )
}
impl ListPairingLinksStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
    ) -> ListedPairingLinkQuery<'c, 'a, 's, C, ListedPairingLink, 1> {
        ListedPairingLinkQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListedPairingLinkBorrowed, tokio_postgres::Error> {
                Ok(ListedPairingLinkBorrowed {
                    id: row.try_get(0)?,
                    state: row.try_get(1)?,
                    source: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    expires_at: row.try_get(4)?,
                    uses_left: row.try_get(5)?,
                    expect_phone: row.try_get(6)?,
                    first_opened_at: row.try_get(7)?,
                    last_used_at: row.try_get(8)?,
                    revoked_at: row.try_get(9)?,
                })
            },
            mapper: |it| ListedPairingLink::from(it),
        }
    }
}
pub struct RevokePairingLinkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoke_pairing_link() -> RevokePairingLinkStmt {
    RevokePairingLinkStmt(
        "SELECT revoke_pairing_link(l.id, $1::text) AS revoked FROM pairing_links l WHERE l.id = $2 AND l.account_id = $3",
        None,
    )
}
impl RevokePairingLinkStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        source: &'a T1,
        link: &'a uuid::Uuid,
        account: &'a uuid::Uuid,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 3> {
        BoolQuery {
            client,
            params: [source, link, account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, RevokePairingLinkParams<T1>, BoolQuery<'c, 'a, 's, C, bool, 3>, C>
    for RevokePairingLinkStmt
{
    fn params(&'s self, client: &'c C, params: &'a RevokePairingLinkParams<T1>) -> BoolQuery<'c, 'a, 's, C, bool, 3> {
        self.bind(client, &params.source, &params.link, &params.account)
    }
}
pub struct ViewPairingLinkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn view_pairing_link() -> ViewPairingLinkStmt {
    ViewPairingLinkStmt(
        "SELECT is_live, label, status, status_reason, qr_png, qr_at, qr_expires_at, pair_code, pair_deadline, expect_phone, expires_at, is_asked FROM view_pairing_link($1::bytea)",
        None,
    )
}
impl ViewPairingLinkStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::BytesSql>(
        &'s self,
        client: &'c C,
        hash: &'a T1,
    ) -> ViewedPairingLinkQuery<'c, 'a, 's, C, ViewedPairingLink, 1> {
        ViewedPairingLinkQuery {
            client,
            params: [hash],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ViewedPairingLinkBorrowed, tokio_postgres::Error> {
                Ok(ViewedPairingLinkBorrowed {
                    is_live: row.try_get(0)?,
                    label: row.try_get(1)?,
                    status: row.try_get(2)?,
                    status_reason: row.try_get(3)?,
                    qr_png: row.try_get(4)?,
                    qr_at: row.try_get(5)?,
                    qr_expires_at: row.try_get(6)?,
                    pair_code: row.try_get(7)?,
                    pair_deadline: row.try_get(8)?,
                    expect_phone: row.try_get(9)?,
                    expires_at: row.try_get(10)?,
                    is_asked: row.try_get(11)?,
                })
            },
            mapper: |it| ViewedPairingLink::from(it),
        }
    }
}
pub struct PairByLinkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn pair_by_link() -> PairByLinkStmt {
    PairByLinkStmt("SELECT pair_by_link($1::bytea, $2::text) AS answer", None)
}
impl PairByLinkStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::BytesSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        hash: &'a T1,
        phone: &'a Option<T2>,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        StringQuery {
            client,
            params: [hash, phone],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::BytesSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, PairByLinkParams<T1, T2>, StringQuery<'c, 'a, 's, C, String, 2>, C>
    for PairByLinkStmt
{
    fn params(&'s self, client: &'c C, params: &'a PairByLinkParams<T1, T2>) -> StringQuery<'c, 'a, 's, C, String, 2> {
        self.bind(client, &params.hash, &params.phone)
    }
}
