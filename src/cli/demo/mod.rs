//! `paird demo`: everything once, against the sandbox, through the public face only:
//! `send_command`, rows, events, and what the phones list. It checks what it shows.

mod act;
mod phones;
mod script;
mod stage;

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::out;
use crate::config::Config;
use stage::Stage;

#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Leaves all running afterwards, to play with.
    #[arg(long)]
    stay: bool,
}

pub(super) async fn run(config: &Config, args: DemoArgs) -> anyhow::Result<ExitCode> {
    out::line("paird demo: the daemon, its own Postgres and a WhatsApp double, all on this machine");
    out::line("");
    let started = Instant::now();
    let mut stage = Stage::build(config)?;
    let played = tokio::select! {
        played = play(&mut stage) => Some(played),
        _ = tokio::signal::ctrl_c() => None,
    };
    let Some(played) = played else {
        stage.strike().await;
        out::line("");
        out::line("demo: interrupted");
        return Ok(ExitCode::FAILURE);
    };
    if let Err(differs) = played {
        out::line("");
        out::line(format_args!("demo FAILED: {differs:#}"));
        stage.strike_but_keep_the_log().await;
        return Ok(ExitCode::FAILURE);
    }
    out::line("");
    out::line(format_args!("demo: everything as promised, in {:.1} s", started.elapsed().as_secs_f32()));
    if args.stay {
        out::raw(&format!("{}\n", stage.what_to_try()));
        tokio::signal::ctrl_c().await?;
    }
    stage.strike().await;
    Ok(ExitCode::SUCCESS)
}

async fn play(stage: &mut Stage) -> anyhow::Result<()> {
    let mut act = stage.open().await?;
    script::play(&mut act, stage).await
}
