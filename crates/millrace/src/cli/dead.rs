//! The words of `millrace dead`.

use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::ids::TenantId;
use stage::StageName;
use uuid::Uuid;

use super::values::stage_name;

/// `millrace dead list|show|redrive|discard`
#[derive(Debug, Args)]
pub struct DeadCommand {
    /// What to do with letters
    #[command(subcommand)]
    pub action: DeadAction,
}

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadAction {
    /// Lists letters, oldest first: sequence, id, when, stage, tenant, cause, attempts, message
    List(List),
    /// Shows one letter
    Show(Show),
    /// Sends letters again to where they were read from, under their own ids; messages in their
    /// next turn
    Redrive(Redrive),
    /// Deletes letters for good; their messages stay failed
    Discard(Discard),
}

/// Which letters are meant: those that fit every field that is given.
#[derive(Debug, Default, Args)]
pub struct Filter {
    /// Only letters of this stage
    #[arg(long, value_parser = stage_name, value_name = "STAGE")]
    pub stage: Option<StageName>,
    /// Only letters of this tenant; `platform` for those that name none
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantId>,
    /// Only letters with this cause, such as panicked or refused_by_database
    #[arg(long, value_name = "CAUSE")]
    pub cause: Option<String>,
    /// Only the letter with this id
    #[arg(long, value_name = "ID")]
    pub id: Option<Uuid>,
}

impl Filter {
    /// Whether it names some letters out of all.
    pub fn is_given(&self) -> bool {
        self.stage.is_some() || self.tenant.is_some() || self.cause.is_some() || self.id.is_some()
    }
}

/// `millrace dead list`
#[derive(Debug, Args)]
pub struct List {
    /// Which letters are listed.
    #[command(flatten)]
    pub filter: Filter,
    /// Lines to print at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub limit: usize,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// `millrace dead show`
#[derive(Debug, Args)]
pub struct Show {
    /// The letter's id, or the sequence that `list` shows
    #[arg(value_name = "ID|SEQUENCE", value_parser = letter_name)]
    pub letter: LetterName,
    /// Open what is sealed and show it: it holds a text and a number. Needs the master key
    #[arg(long)]
    pub open: bool,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// `millrace dead redrive`
#[derive(Debug, Args)]
pub struct Redrive {
    /// Which letters are sent again.
    #[command(flatten)]
    pub filter: Filter,
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// `millrace dead discard`
#[derive(Debug, Args)]
pub struct Discard {
    /// Which letters are deleted.
    #[command(flatten)]
    pub filter: Filter,
    /// Delete all letters, where no field says which
    #[arg(long)]
    pub all: bool,
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// How a letter is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterName {
    /// By its own id.
    Id(Uuid),
    /// By the sequence of the frame that it lies in: all letters of that frame.
    Sequence(u64),
}

fn letter_name(text: &str) -> Result<LetterName, String> {
    let id = text.parse().map(LetterName::Id).ok();
    let name = id.or_else(|| text.parse().map(LetterName::Sequence).ok());
    name.ok_or_else(|| "not the id of a letter, nor a sequence".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_named_by_its_id_or_by_its_sequence() {
        let id = Uuid::from_u128(7);
        assert_eq!(letter_name(&id.to_string()), Ok(LetterName::Id(id)));
        assert_eq!(letter_name("12"), Ok(LetterName::Sequence(12)));
        assert!(letter_name("gate").is_err());
    }
}
