//! The example that the help of a command shows can be run: one after another, as an operator
//! would who begins with a new platform.

use std::fs;

use anyhow::{Context, ensure};
use boot::embedded::Scratch;

use crate::world::{Ended, PATIENCE, World};

/// Where the examples stand, each beside its command.
const HELP: &str = include_str!("../../src/cli/help.rs");

/// Commands that go on until they are ended, or measure for minutes: other tests run them.
const GO_ON: [&str; 12] = [
    "", "up", "api", "stage", "sandbox", "demo", "bench", "chaos", "fair", "cluster", "soak", "top",
];

/// Commands whose example names what a new platform does not have: a person who has come, and a
/// dead letter.
const OF_LATER: [&str; 2] = ["user reset", "dead show"];

/// Each command with its example, in the order of the table.
fn examples() -> Vec<(&'static str, &'static str)> {
    let table = HELP.split_once("EXAMPLES").map(|(_, rest)| rest).unwrap_or_default();
    let table = table.split_once("];").map(|(table, _)| table).unwrap_or_default();
    let rows =
        table.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.strip_suffix("\"),"));
    rows.filter_map(|row| row.split_once("\", \"")).collect()
}

/// The first word that a command has printed.
fn first_word(ended: &Ended) -> anyhow::Result<String> {
    ended.stdout.split_whitespace().next().map(str::to_owned).context("it has printed nothing")
}

/// The words of an example, with the names of what is there in place of those that it shows.
async fn words(world: &World, example: &str, handle: &str) -> anyhow::Result<Vec<String>> {
    let mut words: Vec<String> = example.split(' ').skip(1).map(str::to_owned).collect();
    for word in &mut words {
        if *word == "HANDLE" {
            handle.clone_into(word);
        }
    }
    if let [command, act, id, ..] = words.as_mut_slice()
        && (command.as_str(), act.as_str()) == ("token", "revoke")
    {
        *id = first_word(&world.millrace(&["token", "list", "--tenant", "acme"]).await?)?;
    }
    Ok(words)
}

#[tokio::test]
async fn the_examples_that_help_shows_can_be_run() -> anyhow::Result<()> {
    let (world, scratch) = (World::begin().await?, Scratch::new()?);
    let _api = world.start_api(&[]).await?;
    fs::write(scratch.path().join("token"), "secret")?;

    let (mut handle, mut run) = (String::new(), 0);
    for (command, example) in examples() {
        if GO_ON.contains(&command) || OF_LATER.contains(&command) {
            continue;
        }
        let words = words(&world, example, &handle).await?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut program = world.command(&words);
        let output = tokio::time::timeout(PATIENCE, program.current_dir(scratch.path()).output());
        let ended = Ended::from(output.await.with_context(|| format!("{example} does not end"))??);

        ensure!(ended.code == Some(0), "{example}: {}{}", ended.stdout, ended.stderr);
        if command == "account create" {
            handle = first_word(&ended)?;
        }
        run += 1;
    }
    ensure!(run > 30, "{run} examples");
    Ok(())
}
