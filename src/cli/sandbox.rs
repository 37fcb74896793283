//! `paird sandbox`: the WhatsApp double by itself.

use std::process::ExitCode;

use paird_sandbox::{Sandbox, Settings};

use super::out;

/// Runs until Ctrl-C.
pub(super) async fn run() -> anyhow::Result<ExitCode> {
    let sandbox = Sandbox::start(Settings::default()).await?;
    out::line(format_args!("PAIRD_WHATSAPP_URL={}", sandbox.whatsapp_url()));
    out::line(format_args!("admin API and phones: {}", sandbox.admin_url()));
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
