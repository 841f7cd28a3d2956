//! Which variant of a template a message was made from is kept with it.

use domain::ids::TemplateId;
use testkit::hand_over;
use uuid::Uuid;
use wire::{Submitted, message::Content};

use crate::world::{TEMPLATE, World, now};

/// Two variants of both versions of the template, each with a text that names it.
const TWO: &str = r#"[
    {"key": "a", "weight": 1, "bodies": {"en": "This is a"}},
    {"key": "b", "weight": 1, "bodies": {"en": "This is b, {code|of no code}"}}
]"#;

async fn with_two_variants() -> anyhow::Result<World> {
    let world = World::begin().await?;
    world.run(&format!("update millrace.template_versions set variants = '{TWO}'")).await?;
    Ok(world)
}

fn from_template(world: &World, n: u32, id: TemplateId) -> Submitted {
    let content = Content::Template { id, variables: Default::default() };
    Submitted { content, ..world.message(n, "") }.with_body_hash()
}

#[tokio::test]
async fn a_message_keeps_the_variant_that_its_text_was_made_from() -> anyhow::Result<()> {
    let world = with_two_variants().await?;
    let of_campaign = (200..240).map(|n| world.campaign(n));
    let of_template = (240..280).map(|n| from_template(&world, n, TEMPLATE));
    let messages: Vec<Submitted> = of_campaign.chain(of_template).collect();

    hand_over(&world.stage().await?, now(), messages.clone()).await?;

    let each = "select count(*) from millrace.messages
                where (campaign_id is not null) = (class = 'promo')
                  and body like 'This is ' || variant || '%'";
    assert_eq!(world.number(each).await?, 80);
    let both = "select count(distinct (campaign_id, variant)) from millrace.messages";
    assert_eq!(world.number(both).await?, 4, "both variants of campaign and template");

    // It stays with the row, whatever the template says when the message comes again.
    let turned = TWO.replace(r#""a""#, r#""c""#);
    world.run(&format!("update millrace.template_versions set variants = '{turned}'")).await?;
    hand_over(&world.stage().await?, now(), messages).await?;
    assert_eq!(world.number(each).await?, 80);
    Ok(())
}

#[tokio::test]
async fn without_a_template_there_is_no_variant_and_what_fails_has_one() -> anyhow::Result<()> {
    let world = with_two_variants().await?;
    let needs_a_value = TWO.replace("|of no code", "").replace("This is a", "{code}");
    let version = "update millrace.template_versions set variants";
    world.run(&format!("{version} = '{needs_a_value}' where version = 1")).await?;
    let unknown = TemplateId(Uuid::from_u128(99));
    let messages = vec![
        world.message(200, "Hi"),
        from_template(&world, 201, unknown),
        world.campaign(202),
        world.campaign(203),
    ];

    hand_over(&world.stage().await?, now(), messages).await?;

    let none = "select count(*) from millrace.messages where variant is null
                and (body = 'Hi' or code = 'unknown_template')";
    assert_eq!(world.number(none).await?, 2);
    let failed = "select count(*) from millrace.messages
                  where code = 'missing_variable' and variant in ('a', 'b')";
    assert_eq!(world.number(failed).await?, 2);
    Ok(())
}
