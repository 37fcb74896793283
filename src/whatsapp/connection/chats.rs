//! Does on a connection what commands ask for: read receipts, that somebody types, and whether
//! numbers are on WhatsApp.
//!
//! Nothing here says that the account is available: its presence stays as [`super::PresenceKeeper`]
//! has it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use paird_actors::{
    clock,
    domain::{
        ChatJid, CheckedContact, ContactCheckPolicy, ContactChecks, MessageId, OnlineAnswer, OnlineError, OnlineOrder,
        OnlineRequest, Party, Phone, StoreError, TypingState, UnreadChatMessage,
    },
};
use wacore::{iq::keepalive::KeepaliveSpec, types::message::AddressingMode};
use wacore_binary::{Jid, JidExt as _};
use whatsapp_rust::{ChatStateType, Client, request::IqError};

use super::{MessageLink, NumberChecker};

/// How long WhatsApp may take to answer the ping behind receipts.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Where it is known what came in with a chat.
#[async_trait]
pub trait ChatStore: Send + Sync + 'static {
    /// The jid by which the account knows a chat: the LID where that is known.
    ///
    /// # Errors
    /// The database did not answer.
    async fn jid_of(&self, link: &MessageLink, chat: &ChatJid) -> Result<String, StoreError>;

    /// What came in with a chat up to a message and is not marked as read; `None` if the message is
    /// not one of the chat. Only the last messages of the chat are looked through.
    ///
    /// # Errors
    /// The database did not answer.
    async fn unread(
        &self,
        link: &MessageLink,
        chat: &str,
        up_to: MessageId,
    ) -> Result<Option<Vec<UnreadChatMessage>>, StoreError>;

    /// # Errors
    /// `Fenced`: this daemon may write nothing. `Unavailable`: it may have been written.
    async fn mark_as_read(&self, link: &MessageLink, messages: &[MessageId]) -> Result<(), StoreError>;

    /// What the account knows of these numbers, and how many it has asked for within the policy's window.
    ///
    /// # Errors
    /// The database did not answer.
    async fn contact_checks(
        &self,
        link: &MessageLink,
        phones: &[Phone],
        policy: &ContactCheckPolicy,
    ) -> Result<ContactChecks, StoreError>;

    /// Counts these numbers as asked for.
    ///
    /// # Errors
    /// `Fenced`: this daemon may not ask. `Unavailable`: they may have been counted.
    async fn begin_contact_checks(&self, link: &MessageLink, phones: &[Phone]) -> Result<(), StoreError>;

    /// Keeps WhatsApp's answers.
    ///
    /// # Errors
    /// `Fenced`: this daemon may write nothing. `Unavailable`: they may have been written.
    async fn end_contact_checks(&self, link: &MessageLink, answers: &[CheckedContact]) -> Result<(), StoreError>;
}

/// See the module's text.
#[derive(Clone)]
pub(in crate::whatsapp) struct Chats {
    store: Arc<dyn ChatStore>,
    numbers: Arc<NumberChecker>,
    link: MessageLink,
}

impl Chats {
    pub(in crate::whatsapp) fn new(store: Arc<dyn ChatStore>, numbers: Arc<NumberChecker>, link: MessageLink) -> Self {
        Self { store, numbers, link }
    }

    pub(super) async fn carry_out(&self, client: &Client, order: OnlineOrder) -> Result<OnlineAnswer, OnlineError> {
        let OnlineOrder { request, until } = order;
        let done = async {
            match request {
                OnlineRequest::ReadChat { chat, up_to } => self.read(client, &chat, up_to).await,
                OnlineRequest::CheckContacts { phones } => {
                    let contacts = self.numbers.check(client, &phones).await?;
                    Ok(OnlineAnswer::Checked { contacts })
                }
                OnlineRequest::ShowTyping { chat, state } => {
                    let chat = self.jid_of(&chat).await?;
                    if clock::now() >= until {
                        return Err(OnlineError::TooLate);
                    }
                    let left = client.chatstate().send(&chat, chat_state(state)).await;
                    left.map(|()| OnlineAnswer::TypingShown).map_err(|_| OnlineError::ConnectionOver)
                }
            }
        };
        tokio::select! {
            outcome = done => outcome,
            () = clock::reached(until) => Err(OnlineError::NoAnswer),
        }
    }

    async fn jid_of(&self, chat: &ChatJid) -> Result<Jid, OnlineError> {
        let jid = self.store.jid_of(&self.link, chat).await?;
        jid.parse().map_err(|_| StoreError::Unavailable("the chat has a name that is not a jid".to_owned()).into())
    }

