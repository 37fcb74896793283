// This file was generated with `clorinde`. Do not modify.

#[derive(Debug)]
pub struct NoteInAuditParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::JsonSql,
    T5: crate::StringSql,
> {
    pub source: T1,
    pub action: T2,
    pub target_type: T3,
    pub target_id: Option<uuid::Uuid>,
    pub payload: T4,
    pub channel: T5,
}
#[derive(Debug)]
pub struct NoteAccountInAuditParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> {
    pub source: T1,
    pub action: T2,
    pub channel: T3,
    pub account: uuid::Uuid,
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct NoteInAuditStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn note_in_audit() -> NoteInAuditStmt {
    NoteInAuditStmt(
        "INSERT INTO audit_log (source, action, target_type, target_id, payload, sent_by, channel) VALUES ($1, $2, $3, $4, $5, session_user, $6)",
        None,
    )
}
impl NoteInAuditStmt {
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
        T2: crate::StringSql,
        T3: crate::StringSql,
        T4: crate::JsonSql,
        T5: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        source: &'a T1,
        action: &'a T2,
        target_type: &'a T3,
        target_id: &'a Option<uuid::Uuid>,
        payload: &'a T4,
        channel: &'a T5,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[source, action, target_type, target_id, payload, channel]).await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::JsonSql,
    T5: crate::StringSql,
>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        NoteInAuditParams<T1, T2, T3, T4, T5>,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for NoteInAuditStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a NoteInAuditParams<T1, T2, T3, T4, T5>,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(
            client,
            &params.source,
            &params.action,
            &params.target_type,
            &params.target_id,
            &params.payload,
            &params.channel,
        ))
    }
}
pub struct NoteAccountInAuditStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn note_account_in_audit() -> NoteAccountInAuditStmt {
    NoteAccountInAuditStmt(
        "INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel) SELECT a.operator_id, $1, $2, 'whatsapp_account', a.id, jsonb_build_object('label', left(a.label, 200)), session_user, $3 FROM whatsapp_accounts a WHERE a.id = $4",
        None,
    )
}
impl NoteAccountInAuditStmt {
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
        T2: crate::StringSql,
        T3: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        source: &'a T1,
        action: &'a T2,
        channel: &'a T3,
        account: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[source, action, channel, account]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        NoteAccountInAuditParams<T1, T2, T3>,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for NoteAccountInAuditStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a NoteAccountInAuditParams<T1, T2, T3>,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>> {
        Box::pin(self.bind(client, &params.source, &params.action, &params.channel, &params.account))
    }
}
