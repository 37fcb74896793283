//! Whether numbers are on WhatsApp, and what it calls them: for commands and for messages to people who are
//! known by their number alone. Both have one budget, and one memory of the answers.

use std::sync::Arc;

use paird_actors::{
    clock,
    domain::{CheckedContact, ContactCheckPlan, ContactCheckPolicy, OnlineError, Phone},
};
use tokio::sync::Mutex;
use wacore_binary::Jid;
use whatsapp_rust::{Client, ContactError, IsOnWhatsAppResult, request::IqError};

use super::{ChatStore, MessageLink, chats::is_over};

/// See the module's text.
pub(in crate::whatsapp) struct NumberChecker {
    store: Arc<dyn ChatStore>,
    link: MessageLink,
    /// Held from the look at the budget until the numbers count as asked for, and not while WhatsApp is
    /// asked: that may hang.
    planning: Mutex<()>,
}

impl NumberChecker {
    pub(in crate::whatsapp) fn new(store: Arc<dyn ChatStore>, link: MessageLink) -> Arc<Self> {
        Arc::new(Self { store, link, planning: Mutex::default() })
    }

    /// The answer for each number, from what is known while that counts. What is asked for counts even if
    /// WhatsApp does not answer.
    ///
    /// # Errors
    /// The budget is spent, or WhatsApp or the database did not answer.
    pub(super) async fn check(&self, client: &Client, phones: &[Phone]) -> Result<Vec<CheckedContact>, OnlineError> {
        let ContactCheckPlan { known: mut contacts, to_ask } = self.plan(phones).await?;
        if !to_ask.is_empty() {
            let jids: Vec<Jid> = to_ask.iter().map(|phone| Jid::pn(phone.digits())).collect();
            // The library keeps the LIDs that it learns.
            let found = client.contacts().is_on_whatsapp(&jids).await.map_err(|failure| not_said(&failure))?;
            let answers = answers(&to_ask, &found)?;
            self.store.end_contact_checks(&self.link, &answers).await?;
            contacts.extend(answers);
        }
        Ok(contacts)
    }

    /// The jid under which to write to somebody: `None` if the number is not on WhatsApp.
    ///
    /// # Errors
    /// It cannot be found out now.
    pub(super) async fn jid_of(&self, client: &Client, phone: Phone) -> Result<Option<Jid>, OnlineError> {
        let answer = self.check(client, &[phone]).await?.pop();
        let answer = answer.ok_or_else(|| OnlineError::Refused("an answer is missing".to_owned()))?;
        let jid = answer.chat.map(|chat| chat.parse::<Jid>()).transpose();
        jid.map_err(|_| OnlineError::Refused("the answer is not a jid".to_owned()))
    }

    async fn plan(&self, phones: &[Phone]) -> Result<ContactCheckPlan, OnlineError> {
        let policy = ContactCheckPolicy::DEFAULT;
        let _alone = self.planning.lock().await;
        let checks = self.store.contact_checks(&self.link, phones, &policy).await?;
        let plan = policy.plan(phones, &checks, clock::now()).map_err(|until| OnlineError::OverBudget { until })?;
        if !plan.to_ask.is_empty() {
            self.store.begin_contact_checks(&self.link, &plan.to_ask).await?;
        }
        Ok(plan)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enums are open")]
fn not_said(failure: &ContactError) -> OnlineError {
    match failure {
        ContactError::Iq(failure) if is_over(failure) => OnlineError::ConnectionOver,
        ContactError::Iq(IqError::Timeout) => OnlineError::NoAnswer,
        ContactError::Iq(IqError::ServerError { code, .. }) => OnlineError::Refused(format!("error {code}")),
        _ => OnlineError::Refused("its answer could not be read".to_owned()),
    }
}

/// The answer for each number; WhatsApp may spell it otherwise.
fn answers(asked: &[Phone], found: &[IsOnWhatsAppResult]) -> Result<Vec<CheckedContact>, OnlineError> {
    let now = clock::now();
    let is_of = |one: &IsOnWhatsAppResult, phone: &Phone| {
        [Some(&one.jid), one.pn_jid.as_ref()]
            .into_iter()
            .flatten()
            .any(|jid| Phone::from_digits(&jid.user).is_ok_and(|other| other.is_same_number(phone)))
    };
    let of_each = asked.iter().map(|phone| {
        let answer = found.iter().find(|one| is_of(one, phone) && one.contact_error.is_none());
        let answer = answer.ok_or_else(|| OnlineError::Refused("an answer is missing".to_owned()))?;
        let jid = answer.lid.as_ref().unwrap_or(&answer.jid).to_non_ad().to_string();
        Ok(CheckedContact { phone: phone.clone(), chat: answer.is_registered.then_some(jid), checked_at: now })
    });
    of_each.collect()
}
