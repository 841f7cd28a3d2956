//! `millrace dead list` and `show`. What is sealed stays so unless it is asked for.

use std::process::ExitCode;

use store::core::seal::Sealer;
use wire::DeadLetter;

use super::letters::Letters;
use crate::{
    cli::dead::{Filter, LetterName, List, Show},
    process::ProcessParts,
};

/// `millrace dead list`: one line for each letter, and how many there are.
pub(super) async fn list(args: List) -> anyhow::Result<ExitCode> {
    let process = ProcessParts::begin(args.common)?;
    let broker = process.broker("dead").await?;
    let mut letters = Letters::open(&broker, &args.filter, &process.stop).await?;

    let (mut shown, mut found) = (0, 0);
    while let Some(frame) = letters.next().await? {
        for (_, letter) in frame.letters(&args.filter) {
            found += 1;
            if shown < args.limit {
                shown += 1;
                println!("{}", line(frame.sequence, letter));
            }
        }
    }

    eprintln!("{shown} of {found} letters");
    Ok(ExitCode::SUCCESS)
}

/// `millrace dead show`: fails where there is no such letter, or one that cannot be opened.
pub(super) async fn show(args: Show) -> anyhow::Result<ExitCode> {
    let process = ProcessParts::begin(args.common)?;
    let sealer = args.open.then(|| process.sealer()).transpose()?;
    let broker = process.broker("dead").await?;
    let all = Filter::default();
    let mut letters = Letters::open(&broker, &all, &process.stop).await?;

    let (mut found, mut opened) = (false, true);
    while let Some(frame) = letters.next().await? {
        for (_, letter) in frame.letters(&all) {
            if has_name(letter, frame.sequence, args.letter) {
                found = true;
                opened &= print(frame.sequence, letter, sealer.as_ref());
            }
        }
    }

    if !found {
        eprintln!("no such letter");
    }
    Ok(if found && opened { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn has_name(letter: &DeadLetter, sequence: u64, name: LetterName) -> bool {
    match name {
        LetterName::Id(id) => letter.id == id,
        LetterName::Sequence(wanted) => sequence == wanted,
    }
}

/// A letter in one line: sequence, id, when, stage, tenant, cause, attempts, message.
fn line(sequence: u64, letter: &DeadLetter) -> String {
    let DeadLetter { id, at, stage, tenant, cause, attempts, .. } = letter;
    let message = letter.message.map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!("{sequence}\t{id}\t{at:.0}\t{stage}\t{tenant}\t{cause}\t{attempts}\t{message}")
}

/// Prints a letter; says whether what was asked for could be opened.
fn print(sequence: u64, letter: &DeadLetter, sealer: Option<&Sealer>) -> bool {
    println!("sequence  {sequence}");
    println!("id        {}", letter.id);
    println!("at        {}", letter.at);
    println!("stage     {}", letter.stage);
    println!("tenant    {}", letter.tenant);
    println!("subject   {}", letter.subject);
    if let Some(message) = letter.message {
        println!("message   {message}");
    }
    if let Some(turn) = letter.turn {
        println!("turn      {turn}");
    }
    println!("cause     {}", letter.cause);
    println!("detail    {}", letter.detail);
    println!("attempts  {}", letter.attempts);

    match sealer.map(|sealer| sealer.open(&letter.sealed)) {
        None => println!("content   sealed; --open shows it"),
        Some(Ok(bytes)) => println!("content   {}", readable(&bytes)),
        Some(Err(why)) => {
            eprintln!("content   {why}");
            return false;
        }
    }
    true
}

/// JSON in lines; what is none with its control characters escaped.
fn readable(bytes: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(json) => format!("{json:#}"),
        Err(_) => String::from_utf8_lossy(bytes).escape_debug().to_string(),
    }
}
