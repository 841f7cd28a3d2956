//! Puts poison among good input: what does not decode, and a message that only the database
//! refuses. Its neighbours must end as they do without it, and each poison must be in DEAD, once.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;
use sqlx::types::Uuid;
use wire::Stream;

use super::{
    ContractSubject,
    end::End,
    repeat::{self, Input},
    trials::Trials,
    world::World,
};

/// A message that only the database refuses.
#[derive(Debug, Clone, Copy)]
pub enum Poison {
    /// Turns a copy of an input into one, under this id; says whether that input was fit for it.
    /// The trial copies its row under this id, too.
    Refused(fn(&mut Value, Uuid) -> bool),
    /// The subject has none, and why.
    None(&'static str),
}

/// The id of the message that is refused.
const ID: Uuid = Uuid::from_u128(0xdead);

/// What does not decode: no frame, and no message of one.
const NO_FRAME: &[u8] = b"\xff no frame";
const NO_MESSAGE: &str = r#"{ "no": "message" }"#;

impl<S: ContractSubject> Trials<'_, S> {
    pub(super) async fn poisoned(&self) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let inputs = repeat::read(&world.broker().await?, self.stage).await?;
        let mut expected = add_undecodable(&world, &inputs).await?;
        expected.extend(self.add_refused(&world, &inputs).await?);

        let before = letters(&world).await?;
        let process = world.start(self.stage, None).await?;
        self.work(&world, process).await?.end().await?;

        let mut found = letters(&world).await?;
        for (cause, count) in before {
            *found.entry(cause).or_default() -= count;
        }
        found.retain(|_, count| *count != 0);
        ensure!(found == expected, "DEAD holds {found:?}, not {expected:?}");
        let end = self.end(world).await?;
        Ok(end.without(&ID.to_string()))
    }

    /// Adds a message that the database refuses, where there can be one; gives the letters that it
    /// must leave, by cause.
    async fn add_refused(
        &self,
        world: &World<'_>,
        inputs: &[Input],
    ) -> anyhow::Result<BTreeMap<String, i64>> {
        let make = match self.subject.poison() {
            Poison::Refused(make) => make,
            Poison::None(why) => {
                ensure!(!why.is_empty(), "why is there none?");
                return Ok(BTreeMap::new());
            }
        };
        let (input, original, poison) = repeat::members(inputs)
            .find_map(|(input, member)| {
                let mut poison = member.clone();
                make(&mut poison, ID).then_some((input, member, poison))
            })
            .context("no input is fit for poison")?;

        copy_row(world, &original).await?;
        let among = repeat::among(input, poison.to_string())?;
        repeat::publish(&world.broker().await?, &[among], usize::MAX).await?;
        Ok(BTreeMap::from([("refused_by_database".to_owned(), 1)]))
    }
}

/// Adds what does not decode to the input; gives the letters that it must leave, by cause.
async fn add_undecodable(
    world: &World<'_>,
    inputs: &[Input],
) -> anyhow::Result<BTreeMap<String, i64>> {
    let broker = world.broker().await?;
    let last = inputs.last().context("an input")?;

    repeat::publish_raw(&broker, last, NO_FRAME).await?;
    let among = repeat::among(last, NO_MESSAGE.to_owned())?;
    repeat::publish(&broker, &[among], usize::MAX).await?;
    Ok(BTreeMap::from([("undecodable".to_owned(), 2)]))
}

/// How many letters lie in DEAD, by cause.
async fn letters(world: &World<'_>) -> anyhow::Result<BTreeMap<String, i64>> {
    let broker = world.broker().await?;
    let stream = broker.api.get_stream(Stream::Dead.name()).await?;
    let state = stream.get_info().await?.state;

    let mut letters = BTreeMap::new();
    for sequence in state.first_sequence..=state.last_sequence {
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        let members: Vec<Value> = match serde_json::from_slice(&message.payload)? {
            Value::Array(members) => members,
            one => vec![one],
        };
        for letter in members {
            let cause = letter["cause"].as_str().unwrap_or("none").to_owned();
            *letters.entry(cause).or_default() += 1;
        }
    }
    Ok(letters)
}

/// Makes a row like that of the message that the poison was made of, without the carrier's answer.
async fn copy_row(world: &World<'_>, original: &Value) -> anyhow::Result<()> {
    let head =
        [&original["head"], &original["message"]["head"]].into_iter().find(|h| h.is_object());
    let of_head = head.and_then(|head| head["id"].as_str()).map(str::to_owned);
    let query = original["query"].as_str().unwrap_or_default();
    let of_query = query.split("message=").nth(1).map(|id| id.chars().take(36).collect());
    let Some(id): Option<String> = of_head.or(of_query) else { return Ok(()) };

    let copy = "insert into millrace.messages
                select (jsonb_populate_record(m, jsonb_build_object(
                    'message_id', $1::uuid, 'carrier_sid', null))).*
                from millrace.messages m where message_id = $2::uuid";
    let copied = sqlx::query(copy).bind(ID).bind(id.parse::<Uuid>()?);
    copied.execute(&mut world.database().await?).await?;
    Ok(())
}
