// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct FindChatJidParams<T1: crate::StringSql> {
    pub account: uuid::Uuid,
    pub jid: T1,
}
#[derive(Debug)]
pub struct HasChatMessageParams<T1: crate::StringSql> {
    pub message: i64,
    pub account: uuid::Uuid,
    pub chat: T1,
}
#[derive(Debug)]
pub struct ListUnreadMessagesParams<T1: crate::StringSql> {
    pub account: uuid::Uuid,
    pub chat: T1,
    pub up_to: i64,
    pub depth: i64,
}
#[derive(Debug)]
pub struct MarkMessagesAsReadParams<T1: crate::ArraySql<Item = i64>> {
    pub account: uuid::Uuid,
    pub process: uuid::Uuid,
    pub fence: i64,
    pub keyring: uuid::Uuid,
    pub messages: T1,
}
#[derive(Debug, Clone, PartialEq)]
pub struct ListUnreadMessages {
    pub id: i64,
    pub wa_id: String,
    pub sender: String,
    pub sender_phone: Option<String>,
}
pub struct ListUnreadMessagesBorrowed<'a> {
    pub id: i64,
    pub wa_id: &'a str,
    pub sender: &'a str,
    pub sender_phone: Option<&'a str>,
}
impl<'a> From<ListUnreadMessagesBorrowed<'a>> for ListUnreadMessages {
    fn from(ListUnreadMessagesBorrowed { id, wa_id, sender, sender_phone }: ListUnreadMessagesBorrowed<'a>) -> Self {
        Self { id, wa_id: wa_id.into(), sender: sender.into(), sender_phone: sender_phone.map(|v| v.into()) }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
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
pub struct ListUnreadMessagesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ListUnreadMessagesBorrowed, tokio_postgres::Error>,
    mapper: fn(ListUnreadMessagesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ListUnreadMessagesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ListUnreadMessagesBorrowed) -> R) -> ListUnreadMessagesQuery<'c, 'a, 's, C, R, N> {
        ListUnreadMessagesQuery {
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
pub struct FindChatJidStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn find_chat_jid() -> FindChatJidStmt {
    FindChatJidStmt("SELECT f.chat FROM find_chat($1, $2) AS f", None)
}
impl FindChatJidStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        jid: &'a T1,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        StringQuery {
            client,
            params: [account, jid],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, FindChatJidParams<T1>, StringQuery<'c, 'a, 's, C, String, 2>, C>
    for FindChatJidStmt
{
    fn params(&'s self, client: &'c C, params: &'a FindChatJidParams<T1>) -> StringQuery<'c, 'a, 's, C, String, 2> {
        self.bind(client, &params.account, &params.jid)
    }
}
pub struct HasChatMessageStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn has_chat_message() -> HasChatMessageStmt {
    HasChatMessageStmt(
        "SELECT EXISTS (SELECT FROM messages m WHERE m.id = $1 AND m.account_id = $2 AND m.chat = $3) AS is_there",
        None,
    )
}
impl HasChatMessageStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        message: &'a i64,
        account: &'a uuid::Uuid,
        chat: &'a T1,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 3> {
        BoolQuery {
            client,
            params: [message, account, chat],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, HasChatMessageParams<T1>, BoolQuery<'c, 'a, 's, C, bool, 3>, C>
    for HasChatMessageStmt
{
    fn params(&'s self, client: &'c C, params: &'a HasChatMessageParams<T1>) -> BoolQuery<'c, 'a, 's, C, bool, 3> {
        self.bind(client, &params.message, &params.account, &params.chat)
    }
}
pub struct ListUnreadMessagesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_unread_messages() -> ListUnreadMessagesStmt {
    ListUnreadMessagesStmt(
        "WITH last AS MATERIALIZED ( SELECT m.id, m.direction, m.kind, m.state, m.sender, m.sender_phone, m.wa_id, m.read_at FROM messages m WHERE m.account_id = $1 AND m.chat = $2 AND m.id <= $3 ORDER BY m.id DESC LIMIT $4 ) SELECT last.id, last.wa_id, last.sender, last.sender_phone FROM last WHERE last.direction = 'in' AND last.state = 'received' AND last.read_at IS NULL AND last.kind NOT IN ('reaction', 'edit', 'revoke') ORDER BY last.id",
        None,
    )
}
impl ListUnreadMessagesStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        chat: &'a T1,
        up_to: &'a i64,
        depth: &'a i64,
    ) -> ListUnreadMessagesQuery<'c, 'a, 's, C, ListUnreadMessages, 4> {
        ListUnreadMessagesQuery {
            client,
            params: [account, chat, up_to, depth],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ListUnreadMessagesBorrowed, tokio_postgres::Error> {
                Ok(ListUnreadMessagesBorrowed {
                    id: row.try_get(0)?,
                    wa_id: row.try_get(1)?,
                    sender: row.try_get(2)?,
                    sender_phone: row.try_get(3)?,
                })
            },
            mapper: |it| ListUnreadMessages::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListUnreadMessagesParams<T1>,
        ListUnreadMessagesQuery<'c, 'a, 's, C, ListUnreadMessages, 4>,
        C,
    > for ListUnreadMessagesStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListUnreadMessagesParams<T1>,
    ) -> ListUnreadMessagesQuery<'c, 'a, 's, C, ListUnreadMessages, 4> {
        self.bind(client, &params.account, &params.chat, &params.up_to, &params.depth)
    }
}
pub struct MarkMessagesAsReadStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn mark_messages_as_read() -> MarkMessagesAsReadStmt {
    MarkMessagesAsReadStmt(
        "WITH mine AS ( SELECT a.id FROM whatsapp_accounts a WHERE a.id = $1 AND a.owner = $2 AND a.fence = $3 AND a.deleted_at IS NULL AND $4 IN (a.keyring_id, a.linking_keyring_id) FOR UPDATE ), marked AS ( UPDATE messages m SET read_at = clock_timestamp() FROM mine WHERE m.id = ANY ($5::bigint[]) AND m.account_id = mine.id AND m.direction = 'in' AND m.read_at IS NULL RETURNING m.id ) SELECT (SELECT count(*) FROM marked) AS messages FROM mine",
        None,
    )
}
impl MarkMessagesAsReadStmt {
    pub async fn prepare<'a, C: GenericClient>(mut self, client: &'a C) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>>(
        &'s self,
        client: &'c C,
        account: &'a uuid::Uuid,
        process: &'a uuid::Uuid,
        fence: &'a i64,
        keyring: &'a uuid::Uuid,
        messages: &'a T1,
    ) -> I64Query<'c, 'a, 's, C, i64, 5> {
        I64Query {
            client,
            params: [account, process, fence, keyring, messages],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::ArraySql<Item = i64>>
    crate::client::async_::Params<'c, 'a, 's, MarkMessagesAsReadParams<T1>, I64Query<'c, 'a, 's, C, i64, 5>, C>
    for MarkMessagesAsReadStmt
{
    fn params(&'s self, client: &'c C, params: &'a MarkMessagesAsReadParams<T1>) -> I64Query<'c, 'a, 's, C, i64, 5> {
        self.bind(client, &params.account, &params.process, &params.fence, &params.keyring, &params.messages)
    }
}
