//! Dead letters from end to end: the stages and `millrace dead` as processes of the built binary,
//! on a real broker and a real database.

mod world;

use domain::message::state::MessageState;
use wire::{DeadLetter, Enriched, Event, Stream};
use world::World;

#[tokio::test]
async fn a_text_that_only_the_database_refuses_dies_alone_and_is_recorded() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut messages: Vec<_> = (0..40).map(|n| world.submitted(n, "hello")).collect();
    // JSON may hold it, and the decoder takes it; Postgres has no such character.
    messages[17].metadata.insert("order".into(), "47\u{0}11 of +12125550017".into());
    let poison = messages[17].clone().with_body_hash();
    messages[17] = poison.clone();

    world.submit(&messages).await?;
    let (enrich, reconcile) = (world.stage("enrich")?, world.stage("reconcile")?);

    let others: Vec<Enriched> = world.holds(Stream::Enriched, 39).await?;
    assert!(others.iter().all(|message| message.head.id != poison.head.id));

    let letters: Vec<DeadLetter> = world.holds(Stream::Dead, 1).await?;
    let said = (letters[0].cause.as_str(), letters[0].stage.as_str(), letters[0].turn);
    assert_eq!(said, ("refused_by_database", "enrich", Some(1)));

    let row = world.comes_to(poison.head.id, MessageState::Failed, 1).await?;
    assert_eq!((row.code.as_deref(), row.body.as_str()), (Some("internal"), ""));
    let events: Vec<Event> = world.holds(Stream::Events, 40).await?;
    let failed = events.iter().filter(|event| event.kind.as_str() == "message.failed");
    assert_eq!(failed.count(), 1);

    // Sent again it dies again, in its next turn and alone: nothing was repaired.
    world.prints(&["dead", "redrive"]).await?;
    world.comes_to(poison.head.id, MessageState::Failed, 2).await?;
    let letters: Vec<DeadLetter> = world.holds(Stream::Dead, 1).await?;
    assert_eq!(letters[0].turn, Some(2));

    enrich.stop().await?;
    reconcile.stop().await
}

#[tokio::test]
async fn letters_are_listed_and_shown_and_what_is_sealed_stays_so_until_it_is_asked_for()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.submitted(17, "a secret");
    let letter = world.letter("enrich", "msg.submitted.urgent", &message, Some(message.head.id.0));
    let other = world.letter("gate", "msg.enriched.bulk", &world.submitted(18, "x"), None);
    world.die("enrich", std::slice::from_ref(&letter)).await?;
    world.die("gate", &[other]).await?;
    let id = letter.id.to_string();

    let all = world.prints(&["dead", "list"]).await?;
    let cells: Vec<&str> = all.lines().next().unwrap_or_default().split('\t').collect();
    let message_id = message.head.id.to_string();
    assert_eq!([cells[0], cells[1]], ["1", id.as_str()]);
    assert_eq!(cells[3..], ["enrich", "demo", "panicked", "1", message_id.as_str()]);
    assert_eq!(all.lines().count(), 2);
    for one in [
        ["--stage", "enrich"].as_slice(),
        &["--limit", "1"],
        &["--id", &id],
        &["--tenant", "demo", "--cause", "panicked", "--stage", "gate"],
    ] {
        let listed = world.prints(&[["dead", "list"].as_slice(), one].concat()).await?;
        assert_eq!(listed.lines().count(), 1, "{one:?}");
    }
    assert_eq!(world.prints(&["dead", "list", "--tenant", "acme"]).await?, "");

    let shown = world.prints(&["dead", "show", &id]).await?;
    assert_eq!(world.prints(&["dead", "show", "1"]).await?, shown);
    for said in
        ["subject   msg.submitted.urgent", "cause     panicked", "attempts  1", "turn      1"]
    {
        assert!(shown.contains(said), "{said} is not in {shown}");
    }
    for sealed in ["secret", "5550017"] {
        assert!(!all.contains(sealed) && !shown.contains(sealed));
        assert!(world.prints(&["dead", "show", &id, "--open"]).await?.contains(sealed));
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_done_says_why_and_ends_with_the_code_of_the_contract() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let nobody = uuid::Uuid::nil().to_string();

    for (words, code) in [
        (["show", "99"].as_slice(), 1),
        (&["show", &nobody], 1),
        (&["redrive", "--id", &nobody], 1),
        (&["redrive", "--id", &nobody, "--dry-run"], 1),
        (&["redrive"], 0),
        (&["discard"], 1),
        (&["discard", "--id", &nobody], 1),
        (&["discard", "--all"], 0),
        (&["list"], 0),
        (&["show"], 2),
        (&["show", "gate"], 2),
        (&["list", "--stage", "nope"], 2),
        (&["redrive", "--tenant", "UPPER"], 2),
        (&["redrive", "--id", "12"], 2),
        (&["bury"], 2),
        (&["list", "--nats-url", "nonsense://"], 64),
    ] {
        let (ended, said) = world.ends(&[["dead"].as_slice(), words].concat()).await?;
        assert_eq!(ended, Some(code), "{words:?}: {said}");
    }
    Ok(())
}

