//! Automatic answers come to an end, whatever comes back.

use jiff::Timestamp;
use testkit::{hand_over, outgoing};
use uuid::Uuid;
use wire::frame::Outgoing;

use super::world::{World, json, subjects};

/// How many of these are messages: answers to the texts.
fn answers(said: &[Outgoing]) -> usize {
    subjects(said).iter().filter(|subject| *subject == "msg.submitted.urgent").count()
}

#[tokio::test]
async fn an_opt_out_is_confirmed_once_until_its_person_is_back() -> anyhow::Result<()> {
    for self_answering in [false, true] {
        let world = World::begin().await?;
        world.account(self_answering).await?;

        let phrases = ["STOP", "please+stop", "Remove+me", "wrong+number", "STOP"];
        let mut confirmed = 0;
        for (n, phrase) in phrases.iter().enumerate() {
            confirmed += answers(&world.receive(vec![world.text(&format!("A{n}"), phrase)]).await?);
        }
        assert_eq!(confirmed, usize::from(!self_answering), "the carrier confirms what it knows");

        let again = world.receive(vec![world.text("A0", "STOP")]).await?;
        assert_eq!(answers(&again), confirmed, "a repeat says the same");

        world.receive(vec![world.text("B1", "START")]).await?;
        let batch = vec![world.text("C1", "stop+texting+me"), world.text("C2", "go+away")];
        assert_eq!(answers(&world.receive(batch).await?), 1, "one for both of a batch");
    }
    Ok(())
}

#[tokio::test]
async fn confirmations_that_come_back_are_stored_and_change_and_say_nothing() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    world.account(false).await?;

    let texts = [
        "You+are+unsubscribed+from+Acme+and+will+get+no+more+messages.+Reply+START+to+return.",
        "You+have+successfully+been+unsubscribed.+Reply+START+to+resubscribe.",
        "Acme:+reply+STOP+to+unsubscribe,+START+to+return.+Msg+%26+data+rates+may+apply.",
    ];
    for (n, text) in texts.iter().enumerate() {
        let said = world.receive(vec![world.text(&format!("SM{n}"), text)]).await?;
        assert_eq!(subjects(&said), ["events.acme.message.received"], "{text}");
    }

    assert!(!world.opted_out().await?);
    let stored = "select count(*) from millrace.inbound_texts where meaning = 'automatic'";
    assert_eq!(world.number(stored).await?, 3);
    Ok(())
}

#[tokio::test]
async fn help_is_answered_once_an_hour_a_person() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let mut at = [0, 1, 3_599, 3_600].map(|second| {
        let mut text = world.text(&format!("SM{second}"), "HELP");
        text.received_at = Timestamp::from_second(100_000 + second).expect("in range");
        text
    });
    at[1].body = b"MessageSid=SM77&From=%2B12125550124&To=%2B12025550171&Body=HELP".to_vec();

    let mut answered = Vec::new();
    for text in at {
        let now = text.received_at;
        answered.push(answers(&outgoing(hand_over(&world.stage, now, vec![text]).await?)));
    }
    assert_eq!(answered, [1, 1, 0, 1]);
    Ok(())
}

#[tokio::test]
async fn a_person_gets_twenty_automatic_answers_a_day() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    // Out and back every half hour, for a day and an hour.
    let mut answered = Vec::new();
    for n in 0..50 {
        let words = if n % 2 == 0 { "STOP" } else { "START" };
        let mut text = world.text(&format!("SM{n}"), words);
        text.id = Uuid::from_u128(n);
        text.received_at = Timestamp::from_second(100_000 + 1_800 * n as i64)?;
        let now = text.received_at;
        answered.push(answers(&outgoing(hand_over(&world.stage, now, vec![text]).await?)));
    }

    assert_eq!(answered[..20], [1; 20]);
    assert_eq!(answered[20..48], [0; 28], "no more within the day");
    assert_eq!(answered[48..], [1; 2], "the first two are a day old");
    assert!(!world.opted_out().await?, "what is not answered holds all the same");
    Ok(())
}

#[tokio::test]
async fn a_reaction_goes_to_nobody_and_opens_no_conversation() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let texts = [
        "Loved+an+image",
        "Emphasized+%E2%80%9CReply+YES+to+confirm%E2%80%9D",
        "%F0%9F%91%8D+to+%E2%80%9CSale.+Reply+STOP+to+opt+out%E2%80%9D",
    ];
    for (n, text) in texts.iter().enumerate() {
        let said = world.receive(vec![world.text(&format!("SM{n}"), text)]).await?;
        assert_eq!(subjects(&said), ["events.acme.message.received"], "{text}");
    }

    let opened =
        "select (select count(*) from millrace.standings where last_inbound_at is not null)
                       + (select count(*) from millrace.conversations
                          where last_inbound_at is not null)";
    assert_eq!(world.number(opened).await?, 0);
    assert!(!world.opted_out().await?);

    world.receive(vec![world.text("SM9", "When+do+you+open"), world.text("SN9", texts[0])]).await?;
    assert_eq!(world.number(opened).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_text_from_a_short_code_or_a_name_is_kept_and_never_answered() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let texts = [
        ("12345", "STOP"),
        ("SUPPORT", "When?"),
        ("SUPPORT", "HELP"),
        ("266696687", "When?"),
        ("A+name+of+20+letters", "STOP"),
        ("%2B1", "HELP"),
        ("%EF%BC%91%EF%BC%92", "STOP"),
    ];
    for (n, (from, body)) in texts.iter().enumerate() {
        let mut text = world.text(&format!("SM{n}"), body);
        text.body = format!("MessageSid=SM{n}&From={from}&To=%2B12025550171&Body={body}").into();
        let said = world.receive(vec![text]).await?;
        let mut heard = subjects(&said);
        heard.retain(|subject| subject != "events.acme.conversation.opened");
        assert_eq!(heard, ["events.acme.message.received"], "{from} {body}");
    }

    let kept = "select string_agg(concat_ws(' ', tenant_id, code, body), ', ' order by inbound_id)
                from (select * from millrace.inbound_texts order by received_at) t";
    let kept = world.one(kept).await?;
    for text in [
        "acme 12345 STOP",
        "acme SUPPORT When?",
        "acme SUPPORT HELP",
        "acme 266696687 When?",
        "acme A name of 20 letters STOP",
        "acme +1 HELP",
        "acme １２ STOP",
    ] {
        assert!(kept.contains(text), "{kept}");
    }
    let people = "select (select count(*) from millrace.contacts)
                       + (select count(*) from millrace.standings)";
    assert_eq!(world.number(people).await?, 0, "nobody is made of a machine");
    Ok(())
}

#[tokio::test]
async fn a_stop_that_the_carrier_delivers_again_says_the_same_event() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let first = world.receive(vec![world.text("SM1", "STOP")]).await?;
    let mut again = world.text("SM1", "STOP");
    again.id = Uuid::from_u128(99);
    again.received_at = Timestamp::from_second(1_090)?;
    let again = world.receive(vec![again]).await?;

    assert_eq!(json(&first), json(&again), "id, time and confirmation");
    Ok(())
}
