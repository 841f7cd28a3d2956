//! `millrace dead`: looks at dead letters, and sends them on their way again.

mod decide;
mod letters;
mod opened;
mod redrive;
mod report;
mod show;

use std::process::ExitCode;

use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::ids::TenantId;
use stage::StageName;
use uuid::Uuid;
use wire::DeadLetter;

use crate::cli::stage_name;

/// `millrace dead`
#[derive(Debug, Args)]
pub struct DeadCommand {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists letters, oldest first: sequence, id, when, stage, tenant, cause, attempts, message
    List(List),
    /// Shows one letter
    Show(Show),
    /// Sends letters again to where they were read from, under their own ids; messages in their
    /// next turn
    Redrive(Redrive),
}

/// Which letters.
#[derive(Debug, Default, Args)]
struct Filter {
    /// Only letters of this stage
    #[arg(long, value_parser = stage_name, value_name = "STAGE")]
    stage: Option<StageName>,
    /// Only letters of this tenant; `platform` for those that name none
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// Only letters with this cause, such as panicked or refused_by_database
    #[arg(long, value_name = "CAUSE")]
    cause: Option<String>,
    /// Only the letter with this id
    #[arg(long, value_name = "ID")]
    id: Option<Uuid>,
}

/// `millrace dead list`
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    filter: Filter,
    /// Lines to print at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    common: Common,
}

/// `millrace dead show`
#[derive(Debug, Args)]
struct Show {
    /// The letter's id, or the sequence that `list` shows
    #[arg(value_name = "ID|SEQUENCE", value_parser = which)]
    which: Which,
    /// Open what is sealed and show it: it holds a text and a number. Needs the master key
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    common: Common,
}

/// `millrace dead redrive`
#[derive(Debug, Args)]
struct Redrive {
    #[command(flatten)]
    filter: Filter,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    common: Common,
}

/// How a letter is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Id(Uuid),
    Sequence(u64),
}

/// Runs one of the three.
pub async fn run(args: DeadCommand) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::List(args) => show::list(args).await,
        Action::Show(args) => show::show(args).await,
        Action::Redrive(args) => redrive::run(args).await,
    }
}

fn which(text: &str) -> Result<Which, String> {
    let id = text.parse().map(Which::Id).ok();
    let which = id.or_else(|| text.parse().map(Which::Sequence).ok());
    which.ok_or_else(|| "not the id of a letter, nor a sequence".to_owned())
}

// === impl Filter ===

impl Filter {
    fn takes(&self, letter: &DeadLetter) -> bool {
        self.stage.is_none_or(|stage| stage.as_str() == letter.stage)
            && self.tenant.as_ref().is_none_or(|tenant| *tenant == letter.tenant)
            && self.cause.as_ref().is_none_or(|cause| *cause == letter.cause)
            && self.id.is_none_or(|id| id == letter.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_named_by_its_id_or_by_its_sequence() {
        let id = Uuid::from_u128(7);
        assert_eq!(which(&id.to_string()), Ok(Which::Id(id)));
        assert_eq!(which("12"), Ok(Which::Sequence(12)));
        assert!(which("gate").is_err());
    }
}
