//! Carries out the tasks of an account's machine.

use std::{future::Future, pin::Pin, sync::Arc};

use tracing::{Span, info};

use super::{
    author::{Answer, Author, Task},
    lifecycle::Input,
};
use crate::{
    domain::{GroupsError, OnlineError, PasskeyError, QrChange, StoreError, Write, Written},
    ports::{AccountStore, QrPainter, Session},
    shell::{CarryOut, Done, Running, Subject, TaskContext},
};

impl CarryOut for Author {
    fn subject(&self) -> Subject {
        let record = self.life().record();
        Subject {
            account: record.id,
            operator: Some(record.operator),
            ticket: None,
            label: record.label.clone(),
            fence: record.fence,
        }
    }

    fn span(&self) -> Span {
        Span::none()
    }

    fn carry_out(&self, task: Task, context: TaskContext<Self>) -> Running<Self> {
        Box::pin(async move { run(task, context).await })
    }

    fn log_transition(&self, from: &'static str, to: &'static str) {
        let record = self.life().record();
        info!(account = %record.id, label = %record.label, status = %record.status, reason = %record.reason, "{from} → {to}");
    }
}

async fn run(task: Task, context: TaskContext<Author>) -> Done<Author> {
    match task {
        Task::Write(mut write) => {
            let written = match draw(&mut write, &*context.deps.qr).await {
                Ok(()) => context.deps.accounts.record(&write).await,
                Err(why) => Err(why),
            };
            Done::Answer(Answer::Written(write, written))
        }
        Task::Claim { incarnation, write, keys_of } => {
            let store = Arc::clone(&context.deps.accounts);
            let written = match keys_of {
                None => store.record(&write).await,
                Some(of) => write_with_keys(context.session(of), store, (*write).clone()).await,
            };
            Done::Answer(Answer::Claimed(incarnation, write, written))
        }
        Task::Open { incarnation, keyring, purpose, settings } => {
            let opened = context.open(incarnation, keyring, purpose, settings, Input::Session).await;
            Done::Answer(Answer::Opened(incarnation, opened))
        }
        Task::ConfirmLink(incarnation) => {
            if let Some(session) = context.session(incarnation) {
                session.confirm_link().await;
            }
            Done::Answer(Answer::Done)
        }
        Task::RefuseLink(incarnation) => {
            if let Some(session) = context.session(incarnation) {
                session.refuse_link().await;
            }
            Done::Answer(Answer::Done)
        }
        Task::Close(incarnation) => {
            context.close(incarnation).await;
            Done::Input(Input::SessionClosed(incarnation))
        }
        Task::Cut(incarnation) => {
            context.cut(incarnation).await;
            Done::Input(Input::SessionClosed(incarnation))
        }
        Task::AnswerPasskey { incarnation, command, answer } => {
            let outcome = match context.session(incarnation) {
                Some(session) => session.answer_passkey(answer).await,
                None => Err(PasskeyError::ConnectionOver),
            };
            Done::Input(Input::PasskeyAnswered(incarnation, command, outcome))
        }
        Task::FetchGroups(incarnation) => {
            let outcome = match context.session(incarnation) {
                Some(session) => session.groups().await,
                None => Err(GroupsError::ConnectionOver),
            };
            Done::Input(Input::GroupsFetched(incarnation, outcome))
        }
        Task::Ask { incarnation, command, order } => {
            let outcome = match context.session(incarnation) {
                Some(session) => session.ask(order).await,
                None => Err(OnlineError::ConnectionOver),
            };
            Done::Input(Input::Answered(incarnation, command, outcome))
        }
    }
}

/// A QR is drawn once, however often it is written.
async fn draw(write: &mut Write, painter: &dyn QrPainter) -> Result<(), StoreError> {
    match &write.change.qr {
        QrChange::Show { payload, .. } if write.qr_png.is_none() => write.qr_png = Some(painter.png(payload).await?),
        QrChange::Show { .. } | QrChange::Keep | QrChange::Clear => {}
    }
    Ok(())
}

/// The connection seals its keys as they are now, and they become durable with the change.
async fn write_with_keys(
    session: Option<Arc<dyn Session>>,
    store: Arc<dyn AccountStore>,
    write: Write,
) -> Result<Written, StoreError> {
    let Some(session) = session else { return Err(StoreError::Unavailable("the connection is gone".to_owned())) };
    let put = move |keys| -> Pin<Box<dyn Future<Output = Result<Written, StoreError>> + Send>> {
        Box::pin(async move { store.record(&Write { keys: Some(keys), ..write }).await })
    };
    session.secure_keys(Box::new(put)).await
}
