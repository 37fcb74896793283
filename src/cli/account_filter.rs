//! The options that choose accounts of a list, as the parameters of the HTTP API do.

use clap::Args;

use super::exit::{Exit, failure};
use crate::account_filter::AccountFilter;

#[derive(Args, Debug, Default)]
pub(super) struct FilterArgs {
    /// Only accounts with one of these statuses, separated by commas.
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// Only accounts whose reason begins with one of these words, separated by commas.
    #[arg(long, value_name = "REASON")]
    reason: Vec<String>,
    /// Only accounts of this operator.
    #[arg(long, value_name = "UUID")]
    operator: Option<String>,
    /// Only accounts that the daemon on this host runs; HOST:PID or its id tells daemons of a host apart.
    #[arg(long, value_name = "HOST")]
    daemon: Option<String>,
    /// Only accounts with this proxy; `none` for those that connect directly.
    #[arg(long, value_name = "URL|none")]
    proxy: Option<String>,
    /// Only accounts with all of these tags, separated by commas.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only accounts with this text in label, reason, tags, id or a number, however it is written.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

impl FilterArgs {
    /// # Errors
    /// What is wrong about a value, as a misuse.
    pub(super) fn read(&self) -> anyhow::Result<AccountFilter> {
        let mut filter = AccountFilter::default();
        let several = [("status", &self.status), ("reason", &self.reason), ("tag", &self.tag)];
        let single =
            [("operator", &self.operator), ("daemon", &self.daemon), ("proxy", &self.proxy), ("q", &self.search)];
        let several = several.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let single = single.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        for (name, value) in several.chain(single) {
            filter.add(name, value).map_err(|wrong| failure(Exit::Usage, wrong.to_string()))?;
        }
        Ok(filter)
    }
}