    /// A message is marked only when WhatsApp has its receipt: what is not marked because something
    /// failed in between is sent again, which changes nothing on a phone.
    async fn read(&self, client: &Client, chat: &ChatJid, up_to: MessageId) -> Result<OnlineAnswer, OnlineError> {
        let chat = self.jid_of(chat).await?;
        let unread =
            self.store.unread(&self.link, &chat.to_string(), up_to).await?.ok_or(OnlineError::NoSuchMessage)?;
        if unread.is_empty() {
            return Ok(OnlineAnswer::Read { messages: 0 });
        }
        let by_lid = if chat.is_group() { Some(names_members_by_lid(client, &chat).await) } else { None };
        for (author, wa_ids) in by_author(&unread, by_lid) {
            let ids: Vec<&str> = wa_ids.iter().map(String::as_str).collect();
            let sent = client.mark_as_read(&chat, author.as_ref(), &ids).await;
            sent.map_err(|_| OnlineError::ConnectionOver)?;
        }
        // WhatsApp reads in order: if it answers this, it has what was sent before.
        match client.execute(KeepaliveSpec::with_timeout(PING_TIMEOUT)).await {
            Ok(()) | Err(IqError::ServerError { .. }) => {}
            Err(failure) if is_over(&failure) => return Err(OnlineError::ConnectionOver),
            Err(_) => return Err(OnlineError::NoAnswer),
        }
        let ids: Vec<MessageId> = unread.iter().map(|message| message.id).collect();
        self.store.mark_as_read(&self.link, &ids).await?;
        Ok(OnlineAnswer::Read { messages: ids.len() })
    }
}

/// The query failed with its connection, or had none.
pub(super) fn is_over(failure: &IqError) -> bool {
    matches!(
        failure,
        IqError::NotConnected
            | IqError::Socket(_)
            | IqError::EncryptSend(_)
            | IqError::ClientState(_)
            | IqError::Disconnected(_)
            | IqError::InternalChannelClosed
    )
}

/// Whether a group calls its members by LID, as nearly all do.
async fn names_members_by_lid(client: &Client, group: &Jid) -> bool {
    let info = client.groups().query_info(group).await;
    info.map_or(true, |info| info.addressing_mode == AddressingMode::Lid)
}

/// The receipts that there must be: in a group each names the author of its messages, as the group
/// calls them. `by_lid` is `None` if it is no group.
fn by_author(unread: &[UnreadChatMessage], by_lid: Option<bool>) -> Vec<(Option<Jid>, Vec<String>)> {
    let mut receipts: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for message in unread {
        let author = by_lid.map(|by_lid| name_of(&message.sender, by_lid));
        receipts.entry(author).or_default().push(message.wa_id.clone());
    }
    let parsed = receipts.into_iter().filter_map(|(author, ids)| match author {
        Some(author) => Some((Some(author.parse().ok()?), ids)),
        None => Some((None, ids)),
    });
    parsed.collect()
}

fn name_of(sender: &Party, by_lid: bool) -> String {
    match &sender.phone {
        Some(phone) if !by_lid => format!("{}@s.whatsapp.net", phone.digits()),
        Some(_) | None => sender.jid.clone(),
    }
}

fn chat_state(state: TypingState) -> ChatStateType {
    match state {
        TypingState::Composing => ChatStateType::Composing,
        TypingState::Recording => ChatStateType::Recording,
        TypingState::Paused => ChatStateType::Paused,
    }
}

#[cfg(test)]
mod tests {
    use paird_actors::domain::Phone;

    use super::*;

    fn message(nth: i64, sender: &str, phone: Option<&str>) -> UnreadChatMessage {
        let phone = phone.map(|digits| Phone::from_digits(digits).unwrap());
        UnreadChatMessage {
            id: MessageId(nth),
            wa_id: format!("ID{nth}"),
            sender: Party { jid: sender.to_owned(), phone },
        }
    }

    #[test]
    fn in_a_group_a_receipt_names_one_author_as_the_group_does() {
        let unread = [
            message(1, "1@lid", Some("436601234567")),
            message(2, "2@lid", None),
            message(3, "1@lid", Some("436601234567")),
        ];
        let named = |by_lid| -> Vec<(String, Vec<String>)> {
            let receipts = by_author(&unread, Some(by_lid)).into_iter();
            receipts.map(|(author, ids)| (author.unwrap().to_string(), ids)).collect()
        };
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(named(true), [("1@lid".to_owned(), ids(&["ID1", "ID3"])), ("2@lid".to_owned(), ids(&["ID2"]))]);
        let by_number = named(false);
        assert_eq!(by_number[1], ("436601234567@s.whatsapp.net".to_owned(), ids(&["ID1", "ID3"])));
        // Whose number is not known keeps the only name there is.
        assert_eq!(by_number[0], ("2@lid".to_owned(), ids(&["ID2"])));
    }

    #[test]
    fn with_a_person_a_receipt_names_nobody() {
        let unread = [message(1, "1@lid", None), message(2, "1@lid", None)];
        assert_eq!(by_author(&unread, None), [(None, vec!["ID1".to_owned(), "ID2".to_owned()])]);
    }
}
