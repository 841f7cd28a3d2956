//! `millrace dead redrive`: opens a message's row in its next turn, publishes the message, and
//! deletes the letter only after the PubAck. After a crash in between the next redrive finds the
//! stamp of this one in the row and goes on from there; stages tell what is published twice by its
//! keys.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    process::ExitCode,
};

use anyhow::Context;
use domain::{ids::MessageId, money::Micros};
use pipeline::Publisher;
use store::{
    Role, Scoped, Store,
    core::seal::Sealer,
    messages::dead_letter::{self, DeadKey, DeadRow, Revival},
};
use wire::{DeadLetter, frame::Outgoing};

use super::{
    decide::{Plan, decide, stamp},
    letters::{Frame, Letters, PUBLISH_PATIENCE},
    opened::{Content, Opened},
    report::Report,
};
use crate::{
    cli::dead::{Filter, Redrive},
    process::ProcessParts,
};

/// How many letters are worked on at once, or a frame more.
const AT_ONCE: usize = 256;

/// `millrace dead redrive`: fails where a letter is refused, or the one that is named is not there.
pub(super) async fn run(args: Redrive) -> anyhow::Result<ExitCode> {
    let mut process = ProcessParts::begin(args.common)?;
    let sealer = process.sealer()?;
    let broker = process.broker("redrive").await?;
    process.follow_clock(&broker).await?;
    let store = process.store(Role::Pipeline, 1).await?;

    let mut letters = Letters::open(&broker, &args.filter, &process.stop).await?;
    let publisher = Publisher::new(&broker, "redrive");
    let run = Run { process, sealer, store, publisher, dry_run: args.dry_run };
    let mut report = Report::default();
    let ended = run.all(&mut letters, &args.filter, &mut report).await;

    report.print(args.dry_run);
    ended.context("what is not counted may have been sent, and is not lost: redrive again")?;

    if args.filter.id.is_some() && report.letters() == 0 {
        eprintln!("no such letter");
        return Ok(ExitCode::FAILURE);
    }
    let incomplete = report.any_refused() && !args.dry_run;
    Ok(if incomplete { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The next frames that hold letters asked for; none at the end.
async fn chunk(letters: &mut Letters, filter: &Filter) -> anyhow::Result<Option<Vec<Frame>>> {
    let (mut frames, mut asked) = (Vec::new(), 0);
    while asked < AT_ONCE {
        let Some(frame) = letters.next().await? else { break };
        let wanted = frame.letters(filter).count();
        if wanted > 0 {
            asked += wanted;
            frames.push(frame);
        }
    }
    Ok((!frames.is_empty()).then_some(frames))
}

/// The rows of a chunk's messages; a message may have none.
type Rows = HashMap<DeadKey, DeadRow>;

/// What every chunk of a run needs.
struct Run {
    process: ProcessParts,
    sealer: Sealer,
    store: Store,
    publisher: Publisher,
    dry_run: bool,
}

/// One letter on its way through a run.
struct Task<'a> {
    /// Index of the frame it lies in, among those of the chunk.
    frame: usize,
    /// Index of the letter in that frame.
    member: usize,
    /// Where the frame lies in DEAD.
    sequence: u64,
    letter: &'a DeadLetter,
    opened: Result<Opened, String>,
    plan: Plan,
}

impl Run {
    async fn all(
        &self,
        letters: &mut Letters,
        filter: &Filter,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        while let Some(frames) = chunk(letters, filter).await? {
            self.work(letters, filter, &frames, report).await?;
        }
        Ok(())
    }

    async fn work(
        &self,
        letters: &Letters,
        filter: &Filter,
        frames: &[Frame],
        report: &mut Report,
    ) -> anyhow::Result<()> {
        // load, decide, record
        let mut tasks = self.open(frames, filter);
        let rows = self.plan(&mut tasks).await?;

        // say, and only then delete
        if !self.dry_run {
            self.publisher.offer(say(&tasks, &rows), PUBLISH_PATIENCE).await?;
            for (index, frame) in frames.iter().enumerate() {
                let done = tasks.iter().filter(|task| task.frame == index && task.is_done());
                let done: Vec<usize> = done.map(|task| task.member).collect();
                letters.remove(&self.publisher, frame, &done).await?;
            }
        }

        for task in &tasks {
            match &task.plan {
                Plan::Refused(why) => report.refused(task.letter, why),
                Plan::AsItWas | Plan::Reopen | Plan::Resume | Plan::Spent => {
                    report.redriven(task.letter);
                }
            }
        }
        Ok(())
    }

    fn open<'a>(&self, frames: &'a [Frame], filter: &Filter) -> Vec<Task<'a>> {
        let mut tasks = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            tasks.extend(frame.letters(filter).map(|(member, letter)| Task {
                frame: index,
                member,
                sequence: frame.sequence,
                letter,
                opened: Opened::of(letter, &self.sealer),
                plan: Plan::AsItWas,
            }));
        }
        tasks
    }

    /// Decides each letter by its message's row, and opens the rows of those that go again. Gives
    /// the rows as they are afterwards.
    async fn plan(&self, tasks: &mut [Task<'_>]) -> anyhow::Result<Rows> {
        // load
        let keys: BTreeSet<DeadKey> = tasks.iter().filter_map(Task::key).collect();
        let mut tx = self.store.scoped(keys.iter().map(|key| &key.0)).await?;
        let mut rows = dead_letter::find(&mut tx, &keys).await?;

        // decide
        for task in tasks.iter_mut() {
            let row = task.key().and_then(|key| rows.get(&key));
            task.plan = match &task.opened {
                Ok(opened) => decide(task.letter, opened, row),
                Err(why) => Plan::Refused(why.clone()),
            };
        }
        let opening = opening(tasks);

        // record
        if !self.dry_run {
            self.reopen(&mut tx, tasks, &opening, &mut rows).await?;
            tx.commit().await.map_err(store::fault)?;
        }
        Ok(rows)
    }

    /// Opens rows. Puts what they are now into `rows`, and refuses the letters of those that have
    /// moved on meanwhile.
    async fn reopen(
        &self,
        tx: &mut Scoped,
        tasks: &mut [Task<'_>],
        opening: &BTreeMap<DeadKey, Vec<usize>>,
        rows: &mut Rows,
    ) -> anyhow::Result<()> {
        let now = self.process.time.now();
        let revivals: Vec<Revival<'_>> = opening
            .iter()
            .filter_map(|(key, of_message)| {
                let (found, task) = (rows.get(key)?, tasks.get(*of_message.first()?)?);
                let stamp = stamp(task.letter, now);
                Some(Revival { found, body_hash: task.body_hash(), text: task.text(), stamp })
            })
            .collect();
        let reopened = dead_letter::reopen(tx, now, &revivals).await?;

        for ((key, of_message), row) in opening.iter().zip(reopened) {
            match (row, rows.get_mut(key)) {
                (Some((message, passport)), Some(found)) => {
                    (found.message, found.passport) = (message, passport);
                }
                (_, _) => {
                    for &index in of_message {
                        tasks[index].plan = Plan::Refused("it moved on meanwhile".into());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Indices of the letters that open rows, by message. A letter may lie in DEAD twice: that is one
/// opening. Of two letters about one message in one turn, the first opens it, and the other is
/// refused.
fn opening(tasks: &mut [Task<'_>]) -> BTreeMap<DeadKey, Vec<usize>> {
    let mut opening: BTreeMap<DeadKey, Vec<usize>> = BTreeMap::new();
    for index in 0..tasks.len() {
        let task = &tasks[index];
        let Some(key) = task.key().filter(|_| task.plan == Plan::Reopen) else { continue };

        let of_message = opening.entry(key).or_default();
        let first = of_message.first().map(|first| tasks[*first].letter.id);
        if first.is_none_or(|first| first == task.letter.id) {
            of_message.push(index);
        } else {
            let why = "another letter about its message was redriven";
            tasks[index].plan = Plan::Refused(why.into());
        }
    }
    opening
}

/// What is published: each message once, with the event that it is accepted again.
fn say(tasks: &[Task<'_>], rows: &Rows) -> Vec<Outgoing> {
    let mut said: BTreeSet<DeadKey> = BTreeSet::new();
    let mut say = Vec::new();

    for task in tasks {
        let (Ok(opened), key) = (&task.opened, task.key()) else { continue };
        let row = key.as_ref().and_then(|key| rows.get(key));

        match task.plan {
            Plan::Reopen | Plan::Resume => {
                if key.is_some_and(|key| said.insert(key)) {
                    say.push(opened.outgoing(task.letter, task.sequence, row));
                    let event = row.and_then(|row| row.message.event());
                    say.extend(event.map(|event| event.outgoing()));
                }
            }
            Plan::AsItWas => say.push(opened.outgoing(task.letter, task.sequence, None)),
            Plan::Spent | Plan::Refused(_) => {}
        }
    }
    say
}

// === impl Task ===

impl Task<'_> {
    /// The message that the letter names.
    fn key(&self) -> Option<DeadKey> {
        Some((self.letter.tenant.clone(), MessageId(self.letter.message?)))
    }

    /// Whether the letter has done its work.
    fn is_done(&self) -> bool {
        match self.plan {
            Plan::AsItWas | Plan::Reopen | Plan::Resume | Plan::Spent => true,
            Plan::Refused(_) => false,
        }
    }

    /// For a row that was made without it.
    fn body_hash(&self) -> Option<Vec<u8>> {
        match &self.opened.as_ref().ok()?.content {
            Content::Submitted(message) => wire::unhex(&message.body_hash),
            Content::Enriched(_) | Content::Other => None,
        }
    }

    /// For a row that was made without a text.
    fn text(&self) -> Option<(&str, u16, Micros)> {
        match &self.opened.as_ref().ok()?.content {
            Content::Enriched(message) => Some((&message.text, message.segments, message.cost)),
            Content::Submitted(_) | Content::Other => None,
        }
    }
}