fn discard<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [["dead", "discard"].as_slice(), words].concat()
}

#[tokio::test]
async fn letters_are_discarded_once_reconcile_has_read_them() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let letter = |n| {
        let message = world.submitted(n, "hello");
        world.letter("enrich", "msg.submitted.urgent", &message, Some(message.head.id.0))
    };
    let letters = [letter(1), letter(2)];
    let first = letters[0].id.to_string();
    world.die("enrich", &letters).await?;

    let (ended, said) = world.ends(&discard(&["--all"])).await?;
    assert_eq!(ended, Some(1), "{said}");
    let _: Vec<DeadLetter> = world.holds(Stream::Dead, 2).await?;

    let reconcile = world.stage("reconcile")?;
    world.comes_to(world.submitted(2, "hello").head.id, MessageState::Failed, 1).await?;
    // Its acks come after its rows.
    while world.ends(&discard(&["--all", "--dry-run"])).await?.0 != Some(0) {}
    let dry = world.prints(&discard(&["--all", "--dry-run"])).await?;
    assert_eq!(dry, "2 would be discarded\n");

    world.prints(&discard(&["--id", &first])).await?;
    let left: Vec<DeadLetter> = world.holds(Stream::Dead, 1).await?;
    assert_eq!(left[0].id, letters[1].id);
    reconcile.stop().await
}

#[tokio::test]
async fn a_dry_run_counts_by_stage_and_cause_and_changes_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let dead = world.enriched(1, MessageState::Failed).await?;
    let sent = world.enriched(2, MessageState::Sent).await?;
    let letters = [&dead, &sent]
        .map(|message| world.letter("gate", "msg.enriched.bulk", message, Some(message.head.id.0)));
    world.die("gate", &letters).await?;

    let before = (world.row(dead.head.id).await?, world.row(sent.head.id).await?);

    let output = world.millrace(&["dead", "redrive", "--dry-run"]).await?;
    assert!(output.status.success());

    let table = String::from_utf8(output.stdout)?;
    let cells: Vec<&str> = table.lines().nth(1).unwrap_or_default().split_whitespace().collect();
    assert_eq!(cells, ["gate", "panicked", "1", "1"], "{table}");
    assert!(table.contains("would be redriven"));
    assert!(String::from_utf8(output.stderr)?.contains("sent already: sent, turn 1"));

    assert_eq!((world.row(dead.head.id).await?, world.row(sent.head.id).await?), before);
    assert!(world.stored::<DeadLetter>(Stream::Dead).await? == letters);
    assert_eq!(world.stored::<Enriched>(Stream::Enriched).await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_message_that_died_before_it_had_a_text_is_rendered_when_it_is_redriven()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    // A defect that is repaired before the redrive.
    world
        .run("alter table millrace.messages add constraint defect check (body <> 'poison')")
        .await?;

    let messages = [world.submitted(1, "hello"), world.submitted(2, "poison")];
    let id = messages[1].head.id;
    world.submit(&messages).await?;
    let (enrich, reconcile) = (world.stage("enrich")?, world.stage("reconcile")?);
    world.comes_to(id, MessageState::Failed, 1).await?;
    world.run("alter table millrace.messages drop constraint defect").await?;

    let table = world.prints(&["dead", "redrive", "--stage", "enrich"]).await?;
    assert!(table.contains("refused_by_database"), "{table}");
    let enriched: Vec<Enriched> = world.holds(Stream::Enriched, 2).await?;
    let again = enriched.iter().find(|message| message.head.id == id);
    assert_eq!(
        again.map(|message| (message.head.turn, message.text.as_str())),
        Some((2, "poison"))
    );

    let row = world.comes_to(id, MessageState::Accepted, 2).await?;
    assert_eq!(row.body, "poison");
    assert_eq!(row.stamps, ["reconcile:failed", "redrive:accept", "enrich:accept"]);
    world.holds::<DeadLetter>(Stream::Dead, 0).await?;

    // The first copy, however late, and a second redrive do not double it.
    world.submit(&messages[1..]).await?;
    world.prints(&["dead", "redrive"]).await?;
    world.holds::<serde_json::Value>(Stream::Submitted, 0).await?;
    assert_eq!(world.stored::<Enriched>(Stream::Enriched).await?.len(), 2);

    enrich.stop().await?;
    reconcile.stop().await
}

