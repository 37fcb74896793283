//! `paird sandbox`: the WhatsApp double by itself.

use std::process::ExitCode;

use paird_sandbox::{Sandbox, Settings};

use super::{out, phone};
use crate::config::Config;

/// Runs until Ctrl-C.
pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let sandbox = Sandbox::start(Settings::default()).await?;
    out::line(format_args!("PAIRD_WHATSAPP_URL={}", sandbox.whatsapp_url()));
    out::line(format_args!("admin API and phones: {}", sandbox.admin_url()));
    let address = phone::address_file(config);
    std::fs::create_dir_all(&config.data_dir)?;
    std::fs::write(&address, sandbox.admin_url())?;
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    // The directory may have been emptied already.
    let _ = std::fs::remove_file(address);
    Ok(ExitCode::SUCCESS)
}
