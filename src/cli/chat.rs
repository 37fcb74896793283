//! `paird chat`: what an account does with a chat besides messages.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use paird_actors::domain::{CommandKind, TypingState};
use serde_json::json;

use super::account_commands::ask;
use super::out::Format;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum ChatCommand {
    /// Sends read receipts for what came in with a chat, up to a message.
    Read {
        #[command(flatten)]
        chat: ChatArg,
        /// The id of the last message that was read.
        #[arg(value_name = "ID")]
        up_to: i64,
    },
    /// Shows a chat that somebody is typing, until a message comes or some seconds are over.
    Typing {
        #[command(flatten)]
        chat: ChatArg,
        /// What is shown.
        #[arg(long, default_value = TypingState::Composing.as_str(), value_parser = typing_state())]
        state: TypingState,
    },
}

#[derive(Args, Debug)]
pub(super) struct ChatArg {
    /// Label or id of the account.
    #[arg(value_name = "LABEL|ID")]
    account: String,
    /// A phone number with its country code, or the jid of a person or group.
    #[arg(value_name = "PHONE|JID")]
    chat: String,
}

fn typing_state() -> impl TypedValueParser<Value = TypingState> {
    let words = PossibleValuesParser::new(TypingState::ALL.iter().map(|state| state.as_str()));
    words.try_map(|word| TypingState::parse(&word).ok_or("no such state"))
}

pub(super) async fn run(config: &Config, format: Format, command: ChatCommand) -> anyhow::Result<ExitCode> {
    match command {
        ChatCommand::Read { chat: ChatArg { account, chat }, up_to } => {
            ask(config, format, &account, CommandKind::ReadChat, json!({ "chat": chat, "upTo": up_to })).await
        }
        ChatCommand::Typing { chat: ChatArg { account, chat }, state } => {
            let args = json!({ "chat": chat, "state": state });
            ask(config, format, &account, CommandKind::ShowTyping, args).await
        }
    }
}