#[tokio::test]
async fn a_message_goes_to_the_gates_again_in_its_next_turn_and_its_campaign_counts_it()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world
        .run(
            "with campaign as (
                 insert into millrace.campaigns (tenant_id, campaign_id, name, class, template_id,
                     pool_id, audience, created_at, audience_size, cursor, state)
                 values ('demo', '0198f1d2-7c00-7a00-8000-00000000c001', 'c', 'promo',
                         gen_random_uuid(), gen_random_uuid(), '{}', now(), 9, 9, 'running')
             )
             insert into millrace.campaign_recipients (tenant_id, campaign_id, seq, contact_id,
                                                       message_id)
             values ('demo', '0198f1d2-7c00-7a00-8000-00000000c001', 4,
                     '4ce6b78e-7f80-593f-8c84-2d688f211276',
                     '00000000-0000-0000-0000-000000000001')",
        )
        .await?;

    let message = world.enriched(1, MessageState::Failed).await?;
    let letter = world.letter("gate", "msg.enriched.bulk", &message, Some(message.head.id.0));
    world.die("gate", &[letter]).await?;

    world.prints(&["dead", "redrive"]).await?;

    let again: Vec<Enriched> = world.holds(Stream::Enriched, 1).await?;
    assert_eq!((again[0].head.id, again[0].head.turn), (message.head.id, 2));
    let last = again[0].passport.stamps().last().map(|stamp| stamp.stage.clone());
    assert_eq!(last.as_deref(), Some("redrive"), "the passport is the row's");

    let row = world.row(message.head.id).await?.expect("a row");
    assert_eq!((row.state, row.turn, row.code), (MessageState::Accepted, 2, None));

    let events: Vec<Event> = world.stored(Stream::Events).await?;
    assert_eq!((events[0].kind.as_str(), events[0].version), ("message.accepted", 3));
    let open_again = "select sum(case new_state when 0 then messages else 0 end
            - case old_state when 0 then messages else 0 end)::bigint
        from millrace.moved_counts where campaign_id = '0198f1d2-7c00-7a00-8000-00000000c001'";
    assert_eq!(world.number(open_again).await?, 1);
    Ok(())
}

