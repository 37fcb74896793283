//! Runs a sandbox by itself: `paird-sandbox [--listen ADDR] [--admin ADDR]`.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use paird_sandbox::{Sandbox, Settings};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<()> {
    let sandbox = Sandbox::start(settings(std::env::args().skip(1))?).await?;
    let mut out = std::io::stdout();
    writeln!(out, "whatsapp {}", sandbox.whatsapp_url())?;
    writeln!(out, "admin    {}", sandbox.admin_url())?;
    out.flush()?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    sandbox.stop().await;
    Ok(())
}

fn settings(mut arguments: impl Iterator<Item = String>) -> Result<Settings> {
    let mut settings = Settings::default();
    while let Some(name) = arguments.next() {
        let place = match name.as_str() {
            "--listen" => &mut settings.listen,
            "--admin" => &mut settings.admin,
            _ => bail!("unknown argument {name:?}; there are --listen ADDR and --admin ADDR"),
        };
        let value = arguments.next().with_context(|| format!("{name} needs an address"))?;
        *place = value.parse().with_context(|| format!("{name} {value:?} is not an address"))?;
    }
    Ok(settings)
}