#[tokio::test]
async fn what_died_in_throttle_or_send_goes_to_the_gates_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let golden = include_str!("../../../wire/tests/golden/admitted.json");

    for (n, stage, subject) in
        [(1, "throttle", "msg.admitted.bulk.3"), (2, "send", "msg.released.bulk.3")]
    {
        let mut admitted: wire::Admitted = serde_json::from_str(golden)?;
        admitted.message = world.enriched(n, MessageState::Failed).await?;
        let id = admitted.message.head.id;
        world.die(stage, &[world.letter(stage, subject, &admitted, Some(id.0))]).await?;

        world.prints(&["dead", "redrive", "--stage", stage]).await?;
        let again: Vec<Enriched> = world.stored(Stream::Enriched).await?;
        let last = again.last().map(|message| (message.head.id, message.head.turn));
        assert_eq!(last, Some((id, 2)), "{stage}");
    }
    assert_eq!(world.stored::<DeadLetter>(Stream::Dead).await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_redrive_that_ended_half_way_is_finished_by_the_next_and_nothing_is_doubled()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.enriched(1, MessageState::Failed).await?;
    let id = message.head.id;
    let letter = world.letter("gate", "msg.enriched.bulk", &message, Some(id.0));
    world.die("gate", std::slice::from_ref(&letter)).await?;

    // The row is opened, and the message cannot be published.
    world.limit(Stream::Enriched, Some(1)).await?;
    let other = world.enriched(2, MessageState::Accepted).await?;
    let subject = wire::Subject::Enriched(domain::message::class::Lane::Bulk);
    world.publish(vec![wire::frame::Outgoing::new(subject, &other)]).await?;
    let (ended, said) = world.ends(&["dead", "redrive"]).await?;
    assert_eq!(ended, Some(1), "{said}");
    assert!(said.contains("ENRICHED is full"), "{said}");
    assert_eq!(world.row(id).await?.map(|row| row.turn), Some(2));
    assert_eq!(world.stored::<DeadLetter>(Stream::Dead).await?.len(), 1);

    world.limit(Stream::Enriched, None).await?;
    world.prints(&["dead", "redrive"]).await?;
    let enriched: Vec<Enriched> = world.stored(Stream::Enriched).await?;
    let again: Vec<u32> =
        enriched.iter().filter(|m| m.head.id == id).map(|m| m.head.turn).collect();
    assert_eq!(again, [2]);
    assert_eq!(world.row(id).await?.map(|row| row.turn), Some(2), "raised once");
    assert_eq!(world.stored::<DeadLetter>(Stream::Dead).await?.len(), 0);

    // It was published, and the letter could not be deleted; the gates have decided since.
    world.run("update millrace.messages set state = 10, version = version + 1").await?;
    world.die("gate", &[letter.clone(), letter]).await?;
    world.prints(&["dead", "redrive"]).await?;
    assert_eq!(world.stored::<Enriched>(Stream::Enriched).await?.len(), 2, "nothing more is said");
    assert_eq!(world.row(id).await?.map(|row| row.state), Some(MessageState::Blocked));
    assert_eq!(world.stored::<DeadLetter>(Stream::Dead).await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_not_dead_is_refused_and_its_letter_stays_when_its_neighbours_go()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut letters = Vec::new();
    for (n, state) in (1..).zip(MessageState::ALL) {
        let message = world.enriched(n, state).await?;
        letters.push(world.letter("send", "msg.enriched.bulk", &message, Some(message.head.id.0)));
    }

    let mut unknown = world.enriched(99, MessageState::Failed).await?;
    unknown.head.id = uuid::Uuid::from_u128(100).into();
    let of_unknown = Some(unknown.head.id.0);
    letters.push(world.letter("send", "msg.enriched.bulk", &unknown, of_unknown));
    let mut cut = world.letter("send", "msg.enriched.bulk", &unknown, of_unknown);
    (cut.id, cut.sealed) = (uuid::Uuid::from_u128(101), "AAAA".into());
    letters.push(cut);

    world.die("send", &letters).await?;

    let (ended, said) = world.ends(&["dead", "redrive"]).await?;
    assert_eq!(ended, Some(1));
    for why in [
        "it was sent already: delivered, turn 1",
        "it has moved on: cancelled, turn 1",
        "it has moved on: deferred, turn 1",
        "reconcile has not written down that it died",
        "not sealed by any key",
    ] {
        assert!(said.contains(why), "{why} is not in {said}");
    }

    let again: Vec<Enriched> = world.stored(Stream::Enriched).await?;
    let failed = MessageState::ALL.iter().position(|state| *state == MessageState::Failed);
    let failed = failed.expect("a state");
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].head.id.0, letters[failed].message.expect("a message"));

    letters.remove(failed);
    let kept: Vec<DeadLetter> = world.stored(Stream::Dead).await?;
    assert!(kept == letters, "the others stay as they were, in their order");

    let (_, said_again) = world.ends(&["dead", "redrive"]).await?;
    assert_eq!(said_again, said, "refused again, and as before");
    Ok(())
}

#[tokio::test]
async fn what_names_no_message_is_published_as_it_was_each_time_that_it_dies() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let golden = include_str!("../../../wire/tests/golden/event_campaign.json");
    let event: Event = serde_json::from_str(golden)?;
    for times in 1..=2 {
        let letter = world.letter("rollup", "events.demo.campaign.completed", &event, None);
        world.die("rollup", &[letter]).await?;
        assert_eq!(world.stored::<DeadLetter>(Stream::Dead).await?.len(), 1, "stored each time");

        world.prints(&["dead", "redrive", "--stage", "rollup", "--cause", "panicked"]).await?;
        let events: Vec<serde_json::Value> = world.stored(Stream::Events).await?;
        assert_eq!(events.len(), times);
        assert_eq!(events[times - 1], serde_json::to_value(&event)?);
        assert_eq!(world.stored::<DeadLetter>(Stream::Dead).await?.len(), 0);
    }

    let golden = include_str!("../../../wire/tests/golden/webhook_request.json");
    let request: wire::WebhookRequest = serde_json::from_str(golden)?;
    let letter = world.letter("reconcile", "carrier.twilio.main.status", &request, None);
    world.die("reconcile", &[letter]).await?;
    world.prints(&["dead", "redrive"]).await?;
    let requests: Vec<serde_json::Value> = world.stored(Stream::Carrier).await?;
    assert_eq!(requests, [serde_json::to_value(&request)?]);
    Ok(())
}
